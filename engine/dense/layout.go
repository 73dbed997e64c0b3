package dense

import (
	"errors"
	"fmt"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
)

// layout says where the elements of a float32 tensor are: element (i, j, ...)
// is data[i*strides[0] + j*strides[1] + ...].
type layout struct {
	data           []float32
	shape, strides []int // of equal length
}

// layoutOf looks at a tensor and makes sure that its elements are all inside
// its data.
func layoutOf(t *tensor.Dense) (layout, error) {
	switch {
	case t == nil:
		return layout{}, errors.New("tensor is missing (nil)")
	case t.Dtype() != tensor.Float32:
		return layout{}, fmt.Errorf("tensor holds numbers of type %v, want float32", t.Dtype())
	case !t.IsNativelyAccessible():
		return layout{}, errors.New("tensor is in memory that Go can't reach")
	case len(t.Mask()) > 0:
		return layout{}, errors.New("tensor is masked")
	}
	// Cloned because tensor recycles the slices of its shapes.
	shape := append([]int{}, t.Shape()...)
	l := layout{data: t.Float32s(), shape: shape, strides: stridesOf(t)}
	last := 0
	for i, n := range l.shape {
		if n < 1 || l.strides[i] < 0 {
			return layout{}, fmt.Errorf("tensor has shape %v and strides %v, which can't be read", brief(l.shape), brief(l.strides))
		}
		last += (n - 1) * l.strides[i]
	}
	if last >= len(l.data) {
		return layout{}, fmt.Errorf("tensor of shape %v and strides %v reaches beyond its %d numbers", brief(l.shape), brief(l.strides), len(l.data))
	}
	return l, nil
}

// stridesOf returns one stride for each dimension. tensor gives a vector in
// column-major order only one, whatever its dimensions, and a single number
// none.
func stridesOf(t *tensor.Dense) []int {
	given := t.Strides()
	if len(given) == t.Dims() {
		return append([]int{}, given...)
	}
	step := 1
	if len(given) > 0 {
		step = given[0]
	}
	strides := make([]int, t.Dims())
	for i := range strides {
		strides[i] = step
	}
	return strides
}

func (l layout) size() int {
	size := 1
	for _, n := range l.shape {
		size *= n
	}
	return size
}

// isRowMajor reports whether the elements lie row by row without gaps.
func (l layout) isRowMajor() bool {
	step := 1
	for i := len(l.shape) - 1; i >= 0; i-- {
		if l.shape[i] != 1 && l.strides[i] != step {
			return false
		}
		step *= l.shape[i]
	}
	return true
}

// isVector reports whether at most one dimension is above 1 and there are one
// or two, which is what package tensor calls a vector.
func (l layout) isVector() bool {
	return len(l.shape) == 1 || len(l.shape) == 2 && (l.shape[0] == 1 || l.shape[1] == 1)
}

// column returns a vector as a matrix [n, 1].
func (l layout) column() layout {
	stride := l.strides[0]
	if l.shape[0] == 1 && len(l.shape) == 2 {
		stride = l.strides[1]
	}
	return layout{data: l.data, shape: []int{l.size(), 1}, strides: []int{stride, 1}}
}

// transposed returns the transpose of a matrix, which shares its data.
func (l layout) transposed() layout {
	return layout{data: l.data, shape: []int{l.shape[1], l.shape[0]}, strides: []int{l.strides[1], l.strides[0]}}
}

// operand returns a matrix as the engine takes it, without a copy if it or its
// transpose lies row by row.
func (l layout) operand() (h engine.Host, transposed bool) {
	if t := l.transposed(); !l.isRowMajor() && t.isRowMajor() {
		return engine.Host{Rows: t.shape[0], Cols: t.shape[1], Data: t.rowMajor()}, true
	}
	return engine.Host{Rows: l.shape[0], Cols: l.shape[1], Data: l.rowMajor()}, false
}

// rowMajor returns the elements row by row, a copy only if it has to be.
func (l layout) rowMajor() []float32 {
	if l.isRowMajor() {
		return l.data[:l.size()]
	}
	out := make([]float32, 0, l.size())
	l.each(func(at int) { out = append(out, l.data[at]) })
	return out
}

// fill sets the elements, given row by row.
func (l layout) fill(from []float32) {
	next := 0
	l.each(func(at int) {
		l.data[at] = from[next]
		next++
	})
}

// each visits the elements row by row.
func (l layout) each(visit func(at int)) { walk(l.shape, l.strides, 0, visit) }

func walk(shape, strides []int, at int, visit func(at int)) {
	if len(shape) == 0 {
		visit(at)
		return
	}
	for i := 0; i < shape[0]; i++ {
		walk(shape[1:], strides[1:], at+i*strides[0], visit)
	}
}
