//go:build cuda

package gpu

import (
	"fmt"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
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
	if err := engine.CheckGemm(dst, a, b, p); err != nil {
		return err
	}
	o, err := engine.TakeProduct[*matrix](d, dst, a, b, p.Epilogue)
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
	var a arguments
	a.strided(g.dst)
	a.strided(g.a)
	a.strided(g.b)
	a.ints(g.dst.rows, g.dst.cols, k)
	a.floats(p.Alpha, p.Beta)
	a.ints(int(p.Epilogue.Kind))
	a.matrix(g.bias)
	a.strided(g.hidden)
	a.strided(g.probability)
	a.address(g.held)
	a.address(squares)
	kernel := [2][2]string{{"gemm_nn", "gemm_nt"}, {"gemm_tn", "gemm_tt"}}[index(p.TransA)][index(p.TransB)]
	blocks := kernels.ProductBlocks(int64(g.dst.rows), int64(g.dst.cols))
	what := label{operation: "gemm", operands: [4]named{g.dst.called("dst"), g.a.called("a"), g.b.called("b")}}
	switch p.Epilogue.Kind {
	case engine.EpilogueBernoulli, kernels.EpilogueGaussian:
		return d.drawing(kernel, blocks, a, p.Epilogue.At, g.keys, what)
	}
	a.draws(0, engine.Stream{})
	return d.launch(kernel, blocks, a, what)
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
	var a arguments
	a.matrix(g.norms)
	a.address(squares.at)
	a.ints(m, tiles)
	what := label{operation: "gemm", operands: [4]named{g.norms.called("norms")}}
	if err := d.launch("finish_norms", kernels.Blocks(int64(m)), a, what); err != nil {
		return err
	}
	return d.memory.put(squares)
}
