package network

import (
	"errors"
	"fmt"

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

// Stack returns layers 1..layers as the plans of package engine take them. The
// numbers are shared with the network, not copied. layers outside
// 1..len(Layers) is an error.
func (n *Network) Stack(layers int) ([]engine.Layer, error) {
	if n.Graph != nil {
		return nil, fmt.Errorf("stack: %w", ErrNoStack)
	}
	if layers < 1 || layers > len(n.Layers) {
		return nil, fmt.Errorf("stack: %d layers of a network of %d", layers, len(n.Layers))
	}
	return n.stack(layers)
}

func (n *Network) stack(layers int) ([]engine.Layer, error) {
	var stack []engine.Layer
	for i, l := range n.Layers[:layers] {
		weight, err := dense.Host(l.Weight)
		if err != nil {
			return nil, fmt.Errorf("%s%s: %w", layerPrefix(i+1), weightName, err)
		}
		bias, err := dense.Data(l.Bias)
		if err != nil {
			return nil, fmt.Errorf("%s%s: %w", layerPrefix(i+1), biasName, err)
		}
		stack = append(stack, engine.Layer{Weight: weight, Bias: bias})
	}
	return stack, nil
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

// Encoder computes the mean activations h of a stack of layers for batches of
// inputs. It belongs to one goroutine at a time, as its device does.
type Encoder struct {
	device engine.Device
	inputs int
	rows   int
	layers []encoderLayer
	owned  []engine.Matrix
	closed bool
}

type encoderLayer struct {
	weight, bias engine.Matrix // [units, inputs], [1, units]
	out          engine.Matrix // [rows, units]
}

// NewEncoder puts layers 1..layers on a device, once, with room for batches of
// up to rows rows. layers may be 0: then Encode returns its input. The encoder
// keeps the parameters that the network has now; [Encoder.Close] gives the
// device's memory back.
func (n *Network) NewEncoder(d engine.Device, layers, rows int) (*Encoder, error) {
	if n.Graph != nil {
		return nil, fmt.Errorf("new encoder: %w", ErrNoStack)
	}
	if layers < 0 || layers > len(n.Layers) {
		return nil, fmt.Errorf("new encoder: %d layers of a network of %d", layers, len(n.Layers))
	}
	if rows < 1 {
		return nil, fmt.Errorf("new encoder: batches of %d rows, want at least 1", rows)
	}
	stack, err := n.stack(layers)
	if err != nil {
		return nil, fmt.Errorf("new encoder: %w", err)
	}
	e := &Encoder{device: d, inputs: n.inputs(), rows: rows}
	width := e.inputs
	for i, l := range stack {
		if l.Weight.Cols != width || len(l.Bias) != l.Weight.Rows {
			err = fmt.Errorf("new encoder: layer %d has weights %dx%d and %d biases, what is below it has %d numbers", i+1, l.Weight.Rows, l.Weight.Cols, len(l.Bias), width)
		} else {
			err = e.add(l)
		}
		if err != nil {
			return nil, errors.Join(err, e.Close())
		}
		width = l.Weight.Rows
	}
	return e, nil
}

// add puts one more layer on the device.
func (e *Encoder) add(l engine.Layer) error {
	weight, err := e.upload(l.Weight)
	if err != nil {
		return err
	}
	bias, err := e.upload(engine.Host{Rows: 1, Cols: len(l.Bias), Data: l.Bias})
	if err != nil {
		return err
	}
	out, err := e.room(l.Weight.Rows)
	if err != nil {
		return err
	}
	e.layers = append(e.layers, encoderLayer{weight, bias, out})
	return nil
}

// room returns a matrix for h of the next layer. The one of two layers below
// is free by then and serves again if it is as wide.
func (e *Encoder) room(units int) (engine.Matrix, error) {
	if below := len(e.layers) - 2; below >= 0 && e.layers[below].out.Cols() == units {
		return e.layers[below].out, nil
	}
	return e.matrix(e.rows, units)
}

func (e *Encoder) matrix(rows, cols int) (engine.Matrix, error) {
	m, err := e.device.New(rows, cols)
	if err == nil {
		e.owned = append(e.owned, m)
	}
	return m, err
}

func (e *Encoder) upload(h engine.Host) (engine.Matrix, error) {
	m, err := e.matrix(h.Rows, h.Cols)
	if err != nil {
		return nil, err
	}
	return m, m.Write(h.Data)
}

// Encode returns the mean activations h [n, units] of the top layer for x
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
	}
	h := x
	for i, l := range e.layers {
		out, err := l.out.Slice(0, x.Rows())
		if err != nil {
			return nil, fmt.Errorf("encode layer %d: %w", i+1, err)
		}
		p := engine.Multiply(false, true)
		p.Epilogue = engine.Epilogue{Kind: engine.EpilogueSigmoid, Bias: l.bias}
		if err := e.device.Gemm(out, h, l.weight, p); err != nil {
			return nil, fmt.Errorf("encode layer %d: %w", i+1, err)
		}
		h = out
	}
	return h, nil
}

// Close gives the device's memory back. The results of Encode end with it; a
// second Close does nothing.
func (e *Encoder) Close() error {
	e.closed = true
	var errs []error
	for _, m := range e.owned {
		errs = append(errs, m.Close())
	}
	e.owned = nil
	return errors.Join(errs...)
}
