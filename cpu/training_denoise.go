package cpu

import "github.com/unitscope/unitscope/engine"

// denoise is the fused engine.Denoise; engine's plainDenoise is its definition.
type denoise struct {
	learner
	plan engine.Denoise

	// The rows of a batch in the order of the next product.
	visibleUnits, hiddenUnits   strips
	corrupted, code             *matrix // C(x) and y
	corruptedMatrix, codeMatrix matrix  // the rows in use
	biases, visibleBiases       [1]biasTerms
}

func newDenoise(d *device, p engine.Denoise) (engine.Runner, error) {
	r := &denoise{plan: p}
	r.init(d, "denoise", p.VisibleUnits, p.HiddenUnits, p.Batch, 2*p.Batch, r.updateBatch)
	r.visibleUnits, r.hiddenUnits = r.strips(p.Batch, p.VisibleUnits), r.strips(p.Batch, p.HiddenUnits)
	r.corrupted, r.code = r.matrix(p.Batch, p.VisibleUnits), r.matrix(p.Batch, p.HiddenUnits)
	if r.err != nil {
		return nil, r.err
	}
	return r, nil
}

// Run implements engine.TrainingRunner.
func (r *denoise) Run(s *engine.TrainingState, data engine.Matrix, keys []uint64, u engine.Update) (engine.TrainingProgress, error) {
	if err := r.open(); err != nil {
		return engine.TrainingProgress{}, err
	}
	return r.train(s, data, keys, u)
}

// updateBatch has two sums in its gradient of the weights: delta' C(x), terms 0
// to n-1, and y' (z - x), from n on.
func (r *denoise) updateBatch(w *worker, keys []uint64) {
	n := len(keys)
	share := -rate(r.rule, n)
	r.gradient.begin(2 * n)
	r.visibleUnits.lines, r.hiddenUnits.lines = n, n
	r.corruptedMatrix, r.codeMatrix = r.corrupted.top(n), r.code.top(n)
	r.corrupt(w, keys, share)

	encode := pass{input: &r.visibleUnits, weights: &r.weights.up, bias: r.value.bias, sigmoid: true}
	encode.rows, encode.across = &r.codeMatrix, &r.hiddenUnits
	encode.hidden, encode.term = true, n
	r.multiply(w, encode)

	decode := pass{input: &r.hiddenUnits, weights: &r.weights.down, bias: r.value.visibleBias, sigmoid: r.plan.Visible == engine.Bernoulli}
	decode.minus, decode.difference, decode.across = &r.x, true, &r.visibleUnits
	decode.visible, decode.term, decode.scale = true, n, share
	r.multiply(w, decode)

	back := pass{input: &r.visibleUnits, weights: &r.weights.up}
	back.derivative, back.hidden = &r.codeMatrix, true
	r.multiply(w, back)

	r.biases = [1]biasTerms{{0, n, share}}
	r.visibleBiases = [1]biasTerms{{from: n, to: 2 * n}}
	r.learn(w, r.biases[:], r.visibleBiases[:])
}

// corrupt keeps C(x) for the gradient and makes it the first product's factor.
func (r *denoise) corrupt(w *worker, keys []uint64, share float32) {
	c := r.plan.Corruption
	t := rowTask{compute: corruptRow, dst: &r.corruptedMatrix, x: &r.x, corruption: c,
		at: engine.Stream{Seed: r.plan.Seed, Purpose: engine.PurposeCorruption, Step: r.state.Updates, Keys: keys}}
	cost := 2.0 * costRandom
	if c.Kind == engine.CorruptionGaussian {
		t.compute, t.alpha, cost = gaussianRow, c.Level, costNormal
	}
	r.rows(w, draw{task: t, across: &r.visibleUnits, visible: true, scale: share}, cost)
}
