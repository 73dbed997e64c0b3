package engine

// stabilisers is what the options of [ContrastiveDivergence] that change its
// gradient need; without them it is empty.
type stabilisers struct {
	ones   Matrix    // [batch or chains, 1]
	target Matrix    // [1, hidden] Cost Target
	push   Matrix    // [1, hidden] -Cost (q-Target)
	data   Matrix    // [batch, visible] v0-mu
	step   Matrix    // [hidden, visible] what the batch adds to the weights, if it must be known by itself
	norms  Matrix    // [hidden, 1] of step's rows
	host   []float32 // norms on the host
}

// newStabilisers makes buffers for batches or chains of so many rows.
func (r *plainDivergence) newStabilisers(p ContrastiveDivergence, rows int) (b stabilisers) {
	if p.Tracks() {
		b.ones = r.constant(rows, 1, 1)
	}
	if p.Sparsity.Cost > 0 {
		b.target = r.constant(1, p.HiddenUnits, p.Sparsity.Cost*p.Sparsity.Target)
		b.push = r.matrix(1, p.HiddenUnits)
	}
	if p.Centered {
		b.data = r.matrix(p.Batch, p.VisibleUnits)
	}
	if p.Centered || p.GradientLimit > 0 {
		b.step = r.matrix(p.HiddenUnits, p.VisibleUnits)
	}
	if p.GradientLimit > 0 {
		b.norms, b.host = r.matrix(p.HiddenUnits, 1), make([]float32, p.HiddenUnits)
	}
	return b
}

// constant returns a matrix of equal numbers.
func (w *workspace) constant(rows, cols int, value float32) Matrix {
	if w.err != nil {
		return nil
	}
	if w.err = CheckNew(rows, cols); w.err != nil {
		return nil
	}
	numbers := make([]float32, rows*cols)
	for i := range numbers {
		numbers[i] = value
	}
	return w.upload(Host{Rows: rows, Cols: cols, Data: numbers})
}

// shift brings q up to date and moves the statistics by what sparsity and
// centering ask for: each is a constant for every row, so the gradient's
// products need no change.
func (r *plainDivergence) shift(s *TrainingState, data, model *phase) {
	p, b := r.plan, r.stabilisers
	if p.Tracks() {
		r.reduce(s.Activity, data.hidden, Reduction{Kind: ColumnMeans, Alpha: ActivityShare, Beta: 1 - ActivityShare})
	}
	if p.Sparsity.Cost > 0 {
		r.axpby(b.push, 1, b.target, 0)
		r.axpby(b.push, -p.Sparsity.Cost, s.Activity, 1)
		r.addRow(data.hidden, 1, b.push)
	}
	if !p.Centered {
		return
	}
	centered := r.top(b.data, data.visible.Rows())
	r.axpby(centered, 1, data.visible, 0)
	data.visible = centered
	for _, side := range []*phase{data, model} {
		r.addRow(side.visible, -1, s.Center)
		r.addRow(side.hidden, -1, s.Activity)
	}
}

// addRow adds alpha * row [1, n] to every row of x.
func (r *plainDivergence) addRow(x Matrix, alpha float32, row Matrix) {
	if r.err == nil {
		r.gemm(x, r.top(r.stabilisers.ones, x.Rows()), row, Product{Alpha: alpha, Beta: 1})
	}
}

// limit scales the rows of step that are longer than GradientLimit.
func (r *plainDivergence) limit(step Matrix) {
	limit, norms := r.plan.GradientLimit, r.stabilisers.host
	if limit == 0 {
		return
	}
	r.reduce(r.stabilisers.norms, step, Total(RowNorms))
	r.read(norms, r.stabilisers.norms)
	for i, norm := range norms {
		if norm > limit {
			r.project(r.slice(step, i, i+1), limit)
		}
	}
}

// uncenter takes from the biases what the step of the weights, made around mu
// and q, means for them.
func (r *plainDivergence) uncenter(s *TrainingState, step Matrix) {
	if r.plan.Centered {
		r.gemm(s.Velocity.Bias, s.Center, step, Product{TransB: true, Alpha: -1, Beta: 1})
		r.gemm(s.Velocity.VisibleBias, s.Activity, step, Product{Alpha: -1, Beta: 1})
	}
}
