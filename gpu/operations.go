//go:build cuda

package gpu

import (
	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/kernels"
)

// elementwise checks an operation whose dst may be its operand itself.
func (d *device) elementwise(operation string, dst, x engine.Matrix) (mdst, mx *matrix, err error) {
	if err := d.open(operation); err != nil {
		return nil, nil, err
	}
	if err := engine.CheckElementwise(operation, dst, x); err != nil {
		return nil, nil, err
	}
	return engine.TakeElementwise[*matrix](d, operation, dst, x)
}

// describe is the label of an operation with these operands.
func describe(operation string, dst, x *matrix) label {
	return label{operation: operation, operands: [4]named{dst.called("dst"), x.called("x")}}
}

func (d *device) Sigmoid(dst, x engine.Matrix) error {
	mdst, mx, err := d.elementwise("sigmoid", dst, x)
	if err != nil {
		return err
	}
	var a arguments
	a.matrix(mdst)
	a.matrix(mx)
	a.long(mx.size())
	return d.launch("sigmoid", kernels.Blocks(int64(mx.size())), a, describe("sigmoid", mdst, mx))
}

func (d *device) Axpby(dst engine.Matrix, alpha float32, x engine.Matrix, beta float32) error {
	mdst, mx, err := d.elementwise("axpby", dst, x)
	if err != nil {
		return err
	}
	var a arguments
	a.matrix(mdst)
	a.floats(alpha)
	a.matrix(mx)
	a.floats(beta)
	a.long(mx.size())
	return d.launch("axpby", kernels.Blocks(int64(mx.size())), a, describe("axpby", mdst, mx))
}

// random checks an operation that draws a number for each element of x.
func (d *device) random(operation string, dst, x engine.Matrix, at engine.Stream) (mdst, mx *matrix, err error) {
	if mdst, mx, err = d.elementwise(operation, dst, x); err == nil {
		err = engine.CheckRandom(operation, dst, at)
	}
	return mdst, mx, err
}

// drawing launches a kernel whose last arguments name random numbers. keys are 0,
// or those of the stream where they are on the card already.
func (d *device) drawing(kernel string, blocks int64, a arguments, at engine.Stream, keys cu.DevicePtr, what label) error {
	if blocks == 0 {
		return nil
	}
	if keys != 0 {
		a.draws(keys, at)
		return d.launch(kernel, blocks, a, what)
	}
	keys, done, err := d.lend(bytesOf(at.Keys), &what)
	if err != nil {
		return err
	}
	a.draws(keys, at)
	if err := d.launch(kernel, blocks, a, what); err != nil {
		return err
	}
	return done()
}

// fours are the blocks where a thread draws four columns of m.
func fours(m *matrix) int64 { return kernels.Blocks(int64(m.rows) * ((int64(m.cols) + 3) / 4)) }

func (d *device) Uniform(dst engine.Matrix, at engine.Stream) error {
	if err := d.open("uniform"); err != nil {
		return err
	}
	if err := engine.CheckRandom("uniform", dst, at); err != nil {
		return err
	}
	mdst, err := engine.TakeOne[*matrix](d, "uniform", "dst", dst)
	if err != nil {
		return err
	}
	var a arguments
	a.matrix(mdst)
	a.ints(mdst.rows, mdst.cols)
	return d.drawing("uniform", fours(mdst), a, at, 0, describe("uniform", mdst, nil))
}

func (d *device) Bernoulli(dst, p engine.Matrix, at engine.Stream) error {
	mdst, mp, err := d.random("bernoulli", dst, p, at)
	if err != nil {
		return err
	}
	var a arguments
	a.matrix(mdst)
	a.matrix(mp)
	a.ints(mdst.rows, mdst.cols)
	return d.drawing("bernoulli", fours(mdst), a, at, 0, describe("bernoulli", mdst, mp))
}

func (d *device) Gaussian(dst, mean engine.Matrix, deviation float32, at engine.Stream) error {
	mdst, mmean, err := d.random("gaussian", dst, mean, at)
	if err != nil {
		return err
	}
	return d.addNoise("gaussian", mdst, mmean, deviation, at, 0)
}

func (d *device) addNoise(operation string, dst, mean *matrix, deviation float32, at engine.Stream, keys cu.DevicePtr) error {
	var a arguments
	a.matrix(dst)
	a.matrix(mean)
	a.floats(deviation)
	a.ints(dst.rows, dst.cols)
	return d.drawing("gaussian", fours(dst), a, at, keys, describe(operation, dst, mean))
}

func (d *device) Corrupt(dst, x engine.Matrix, c engine.Corruption, at engine.Stream) error {
	mdst, mx, err := d.random("corrupt", dst, x, at)
	if err != nil {
		return err
	}
	if err := engine.CheckCorruption(c); err != nil {
		return err
	}
	return d.corrupt(mdst, mx, c, at, 0)
}

// corrupt is Corrupt once everything has been checked; keys are as in drawing.
func (d *device) corrupt(mdst, mx *matrix, c engine.Corruption, at engine.Stream, keys cu.DevicePtr) error {
	if c.Kind == engine.CorruptionGaussian {
		return d.addNoise("corrupt", mdst, mx, c.Level, at, keys)
	}
	coin := 0
	if c.Kind == engine.CorruptionSaltPepper {
		coin = 1
	}
	var a arguments
	a.matrix(mdst)
	a.matrix(mx)
	a.ints(mx.rows, mx.cols, c.Picked(mx.cols), coin)
	a.floats(c.Low, c.High)
	blocks := int64(mx.rows) // each of them computes a row
	if mx.cols == 0 {
		blocks = 0
	}
	return d.drawing("corrupt", blocks, a, at, keys, describe("corrupt", mdst, mx))
}

// rowBlocks are the blocks where a warp computes a row of x; there is nothing to
// do where rows are empty.
func rowBlocks(x *matrix) int64 {
	if x.cols == 0 {
		return 0
	}
	return kernels.RowBlocks(int64(x.rows))
}

func (d *device) Reduce(dst, x engine.Matrix, r engine.Reduction) error {
	if err := d.open("reduce"); err != nil {
		return err
	}
	if err := engine.CheckReduce(dst, x, r); err != nil {
		return err
	}
	mdst, mx, with, err := engine.TakeReduce[*matrix](d, dst, x, r)
	if err != nil {
		return err
	}
	var a arguments
	a.matrix(mdst)
	a.matrix(mx)
	kernel, blocks := "row_norms", kernels.RowBlocks(int64(mx.rows))
	switch r.Kind {
	case engine.RowDots:
		kernel = "row_dots"
		a.matrix(with)
	case engine.ColumnMeans:
		kernel, blocks = "column_means", kernels.Blocks(int64(mx.cols))
	}
	a.ints(mx.rows, mx.cols)
	a.floats(r.Alpha, r.Beta)
	what := describe("reduce", mdst, mx)
	what.operands[2] = with.called("with")
	return d.launch(kernel, blocks, a, what)
}

func (d *device) Project(x engine.Matrix, radius float32) error {
	if err := d.open("project"); err != nil {
		return err
	}
	if err := engine.CheckProject(x, radius); err != nil {
		return err
	}
	mx, err := engine.TakeOne[*matrix](d, "project", "x", x)
	if err != nil {
		return err
	}
	var a arguments
	a.matrix(mx)
	a.ints(mx.rows, mx.cols)
	a.floats(radius)
	return d.launch("project", rowBlocks(mx), a, describe("project", nil, mx))
}

func (d *device) Gather(dst, src engine.Matrix, rows []int) error {
	if err := d.open("gather"); err != nil {
		return err
	}
	if err := engine.CheckGather(dst, src, rows); err != nil {
		return err
	}
	mdst, msrc, err := engine.TakeGather[*matrix](d, dst, src)
	if err != nil || rowBlocks(mdst) == 0 {
		return err
	}
	from := make([]int32, len(rows))
	for i, r := range rows {
		from[i] = int32(r)
	}
	what := label{operation: "gather", operands: [4]named{mdst.called("dst"), msrc.called("src")}}
	at, done, err := d.lend(bytesOf(from), &what)
	if err != nil {
		return err
	}
	var a arguments
	a.matrix(mdst)
	a.matrix(msrc)
	a.address(at)
	a.ints(mdst.rows, mdst.cols)
	if err := d.launch("gather", rowBlocks(mdst), a, what); err != nil {
		return err
	}
	return done()
}
