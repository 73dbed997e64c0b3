package visualize

import (
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// readout computes the activations, before the sigmoid, of some units of one
// layer for batches of inputs.
type readout struct {
	matrices
	inputs, units int
	rows          int              // of a batch at most
	below         *network.Encoder // the layers below the units'
	weight, bias  engine.Matrix    // of the units alone, [U, _], [1, U]
	input, out    engine.Matrix    // [rows, D], [rows, U]
}

// newReadout makes room for batches of so many rows, or of fewer if the device has
// not enough memory.
func newReadout(d engine.Device, n *network.Network, layer int, units []int, rows int) (r *readout, err error) {
	err = fewerRows(d, rows, 4*int64(rowFloats(n, layer, len(units))), func(rows int) (err error) {
		r, err = readoutOf(d, n, layer, units, rows)
		return err
	})
	return r, err
}

func readoutOf(d engine.Device, n *network.Network, layer int, units []int, rows int) (*readout, error) {
	r := &readout{matrices: matrices{device: d}, inputs: n.Sizes()[0], units: len(units), rows: rows}
	weight, bias, err := unitRows(n, layer, units)
	if err != nil {
		return nil, err
	}
	if r.below, err = n.NewEncoder(d, layer-1, rows); err == nil {
		r.weight, err = r.matrix(weight)
	}
	if err == nil {
		r.bias, err = r.matrix(bias)
	}
	if err == nil {
		r.input, err = r.matrix(engine.Host{Rows: rows, Cols: r.inputs})
	}
	if err == nil {
		r.out, err = r.matrix(engine.Host{Rows: rows, Cols: len(units)})
	}
	if err != nil {
		closeInto(&err, r)
		return nil, err
	}
	return r, nil
}

// unitRows are the weights [U, _] and biases [1, U] of some units of a layer.
func unitRows(n *network.Network, layer int, units []int) (weight, bias engine.Host, err error) {
	stack, err := n.Stack(layer)
	if err != nil {
		return weight, bias, err
	}
	all := stack[layer-1]
	weight, bias = engine.Host{Rows: len(units), Cols: all.Weight.Cols}, engine.Host{Rows: 1, Cols: len(units)}
	for _, u := range units {
		weight.Data = append(weight.Data, all.Weight.Data[u*weight.Cols:(u+1)*weight.Cols]...)
		bias.Data = append(bias.Data, all.Bias[u])
	}
	return weight, bias, nil
}

// at puts a batch of inputs x [_, D] on the device and returns it there with the
// activations [_, U]. Both are valid until the next call.
func (r *readout) at(x []float32) (input, activation engine.Matrix, err error) {
	rows := len(x) / r.inputs
	if input, err = r.input.Slice(0, rows); err != nil {
		return nil, nil, err
	}
	if err := input.Write(x); err != nil {
		return nil, nil, err
	}
	h, err := r.below.Encode(input)
	if err != nil {
		return nil, nil, err
	}
	if activation, err = r.out.Slice(0, rows); err != nil {
		return nil, nil, err
	}
	p := engine.Multiply(false, true)
	p.Epilogue.Bias = r.bias
	return input, activation, r.device.Gemm(activation, h, r.weight, p)
}

// Close gives the device's memory back.
func (r *readout) Close() error {
	err := r.matrices.Close()
	if r.below != nil {
		closeInto(&err, r.below)
	}
	return err
}

// rowFloats is how many numbers a device holds for a row of a batch that goes
// up to a layer, with some units read out.
func rowFloats(n *network.Network, layer, units int) int {
	floats := units
	for _, width := range n.Sizes()[:layer+1] {
		floats += width
	}
	return floats
}

// checkResponses refuses more responses of units to patterns than there is memory
// for.
func checkResponses(patterns, units int) error {
	const bytes = 16
	return checkResults(fmt.Sprintf("the responses of %s to %s", words.Count(units, "unit"), words.Count(patterns, "pattern")), bytes*float64(patterns)*float64(units), "fewer units")
}

// activationsOf computes the activations [n, U] of units for inputs x [n, D],
// which are batched as the device's memory wants it.
func activationsOf(d engine.Device, n *network.Network, layer int, units []int, x []float32) (activation []float32, err error) {
	inputs := n.Sizes()[0]
	count := len(x) / inputs
	if err := checkResponses(count, len(units)); err != nil {
		return nil, err
	}
	r, err := newReadout(d, n, layer, units, fittingRows(d, count, rowFloats(n, layer, len(units)), maxChunkRows))
	if err != nil {
		return nil, err
	}
	defer closeInto(&err, r)
	activation = make([]float32, count*len(units))
	for from := 0; from < count; from += r.rows {
		to := min(from+r.rows, count)
		_, a, err := r.at(x[from*inputs : to*inputs])
		if err != nil {
			return nil, err
		}
		if err := a.Read(activation[from*len(units) : to*len(units)]); err != nil {
			return nil, err
		}
	}
	for i, a := range activation {
		if a-a != 0 {
			return nil, fmt.Errorf("the activation of unit %d for pattern %d: %w", units[i%len(units)], i/len(units), engine.ErrNotFinite)
		}
	}
	return activation, nil
}
