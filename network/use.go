package network

import (
	"errors"
	"fmt"
	"slices"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
)

// CheckLayer returns a [words.OptionError] about an option Layer that is none of the
// network's layers, which count from 1.
func (n *Network) CheckLayer(layer int) error {
	if layer < 1 || layer > n.Depth() {
		return words.BadOption("Layer", layer, "the model has layers 1 to %d", n.Depth())
	}
	return nil
}

// Stack returns layers 1..layers as package engine takes them, its plans and
// engine.Stack. The numbers are shared with the network, not copied. layers outside
// 1..len(Layers) is an error: class units are none of a stack's.
func (n *Network) Stack(layers int) ([]engine.Layer, error) {
	if err := n.CheckStack(); err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	if layers < 1 || layers > len(n.Layers) {
		return nil, fmt.Errorf("stack: %d layers of a network of %d", layers, len(n.Layers))
	}
	var stack []engine.Layer
	for i, l := range n.Layers[:layers] {
		parameters, err := l.parameters(layerPrefix(i + 1))
		if err != nil {
			return nil, err
		}
		stack = append(stack, parameters)
	}
	return stack, nil
}

// CheckGenerative says why layers 1..layer can't be sampled from, nil if they can: if each
// of them is a Restricted Boltzmann Machine with what is below it.
func (n *Network) CheckGenerative(layer int) error {
	const others = "ascent, combine and examples work with every model"
	err := n.CheckStack()
	switch {
	case err != nil:
		return fmt.Errorf("%w, and has no generative half; %s", err, others)
	case n.Kind != DBN:
		return fmt.Errorf("the model is of kind %s, which has no generative half: only in a %s is a layer an RBM with what is below it, so that p(below | above) can be sampled; %s", n.Kind, DBN, others)
	case n.Output != nil:
		return fmt.Errorf("the model has been fine-tuned as a classifier (it has output.weight), and its layers are RBMs no more: it has no generative half; give the %s before fine-tuning", DBN)
	}
	if _, err := n.Stack(layer); err != nil {
		return err
	}
	for i, l := range n.Layers[:layer] {
		if l.VisibleBias == nil {
			return fmt.Errorf("%s%s is missing: without it nothing can be sampled below layer %d", layerPrefix(i+1), visibleBiasName, i+1)
		}
	}
	return nil
}

// Reconstructs is true if what layers 1..layer put out can be taken down again to an
// input, by the weights' transposes and visible biases.
func (n *Network) Reconstructs(layer int) bool {
	return layer <= len(n.Layers) && !slices.ContainsFunc(n.Layers[:layer], func(l Layer) bool { return l.VisibleBias == nil })
}

// Preprocess turns data into the network's input, in place: x = (x - Mean) *
// Scale, each step rounded to float32. x holds whole rows of inputs. Without
// Mean and Scale nothing changes.
func (n *Network) Preprocess(x []float32) error {
	inputs := n.inputs()
	if inputs < 1 || len(x)%inputs != 0 {
		return fmt.Errorf("preprocess: %d numbers are not whole rows of %d inputs", len(x), inputs)
	}
	mean, err := optionalData(namedTensor{meanName, n.Mean}, inputs)
	if err != nil {
		return err
	}
	scale, err := optionalData(namedTensor{scaleName, n.Scale}, inputs)
	if err != nil {
		return err
	}
	for ; len(x) > 0; x = x[inputs:] {
		for j, m := range mean {
			x[j] -= m
		}
		for j, s := range scale {
			x[j] *= s
		}
	}
	return nil
}

// optionalData returns the numbers of an optional tensor of preprocessing.
func optionalData(t namedTensor, inputs int) ([]float32, error) {
	if t.tensor == nil {
		return nil, nil
	}
	data, err := dense.Data(t.tensor)
	if err == nil && len(data) != inputs {
		err = fmt.Errorf("it holds %d numbers for %d inputs", len(data), inputs)
	}
	if err != nil {
		return nil, fmt.Errorf("preprocess: %s: %w", t.name, err)
	}
	return data, nil
}

// Encoder computes the outputs h of a layer for batches of inputs: of a stack, the mean
// activations. It belongs to one goroutine at a time, as its device does.
type Encoder struct {
	inputs int
	rows   int
	model  *engine.Model // nil for no layers
	at     engine.Value
	out    engine.Matrix // [rows, units]
	closed bool
}

// NewEncoder puts layers 1..layers on a device, once, with room for batches of
// up to rows rows. layers may be 0: then Encode returns its input. The network's
// parameters must stay as they are until [Encoder.Close], which gives the device's
// memory back.
func (n *Network) NewEncoder(d engine.Device, layers, rows int) (*Encoder, error) {
	if layers < 0 || layers > n.Depth() {
		return nil, fmt.Errorf("new encoder: %d layers of a network of %d", layers, n.Depth())
	}
	if rows < 1 {
		return nil, fmt.Errorf("new encoder: batches of %d rows, want at least 1", rows)
	}
	e := &Encoder{inputs: n.inputs(), rows: rows}
	if layers == 0 {
		return e, nil
	}
	net, err := n.Upto(layers, nil)
	if err != nil {
		return nil, fmt.Errorf("new encoder: %w", err)
	}
	e.at = engine.Value(len(net.Ops))
	if e.model, err = engine.Load(d, net); err != nil {
		return nil, fmt.Errorf("new encoder: %w", err)
	}
	if e.out, err = d.New(rows, e.model.Shape(e.at).Size()); err != nil {
		return nil, errors.Join(err, e.model.Close())
	}
	return e, nil
}

// Encode returns the outputs h [n, units] of the top layer for x
// [n, inputs], n at most the rows that the encoder was made for. x is the
// network's input, after [Network.Preprocess]. The result is on the device,
// belongs to the encoder, and is valid until the next call; with no layers it is
// x itself.
func (e *Encoder) Encode(x engine.Matrix) (engine.Matrix, error) {
	switch {
	case e.closed:
		return nil, errors.New("encode: the encoder is closed")
	case x == nil:
		return nil, errors.New("encode: x is missing (nil)")
	case x.Cols() != e.inputs || x.Rows() > e.rows:
		return nil, fmt.Errorf("encode: x is %dx%d, want up to %d rows of %d inputs", x.Rows(), x.Cols(), e.rows, e.inputs)
	case e.model == nil:
		return x, nil
	}
	out, err := e.out.Slice(0, x.Rows())
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if err := e.model.Forward(x, engine.Output{At: e.at, After: true, To: out}); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return out, nil
}

// Close gives the device's memory back. The results of Encode end with it; a
// second Close does nothing.
func (e *Encoder) Close() error {
	if e.closed = true; e.model == nil {
		return nil
	}
	return errors.Join(e.model.Close(), e.out.Close())
}
