package keras

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
)

// layers are the layers that are read, by their classes, and functions of keras.ops.
var layers = map[string]func(*reading, *layer, []value) (value, error){
	"Dense":              (*reading).dense,
	"BatchNormalization": (*reading).batchNormalization,
	"Normalization":      (*reading).normalization,
	"Rescaling":          (*reading).rescaling,
	"Add":                (*reading).add,
	"ops.Add":            (*reading).add,
	"Concatenate":        (*reading).concatenate,
	"Flatten":            (*reading).flatten,
	"Reshape":            (*reading).reshape,
	"Activation":         (*reading).activation,

	"Dropout": nothing, "GaussianDropout": nothing, "GaussianNoise": nothing, "AlphaDropout": nothing,
	"ActivityRegularization": nothing,

	"ReLU": activationLayer, "LeakyReLU": activationLayer, "PReLU": activationLayer, "ELU": activationLayer, "Softmax": activationLayer,
	"ops.Relu": function, "ops.Relu6": function, "ops.LeakyRelu": function, "ops.Elu": function, "ops.Gelu": function,
	"ops.Sigmoid": function, "ops.Tanh": function, "ops.Silu": function, "ops.Softplus": function, "ops.HardSigmoid": function,
	"ops.HardSilu": function, "ops.Softmax": function, "ops.LogSoftmax": function,
}

// passing are the layers that may stand between softmax and the end of a network.
var passing = map[string]bool{
	"Dropout": true, "GaussianDropout": true, "GaussianNoise": true, "AlphaDropout": true, "ActivityRegularization": true,
	"Flatten": true, "Reshape": true,
}

// joining are the layers that read several values.
var joining = map[string]bool{"Add": true, "ops.Add": true, "Concatenate": true}

// hints are what is said of layers that can't be read, and that people will try.
var hints = map[string]string{
	"Conv1D": "convolutions can't be read yet", "Conv2D": "convolutions can't be read yet", "Conv3D": "convolutions can't be read yet",
	"Conv2DTranspose": "convolutions can't be read yet", "SeparableConv2D": "convolutions can't be read yet", "DepthwiseConv2D": "convolutions can't be read yet",
	"MaxPooling2D": "pooling can't be read yet", "AveragePooling2D": "pooling can't be read yet",
	"GlobalAveragePooling2D": "pooling can't be read yet", "GlobalMaxPooling2D": "pooling can't be read yet",
	"LSTM": "recurrent networks can't be read", "GRU": "recurrent networks can't be read", "SimpleRNN": "recurrent networks can't be read",
	"Bidirectional": "recurrent networks can't be read", "Embedding": "networks of whole numbers can't be read",
	"LayerNormalization": "normalisation by an example's own mean can't be read",
	"Lambda":             "it is Python that would have to be run: make it a layer of its own, or export the model as ONNX",
}

// nothing is what does nothing to a trained network.
func nothing(_ *reading, _ *layer, in []value) (value, error) { return in[0], nil }

// weights are those of a layer by their names, in their order. Those with a length of
// it must be lists of so many numbers.
func (r *reading) weights(l *layer, length int, names ...string) (map[string]tensor, error) {
	all := map[string]tensor{}
	for i, name := range names {
		w, err := r.tensor(l, name, i)
		if err != nil {
			return nil, err
		}
		if length > 0 && (len(w.Shape) != 1 || w.Shape[0] != length) {
			return nil, fmt.Errorf("its weights %s are %s, want %d numbers", name, w, length)
		}
		if all[name], err = w.read(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// dense is y = x W + b, and an activation. W is [inputs, units].
func (r *reading) dense(l *layer, in []value) (value, error) {
	v := in[0]
	names := []string{"kernel"}
	if biases, err := l.config.flag("use_bias", true); err != nil {
		return v, err
	} else if biases {
		names = append(names, "bias")
	}
	w, err := r.weights(l, 0, names...)
	if err != nil {
		return v, err
	}
	kernel, bias := w["kernel"], w["bias"]
	switch {
	case len(v.dims) != 1:
		return v, fmt.Errorf("it is applied to each row of %v, and that can't be read: put a Flatten layer before it", v.dims)
	case len(kernel.dims) != 2 || kernel.dims[0] != v.dims[0] || kernel.dims[1] < 1:
		return v, fmt.Errorf("its weights have shape %v for %d inputs", kernel.dims, v.dims[0])
	case len(names) == 2 && !slices.Equal(bias.dims, kernel.dims[1:]):
		return v, fmt.Errorf("its biases have shape %v for %d units", bias.dims, kernel.dims[1])
	}
	if err := r.spend(len(kernel.data)); err != nil {
		return v, err
	}
	if err := memory.CheckFloats(kernel.dims[0], kernel.dims[1]); err != nil {
		return v, err
	}
	weight := engine.Host{Rows: kernel.dims[1], Cols: kernel.dims[0], Data: make([]float32, len(kernel.data))}
	for k := range weight.Cols {
		place := v.place(k)
		for u := range weight.Rows {
			weight.Data[u*weight.Cols+place] = kernel.data[k*weight.Rows+u]
		}
	}
	at := r.builder.Affine(l.name, v.at, weight, bias.data)
	out := value{at: at, dims: kernel.dims[1:], shape: engine.Flat(weight.Rows)}
	return r.activation(l, []value{out})
}

// scale adds y = factor x + bias, from numbers that are stretched to x.
func (r *reading) scale(l *layer, v value, factor, bias tensor) (value, error) {
	f, err := r.channels(factor, v)
	if err != nil {
		return v, err
	}
	b, err := r.channels(bias, v)
	if err != nil {
		return v, err
	}
	v.at = r.builder.Scale(l.name, v.at, f, b)
	return v, nil
}

// axes are places in a value's dimensions, from ones that count the examples as the
// first, or from the end.
func axes(of []int, v value) ([]int, error) {
	var out []int
	for _, a := range of {
		if a < 0 {
			a += len(v.dims) + 1
		}
		if a < 1 || a > len(v.dims) || slices.Contains(out, a-1) {
			return nil, fmt.Errorf("its axes are %v, of %d", of, len(v.dims)+1)
		}
		out = append(out, a-1)
	}
	slices.Sort(out)
	return out, nil
}

// along are dimensions of 1, but for v's own at some places.
func along(axes []int, v value) []int {
	dims := make([]int, len(v.dims))
	for i := range dims {
		dims[i] = 1
		if slices.Contains(axes, i) {
			dims[i] = v.dims[i]
		}
	}
	return dims
}

// batchNormalization is gamma (x - mean) / sqrt(variance + epsilon) + beta.
func (r *reading) batchNormalization(l *layer, in []value) (value, error) {
	v := in[0]
	axis, err := l.config.whole("axis")
	if err != nil {
		return v, err
	}
	if axis == nil {
		axis = []int{-1}
	}
	if axis, err = axes(axis, v); err != nil || len(axis) != 1 {
		return v, fmt.Errorf("its axes are %.40q, want one", l.config["axis"])
	}
	epsilon, err := l.config.number("epsilon", 1e-3)
	if err != nil {
		return v, err
	}
	var names []string
	for _, part := range [][2]string{{"scale", "gamma"}, {"center", "beta"}} {
		has, err := l.config.flag(part[0], true)
		if err != nil {
			return v, err
		}
		if has {
			names = append(names, part[1])
		}
	}
	w, err := r.weights(l, v.dims[axis[0]], append(names, "moving_mean", "moving_variance")...)
	if err != nil {
		return v, err
	}
	factor, bias := normalised(w["moving_mean"].data, w["moving_variance"].data, func(variance float64) float64 { return math.Sqrt(variance + epsilon) })
	for u := range factor {
		if gamma := w["gamma"].data; gamma != nil {
			factor[u], bias[u] = factor[u]*float64(gamma[u]), bias[u]*float64(gamma[u])
		}
		if beta := w["beta"].data; beta != nil {
			bias[u] += float64(beta[u])
		}
	}
	dims := along(axis, v)
	return r.scale(l, v, tensor{dims, narrow(factor)}, tensor{dims, narrow(bias)})
}

// normalised is 1/deviation and -mean/deviation.
func normalised(mean, variance []float32, deviation func(variance float64) float64) (factor, bias []float64) {
	for u, m := range mean {
		f := 1 / deviation(float64(variance[u]))
		factor, bias = append(factor, f), append(bias, -float64(m)*f)
	}
	return factor, bias
}

func narrow(wide []float64) []float32 {
	out := make([]float32, len(wide))
	for i, x := range wide {
		out[i] = float32(x)
	}
	return out
}

// leastDeviation is what Keras takes for smaller deviations.
const leastDeviation = 1e-7

// normalization is (x - mean) / sqrt(variance), with one of each for every place on its
// axes, in the file or among the layer's arguments.
func (r *reading) normalization(l *layer, in []value) (value, error) {
	v := in[0]
	axis, err := l.config.whole("axis")
	if err == nil {
		axis, err = axes(axis, v)
	}
	if err != nil {
		return v, err
	}
	var mean, variance tensor
	if l.config.has("mean") || l.config.has("variance") {
		if mean, err = l.config.tensor("mean"); err == nil {
			variance, err = l.config.tensor("variance")
		}
	} else {
		var w map[string]tensor
		w, err = r.weights(l, 0, "mean", "variance")
		mean, variance = w["mean"], w["variance"]
		if count, none := r.tensor(l, "count", 2); none == nil {
			count.used = true
		}
		dims := along(axis, v)
		if size, _ := sizeOf(dims); err == nil && len(mean.data) == size {
			mean.dims, variance.dims = dims, dims
		}
	}
	if err != nil {
		return v, err
	}
	if len(mean.data) != len(variance.data) {
		return v, fmt.Errorf("it has %d means and %d variances", len(mean.data), len(variance.data))
	}
	factor, bias := normalised(mean.data, variance.data, func(variance float64) float64 { return max(math.Sqrt(variance), leastDeviation) })
	if invert, err := l.config.flag("invert", false); err != nil || invert {
		return v, errors.New("it is inverted, and can't be read")
	}
	return r.scale(l, v, tensor{mean.dims, narrow(factor)}, tensor{variance.dims, narrow(bias)})
}

// rescaling is scale x + offset.
func (r *reading) rescaling(l *layer, in []value) (value, error) {
	factor, err := l.config.tensor("scale")
	if err != nil {
		return in[0], err
	}
	offset, err := l.config.tensor("offset")
	if err != nil {
		return in[0], err
	}
	return r.scale(l, in[0], factor, offset)
}

// add is the sum of values of one shape.
func (r *reading) add(l *layer, in []value) (value, error) {
	var at []engine.Value
	for _, v := range in {
		if !slices.Equal(v.dims, in[0].dims) {
			return v, fmt.Errorf("it adds %v and %v: want the same shapes", in[0].dims, v.dims)
		}
		if v.shape != in[0].shape || v.last != in[0].last {
			return v, errPlaces
		}
		at = append(at, v.at)
	}
	out := in[0]
	out.at = r.builder.Add(l.name, at...)
	return out, nil
}

// concatenate is one value behind the other.
func (r *reading) concatenate(l *layer, in []value) (value, error) {
	axis, err := l.config.number("axis", -1)
	if err != nil {
		return in[0], err
	}
	out := in[0]
	out.dims, out.shape.Channels = slices.Clone(out.dims), 0
	last := len(out.dims) - 1
	out.dims[last] = 0
	var at []engine.Value
	for _, v := range in {
		if len(v.dims) != last+1 || axis != -1 && axis != float64(last+1) || !slices.Equal(v.dims[:last], out.dims[:last]) {
			return v, fmt.Errorf("it joins %v and %v on axis %g: want the same shapes but for the last dimension", in[0].dims, v.dims, axis)
		}
		// Channels of pictures, or units.
		if v.dims[last] != v.shape.Channels || last == 0 && v.shape != engine.Flat(v.size()) {
			if !r.flat {
				return v, errPlaces
			}
			return v, fmt.Errorf("it joins %v: want them flat", v.dims)
		}
		if v.dims[last] > math.MaxInt32-out.dims[last] || v.shape.Rows != out.shape.Rows || v.shape.Cols != out.shape.Cols {
			return v, fmt.Errorf("it joins %v and %v", in[0].dims, v.dims)
		}
		out.dims[last] += v.dims[last]
		out.shape.Channels += v.shape.Channels
		at = append(at, v.at)
	}
	out.last = out.shape.Rows*out.shape.Cols > 1
	out.at = r.builder.Concat(l.name, at...)
	if out.size() == 0 {
		return out, errors.New("it makes more than 2^31 numbers")
	}
	return out, nil
}

// flatten keeps numbers in their order.
func (r *reading) flatten(l *layer, in []value) (value, error) {
	if len(in[0].dims) > 1 && l.config.text("data_format", "channels_last") != "channels_last" {
		return in[0], errors.New("its data_format is not channels_last")
	}
	return in[0].reshaped([]int{-1})
}

func (r *reading) reshape(l *layer, in []value) (value, error) {
	dims, err := l.config.whole("target_shape")
	if err != nil {
		return in[0], err
	}
	return in[0].reshaped(dims)
}
