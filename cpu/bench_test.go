package cpu_test

import (
	"fmt"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// BenchmarkGemm times products of the shapes that training and visualising
// meet: a layer forward, the reconstruction, and the gradient of the weights.
func BenchmarkGemm(b *testing.B) {
	for _, c := range []struct {
		name    string
		m, n, k int
		product engine.Product
	}{
		{"square", 1024, 1024, 1024, engine.Multiply(false, false)},
		{"forward-512", 512, 1000, 1000, engine.Multiply(false, true)},
		{"backward-512", 512, 1000, 1000, engine.Multiply(false, false)},
		{"forward-100", 100, 1000, 784, engine.Multiply(false, true)},
		{"reconstruct-100", 100, 784, 1000, engine.Multiply(false, false)},
		{"gradient-100", 1000, 784, 100, engine.Product{TransA: true, Alpha: 0.1, Beta: 1}},
		{"forward-1", 1, 1000, 784, engine.Multiply(false, true)},
	} {
		for _, variant := range cpu.Variants() {
			b.Run(fmt.Sprintf("%s/%s", c.name, variant), func(b *testing.B) {
				d := open(b, cpu.Options{Variant: variant})
				defer d.Close()
				x, y, dst := matrix(b, d, c.m, c.k), matrix(b, d, c.k, c.n), matrix(b, d, c.m, c.n)
				if c.product.TransA {
					x = matrix(b, d, c.k, c.m)
				}
				if c.product.TransB {
					y = matrix(b, d, c.n, c.k)
				}
				for b.Loop() {
					if err := d.Gemm(dst, x, y, c.product); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(2*float64(c.m)*float64(c.n)*float64(c.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
