package visualize

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

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
		{"a layer too high", good, func(o *SampleOptions) { o.Layer = 3 }, "Layer 3: the model has layers 1 to 2"},
		{"no units", good, func(o *SampleOptions) { o.Units = nil }, "Units: there are none"},
		{"a unit too high", good, func(o *SampleOptions) { o.Units = []int{2} }, "Units 2: layer 2 has 2 units"},
		{"a unit twice", good, func(o *SampleOptions) { o.Units = []int{1, 1} }, "asked for twice"},
		{"no samples", good, func(o *SampleOptions) { o.Samples = 0 }, "Samples 0: want at least 1"},
		{"no chains", good, func(o *SampleOptions) { o.Chains = 0 }, "Chains 0: want at least 1"},
		{"a negative burn-in", good, func(o *SampleOptions) { o.BurnIn = -1 }, "BurnIn -1: want"},
		{"every 0", good, func(o *SampleOptions) { o.Every = 0 }, "Every 0: want"},
		{"a cosine of 2", good, func(o *SampleOptions) { o.Cosine = 2 }, "Cosine 2: want"},
		{"no cosine", good, func(o *SampleOptions) { o.Cosine = math.NaN() }, "Cosine NaN: want"},
		{"negative chunks", good, func(o *SampleOptions) { o.ChunkRows = -1 }, "ChunkRows -1: want"},
		{"too many sweeps", good, func(o *SampleOptions) { o.Every = math.MaxInt / 2 }, "sweeps in all"},
		{"too many samples", good, func(o *SampleOptions) { o.Samples, o.Chains = math.MaxInt/8, math.MaxInt/8 }, "identity"},
		{"too much memory", good, func(o *SampleOptions) { o.Samples, o.Every, o.BurnIn = 1<<40, 1, 0; o.Chains = 1 << 31 }, "GiB"},
		{"negative temperatures", good, func(o *SampleOptions) { o.Temperatures = -2 }, "Temperatures -2: want 1 to 64, or -1"},
		{"too many temperatures", good, func(o *SampleOptions) { o.Temperatures = 65 }, "Temperatures 65: want"},
		{"too many tempered chains", good, func(o *SampleOptions) { o.Temperatures, o.Samples, o.Chains = 2, 1<<24, 1<<24 }, "want at most 8388608"},
		{"weights too large for a base", wild, func(o *SampleOptions) { o.Layer, o.Temperatures = 1, AutoTemperatures }, "NaN or Inf"},
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
	r.Mixing[1] = Mixing{Total: Statistic{math.NaN(), math.NaN()}, First: Statistic{math.Inf(1), 1}, Second: Statistic{1.25, -0.5}, Modes: 2, MainMode: 0.75, Chance: 0.25, Effective: math.NaN()}
	var file bytes.Buffer
	if err := r.WriteTable(&file); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(file.String(), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "2,") || lines[2] != "0,,+Inf,1.25,,1,-0.5,2,0.75,0,0.25,,,,," {
		t.Errorf("table\n%s", &file)
	}
	r.Data = &DataMeans{Mean: r.Mean, FreeMean: r.FreeMean}
	r.Agreement = []Agreement{{-0.25, 3}, {math.NaN(), 1}}
	file.Reset()
	if err := r.WriteTable(&file); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(file.String(), "\n"); !strings.HasSuffix(lines[1], ",-0.25,3,,,") || !strings.HasSuffix(lines[2], ",0.25,,1,,,") {
		t.Errorf("table held against data\n%s", &file)
	}
	sameShapes(t, arraysIn(t, func(w *bytes.Buffer) error { return r.WriteArrays(w) }), map[string][]int{
		"units": {2}, "samples": {2, 30, 4}, "mean": {2, 4}, "free_mean": {4}, "data_mean": {2, 4}, "data_free_mean": {4},
	})
	r.Temperatures, r.Mixing[1].Effective, r.Mixing[1].Acceptance, r.Mixing[1].RoundTrips = []float64{1, 0.25, 0}, 7.5, 0.375, 1.5
	file.Reset()
	if err := r.WriteTable(&file); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(file.String(), "\n"); !strings.HasSuffix(lines[2], ",0.25,,1,7.5,0.375,1.5") {
		t.Errorf("table of tempered chains\n%s", &file)
	}
	if got := arraysIn(t, func(w *bytes.Buffer) error { return r.WriteArrays(w) })["inverse_temperatures"]; !slices.Equal(got, []int{3}) {
		t.Errorf("inverse temperatures are written as %v", got)
	}
	r.Mixing = nil
	if err := r.WriteTable(&file); err == nil || !strings.Contains(err.Error(), "2 units, 0 rows") {
		t.Errorf("without rows: error %v", err)
	}
}
