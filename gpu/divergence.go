//go:build cuda

package gpu

import (
	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
)

// divergence is the engine.ContrastiveDivergence of a card. An update of CD-1 is
// six launches: h0 and its states, v1, h1, the squared errors, the biases, and the
// weights. Its buffers are:
type divergence struct {
	learner
	plan        engine.ContrastiveDivergence
	chainKeys   cu.DevicePtr
	driven      *matrix // [batch, hidden] h0 = p(h=1|v0)
	states      *matrix // [batch, hidden] sampled hidden states of CD
	mean        *matrix // [batch, visible] the reconstruction of persistent CD
	visibles    *matrix // [batch or chains, visible] v of the Gibbs chain
	probability *matrix // [batch or chains, hidden] hk
	centered    *matrix // [batch, visible] v0-mu of a centered RBM
	step        *matrix // [hidden, visible] of the weights, if it must be known by itself
}

func newDivergence(d *device, p engine.ContrastiveDivergence) (*divergence, error) {
	r := &divergence{learner: newLearner(d, "contrastive divergence", p.VisibleUnits, p.HiddenUnits, p.Batch), plan: p}
	h, rows := &r.fixed, p.Batch
	r.driven = h.matrix(p.Batch, p.HiddenUnits)
	if p.Chains == 0 {
		r.states = h.matrix(p.Batch, p.HiddenUnits)
	} else {
		r.mean = h.matrix(p.Batch, p.VisibleUnits)
		rows = p.Chains
	}
	r.visibles, r.probability = h.matrix(rows, p.VisibleUnits), h.matrix(rows, p.HiddenUnits)
	if p.Centered {
		r.centered = h.matrix(p.Batch, p.VisibleUnits)
	}
	if p.Centered || p.GradientLimit > 0 {
		r.step = h.matrix(p.HiddenUnits, p.VisibleUnits)
	}
	if h.err == nil {
		keys := make([]uint64, p.Chains)
		for chain := range keys {
			keys[chain] = engine.ExampleKey(p.Layer, int64(chain))
		}
		r.chainKeys = h.lasting(bytesOf(keys))
	}
	if err := h.compiled(); err != nil {
		return nil, err
	}
	return r, nil
}

// Run implements engine.TrainingRunner.
func (r *divergence) Run(s *engine.TrainingState, data engine.Matrix, keys []uint64, u engine.Update) (engine.TrainingProgress, error) {
	l, err := r.lesson(s, data, u)
	if err != nil {
		return engine.TrainingProgress{}, err
	}
	return r.run(l, keys, r.update)
}

func (r *divergence) update(l *lesson, b batch) {
	n, p := b.x.rows, &r.plan
	data := side{top(r.driven, n), b.x}
	var model side
	if p.Chains == 0 {
		model = r.chain(l, b, data.hidden)
		l.compare(b.mistakes, nil, model.visible, b.x)
	} else {
		mean := top(r.mean, n)
		l.encode(data.hidden, b.x, engine.EpilogueSigmoid)
		l.decode(mean, data.hidden, p.Visible)
		l.compare(b.mistakes, nil, mean, b.x)
		model = r.persistent(l, b)
	}
	r.learn(l, data, model)
}

// chain runs the chain of CD-k from the data: it fills driven with h0 and returns vk
// and hk.
func (r *divergence) chain(l *lesson, b batch, driven *matrix) side {
	n, k := b.x.rows, uint32(r.plan.GibbsSteps)
	states, model := top(r.states, n), side{top(r.probability, n), top(r.visibles, n)}
	step := b.updates * k
	r.hidden(l, states, driven, b.x, b.keys, step)
	for i := range k - 1 {
		r.visible(l, model.visible, states, b.keys, step+i)
		r.hidden(l, states, nil, model.visible, b.keys, step+i+1)
	}
	l.decode(model.visible, states, r.plan.Visible)
	l.encode(model.hidden, model.visible, engine.EpilogueSigmoid)
	return model
}

// persistent takes the chains of persistent CD k steps on and returns vk and hk.
func (r *divergence) persistent(l *lesson, b batch) side {
	model, k := side{r.probability, r.visibles}, uint32(r.plan.GibbsSteps)
	for i := range k {
		step := b.updates*k + i
		r.visible(l, model.visible, l.chains, r.chainKeys, step)
		r.hidden(l, l.chains, model.hidden, model.visible, r.chainKeys, step)
	}
	return model
}

// hidden draws from p(h|v); probability, unless it is nil, becomes p(h=1|v).
func (r *divergence) hidden(l *lesson, dst, probability, visible *matrix, keys cu.DevicePtr, step uint32) {
	l.gemm(product{dst: dst, a: visible, b: l.value.Weight, bias: l.value.Bias, probability: probability, keys: keys},
		states(engine.Bernoulli, true, r.plan.Seed, engine.PurposeHidden, step))
}

// visible draws from p(v|h).
func (r *divergence) visible(l *lesson, dst, hidden *matrix, keys cu.DevicePtr, step uint32) {
	l.gemm(product{dst: dst, a: hidden, b: l.value.Weight, bias: l.value.VisibleBias, keys: keys},
		states(r.plan.Visible, false, r.plan.Seed, engine.PurposeVisible, step))
}

func (r *divergence) learn(l *lesson, data, model side) {
	p, rate := &r.plan, l.rule.Rate
	var s shift
	if p.Tracks() {
		s.activity = l.activity
	}
	if p.Sparsity.Cost > 0 {
		s.cost, s.push = p.Sparsity.Cost, p.Sparsity.Cost*p.Sparsity.Target
	}
	if p.Centered {
		s.center, s.centered = l.center, r.centered
	}
	data, model = l.learnBiases(rate, data, model, s)
	l.learnWeights(r.step, data, rate/float32(data.rows()), model, -rate/float32(model.rows()), p.GradientLimit)
	if p.Centered {
		l.learnUncentered(r.step, s)
	}
}
