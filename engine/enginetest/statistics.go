package enginetest

import (
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// runExamples is how many gradients one update of the statistics averages. The
// device adds them up in float32, and many copies of one number are rounded the
// same way each time: the mean of 20,000 of them at once may be off by 1e-3 of
// itself, which is far more than chance. The runs' means are averaged in float64.
const runExamples = 250

// comparisonChance is the probability, at most, with which chance alone makes one
// of the statistics' comparisons fail. Of a device they are 2 cases x 2 ways to run
// the plan x (12 + 3 + 4) components = 76. The CPU has three variants at most, so
// that `go test ./...` makes 228 comparisons and fails by chance less than once in
// four million runs: 228 x 1e-9 = 2.3e-7. All other tests that draw compare with
// the same draws, or have fixed seeds.
const comparisonChance = 1e-9

// testDivergenceStatistics checks the gradient of contrastive divergence as an
// expectation: an RBM of 4 + 3 units is small enough to sum over all of its
// states. Updates on copies of one example, each with draws of its own, leave the
// average gradient in the velocity. Every component must be as near to its exact
// expectation as [deviationBound] says.
func testDivergenceStatistics(s *subject) {
	for _, persistent := range []bool{false, true} {
		c := s.newStatistics(persistent, pick(400_000, 20_000))
		s.forEach(c.plan, func(way string, runner engine.Runner) {
			got, bound := s.averageGradient(c, runner), c.exact.bounds(c.runs)
			s.near("expected gradient", fmt.Sprintf("%s, %+v", way, c.plan), singles(got), c.exact.first, func(i int) float64 { return bound[i] })
		})
	}
}

// statistics is a case of the expected gradient: so many updates from the same
// start, each the mean of runExamples gradients.
type statistics struct {
	plan    engine.ContrastiveDivergence
	begin   *trainee
	example []float64
	runs    int
	exact   moments
}

// newStatistics makes a random case of about so many gradients, of CD-1 or of
// persistent chains, which all start from the same states.
func (s *subject) newStatistics(persistent bool, gradients int) statistics {
	const visible, hidden = 4, 3
	begin := s.newTrainee(visible, hidden, 1, engine.Bernoulli)
	begin.velocity = parameters{make([]float64, visible*hidden), make([]float64, hidden), make([]float64, visible)}
	c := statistics{begin: begin, example: doubles(s.uniforms(visible)), runs: gradients / runExamples}
	c.plan = engine.ContrastiveDivergence{VisibleUnits: visible, HiddenUnits: hidden, GibbsSteps: 1, Batch: 1, Layer: 1, Seed: s.random.Uint64()}
	if !persistent {
		c.plan.Batch, begin.chains = runExamples, nil
		c.exact = begin.expectedDivergence(c.example)
		return c
	}
	state := begin.chains[0]
	c.exact = begin.expectedPersistent(c.example, state)
	c.plan.Chains, begin.chains = runExamples, slices.Repeat([][]float64{state}, runExamples)
	return c
}

// averageGradient makes the updates at rate 1, so that the velocity becomes the
// gradient. Each run has another number of updates behind it, and other keys, so
// other draws.
func (s *subject) averageGradient(c statistics, runner engine.Runner) []float64 {
	s.Helper()
	mean := make([]float64, len(c.exact.first))
	for run := range c.runs {
		r := trainer{name: fmt.Sprintf("%+v", c.plan), plan: c.plan, batch: c.plan.Batch, begin: c.begin.clone(), rule: engine.Update{Rate: 1}}
		r.begin.updates += uint32(run)
		for i := range c.plan.Batch {
			r.data = append(r.data, singles(c.example)...)
			r.keys = append(r.keys, engine.ExampleKey(1, int64(run*c.plan.Batch+i)))
		}
		got, _, _ := s.train(r, runner, c.plan.Batch)
		for i, g := range slices.Concat(got["velocity of weight"], got["velocity of bias"], got["velocity of visible bias"]) {
			mean[i] += float64(g) / float64(c.runs)
		}
	}
	return mean
}

// deviationBound is how far the mean of n independent numbers may be from their
// expectation, with this variance and at most so far from it each, but for a
// probability of at most chance. It is Bernstein's inequality,
//
//	P(|mean - expectation| >= t) <= 2 exp(-n t^2 / (2 variance + 2/3 largest t)),
//
// solved for t. Unlike a number of standard errors of the normal distribution it
// holds for every n and for states of any probability: one of 1e-5 comes up 0.2
// times in 20,000, and once is five standard errors.
func deviationBound(variance, largest, n, chance float64) float64 {
	l := math.Log(2/chance) / n
	skew := largest * l / 3
	return skew + math.Sqrt(skew*skew+2*variance*l)
}

// moments gathers a gradient's expectation, the mean of its square, and the
// least and the largest value, in the order W, b, c.
type moments struct{ first, second, least, most []float64 }

// bounds are how far the average gradient of so many runs may be from its
// expectation: by chance, by rounding, and by 2e-6 since the device's
// probabilities are off by some 1e-7. Adding up n numbers between -1 and 1 in
// float32, in any order, leaves an error of their mean of at most n half, and the
// gradient is the difference of two such means.
func (m moments) bounds(runs int) []float64 {
	bounds := make([]float64, len(m.first))
	for i, mean := range m.first {
		variance := max(0, m.second[i]-mean*mean)
		largest := max(m.most[i]-mean, mean-m.least[i])
		bounds[i] = deviationBound(variance, largest, float64(runs*runExamples), comparisonChance) + 2*runExamples*half + 2e-6
	}
	return bounds
}

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
		m.least, m.most = slices.Clone(g), slices.Clone(g)
	}
	for i, x := range g {
		m.first[i] += probability * x
		m.second[i] += probability * x * x
		m.least[i], m.most[i] = min(m.least[i], x), max(m.most[i], x)
	}
}

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
