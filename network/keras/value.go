package keras

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// value is what a layer makes.
type value struct {
	at    engine.Value
	dims  []int        // of one example, as Keras has them
	shape engine.Shape // as the network has it
	// last says that Keras has the channels of a place together, where the network has
	// one channel after the other. Otherwise the order of the numbers is the same.
	last bool
	// ended is what was left out after it: nothing may follow.
	ended string
}

// tensor is numbers of the file with their dimensions.
type tensor struct {
	dims []int
	data []float32
}

// place is where the network has number i of Keras.
func (v value) place(i int) int {
	if !v.last {
		return i
	}
	return i%v.shape.Channels*v.shape.Rows*v.shape.Cols + i/v.shape.Channels
}

// size is how many numbers the value has.
func (v value) size() int { return v.shape.Size() }

// input is the value of a network's inputs of these dimensions. Pictures are [rows,
// columns] or have up to 4 channels, [rows, columns, channels]; flat makes all others
// and these numbers without places.
func input(dims []int, flat bool) (value, error) {
	size, ok := sizeOf(dims)
	if !ok {
		return value{}, fmt.Errorf("inputs of shape %v", dims)
	}
	v := value{dims: dims, shape: engine.Flat(size)}
	switch {
	case flat:
	case len(dims) == 2:
		v.shape = engine.Shape{Channels: 1, Rows: dims[0], Cols: dims[1]}
	case len(dims) == 3 && dims[2] <= 4:
		v.shape, v.last = engine.Shape{Channels: dims[2], Rows: dims[0], Cols: dims[1]}, dims[2] > 1
	}
	return v, nil
}

// sizeOf is how many numbers dimensions make, if each is at least 1.
func sizeOf(dims []int) (size int, ok bool) {
	size = 1
	for _, n := range dims {
		if n < 1 || size > math.MaxInt32/n {
			return 0, false
		}
		size *= n
	}
	return size, true
}

// errPlaces says that pictures don't do, because there is a number for each place of
// one. The file is then read with flat inputs.
var errPlaces = errors.New("numbers for each place of a picture")

// channels makes a number for each channel of v from a tensor that is stretched to its
// dimensions, as numpy does it.
func (r *reading) channels(t tensor, v value) ([]float32, error) {
	ahead := len(v.dims) - len(t.dims)
	steps, step := make([]int, len(v.dims)), 1
	for i, n := range slices.Backward(t.dims) {
		if ahead < 0 || n != 1 && n != v.dims[ahead+i] {
			return nil, fmt.Errorf("numbers of shape %v for %v", t.dims, v.dims)
		}
		if n > 1 {
			steps[ahead+i] = step
		}
		step *= n
	}
	if step != len(t.data) || ahead < 0 {
		return nil, fmt.Errorf("%d numbers of shape %v for %v", len(t.data), t.dims, v.dims)
	}
	if err := r.spend(v.size()); err != nil {
		return nil, err
	}
	out, seen := make([]float32, v.shape.Channels), make([]bool, v.shape.Channels)
	index, from, places := make([]int, len(v.dims)), 0, v.size()/v.shape.Channels
	for i := range v.size() {
		x, c := t.data[from], v.place(i)/places
		if seen[c] && math.Float32bits(out[c]) != math.Float32bits(x) {
			return nil, errPlaces
		}
		out[c], seen[c] = x, true
		for d := len(index) - 1; d >= 0; d-- {
			index[d]++
			from += steps[d]
			if index[d] < v.dims[d] {
				break
			}
			from -= index[d] * steps[d]
			index[d] = 0
		}
	}
	return out, nil
}

// reshaped is the value with other dimensions, of which one may be -1.
func (v value) reshaped(dims []int) (value, error) {
	out, left, size := slices.Clone(dims), -1, 1
	for i, n := range dims {
		switch {
		case n == -1 && left < 0:
			left = i
		case n < 1 || size > v.size()/n:
			return v, fmt.Errorf("shape %v of %v", dims, v.dims)
		default:
			size *= n
		}
	}
	if left >= 0 {
		out[left] = v.size() / size
		size *= out[left]
	}
	if size != v.size() || len(dims) == 0 {
		return v, fmt.Errorf("shape %v of %v", dims, v.dims)
	}
	v.dims = out
	return v, nil
}
