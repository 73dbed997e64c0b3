//go:build cuda

package gpu

import (
	"fmt"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
	"github.com/unitscope/unitscope/kernels"
)

// product is the operands of a product. Those of Gemm leave the card's own out.
type product struct {
	dst, a, b, bias, hidden, probability, norms *matrix

	held cu.DevicePtr // ints: in each row the unit whose state is 1, see package kernels
	keys cu.DevicePtr // of an epilogue that draws, if they are on the card already
}

func (d *device) Gemm(dst, a, b engine.Matrix, p engine.Product) error {
	if err := d.open("gemm"); err != nil {
		return err
	}
	o, err := operand.Gemm[*matrix](d, dst, a, b, p)
	if err != nil {
		return err
	}
	g := product{dst: o.Dst, a: o.A, b: o.B, bias: o.Bias, hidden: o.Hidden, probability: o.Probability, norms: o.Norms}
	if p.Epilogue.Kind == engine.EpilogueNorms {
		return d.multiplyNorms(g, p)
	}
	return d.multiply(g, p, 0)
}

// multiply launches the product. squares is where EpilogueNorms leaves its sums.
func (d *device) multiply(g product, p engine.Product, squares cu.DevicePtr) error {
	k := g.a.cols
	if p.TransA {
		k = g.a.rows
	}
	a := productArguments{
		dst: g.dst.at(), dstStride: g.dst.stride(),
		a: g.a.at(), aStride: g.a.stride(),
		b: g.b.at(), bStride: g.b.stride(),
		m: g.dst.rows, n: g.dst.cols, k: k,
		alpha: p.Alpha, beta: p.Beta,
		epilogue: int(p.Epilogue.Kind), bias: g.bias.at(),
		hidden: g.hidden.at(), hiddenStride: g.hidden.stride(),
		probability: g.probability.at(), probabilityStride: g.probability.stride(),
		held: g.held, squares: squares,
	}
	kernel := [2][2]func(productArguments) call{{callGemmNn, callGemmNt}, {callGemmTn, callGemmTt}}[index(p.TransA)][index(p.TransB)]
	blocks := kernels.ProductBlocks(int64(g.dst.rows), int64(g.dst.cols))
	what := label{operation: "gemm", operands: [4]named{g.dst.called("dst"), g.a.called("a"), g.b.called("b")}}
	switch p.Epilogue.Kind {
	case engine.EpilogueBernoulli, kernels.EpilogueGaussian:
		return d.drawing(func(from draws) call {
			a.draws = from
			return kernel(a)
		}, blocks, p.Epilogue.At, g.keys, what)
	}
	return d.launch(kernel(a), blocks, what)
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

// multiplyNorms has the product leave a sum of squares for each row and tile of
// columns, and adds them up in their order.
func (d *device) multiplyNorms(g product, p engine.Product) error {
	m, tiles := g.dst.rows, int(kernels.ColumnTiles(int64(g.dst.cols)))
	squares, err := d.memory.get(8 * int64(m) * int64(tiles))
	if err != nil {
		return fmt.Errorf("gemm: sums of squares of %d rows: %w", m, err)
	}
	if err := d.multiply(g, p, squares.at); err != nil {
		return err
	}
	c := callFinishNorms(finishNormsArguments{norms: g.norms.at(), squares: squares.at, m: m, tiles: tiles})
	what := label{operation: "gemm", operands: [4]named{g.norms.called("norms")}}
	if err := d.launch(c, kernels.Blocks(int64(m)), what); err != nil {
		return err
	}
	return d.memory.put(squares)
}
