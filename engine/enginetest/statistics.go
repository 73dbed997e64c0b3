package enginetest

import (
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// testDivergenceStatistics checks the gradient of contrastive divergence as an
// expectation: an RBM of 4 + 3 units is small enough to sum over all of its
// states. One update on many copies of an example, each with draws of its own,
// leaves the average gradient in the velocity. Every component must be within
// five standard errors of its exact expectation, with exact variances; chance
// alone exceeds that once in some ten thousand runs of the suite.
func testDivergenceStatistics(s *subject) {
	const visible, hidden = 4, 3
	for _, chains := range []int{0, pick(20_000, 4_000)} {
		batch := pick(20_000, 4_000)
		if chains > 0 {
			batch = 1
		}
		begin := s.newTrainee(visible, hidden, 1, engine.Bernoulli)
		begin.velocity = parameters{make([]float64, visible*hidden), make([]float64, hidden), make([]float64, visible)}
		example := doubles(s.uniforms(visible))
		state := begin.chains[0]

		var moments moments
		if chains == 0 {
			begin.chains = nil
			moments = begin.expectedDivergence(example)
		} else {
			for len(begin.chains) < chains {
				begin.chains = append(begin.chains, state)
			}
			moments = begin.expectedPersistent(example, state)
		}
		p := engine.ContrastiveDivergence{VisibleUnits: visible, HiddenUnits: hidden, GibbsSteps: 1, Chains: chains, Batch: batch, Layer: 1, Seed: s.random.Uint64()}
		s.checkStatistics(p, begin, example, moments)
	}
}

// checkStatistics makes one update at rate 1, so that the velocity becomes the
// average gradient.
func (s *subject) checkStatistics(p engine.ContrastiveDivergence, begin *trainee, example []float64, exact moments) {
	r := trainer{name: fmt.Sprintf("%+v", p), plan: p, batch: p.Batch, begin: begin, rule: engine.Update{Rate: 1}}
	for i := range p.Batch {
		r.data = append(r.data, singles(example)...)
		r.keys = append(r.keys, engine.ExampleKey(1, int64(i)))
	}
	samples := float64(max(p.Batch, p.Chains))
	s.forEach(p, func(way string, runner engine.Runner) {
		got, _, _ := s.train(r, runner, p.Batch)
		gradient := append(append(got["velocity of weight"], got["velocity of bias"]...), got["velocity of visible bias"]...)
		s.near("expected gradient, 5 standard errors", way+", "+r.name, gradient, exact.mean(), func(i int) float64 {
			return 5*math.Sqrt(exact.variance(i)/samples) + 2e-6
		})
	})
}

// moments gathers a gradient's expectation and variances, in the order W, b, c.
type moments struct{ first, second []float64 }

// add counts a gradient h0 v0 - hk vk, h0 - hk, v0 - vk with its probability.
func (m *moments) add(probability float64, h0, v0, hk, vk []float64) {
	var g []float64
	for i := range h0 {
		for j := range v0 {
			g = append(g, h0[i]*v0[j]-hk[i]*vk[j])
		}
	}
	for i := range h0 {
		g = append(g, h0[i]-hk[i])
	}
	for j := range v0 {
		g = append(g, v0[j]-vk[j])
	}
	if m.first == nil {
		m.first, m.second = make([]float64, len(g)), make([]float64, len(g))
	}
	for i, x := range g {
		m.first[i] += probability * x
		m.second[i] += probability * x * x
	}
}

func (m *moments) mean() []float64 { return m.first }

func (m *moments) variance(i int) float64 { return max(0, m.second[i]-m.first[i]*m.first[i]) }

// everyState calls visit with each vector of states and its probability, for
// independent states with probabilities p.
func everyState(p []float64, visit func(states []float64, probability float64)) {
	for bits := range 1 << len(p) {
		states, probability := make([]float64, len(p)), 1.0
		for j := range p {
			if bits>>j&1 == 1 {
				states[j] = 1
				probability *= p[j]
			} else {
				probability *= 1 - p[j]
			}
		}
		visit(states, probability)
	}
}

// expectedDivergence sums CD-1 over the hidden states.
func (t *trainee) expectedDivergence(v0 []float64) (m moments) {
	h0 := t.up(v0)
	everyState(h0, func(states []float64, probability float64) {
		v1 := t.down(states)
		m.add(probability, h0, v0, t.up(v1), v1)
	})
	return m
}

// expectedPersistent sums one step of persistent CD over the visible states,
// from a chain's hidden states.
func (t *trainee) expectedPersistent(v0, chain []float64) (m moments) {
	everyState(t.down(chain), func(states []float64, probability float64) {
		m.add(probability, t.up(v0), v0, t.up(states), states)
	})
	return m
}
