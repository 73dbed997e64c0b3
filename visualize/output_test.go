package visualize

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/network"
)

// tuned is a stack with a classifier, and the stack that has the classifier's units for
// its third layer, whose activations are the classes' scores.
func tuned(t *testing.T) (n, third *network.Network) {
	third = randomNetwork(t, 3, 4, 0.5, 16, 12, 9, 4)
	third.InputShape, third.Kind = []int{4, 4}, network.SDAE
	classifier := third.Layers[2]
	of := *third
	of.Layers, of.Output = third.Layers[:2:2], &classifier
	return &of, third
}

// Class units climb as if they were one more layer: what comes after them has no part
// in it.
func TestAscendClassUnits(t *testing.T) {
	n, third := tuned(t)
	d := openDevice(t)
	got, want := ascend(t, d, n, options(3, 0, 1, 2, 3)), ascend(t, d, third, options(3, 0, 1, 2, 3))
	if got.Rate != want.Rate || !slices.Equal(numbers(t, got.BestPatterns), numbers(t, want.BestPatterns)) {
		t.Error("they climb to other patterns")
	}
	activation, patterns := numbers(t, got.Activation), numbers(t, got.Patterns)
	for row, a := range activation {
		x := widened(patterns[row*16 : (row+1)*16])
		// A sum of 9 terms of up to 4 in float32.
		if exact := activation64(t, third, 3, row/got.Restarts, x); math.Abs(float64(a)-exact) > 1e-5 {
			t.Errorf("row %d: %g, want %g", row, a, exact)
		}
	}
}

// The response of a class unit is its score itself, where that is positive.
func TestSelectivityOfClassUnits(t *testing.T) {
	n, _ := tuned(t)
	d := openDevice(t)
	r := ascend(t, d, n, options(3, 0, 1, 2, 3))
	s, err := Selectivity(t.Context(), d, n, 3, r.UnitPatterns())
	if err != nil {
		t.Fatal(err)
	}
	matrix, activation := numbers(t, s.Matrix), numbers(t, s.Activation)
	for column := range 4 {
		largest := float32(0)
		for row := range 4 {
			largest = max(largest, activation[row*4+column])
		}
		for row := range 4 {
			want := max(0, activation[row*4+column]) / largest
			if got := matrix[row*4+column]; math.Abs(float64(got-want)) > 1e-6 {
				t.Errorf("pattern %d, unit %d: %g, want %g", row, column, got, want)
			}
		}
	}
	if s.Summary.Saturated != 0 {
		t.Errorf("%d class units are said to be saturated", s.Summary.Saturated)
	}
}

// The control of a classifier has one too, whose units can climb.
func TestControlOfClassifier(t *testing.T) {
	n, third := tuned(t)
	c, err := Control(n, 5)
	if err != nil {
		t.Fatal(err)
	}
	without, err := Control(third, 5)
	if err != nil {
		t.Fatal(err)
	}
	if c.Check() != nil || !slices.Equal(c.Sizes(), n.Sizes()) {
		t.Errorf("%v, sizes %v", c.Check(), c.Sizes())
	}
	if !slices.Equal(numbers(t, c.Layers[1].Weight), numbers(t, without.Layers[1].Weight)) {
		t.Error("a classifier changes what the layers below it begin with")
	}
	if r := ascend(t, openDevice(t), c, options(3, 0)); r.Dead[0] {
		t.Error("its class units are dead")
	}
}

// A classifier that fine-tuning has not moved from 0 tells nothing of its input.
func TestLearnOfClassifier(t *testing.T) {
	n, _ := tuned(t)
	set := randomSet(4, 300, 16)
	all := learnt(t, n, set)
	if len(all) != 3 || all[2].Units != 4 || all[2].Initial != 0 || all[2].Stuck != 0 || all[2].Warning() != "" {
		t.Errorf("a good classifier: %+v", all)
	}
	classifier := layer(t, 9, fill(36, 0), fill(4, 1))
	n.Output = &classifier
	if text := learnt(t, n, set)[2].Warning(); !strings.HasPrefix(text, "layer 3 has learned nothing: its output hardly depends on its input") {
		t.Errorf("weights of 0: %q", text)
	}
	// Scores that differ by a thousandth are shares of classes that do not differ.
	small := layer(t, 9, normals(3, 1e-3, 36), fill(4, 1))
	hardly := *n
	hardly.Output = &small
	if text := learnt(t, &hardly, set)[2].Warning(); !strings.Contains(text, "deviate by 0.00") || !strings.HasPrefix(text, "layer 3 has learned nothing") {
		t.Errorf("weights of a thousandth: %q", text)
	}
	weights, err := LearnOfWeights(openDevice(t), n, 3)
	if err != nil || !strings.HasPrefix(weights.Warning(), "layer 3 has learned nothing: the weights of 4 of its 4 units are all 0") {
		t.Errorf("weights of 0 alone: %v, %q", err, weights.Warning())
	}
}
