//go:build cuda

package gpu

import "github.com/unitscope/unitscope/engine"

// denoise is the engine.Denoise of a card. An update is seven launches: C(x), y, z,
// z - x with the squared errors, the gradient before y's sigmoid, the biases, and the
// weights. Its buffers are:
type denoise struct {
	learner
	plan      engine.Denoise
	corrupted *matrix // [batch, visible] C(x)
	code      *matrix // [batch, hidden] y
	output    *matrix // [batch, visible] z, then z - x
	delta     *matrix // [batch, hidden] the gradient before y's sigmoid
}

func newDenoise(d *device, p engine.Denoise) (*denoise, error) {
	r := &denoise{learner: newLearner(d, "denoise", p.VisibleUnits, p.HiddenUnits, p.Batch), plan: p}
	h := &r.fixed
	r.corrupted, r.output = h.matrix(p.Batch, p.VisibleUnits), h.matrix(p.Batch, p.VisibleUnits)
	r.code, r.delta = h.matrix(p.Batch, p.HiddenUnits), h.matrix(p.Batch, p.HiddenUnits)
	if err := h.compiled(); err != nil {
		return nil, err
	}
	return r, nil
}

// Run implements engine.TrainingRunner.
func (r *denoise) Run(s *engine.TrainingState, data engine.Matrix, keys []uint64, u engine.Update) (engine.TrainingProgress, error) {
	l, err := r.lesson(s, data, u)
	if err != nil {
		return engine.TrainingProgress{}, err
	}
	return r.run(l, keys, r.update)
}

func (r *denoise) update(l *lesson, b batch) {
	n, rate := b.x.rows, -l.rule.Rate
	corrupted, code, output, delta := top(r.corrupted, n), top(r.code, n), top(r.output, n), top(r.delta, n)
	at := engine.Stream{Seed: r.plan.Seed, Purpose: engine.PurposeCorruption, Step: b.updates}
	if l.err == nil {
		l.err = l.device.corrupt(corrupted, b.x, r.plan.Corruption, at, b.keys)
	}
	l.encode(code, corrupted, engine.EpilogueSigmoid)
	l.decode(output, code, r.plan.Visible)
	l.compare(b.mistakes, output, output, b.x)

	back := engine.Multiply(false, true)
	back.Epilogue.Kind = engine.EpilogueDerivative
	l.gemm(product{dst: delta, a: output, b: l.value.Weight, hidden: code}, back)

	l.learnBiases(rate, side{delta, output}, side{}, shift{})
	share := rate / float32(n)
	l.learnWeights(nil, side{delta, corrupted}, share, side{code, output}, share, 0)
}
