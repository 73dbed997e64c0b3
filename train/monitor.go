package train

import (
	"math"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// The monitors' samples, see [Report].
const (
	sampleLeast, sampleMost = 10, 100
	sampleShare             = 64
)

// sample is a few inputs of a layer, on the device and on the host.
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
	// binary is train rounded to 0 and 1, flipped is the same with one
	// component of each row flipped.
	binary, flipped sample
	keys            []uint64      // identities of the rows of train
	hidden          engine.Matrix // [most rows, units]
	output          engine.Matrix // [most rows, inputs]
	norms           engine.Matrix // [most rows, 1]
	visibleBias     []float32     // [inputs]
}

func newMonitor(l *layerRun) (*monitor, error) {
	if l.hooks.Report == nil {
		return nil, nil
	}
	m := &monitor{device: l.device, kind: l.options.Kind, visible: l.options.visible(l.layer), layer: l.layer, seed: l.options.Seed}
	interval := l.plan.examples
	if l.plan.report > 0 {
		interval = l.plan.report * l.plan.batch
	}
	rows := min(max(interval/sampleShare, sampleLeast), sampleMost)
	var err error
	indices := spread(l.set.Len(), rows)
	if m.train, err = l.sample(l.set, 0, indices); err != nil {
		return nil, err
	}
	m.keys = l.keys(0, indices)
	if l.held != nil {
		if m.held, err = l.sample(l.held, l.set.Len(), spread(l.held.Len(), rows)); err != nil {
			return nil, err
		}
	}
	inputs := l.inputs(l.layer)
	m.visibleBias = make([]float32, inputs)
	m.hidden, m.output, m.norms = l.buffers.matrix(rows, l.options.Units[l.layer-1]), l.buffers.matrix(rows, inputs), l.buffers.matrix(rows, 1)
	if m.pseudo() {
		m.binary = l.buffers.sample(len(indices), inputs)
		m.flipped = l.buffers.sample(len(indices), inputs)
		for i, x := range m.train.rows {
			m.binary.rows[i] = float32(math.Round(float64(x)))
		}
		if l.buffers.err == nil {
			l.buffers.err = m.binary.matrix.Write(m.binary.rows)
		}
	}
	return m, l.buffers.err
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

// measure fills in a report's monitors.
func (m *monitor) measure(r *Report, s engine.TrainingState) (err error) {
	r.HeldError, r.FreeEnergyGap, r.PseudoLikelihood = math.NaN(), math.NaN(), math.NaN()
	if err := s.Parameters.VisibleBias.Read(m.visibleBias); err != nil {
		return err
	}
	if m.held.matrix != nil {
		if r.HeldError, err = m.reconstructionError(m.held, s.Parameters); err != nil {
			return err
		}
		if m.kind == network.DBN {
			if r.FreeEnergyGap, err = m.freeEnergyGap(s.Parameters); err != nil {
				return err
			}
		}
	}
	if m.pseudo() {
		r.PseudoLikelihood, err = m.pseudoLikelihood(s)
	}
	return err
}

func (m *monitor) freeEnergyGap(p engine.Parameters) (float64, error) {
	train, err := m.freeEnergies(m.train, p)
	if err != nil {
		return 0, err
	}
	held, err := m.freeEnergies(m.held, p)
	return mean(held) - mean(train), err
}

// freeEnergies is [FreeEnergies] with the product on the device.
func (m *monitor) freeEnergies(s sample, p engine.Parameters) ([]float64, error) {
	n, inputs := s.matrix.Rows(), s.matrix.Cols()
	hidden, err := m.hidden.Slice(0, n)
	if err != nil {
		return nil, err
	}
	up := engine.Multiply(false, true)
	up.Epilogue.Bias = p.Bias
	if err := m.device.Gemm(hidden, s.matrix, p.Weight, up); err != nil {
		return nil, err
	}
	activations := make([]float32, n*hidden.Cols())
	if err := hidden.Read(activations); err != nil {
		return nil, err
	}
	energies := make([]float64, n)
	for i := range energies {
		energy := visibleEnergy(m.visible, s.rows[i*inputs:(i+1)*inputs], m.visibleBias)
		for _, a := range activations[i*hidden.Cols() : (i+1)*hidden.Cols()] {
			energy -= softplus(float64(a))
		}
		energies[i] = energy
	}
	return energies, nil
}

// pseudoLikelihood flips one component of each example: of D components, log
// p(x_j | the others) = log sigmoid(F(flipped) - F(x)), so D times that is an
// unbiased estimate of the sum over all of them.
func (m *monitor) pseudoLikelihood(s engine.TrainingState) (float64, error) {
	inputs := m.binary.matrix.Cols()
	copy(m.flipped.rows, m.binary.rows)
	for i, key := range m.keys {
		j := i*inputs + engine.NewSource(m.seed, engine.PurposeMonitor, s.Updates, key).IntN(inputs)
		m.flipped.rows[j] = 1 - m.flipped.rows[j]
	}
	if err := m.flipped.matrix.Write(m.flipped.rows); err != nil {
		return 0, err
	}
	energies, err := m.freeEnergies(m.binary, s.Parameters)
	if err != nil {
		return 0, err
	}
	flipped, err := m.freeEnergies(m.flipped, s.Parameters)
	if err != nil {
		return 0, err
	}
	for i := range energies {
		energies[i] = -float64(inputs) * softplus(energies[i]-flipped[i])
	}
	return mean(energies), nil
}

// reconstructionError is the mean of ||E[v|h] - x||^2 with h the mean
// activations of x.
func (m *monitor) reconstructionError(s sample, p engine.Parameters) (float64, error) {
	n := s.matrix.Rows()
	hidden, err := m.hidden.Slice(0, n)
	if err != nil {
		return 0, err
	}
	output, err := m.output.Slice(0, n)
	if err != nil {
		return 0, err
	}
	up, down := engine.Multiply(false, true), engine.Multiply(false, false)
	up.Epilogue = engine.Epilogue{Kind: engine.EpilogueSigmoid, Bias: p.Bias}
	down.Epilogue.Bias = p.VisibleBias
	if m.visible == engine.Bernoulli {
		down.Epilogue.Kind = engine.EpilogueSigmoid
	}
	if err := m.device.Gemm(hidden, s.matrix, p.Weight, up); err != nil {
		return 0, err
	}
	if err := m.device.Gemm(output, hidden, p.Weight, down); err != nil {
		return 0, err
	}
	if err := m.device.Axpby(output, -1, s.matrix, 1); err != nil {
		return 0, err
	}
	return m.squaredNorms(output)
}

// squaredNorms is the mean squared norm of the rows of x.
func (m *monitor) squaredNorms(x engine.Matrix) (float64, error) {
	view, err := m.norms.Slice(0, x.Rows())
	if err != nil {
		return 0, err
	}
	if err := m.device.Reduce(view, x, engine.Total(engine.RowNorms)); err != nil {
		return 0, err
	}
	norms := make([]float32, x.Rows())
	if err := view.Read(norms); err != nil {
		return 0, err
	}
	sum := 0.0
	for _, norm := range norms {
		sum += float64(norm) * float64(norm)
	}
	return sum / float64(len(norms)), nil
}

func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}
