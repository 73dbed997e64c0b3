package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/report/chart"
	"github.com/unitscope/unitscope/visualize"
)

// modesWith is a result whose units have so many modes; 0 is a dead unit.
func modesWith(network string, layer int, modes ...int) *visualize.ModesResult {
	r := &visualize.ModesResult{Network: network, Layer: layer, Restarts: 9, Threshold: 0.95}
	for i, m := range modes {
		u := visualize.UnitModes{Unit: i, Dead: m == 0, Modes: float64(m)}
		if u.Dead {
			u.Modes = math.NaN()
		}
		r.Units = append(r.Units, u)
	}
	return r
}

// svgOf is a figure as SVG, which must be well-formed.
func svgOf(t testing.TB, f *chart.Figure) string {
	t.Helper()
	var b, again bytes.Buffer
	if err := errors.Join(f.WriteSVG(&b), f.WriteSVG(&again)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("the same figure gave other bytes")
	}
	if err := xml.Unmarshal(b.Bytes(), new(struct{})); err != nil {
		t.Errorf("not well-formed: %v", err)
	}
	return b.String()
}

// What the bars show is said in words too.
// numbered is what layers without names are called.
func numbered(layer int) string { return fmt.Sprintf("layer %d", layer) }

func TestModesHistogram(t *testing.T) {
	results := []*visualize.ModesResult{modesWith("trained", 1, 1, 1, 2, 5, 0), modesWith("untrained", 1, 1, 1), modesWith("trained", 2, 3)}
	f, err := ModesHistogram("SDAE", numbered, results)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "modes", f)
	text := svgOf(t, f)
	for _, want := range []string{
		"Layer 1, trained: 1 dead: Bars of share of units. 1, trained: 0.5. 2, trained: 0.25.", "5, trained: 0.25.", "1, untrained: 1.",
		"Layer 2: Bars of share of units. 1, trained: 0. 2, trained: 0. 3, trained: 1.", ">untrained</text>", "modes of a unit", ">SDAE: modes among 9 restarts of a unit, at cosine 0.95</text>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q", want)
		}
	}
	for _, c := range []struct {
		name    string
		results []*visualize.ModesResult
	}{
		{"all dead", []*visualize.ModesResult{modesWith("trained", 1, 0, 0)}},
		{"thousands of modes", []*visualize.ModesResult{modesWith("trained", 1, 5000, 39)}},
	} {
		f, err := ModesHistogram("", numbered, c.results)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		keep(t, "modes-"+strings.ReplaceAll(c.name, " ", "-"), f)
		if text := svgOf(t, f); !strings.Contains(text, ">layer 1: modes among 9 restarts of a unit, at cosine 0.95") {
			t.Errorf("%s: the one layer is not named", c.name)
		}
	}
	if _, err := ModesHistogram("", numbered, nil); err == nil || !strings.Contains(err.Error(), "no layers") {
		t.Errorf("no layers: error %v", err)
	}
}

// methodsOf has two methods, of which the second has nothing for unit 1.
func methodsOf(t testing.TB) *visualize.CompareResult {
	patterns, err := dense.Of([]float32{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}, 2, 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	return &visualize.CompareResult{
		Layer: 1, Units: []int{0, 1}, Methods: []string{"ascent", "combination"}, Examples: 10, Shape: []int{2, 2}, Patterns: patterns,
		Rows: []visualize.Compared{
			{Activation: 4, Percentile: 100}, {Activation: 1, Percentile: 40},
			{Activation: -3, Percentile: 90}, {Missing: true, Activation: nan, Percentile: nan},
		},
	}
}

func TestActivationPlot(t *testing.T) {
	r := &visualize.CompareResult{Units: []int{0, 1, 2, 3}, Methods: []string{"ascent", "combination"}, Examples: 10}
	for u := range r.Units {
		v := float64(u)
		r.Rows = append(r.Rows, visualize.Compared{Activation: 4 - v, Percentile: 100 - v}, visualize.Compared{Activation: v / 2, Percentile: 20 * v, Missing: u == 3})
	}
	f, err := ActivationPlot("DBN layer 1", r)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "activations", f)
	text := svgOf(t, f)
	for _, want := range []string{
		"Activation relative to ascent: Dots of share of the activation by ascent. ascent: 4 numbers, median 1. combination: 3 numbers, median 0.1667.",
		"Percentile among 10 examples: Dots of percentile of the activation. ascent: 4 numbers, median 98.5. combination: 3 numbers, median 20.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q", want)
		}
	}
	for i := range r.Rows {
		r.Rows[i].Missing = true
	}
	if f, err := ActivationPlot("DBN layer 1", r); f != nil || err != nil {
		t.Errorf("nothing to plot: %v, %v", f, err)
	}
}

// TestActivationPlotOfNothing has units that the first method hardly moves: what others
// reach would be a thousand times that.
func TestActivationPlotOfNothing(t *testing.T) {
	r := &visualize.CompareResult{Units: []int{0, 1, 2}, Methods: []string{"ascent", "sampling"}, Examples: 10, Rows: []visualize.Compared{
		{Activation: 1e-7, Percentile: 100}, {Activation: -0.00035, Percentile: 40},
		{Activation: 2, Percentile: 100}, {Activation: -1, Percentile: 40},
		{Activation: -1, Percentile: 100}, {Activation: -2, Percentile: 40},
	}}
	f, err := ActivationPlot("DBN layer 1", r)
	if err != nil {
		t.Fatal(err)
	}
	const want = "Activation relative to ascent, of 1: Dots of share of the activation by ascent. ascent: 1 number, median 1. sampling: 1 number, median -0.5."
	if text := svgOf(t, f); !strings.Contains(text, want) {
		t.Errorf("there is no %q in %.1500s", want, text)
	}
}

func TestComparison(t *testing.T) {
	p, err := Comparison("DBN layer 1", methodsOf(t), 5, GridOptions{Scale: 4})
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "comparison", p)
	both(t, p)
	checkLabels(t, p)
	r := methodsOf(t)
	sameTiles(t, p.images[:4], visualize.Patterns{Data: r.Patterns, Shape: r.Shape, Missing: []bool{false, false, false, true}})
	for _, want := range []string{"combination", "unit 1", "DBN layer 1: 2 units by each method"} {
		if !holdsText(p, want) {
			t.Errorf("there is no %q", want)
		}
	}
	if one, err := Comparison("DBN layer 1", methodsOf(t), 1, GridOptions{Scale: 4}); err != nil || len(one.images) != 2+1 {
		t.Errorf("one unit: %v", err)
	}
	bad := methodsOf(t)
	bad.Rows = bad.Rows[:1]
	for want, do := range map[string]func() (*Picture, error){
		"no result":                      func() (*Picture, error) { return Comparison("DBN layer 1", nil, 1, GridOptions{}) },
		"at least 1":                     func() (*Picture, error) { return Comparison("DBN layer 1", methodsOf(t), 0, GridOptions{}) },
		"4 patterns of 2 units, 1 marks": func() (*Picture, error) { return Comparison("DBN layer 1", bad, 1, GridOptions{}) },
	} {
		if _, err := do(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// A unit without restarts that found anything has no matrix.
func TestSimilarities(t *testing.T) {
	cosines, err := dense.Of([]float32{
		0, 0, 0, 0, 0, 0, 0, 0, 0,
		1, 0.31, 0.97, 0.31, 1, 0.5, 0.97, 0.5, 1,
	}, 2, 3, 3)
	if err != nil {
		t.Fatal(err)
	}
	r := &visualize.ModesResult{Layer: 2, Threshold: 0.95, Restarts: 3, Cosines: cosines, Mode: []int{-1, -1, -1, 0, 1, 0},
		Units: []visualize.UnitModes{{Unit: 4, Dead: true}, {Unit: 7, Modes: 2}}}
	p, err := Similarities("DBN layer 2", r, 9)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "similarities", p)
	both(t, p)
	checkLabels(t, p)
	// Restarts 0 and 2 are neighbours. The colours run from 0.3 to 1.
	tile := p.images[0].img.(*image.RGBA)
	for k, want := range []float64{1, 0.97, 0.31, 0.97, 1, 0.5, 0.31, 0.5, 1} {
		if got := tile.RGBAAt(k%3, k/3); got != viridis((float64(float32(want))-0.3)/0.7) {
			t.Errorf("element %d has colour %v, want that of %g", k, got, want)
		}
	}
	if !holdsText(p, "unit 7, 2 modes") || !holdsText(p, "DBN layer 2: how alike the restarts of 1 of 2 units are") {
		t.Error("the unit is not named")
	}
	r.Mode = []int{-1, -1, -1, -1, -1, -1}
	if p, err := Similarities("DBN layer 2", r, 9); p != nil || err != nil {
		t.Errorf("all dead: %v, %v", p, err)
	}
	if _, err := Similarities("", nil, 9); err == nil || !strings.Contains(err.Error(), "no cosines") {
		t.Errorf("no result: %v", err)
	}
}
