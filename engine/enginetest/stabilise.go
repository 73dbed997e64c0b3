package enginetest

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

// stabilised is the step of an update with options that change the gradient,
// by the formulas of an RBM with energy -(h-q)'W(v-mu) - b'(h-q) - c'(v-mu):
// its own parameters take the step and become those of a plain RBM again, which
// has the same distribution if b = b' - W mu and c = c' - W'q.
func (t *trainee) stabilised(p engine.ContrastiveDivergence, u engine.Update, h0, v0, hk, vk [][]float64) {
	rate := float64(u.Rate)
	means0, means := meanRows(h0), meanRows(v0)
	meansk, meansv := meanRows(hk), meanRows(vk)
	q, mu := make([]float64, t.hidden), make([]float64, t.visible)
	if p.Tracks() {
		for i := range t.activity {
			t.activity[i] += engine.ActivityShare * (means0[i] - t.activity[i])
		}
	}
	if p.Centered {
		copy(q, t.activity)
		copy(mu, t.center)
	}
	push := make([]float64, t.hidden)
	for i := range push {
		if p.Sparsity.Cost > 0 {
			push[i] = -float64(p.Sparsity.Cost) * (t.activity[i] - float64(p.Sparsity.Target))
		}
	}
	step := make([]float64, t.hidden*t.visible)
	for i := range t.hidden {
		row := step[i*t.visible : (i+1)*t.visible]
		for j := range row {
			row[j] = rate * (correlation(h0, v0, i, j, q[i], mu[j]) - correlation(hk, vk, i, j, q[i], mu[j]) + push[i]*(means[j]-mu[j]))
		}
		if norm := math.Sqrt(inner(row, row)); p.GradientLimit > 0 && norm > float64(p.GradientLimit) {
			for j := range row {
				row[j] *= float64(p.GradientLimit) / norm
			}
		}
		for j := range row {
			row[j] -= rate * float64(u.Decay) * t.value.w[i*t.visible+j]
		}
	}
	t.begin(u)
	for i := range t.hidden {
		centered := rate * (means0[i] - meansk[i] + push[i])
		t.velocity.b[i] += centered - inner(step[i*t.visible:(i+1)*t.visible], mu)
	}
	for j := range t.visible {
		t.velocity.c[j] += rate * (means[j] - meansv[j])
		for i := range t.hidden {
			t.velocity.c[j] -= step[i*t.visible+j] * q[i]
		}
	}
	for i := range step {
		t.velocity.w[i] += step[i]
	}
	t.end(engine.Update{Rate: u.Rate})
}

// meanRows is the mean of each column.
func meanRows(rows [][]float64) []float64 {
	means := make([]float64, len(rows[0]))
	for _, row := range rows {
		for j, x := range row {
			means[j] += x / float64(len(rows))
		}
	}
	return means
}

// correlation is the mean of (h_i - q)(v_j - mu).
func correlation(h, v [][]float64, i, j int, q, mu float64) (mean float64) {
	for r := range h {
		mean += (h[r][i] - q) * (v[r][j] - mu) / float64(len(h))
	}
	return mean
}
