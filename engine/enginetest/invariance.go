package enginetest

import (
	"fmt"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// batch is an operation on independent rows: run computes it for some rows of
// its inputs, and returns its outputs, each with one row for each of them.
type batch struct {
	name string
	run  func(c *scene, rows []int) (outputs [][]float32)
}

// testInvariance checks that a row's result is the same to the bit in whatever
// company it is computed, and again when it is computed again.
func testInvariance(s *subject) {
	n := pick(261, 131)
	var batches []batch
	for _, kind := range epilogues {
		for transposes := range 4 {
			if small() && s.random.IntN(4) != 0 {
				continue
			}
			batches = append(batches, s.productBatch(n, kind, transposes&1 != 0, transposes&2 != 0))
		}
	}
	batches = append(batches, s.elementwiseBatches(n)...)
	for _, b := range batches {
		s.checkInvariance(b, n)
	}
}

// checkInvariance runs a batch of all n rows, then of fewer.
func (s *subject) checkInvariance(b batch, n int) {
	run := func(rows []int) [][]float32 {
		c := s.scene("%s, rows %v", b.name, rows)
		defer c.end()
		return b.run(c, rows)
	}
	all := run(upTo(n))
	companies := [][]int{upTo(n), upTo(n - 1), upTo(1), {n - 1}, {s.random.IntN(n)}, s.some(n), s.some(n)}
	for _, size := range []int{3, 5, 15, 17, 33, 97} {
		from := s.random.IntN(n - size)
		companies = append(companies, upTo(n)[from:from+size])
	}
	for _, rows := range companies {
		for o, got := range run(rows) {
			cols := len(all[o]) / n
			what := fmt.Sprintf("%s, output %d: rows %v alone against a batch of %d", b.name, o, rows, n)
			s.same(what, got, rowsOf(all[o], cols, rows))
		}
	}
}

// some keys of a stream.
func keysOf(at engine.Stream, rows []int) engine.Stream {
	keys := make([]uint64, len(rows))
	for i, r := range rows {
		keys[i] = at.Keys[r]
	}
	at.Keys = keys
	return at
}

// productBatch is a product with an epilogue, whose k is long enough to be
// summed in blocks and whose last tile is ragged.
func (s *subject) productBatch(n int, kind engine.EpilogueKind, transA, transB bool) batch {
	cols, k := pick(200, 30)+s.random.IntN(90), 200+s.random.IntN(pick(300, 100))
	a, b := s.normals(n*k, 1), s.normals(k*cols, 0.1)
	before, bias, hidden, at := s.normals(n*cols, 1), s.normals(cols, 1), s.uniforms(n*cols), s.stream(n)
	p := engine.Product{TransA: transA, TransB: transB, Alpha: s.factor(), Beta: s.factor()}
	p.Epilogue.Kind = kind
	return batch{fmt.Sprintf("product %dx%dx%d %+v", n, cols, k, p), func(c *scene, rows []int) [][]float32 {
		p, m := p, len(rows)
		ma := c.input("a", m, k, rowsOf(a, k, rows))
		if transA {
			ma = c.input("a", k, m, transposed(rowsOf(a, k, rows), m, k))
		}
		mb := c.input("b", k, cols, b)
		if transB {
			mb = c.input("b", cols, k, b)
		}
		dst := c.updated("dst", m, cols, rowsOf(before, cols, rows))
		p.Epilogue.Bias = c.input("bias", 1, cols, bias)
		outputs := []engine.Matrix{dst}
		switch kind {
		case engine.EpilogueBernoulli:
			p.Epilogue.At, p.Epilogue.Probability = keysOf(at, rows), c.output("probability", m, cols)
			outputs = append(outputs, p.Epilogue.Probability)
		case engine.EpilogueDerivative:
			p.Epilogue.Hidden = c.input("hidden", m, cols, rowsOf(hidden, cols, rows))
		case engine.EpilogueNorms:
			p.Epilogue.Norms = c.output("norms", m, 1)
			outputs = append(outputs, p.Epilogue.Norms)
		}
		c.must(c.device.Gemm(dst, ma, mb, p))
		return c.readAll(outputs)
	}}
}

func (c *scene) readAll(outputs []engine.Matrix) (data [][]float32) {
	for _, m := range outputs {
		data = append(data, c.read(m))
	}
	return data
}

// elementwiseBatches are the other operations on rows.
func (s *subject) elementwiseBatches(n int) (batches []batch) {
	cols := 1 + 2*s.random.IntN(150)
	x, y, at := s.normals(n*cols, 1), s.normals(n*cols, 1), s.stream(n)
	p := s.uniforms(n * cols)
	// in makes an operation out of a call with one operand and dst.
	in := func(name string, data []float32, width int, call func(c *scene, dst, m engine.Matrix, rows []int) error) {
		batches = append(batches, batch{fmt.Sprintf("%s %dx%d", name, n, cols), func(c *scene, rows []int) [][]float32 {
			dst := c.updated("dst", len(rows), width, rowsOf(y, cols, rows)[:len(rows)*width])
			if width == 1 {
				dst = c.output("dst", len(rows), 1)
			}
			c.must(call(c, dst, c.input("x", len(rows), cols, rowsOf(data, cols, rows)), rows))
			return c.readAll([]engine.Matrix{dst})
		}})
	}
	d := s.device
	in("sigmoid", x, cols, func(_ *scene, dst, m engine.Matrix, _ []int) error { return d.Sigmoid(dst, m) })
	in("axpby", x, cols, func(_ *scene, dst, m engine.Matrix, _ []int) error { return d.Axpby(dst, 0.3, m, 0.7) })
	in("activate", x, cols, func(_ *scene, dst, m engine.Matrix, _ []int) error {
		return d.Activate(dst, nil, m, engine.UsualActivation(engine.GELU))
	})
	in("slope", x, cols, func(c *scene, dst, m engine.Matrix, rows []int) error {
		return d.Activate(c.output("h", len(rows), cols), dst, m, engine.UsualActivation(engine.Sigmoid))
	})
	in("times", x, cols, func(_ *scene, dst, m engine.Matrix, _ []int) error { return d.Times(dst, m) })
	in("uniform", x, cols, func(_ *scene, dst, _ engine.Matrix, rows []int) error { return d.Uniform(dst, keysOf(at, rows)) })
	in("bernoulli", p, cols, func(_ *scene, dst, m engine.Matrix, rows []int) error { return d.Bernoulli(dst, m, keysOf(at, rows)) })
	in("gaussian", x, cols, func(_ *scene, dst, m engine.Matrix, rows []int) error {
		return d.Gaussian(dst, m, 0.3, keysOf(at, rows))
	})
	in("corrupt", x, cols, func(_ *scene, dst, m engine.Matrix, rows []int) error {
		return d.Corrupt(dst, m, engine.Corruption{Level: 0.3}, keysOf(at, rows))
	})
	in("norms", x, 1, func(_ *scene, dst, m engine.Matrix, _ []int) error {
		return d.Reduce(dst, m, engine.Total(engine.RowNorms))
	})
	in("dots", x, 1, func(c *scene, dst, m engine.Matrix, rows []int) error {
		with := c.input("with", len(rows), cols, rowsOf(y, cols, rows))
		return d.Reduce(dst, m, engine.Reduction{Kind: engine.RowDots, With: with, Alpha: 1})
	})
	in("project", x, cols, func(_ *scene, dst, m engine.Matrix, _ []int) error {
		if err := d.Axpby(dst, 1, m, 0); err != nil {
			return err
		}
		return d.Project(dst, 3)
	})
	return slices.Clip(batches)
}
