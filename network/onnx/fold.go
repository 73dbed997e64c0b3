package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// errBatch is the error about calculations with the number of examples.
var errBatch = errors.New("it calculates with the number of examples, which is not known")

// folding is how an operation is carried out on constants.
type folding struct {
	least, most int // how many inputs it may have
	fold        func(*reading, *node, []*constant) (*constant, error)
}

// folds are the operations that are carried out on constants.
var folds = map[string]folding{
	"Identity":        {1, 1, same},
	"Cast":            {1, 1, cast},
	"CastLike":        {2, 2, cast},
	"Transpose":       {1, 1, transpose},
	"Concat":          {1, many, concatConstants},
	"Reshape":         {1, 2, reshapeConstant},
	"Flatten":         {1, 1, reshapeConstant},
	"Squeeze":         {1, 2, reshapeConstant},
	"Unsqueeze":       {1, 2, reshapeConstant},
	"Gather":          {2, 2, gather},
	"Slice":           {1, 5, slice},
	"ConstantOfShape": {1, 1, filled},
	"Neg":             {1, 1, calculate},
	"Sqrt":            {1, 1, calculate},
	"Add":             {2, 2, calculate},
	"Sub":             {2, 2, calculate},
	"Mul":             {2, 2, calculate},
	"Div":             {2, 2, calculate},
}

// apply carries the operation out.
func (f folding) apply(r *reading, n *node, in []*constant) (*constant, error) {
	switch {
	case len(in) < f.least || len(in) > f.most:
		return nil, fmt.Errorf("it has %d inputs", len(in))
	case in[0] == nil || n.op() != "Slice" && slices.Contains(in, nil):
		return nil, errors.New("it lacks an input")
	}
	return f.fold(r, n, in)
}

func same(_ *reading, _ *node, in []*constant) (*constant, error) { return in[0], nil }

// cast makes whole numbers real and the other way round.
func cast(r *reading, n *node, in []*constant) (*constant, error) {
	to := pb.TensorProto_DataType(n.integer("to", 0))
	if n.op() == "CastLike" {
		// What it is like was whole numbers or real ones.
		to = pb.TensorProto_FLOAT
		if len(in) == 2 && in[1].integer {
			to = pb.TensorProto_INT64
		}
	}
	kind, ok := kinds[to]
	if !ok {
		return nil, fmt.Errorf("to type %s", to)
	}
	c := in[0]
	if kind.integer == c.integer {
		return c, nil
	}
	if err := r.spend(2 * c.count()); err != nil {
		return nil, err
	}
	out := &constant{dims: c.dims, integer: kind.integer}
	for i := range c.count() {
		if x := c.at(i); kind.integer {
			out.ints = append(out.ints, int64(x))
		} else if c.ints[i] == batch {
			return nil, errBatch
		} else {
			out.floats = append(out.floats, float32(x))
		}
	}
	return out, nil
}

func transpose(r *reading, n *node, in []*constant) (*constant, error) {
	c, a := in[0], n.attributes["perm"]
	if len(c.dims) < 2 {
		return c, nil
	}
	if len(c.dims) > 2 || a != nil && !slices.Equal(a.GetInts(), []int64{1, 0}) && !slices.Equal(a.GetInts(), []int64{0, 1}) {
		return nil, fmt.Errorf("a constant of shape %v: want a matrix", c.dims)
	}
	if a != nil && a.GetInts()[0] == 0 {
		return c, nil
	}
	if err := r.spend(c.count()); err != nil {
		return nil, err
	}
	h, err := c.matrix(true, 1)
	return &constant{dims: []int{h.Rows, h.Cols}, floats: h.Data}, err
}

func concatConstants(r *reading, n *node, in []*constant) (*constant, error) {
	first := in[0]
	at, err := axis(n.integer("axis", 0), len(first.dims))
	if err != nil {
		return nil, err
	}
	out := &constant{dims: slices.Clone(first.dims), integer: first.integer}
	out.dims[at] = 0
	before, _ := sizeOf(first.dims[:at])
	for _, c := range in {
		if len(c.dims) != len(first.dims) || c.integer != first.integer || !slices.Equal(c.dims[:at], first.dims[:at]) || !slices.Equal(c.dims[at+1:], first.dims[at+1:]) {
			return nil, fmt.Errorf("tensors of shape %v and %v", first.dims, c.dims)
		}
		out.dims[at] += c.dims[at]
		if err := r.spend(2 * c.count()); err != nil {
			return nil, err
		}
	}
	for i := range before {
		for _, c := range in {
			k := c.count() / before
			if c.integer {
				out.ints = append(out.ints, c.ints[i*k:(i+1)*k]...)
			} else {
				out.floats = append(out.floats, c.floats[i*k:(i+1)*k]...)
			}
		}
	}
	return out, nil
}

// reshapeConstant gives a constant the shape that Reshape and its relatives ask for.
func reshapeConstant(r *reading, n *node, in []*constant) (*constant, error) {
	out := *in[0]
	dims := make([]int64, len(out.dims))
	for i, d := range out.dims {
		dims[i] = int64(d)
	}
	var shape *constant
	if len(in) > 1 {
		shape = in[1]
	}
	to, err := newDims(n, dims, shape)
	if err != nil {
		return nil, err
	}
	size, err := sizeOf(to)
	if err != nil || size != out.count() {
		return nil, fmt.Errorf("a constant of shape %v as one of shape %v", out.dims, to)
	}
	out.dims = make([]int, len(to))
	for i, d := range to {
		out.dims[i] = int(d)
	}
	return &out, nil
}

// filled is a constant with one number everywhere.
func filled(r *reading, n *node, in []*constant) (*constant, error) {
	with := &constant{floats: []float32{0}}
	if a := n.attributes["value"]; a != nil {
		var err error
		if with, err = decode(a.GetT(), r.outside); err != nil {
			return nil, err
		}
	}
	size, err := sizeOf(in[0].ints)
	if err != nil || len(in[0].ints) > maxRank || !in[0].integer || with.count() != 1 {
		return nil, errors.New("want a shape, and one number")
	}
	if err := r.spend(2 * size); err != nil {
		return nil, err
	}
	out := &constant{integer: with.integer}
	for _, d := range in[0].ints {
		out.dims = append(out.dims, int(d))
	}
	for range size {
		out.take(with, 0)
	}
	return out, nil
}

// gather takes entries of a list, as of a shape.
func gather(r *reading, n *node, in []*constant) (*constant, error) {
	c, which := in[0], in[1]
	if len(c.dims) != 1 || n.integer("axis", 0) != 0 || !which.integer {
		return nil, fmt.Errorf("from a constant of shape %v: want a list", c.dims)
	}
	if err := r.spend(2 * which.count()); err != nil {
		return nil, err
	}
	out := &constant{dims: which.dims, integer: c.integer}
	for _, i := range which.ints {
		at, err := axis(i, c.count())
		if err != nil {
			return nil, err
		}
		out.take(c, at)
	}
	return out, nil
}

// take appends a number of another constant.
func (c *constant) take(from *constant, at int) {
	if c.integer {
		c.ints = append(c.ints, from.ints[at])
	} else {
		c.floats = append(c.floats, from.floats[at])
	}
}

// slice takes entries of a list from one to another.
func slice(r *reading, n *node, in []*constant) (*constant, error) {
	bounds := make([]int64, 4) // starts, ends, axes, steps
	bounds[3] = 1
	for i, name := range []string{"starts", "ends", "axes"} {
		if a := n.attributes[name]; len(a.GetInts()) == 1 {
			bounds[i] = a.GetInts()[0]
		}
	}
	for i, c := range in[1:] {
		x, ok := c.scalar()
		if !ok || i > 3 {
			return nil, errors.New("want one axis")
		}
		bounds[i] = int64(x)
	}
	c := in[0]
	if len(c.dims) != 1 || bounds[2] != 0 && bounds[2] != -1 || bounds[3] != 1 {
		return nil, fmt.Errorf("of a constant of shape %v in steps of %d: want a list, and steps of 1", c.dims, bounds[3])
	}
	size := int64(c.count())
	for i, x := range bounds[:2] {
		if x < 0 {
			x = max(x, -size) + size
		}
		bounds[i] = min(x, size)
	}
	out := &constant{integer: c.integer}
	for i := bounds[0]; i < bounds[1]; i++ {
		out.take(c, int(i))
	}
	out.dims = []int{out.count()}
	return out, r.spend(2 * out.count())
}

// calculate does arithmetic with real numbers, and with whole ones where the result
// is one.
func calculate(r *reading, n *node, in []*constant) (*constant, error) {
	a, b := in[0], in[len(in)-1] // the same for operations of one number
	dims, err := common(a.dims, b.dims)
	if err != nil {
		return nil, err
	}
	size, err := sizeOf(dims)
	if err != nil {
		return nil, err
	}
	if err := r.spend(2 * size); err != nil {
		return nil, err
	}
	out := &constant{dims: dims, integer: a.integer}
	if a.integer != b.integer {
		return nil, errors.New("it calculates with whole numbers and real ones")
	}
	left, right := places(a.dims, dims), places(b.dims, dims)
	for i := range size {
		x, y := a.at(left(i)), b.at(right(i))
		if a.integer && (x == batch || y == batch) {
			return nil, errBatch
		}
		z := arithmetic[n.op()](x, y)
		if !a.integer {
			out.floats = append(out.floats, float32(z))
			continue
		}
		if math.IsNaN(z) || math.Abs(z) > 1<<53 {
			return nil, fmt.Errorf("%v and %v make %v", x, y, z)
		}
		out.ints = append(out.ints, int64(z)) // to zero, as Div of ONNX does
	}
	return out, nil
}

var arithmetic = map[string]func(x, y float64) float64{
	"Neg":  func(x, _ float64) float64 { return -x },
	"Sqrt": func(x, _ float64) float64 { return math.Sqrt(x) },
	"Add":  func(x, y float64) float64 { return x + y },
	"Sub":  func(x, y float64) float64 { return x - y },
	"Mul":  func(x, y float64) float64 { return x * y },
	"Div":  func(x, y float64) float64 { return x / y },
}

// common is the shape of what two tensors make of each other, where dimensions of 1
// are stretched.
func common(a, b []int) ([]int, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i, d := range b {
		at := len(a) - len(b) + i
		if out[at] == 1 {
			out[at] = d
		} else if d != 1 && d != out[at] {
			return nil, fmt.Errorf("tensors of shape %v and %v", a, b)
		}
	}
	return out, nil
}

// places says which number of a tensor of a shape belongs to which of one that it is
// stretched to.
func places(dims, to []int) func(i int) int {
	strides, stride := make([]int, len(to)), 1
	for i := len(dims) - 1; i >= 0; i-- {
		if dims[i] != 1 {
			strides[len(to)-len(dims)+i] = stride
		}
		stride *= dims[i]
	}
	return func(i int) (at int) {
		for k := len(to) - 1; k >= 0; k-- {
			at += i % to[k] * strides[k]
			i /= to[k]
		}
		return at
	}
}
