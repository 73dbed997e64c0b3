package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// elementType is the type that Cast makes.
func elementType(n *node) pb.TensorProto_DataType {
	return pb.TensorProto_DataType(n.integer("to", 0))
}

// realType says whether Cast makes real numbers.
func realType(n *node) bool {
	kind, ok := kinds[elementType(n)]
	return ok && !kind.integer
}

// split divides inputs into what the network computes and constants.
func split(in []value) (computed, constants []value) {
	for _, v := range in {
		if v.constant == nil {
			computed = append(computed, v)
		} else {
			constants = append(constants, v)
		}
	}
	return computed, constants
}

// scale adds y = factor x + bias, from constants which are stretched to x; nil for
// the factor 1 and no bias.
func (r *reading) scale(n *node, v value, factor, bias *constant) (value, error) {
	var parts [2][]float32
	for i, c := range []*constant{factor, bias} {
		if c == nil {
			c = &constant{floats: []float32{float32(1 - i)}}
		}
		var err error
		if parts[i], err = r.channels(c, v); err != nil {
			return v, err
		}
	}
	v.at = r.builder.Scale(n.module(), v.at, parts[0], parts[1])
	return v, nil
}

// mapped is a constant with each number changed.
func mapped(c *constant, f func(x float64) float64) (*constant, error) {
	data, err := c.real()
	if err != nil {
		return nil, err
	}
	out := &constant{dims: c.dims, floats: make([]float32, len(data))}
	for i, x := range data {
		out.floats[i] = float32(f(float64(x)))
	}
	return out, nil
}

// add is the sum of values, and of numbers for each channel.
func (r *reading) add(n *node, in []value) (value, error) {
	computed, constants := split(in)
	if len(computed) == 0 {
		return value{}, errInput
	}
	v, err := r.sum(n, computed...)
	for _, c := range constants {
		if err == nil {
			v, err = r.scale(n, v, nil, c.constant)
		}
	}
	return v, err
}

// sum is the sum of what the network computes.
func (r *reading) sum(n *node, values ...value) (value, error) {
	first := values[0]
	var at []engine.Value
	for _, v := range values {
		if !slices.Equal(v.dims, first.dims) {
			return v, fmt.Errorf("it adds %s and %s: want the same shapes", dimsText(first.allDims()), dimsText(v.allDims()))
		}
		if v.shape != first.shape {
			return v, errPlaces
		}
		at = append(at, v.at)
	}
	if len(values) == 1 {
		return first, nil
	}
	first.at = r.builder.Add(n.module(), at...)
	return first, nil
}

// minus is -1 for each channel.
func minus() *constant { return &constant{floats: []float32{-1}} }

func (r *reading) neg(n *node, in []value) (value, error) { return r.scale(n, in[0], minus(), nil) }

// sub is x - c, c - x, or x - y.
func (r *reading) sub(n *node, in []value) (value, error) {
	x, y := in[0], in[1]
	switch {
	case x.constant != nil && y.constant != nil:
		return x, errInput
	case x.constant != nil:
		return r.scale(n, y, minus(), x.constant)
	case y.constant != nil:
		c, err := mapped(y.constant, func(x float64) float64 { return -x })
		if err != nil {
			return x, err
		}
		return r.scale(n, x, nil, c)
	}
	y, err := r.scale(n, y, minus(), nil)
	if err != nil {
		return y, err
	}
	return r.sum(n, x, y)
}

func (r *reading) mul(n *node, in []value) (value, error) {
	computed, constants := split(in)
	switch len(computed) {
	case 0:
		return value{}, errInput
	case 1:
		return r.scale(n, computed[0], constants[0].constant, nil)
	}
	return value{}, errors.New("the product of two values that the network computes can't be read")
}

func (r *reading) div(n *node, in []value) (value, error) {
	if in[1].constant == nil {
		return in[0], errors.New("division by what the network computes can't be read")
	}
	if in[0].constant != nil {
		return in[0], errInput
	}
	c, err := mapped(in[1].constant, func(x float64) float64 { return 1 / x })
	if err != nil {
		return in[0], err
	}
	return r.scale(n, in[0], c, nil)
}

// bound is Max(x, c) or Min(x, c) with one number.
func (r *reading) bound(n *node, in []value) (value, error) {
	computed, constants := split(in)
	if len(computed) != 1 {
		return value{}, errors.New("want one number, and what the network computes")
	}
	x, ok := constants[0].constant.scalar()
	if !ok || constants[0].constant.integer || len(constants[0].constant.dims) > len(computed[0].dims)+1 {
		return value{}, errors.New("want one real number as the bound")
	}
	a := engine.Activation{Kind: engine.Clip, Low: float32(math.Inf(-1)), High: float32(math.Inf(1))}
	if n.op() == "Max" {
		a.Low = float32(x)
	} else {
		a.High = float32(x)
	}
	return r.activate(n, computed[0], a)
}

// concat puts channels one behind the other.
func (r *reading) concat(n *node, in []value) (value, error) {
	computed, constants := split(in)
	if len(constants) > 0 {
		return value{}, errors.New("it puts constants beside what the network computes")
	}
	first := computed[0]
	at, err := axis(n.integer("axis", 1), len(first.dims)+1)
	if err != nil || at == 0 {
		return value{}, fmt.Errorf("axis %d of %s: want the one of channels", n.integer("axis", 1), dimsText(first.allDims()))
	}
	at-- // of an example
	before, _ := sizeOf(first.dims[:at])
	out := value{dims: slices.Clone(first.dims), shape: first.shape}
	var values []engine.Value
	for i, v := range computed {
		if len(v.dims) != len(first.dims) || !slices.Equal(v.dims[:at], first.dims[:at]) || !slices.Equal(v.dims[at+1:], first.dims[at+1:]) {
			return value{}, fmt.Errorf("%s beside %s", dimsText(first.allDims()), dimsText(v.allDims()))
		}
		flat := v.shape == engine.Flat(v.shape.Channels)
		if !flat && (at > 0 || v.shape.Channels != v.dims[0] || len(v.dims) != 3) || v.shape.Rows != first.shape.Rows || v.shape.Cols != first.shape.Cols {
			return value{}, errPlaces
		}
		if before != 1 {
			return value{}, fmt.Errorf("axis %d of %s: want the one of channels", at+1, dimsText(first.allDims()))
		}
		if i > 0 {
			out.dims[at] += v.dims[at]
			out.shape.Channels += v.shape.Channels
		}
		values = append(values, v.at)
	}
	if _, err := sizeOf(out.dims); err != nil {
		return value{}, err
	}
	out.at = r.builder.Concat(n.module(), values...)
	return out, nil
}

// prelu has a slope for each channel.
func (r *reading) prelu(n *node, in []value) (value, error) {
	if in[0].constant != nil || in[1].constant == nil {
		return in[0], errors.New("want constant slopes")
	}
	if r.version < 7 && len(in[0].dims) > 1 && in[1].constant.count() > 1 {
		return in[0], errOld
	}
	slopes, err := r.channels(in[1].constant, in[0])
	if err != nil {
		return in[0], fmt.Errorf("tensor %s: %w", shown(n.input(1)), err)
	}
	return r.activate(n, in[0], engine.Activation{Kind: engine.PReLU, Slopes: slopes})
}

// scaler is (x - offset) scale, of ONNX's classical machine learning.
func (r *reading) scaler(n *node, in []value) (value, error) {
	offset, factor := n.attributes["offset"].GetFloats(), n.attributes["scale"].GetFloats()
	if len(in[0].dims) != 1 || len(offset) == 0 || len(factor) == 0 {
		return in[0], errors.New("want an offset and a scale, for numbers in a row")
	}
	wide, err := common([]int{len(offset)}, []int{len(factor)})
	if err != nil {
		return in[0], err
	}
	bias := &constant{dims: wide, floats: make([]float32, wide[0])}
	for i := range bias.floats {
		bias.floats[i] = float32(-float64(offset[i%len(offset)]) * float64(factor[i%len(factor)]))
	}
	return r.scale(n, in[0], &constant{dims: []int{len(factor)}, floats: factor}, bias)
}

// normalize is the normalisation of batches after training:
// y = (x - mean) / sqrt(variance + epsilon) factor + shift.
func (r *reading) normalize(n *node, in []value) (value, error) {
	x := in[0]
	if n.integer("training_mode", 0) != 0 || r.version < 7 && n.integer("is_test", 0) == 0 {
		return x, errTraining
	}
	if x.constant != nil || len(x.dims) == 0 || n.integer("spatial", 1) == 0 && len(x.dims) > 1 {
		return x, errors.New("want a factor for each channel")
	}
	var parts [4][]float32 // factor, shift, mean, variance
	for i := range parts {
		c := in[i+1].constant
		if c == nil {
			return x, fmt.Errorf("%s is no constant", shown(n.input(i+1)))
		}
		data, err := c.real()
		if err != nil || len(c.dims) != 1 || len(data) != x.dims[0] {
			return x, fmt.Errorf("tensor %s: want %d real numbers", shown(n.input(i+1)), x.dims[0])
		}
		parts[i] = data
	}
	dims := make([]int, len(x.dims))
	for i := range dims {
		dims[i] = 1
	}
	dims[0] = x.dims[0]
	if err := r.spend(2 * dims[0]); err != nil {
		return x, err
	}
	factor, shift := &constant{dims: dims}, &constant{dims: dims}
	for i, f := range parts[0] {
		by := float64(f) / math.Sqrt(float64(parts[3][i])+float64(n.float("epsilon", 1e-5)))
		factor.floats = append(factor.floats, float32(by))
		shift.floats = append(shift.floats, float32(float64(parts[1][i])-float64(parts[2][i])*by))
	}
	return r.scale(n, x, factor, shift)
}
