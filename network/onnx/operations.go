package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// operation is how an operation of ONNX is read when it is one on what the network
// computes.
type operation struct {
	least, most int    // how many inputs it may have
	attributes  string // those that are known
	read        func(*reading, *node, []value) (value, error)
}

const many = math.MaxInt32

// operations is a function since they refer to each other.
func operations() map[string]operation {
	return map[string]operation{
		"Gemm":   {2, 3, "alpha beta transA transB broadcast", (*reading).gemm},
		"MatMul": {2, 2, "", (*reading).matMul},
		"Add":    {2, 2, "", (*reading).add},
		"Sum":    {1, many, "", (*reading).add},
		"Sub":    {2, 2, "", (*reading).sub},
		"Mul":    {2, 2, "", (*reading).mul},
		"Div":    {2, 2, "", (*reading).div},
		"Neg":    {1, 1, "", (*reading).neg},
		"Max":    {2, 2, "", (*reading).bound},
		"Min":    {2, 2, "", (*reading).bound},
		"Concat": {1, many, "axis", (*reading).concat},
		"PRelu":  {2, 2, "", (*reading).prelu},
		"Selu":   {1, 1, "alpha gamma", (*reading).selu},
		"Celu":   {1, 1, "alpha", (*reading).celu},
		"Scaler": {1, 1, "offset scale", (*reading).scaler},

		"BatchNormalization": {5, 5, "epsilon momentum training_mode is_test spatial", (*reading).normalize},

		"Identity":  {1, 1, "", (*reading).nothing},
		"Dropout":   {1, 3, "ratio seed is_test", (*reading).dropout},
		"Cast":      {1, 1, "to saturate round_mode", (*reading).cast},
		"CastLike":  {2, 2, "saturate round_mode", (*reading).nothing},
		"Reshape":   {1, 2, "allowzero shape", (*reading).reshape},
		"Flatten":   {1, 1, "axis", (*reading).reshape},
		"Squeeze":   {1, 2, "axes", (*reading).reshape},
		"Unsqueeze": {1, 2, "axes", (*reading).reshape},
	}
}

// hints are what is said of operations that can't be read, and that people will try.
var hints = map[string]string{
	"Conv":               "convolutions can't be read yet",
	"ConvTranspose":      "convolutions can't be read yet",
	"MaxPool":            "pooling can't be read yet",
	"AveragePool":        "pooling can't be read yet",
	"GlobalAveragePool":  "pooling can't be read yet",
	"GlobalMaxPool":      "pooling can't be read yet",
	"Softmax":            "softmax can be read at the end of a network only, where it is left out",
	"LogSoftmax":         "softmax can be read at the end of a network only, where it is left out",
	"Mish":               "this activation can't be read yet",
	"LSTM":               "recurrent networks can't be read",
	"GRU":                "recurrent networks can't be read",
	"RNN":                "recurrent networks can't be read",
	"LayerNormalization": "normalisation by an example's own mean can't be read",
	"QuantizeLinear":     "quantized networks can't be read: export the network before quantization",
	"DequantizeLinear":   "quantized networks can't be read: export the network before quantization",
	"If":                 "networks that branch can't be read",
	"Loop":               "networks with loops can't be read",
	"Scan":               "networks with loops can't be read",
}

// known is an error about an operation that can't be read, whatever it is applied to.
func (p *plan) known(n *node) error {
	_, known := operations()[n.op()]
	switch {
	case known || p.nonlinear[n] != nil || activations[n.op()] != nil || folds[n.op()].fold != nil || n.op() == "Constant" || n.op() == "Shape":
		return nil
	case hints[n.op()] != "":
		return errors.New(hints[n.op()])
	}
	return errors.New("this operation can't be read: export the network as far as what comes before it")
}

// operate adds an operation to the network.
func (r *reading) operate(n *node, in []value) (value, error) {
	if a := activations[n.op()]; a != nil {
		if n.input(0) == "" || len(in) > 1 && n.op() != "Clip" {
			return value{}, fmt.Errorf("it has %d inputs", len(in))
		}
		is, err := a(r.plan, n)
		if err != nil {
			return value{}, err
		}
		return r.activate(n, in[0], is)
	}
	o, known := operations()[n.op()]
	switch {
	case !known:
		return value{}, errors.New("it can be read for constants and shapes only")
	case len(in) < o.least || len(in) > o.most:
		return value{}, fmt.Errorf("it has %d inputs", len(in))
	case slices.Contains(n.GetInput()[:o.least], "") || o.most == many && slices.Contains(n.GetInput(), ""):
		return value{}, errors.New("it lacks an input")
	}
	if err := n.only(o.attributes + " consumed_inputs"); err != nil {
		return value{}, err
	}
	return o.read(r, n, in)
}

// errInput is the error about what should depend on the network's input.
var errInput = errors.New("it does not depend on the network's input where it should")

// activate applies a nonlinearity.
func (r *reading) activate(n *node, v value, a engine.Activation) (value, error) {
	if v.constant != nil {
		return v, errInput
	}
	v.at = r.builder.Activate(n.module(), v.at, a)
	return v, nil
}

// activateScaled applies out f(in x).
func (r *reading) activateScaled(n *node, v value, f engine.Activation, in, out float64) (value, error) {
	if v.constant != nil {
		return v, errInput
	}
	var err error
	if in != 1 {
		if v, err = r.scale(n, v, &constant{floats: []float32{float32(in)}}, nil); err != nil {
			return v, err
		}
	}
	if v, err = r.activate(n, v, f); err != nil || out == 1 {
		return v, err
	}
	return r.scale(n, v, &constant{floats: []float32{float32(out)}}, nil)
}

// selu is a number times an exponential linear unit.
func (r *reading) selu(n *node, in []value) (value, error) {
	elu := engine.Activation{Kind: engine.ELU, Alpha: n.float("alpha", 1.6732632)}
	return r.activateScaled(n, in[0], elu, 1, float64(n.float("gamma", 1.0507010)))
}

// celu is an exponential linear unit of a scaled number, scaled back.
func (r *reading) celu(n *node, in []value) (value, error) {
	alpha := float64(n.float("alpha", 1))
	if alpha == 0 {
		return in[0], errors.New("alpha is 0")
	}
	return r.activateScaled(n, in[0], engine.UsualActivation(engine.ELU), 1/alpha, alpha)
}

// affine adds a product with weights, of a name.
func (r *reading) affine(n *node, v value, weight engine.Host, bias []float32, name string) (value, error) {
	if len(v.dims) != 1 || v.dims[0] != weight.Cols {
		return v, fmt.Errorf("weights for %d inputs on what has shape %s", weight.Cols, dimsText(v.allDims()))
	}
	if weight.Rows == 0 {
		return v, errors.New("it has no units")
	}
	if err := r.spend(len(weight.Data)); err != nil {
		return v, err
	}
	at := r.builder.Affine(n.layer(name), v.at, weight, bias)
	return value{at: at, dims: []int{weight.Rows}, shape: engine.Flat(weight.Rows)}, nil
}

// gemm is y = alpha x W + beta C.
func (r *reading) gemm(n *node, in []value) (value, error) {
	x, w := in[0], in[1]
	switch {
	case x.constant != nil:
		return x, errInput
	case w.constant == nil:
		return x, errors.New("its weights are no constants")
	case n.integer("transA", 0) != 0:
		return x, errors.New("its input is transposed, and can't be")
	}
	weight, err := r.weights(w.constant, n.integer("transB", 0) == 0, float64(n.float("alpha", 1)))
	if err != nil {
		return x, fmt.Errorf("tensor %s: %w", shown(n.input(1)), err)
	}
	if n.input(2) == "" {
		return r.affine(n, x, weight, nil, n.input(1))
	}
	if in[2].constant == nil {
		y, err := r.affine(n, x, weight, nil, n.input(1))
		if err != nil {
			return y, err
		}
		if n.float("beta", 1) != 1 {
			return y, errors.New("beta is not 1 where it multiplies what the network computes")
		}
		return r.sum(n, y, in[2])
	}
	bias, err := r.channels(in[2].constant, value{dims: []int{weight.Rows}, shape: engine.Flat(weight.Rows)})
	if err != nil {
		return x, fmt.Errorf("tensor %s: %w", shown(n.input(2)), err)
	}
	return r.affine(n, x, weight, scaled(bias, float64(n.float("beta", 1))), n.input(1))
}

// matMul is y = x W.
func (r *reading) matMul(n *node, in []value) (value, error) {
	x, w := in[0], in[1]
	if x.constant != nil || w.constant == nil {
		return x, errors.New("want a product of what the network computes with constant weights, in this order")
	}
	weight, err := r.weights(w.constant, true, 1)
	if err != nil {
		return x, fmt.Errorf("tensor %s: %w", shown(n.input(1)), err)
	}
	return r.affine(n, x, weight, nil, n.input(1))
}

// weights is a matrix [units, inputs].
func (r *reading) weights(c *constant, transpose bool, factor float64) (engine.Host, error) {
	if transpose || factor != 1 {
		if err := r.spend(c.count()); err != nil {
			return engine.Host{}, err
		}
	}
	return c.matrix(transpose, factor)
}

// channels makes a number for each channel of v from a constant which is stretched to
// v's shape.
func (r *reading) channels(c *constant, v value) ([]float32, error) {
	data, err := c.real()
	if err != nil {
		return nil, err
	}
	dims := c.dims
	for len(dims) > 0 && len(dims) > len(v.dims) && dims[0] == 1 {
		dims = dims[1:]
	}
	// One more dimension than v's would be one of examples.
	if to, err := common(dims, v.dims); err != nil || !slices.Equal(to, v.dims) || len(c.dims) > len(v.dims)+1 {
		return nil, fmt.Errorf("its shape is %v, and is combined with %s", c.dims, dimsText(v.allDims()))
	}
	size := v.shape.Size()
	if err := r.spend(size); err != nil {
		return nil, err
	}
	out, place := make([]float32, v.shape.Channels), places(dims, v.dims)
	for i := range size {
		x, channel := data[place(i)], i/(size/v.shape.Channels)
		if i%(size/v.shape.Channels) == 0 {
			out[channel] = x
		} else if math.Float32bits(out[channel]) != math.Float32bits(x) {
			return nil, errPlaces
		}
	}
	return out, nil
}

// errTraining is the error about what is done otherwise in use.
var errTraining = errors.New("it is there for training: export the network for use, as after model.eval()")

// errOld is the error about what meant something else in old sets of operations.
var errOld = errors.New("it can't be read with operations of a version before 7: export the network with newer ones")

// nothing is what does nothing to a trained network.
func (r *reading) nothing(_ *node, in []value) (value, error) { return in[0], nil }

func (r *reading) dropout(n *node, in []value) (value, error) {
	if r.version < 7 && n.integer("is_test", 0) == 0 {
		return in[0], errTraining
	}
	if len(in) == 3 && in[2].constant != nil {
		if on, _ := in[2].constant.scalar(); on != 0 {
			return in[0], errTraining
		}
	} else if len(in) == 3 && in[2].dims != nil {
		return in[0], errors.New("whether it is there for training is no constant")
	}
	return in[0], nil
}

// cast keeps real numbers, in whatever precision.
func (r *reading) cast(n *node, in []value) (value, error) {
	if !realType(n) {
		return in[0], fmt.Errorf("to numbers of type %s", elementType(n))
	}
	return in[0], nil
}

// reshape keeps numbers in their order.
func (r *reading) reshape(n *node, in []value) (value, error) {
	v := in[0]
	var shape *constant
	if len(in) > 1 && n.input(1) != "" {
		if shape = in[1].constant; shape == nil {
			return v, errors.New("its shape depends on the network's input")
		}
	}
	if v.constant != nil {
		return v, errInput
	}
	// A number of examples may be written out, if the file was made for that many.
	if n.op() == "Reshape" && shape != nil && len(shape.ints) > 0 && r.examples > 0 && shape.ints[0] == r.examples {
		shape = &constant{dims: shape.dims, ints: slices.Clone(shape.ints), integer: true}
		shape.ints[0] = batch
	}
	dims, err := newDims(n, v.allDims(), shape)
	if err != nil {
		return v, err
	}
	if len(dims) < 2 || dims[0] != batch || slices.Contains(dims[1:], batch) {
		return v, fmt.Errorf("%s as %s: %w", dimsText(v.allDims()), dimsText(dims), errMixed)
	}
	v.dims = nil
	for _, d := range dims[1:] {
		v.dims = append(v.dims, int(d))
	}
	return v, nil
}
