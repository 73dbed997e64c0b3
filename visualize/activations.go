package visualize

import (
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// readout computes the activations, before the nonlinearity, of some units of one
// layer for batches of inputs, or what they put out.
type readout struct {
	device        engine.Device
	matrices      engine.Matrices
	inputs, units int
	after         bool          // what is put out
	rows          int           // of a batch at most
	model         *engine.Model // the network up to the layer, with the units alone
	at            engine.Value  // of the units
	input, out    engine.Matrix // [rows, D], [rows, U]
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
	net, err := n.Upto(layer, units)
	if err != nil {
		return nil, err
	}
	r := &readout{device: d, inputs: net.Input.Size(), units: len(units), rows: rows, at: engine.Value(len(net.Ops))}
	if r.model, err = engine.Load(d, net); err == nil {
		r.input, err = r.matrices.New(d, rows, r.inputs)
	}
	if err == nil {
		r.out, err = r.matrices.New(d, rows, len(units))
	}
	if err != nil {
		closeInto(&err, r)
		return nil, err
	}
	return r, nil
}

// of puts a batch of inputs x [_, D] on the device and returns it there with the
// activations [_, U]. Both are valid until the next call.
func (r *readout) of(x []float32) (input, activation engine.Matrix, err error) {
	rows := len(x) / r.inputs
	if input, err = r.input.Slice(0, rows); err != nil {
		return nil, nil, err
	}
	if err := input.Write(x); err != nil {
		return nil, nil, err
	}
	if activation, err = r.out.Slice(0, rows); err != nil {
		return nil, nil, err
	}
	return input, activation, r.model.Forward(input, engine.Output{At: r.at, After: r.after, To: activation})
}

// Close gives the device's memory back.
func (r *readout) Close() error {
	err := r.matrices.Close()
	if r.model != nil {
		closeInto(&err, r.model)
	}
	return err
}

// rowFloats is how many numbers a device holds for a row of a batch that goes
// up to a layer, with some units read out.
func rowFloats(n *network.Network, layer, units int) int {
	floats := units
	for _, s := range n.Shapes(layer) {
		floats += s.Size()
	}
	return floats
}

// checkResponses refuses more responses of units to patterns than there is memory
// for.
func checkResponses(patterns, units int) error {
	const bytes = 16
	return checkResults(fmt.Sprintf("the responses of %s to %s", words.Count(units, "unit"), words.Count(patterns, "pattern")), bytes*float64(patterns)*float64(units), "fewer units")
}

// Activations computes the activations [n, units], before the nonlinearity, of all units
// of a layer for inputs x [n, D] as the network takes them, see
// [network.Network.Preprocess].
func Activations(d engine.Device, n *network.Network, layer int, x []float32) ([]float32, error) {
	if err := n.CheckLayer(layer); err != nil {
		return nil, err
	}
	if inputs := n.Sizes()[0]; len(x) == 0 || len(x)%inputs != 0 {
		return nil, fmt.Errorf("activations: %d numbers are not whole rows of %d inputs", len(x), inputs)
	}
	return activationsOf(d, n, layer, appendRange(nil, 0, n.Sizes()[layer]-1), x)
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
		_, a, err := r.of(x[from*inputs : to*inputs])
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
