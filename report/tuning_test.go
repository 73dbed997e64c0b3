package report

import (
	"strings"
	"testing"

	"github.com/unitscope/unitscope/visualize"
)

// tuned is a result of so many units, each the same, with classes called so.
func tuned(units int, classes ...string) *visualize.TuningResult {
	r := &visualize.TuningResult{Layer: 2, Examples: 25, Names: classes}
	for c := range classes {
		r.Classes, r.ClassExamples = append(r.Classes, c), append(r.ClassExamples, 5)
	}
	for u := range units {
		r.Units = append(r.Units, visualize.UnitTuning{Unit: u, Edges: []float64{0, 1, 2}, Counts: []int{20, 5}, ClassMean: []float64{0.25, 1.5}[:len(classes)]})
	}
	return r
}

func TestTuningChart(t *testing.T) {
	r := tuned(20, "cat", "dog")
	r.Units[1].Doubt = "never on"
	f, err := TuningChart("MLP layer 2 (fc2)", r)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "tuning", f)
	text := svgOf(t, f)
	for _, want := range []string{
		">MLP layer 2 (fc2): output of the first 8 of 20 units over 25 examples</text>", "Unit 0: Histogram of 25 values of output, in bins from 0 to 2.",
		"Unit 0: Bars of mean output. cat: 0.25. dog: 1.5.", ">Unit 1, never on</text>", ">Unit 7</text>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q", want)
		}
	}
	if strings.Contains(text, ">Unit 8</text>") || len(f.Plots) != 16 || f.Columns != 4 {
		t.Errorf("%d plots in %d columns", len(f.Plots), f.Columns)
	}
	r = tuned(1)
	r.Before = true
	if f, err = TuningChart("", r); err != nil || len(f.Plots) != 1 || !strings.Contains(svgOf(t, f), "values of activation") {
		t.Errorf("without classes: %v", err)
	}
}
