package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// maxRank is how many dimensions a tensor may have.
const maxRank = 64

// newDims is the shape that Reshape, Flatten, Squeeze or Unsqueeze gives a tensor of
// dims. The number of examples, batch, may be among either. shape is the second
// input, nil if there is none.
func newDims(n *node, dims []int64, shape *constant) ([]int64, error) {
	var asked []int64
	switch {
	case shape != nil && !shape.integer:
		return nil, errors.New("its shape is not of whole numbers")
	case shape != nil && len(shape.dims) > 1:
		return nil, fmt.Errorf("its shape is a tensor of shape %v, want a list", shape.dims)
	case shape != nil:
		asked = shape.ints
	default:
		for _, name := range []string{"axes", "shape"} {
			if a := n.attributes[name]; a != nil {
				asked = a.GetInts()
			}
		}
	}
	if len(asked)+len(dims) > maxRank {
		return nil, fmt.Errorf("%d and %d dimensions", len(dims), len(asked))
	}
	switch n.op() {
	case "Flatten":
		return flattened(dims, n.integer("axis", 1))
	case "Squeeze":
		return squeezed(dims, asked)
	case "Unsqueeze":
		return unsqueezed(dims, asked)
	}
	return reshaped(dims, asked, n.integer("allowzero", 0) != 0)
}

// product is that of the dimensions but for the number of examples, and whether that
// is among them.
func product(dims []int64) (size int64, examples int) {
	size = 1
	for _, d := range dims {
		switch {
		case d == batch:
			examples++
		case d > 0 && size <= 1<<31:
			size *= min(d, 1<<31)
		default:
			size *= max(0, d)
		}
	}
	return size, examples
}

func flattened(dims []int64, at int64) ([]int64, error) {
	if at < 0 {
		at += int64(len(dims))
	}
	if at < 0 || at > int64(len(dims)) {
		return nil, fmt.Errorf("axis %d of %d", at, len(dims))
	}
	var out []int64
	for _, part := range [][]int64{dims[:at], dims[at:]} {
		size, examples := product(part)
		if examples > 0 && size == 1 {
			size = batch
		} else if examples > 0 {
			return nil, errMixed
		}
		out = append(out, size)
	}
	return out, nil
}

// errMixed is the error about shapes in which examples are no longer apart.
var errMixed = errors.New("it puts numbers of several examples together: want the number of examples first, and kept")

// squeezed leaves out dimensions of 1, those that are asked for or all.
func squeezed(dims, asked []int64) (out []int64, err error) {
	gone := make([]bool, len(dims))
	for _, a := range asked {
		at, err := axis(a, len(dims))
		if err != nil {
			return nil, err
		}
		if dims[at] != 1 {
			return nil, fmt.Errorf("dimension %d is not 1", at)
		}
		gone[at] = true
	}
	for i, d := range dims {
		if !gone[i] && (d != 1 || len(asked) > 0) {
			out = append(out, d)
		}
	}
	return out, nil
}

// unsqueezed puts in dimensions of 1.
func unsqueezed(dims, asked []int64) ([]int64, error) {
	rank := len(dims) + len(asked)
	out := make([]int64, rank)
	for _, a := range asked {
		at, err := axis(a, rank)
		if err != nil {
			return nil, err
		}
		if out[at] == 1 {
			return nil, fmt.Errorf("axis %d twice", at)
		}
		out[at] = 1
	}
	k := 0
	for i := range out {
		if out[i] == 0 {
			out[i] = dims[k]
			k++
		}
	}
	return out, nil
}

// reshaped is the shape asked for, where 0 is the dimension as it was and -1 what is
// left.
func reshaped(dims, asked []int64, zero bool) ([]int64, error) {
	out, left := slices.Clone(asked), -1
	for i, d := range asked {
		switch {
		case d == 0 && !zero && i < len(dims):
			out[i] = dims[i]
		case d == -1 && left < 0:
			left, out[i] = i, 1
		case d < 0 && d != batch:
			return nil, fmt.Errorf("to shape %v", asked)
		}
	}
	size, examples := product(dims)
	has, kept := product(out)
	if left >= 0 {
		switch {
		case examples > kept && has == size:
			out[left] = batch
			kept++
		case has > 0 && size%has == 0:
			out[left] = size / has
			has = size
		}
	}
	if has != size || kept != examples {
		return nil, fmt.Errorf("%s as %s: %w", dimsText(dims), dimsText(asked), errMixed)
	}
	return out, nil
}

// dimsText is a shape for people.
func dimsText(dims []int64) string {
	text := "["
	for i, d := range dims {
		if i > 0 {
			text += " "
		}
		if d == batch {
			text += "examples"
		} else {
			text += fmt.Sprint(d)
		}
	}
	return text + "]"
}
