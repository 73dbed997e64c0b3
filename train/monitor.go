package train

import (
	"math"
	"slices"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// The monitors' samples, see [Measurement].
const (
	sampleLeast, sampleMost = 100, 10_000
	sampleShare             = 20
	// sampleNumbers bounds the numbers that a sample takes.
	sampleNumbers = 1 << 22
	// sampleFlips is how many components of each example the pseudo-likelihood
	// looks at; all of them where there are no more.
	sampleFlips = 2
)

// sampleSize is how many examples the monitors' samples have at most, for a layer
// that is shown so many of them between two measurements.
func sampleSize(interval, inputs int) int {
	return min(max(interval/sampleShare, sampleLeast), sampleMost, max(sampleNumbers/inputs, sampleLeast))
}

// sample is some inputs of a layer, on the device and on the host.
type sample struct {
	matrix engine.Matrix // [n, inputs]
	rows   []float32     // the same
}

// monitor measures a layer in training on samples. It has buffers of its own
// and only reads the parameters.
type monitor struct {
	device      engine.Device
	kind        network.Kind
	visible     engine.VisibleKind
	layer       int
	seed        uint64
	train, held sample
	binary      sample        // train rounded to 0 and 1
	keys        []uint64      // identities of the rows of train
	hidden      engine.Matrix // [rows of a chunk, units]
	output      engine.Matrix // [rows of a chunk, inputs]
	norms       engine.Matrix // [rows of a chunk, 1]
	activations []float32     // [rows of a chunk, units] on the host
	means       []float32     // their sigmoids
	visibleBias []float32     // [inputs]
}

func newMonitor(l *layerRun) (*monitor, error) {
	if l.hooks.Measured == nil {
		return nil, nil
	}
	m := &monitor{device: l.device, kind: l.options.Kind, visible: l.options.visible(l.layer), layer: l.layer, seed: l.options.Seed}
	interval := l.schedule.Examples
	if l.schedule.Measure > 0 {
		interval = l.schedule.Measure * l.schedule.Batch
	}
	inputs, units := l.inputs(l.layer), l.options.Units[l.layer-1]
	most := sampleSize(interval, inputs)
	var err error
	indices := drawn(m.seed, 0, l.set.Len(), most)
	if m.train, err = l.sample(l.set, 0, indices); err != nil {
		return nil, err
	}
	m.keys = l.keys(0, indices)
	if l.held != nil {
		if m.held, err = l.sample(l.held, l.set.Len(), drawn(m.seed, 1, l.held.Len(), most)); err != nil {
			return nil, err
		}
	}
	if m.pseudo() {
		m.binary = l.buffers.sample(len(indices), inputs)
		for i, x := range m.train.rows {
			m.binary.rows[i] = float32(math.Round(float64(x)))
		}
		if l.buffers.err == nil {
			l.buffers.err = m.binary.matrix.Write(m.binary.rows)
		}
	}
	m.visibleBias = make([]float32, inputs)
	chunk := min(most, max(1, chunkNumbers/4/max(inputs, units)))
	m.hidden, m.output, m.norms = l.buffers.matrix(chunk, units), l.buffers.matrix(chunk, inputs), l.buffers.matrix(chunk, 1)
	m.activations, m.means = make([]float32, chunk*units), make([]float32, chunk*units)
	return m, l.buffers.err
}

// drawn returns count of 0..n-1 at random, in order, or all. (Evenly spaced ones
// would do for data in no order. But MNIST's training images come in turns from
// two groups of writers: the free energies of every other image of its second layer
// are 15 nats apart.)
func drawn(seed, set uint64, n, count int) []int {
	indices := make([]int, min(n, count))
	order := engine.NewSource(seed, engine.PurposeMonitor, statisticStep, set).Order(n)
	for i := range indices {
		indices[i] = int(order[i])
	}
	slices.Sort(indices)
	return indices
}

func (b *buffers) sample(rows, inputs int) sample {
	return sample{matrix: b.matrix(rows, inputs), rows: make([]float32, rows*inputs)}
}

// sample returns the layer's inputs for examples that are numbers first+indices.
func (l *layerRun) sample(set dataset.Set, first int, indices []int) (sample, error) {
	s := l.buffers.sample(len(indices), l.inputs(l.layer))
	if l.buffers.err != nil {
		return s, l.buffers.err
	}
	err := l.each(set, first, indices, func(x engine.Matrix, at int) error {
		return x.Read(s.rows[at*x.Cols() : (at+x.Rows())*x.Cols()])
	})
	if err != nil {
		return s, err
	}
	return s, s.matrix.Write(s.rows)
}

// pseudo says whether there is a pseudo-likelihood.
func (m *monitor) pseudo() bool { return m.kind == network.DBN && m.visible == engine.Bernoulli }

// measure fills in what monitors show.
func (m *monitor) measure(r *Measurement, s engine.TrainingState) (err error) {
	nan := math.NaN()
	r.HeldError, r.FreeEnergyGap, r.FreeEnergyGapError, r.PseudoLikelihood, r.PseudoLikelihoodError = nan, nan, nan, nan, nan
	if err := s.Parameters.VisibleBias.Read(m.visibleBias); err != nil {
		return err
	}
	if m.held.matrix != nil {
		held, squares, err := m.measureHeld(s.Parameters)
		if err != nil {
			return err
		}
		r.HeldError = mean(squares)
		if m.kind == network.DBN {
			train, err := m.freeEnergies(m.train, s.Parameters)
			if err != nil {
				return err
			}
			r.FreeEnergyGap = mean(held) - mean(train)
			r.FreeEnergyGapError = math.Hypot(deviationOfMean(held), deviationOfMean(train))
		}
	}
	if m.pseudo() {
		logs, err := m.pseudoLogs(s)
		if err != nil {
			return err
		}
		r.PseudoLikelihood, r.PseudoLikelihoodError = mean(logs), deviationOfMean(logs)
	}
	return nil
}

// chunks goes through a sample. hidden holds the hidden units' activations before
// the sigmoid, W v + b, of rows from..to-1, which are x.
func (m *monitor) chunks(s sample, p engine.Parameters, visit func(from, to int, x, hidden engine.Matrix) error) error {
	up := engine.Multiply(false, true)
	up.Epilogue.Bias = p.Bias
	for from := 0; from < s.matrix.Rows(); from += m.hidden.Rows() {
		to := min(from+m.hidden.Rows(), s.matrix.Rows())
		x, err := s.matrix.Slice(from, to)
		if err != nil {
			return err
		}
		hidden, err := m.hidden.Slice(0, to-from)
		if err != nil {
			return err
		}
		if err := m.device.Gemm(hidden, x, p.Weight, up); err != nil {
			return err
		}
		if err := visit(from, to, x, hidden); err != nil {
			return err
		}
	}
	return nil
}

// freeEnergies is [FreeEnergies] with the product on the device.
func (m *monitor) freeEnergies(s sample, p engine.Parameters) ([]float64, error) {
	energies := make([]float64, s.matrix.Rows())
	err := m.chunks(s, p, func(from, to int, _, hidden engine.Matrix) error {
		return m.energies(energies[from:to], s, from, hidden)
	})
	return energies, err
}

// energies computes the free energies of the rows of a sample from some row on.
// It leaves the sigmoids in hidden.
func (m *monitor) energies(energies []float64, s sample, from int, hidden engine.Matrix) error {
	inputs, units := len(m.visibleBias), hidden.Cols()
	activations, means := m.activations[:len(energies)*units], m.means[:len(energies)*units]
	if err := hidden.Read(activations); err != nil {
		return err
	}
	if err := m.device.Sigmoid(hidden, hidden); err != nil {
		return err
	}
	if err := hidden.Read(means); err != nil {
		return err
	}
	inParallel(len(energies), func(i int) {
		v := s.rows[(from+i)*inputs : (from+i+1)*inputs]
		energies[i] = visibleEnergy(m.visible, v, m.visibleBias) - softplusOf(activations[i*units:(i+1)*units], means[i*units:(i+1)*units])
	})
	return nil
}

// measureHeld returns the free energies of the examples held out, of an RBM, and
// their squared errors ||E[v|h] - x||^2, with h the mean activations of x.
func (m *monitor) measureHeld(p engine.Parameters) (energies, squares []float64, err error) {
	energies, squares = make([]float64, m.held.matrix.Rows()), make([]float64, m.held.matrix.Rows())
	down := engine.Multiply(false, false)
	down.Epilogue.Bias = p.VisibleBias
	if m.visible == engine.Bernoulli {
		down.Epilogue.Kind = engine.EpilogueSigmoid
	}
	err = m.chunks(m.held, p, func(from, to int, x, hidden engine.Matrix) error {
		var err error
		if m.kind == network.DBN {
			err = m.energies(energies[from:to], m.held, from, hidden)
		} else {
			err = m.device.Sigmoid(hidden, hidden)
		}
		if err != nil {
			return err
		}
		output, err := m.output.Slice(0, to-from)
		if err != nil {
			return err
		}
		if err := m.device.Gemm(output, hidden, p.Weight, down); err != nil {
			return err
		}
		if err := m.device.Axpby(output, -1, x, 1); err != nil {
			return err
		}
		return squaredNorms(m.device, squares[from:to], m.norms, output)
	})
	return energies, squares, err
}
