//go:build cuda

package gpu

import (
	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
	"github.com/unitscope/unitscope/kernels"
)

// elementwise checks an operation whose dst may be its operand itself.
func (d *device) elementwise(operation string, dst, x engine.Matrix) (mdst, mx *matrix, err error) {
	if err := d.open(operation); err != nil {
		return nil, nil, err
	}
	return operand.Elementwise[*matrix](d, operation, dst, x)
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
	c := callSigmoid(sigmoidArguments{dst: mdst.at(), x: mx.at(), count: mx.size()})
	return d.launch(c, kernels.Blocks(int64(mx.size())), describe("sigmoid", mdst, mx))
}

func (d *device) Axpby(dst engine.Matrix, alpha float32, x engine.Matrix, beta float32) error {
	mdst, mx, err := d.elementwise("axpby", dst, x)
	if err != nil {
		return err
	}
	c := callAxpby(axpbyArguments{dst: mdst.at(), alpha: alpha, x: mx.at(), beta: beta, count: mx.size()})
	return d.launch(c, kernels.Blocks(int64(mx.size())), describe("axpby", mdst, mx))
}

func (d *device) Times(dst, x engine.Matrix) error {
	mdst, mx, err := d.elementwise("times", dst, x)
	if err != nil {
		return err
	}
	c := callTimes(timesArguments{dst: mdst.at(), x: mx.at(), count: mx.size()})
	return d.launch(c, kernels.Blocks(int64(mx.size())), describe("times", mdst, mx))
}

// random checks an operation that draws a number for each element of x.
func (d *device) random(operation string, dst, x engine.Matrix, at engine.Stream) (mdst, mx *matrix, err error) {
	if err := d.open(operation); err != nil {
		return nil, nil, err
	}
	return operand.Random[*matrix](d, operation, dst, x, at)
}

// drawing launches a kernel whose last arguments name random numbers. keys are 0,
// or those of the stream where they are on the card already.
func (d *device) drawing(kernel func(draws) call, blocks int64, at engine.Stream, keys cu.DevicePtr, what label) error {
	if blocks == 0 {
		return nil
	}
	if keys != 0 {
		return d.launch(kernel(draws{keys, at}), blocks, what)
	}
	keys, done, err := d.lend(bytesOf(at.Keys), &what)
	if err != nil {
		return err
	}
	if err := d.launch(kernel(draws{keys, at}), blocks, what); err != nil {
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
	mdst, err := operand.Uniform[*matrix](d, dst, at)
	if err != nil {
		return err
	}
	return d.drawing(func(from draws) call {
		return callUniform(uniformArguments{dst: mdst.at(), rows: mdst.rows, cols: mdst.cols, draws: from})
	}, fours(mdst), at, 0, describe("uniform", mdst, nil))
}

func (d *device) Bernoulli(dst, p engine.Matrix, at engine.Stream) error {
	mdst, mp, err := d.random("bernoulli", dst, p, at)
	if err != nil {
		return err
	}
	return d.drawing(func(from draws) call {
		return callBernoulli(bernoulliArguments{dst: mdst.at(), p: mp.at(), rows: mdst.rows, cols: mdst.cols, draws: from})
	}, fours(mdst), at, 0, describe("bernoulli", mdst, mp))
}

func (d *device) Gaussian(dst, mean engine.Matrix, deviation float32, at engine.Stream) error {
	mdst, mmean, err := d.random("gaussian", dst, mean, at)
	if err != nil {
		return err
	}
	return d.addNoise("gaussian", mdst, mmean, deviation, at, 0)
}

func (d *device) addNoise(operation string, dst, mean *matrix, deviation float32, at engine.Stream, keys cu.DevicePtr) error {
	return d.drawing(func(from draws) call {
		return callGaussian(gaussianArguments{dst: dst.at(), mean: mean.at(), deviation: deviation, rows: dst.rows, cols: dst.cols, draws: from})
	}, fours(dst), at, keys, describe(operation, dst, mean))
}

func (d *device) Corrupt(dst, x engine.Matrix, c engine.Corruption, at engine.Stream) error {
	mdst, mx, err := d.random("corrupt", dst, x, at)
	if err != nil {
		return err
	}
	if err := c.Check(); err != nil {
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
	blocks := int64(mx.rows) // each of them computes a row
	if mx.cols == 0 {
		blocks = 0
	}
	return d.drawing(func(from draws) call {
		return callCorrupt(corruptArguments{
			dst: mdst.at(), x: mx.at(), rows: mx.rows, cols: mx.cols,
			picked: c.Picked(mx.cols), saltPepper: coin, low: c.Low, high: c.High, draws: from,
		})
	}, blocks, at, keys, describe("corrupt", mdst, mx))
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
	mdst, mx, with, err := operand.Reduce[*matrix](d, dst, x, r)
	if err != nil {
		return err
	}
	what := describe("reduce", mdst, mx)
	what.operands[2] = with.called("with")
	switch rows := kernels.RowBlocks(int64(mx.rows)); r.Kind {
	case engine.RowDots:
		return d.launch(callRowDots(rowDotsArguments{dst: mdst.at(), x: mx.at(), with: with.at(), rows: mx.rows, cols: mx.cols, alpha: r.Alpha, beta: r.Beta}), rows, what)
	case engine.ColumnMeans:
		return d.launch(callColumnMeans(columnMeansArguments{dst: mdst.at(), x: mx.at(), rows: mx.rows, cols: mx.cols, alpha: r.Alpha, beta: r.Beta}), kernels.Blocks(int64(mx.cols)), what)
	default:
		return d.launch(callRowNorms(rowNormsArguments{dst: mdst.at(), x: mx.at(), rows: mx.rows, cols: mx.cols, alpha: r.Alpha, beta: r.Beta}), rows, what)
	}
}

func (d *device) Project(x engine.Matrix, radius float32) error {
	if err := d.open("project"); err != nil {
		return err
	}
	mx, err := operand.Project[*matrix](d, x, radius)
	if err != nil {
		return err
	}
	c := callProject(projectArguments{x: mx.at(), rows: mx.rows, cols: mx.cols, radius: radius})
	return d.launch(c, rowBlocks(mx), describe("project", nil, mx))
}

func (d *device) Gather(dst, src engine.Matrix, rows []int) error {
	if err := d.open("gather"); err != nil {
		return err
	}
	mdst, msrc, err := operand.Gather[*matrix](d, dst, src, rows)
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
	c := callGather(gatherArguments{dst: mdst.at(), src: msrc.at(), from: at, rows: mdst.rows, cols: mdst.cols})
	if err := d.launch(c, rowBlocks(mdst), what); err != nil {
		return err
	}
	return done()
}

func (d *device) CopyColumns(dst engine.Matrix, to int, src engine.Matrix, from, columns int) error {
	if err := d.open("copy columns"); err != nil {
		return err
	}
	mdst, msrc, err := operand.CopyColumns[*matrix](d, dst, to, src, from, columns)
	if err != nil || columns == 0 {
		return err
	}
	c := callCopyRows(copyRowsArguments{
		dst: mdst.at() + 4*cu.DevicePtr(to), dstStride: mdst.cols,
		src: msrc.at() + 4*cu.DevicePtr(from), srcStride: msrc.cols,
		rows: msrc.rows, cols: columns,
	})
	return d.launch(c, kernels.RowBlocks(int64(msrc.rows)), describe("copy columns", mdst, msrc))
}
