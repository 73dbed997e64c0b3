package keras

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/engine"
)

// activationNames are the names that Keras has for activations without settings. Its
// leaky_relu differs from PyTorch's, and from its own layer.
var activationNames = map[string]engine.Activation{
	"linear": {}, "sigmoid": {Kind: engine.Sigmoid}, "tanh": {Kind: engine.Tanh}, "relu": {Kind: engine.ReLU},
	"relu6": {Kind: engine.Clip, High: 6}, "leaky_relu": {Kind: engine.LeakyReLU, Alpha: 0.2}, "elu": {Kind: engine.ELU, Alpha: 1},
	"gelu": {Kind: engine.GELU}, "silu": {Kind: engine.SiLU}, "swish": {Kind: engine.SiLU}, "softplus": {Kind: engine.Softplus},
	"hard_silu": {Kind: engine.HardSwish}, "hard_swish": {Kind: engine.HardSwish},
}

// activation applies what a layer's argument says: a name, or a layer as one.
func (r *reading) activation(l *layer, in []value) (value, error) {
	if !l.config.has("activation") {
		return in[0], nil
	}
	text := l.config["activation"]
	var name string
	if json.Unmarshal(text, &name) == nil {
		return r.named(l, in[0], name)
	}
	var d described
	if err := json.Unmarshal(text, &d); err != nil {
		return in[0], fmt.Errorf("its activation is %.80q", text)
	}
	if d.Class == "function" { // of somebody's own
		return in[0], unknownActivation(strings.Trim(string(d.Config), `"`))
	}
	inner := &layer{name: l.name, class: d.class(), group: l.group + "/activation"}
	if err := json.Unmarshal(d.Config, &inner.config); err != nil {
		return in[0], fmt.Errorf("its activation is %.80q", text)
	}
	switch inner.class {
	case "Activation":
		return in[0], errors.New("its activation is a layer Activation, want what that has")
	case "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax":
		return activationLayer(r, inner, in)
	}
	return in[0], unknownActivation(inner.class)
}

// unknownActivation refuses an activation by its name.
func unknownActivation(name string) error {
	return fmt.Errorf("its activation is %s, which can't be read: want one of %s", shown(name), strings.Join(known(), ", "))
}

func known() []string {
	names := []string{"hard_sigmoid"}
	for name := range activationNames {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// named applies an activation that has a name.
func (r *reading) named(l *layer, v value, name string) (value, error) {
	switch name {
	case "softmax", "log_softmax":
		return r.ends(v, name)
	case "hard_sigmoid":
		a, err := r.hardSigmoid()
		if err != nil {
			return v, err
		}
		return r.activate(l, v, a), nil
	}
	a, ok := activationNames[name]
	if !ok {
		return v, unknownActivation(name)
	}
	return r.activate(l, v, a), nil
}

// hardSigmoid is another function since Keras 3.
func (r *reading) hardSigmoid() (engine.Activation, error) {
	switch major, _, _ := strings.Cut(r.version, "."); major {
	case "3":
		return engine.Activation{Kind: engine.HardSigmoid, Alpha: 1. / 6, Beta: 0.5}, nil
	case "1", "2":
		return engine.Activation{Kind: engine.HardSigmoid, Alpha: 0.2, Beta: 0.5}, nil
	}
	return engine.Activation{}, fmt.Errorf("hard_sigmoid differs between versions of Keras, and the file's is %s, want 1 to 3: save it with one of these", shown(r.version))
}

// activate adds a nonlinearity, but for none.
func (r *reading) activate(l *layer, v value, a engine.Activation) value {
	if a.Kind != engine.Identity {
		v.at = r.builder.Activate(l.name, v.at, a)
	}
	return v
}

// ends leaves out what makes probabilities of class units.
func (r *reading) ends(v value, name string) (value, error) {
	if len(v.dims) != 1 {
		return v, fmt.Errorf("it is %s on shape %v, want units", name, v.dims)
	}
	if v.ended != "" {
		name = v.ended + ", " + name
	}
	v.ended = name
	return v, nil
}

// activationLayer is a layer that is an activation.
func activationLayer(r *reading, l *layer, in []value) (value, error) {
	v, a := in[0], engine.Activation{}
	var err error
	switch l.class {
	case "ReLU":
		a, err = rectifier(l)
	case "LeakyReLU":
		a, err = withSlope(l, engine.LeakyReLU, 0.3, "negative_slope", "alpha")
	case "ELU":
		a, err = withSlope(l, engine.ELU, 1, "alpha")
	case "PReLU":
		a.Kind = engine.PReLU
		var w map[string]tensor
		if w, err = r.weights(l, 0, "alpha"); err == nil {
			a.Slopes, err = r.channels(w["alpha"], v)
		}
	case "Softmax":
		if axis, bad := l.config.number("axis", -1); bad != nil || axis != -1 && axis != 1 {
			return v, fmt.Errorf("its axis is %.40q, want -1", l.config["axis"])
		}
		return r.ends(v, "softmax")
	}
	if err != nil {
		return v, err
	}
	return r.activate(l, v, a), nil
}

// withSlope is an activation with a setting that has one of several names.
func withSlope(l *layer, kind engine.ActivationKind, usual float64, names ...string) (engine.Activation, error) {
	for _, name := range names {
		if l.config.has(name) {
			alpha, err := l.config.number(name, usual)
			return engine.Activation{Kind: kind, Alpha: float32(alpha)}, err
		}
	}
	return engine.Activation{Kind: kind, Alpha: float32(usual)}, nil
}

// rectifier is a layer ReLU with its settings.
func rectifier(l *layer) (engine.Activation, error) {
	highest, err := l.config.number("max_value", math.Inf(1))
	if err != nil {
		return engine.Activation{}, err
	}
	slope, err := l.config.number("negative_slope", 0)
	if err != nil {
		return engine.Activation{}, err
	}
	threshold, err := l.config.number("threshold", 0)
	switch {
	case err != nil:
		return engine.Activation{}, err
	case threshold != 0:
		return engine.Activation{}, fmt.Errorf("its threshold is %g, want 0", threshold)
	case l.config.has("max_value") && slope != 0:
		return engine.Activation{}, errors.New("it has max_value and negative_slope, want one of them")
	case l.config.has("max_value"):
		return engine.Activation{Kind: engine.Clip, High: float32(highest)}, nil
	case slope != 0:
		return engine.Activation{Kind: engine.LeakyReLU, Alpha: float32(slope)}, nil
	}
	return engine.Activation{Kind: engine.ReLU}, nil
}

// function is an activation as a function of keras.ops.
func function(r *reading, l *layer, in []value) (value, error) {
	switch l.class {
	case "ops.LeakyRelu":
		a, err := withSlope(l, engine.LeakyReLU, 0.2, "negative_slope")
		return r.activate(l, in[0], a), err
	case "ops.Elu":
		a, err := withSlope(l, engine.ELU, 1, "alpha")
		return r.activate(l, in[0], a), err
	case "ops.Gelu":
		if approximate, err := l.config.flag("approximate", true); err != nil || approximate {
			return r.activate(l, in[0], engine.Activation{Kind: engine.GELUTanh}), err
		}
		return r.named(l, in[0], "gelu")
	case "ops.Softmax", "ops.LogSoftmax":
		if axis, err := l.config.number("axis", -1); err != nil || axis != -1 && axis != 1 {
			return in[0], fmt.Errorf("its axis is %.40q, want -1", l.config["axis"])
		}
	}
	return r.named(l, in[0], functionNames[l.class])
}

// functionNames are the names of functions as activations.
var functionNames = map[string]string{
	"ops.Relu": "relu", "ops.Relu6": "relu6", "ops.Sigmoid": "sigmoid", "ops.Tanh": "tanh", "ops.Silu": "silu", "ops.Softplus": "softplus",
	"ops.HardSigmoid": "hard_sigmoid", "ops.HardSilu": "hard_silu", "ops.Softmax": "softmax", "ops.LogSoftmax": "log_softmax",
}
