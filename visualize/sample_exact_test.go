package visualize

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// bitsOf are the states of n units by number.
func bitsOf(state, n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = float64(state >> i & 1)
	}
	return s
}

// conditional64 is sigmoid(weights states + biases), from above to below if
// down.
func conditional64(t testing.TB, l network.Layer, states []float64, down bool) []float64 {
	t.Helper()
	weight, bias := numbers(t, l.Weight), numbers(t, l.Bias)
	if down {
		bias = numbers(t, l.VisibleBias)
	}
	inputs := l.Weight.Shape()[1]
	p := make([]float64, len(bias))
	for i := range p {
		a := float64(bias[i])
		for k, s := range states {
			if down {
				a += float64(weight[k*inputs+i]) * s
			} else {
				a += float64(weight[i*inputs+k]) * s
			}
		}
		p[i] = 1 / (1 + math.Exp(-a))
	}
	return p
}

// exactVisible is p(v | h_unit = 1) of a Bernoulli RBM for all 2^visible states,
// from its energies: every other hidden unit is summed out in closed form.
func exactVisible(t testing.TB, l network.Layer, unit int) []float64 {
	t.Helper()
	weight, b, c := numbers(t, l.Weight), numbers(t, l.Bias), numbers(t, l.VisibleBias)
	visible := len(c)
	p := make([]float64, 1<<visible)
	total := 0.0
	for state := range p {
		v := bitsOf(state, visible)
		logarithm := 0.0
		for j, x := range v {
			logarithm += float64(c[j]) * x
		}
		for i := range b {
			a := float64(b[i])
			for j, x := range v {
				a += float64(weight[i*visible+j]) * x
			}
			if i == unit {
				logarithm += a
			} else {
				logarithm += math.Log1p(math.Exp(a))
			}
		}
		p[state] = math.Exp(logarithm)
		total += p[state]
	}
	for state := range p {
		p[state] /= total
	}
	return p
}

// chiSquared is the chance that frequencies of a distribution are as far from it
// as these or farther; states that are expected fewer than 5 times count as one.
func chiSquared(counts []int, p []float64) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	statistic, cells := 0.0, -1
	restCount, restExpected := 0.0, 0.0
	add := func(count, expected float64) {
		statistic += (count - expected) * (count - expected) / expected
		cells++
	}
	for i, c := range counts {
		if e := p[i] * float64(total); e < 5 {
			restCount, restExpected = restCount+float64(c), restExpected+e
		} else {
			add(float64(c), e)
		}
	}
	if restExpected > 0 {
		add(restCount, restExpected)
	}
	return distuv.ChiSquared{K: float64(cells)}.Survival(statistic)
}

// The states that chains visit have the frequencies of p(v | h_i = 1), known by
// enumeration. The seed is fixed; at the level of one in a thousand per case a
// correct sampler would fail for one seed in a hundred.
func TestSampleFrequencies(t *testing.T) {
	const level, samples = 1e-3, 3000
	d := openDevice(t)
	zero := rbm(t, make([]float32, 5*7), normals(3, 1, 5), normals(4, 1, 7))
	for _, c := range []struct {
		name string
		rbm  network.Layer
		unit int
	}{
		{"weak weights", randomRBM(t, 10, 0.5, 0.5, 8, 6), 2},
		{"strong weights", randomRBM(t, 20, 1.5, 0.5, 8, 6), 0},
		{"12 and 12 units", randomRBM(t, 30, 0.7, 1, 12, 12), 11},
		{"more hidden than visible units", randomRBM(t, 40, 1, 0.3, 3, 10), 9},
		{"no weights: independent", zero, 4},
		{"two units", rbm(t, []float32{1.7}, []float32{-3}, []float32{-0.4}), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			visible := c.rbm.Weight.Shape()[1]
			n := dbn(engine.Bernoulli, copying(t, visible), c.rbm)
			r := sampleOf(t, d, n, independent(2, samples, c.unit))
			counts := make([]int, 1<<visible)
			states := numbers(t, r.Samples)
			for i := range samples {
				state := 0
				for j, x := range states[i*visible : (i+1)*visible] {
					if x != 0 && x != 1 {
						t.Fatalf("sample %d has a state of %g", i, x)
					}
					state |= int(x) << j
				}
				counts[state]++
			}
			if p := chiSquared(counts, exactVisible(t, c.rbm, c.unit)); p < level {
				t.Errorf("frequencies as far from the exact ones have a chance of %.2g", p)
			}
		})
	}
}

// The test of frequencies sees a unit that is not held.
func TestFrequenciesCanFail(t *testing.T) {
	l := randomRBM(t, 20, 1.5, 0.5, 8, 6)
	held, other := exactVisible(t, l, 0), exactVisible(t, l, 1)
	counts := make([]int, len(other))
	for i, p := range other {
		counts[i] = int(4000 * p)
	}
	if p := chiSquared(counts, held); p > 1e-6 {
		t.Errorf("the frequencies of another unit have a chance of %g", p)
	}
}

// exactMean is E[x | h_unit = 1] of a DBN, whose top layer is an RBM, by the
// exact distribution of the states below it and every state on the way down.
func exactMean(t testing.TB, n *network.Network, unit int) []float64 {
	t.Helper()
	top := len(n.Layers) - 1
	distribution := exactVisible(t, n.Layers[top], unit)
	for l := top - 1; ; l-- {
		units := n.Layers[l].Weight.Shape()[0]
		inputs := n.Layers[l].Weight.Shape()[1]
		mean := make([]float64, inputs)
		var below []float64
		if l > 0 {
			below = make([]float64, 1<<inputs)
		}
		for state, p := range distribution {
			q := conditional64(t, n.Layers[l], bitsOf(state, units), true)
			if l == 0 && n.Visible == engine.Gaussian {
				for j := range q {
					q[j] = math.Log(q[j] / (1 - q[j])) // the mean is what the sigmoid is of
				}
			}
			for j := range q {
				mean[j] += p * q[j]
			}
			for s := range below {
				chance := p
				for j := range q {
					if s>>j&1 == 1 {
						chance *= q[j]
					} else {
						chance *= 1 - q[j]
					}
				}
				below[s] += chance
			}
		}
		if l == 0 {
			return mean
		}
		distribution = below
	}
}

// exactGaussian is E[x | h_unit = 1] of an RBM with Gaussian inputs: given the
// hidden states x is normal, so p(h) is known up to a factor.
func exactGaussian(t testing.TB, l network.Layer, unit int) []float64 {
	t.Helper()
	weight, b, c := numbers(t, l.Weight), numbers(t, l.Bias), numbers(t, l.VisibleBias)
	mean, total := make([]float64, len(c)), 0.0
	for state := range 1 << len(b) {
		if state>>unit&1 == 0 {
			continue
		}
		at, logarithm := widened(c), 0.0
		for i, h := range bitsOf(state, len(b)) {
			logarithm += float64(b[i]) * h
			for j := range at {
				at[j] += float64(weight[i*len(c)+j]) * h
			}
		}
		for _, x := range at {
			logarithm += x * x / 2
		}
		p := math.Exp(logarithm)
		total += p
		for j, x := range at {
			mean[j] += p * x
		}
	}
	for j := range mean {
		mean[j] /= total
	}
	return mean
}

// The means of independent samples lie within 5 standard errors of the exact
// ones, in every component.
func TestSampleMean(t *testing.T) {
	const samples = 3000
	d := openDevice(t)
	gaussian := randomRBM(t, 90, 0.4, 0.5, 5, 6)
	two := dbn(engine.Bernoulli, randomRBM(t, 50, 1.5, 0.5, 9, 6), randomRBM(t, 60, 1, 0.5, 6, 7))
	real := dbn(engine.Gaussian, two.Layers...)
	three := dbn(engine.Bernoulli, randomRBM(t, 50, 1.5, 0.5, 9, 6), randomRBM(t, 60, 2, 0.5, 6, 7), randomRBM(t, 70, 1, 0.5, 7, 5))
	four := dbn(engine.Bernoulli, append(slices.Clone(three.Layers), randomRBM(t, 80, 1, 0.5, 5, 6))...)
	// With one hidden unit beside the one that is held, p(v = 1) by hand.
	hand := rbm(t, []float32{2, -3}, []float32{0.5, 1}, []float32{-0.3})
	on, off := math.Exp(-0.3+2)*(1+math.Exp(1-3)), 1+math.Exp(1)
	for _, c := range []struct {
		name string
		n    *network.Network
		unit int
		want []float64
	}{
		{"one layer", dbn(engine.Bernoulli, hand), 0, []float64{on / (on + off)}},
		{"one layer of Gaussian inputs", dbn(engine.Gaussian, gaussian), 3, exactGaussian(t, gaussian, 3)},
		{"two layers", two, 4, exactMean(t, two, 4)},
		{"two layers of Gaussian inputs", real, 4, exactMean(t, real, 4)},
		{"three layers", three, 1, exactMean(t, three, 1)},
		{"four layers", four, 5, exactMean(t, four, 5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := sampleOf(t, d, c.n, independent(len(c.n.Layers), samples, c.unit))
			x, mean := numbers(t, r.Samples), numbers(t, r.Mean)
			for j, want := range c.want {
				sum, squares := 0.0, 0.0
				for i := range samples {
					v := float64(x[i*len(c.want)+j])
					sum += v
					squares += (v - want) * (v - want)
				}
				if got := sum / samples; math.Abs(got-float64(mean[j])) > 1e-6 {
					t.Errorf("component %d: mean %g, of the samples %g", j, mean[j], got)
				}
				if off, standardError := float64(mean[j])-want, math.Sqrt(squares)/samples; math.Abs(off) > 5*standardError {
					t.Errorf("component %d: mean %g, exactly %g, standard error %g", j, mean[j], want, standardError)
				}
			}
		})
	}
}
