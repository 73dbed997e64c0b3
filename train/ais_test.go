package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/settest"
)

func mustAnneal(t *testing.T, l network.Layer, visible engine.VisibleKind, o AnnealOptions) *Annealing {
	t.Helper()
	a, err := Anneal(context.Background(), settest.Device(t), l, visible, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func exactPartition(t *testing.T, l network.Layer, visible engine.VisibleKind) float64 {
	t.Helper()
	z, err := LogPartition(context.Background(), l, visible)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestAnnealWithoutWeights: with W = 0 and the model's own visible biases as the
// base, every run's weight is exactly Z / Z_base, at any temperatures.
func TestAnnealWithoutWeights(t *testing.T) {
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		l := randomRBM(t, 5, 7, 1)
		var err error
		if l.Weight, err = dense.Of(make([]float32, 35), 5, 7); err != nil {
			t.Fatal(err)
		}
		base, err := dense.Data(l.VisibleBias)
		if err != nil {
			t.Fatal(err)
		}
		a := mustAnneal(t, l, kind, AnnealOptions{Layer: 1, Runs: 3, Temperatures: 17, Base: base, Starts: make([]float32, 21)})
		want := exactPartition(t, l, kind)
		for i := range a.Forward {
			if math.Abs(a.LogBase+a.Forward[i]-want) > 1e-9 || math.Abs(a.LogBase-a.Reverse[i]-want) > 1e-9 {
				t.Errorf("%v, run %d: log Z %.12g forward, %.12g in reverse, want %.12g", kind, i, a.LogBase+a.Forward[i], a.LogBase-a.Reverse[i], want)
			}
		}
		// From another base the weights vary, and their mean is right.
		other := make([]float32, 7)
		a = mustAnneal(t, l, kind, AnnealOptions{Layer: 1, Runs: 500, Temperatures: 50, Base: other})
		if e := a.ForwardEstimate(); math.Abs(e.LogPartition-want) > 4*e.Deviation || e.Deviation > 0.1 {
			t.Errorf("%v from another base: log Z %.4f +- %.4f, want %.4f", kind, e.LogPartition, e.Deviation, want)
		}
	}
}

// TestAnnealCoverage makes many estimates of small models whose Z is known, and
// counts how often the intervals hold it, and on which sides of it the means of
// the two directions are.
func TestAnnealCoverage(t *testing.T) {
	const groups, runs = 100, 50
	for name, test := range map[string]struct {
		visible        engine.VisibleKind
		hidden, inputs int
		size           float64
		temperatures   int
	}{
		"bernoulli":     {engine.Bernoulli, 4, 6, 1.2, 10},
		"more steps":    {engine.Bernoulli, 6, 5, 1.5, 40},
		"gaussian":      {engine.Gaussian, 3, 4, 0.8, 50},
		"one step only": {engine.Bernoulli, 3, 3, 0.4, 1},
	} {
		l := randomRBM(t, test.hidden, test.inputs, test.size)
		want := exactPartition(t, l, test.visible)
		a := mustAnneal(t, l, test.visible, AnnealOptions{Layer: 1, Runs: groups * runs, Temperatures: test.temperatures, Seed: 5,
			Base: make([]float32, test.inputs), Starts: make([]float32, groups*runs*test.inputs), Sweeps: 30})
		sigmas, bootstraps, forwards, reverses := 0, 0, 0.0, 0.0
		for g := range groups {
			part := &Annealing{LogBase: a.LogBase, Forward: a.Forward[g*runs : (g+1)*runs], Reverse: a.Reverse[g*runs : (g+1)*runs], seed: uint64(g)}
			e, r := part.ForwardEstimate(), mustReverse(t, part)
			if e.Low <= want && want <= e.High {
				sigmas++
			}
			if e.BootstrapLow <= want && want <= e.BootstrapHigh {
				bootstraps++
			}
			forwards += e.LogPartition / groups
			reverses += r.LogPartition / groups
		}
		whole := a.ForwardEstimate()
		t.Logf("%s: log Z %.4f, estimate %.4f +- %.4f; of %d intervals hold it %d (3 sigma), %d (bootstrap); mean %.4f forward, %.4f in reverse",
			name, want, whole.LogPartition, whole.Deviation, groups, sigmas, bootstraps, forwards, reverses)
		if math.Abs(whole.LogPartition-want) > 4*whole.Deviation || whole.Deviation > 0.03 {
			t.Errorf("%s: all runs say log Z = %.4f +- %.4f, want %.4f", name, whole.LogPartition, whole.Deviation, want)
		}
		// The bootstrap of the mean of so few skew weights holds a little less than
		// its 95 %, and three deviations less than 99.7 %.
		if sigmas < groups*95/100 || bootstraps < groups*83/100 {
			t.Errorf("%s: of %d intervals %d (3 sigma) and %d (bootstrap) hold log Z", name, groups, sigmas, bootstraps)
		}
		deviation := whole.Deviation
		if forwards > want+3*deviation || reverses < want-3*mustReverse(t, a).Deviation || reverses-forwards < 0.001 {
			t.Errorf("%s: means %.4f forward and %.4f in reverse are no bracket of %.4f", name, forwards, reverses, want)
		}
	}
}

func mustReverse(t *testing.T, a *Annealing) Estimate {
	t.Helper()
	e, ok := a.ReverseEstimate()
	if !ok {
		t.Fatal("there were no reverse runs")
	}
	return e
}

// smallDigits is the built-in digits at 7x7: means over blocks of 4x4 pixels.
func smallDigits(t *testing.T, n int) *settest.Rows {
	t.Helper()
	set, err := dataset.Open("digits:n=1000", 1)
	if err != nil {
		t.Fatal(err)
	}
	r := &settest.Rows{About: dataset.Info{Name: "small digits", Shape: []int{7, 7}, High: 1}, Data: make([]float32, n*49)}
	picture := make([]float32, 784)
	for i := range n {
		if err := set.Read(picture, []int{i}); err != nil {
			t.Fatal(err)
		}
		for p, x := range picture {
			r.Data[i*49+p/28/4*7+p%28/4] += x / 16
		}
	}
	return r
}

// TestAnnealTrained is the target of the experiments: within half a nat of the
// exact value at 16 hidden units, on a trained RBM.
func TestAnnealTrained(t *testing.T) {
	set := smallDigits(t, 1000)
	o := dbn(16)
	o.Epochs, o.Batch, o.Rates, o.Persistent = []int{30}, 10, []float64{0.05}, true
	d := settest.Device(t)
	n := mustTrain(t, d, set, nil, o, Hooks{}, 1000)
	exact, annealed := DefaultLikelihood(1), DefaultLikelihood(1)
	annealed.Method, annealed.Temperatures, annealed.Sweeps = AnnealPartition, 1000, 200
	sets := []NamedSet{{"train", set}}
	want, err := MeasureLikelihood(context.Background(), d, n, sets, exact, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := MeasureLikelihood(context.Background(), d, n, sets, annealed, nil)
	if err != nil {
		t.Fatal(err)
	}
	z, e, r := want.Partition.LogPartition, got.Partition, *got.Reverse
	t.Logf("log Z %.3f; annealed %.3f (%.3f to %.3f), %.0f runs effective; in reverse %.3f (%.3f to %.3f); log-likelihood %.2f",
		z, e.LogPartition, e.Low, e.High, e.Effective, r.LogPartition, r.Low, r.High, want.Sets[0].LogLikelihood)
	if want.Method != ExactPartition || got.Method != AnnealPartition {
		t.Errorf("methods are %s and %s", want.Method, got.Method)
	}
	if math.Abs(e.LogPartition-z) > 0.5 || e.Low > z || e.High < z {
		t.Errorf("annealing says log Z = %.3f (%.3f to %.3f), exact is %.3f", e.LogPartition, e.Low, e.High, z)
	}
	if r.High < z {
		t.Errorf("the reverse bound %.3f (%.3f to %.3f) is below %.3f", r.LogPartition, r.Low, r.High, z)
	}
	// It must be the weights that do it: the base alone is far off.
	if math.Abs(z-got.Annealing.LogBase) < 3 {
		t.Errorf("the base has log Z %.3f, hardly another than %.3f", got.Annealing.LogBase, z)
	}
}

// TestAnnealIdentity: a run's weight does not depend on its batch nor on the
// number of runs, and not on the same seed's other layers.
func TestAnnealIdentity(t *testing.T) {
	l := randomRBM(t, 9, 12, 0.8)
	r, err := newRBM(l, engine.Bernoulli)
	if err != nil {
		t.Fatal(err)
	}
	starts := settest.Greys(20, 12, 1).Data
	o := AnnealOptions{Layer: 2, Runs: 20, Temperatures: 30, Seed: 9, Base: make([]float32, 12), Starts: starts, Sweeps: 3}
	whole := mustAnneal(t, l, engine.Bernoulli, o)
	few := o
	few.Runs, few.Starts = 7, starts[:7*12]
	first := mustAnneal(t, l, engine.Bernoulli, few)
	if !slices.Equal(first.Forward, whole.Forward[:7]) || !slices.Equal(first.Reverse, whole.Reverse[:7]) {
		t.Error("runs depend on how many there are")
	}
	a := &annealer{buffers: buffers{device: settest.Device(t)}, model: r, options: o, ctx: context.Background()}
	defer func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	}()
	if err := a.prepare(l); err != nil {
		t.Fatal(err)
	}
	parts := &Annealing{Forward: make([]float64, 20), Reverse: make([]float64, 20)}
	for from := 0; from < 20; from += 8 {
		if err := a.runs(parts, from, min(from+8, 20)); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(parts.Forward, whole.Forward) || !slices.Equal(parts.Reverse, whole.Reverse) {
		t.Error("runs depend on their batch")
	}
	o.Layer = 1
	if other := mustAnneal(t, l, engine.Bernoulli, o); slices.Equal(other.Forward, whole.Forward) {
		t.Error("two layers draw the same numbers")
	}
}

func TestAnnealStops(t *testing.T) {
	l := randomRBM(t, 4, 3, 1)
	ctx, cancel := context.WithCancel(context.Background())
	var last, total int64
	_, err := Anneal(ctx, settest.Device(t), l, engine.Bernoulli, AnnealOptions{Layer: 1, Runs: 2, Temperatures: 1000, Base: make([]float32, 3)}, func(done, all int64) {
		last, total = done, all
		if done == 20 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || last != 20 || total != 2000 {
		t.Errorf("got %v after %d of %d sweeps", err, last, total)
	}
	_, err = Anneal(context.Background(), settest.Device(t), l, engine.Bernoulli, AnnealOptions{Layer: 1, Runs: 2, Temperatures: 5, Sweeps: 3, Base: make([]float32, 3), Starts: make([]float32, 6)},
		func(done, all int64) { last, total = done, all })
	if err != nil || last != 26 || total != 26 {
		t.Errorf("got %v after %d of %d sweeps", err, last, total)
	}
}

func TestAnnealRefuses(t *testing.T) {
	l := randomRBM(t, 4, 3, 1)
	for name, test := range map[string]struct {
		change func(o *AnnealOptions)
		want   string
	}{
		"one run":         {func(o *AnnealOptions) { o.Runs = 1 }, "Runs 1: want at least 2"},
		"no temperatures": {func(o *AnnealOptions) { o.Temperatures = 0 }, "Temperatures 0: want at least 1"},
		"sweeps":          {func(o *AnnealOptions) { o.Sweeps = -1 }, "Sweeps -1: want 0"},
		"too many sweeps": {func(o *AnnealOptions) { o.Sweeps = math.MaxUint32 }, "beyond the 2^32 steps"},
		"base":            {func(o *AnnealOptions) { o.Base = o.Base[:2] }, "Base: 2 biases for 3 inputs"},
		"starts":          {func(o *AnnealOptions) { o.Starts = o.Base }, "Starts: they hold 3 numbers"},
		"layer":           {func(o *AnnealOptions) { o.Layer = 300 }, "layer 300"},
	} {
		o := AnnealOptions{Layer: 1, Runs: 5, Temperatures: 4, Base: make([]float32, 3)}
		test.change(&o)
		if _, err := Anneal(context.Background(), settest.Device(t), l, engine.Bernoulli, o, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	if _, ok := (&Annealing{Forward: []float64{0, 0}}).ReverseEstimate(); ok {
		t.Error("there is a reverse estimate without reverse runs")
	}
	var err error
	if l.Bias, err = dense.Of([]float32{0, float32(math.NaN()), 0, 0}, 4); err != nil {
		t.Fatal(err)
	}
	o := AnnealOptions{Layer: 1, Runs: 5, Temperatures: 4, Base: make([]float32, 3)}
	if _, err := Anneal(context.Background(), settest.Device(t), l, engine.Bernoulli, o, nil); !errors.Is(err, engine.ErrNotFinite) {
		t.Errorf("a bias that isn't a number: got %v", err)
	}
}

// TestEstimate checks the arithmetic on weights that can be summed by hand.
func TestEstimate(t *testing.T) {
	// Weights 1, 2, 3: mean 2, standard deviation 1, of the mean 1/sqrt(3).
	a := &Annealing{LogBase: 1000, Forward: []float64{0, math.Log(2), math.Log(3)}, Reverse: []float64{-4, -5, -6}}
	e := a.ForwardEstimate()
	for name, pair := range map[string][2]float64{
		"log Z":     {e.LogPartition, 1000 + math.Log(2)},
		"low":       {e.Low, 1000 + math.Log(2-math.Sqrt(3))},
		"high":      {e.High, 1000 + math.Log(2+math.Sqrt(3))},
		"deviation": {e.Deviation, 1 / (2 * math.Sqrt(3))},
		"effective": {e.Effective, 36. / 14},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-9 {
			t.Errorf("%s is %.12g, want %.12g", name, pair[0], pair[1])
		}
	}
	r := mustReverse(t, a)
	if math.Abs(r.LogPartition-1005) > 1e-9 || math.Abs(r.High-1005-math.Sqrt(3)) > 1e-9 || math.Abs(r.Low-1005+math.Sqrt(3)) > 1e-9 {
		t.Errorf("reverse estimate is %+v", r)
	}
	if !(r.BootstrapLow >= 1004 && r.BootstrapLow < 1005 && r.BootstrapHigh > 1005 && r.BootstrapHigh <= 1006) {
		t.Errorf("reverse bootstrap is %.3f to %.3f", r.BootstrapLow, r.BootstrapHigh)
	}
	// As many resamples are left out on one side as on the other.
	skew := []float64{0, 1, 1, 2, 9, 4, 20, 7}
	turned := make([]float64, len(skew))
	for i, x := range skew {
		turned[i] = -x
	}
	low, high := bootstrap(skew, 3, forward)
	if l, h := bootstrap(turned, 3, forward); l != -high || h != -low || low >= high {
		t.Errorf("bootstrap is %g to %g, of the negative numbers %g to %g", low, high, l, h)
	}
	if poor := (&Annealing{Forward: []float64{0, -50, -50, -50}}).ForwardEstimate(); !math.IsInf(poor.Low, -1) || math.Abs(poor.Effective-1) > 1e-9 {
		t.Errorf("one run of four has all the weight: %+v", poor)
	}
}

func TestTemperatures(t *testing.T) {
	for _, steps := range []int{1, 2, 3, 100, 14500} {
		betas := temperatures(steps)
		if len(betas) != steps+1 || betas[0] != 0 || betas[steps] != 1 {
			t.Errorf("%d steps: %d betas", steps, len(betas))
		}
		for i, beta := range betas[1:] {
			if beta <= betas[i] || beta != float64(float32(beta)) {
				t.Errorf("%d steps: beta %d is %.9g after %.9g", steps, i+1, beta, betas[i])
			}
		}
	}
}

func TestBaseRates(t *testing.T) {
	if got := BaseRates(engine.Gaussian, []float64{-3, 0.25}); got[0] != -3 || got[1] != 0.25 {
		t.Errorf("gaussian: %v", got)
	}
	got := BaseRates(engine.Bernoulli, []float64{0, 0.5, 1})
	if got[1] != 0 || got[0] != -got[2] || math.Abs(sigmoid(float64(got[2]))-1.05/1.1) > 1e-6 {
		t.Errorf("bernoulli: %v", got)
	}
}
