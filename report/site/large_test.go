package site

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// BenchmarkReport makes the report of 3 layers of 1000 units with 9 restarts each,
// of patterns that compress no better than found ones do.
func BenchmarkReport(b *testing.B) {
	const units, restarts, side = 1000, 9, 28
	dir := b.TempDir()
	model := filepath.Join(dir, "dbn")
	trained(b, model, 1)
	random := rand.New(rand.NewPCG(1, 2))
	for l := 1; l <= 3; l++ {
		r := largeAscent(random, units, restarts, side)
		makeRun(b, filepath.Join(dir, fmt.Sprint(l)), schema.TaskAscent, map[string]string{"layer": fmt.Sprint(l), "direction": "1"}, []string{filepath.Join(model, schema.Model)}, files{
			"ascent.npz": r.WriteArrays, "restarts.csv": r.WriteTable,
		})
	}
	var bytes int64
	for b.Loop() {
		bytes = 0
		r, err := Build(context.Background(), []string{dir}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		err = r.Write(context.Background(), func(_ string, to func(io.Writer) error) error {
			w := &counter{}
			err := to(w)
			bytes += w.bytes
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(bytes)/(1<<20), "MiB")
}

type counter struct{ bytes int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return len(p), nil
}

// largeAscent is what an ascent of noisy patterns would have found.
func largeAscent(random *rand.Rand, units, restarts, side int) *visualize.AscentResult {
	size := side * side
	all := make([]float32, units*restarts*size)
	for i := range all {
		x, y := float64(i%side), float64(i/side%side)
		all[i] = float32(math.Sin(x/3+float64(i/size))*math.Cos(y/4) + 0.3*random.NormFloat64())
	}
	numbers := make([]float32, units*restarts)
	for i := range numbers {
		numbers[i] = float32(random.NormFloat64())
	}
	matrix := func() *tensor.Dense {
		return tensor.New(tensor.WithShape(units, restarts), tensor.WithBacking(numbers))
	}
	r := &visualize.AscentResult{
		Layer: 1, Direction: 1, Restarts: restarts, Best: make([]int, units), Dead: make([]bool, units),
		BestPatterns: tensor.New(tensor.WithShape(units, size), tensor.WithBacking(all[:units*size])),
		Patterns:     tensor.New(tensor.WithShape(units, restarts, size), tensor.WithBacking(all)),
		Activation:   matrix(), StartActivation: matrix(), Tangent: matrix(), Cosine: matrix(),
		Steps: make([]int, units*restarts), Stop: make([]engine.StopReason, units*restarts),
	}
	for i := range units {
		r.Units = append(r.Units, i)
	}
	for i := range r.Stop {
		r.Stop[i] = engine.StopConverged
	}
	return r
}
