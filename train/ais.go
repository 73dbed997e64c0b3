package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// AnnealOptions say how [Anneal] estimates a partition function.
type AnnealOptions struct {
	Layer        int // whose RBM it is, from 1; part of the random numbers' identity
	Runs         int // M, at least 2
	Temperatures int // K, the steps from the base to the model, at least 1
	Seed         uint64
	// Base [inputs] are the visible biases of the base-rate RBM that annealing
	// starts from, as [BaseRates] makes them from the data's means. The closer to
	// the model, the fewer temperatures are needed.
	Base []float32
	// Starts [Runs, inputs] are where the chains of reverse annealing start, one
	// for each run, such as training examples; between 0 and 1 they are the
	// probabilities of Bernoulli states. Nil means no reverse annealing.
	Starts []float32
	// Sweeps of Gibbs sampling take those chains from their starts to the model's
	// distribution, before reverse annealing begins; 0 or more.
	Sweeps int
}

// Annealing is what annealed importance sampling (Salakhutdinov and Murray,
// "On the Quantitative Analysis of Deep Belief Networks", ICML 2008) found out
// about an RBM's partition function Z.
type Annealing struct {
	// LogBase is log Z of the base-rate RBM, exactly.
	LogBase float64
	// Forward [Runs] are the log weights of the runs from the base to the model.
	// The mean of their exponentials is an unbiased estimate of Z / Z_base.
	Forward []float64
	// Reverse [Runs] are those of the runs from the model to the base; see
	// [Annealing.ReverseEstimate]. Nil without starts.
	Reverse []float64
	// Remembered is the correlation between the starts of reverse annealing and the
	// states after the sweeps, over all components, both less their means over the
	// chains: near 0 if the chains have forgotten their starts, 1 if they have not
	// moved. NaN without chains, and where all starts or all states are the same.
	Remembered float64
	// RememberedDeviation is that of the correlation of chains that have forgotten,
	// from pairs of a start with the state of another chain.
	RememberedDeviation float64
	seed                uint64
}

// BaseRates returns the visible biases [inputs] of a base-rate RBM, one with W =
// 0, for data with these means: log(p/(1-p)) for Bernoulli inputs, where p is the
// mean moved a little towards 1/2 so that every input can be on and off, and the
// means themselves for Gaussian ones.
func BaseRates(visible engine.VisibleKind, means []float64) []float32 {
	// As if a few more examples in a hundred were all on, or all off.
	const smoothing = 0.05
	biases := make([]float32, len(means))
	for j, mean := range means {
		if visible == engine.Bernoulli {
			p := (mean + smoothing) / (1 + 2*smoothing)
			mean = math.Log(p / (1 - p))
		}
		biases[j] = float32(mean)
	}
	return biases
}

// Anneal runs annealed importance sampling from a base-rate RBM to the RBM l,
// and from the model back to the base if there are starts. The distributions in
// between, for beta from 0 to 1, are the geometric averages
//
//	log p_beta(v) = (1-beta) base.v + beta c.v + sum_i softplus(beta (b_i + w_i.v)) + const      Bernoulli
//
// and for Gaussian inputs -||v - (1-beta) base - beta c||^2 / 2 in place of the
// first two terms. A run draws v from the base and then, for every step of beta,
// adds the gain of log p_beta(v) to its log weight and makes a sweep of Gibbs
// sampling at the new beta. beta rises in ever smaller steps.
//
// A run's result depends on the seed, the layer and its number alone, not on how
// many runs there are. progress, which may be nil, is told how many sweeps of
// how many are done. Anneal stops soon after ctx ends, with an error that wraps
// the context's.
func Anneal(ctx context.Context, d engine.Device, l network.Layer, visible engine.VisibleKind, o AnnealOptions, progress func(done, total int64)) (result *Annealing, err error) {
	r, err := newRBM(l, visible)
	if err != nil {
		return nil, fmt.Errorf("anneal: %w", err)
	}
	if err := o.check(r); err != nil {
		return nil, fmt.Errorf("anneal: %w", err)
	}
	a := &annealer{buffers: buffers{device: d}, model: r, options: o, ctx: ctx, progress: progress}
	defer func() { err = errors.Join(err, a.close()) }()
	if err := a.prepare(l); err != nil {
		return nil, fmt.Errorf("anneal: %w", err)
	}
	result = &Annealing{LogBase: r.logBase(o.Base), Forward: make([]float64, o.Runs), seed: o.Seed}
	if o.Starts != nil {
		result.Reverse = make([]float64, o.Runs)
	}
	for from := 0; from < o.Runs; from += a.batch {
		if err := a.runs(result, from, min(from+a.batch, o.Runs)); err != nil {
			return nil, fmt.Errorf("anneal: %w", err)
		}
	}
	result.Remembered, result.RememberedDeviation = remembered(o.Starts, a.ends, r.inputs)
	return result, nil
}

func (o AnnealOptions) check(r *rbm) error {
	switch {
	case o.Runs < 2:
		return words.BadOption("Runs", o.Runs, "want at least 2 (their spread is the estimate's error)")
	case o.Temperatures < 1:
		return words.BadOption("Temperatures", o.Temperatures, "want at least 1")
	case o.Sweeps < 0:
		return words.BadOption("Sweeps", o.Sweeps, "want 0 or more")
	case int64(o.Temperatures)+int64(o.Sweeps) >= math.MaxUint32:
		return words.BadOption("Temperatures", o.Temperatures, "with %s they are beyond the 2^32 steps of the random numbers", words.Count(o.Sweeps, "sweep"))
	case len(o.Base) != r.inputs:
		return words.BadOption("Base", nil, "%s for %s", words.Count(len(o.Base), "bias"), words.Count(r.inputs, "input"))
	case o.Starts != nil && len(o.Starts) != o.Runs*r.inputs:
		return words.BadOption("Starts", nil, "they hold %s, want %s of %s", words.Count(len(o.Starts), "number"), words.Count(o.Runs, "run"), words.Count(r.inputs, "input"))
	}
	return engine.CheckRowKey(o.Layer, reverse, o.Runs-1)
}

// logBase is log Z of the RBM with W = 0 and b = 0 that annealing starts from.
func (r *rbm) logBase(base []float32) float64 {
	hidden := float64(r.hidden) * math.Ln2
	if r.kind == engine.Gaussian {
		return hidden + float64(r.inputs)*logGaussian
	}
	return hidden + softplusSum(base, 1)
}

// temperatures are beta_0 = 0 .. beta_K = 1 for K steps: 1 - (1-x)^1.5 for evenly
// spaced x. The steps shrink towards 1, where the modes part, as in the paper, but
// less abruptly: of several schedules this one left the narrowest brackets for
// RBMs of 16 and 500 hidden units on MNIST. They are float32 numbers, so that the
// device samples at the very beta of the weights.
func temperatures(steps int) []float64 {
	betas := make([]float64, 0, steps+1)
	for i := range steps {
		left := 1 - float64(i)/float64(steps)
		betas = append(betas, float64(float32(1-left*math.Sqrt(left))))
	}
	return append(betas, 1)
}

// The directions of annealing, as part of a run's identity.
const (
	forward = 0 // from the base to the model
	reverse = 1 // from the model to the base
)

// annealer is one call of Anneal.
type annealer struct {
	buffers
	model       *rbm
	options     AnnealOptions
	ctx         context.Context
	progress    func(done, total int64)
	done, total int64
	batch       int     // runs at a time
	offset      float64 // see tiltOf

	weight            engine.Matrix // W
	bias, visibleBias engine.Matrix // b [1, hidden], c [1, inputs]
	base, mixed       engine.Matrix // [1, inputs] visible biases at beta 0, and at the present beta
	tilt              engine.Matrix // [1, inputs]
	visible, hidden   engine.Matrix // [batch, inputs], [batch, hidden] states
	activation        engine.Matrix // [batch, hidden] W v + b
	slope             engine.Matrix // [batch, 1] tilt.v
	activations       []float32     // the same on the host
	slopes            []float32
	ends              []float32 // [runs, inputs] states of the chains that reverse annealing starts from
}

// batchNumbers bounds the numbers that the states of a batch take.
const batchNumbers = 1 << 22

func (a *annealer) prepare(l network.Layer) error {
	o, r := a.options, a.model
	a.batch = min(o.Runs, max(1, batchNumbers/(r.inputs+2*r.hidden)))
	a.total = int64(o.Runs) * int64(o.Temperatures)
	if o.Starts != nil {
		a.total += int64(o.Runs) * int64(o.Temperatures+o.Sweeps)
	}
	p := a.uploadLayer(l)
	a.weight, a.bias, a.visibleBias = p.Weight, p.Bias, p.VisibleBias
	a.base, a.mixed, a.tilt = a.matrix(1, r.inputs), a.matrix(1, r.inputs), a.matrix(1, r.inputs)
	a.visible, a.hidden = a.matrix(a.batch, r.inputs), a.matrix(a.batch, r.hidden)
	a.activation, a.slope = a.matrix(a.batch, r.hidden), a.matrix(a.batch, 1)
	a.activations, a.slopes = make([]float32, a.batch*r.hidden), make([]float32, a.batch)
	a.ends = make([]float32, len(o.Starts))
	if a.err != nil {
		return a.err
	}
	var tilt []float32
	tilt, a.offset = r.tiltOf(o.Base)
	return errors.Join(a.base.Write(o.Base), a.tilt.Write(tilt))
}

// tiltOf returns t [inputs] and s such that t.v + s is the slope in beta of log
// p_beta's part without hidden units, but for what is the same for all v at each
// beta and 0 at beta 0 and 1.
func (r *rbm) tiltOf(base []float32) (tilt []float32, offset float64) {
	tilt = make([]float32, r.inputs)
	for j := range tilt {
		b, c := float64(base[j]), float64(r.visibleBias[j])
		tilt[j] = float32(c - b)
		if r.kind == engine.Gaussian {
			offset += (b - c) * (b + c) / 2
		}
	}
	return tilt, offset
}

// runs anneals runs from..to-1 in every direction that is asked for.
func (a *annealer) runs(result *Annealing, from, to int) error {
	b := &annealBatch{annealer: a, keys: make([]uint64, to-from)}
	b.visible, b.hidden = a.view(a.visible, to-from), a.view(a.hidden, to-from)
	b.activation, b.slope = a.view(a.activation, to-from), a.view(a.slope, to-from)
	if a.err != nil {
		return a.err
	}
	betas := temperatures(a.options.Temperatures)
	b.identify(forward, from)
	b.step = 0
	b.down(0)
	b.anneal(betas, result.Forward[from:to])
	if result.Reverse == nil {
		return b.finite(result.Forward[from:to])
	}
	slices.Reverse(betas)
	b.identify(reverse, from)
	b.start(a.options.Starts[from*a.model.inputs : to*a.model.inputs])
	b.do(func() error { return b.visible.Read(a.ends[from*a.model.inputs : to*a.model.inputs]) })
	b.anneal(betas, result.Reverse[from:to])
	return errors.Join(b.finite(result.Forward[from:to]), b.finite(result.Reverse[from:to]))
}

// annealBatch is runs side by side. Its methods do nothing after an error, which
// is the annealer's err.
type annealBatch struct {
	*annealer
	keys                               []uint64 // [runs]
	step                               uint32   // of the random numbers
	visible, hidden, activation, slope engine.Matrix
}

// identify makes the batch the runs from some number on, in a direction.
func (b *annealBatch) identify(direction, from int) {
	for i := range b.keys {
		b.keys[i] = engine.RowKey(b.options.Layer, direction, from+i)
	}
}

// start brings chains from the starts to the model's distribution.
func (b *annealBatch) start(starts []float32) {
	b.step = 0
	b.do(func() error { return b.visible.Write(starts) })
	if b.model.kind == engine.Bernoulli {
		b.do(func() error { return b.device.Bernoulli(b.visible, b.visible, b.at(engine.PurposeAnnealedVisible)) })
	}
	for range b.options.Sweeps {
		b.upwards()
		b.sweep(1)
		b.advance()
	}
}

// anneal takes the states, which are draws at the first beta, through all betas
// and writes the runs' log weights.
func (b *annealBatch) anneal(betas []float64, weights []float64) {
	for k, beta := range betas[1:] {
		b.upwards()
		b.weigh(weights, betas[k], beta)
		if k < len(betas)-2 {
			b.sweep(beta)
		}
		b.advance()
	}
}

// advance counts a sweep of every run, and looks whether there is time for more.
func (b *annealBatch) advance() {
	b.do(b.ctx.Err)
	if b.done += int64(len(b.keys)); b.err == nil && b.progress != nil {
		b.progress(b.done, b.total)
	}
}

// upwards computes the hidden units' activations W v + b.
func (b *annealBatch) upwards() {
	p := engine.Multiply(false, true)
	p.Epilogue.Bias = b.bias
	b.gemm(b.activation, b.visible, b.weight, p)
}

// weigh adds the gain of log p_beta(v) between two temperatures.
func (b *annealBatch) weigh(weights []float64, from, to float64) {
	b.gemm(b.slope, b.visible, b.tilt, engine.Multiply(false, true))
	hidden, runs := b.model.hidden, len(weights)
	b.do(func() error {
		return errors.Join(b.activation.Read(b.activations[:runs*hidden]), b.slope.Read(b.slopes[:runs]))
	})
	if b.err != nil {
		return
	}
	inParallel(runs, func(i int) {
		row := b.activations[i*hidden : (i+1)*hidden]
		gain := (to - from) * (float64(b.slopes[i]) + b.offset)
		weights[i] += gain + softplusSum(row, to) - softplusSum(row, from)
	})
}

// sweep draws h and then v at a temperature, given W v + b.
func (b *annealBatch) sweep(beta float64) {
	b.step++
	b.do(func() error { return b.device.Axpby(b.hidden, float32(beta), b.activation, 0) })
	b.do(func() error { return b.device.Sigmoid(b.hidden, b.hidden) })
	b.do(func() error { return b.device.Bernoulli(b.hidden, b.hidden, b.at(engine.PurposeAnnealedHidden)) })
	b.down(beta)
}

// down draws v given h at a temperature. At beta 0 it does not depend on h.
func (b *annealBatch) down(beta float64) {
	b.do(func() error { return b.device.Axpby(b.mixed, float32(1-beta), b.base, 0) })
	b.do(func() error { return b.device.Axpby(b.mixed, float32(beta), b.visibleBias, 1) })
	p := engine.Multiply(false, false)
	p.Alpha, p.Epilogue.Bias = float32(beta), b.mixed
	at := b.at(engine.PurposeAnnealedVisible)
	if b.model.kind == engine.Bernoulli {
		p.Epilogue.Kind, p.Epilogue.At = engine.EpilogueBernoulli, at
	}
	b.gemm(b.visible, b.hidden, b.weight, p)
	if b.model.kind == engine.Gaussian {
		b.do(func() error { return b.device.Gaussian(b.visible, b.visible, 1, at) })
	}
}

func (b *annealBatch) at(p engine.Purpose) engine.Stream {
	return engine.Stream{Seed: b.options.Seed, Purpose: p, Step: b.step, Keys: b.keys}
}

func (b *annealBatch) gemm(dst, x, y engine.Matrix, p engine.Product) {
	b.do(func() error { return b.device.Gemm(dst, x, y, p) })
}

func (b *annealBatch) do(operation func() error) {
	if b.err == nil {
		b.err = operation()
	}
}

// finite returns the batch's error, or that of weights that are not finite.
func (b *annealBatch) finite(weights []float64) error {
	if b.err != nil {
		return b.err
	}
	for _, w := range weights {
		if w-w != 0 {
			return fmt.Errorf("a run's log weight is %g: %w; the weights are too large, as from training at too high a learning rate", w, engine.ErrNotFinite)
		}
	}
	return nil
}
