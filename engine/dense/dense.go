// Package dense is everything that knows the ways of gorgonia.org/tensor: how
// to make a *tensor.Dense without a panic, how to get row-major float32 numbers
// out of one whatever its layout, and an engine for tensor that computes on an
// [engine.Device].
//
// Above package engine, arrays (weights, patterns, results) are float32
// *tensor.Dense. tensor's own products are neither a reference nor a hot path
// here: 0*NaN is 0 in them, and their bits depend on a buffer's address.
// [NewEngine] replaces them.
package dense

import (
	"errors"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
)

// maxSize is the largest number of elements that a shape may have, so that a
// wrong shape is an error here instead of a panic in make.
const maxSize = 1 << 40

// New returns float32 zeros of a shape: New(2, 3) is a matrix [2, 3]. The shape
// needs one dimension or more, each at least 1, and at most 2^40 elements in
// all; anything else is an error. What there is no memory for is one that wraps
// [engine.ErrOutOfMemory].
func New(shape ...int) (*tensor.Dense, error) {
	size, err := sizeOf(shape)
	if err != nil {
		return nil, fmt.Errorf("new tensor: %w", err)
	}
	if err := memory.CheckFloats(size, 1); err != nil {
		return nil, fmt.Errorf("new tensor of shape %v: %w", brief(shape), err)
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(make([]float32, size))), nil
}

// Of returns a tensor of a shape that uses data, row by row, in place: who
// changes one changes the other. Data must hold exactly as many numbers as the
// shape has elements; shapes are limited as in [New].
func Of(data []float32, shape ...int) (*tensor.Dense, error) {
	size, err := sizeOf(shape)
	if err != nil {
		return nil, fmt.Errorf("tensor of data: %w", err)
	}
	if size != len(data) {
		return nil, fmt.Errorf("tensor of data: shape %v has %d elements, data holds %d", brief(shape), size, len(data))
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data)), nil
}

func sizeOf(shape []int) (int, error) {
	if len(shape) == 0 {
		return 0, errors.New("a shape needs at least one dimension")
	}
	limit := min(maxSize, math.MaxInt/4)
	size := 1
	for _, n := range shape {
		if n < 1 {
			return 0, fmt.Errorf("shape %v: every dimension must be at least 1", brief(shape))
		}
		if n > limit/size {
			return 0, fmt.Errorf("shape %v: more than %d elements", brief(shape), limit)
		}
		size *= n
	}
	return size, nil
}

// brief keeps a hostile shape from filling an error message.
func brief(shape []int) []int { return shape[:min(len(shape), 8)] }

// Data returns the numbers of a float32 tensor, row by row. A tensor whose
// numbers lie that way gives its own memory, which the caller must treat as
// shared; a transposed one, a view with gaps or one in column-major order gives
// a copy. Any other type than float32, a masked tensor, and one whose memory Go
// can't reach are errors.
func Data(t *tensor.Dense) ([]float32, error) {
	l, err := layoutOf(t)
	if err != nil {
		return nil, err
	}
	return l.rowMajor(), nil
}

// Host returns a two-dimensional float32 tensor as the engine takes it, sharing
// or copying its numbers as [Data] does.
func Host(t *tensor.Dense) (engine.Host, error) {
	l, err := layoutOf(t)
	if err != nil {
		return engine.Host{}, err
	}
	if len(l.shape) != 2 {
		return engine.Host{}, fmt.Errorf("tensor has shape %v, want two dimensions", brief(l.shape))
	}
	return engine.Host{Rows: l.shape[0], Cols: l.shape[1], Data: l.rowMajor()}, nil
}
