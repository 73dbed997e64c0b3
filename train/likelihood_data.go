package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// NamedSet is a data set with what its row in a table is called.
type NamedSet struct {
	Name string // "train"
	dataset.Set
}

// Likelihood is what [MeasureLikelihood] found about one layer, in nats.
type Likelihood struct {
	Layer  int
	Method LikelihoodMethod // ExactPartition or AnnealPartition
	// Partition is log Z. If it is exact, Low, High and the rest of its intervals
	// are the value itself, Deviation is 0 and Effective NaN.
	Partition Estimate
	// Reverse is the estimate of log Z by reverse annealing; nil if it is exact.
	Reverse *Estimate
	// Annealing are the runs that both come from; nil if it is exact.
	Annealing *Annealing
	Sets      []SetLikelihood
}

// SetLikelihood is the likelihood of one data set, in nats.
type SetLikelihood struct {
	Name     string
	Examples int
	// FreeEnergy is the mean of F(v), and Deviation its standard deviation, which
	// is that of LogLikelihood by the choice of examples.
	FreeEnergy, Deviation float64
	// FreeEnergyGap is FreeEnergy less that of the first set, the training set:
	// above 0 where the model has learned examples by heart.
	FreeEnergyGap float64
	// LogLikelihood is the mean of log p(v) = -F(v) - log Z, with Low and High by
	// those of Partition.
	LogLikelihood, Low, High float64
	// Reverse is the mean with log Z by reverse annealing: in expectation too low
	// if the chains had reached the model's distribution, which [Annealing.Doubts]
	// looks at, and else no bound. NaN if log Z is exact.
	Reverse float64
	// PseudoLikelihood is the mean of sum_j log p(v_j | the others), with v
	// rounded to 0 and 1, estimated from [PseudoComponents] components of each
	// example. NaN for Gaussian inputs.
	PseudoLikelihood float64
}

// PseudoComponents is how many components of each example a pseudo-likelihood
// looks at, drawn at random; all of them where there are no more.
const PseudoComponents = 16

// AnnealingWork is what progress calls annealing.
const AnnealingWork = "annealing"

// MeasureLikelihood measures the RBM in layer o.Layer of a Deep Belief Net on
// data sets of any size, each read once: log Z, the mean log-likelihood, free
// energy and pseudo-likelihood. The layers below encode the data by their mean
// activations, so the likelihood of a layer above the first is that of its own
// inputs, not of the data. Inputs between 0 and 1 are taken as they are, in place
// of Bernoulli states. The first set is the training set: annealing starts from
// its means, and reverse annealing from its examples.
//
// progress, which may be nil, is told of each work (the name of a set, or
// [AnnealingWork]) how much of it is done, in examples or sweeps. MeasureLikelihood
// stops soon after ctx ends, with an error that wraps the context's.
func MeasureLikelihood(ctx context.Context, d engine.Device, n *network.Network, sets []NamedSet, o LikelihoodOptions, progress func(work string, done, total int64)) (result *Likelihood, err error) {
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	if err := o.Check(n); err != nil {
		return nil, err
	}
	if len(sets) == 0 || sets[0].Len() == 0 {
		return nil, errors.New("likelihood: no training examples")
	}
	m := &likelihoodRun{ctx: ctx, buffers: buffers{device: d}, network: n, options: o, progress: progress}
	defer func() { err = errors.Join(err, m.close()) }()
	if err := m.prepare(); err != nil {
		return nil, fmt.Errorf("likelihood: %w", err)
	}
	result = &Likelihood{Layer: o.Layer, Method: o.Method}
	var means []float64
	for i, set := range sets {
		s, inputMeans, err := m.measure(set, i)
		if err != nil {
			return nil, fmt.Errorf("likelihood of %s: %w", set.Name, err)
		}
		if i == 0 {
			means = inputMeans
		}
		result.Sets = append(result.Sets, s)
	}
	if err := m.partition(result, sets[0], means); err != nil {
		return nil, err
	}
	result.complete()
	return result, nil
}

// complete fills in what needs all sets and log Z.
func (l *Likelihood) complete() {
	reverse := math.NaN()
	if l.Reverse != nil {
		reverse = l.Reverse.LogPartition
	}
	for i := range l.Sets {
		s := &l.Sets[i]
		s.FreeEnergyGap = s.FreeEnergy - l.Sets[0].FreeEnergy
		s.LogLikelihood = -s.FreeEnergy - l.Partition.LogPartition
		s.Low, s.High = -s.FreeEnergy-l.Partition.High, -s.FreeEnergy-l.Partition.Low
		s.Reverse = -s.FreeEnergy - reverse
	}
}

// likelihoodRun is one call of MeasureLikelihood.
type likelihoodRun struct {
	buffers
	ctx      context.Context
	network  *network.Network
	options  LikelihoodOptions
	progress func(work string, done, total int64)

	model       *rbm
	columns     []float32 // [inputs, hidden] W'
	encoder     *network.Encoder
	weight      engine.Matrix // W
	bias        engine.Matrix // b [1, hidden]
	input       engine.Matrix // [chunk, inputs of the network]
	visible     engine.Matrix // [chunk, inputs] rounded
	activation  engine.Matrix // [chunk, hidden]
	rows        []float32     // [chunk, inputs] what the layer sees
	activations []float32     // of activation, on the host
}

// chunkNumbers bounds the numbers that a chunk of examples takes at any level.
const chunkNumbers = 1 << 22

func (m *likelihoodRun) prepare() error {
	layer := m.options.Layer
	l := m.network.Layers[layer-1]
	var err error
	if m.model, err = newRBM(l, visibleOf(m.network.Visible, layer)); err != nil {
		return err
	}
	m.columns = transpose(m.model.weight, m.model.hidden, m.model.inputs)
	widest := 1
	for _, size := range m.network.Sizes()[:layer+1] {
		widest = max(widest, size)
	}
	chunk := min(max(chunkNumbers/widest, 1), 1000)
	p := m.uploadLayer(l)
	m.weight, m.bias = p.Weight, p.Bias
	inputs := m.network.Sizes()[0]
	m.input, m.activation = m.matrix(chunk, inputs), m.matrix(chunk, m.model.hidden)
	m.visible = m.matrix(chunk, m.model.inputs)
	m.activations = make([]float32, chunk*m.model.hidden)
	m.rows = make([]float32, chunk*m.model.inputs)
	if m.err != nil {
		return m.err
	}
	m.encoder, err = m.network.NewEncoder(m.device, layer-1, chunk)
	return err
}

func (m *likelihoodRun) close() error {
	if m.encoder == nil {
		return m.buffers.close()
	}
	return errors.Join(m.encoder.Close(), m.buffers.close())
}

// measure goes through a set. means [inputs] are those of the layer's inputs.
func (m *likelihoodRun) measure(set NamedSet, number int) (s SetLikelihood, means []float64, err error) {
	if size := set.Info().Size(); size != m.network.Sizes()[0] {
		return s, nil, fmt.Errorf("its examples have %s, the model's inputs %d", words.Count(size, "component"), m.network.Sizes()[0])
	}
	total := set.Len()
	energies, pseudo := make([]float64, total), make([]float64, total)
	means = make([]float64, m.model.inputs)
	err = feed.All(m.ctx, set, m.input.Rows(), func(p feed.Part) error {
		if err := m.encode(p); err != nil {
			return err
		}
		from, to := p.At, p.At+len(p.Indices)
		for i, x := range m.rows[:len(p.Indices)*len(means)] {
			means[i%len(means)] += float64(x) / float64(total)
		}
		if err := m.energies(energies[from:to]); err != nil {
			return err
		}
		if m.model.kind == engine.Bernoulli {
			if err := m.pseudo(pseudo[from:to], p.Indices, number); err != nil {
				return err
			}
		}
		m.progress(set.Name, int64(to), int64(total))
		return nil
	})
	if err != nil {
		return s, nil, err
	}
	s = SetLikelihood{Name: set.Name, Examples: total, FreeEnergy: mean(energies), Deviation: deviationOfMean(energies), PseudoLikelihood: mean(pseudo)}
	if m.model.kind != engine.Bernoulli {
		s.PseudoLikelihood = math.NaN()
	}
	return s, means, nil
}

// encode leaves what the layer sees of examples in rows.
func (m *likelihoodRun) encode(p feed.Part) error {
	if err := m.network.Preprocess(p.Examples); err != nil {
		return err
	}
	rows := m.rows[:len(p.Indices)*m.model.inputs]
	if m.options.Layer == 1 {
		copy(rows, p.Examples)
		return m.checkRange(rows, p.Indices)
	}
	input, err := m.input.Slice(0, len(p.Indices))
	if err != nil {
		return err
	}
	if err := input.Write(p.Examples); err != nil {
		return err
	}
	encoded, err := m.encoder.Encode(input)
	if err != nil {
		return err
	}
	return encoded.Read(rows)
}

// checkRange refuses what is no probability where the inputs are Bernoulli.
func (m *likelihoodRun) checkRange(rows []float32, indices []int) error {
	if m.model.kind != engine.Bernoulli {
		return nil
	}
	for i, x := range rows {
		if x < 0 || x > 1 {
			return fmt.Errorf("component %d of example %d is %g; the model's Bernoulli inputs lie between 0 and 1", i%m.model.inputs, indices[i/m.model.inputs], x)
		}
	}
	return nil
}

// activate leaves W v + b of rows in activations, for so many of them.
func (m *likelihoodRun) activate(n int) error {
	visible, err := m.visible.Slice(0, n)
	if err != nil {
		return err
	}
	activation, err := m.activation.Slice(0, n)
	if err != nil {
		return err
	}
	if err := visible.Write(m.rows[:n*m.model.inputs]); err != nil {
		return err
	}
	up := engine.Multiply(false, true)
	up.Epilogue.Bias = m.bias
	if err := m.device.Gemm(activation, visible, m.weight, up); err != nil {
		return err
	}
	return activation.Read(m.activations[:n*m.model.hidden])
}

// energies computes the free energies of the examples in rows.
func (m *likelihoodRun) energies(energies []float64) error {
	if err := m.activate(len(energies)); err != nil {
		return err
	}
	inputs, hidden := m.model.inputs, m.model.hidden
	inParallel(len(energies), func(i int) {
		v := m.rows[i*inputs : (i+1)*inputs]
		energies[i] = visibleEnergy(m.model.kind, v, m.model.visibleBias) - softplusSum(m.activations[i*hidden:(i+1)*hidden], 1)
	})
	return nil
}

// pseudo computes the pseudo-likelihoods of the examples in rows, which it
// rounds.
func (m *likelihoodRun) pseudo(pseudo []float64, indices []int, set int) error {
	for i, x := range m.rows[:len(pseudo)*m.model.inputs] {
		m.rows[i] = float32(math.Round(float64(x)))
	}
	if err := m.activate(len(pseudo)); err != nil {
		return err
	}
	inputs, hidden := m.model.inputs, m.model.hidden
	inParallel(len(pseudo), func(i int) {
		v, activations := m.rows[i*inputs:(i+1)*inputs], m.activations[i*hidden:(i+1)*hidden]
		source := engine.NewSource(m.options.Seed, engine.PurposeLikelihood, uint32(flipStep+set), engine.ExampleKey(m.options.Layer, int64(indices[i])))
		here, scratch := softplusSum(activations, 1), make([]float32, hidden)
		drawn := min(PseudoComponents, inputs)
		for k := range drawn {
			if inputs > PseudoComponents {
				k = source.IntN(inputs)
			}
			pseudo[i] -= softplus(m.flipGain(k, v, activations, here, scratch)) * float64(inputs) / float64(drawn)
		}
	})
	return nil
}

// flipGain is F(v) - F(v with component j flipped), given v's activations and
// their sum of softplus.
func (m *likelihoodRun) flipGain(j int, v, activations []float32, here float64, scratch []float32) float64 {
	change := 1 - 2*v[j]
	column := m.columns[j*m.model.hidden : (j+1)*m.model.hidden]
	for i, a := range activations {
		scratch[i] = a + change*column[i]
	}
	return float64(change)*float64(m.model.visibleBias[j]) + softplusSum(scratch, 1) - here
}

// partition finds log Z.
func (m *likelihoodRun) partition(result *Likelihood, training NamedSet, means []float64) error {
	o, r := m.options, m.model
	if o.Method == ExactPartition || o.Method == AutoPartition && Enumerable(r.kind, r.hidden, r.inputs) {
		logZ, err := r.logPartition(m.ctx)
		result.Method = ExactPartition
		result.Partition = Estimate{LogPartition: logZ, Low: logZ, High: logZ, BootstrapLow: logZ, BootstrapHigh: logZ, Effective: math.NaN()}
		return err
	}
	starts, err := m.starts(training)
	if err != nil {
		return fmt.Errorf("likelihood: starts of reverse annealing: %w", err)
	}
	l := m.network.Layers[o.Layer-1]
	a := AnnealOptions{Layer: o.Layer, Runs: o.Runs, Temperatures: o.Temperatures, Seed: o.Seed, Base: BaseRates(r.kind, means), Starts: starts, Sweeps: o.Sweeps}
	annealing, err := Anneal(m.ctx, m.device, l, r.kind, a, func(done, total int64) { m.progress(AnnealingWork, done, total) })
	if err != nil {
		return err
	}
	result.Method, result.Annealing, result.Partition = AnnealPartition, annealing, annealing.ForwardEstimate()
	if e, ok := annealing.ReverseEstimate(); ok {
		result.Reverse = &e
	}
	return nil
}

// starts [runs, inputs] are training examples, each run's by its own number.
func (m *likelihoodRun) starts(training NamedSet) ([]float32, error) {
	inputs := m.model.inputs
	starts := make([]float32, m.options.Runs*inputs)
	indices := make([]int, m.options.Runs)
	for run := range indices {
		key := engine.RowKey(m.options.Layer, reverse, run)
		indices[run] = engine.NewSource(m.options.Seed, engine.PurposeLikelihood, startStep, key).IntN(training.Len())
	}
	err := feed.Some(training, indices, m.input.Rows(), func(p feed.Part) error {
		if err := m.ctx.Err(); err != nil {
			return err
		}
		err := m.encode(p)
		copy(starts[p.At*inputs:], m.rows[:len(p.Indices)*inputs])
		return err
	})
	return starts, err
}
