package visualize

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// rbm is a layer with visible biases: weights [hidden, visible], b and c.
func rbm(t testing.TB, weight, bias, visibleBias []float32) network.Layer {
	t.Helper()
	l := layer(t, len(visibleBias), weight, bias)
	l.VisibleBias = array(t, visibleBias, len(visibleBias))
	return l
}

func randomRBM(t testing.TB, seed uint64, weights, biases float64, visible, hidden int) network.Layer {
	t.Helper()
	return rbm(t, normals(seed, weights, visible*hidden), normals(seed+1, biases, hidden), normals(seed+2, biases, visible))
}

// copying is a layer whose inputs are its states: the states of a layer above
// come out of the net as they are.
func copying(t testing.TB, units int) network.Layer {
	t.Helper()
	weight, bias, visibleBias := make([]float32, units*units), make([]float32, units), make([]float32, units)
	for i := range units {
		weight[i*units+i], bias[i], visibleBias[i] = 400, -200, -200
	}
	return rbm(t, weight, bias, visibleBias)
}

func dbn(kind engine.VisibleKind, layers ...network.Layer) *network.Network {
	return &network.Network{Kind: network.DBN, Visible: kind, Layers: layers}
}

func sampleOf(t testing.TB, d engine.Device, n *network.Network, o SampleOptions) *SampleResult {
	t.Helper()
	r, err := Sample(context.Background(), d, n, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// independent are options of so many samples, each from a chain of its own.
func independent(layer, samples int, units ...int) SampleOptions {
	o := DefaultSample()
	o.Layer, o.Units, o.Samples, o.Chains, o.BurnIn, o.Every = layer, units, samples, samples, 60, 1
	return o
}

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

// What can be written down without chance.
func TestSampleClosedForms(t *testing.T) {
	d := openDevice(t)
	sigmoid := func(x float64) float32 { return float32(1 / (1 + math.Exp(-x))) }
	o := DefaultSample()
	o.Layer, o.Units, o.Samples = 1, []int{0}, 12
	for _, c := range []struct {
		name string
		n    *network.Network
		want []float32
	}{
		{"two units", dbn(engine.Bernoulli, rbm(t, []float32{2}, []float32{-7}, []float32{-0.5})), []float32{sigmoid(1.5)}},
		{"no weights", dbn(engine.Bernoulli, rbm(t, make([]float32, 6), []float32{1, 2}, []float32{-1, 0, 3})), []float32{sigmoid(-1), 0.5, sigmoid(3)}},
		{"one Gaussian input", dbn(engine.Gaussian, rbm(t, []float32{2}, []float32{-7}, []float32{-0.5})), []float32{1.5}},
	} {
		r := sampleOf(t, d, c.n, o)
		for i, x := range numbers(t, r.Samples) {
			if want := c.want[i%len(c.want)]; math.Abs(float64(x-want)) > 1e-6 {
				t.Errorf("%s: number %d is %g, want %g", c.name, i, x, want)
			}
		}
		if m := r.Mixing[0]; m.Modes != 1 || m.MainMode != 1 || !math.IsNaN(m.Total.RHat) || !math.IsNaN(m.First.Autocorrelation) {
			t.Errorf("%s: samples that are all the same mix as %+v", c.name, m)
		}
	}
}

// A sample is the same to the bit whatever else is asked for.
func TestSampleIdentity(t *testing.T) {
	n := dbn(engine.Bernoulli, randomRBM(t, 1, 1, 0.5, 20, 15), randomRBM(t, 5, 1, 0.5, 15, 17), randomRBM(t, 9, 1, 0.5, 17, 11))
	d := openDevice(t)
	o := DefaultSample()
	o.Layer, o.Units, o.Samples, o.Chains, o.BurnIn, o.Every = 3, []int{4, 0, 10, 7}, 30, 4, 30, 10
	whole := sampleOf(t, d, n, o)
	of := func(r *SampleResult, place, sample int) []float32 {
		at := (place*r.Samples.Shape()[1] + sample) * 20
		return numbers(t, r.Samples)[at : at+20]
	}

	one, err := cpu.Open(cpu.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	few := o
	few.Units, few.ChunkRows = []int{10, 4}, 3
	r := sampleOf(t, one, n, few)
	for i, place := range []int{2, 0} {
		for k := range 30 {
			if !slices.Equal(of(r, i, k), of(whole, place, k)) {
				t.Fatalf("sample %d of unit %d depends on units, chunks or threads", k, few.Units[i])
			}
		}
		if r.Mixing[i] != whole.Mixing[place] {
			t.Errorf("mixing of unit %d: %+v, with other units %+v", few.Units[i], r.Mixing[i], whole.Mixing[place])
		}
	}
	if !slices.Equal(numbers(t, r.FreeMean), numbers(t, whole.FreeMean)) {
		t.Error("the free mean depends on units, chunks or threads")
	}

	sparse := o
	sparse.Chains, sparse.Samples, sparse.BurnIn, sparse.Every = 2, 4, 40, 30
	// Chain c at sweeps 70 and 100, which are moments 3 and 6 of the whole.
	r = sampleOf(t, d, n, sparse)
	for k, whereabouts := range []int{3 * 4, 3*4 + 1, 6 * 4, 6*4 + 1} {
		if !slices.Equal(of(r, 1, k), of(whole, 1, whereabouts)) {
			t.Errorf("sample %d depends on the other chains or sweeps", k)
		}
	}
	if slices.Equal(of(whole, 0, 0), of(whole, 0, 1)) || slices.Equal(of(whole, 0, 0), of(whole, 1, 0)) {
		t.Error("two chains gave the same sample")
	}
}

// The states on the way down are drawn anew for each sample, even when those
// that it begins with stay the same.
func TestSampleDrawsAnew(t *testing.T) {
	certain := rbm(t, make([]float32, 2), []float32{0}, []float32{60, -60})
	fair := rbm(t, make([]float32, 2*20), make([]float32, 2), make([]float32, 20))
	n := dbn(engine.Bernoulli, copying(t, 20), fair, certain)
	o := DefaultSample()
	o.Layer, o.Units, o.Samples, o.Chains, o.BurnIn, o.Every = 3, []int{0}, 50, 1, 0, 1
	r := sampleOf(t, openDevice(t), n, o)
	x, ones := numbers(t, r.Samples), 0
	for i := 20; i < len(x); i++ {
		if x[i] == x[i-20] {
			ones++
		}
	}
	// 980 fair coins: 4 standard deviations are 63.
	if ones < 490-63 || ones > 490+63 {
		t.Errorf("%d of 980 states are those of the sample before", ones)
	}
}

func TestSampleRefuses(t *testing.T) {
	d := openDevice(t)
	good := dbn(engine.Bernoulli, randomRBM(t, 1, 1, 1, 4, 3), randomRBM(t, 1, 1, 1, 3, 2))
	sdae, tuned, bare := *good, *good, *good
	sdae.Kind = network.SDAE
	tuned.Output = &network.Layer{}
	bare.Layers = slices.Clone(good.Layers)
	bare.Layers[0].VisibleBias = nil
	wild := dbn(engine.Gaussian, rbm(t, []float32{3e38, 3e38}, []float32{0, 0}, []float32{3e38}))
	for _, c := range []struct {
		name string
		n    *network.Network
		edit func(*SampleOptions)
		want string
	}{
		{"an SDAE", &sdae, nil, "kind sdae, which has no generative half"},
		{"a classifier", &tuned, nil, "fine-tuned as a classifier"},
		{"no visible bias", &bare, nil, "layers.1.visible_bias is missing"},
		{"a layer too high", good, func(o *SampleOptions) { o.Layer = 3 }, "layer 3: the model has layers 1..2"},
		{"no units", good, func(o *SampleOptions) { o.Units = nil }, "no units"},
		{"a unit too high", good, func(o *SampleOptions) { o.Units = []int{2} }, "unit 2: layer 2 has 2 units"},
		{"a unit twice", good, func(o *SampleOptions) { o.Units = []int{1, 1} }, "asked for twice"},
		{"no samples", good, func(o *SampleOptions) { o.Samples = 0 }, "0 samples"},
		{"no chains", good, func(o *SampleOptions) { o.Chains = 0 }, "0 chains"},
		{"a negative burn-in", good, func(o *SampleOptions) { o.BurnIn = -1 }, "burn-in of -1"},
		{"every 0", good, func(o *SampleOptions) { o.Every = 0 }, "every 0 sweeps"},
		{"a cosine of 2", good, func(o *SampleOptions) { o.Cosine = 2 }, "cosine 2"},
		{"no cosine", good, func(o *SampleOptions) { o.Cosine = math.NaN() }, "cosine NaN"},
		{"negative chunks", good, func(o *SampleOptions) { o.ChunkRows = -1 }, "chunks of -1"},
		{"too many sweeps", good, func(o *SampleOptions) { o.Every = math.MaxInt / 2 }, "sweeps in all"},
		{"too many samples", good, func(o *SampleOptions) { o.Samples, o.Chains = math.MaxInt/8, math.MaxInt/8 }, "identity"},
		{"too much memory", good, func(o *SampleOptions) { o.Samples, o.Every, o.BurnIn = 1<<40, 1, 0; o.Chains = 1 << 31 }, "GiB"},
		{"weights too large", wild, func(o *SampleOptions) { o.Layer = 1 }, "NaN or Inf"},
	} {
		o := DefaultSample()
		o.Layer, o.Units = 2, []int{0}
		if c.edit != nil {
			c.edit(&o)
		}
		_, err := Sample(context.Background(), d, c.n, o, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
}

func TestSampleStops(t *testing.T) {
	d := openDevice(t)
	n := dbn(engine.Bernoulli, randomRBM(t, 1, 1, 1, 4, 3))
	o := DefaultSample()
	o.Layer, o.Units = 1, []int{0, 2}
	last, calls := 0, 0
	if _, err := Sample(context.Background(), d, n, o, func(done, total int) {
		if done <= last || total != 3*10*1500 {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}); err != nil || last != 3*10*1500 {
		t.Errorf("progress ended at %d, error %v", last, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := Sample(ctx, d, n, o, func(int, int) {
		cancel()
		calls++
	})
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%d runs after the end, error %v", calls, err)
	}
}

func TestSampleFiles(t *testing.T) {
	o := DefaultSample()
	o.Layer, o.Units, o.Samples, o.Every = 1, []int{2, 0}, 30, 2
	r := sampleOf(t, openDevice(t), dbn(engine.Bernoulli, randomRBM(t, 1, 1, 1, 4, 3)), o)
	sameShapes(t, arraysIn(t, func(w *bytes.Buffer) error { return r.WriteArrays(w) }), map[string][]int{
		"units": {2}, "samples": {2, 30, 4}, "mean": {2, 4}, "free_mean": {4},
	})
	r.Mixing[1] = Mixing{Total: Statistic{math.NaN(), math.NaN()}, First: Statistic{math.Inf(1), 1}, Second: Statistic{1.25, -0.5}, Modes: 2, MainMode: 0.75}
	var file bytes.Buffer
	if err := r.WriteTable(&file); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(file.String(), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "2,") || lines[2] != "0,,+Inf,1.25,,1,-0.5,2,0.75,0" {
		t.Errorf("table\n%s", &file)
	}
	r.Mixing = nil
	if err := r.WriteTable(&file); err == nil || !strings.Contains(err.Error(), "2 units, 0 rows") {
		t.Errorf("without rows: error %v", err)
	}
}
