package visualize

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// corners are the 2^size inputs of zeros and ones, each equally often: every
// component has the variance 1/4, and none depends on another.
func corners(size int) *rowsSet {
	s := &rowsSet{info: dataset.Info{Shape: []int{size}, High: 1}}
	for i := range 1 << size {
		row := make([]float32, size)
		for j := range row {
			row[j] = float32(i >> j & 1)
		}
		s.rows = append(s.rows, row)
	}
	return s
}

// diagonal is a layer in which unit i sees component i alone, by a weight.
func diagonal(t *testing.T, weights, bias []float32) network.Layer {
	n := len(weights)
	w := make([]float32, n*n)
	for i, x := range weights {
		w[i*n+i] = x
	}
	return layer(t, n, w, bias)
}

func fill(n int, x float32) []float32 {
	all := make([]float32, n)
	for i := range all {
		all[i] = x
	}
	return all
}

func learnt(t *testing.T, n *network.Network, set dataset.Set) []Learning {
	t.Helper()
	all, err := Learn(context.Background(), openDevice(t), n, set)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestLearnCounts checks the numbers of layers whose activations are known: that of
// a unit that sees one of the components with weight w deviates by w/2.
func TestLearnCounts(t *testing.T) {
	set := corners(8)
	same := make([]float32, 0, 64)
	for range 8 {
		same = append(same, 3, 3, 3, 3, 3, 3, 3, 3)
	}
	for name, c := range map[string]struct {
		layer   network.Layer
		want    Learning
		warning string
	}{
		"eight units":  {diagonal(t, []float32{2, 2, 2, 2, 4, 4, 4, 4}, fill(8, -1)), Learning{Deviation: 1.5, Kinds: 8}, ""},
		"still ones":   {diagonal(t, fill(8, 0.04), fill(8, 1)), Learning{Deviation: 0.02, Still: 8, Kinds: 8}, "layer 1 has learned nothing: its output hardly depends on its input, and what methods show of its units is noise: over 256 examples the activations of half of its 8 units deviate by 0.02 or less (a layer that has learned: by more than 0.05)"},
		"half still":   {diagonal(t, []float32{0.04, 0.04, 0.04, 0.04, 4, 4, 4, 4}, fill(8, 0)), Learning{Deviation: 1.01, Still: 4, Kinds: 8}, ""},
		"saturated":    {diagonal(t, fill(8, 2), []float32{-9, -9, -9, -9, 9, 9, 9, 9}), Learning{Deviation: 1, Stuck: 8, Kinds: 8}, "layer 1 is saturated: 8 of its 8 units are off for each of 256 examples, or on for each"},
		"one of eight": {layer(t, 8, same, fill(8, -12)), Learning{Deviation: 3 * math.Sqrt(8) / 2, Kinds: 1}, "layer 1 is made of duplicates: its 8 units all do the same"},
		"no weights":   {diagonal(t, fill(8, 0), fill(8, 0)), Learning{Still: 8, Kinds: 1}, "layer 1 has learned nothing: its output hardly depends on its input, and what methods show of its units is noise: over 256 examples the activations of half of its 8 units are the same for each; its 8 units all do the same"},
		"some weights": {diagonal(t, []float32{0, 0, 0, 0, 0, 0, 2, 2}, fill(8, 9)), Learning{Still: 6, Stuck: 8, Kinds: 3}, "layer 1 has learned nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			got := learnt(t, &network.Network{Kind: network.MLP, InputShape: []int{8}, Layers: []network.Layer{c.layer}}, set)[0]
			if math.Abs(got.Deviation-c.want.Deviation) > 1e-6 {
				t.Errorf("the deviation is %g, want %g", got.Deviation, c.want.Deviation)
			}
			c.want.Layer, c.want.Units, c.want.Examples, got.Deviation = 1, 8, 256, c.want.Deviation
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if text := got.Warning(); !strings.HasPrefix(text, c.warning) || c.warning == "" && text != "" {
				t.Errorf("it says %q, want %q", text, c.warning)
			}
		})
	}
}

// A layer of wide inputs is no better than its first weights, and the sentence says
// what it was held against.
func TestLearnSaysTheRule(t *testing.T) {
	l := Learning{Layer: 2, Units: 20, Examples: 500, Deviation: 0.1, Initial: 0.099, Still: 20, Kinds: 20}
	if want := "deviate by 0.1 or less, and that is less than 2 times the 0.099 of the random weights that training begins with"; !strings.HasSuffix(l.Warning(), want) {
		t.Errorf("it says %q, want %q", l.Warning(), want)
	}
}

// Weights of 0 are nothing that training begins with, in models of another kind.
func TestLearnOfZeroWeights(t *testing.T) {
	n := &network.Network{Kind: network.MLP, InputShape: []int{8}, Layers: []network.Layer{diagonal(t, []float32{0, 0, 0, 0, 0, 2, 3, 4}, fill(8, 1))}}
	l, err := LearnOfWeights(openDevice(t), n, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := "layer 1 has learned nothing: the weights of 5 of its 8 units are all 0"; l.Warning() != want {
		t.Errorf("it says %q, want %q", l.Warning(), want)
	}
}

// TestLearnUntrained has the control that nobody trained: each of its layers says
// so, whatever the scale of its inputs, with data and by its weights alone.
func TestLearnUntrained(t *testing.T) {
	digits, err := dataset.Open("digits:n=2000", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer digits.Close()
	d := openDevice(t)
	for name, c := range map[string]struct {
		set     dataset.Set
		visible engine.VisibleKind
		inputs  []int
	}{
		"digits":      {digits, engine.Bernoulli, []int{28, 28}},
		"wide normal": {randomSet(1, 600, 3000), engine.Gaussian, []int{3000}},
	} {
		for _, kind := range []network.Kind{network.DBN, network.SDAE} {
			n, err := network.Untrained(kind, c.visible, c.inputs, []int{60, 40}, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range learnt(t, n, c.set) {
				// The mean of many squares: a few percent.
				if ratio := l.Deviation / l.Initial; ratio < 0.8 || ratio > 1.25 {
					t.Errorf("%s, %s, layer %d: a deviation of %g, initial weights are said to give %g", name, kind, l.Layer, l.Deviation, l.Initial)
				}
				weights, err := LearnOfWeights(d, n, l.Layer)
				if err != nil {
					t.Fatal(err)
				}
				for _, said := range []string{l.Warning(), weights.Warning()} {
					if !strings.Contains(said, "has learned nothing") {
						t.Errorf("%s, %s, layer %d: an untrained layer says %q", name, kind, l.Layer, said)
					}
				}
			}
		}
	}
}

// TestLearnOfFewNumbers has a bottleneck: of many units that see two numbers many
// must be alike, which is no fault.
func TestLearnOfFewNumbers(t *testing.T) {
	n := randomNetwork(t, 5, 20, 0.1, 8, 2, 200, 200)
	n.InputShape = []int{8}
	for _, l := range learnt(t, n, corners(8))[1:] {
		if l.Kinds != 0 || l.Warning() != "" {
			t.Errorf("layer %d: %d kinds, %q", l.Layer, l.Kinds, l.Warning())
		}
	}
}

// TestLearnHealthy has random layers of strong weights, which differ.
func TestLearnHealthy(t *testing.T) {
	n := randomNetwork(t, 7, 4, 1, 16, 300, 100)
	n.Kind, n.InputShape = network.SDAE, []int{16}
	set := randomSet(2, 700, 16)
	d := openDevice(t)
	all := learnt(t, n, set)
	for _, l := range all {
		weights, err := LearnOfWeights(d, n, l.Layer)
		if err != nil {
			t.Fatal(err)
		}
		if l.Warning() != "" || weights.Warning() != "" || l.Examples != 700 {
			t.Errorf("layer %d is said to be bad: %+v, %+v", l.Layer, l, weights)
		}
	}
	var text bytes.Buffer
	if err := WriteLearning(&text, all); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(text.String(), "\n"); len(lines) != 4 || !strings.HasPrefix(lines[2], "2,100,700,") {
		t.Errorf("learning.csv is %q", text.String())
	}
}

// TestLearnFails has data of another size, and weights beyond what float32 adds up.
func TestLearnFails(t *testing.T) {
	d := openDevice(t)
	n := randomNetwork(t, 7, 1, 1, 16, 10)
	if _, err := Learn(context.Background(), d, n, corners(8)); err == nil || !strings.Contains(err.Error(), "have 8 components, the model's inputs 16") {
		t.Errorf("data of another size: %v", err)
	}
	n = &network.Network{Kind: network.MLP, InputShape: []int{8}, Layers: []network.Layer{layer(t, 8, fill(8, 3e38), fill(1, 0))}}
	if _, err := Learn(context.Background(), d, n, corners(8)); !errors.Is(err, engine.ErrNotFinite) {
		t.Errorf("weights beyond float32: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Learn(ctx, d, n, corners(8)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := LearnOfWeights(d, n, 2); err == nil {
		t.Error("a layer that is not there has no error")
	}
}
