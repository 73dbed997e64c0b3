package bench

import (
	"context"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// The sizes of the product: [productRows, productInner] x [productInner, productCols].
const productRows, productInner, productCols = 512, 1000, 1000

// product is dst = a w', as a layer computes its units.
type product struct {
	device    engine.Device
	a, w      engine.Matrix // [rows, inner], [cols, inner]
	dst       engine.Matrix // [rows, cols]
	hostA     []float32
	hostW     []float32
	turns     int
	hostCheck []float32 // [rows, cols]
}

func prepareProduct(k *kit, o Options) (job, error) {
	p := &product{device: k.device, turns: o.Steps}
	var err error
	upload := func(m *engine.Matrix, host *[]float32, layer, rows int) {
		if err != nil {
			return
		}
		*host = normals(o.Seed, layer, rows, productInner, 1/math.Sqrt(productInner))
		if *m, err = k.matrix(rows, productInner); err == nil {
			err = (*m).Write(*host)
		}
	}
	upload(&p.a, &p.hostA, 1, productRows)
	upload(&p.w, &p.hostW, 2, productCols)
	if err != nil {
		return nil, err
	}
	p.dst, err = k.matrix(productRows, productCols)
	p.hostCheck = make([]float32, productRows*productCols)
	return p, err
}

// reset leaves NaN where the product goes: the next run must write all of it.
func (p *product) reset() error {
	for i := range p.hostCheck {
		p.hostCheck[i] = float32(math.NaN())
	}
	return p.dst.Write(p.hostCheck)
}

func (p *product) run(ctx context.Context) (done, error) {
	for range p.turns {
		if err := ctx.Err(); err != nil {
			return done{}, err
		}
		if err := p.device.Gemm(p.dst, p.a, p.w, engine.Multiply(false, true)); err != nil {
			return done{}, err
		}
	}
	n := float64(p.turns)
	return done{count: n, flops: n * 2 * productRows * productInner * productCols}, p.device.Sync()
}

// check computes some rows again in float64. A sum of n products of float32
// errs by less than n units in the last place of the sum of their magnitudes.
func (p *product) check() error {
	if err := p.dst.Read(p.hostCheck); err != nil {
		return err
	}
	for _, i := range []int{0, 1, productRows / 2, productRows - 1} {
		a := p.hostA[i*productInner : (i+1)*productInner]
		for j := range productCols {
			sum, size := dot(a, p.hostW[j*productInner:(j+1)*productInner])
			got := float64(p.hostCheck[i*productCols+j])
			if !(math.Abs(got-sum) <= productInner*0x1p-24*size) {
				return fmt.Errorf("element %d,%d is %g, want %g", i, j, got, sum)
			}
		}
	}
	return nil
}
