package bench

import (
	"context"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// product is dst = a w', as a layer computes its units.
type product struct {
	device    engine.Device
	rows      int
	inner     int
	cols      int
	a, w      engine.Matrix // [rows, inner], [cols, inner]
	dst       engine.Matrix // [rows, cols]
	hostA     []float32
	hostW     []float32
	turns     int
	hostCheck []float32 // [rows, cols]
}

// multiplying is the product [rows, inner] x [inner, cols].
func multiplying(rows, inner, cols int) func(*kit, Options) (job, error) {
	return func(k *kit, o Options) (job, error) {
		return newProduct(k, o, &product{device: k.device, rows: rows, inner: inner, cols: cols, turns: o.Steps})
	}
}

func newProduct(k *kit, o Options, p *product) (job, error) {
	var err error
	upload := func(m *engine.Matrix, host *[]float32, layer, rows int) {
		if err != nil {
			return
		}
		*host = normals(o.Seed, layer, rows, p.inner, 1/math.Sqrt(float64(p.inner)))
		if *m, err = k.matrix(rows, p.inner); err == nil {
			err = (*m).Write(*host)
		}
	}
	upload(&p.a, &p.hostA, 1, p.rows)
	upload(&p.w, &p.hostW, 2, p.cols)
	if err != nil {
		return nil, err
	}
	p.dst, err = k.matrix(p.rows, p.cols)
	p.hostCheck = make([]float32, p.rows*p.cols)
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
	return done{count: n, flops: n * 2 * float64(p.rows) * float64(p.inner) * float64(p.cols)}, p.device.Sync()
}

// check computes some rows again in float64. A sum of n products of float32
// errs by less than n units in the last place of the sum of their magnitudes.
func (p *product) check() error {
	if err := p.dst.Read(p.hostCheck); err != nil {
		return err
	}
	for _, i := range []int{0, 1, p.rows / 2, p.rows - 1} {
		a := p.hostA[i*p.inner : (i+1)*p.inner]
		for j := range p.cols {
			sum, size := dot(a, p.hostW[j*p.inner:(j+1)*p.inner])
			got := float64(p.hostCheck[i*p.cols+j])
			if !(math.Abs(got-sum) <= float64(p.inner)*0x1p-24*size) {
				return fmt.Errorf("element %d,%d is %g, want %g", i, j, got, sum)
			}
		}
	}
	return nil
}
