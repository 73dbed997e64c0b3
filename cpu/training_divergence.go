package cpu

import "github.com/unitscope/unitscope/engine"

// divergence is the fused engine.ContrastiveDivergence; engine's
// plainDivergence is its definition.
type divergence struct {
	learner
	plan      engine.ContrastiveDivergence
	chainKeys []uint64

	// The rows of a batch, or the chains, in the order of the next product.
	visibleUnits, hiddenUnits strips
	// Means, then states drawn from them.
	visibleRows, hiddenRows     *matrix
	visibleMatrix, hiddenMatrix matrix // the rows in use
	biases, visibleBiases       [2]biasTerms

	stabiliser stabiliser
}

func newDivergence(d *device, p engine.ContrastiveDivergence) (engine.Runner, error) {
	rows, model := max(p.Batch, p.Chains), p.Batch
	if p.Chains > 0 {
		model = p.Chains
	}
	r := &divergence{plan: p}
	r.init(d, "contrastive divergence", p.VisibleUnits, p.HiddenUnits, p.Batch, p.Batch+model, r.updateBatch)
	r.visibleUnits, r.hiddenUnits = r.strips(rows, p.VisibleUnits), r.strips(rows, p.HiddenUnits)
	r.hiddenRows = r.matrix(rows, p.HiddenUnits)
	if p.Chains > 0 || p.GibbsSteps > 1 {
		r.visibleRows = r.matrix(rows, p.VisibleUnits)
	}
	r.initStabiliser()
	if r.err != nil {
		return nil, r.err
	}
	for chain := range p.Chains {
		r.chainKeys = append(r.chainKeys, engine.ExampleKey(p.Layer, int64(chain)))
	}
	return r, nil
}

// Close implements engine.Runner.
func (r *divergence) Close() error {
	r.stabiliser = stabiliser{}
	return r.learner.Close()
}

// Run implements engine.TrainingRunner.
func (r *divergence) Run(s *engine.TrainingState, data engine.Matrix, keys []uint64, u engine.Update) (engine.TrainingProgress, error) {
	if err := r.open(); err != nil {
		return engine.TrainingProgress{}, err
	}
	return r.train(s, data, keys, u)
}

func (r *divergence) updateBatch(w *worker, keys []uint64) {
	n, model := len(keys), len(keys)
	if r.plan.Chains > 0 {
		model = r.plan.Chains
	}
	r.gradient.begin(n + model)
	r.count(n)
	r.rows(w, draw{task: rowTask{dst: &r.x}, across: &r.visibleUnits, visible: true, scale: rate(r.rule, n)}, costCopy)
	if r.plan.Chains == 0 {
		r.gibbs(w, keys)
	} else {
		r.reconstruct(w)
		r.persistent(w, n)
	}
	r.biases = [2]biasTerms{{0, n, rate(r.rule, n)}, {n, n + model, -rate(r.rule, model)}}
	r.visibleBiases = [2]biasTerms{{to: n + model}}
	if r.plan.Tracks() {
		r.shift(w)
	}
	if r.stabiliser.apart {
		r.learnApart(w, r.biases[:], r.visibleBiases[:1])
		return
	}
	r.learn(w, r.biases[:], r.visibleBiases[:1])
}

// count says how many rows are in work.
func (r *divergence) count(rows int) {
	r.visibleUnits.lines, r.hiddenUnits.lines = rows, rows
	r.hiddenMatrix = r.hiddenRows.top(rows)
	if r.visibleRows != nil {
		r.visibleMatrix = r.visibleRows.top(rows)
	}
}

// up is p(h=1|v), down is E[v|h].
func (r *divergence) up() pass {
	return pass{input: &r.visibleUnits, weights: &r.weights.up, bias: r.value.bias, sigmoid: true}
}

func (r *divergence) down() pass {
	return pass{input: &r.hiddenUnits, weights: &r.weights.down, bias: r.value.visibleBias, sigmoid: r.plan.Visible == engine.Bernoulli}
}

// gibbs runs the chain of CD-k from the data. It keeps h0, vk and hk for the
// gradient.
func (r *divergence) gibbs(w *worker, keys []uint64) {
	n, k := len(keys), r.plan.GibbsSteps
	step := r.state.Updates * uint32(k)
	for i := range k {
		up := r.up()
		up.rows, up.hidden = &r.hiddenMatrix, i == 0
		r.multiply(w, up)
		r.drawHidden(w, &r.hiddenMatrix, &r.hiddenUnits, step+uint32(i), keys)
		if i < k-1 {
			r.drawVisible(w, step+uint32(i), keys, draw{})
		}
	}
	down := r.down()
	down.minus, down.across = &r.x, &r.visibleUnits
	down.visible, down.term, down.scale = true, n, -rate(r.rule, n)
	r.multiply(w, down)
	up := r.up()
	up.hidden, up.term = true, n
	r.multiply(w, up)
}

// reconstruct keeps h0 for the gradient, and measures how far E[v|h0] is from
// the data.
func (r *divergence) reconstruct(w *worker) {
	up := r.up()
	up.hidden, up.across = true, &r.hiddenUnits
	r.multiply(w, up)
	down := r.down()
	down.minus = &r.x
	r.multiply(w, down)
}

// persistent takes the chains k steps on. It keeps vk and hk for the gradient,
// their first term being number n.
func (r *divergence) persistent(w *worker, n int) {
	chains, k := r.plan.Chains, r.plan.GibbsSteps
	r.count(chains)
	r.rows(w, draw{task: rowTask{dst: r.chains}, across: &r.hiddenUnits}, costCopy)
	for i := range k {
		step, last := r.state.Updates*uint32(k)+uint32(i), i == k-1
		r.drawVisible(w, step, r.chainKeys, draw{visible: last, term: n, scale: -rate(r.rule, chains)})
		up := r.up()
		up.rows, up.hidden, up.term = &r.hiddenMatrix, last, n
		r.multiply(w, up)
		next := &r.hiddenUnits
		if last {
			next = nil
		}
		r.drawHidden(w, r.chains, next, step, r.chainKeys)
	}
}

// drawHidden draws states with the probabilities in hiddenMatrix.
func (r *divergence) drawHidden(w *worker, dst *matrix, next *strips, step uint32, keys []uint64) {
	t := rowTask{compute: bernoulliRow, dst: dst, x: &r.hiddenMatrix, at: r.at(engine.PurposeHidden, step, keys)}
	r.rows(w, draw{task: t, across: next}, costRandom)
}

// drawVisible draws from p(v|h) for the hidden states at work, and does with the
// visible ones as it is told.
func (r *divergence) drawVisible(w *worker, step uint32, keys []uint64, d draw) {
	down := r.down()
	down.rows = &r.visibleMatrix
	r.multiply(w, down)
	v := &r.visibleMatrix
	d.across = &r.visibleUnits
	d.task = rowTask{compute: bernoulliRow, dst: v, x: v, alpha: 1, at: r.at(engine.PurposeVisible, step, keys)}
	cost := float64(costRandom)
	if r.plan.Visible == engine.Gaussian {
		d.task.compute, cost = gaussianRow, costNormal
	}
	r.rows(w, d, cost)
}

func (r *divergence) at(purpose engine.Purpose, step uint32, keys []uint64) engine.Stream {
	return engine.Stream{Seed: r.plan.Seed, Purpose: purpose, Step: step, Keys: keys}
}
