package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// distribution gives states of an RBM, as bits, their exact probabilities.
type distribution []float64

// normalize scales weights to probabilities.
func (d distribution) normalize() distribution {
	sum := 0.0
	for _, x := range d {
		sum += x
	}
	for i := range d {
		d[i] /= sum
	}
	return d
}

// bit is unit i of states as bits.
func bit(states, i int) float64 { return float64(states >> i & 1) }

// joint is p(v, h | h_clamp = 1) of a Bernoulli RBM over v | h<<visible, summed
// up over all of its states; clamp -1 leaves out the condition.
func joint(p engine.Gibbs, clamp int) distribution {
	visible, hidden := p.Layer.Weight.Cols, p.Layer.Weight.Rows
	d := make(distribution, 1<<(visible+hidden))
	for h := range 1 << hidden {
		if clamp >= 0 && bit(h, clamp) == 0 {
			continue
		}
		for v := range 1 << visible {
			d[v|h<<visible] = math.Exp(exponent(p, v, h))
		}
	}
	return d.normalize()
}

// exponent is v'W'h + b'h + c'v.
func exponent(p engine.Gibbs, v, h int) (sum float64) {
	visible := p.Layer.Weight.Cols
	for j, c := range p.VisibleBias {
		sum += bit(v, j) * float64(c)
	}
	for k, b := range p.Layer.Bias {
		if bit(h, k) == 0 {
			continue
		}
		sum += float64(b)
		for j := range visible {
			sum += bit(v, j) * float64(p.Layer.Weight.Data[k*visible+j])
		}
	}
	return sum
}

// ofHidden is p(h | h_clamp = 1) of an RBM with Gaussian visible units: the
// integral over v leaves exp(b'h + ||W'h + c||^2 / 2).
func ofHidden(p engine.Gibbs, clamp int) distribution {
	visible, hidden := p.Layer.Weight.Cols, p.Layer.Weight.Rows
	d := make(distribution, 1<<hidden)
	for h := range d {
		if clamp >= 0 && bit(h, clamp) == 0 {
			continue
		}
		sum := 0.0
		for k, b := range p.Layer.Bias {
			sum += bit(h, k) * float64(b)
		}
		for j, c := range p.VisibleBias {
			mean := float64(c)
			for k := range hidden {
				mean += bit(h, k) * float64(p.Layer.Weight.Data[k*visible+j])
			}
			sum += mean * mean / 2
		}
		d[h] = math.Exp(sum)
	}
	return d.normalize()
}

// ofVisible sums a joint distribution over the hidden states.
func (d distribution) ofVisible(visible int) distribution {
	marginal := make(distribution, 1<<visible)
	for state, probability := range d {
		marginal[state&(1<<visible-1)] += probability
	}
	return marginal
}

// checkFrequencies is Pearson's chi-squared test of states against a
// distribution at the level 1e-4, with states expected fewer than five times
// taken together.
func (s *subject) checkFrequencies(where string, states []int, d distribution) {
	s.Helper()
	counts := make([]float64, len(d))
	for _, state := range states {
		counts[state]++
	}
	n := float64(len(states))
	statistic, cells, rest, restExpected := 0.0, 0, 0.0, 0.0
	for state, probability := range d {
		expected := n * probability
		switch {
		case probability == 0 && counts[state] > 0:
			s.Errorf("%s: state %b is impossible, came up %g times", where, state, counts[state])
			return
		case expected < 5:
			rest, restExpected = rest+counts[state], restExpected+expected
		default:
			cells++
			statistic += (counts[state] - expected) * (counts[state] - expected) / expected
		}
	}
	if restExpected > 0 {
		cells++
		statistic += (rest - restExpected) * (rest - restExpected) / max(restExpected, 1)
	}
	// The quantile by Wilson and Hilferty; 3.719 is the normal one of 1 - 1e-4.
	freedom := float64(cells - 1)
	limit := freedom * math.Pow(1-2/(9*freedom)+3.719*math.Sqrt(2/(9*freedom)), 3)
	if !(statistic <= limit) {
		s.Errorf("%s: chi-squared %.1f with %g degrees of freedom, at most %.1f at the level 1e-4", where, statistic, freedom, limit)
	}
	s.used["gibbs: chi-squared"] = max(s.used["gibbs: chi-squared"], statistic/limit)
}

// packedStates returns the rows of 0 and 1 as bits, from bit shift on.
func packedStates(x []float32, cols, shift int) []int {
	states := make([]int, len(x)/cols)
	for i := range states {
		for j, v := range x[i*cols : (i+1)*cols] {
			states[i] |= int(v) << (shift + j)
		}
	}
	return states
}

// sample runs so many independent chains that hold a unit, and returns their
// states after 25 sweeps, by when chains of such small weights have forgotten
// their starts.
func (s *subject) sample(p engine.Gibbs, r engine.Runner, clamp, n int) chains {
	s.Helper()
	keys := make([]uint64, n)
	for i := range keys {
		keys[i] = engine.RowKey(1, max(clamp, 0), i)
	}
	state, err := engine.NewGibbsState(s.device, p, slices.Repeat([]int{clamp}, n), keys)
	s.must(err)
	_, err = r.(engine.GibbsRunner).Run(state, 25)
	s.must(err)
	c := chains{hidden: s.read(state.Hidden), visible: s.read(state.Visible)}
	s.must(state.Close())
	return c
}

// testGibbsExact compares the frequencies of states in many independent chains
// with exact probabilities. Parameters and seeds are fixed: the draws are the
// same in every run and on every device, so chance can't fail it now and then.
func testGibbsExact(s *subject) {
	random := rand.New(rand.NewPCG(41, 3))
	n := pick(6_000, 2_000)
	for _, c := range []struct{ visible, hidden int }{{4, 3}, {3, 5}, {8, 6}} {
		p := rbm(random, c.visible, c.hidden, 0.8, engine.Bernoulli, 11)
		s.forEach(p, func(way string, r engine.Runner) {
			for _, clamp := range []int{-1, c.hidden - 1} {
				where := fmt.Sprintf("%s, %d + %d units, %d held", way, c.visible, c.hidden, clamp)
				got, exact := s.sample(p, r, clamp, n), joint(p, clamp)
				v, both := packedStates(got.visible, c.visible, 0), packedStates(got.hidden, c.hidden, c.visible)
				for i := range both {
					both[i] |= v[i]
				}
				s.checkFrequencies(where+": p(v | h_i = 1)", v, exact.ofVisible(c.visible))
				if c.visible+c.hidden < 10 {
					s.checkFrequencies(where+": p(v, h | h_i = 1)", both, exact)
				}
			}
		})
	}
	p := rbm(random, 3, 5, 0.5, engine.Gaussian, 12)
	s.forEach(p, func(way string, r engine.Runner) {
		for _, clamp := range []int{-1, 2} {
			got := s.sample(p, r, clamp, n)
			s.checkFrequencies(fmt.Sprintf("%s, Gaussian, %d held: p(h | h_i = 1)", way, clamp), packedStates(got.hidden, 5, 0), ofHidden(p, clamp))
		}
	})
}

// testGibbsClosedForms checks RBMs whose distributions can be written down:
// without weights, units are independent coins; two units are a table of four.
func testGibbsClosedForms(s *subject) {
	n := pick(6_000, 2_000)
	p := rbm(rand.New(rand.NewPCG(5, 5)), 4, 3, 0, engine.Bernoulli, 21)
	coins := distribution{}
	for v := range 1 << 4 {
		probability := 1.0
		for j, c := range p.VisibleBias {
			q := sigmoid(float64(c))
			probability *= bit(v, j)*q + (1-bit(v, j))*(1-q)
		}
		coins = append(coins, probability)
	}
	s.forEach(p, func(way string, r engine.Runner) {
		for _, clamp := range []int{-1, 1} {
			s.checkFrequencies(fmt.Sprintf("%s, no weights, %d held", way, clamp), packedStates(s.sample(p, r, clamp, n).visible, 4, 0), coins)
		}
	})

	const w, b, c = 1.5, -0.5, -0.75
	p = engine.Gibbs{
		Layer:       engine.Layer{Weight: engine.Host{Rows: 1, Cols: 1, Data: []float32{w}}, Bias: []float32{b}},
		VisibleBias: []float32{c}, Seed: 22,
	}
	free := distribution{1, math.Exp(c), math.Exp(b), math.Exp(w + b + c)}.normalize() // v | h<<1
	held := distribution{1 - sigmoid(w+c), sigmoid(w + c)}
	s.forEach(p, func(way string, r engine.Runner) {
		got := s.sample(p, r, -1, n)
		both := packedStates(got.hidden, 1, 1)
		for i, v := range packedStates(got.visible, 1, 0) {
			both[i] |= v
		}
		s.checkFrequencies(way+", two units", both, free)
		s.checkFrequencies(way+", two units, one held", packedStates(s.sample(p, r, 0, n).visible, 1, 0), held)
	})
}
