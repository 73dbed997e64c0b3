package engine

import "errors"

// learner is what the definitions of both training plans share: buffers for
// one batch, and the learning rule.
type learner struct {
	workspace
	errors Matrix    // [rows, 1] norms of what was not reconstructed
	norms  []float32 // the same on the host
}

func newLearner(d Device, rows int) learner {
	l := learner{workspace: workspace{device: d}, norms: make([]float32, rows)}
	l.errors = l.matrix(rows, 1)
	return l
}

// batches calls update for every batch of data and adds up its squared errors.
func (l *learner) batches(s *TrainingState, data Matrix, keys []uint64, batch int, update func(x Matrix, keys []uint64) (squaredError float64)) (TrainingProgress, error) {
	var progress TrainingProgress
	for from := 0; from < len(keys) && l.err == nil; from += batch {
		to := min(from+batch, len(keys))
		squaredError := update(l.slice(data, from, to), keys[from:to])
		if l.err != nil {
			break
		}
		s.Updates++
		progress.Updates++
		progress.Examples += int64(to - from)
		progress.SquaredError += squaredError
	}
	// The buffers stay usable: a later call is judged by its own errors.
	err := l.err
	l.err = nil
	return progress, err
}

// squaredError returns the sum over rows of ||difference||^2.
func (l *learner) squaredError(difference Matrix) (sum float64) {
	if l.err != nil {
		return 0
	}
	n := difference.Rows()
	l.reduce(l.top(l.errors, n), difference, Total(RowNorms))
	l.read(l.norms[:n], l.top(l.errors, n))
	for _, norm := range l.norms[:n] {
		sum += float64(norm) * float64(norm)
	}
	return sum
}

// decay adds the gradient of the penalty on weights to what holds Rate gradient.
func (l *learner) decay(step Matrix, s *TrainingState, u Update) {
	if u.Decay > 0 {
		l.axpby(step, -u.Rate*u.Decay, s.Parameters.Weight, 1)
	}
}

// follow ends an update by the step along the velocity.
func (l *learner) follow(s *TrainingState) {
	l.axpby(s.Parameters.Weight, 1, s.Velocity.Weight, 1)
	l.axpby(s.Parameters.Bias, 1, s.Velocity.Bias, 1)
	l.axpby(s.Parameters.VisibleBias, 1, s.Velocity.VisibleBias, 1)
}

// plainDivergence is the definition of [ContrastiveDivergence].
type plainDivergence struct {
	learner
	plan        ContrastiveDivergence
	chainKeys   []uint64
	driven      Matrix // [batch, hidden] h0 = p(h=1|v0)
	states      Matrix // [batch, hidden] sampled hidden states of CD
	visible     Matrix // [batch or chains, visible] v of the Gibbs chain
	probability Matrix // [batch or chains, hidden] hk
	difference  Matrix // [batch, visible]
	stabilisers stabilisers
}

func newPlainDivergence(d Device, p ContrastiveDivergence) (*plainDivergence, error) {
	rows := max(p.Batch, p.Chains)
	r := &plainDivergence{learner: newLearner(d, p.Batch), plan: p}
	for chain := range p.Chains {
		r.chainKeys = append(r.chainKeys, ExampleKey(p.Layer, int64(chain)))
	}
	r.driven, r.states = r.matrix(p.Batch, p.HiddenUnits), r.matrix(p.Batch, p.HiddenUnits)
	r.visible, r.probability = r.matrix(rows, p.VisibleUnits), r.matrix(rows, p.HiddenUnits)
	r.difference = r.matrix(p.Batch, p.VisibleUnits)
	r.stabilisers = r.newStabilisers(p, rows)
	if r.err != nil {
		return nil, errors.Join(r.err, r.Close())
	}
	return r, nil
}

// Run implements [TrainingRunner].
func (r *plainDivergence) Run(s *TrainingState, data Matrix, keys []uint64, u Update) (TrainingProgress, error) {
	return r.batches(s, data, keys, r.plan.Batch, func(x Matrix, keys []uint64) float64 { return r.update(s, x, keys, u) })
}

func (r *plainDivergence) update(s *TrainingState, data Matrix, keys []uint64, u Update) float64 {
	n := len(keys)
	driven, difference := r.top(r.driven, n), r.top(r.difference, n)
	var reconstruction, model, modelHidden Matrix
	if r.plan.Chains == 0 {
		model, modelHidden = r.divergence(s, data, keys)
		reconstruction = model
	} else {
		r.hidden(driven, s, data, Epilogue{Kind: EpilogueSigmoid})
		reconstruction = difference
		r.visibleMeans(reconstruction, s, driven)
	}
	if reconstruction != difference {
		r.axpby(difference, 1, reconstruction, 0)
	}
	r.axpby(difference, -1, data, 1)
	squaredError := r.squaredError(difference)
	if r.plan.Chains > 0 {
		model, modelHidden = r.persistent(s)
	}
	r.learn(s, u, phase{data, driven}, phase{model, modelHidden})
	return squaredError
}

// divergence runs the chain of CD-k from the data: it fills r.driven and
// returns vk and hk.
func (r *plainDivergence) divergence(s *TrainingState, data Matrix, keys []uint64) (visible, probability Matrix) {
	n, k := len(keys), uint32(r.plan.GibbsSteps)
	states := r.top(r.states, n)
	visible, probability = r.top(r.visible, n), r.top(r.probability, n)
	step := s.Updates * k
	r.hidden(states, s, data, Epilogue{Kind: EpilogueBernoulli, Probability: r.top(r.driven, n), At: r.at(PurposeHidden, step, keys)})
	for i := range k {
		if i == k-1 {
			r.visibleMeans(visible, s, states)
			r.hidden(probability, s, visible, Epilogue{Kind: EpilogueSigmoid})
			break
		}
		r.visibleStates(visible, s, states, r.at(PurposeVisible, step+i, keys))
		r.hidden(states, s, visible, Epilogue{Kind: EpilogueBernoulli, At: r.at(PurposeHidden, step+i+1, keys)})
	}
	return visible, probability
}

// persistent takes the chains of persistent CD k steps on and returns vk and hk.
func (r *plainDivergence) persistent(s *TrainingState) (visible, probability Matrix) {
	n, k := r.plan.Chains, uint32(r.plan.GibbsSteps)
	visible, probability = r.top(r.visible, n), r.top(r.probability, n)
	for i := range k {
		step := s.Updates*k + i
		r.visibleStates(visible, s, s.Chains, r.at(PurposeVisible, step, r.chainKeys))
		r.hidden(s.Chains, s, visible, Epilogue{Kind: EpilogueBernoulli, Probability: probability, At: r.at(PurposeHidden, step, r.chainKeys)})
	}
	return visible, probability
}

func (r *plainDivergence) at(purpose Purpose, step uint32, keys []uint64) Stream {
	return Stream{Seed: r.plan.Seed, Purpose: purpose, Step: step, Keys: keys}
}

// hidden computes the hidden units of visible ones: W v + b through an epilogue.
func (r *plainDivergence) hidden(dst Matrix, s *TrainingState, visible Matrix, e Epilogue) {
	e.Bias = s.Parameters.Bias
	up := Multiply(false, true)
	up.Epilogue = e
	r.gemm(dst, visible, s.Parameters.Weight, up)
}

// visibleMeans computes E[v|h].
func (r *plainDivergence) visibleMeans(dst Matrix, s *TrainingState, hidden Matrix) {
	r.gemm(dst, hidden, s.Parameters.Weight, reconstruct(r.plan.Visible, s.Parameters.VisibleBias))
}

// visibleStates draws from p(v|h).
func (r *plainDivergence) visibleStates(dst Matrix, s *TrainingState, hidden Matrix, at Stream) {
	down := Multiply(false, false)
	down.Epilogue.Bias = s.Parameters.VisibleBias
	if r.plan.Visible == Bernoulli {
		down.Epilogue.Kind, down.Epilogue.At = EpilogueBernoulli, at
	}
	r.gemm(dst, hidden, s.Parameters.Weight, down)
	if r.plan.Visible == Gaussian {
		r.gaussian(dst, dst, 1, at)
	}
}

// reconstruct is the product that computes the means of visible units.
func reconstruct(kind VisibleKind, bias Matrix) Product {
	p := Multiply(false, false)
	p.Epilogue.Bias = bias
	if kind == Bernoulli {
		p.Epilogue.Kind = EpilogueSigmoid
	}
	return p
}

// phase is the statistics of one side of the gradient: of data, or of the model.
type phase struct {
	visible Matrix // [rows, visible]
	hidden  Matrix // [rows, hidden]
}

// learn makes the step along the gradient.
func (r *plainDivergence) learn(s *TrainingState, u Update, data, model phase) {
	if r.err != nil {
		return
	}
	r.shift(s, &data, &model)
	step, keep := s.Velocity.Weight, u.Momentum
	if r.stabilisers.step != nil {
		step, keep = r.stabilisers.step, 0
	}
	r.weightGradient(step, keep, u.Rate, data)
	r.weightGradient(step, 1, -u.Rate, model)
	r.limit(step)
	r.decay(step, s, u)
	if step != s.Velocity.Weight {
		r.axpby(s.Velocity.Weight, 1, step, u.Momentum)
	}
	r.biasGradients(s, u.Momentum, u.Rate, data)
	r.biasGradients(s, 1, -u.Rate, model)
	r.uncenter(s, step)
	r.follow(s)
}

// weightGradient adds rate * the mean of h'v to keep times what step holds.
func (r *plainDivergence) weightGradient(step Matrix, keep, rate float32, of phase) {
	r.gemm(step, of.hidden, of.visible, Product{TransA: true, Alpha: rate / float32(of.visible.Rows()), Beta: keep})
}

// biasGradients adds rate * the means of h and v to the velocities times momentum.
func (r *plainDivergence) biasGradients(s *TrainingState, momentum, rate float32, of phase) {
	r.reduce(s.Velocity.Bias, of.hidden, Reduction{Kind: ColumnMeans, Alpha: rate, Beta: momentum})
	r.reduce(s.Velocity.VisibleBias, of.visible, Reduction{Kind: ColumnMeans, Alpha: rate, Beta: momentum})
}

// plainDenoise is the definition of [Denoise].
type plainDenoise struct {
	learner
	plan      Denoise
	corrupted Matrix // [batch, visible] C(x)
	code      Matrix // [batch, hidden] y
	output    Matrix // [batch, visible] z, then z - x
	delta     Matrix // [batch, hidden] the gradient before y's sigmoid
}

func newPlainDenoise(d Device, p Denoise) (*plainDenoise, error) {
	r := &plainDenoise{learner: newLearner(d, p.Batch), plan: p}
	r.corrupted, r.output = r.matrix(p.Batch, p.VisibleUnits), r.matrix(p.Batch, p.VisibleUnits)
	r.code, r.delta = r.matrix(p.Batch, p.HiddenUnits), r.matrix(p.Batch, p.HiddenUnits)
	if r.err != nil {
		return nil, errors.Join(r.err, r.Close())
	}
	return r, nil
}

// Run implements [TrainingRunner].
func (r *plainDenoise) Run(s *TrainingState, data Matrix, keys []uint64, u Update) (TrainingProgress, error) {
	return r.batches(s, data, keys, r.plan.Batch, func(x Matrix, keys []uint64) float64 { return r.update(s, x, keys, u) })
}

func (r *plainDenoise) update(s *TrainingState, x Matrix, keys []uint64, u Update) float64 {
	n, w := len(keys), s.Parameters.Weight
	corrupted, code, output, delta := r.top(r.corrupted, n), r.top(r.code, n), r.top(r.output, n), r.top(r.delta, n)
	r.corrupt(corrupted, x, r.plan.Corruption, Stream{Seed: r.plan.Seed, Purpose: PurposeCorruption, Step: s.Updates, Keys: keys})

	encode := Multiply(false, true)
	encode.Epilogue = Epilogue{Kind: EpilogueSigmoid, Bias: s.Parameters.Bias}
	r.gemm(code, corrupted, w, encode)
	r.gemm(output, code, w, reconstruct(r.plan.Visible, s.Parameters.VisibleBias))
	r.axpby(output, -1, x, 1)
	squaredError := r.squaredError(output)

	back := Multiply(false, true)
	back.Epilogue = Epilogue{Kind: EpilogueDerivative, Hidden: code}
	r.gemm(delta, output, w, back)

	rate := -u.Rate / float32(n)
	r.gemm(s.Velocity.Weight, delta, corrupted, Product{TransA: true, Alpha: rate, Beta: u.Momentum})
	r.gemm(s.Velocity.Weight, code, output, Product{TransA: true, Alpha: rate, Beta: 1})
	r.reduce(s.Velocity.Bias, delta, Reduction{Kind: ColumnMeans, Alpha: -u.Rate, Beta: u.Momentum})
	r.reduce(s.Velocity.VisibleBias, output, Reduction{Kind: ColumnMeans, Alpha: -u.Rate, Beta: u.Momentum})
	r.decay(s.Velocity.Weight, s, u)
	r.follow(s)
	return squaredError
}
