//go:build cuda

package gpu

import (
	"fmt"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/kernels"
)

// Every plan is resident: what stays fixed is on the card from Compile on, and a
// run asks the host for nothing until its end. A run takes all of its memory before it changes anything, so that one
// that finds too little has changed nothing, and can be asked for again.
//
// Kernels of the plans do what their definitions do with the device's primitives,
// with every rounding in the same order, and so to the same bits.

// holding is what a plan holds on the card, or one run of it. Its methods remember
// the first error, so that a sequence of launches reads as formulas.
type holding struct {
	device    *device
	operation string // of errors
	matrices  engine.Matrices
	pieces    []piece
	err       error
}

// matrix returns a new matrix of zeros, or nil after an error.
func (h *holding) matrix(rows, cols int) *matrix {
	if h.err != nil {
		return nil
	}
	made, err := h.matrices.New(h.device, rows, cols)
	if h.err = err; err != nil {
		return nil
	}
	return made.(*matrix)
}

func (h *holding) upload(data engine.Host) *matrix {
	made := h.matrix(data.Rows, data.Cols)
	if h.err == nil {
		h.err = made.Write(data.Data)
	}
	return made
}

// row uploads numbers as a matrix [1, len(x)].
func (h *holding) row(x []float32) *matrix {
	return h.upload(engine.Host{Rows: 1, Cols: len(x), Data: x})
}

// room returns memory for operands that are no matrices.
func (h *holding) room(bytes int) cu.DevicePtr {
	if h.err != nil {
		return 0
	}
	p, err := h.device.memory.get(int64(bytes))
	if err != nil {
		h.err = fmt.Errorf("%s: %w", h.operation, err)
		return 0
	}
	h.pieces = append(h.pieces, p)
	return p.at
}

// fill copies an operand to its room.
func (h *holding) fill(room cu.DevicePtr, operand []byte) {
	if h.err == nil {
		h.device.send(room, operand, &label{operation: h.operation})
	}
}

// lasting returns an operand's address on the card.
func (h *holding) lasting(operand []byte) cu.DevicePtr {
	room := h.room(len(operand))
	h.fill(room, operand)
	return room
}

// do remembers the error of an operation.
func (h *holding) do(err error) {
	if h.err == nil {
		h.err = err
	}
}

func (h *holding) gemm(g product, p engine.Product) {
	if h.err == nil {
		h.err = h.device.multiply(g, p, 0)
	}
}

func (h *holding) launch(c call, blocks int64, operands ...named) {
	if h.err == nil {
		what := label{operation: h.operation}
		copy(what.operands[:], operands)
		h.err = h.device.launch(c, blocks, what)
	}
}

// norms launches the norms of x's rows.
func (h *holding) norms(dst, x *matrix) {
	c := callRowNorms(rowNormsArguments{dst: dst.at(), x: x.at(), rows: x.rows, cols: x.cols, alpha: 1})
	h.launch(c, kernels.RowBlocks(int64(x.rows)), dst.called("norms"), x.called("x"))
}

// read copies to the host, once everything is done that was asked for before.
func (h *holding) read(dst []float32, m *matrix) {
	if h.err == nil {
		h.err = m.Read(dst)
	}
}

// compiled ends the making of a plan: after an error everything is given back.
func (h *holding) compiled() error {
	if h.err == nil {
		return nil
	}
	h.close()
	return fmt.Errorf("%s: %w", h.operation, h.err)
}

// close gives everything back. The card may still be at work on it: later users of
// the memory come after.
func (h *holding) close() (first error) {
	first = h.matrices.Close()
	for _, p := range h.pieces {
		if h.device.closed {
			break
		}
		if err := h.device.memory.put(p); first == nil {
			first = err
		}
	}
	h.pieces = nil
	return first
}

// top is a view of the first rows of m.
func top(m *matrix, rows int) *matrix { return part(m, 0, rows) }

// part is a view of the rows from..to-1 of m.
func part(m *matrix, from, to int) *matrix {
	return &matrix{in: m.in, first: m.first + from*m.cols, rows: to - from, cols: m.cols, view: true}
}

// indices are whole numbers as kernels take them.
func indices(numbers []int) []byte {
	narrow := make([]int32, len(numbers))
	for i, n := range numbers {
		narrow[i] = int32(n)
	}
	return bytesOf(narrow)
}

// means is the product that computes the means of visible units, E[v|h].
func means(kind engine.VisibleKind) engine.Product {
	p := engine.Multiply(false, false)
	if kind == engine.Bernoulli {
		p.Epilogue.Kind = engine.EpilogueSigmoid
	}
	return p
}

// states is the product that draws the states of units. Keys of the random numbers
// are on the card.
func states(kind engine.VisibleKind, up bool, seed uint64, purpose engine.Purpose, step uint32) engine.Product {
	p := engine.Multiply(false, up)
	p.Epilogue.Kind = engine.EpilogueBernoulli
	if kind == engine.Gaussian {
		p.Epilogue.Kind = kernels.EpilogueGaussian
	}
	p.Epilogue.At = engine.Stream{Seed: seed, Purpose: purpose, Step: step}
	return p
}
