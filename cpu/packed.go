package cpu

import (
	"fmt"

	"github.com/unitscope/unitscope/cpu/internal/kernel"
	"github.com/unitscope/unitscope/engine/memory"
)

// packed is a fixed factor of many products, in the order in which the kernel
// broadcasts it: strips [k][Rows] of Rows outputs each, the last one padded with
// zeros. With the rows of a batch along the lanes, one strip makes Rows outputs
// of a whole group of rows, and what it writes, [outputs][lanes], is the next
// layer's operand as it stands: nothing is transposed from layer to layer.
type packed struct {
	set     *kernel.Set
	outputs int
	k       int // inputs
	strips  int
	data    []float32 // [strips][k][Rows]
}

// packRows packs w [outputs, inputs] for outputs = w inputs.
func packRows(set *kernel.Set, w []float32, outputs, inputs int) *packed {
	return newPacked(set, factor{data: w, stride: inputs, along: true, lines: outputs, width: set.Rows}, inputs)
}

// packColumns packs w [inputs, outputs] for outputs = w' inputs.
func packColumns(set *kernel.Set, w []float32, inputs, outputs int) *packed {
	return newPacked(set, factor{data: w, stride: outputs, lines: outputs, width: set.Rows}, inputs)
}

func newPacked(set *kernel.Set, f factor, k int) *packed {
	p := &packed{set: set, outputs: f.lines, k: k, strips: (f.lines + f.width - 1) / f.width}
	p.data = make([]float32, p.strips*k*f.width)
	for i := range p.strips {
		f.pack(set, p.strip(i), i, k)
	}
	return p
}

func (p *packed) strip(i int) []float32 {
	size := p.k * p.set.Rows
	return p.data[i*size : (i+1)*size]
}

// padded is the number of outputs that a product writes, padding included.
func (p *packed) padded() int { return p.strips * p.set.Rows }

// multiply computes strip i of the product for one group of rows: rows i*Rows.. of dst
// [padded, lanes] from x [k, lanes], and returns them. lanes is the set's, or
// half of that.
func (p *packed) multiply(dst, x []float32, i, lanes int) []float32 {
	size := p.set.Rows * lanes
	c := dst[i*size : (i+1)*size]
	if lanes == p.set.Lanes {
		p.set.Multiply(p.k, p.strip(i), x, c, lanes, false)
	} else {
		p.set.MultiplyNarrow(p.k, p.strip(i), x, c, lanes, false)
	}
	return c
}

// checkCopies looks whether there is memory for copies of so many weights.
func checkCopies(operation string, weights int) error {
	if err := memory.CheckFloats(weights, 1); err != nil {
		return fmt.Errorf("%s: copies of the weights: %w", operation, err)
	}
	return nil
}
