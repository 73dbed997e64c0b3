package network

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
)

// Check returns an error unless the network is whole: kinds known, Radius a
// finite number >= 0, InputShape and all tensors of shapes that agree, no NaN
// or Inf anywhere (an error that wraps [engine.ErrNotFinite]), and a visible
// bias in every layer of a DBN that is not a classifier. The error names the
// tensor as a file does, "layers.2.weight". A network without layers passes:
// training begins with one.
func (n *Network) Check() error {
	if err := n.checkKinds(); err != nil {
		return err
	}
	if err := checkShape(n.InputShape); err != nil {
		return err
	}
	if n.Radius < 0 || math.IsNaN(n.Radius) || math.IsInf(n.Radius, 0) {
		return fmt.Errorf("rho is %g, want a finite number, 0 or above", n.Radius)
	}
	width := n.inputs()
	for _, t := range []namedTensor{{meanName, n.Mean}, {scaleName, n.Scale}} {
		if err := t.checkVector(width, "inputs"); t.tensor != nil && err != nil {
			return err
		}
	}
	if n.Graph != nil {
		return n.checkGraph(width)
	}
	for i, l := range n.Layers {
		var err error
		if width, err = n.checkLayer(i+1, l, width); err != nil {
			return err
		}
	}
	if n.Output == nil {
		return nil
	}
	if n.Output.VisibleBias != nil {
		return fmt.Errorf("the output layer has a visible bias, which a classifier has no use for")
	}
	_, err := checkAffine(outputPrefix, *n.Output, width)
	return err
}

func (n *Network) checkKinds() error {
	if !slices.Contains([]Kind{DBN, SDAE, MLP}, n.Kind) {
		return fmt.Errorf("unknown kind %.40q, want %q, %q or %q", n.Kind, DBN, SDAE, MLP)
	}
	if n.Visible != engine.Bernoulli && n.Visible != engine.Gaussian {
		return fmt.Errorf("unknown kind of visible units %d", n.Visible)
	}
	return nil
}

// maxInputs is the largest width of an input: beyond it, random numbers have no
// columns left.
const maxInputs = engine.MaxColumns

func checkShape(shape []int) error {
	if len(shape) == 0 || len(shape) > maxDimensions {
		return fmt.Errorf("input shape has %d dimensions, want 1 to %d", len(shape), maxDimensions)
	}
	size := 1
	for _, n := range shape {
		if n < 1 || n > maxInputs/size {
			return fmt.Errorf("input shape %v: want sizes of at least 1 and at most %d inputs", shape, maxInputs)
		}
		size *= n
	}
	return nil
}

// checkLayer checks layer number, which takes inputs numbers, and returns its
// number of units.
func (n *Network) checkLayer(number int, l Layer, inputs int) (units int, err error) {
	prefix := layerPrefix(number)
	if units, err = checkAffine(prefix, l, inputs); err != nil {
		return 0, fmt.Errorf("%w%s", err, n.cause(number, inputs))
	}
	if l.VisibleBias == nil {
		// Fine-tuning ends what the visible biases belong to, see Network.Output.
		if n.Kind == DBN && n.Output == nil {
			return 0, fmt.Errorf("%s%s is missing: every layer of a %s needs one", prefix, visibleBiasName, DBN)
		}
		return units, nil
	}
	return units, namedTensor{prefix + visibleBiasName, l.VisibleBias}.checkVector(inputs, "inputs")
}

// cause is what a layer of wrong shape that takes inputs numbers may come of, "" if
// nothing says.
func (n *Network) cause(number, inputs int) string {
	const transposed = "; it looks like [inputs, units], as Keras has it: save the transposes, W.T"
	l := n.Layers[number-1]
	units, cols := matrixShape(l.Weight)
	below := 0
	if number > 1 {
		_, below = matrixShape(n.Layers[number-2].Weight)
	}
	biases := 0
	if l.Bias != nil && l.Bias.Dims() == 1 {
		biases = l.Bias.Shape()[0]
	}
	switch {
	case units == 0 || units == cols || cols == inputs && biases != cols:
		return ""
	case units == inputs, biases == cols, below == units && cols != inputs:
		return transposed
	case number == 1 && cols != inputs:
		return fmt.Sprintf("; that is the product of %s, %v", inputShapeKey, n.InputShape)
	}
	return ""
}

// checkAffine checks the weight and the bias of a layer that takes inputs
// numbers, and returns its number of units.
func checkAffine(prefix string, l Layer, inputs int) (units int, err error) {
	weight := namedTensor{prefix + weightName, l.Weight}
	if l.Weight == nil {
		return 0, fmt.Errorf("%s is missing", weight.name)
	}
	shape := l.Weight.Shape()
	if len(shape) != 2 {
		return 0, fmt.Errorf("%s has %d dimensions, want [units, inputs]", weight.name, len(shape))
	}
	units, cols := shape[0], shape[1]
	if cols != inputs {
		return 0, fmt.Errorf("%s is %dx%d, but what is below it has %d numbers (want [units, %d])", weight.name, units, cols, inputs, inputs)
	}
	if err := weight.checkFinite(); err != nil {
		return 0, err
	}
	return units, namedTensor{prefix + biasName, l.Bias}.checkVector(units, "units")
}

type namedTensor struct {
	name   string
	tensor *tensor.Dense
}

// checkVector checks a tensor of one dimension; of names what its numbers
// belong to.
func (t namedTensor) checkVector(length int, of string) error {
	if t.tensor == nil {
		return fmt.Errorf("%s is missing", t.name)
	}
	shape := t.tensor.Shape()
	if len(shape) != 1 {
		return fmt.Errorf("%s has %d dimensions, want [%d]", t.name, len(shape), length)
	}
	if shape[0] != length {
		return fmt.Errorf("%s holds %d numbers for %d %s", t.name, shape[0], length, of)
	}
	return t.checkFinite()
}

func (t namedTensor) checkFinite() error {
	data, err := dense.Data(t.tensor)
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	for i, x := range data {
		if x-x != 0 {
			return fmt.Errorf("%s: %w at index %d", t.name, engine.ErrNotFinite, i)
		}
	}
	return nil
}

// errNoLayers is why an empty stack is neither read nor written.
var errNoLayers = errors.New("there are no layers: want tensors layers.1.weight, layers.1.bias and so on")
