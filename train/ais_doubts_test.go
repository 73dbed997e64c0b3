package train

import (
	"context"
	"math"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// sharpBars is an RBM of bars, trained at far too high a rate and then with all
// parameters times four: chains stay where they are.
func sharpBars(t *testing.T, set *settest.Rows) *network.Network {
	t.Helper()
	o := dbn(16)
	o.Epochs, o.Rates, o.Batch, o.Momentum, o.Decay = []int{500}, []float64{2}, 10, 0, 0
	n := mustTrain(t, settest.Device(t), set, nil, o, Hooks{}, 1024)
	l := n.Layers[0]
	for _, x := range []*tensor.Dense{l.Weight, l.Bias, l.VisibleBias} {
		data, err := dense.Data(x)
		if err != nil {
			t.Fatal(err)
		}
		for i := range data {
			data[i] *= 4
		}
	}
	return n
}

// TestReverseIsNoBound: on an RBM with weights up to 37 the likelihood by
// reverse annealing is above the exact one for every seed, and that is said.
func TestReverseIsNoBound(t *testing.T) {
	set := settest.BarsAndStripes(4)
	n := sharpBars(t, set)
	exact, err := LogLikelihood(n.Layers[0], engine.Bernoulli, set.Data)
	if err != nil {
		t.Fatal(err)
	}
	largest := 0.0
	for _, w := range doubles(t, n.Layers[0].Weight) {
		largest = max(largest, math.Abs(w))
	}
	for seed := range uint64(5) {
		o := DefaultLikelihood(1)
		o.Method, o.Runs, o.Temperatures, o.Seed = AnnealPartition, 100, 300, seed
		l, err := MeasureLikelihood(context.Background(), settest.Device(t), n, []NamedSet{{"train", set}}, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		doubts := strings.Join(l.Annealing.Doubts(), "\n")
		t.Logf("weights to %.1f, exact %.3f, forward %.3f, reverse %.3f:\n%s", largest, exact, l.Sets[0].LogLikelihood, l.Sets[0].Reverse, doubts)
		if l.Sets[0].Reverse <= exact {
			t.Errorf("seed %d: %.3f in reverse, exactly %.3f: this RBM was made for the opposite", seed, l.Sets[0].Reverse, exact)
		}
		for _, want := range []string{"nats lower in reverse than forward", "still resemble the examples"} {
			if !strings.Contains(doubts, want) {
				t.Errorf("seed %d: nothing about %q:\n%s", seed, want, doubts)
			}
		}
	}
}

// TestNoDoubts: small weights raise none, but for chance: of 100 seeds at most a
// few are beyond three errors of the two statistics.
func TestNoDoubts(t *testing.T) {
	l := randomRBM(t, 5, 8, 0.7)
	set := settest.Greys(200, 8, 3)
	raised := 0
	for seed := range uint64(100) {
		a := mustAnneal(t, l, engine.Bernoulli, AnnealOptions{Layer: 1, Runs: 60, Temperatures: 100, Seed: seed, Base: make([]float32, 8), Starts: set.Data[:60*8], Sweeps: 30})
		if doubts := a.Doubts(); len(doubts) > 0 {
			t.Logf("seed %d: %s", seed, strings.Join(doubts, "; "))
			raised++
		}
		if _, ok := a.ReverseEstimate(); !ok || !(math.Abs(a.Remembered) < 0.3) {
			t.Fatalf("remembered %g", a.Remembered)
		}
	}
	if raised > 4 {
		t.Errorf("%d of 100 seeds raise doubts", raised)
	}
}

// TestDoubts raises each by numbers made for it.
func TestDoubts(t *testing.T) {
	spread := func(center, size float64) (xs []float64) {
		for i := range 100 {
			xs = append(xs, center+size*(float64(i%10)-4.5))
		}
		return xs
	}
	one := spread(0, 0)
	one[17] = 50
	for name, c := range map[string]struct {
		a    Annealing
		want []string
	}{
		"none":               {Annealing{Forward: spread(5, 0.01), Reverse: spread(-5.5, 0.01), Remembered: 0.02, RememberedDeviation: 0.01}, nil},
		"forward alone":      {Annealing{Forward: spread(5, 0.01), Remembered: math.NaN(), RememberedDeviation: math.NaN()}, nil},
		"one run":            {Annealing{Forward: one, Remembered: math.NaN(), RememberedDeviation: math.NaN()}, []string{"1.0 of 100 runs have nearly all the weight"}},
		"inverted":           {Annealing{Forward: spread(5, 0.01), Reverse: spread(-4.5, 0.01)}, []string{"0.50 nats lower in reverse"}},
		"inverted by chance": {Annealing{Forward: spread(5, 0.1), Reverse: spread(-5, 0.1)}, nil},
		"far apart":          {Annealing{Forward: spread(5, 0.01), Reverse: spread(-15, 0.01)}, []string{"no better than to 10.0 nats"}},
		"remembered":         {Annealing{Forward: spread(5, 0.01), Reverse: spread(-5.5, 0.01), Remembered: 0.4, RememberedDeviation: 0.05}, []string{"correlation 0.40"}},
		"not surely":         {Annealing{Forward: spread(5, 0.01), Reverse: spread(-5.5, 0.01), Remembered: 0.4, RememberedDeviation: 0.2}, nil},
	} {
		got := c.a.Doubts()
		if len(got) != len(c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q", name, got[i], want)
			}
		}
	}
}

func TestMemory(t *testing.T) {
	source := engine.NewSource(3, engine.PurposeMonitor, 0, 0)
	x, y := make([]float32, 400*6), make([]float32, 400*6)
	for i := range x {
		x[i], y[i] = float32(source.Normal()), float32(source.Normal())
	}
	half := make([]float32, len(x))
	for i := range half {
		half[i] = 5 + (x[i]+y[i])/2
	}
	for name, c := range map[string]struct {
		ends            []float32
		want, tolerance float64
	}{"stayed": {x, 1, 1e-12}, "independent": {y, 0, 0.06}, "half": {half, math.Sqrt2 / 2, 0.03}} {
		got, deviation := remembered(x, c.ends, 6)
		// 2400 pairs of numbers, so 1/sqrt(2400) = 0.0204.
		if math.Abs(got-c.want) > c.tolerance || deviation < 0.012 || deviation > 0.03 {
			t.Errorf("%s: correlation %g, deviation %g, want a correlation of %g", name, got, deviation, c.want)
		}
	}
	for name, starts := range map[string][]float32{"no chains": nil, "all alike": make([]float32, 60)} {
		if got, _ := remembered(starts, x[:len(starts)], 6); !math.IsNaN(got) {
			t.Errorf("%s: %g", name, got)
		}
	}
}
