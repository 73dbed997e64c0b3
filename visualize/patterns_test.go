package visualize

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
)

func TestPatternsCheck(t *testing.T) {
	good := Patterns{Data: array(t, make([]float32, 24), 2, 3, 4), Shape: []int{2, 2}, Units: []int{7, 3}, Radius: 2, High: 1, Missing: []bool{false, true}}
	for _, c := range []struct {
		name  string
		spoil func(p *Patterns)
		want  string // "" for no error
	}{
		{"good", func(*Patterns) {}, ""},
		{"bare", func(p *Patterns) { *p = Patterns{Data: p.Data} }, ""},
		{"marks of each", func(p *Patterns) { p.Missing = make([]bool, 6) }, ""},
		{"below zero", func(p *Patterns) { p.Low, p.High = -3, -1 }, ""},
		{"nothing", func(p *Patterns) { p.Data = nil }, "missing (nil)"},
		{"one row", func(p *Patterns) { p.Data = array(t, make([]float32, 4), 4) }, "patterns are [4], want [units, components]"},
		{"another type", func(p *Patterns) {
			p.Data = tensor.New(tensor.WithShape(2, 4), tensor.WithBacking(make([]float64, 8)))
		}, "float64"},
		{"shape", func(p *Patterns) { p.Shape = []int{2, 3} }, "shape [2 3] does not hold 4 components"},
		{"a side of 0", func(p *Patterns) { p.Shape = []int{0, 4} }, "shape [0 4]"},
		{"units", func(p *Patterns) { p.Units = []int{7} }, "1 units for patterns of 2"},
		{"marks", func(p *Patterns) { p.Missing = make([]bool, 3) }, "6 patterns of 2 units, 3 marks"},
		{"radius", func(p *Patterns) { p.Radius = math.Inf(1) }, "radius +Inf"},
		{"backwards", func(p *Patterns) { p.Low = 2 }, "components from 2 to 1"},
		{"NaN", func(p *Patterns) { p.Low = float32(math.NaN()) }, "components from NaN to 1"},
	} {
		p := good
		c.spoil(&p)
		if err := p.Check(); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// Parts keep what belongs to them, and nothing of the whole.
func TestPartsOfPatterns(t *testing.T) {
	data := make([]float32, 2*3*2)
	for i := range data {
		data[i] = float32(i)
	}
	p := Patterns{Data: array(t, data, 2, 3, 2), Units: []int{7, 3}, Missing: []bool{false, false, true, true, false, true}}
	first, err := p.First(9, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, first.Data); !slices.Equal(got, []float32{0, 1, 2, 3, 6, 7, 8, 9}) || !slices.Equal(first.Missing, []bool{false, false, true, false}) || !slices.Equal(first.Units, p.Units) {
		t.Errorf("the first two of each are %v of %v, missing %v", got, first.Units, first.Missing)
	}
	second, err := p.Of(1)
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, second.Data); !slices.Equal(got, data[6:]) || !slices.Equal(second.Units, []int{3}) || !second.IsMissing(2) || second.IsMissing(1) {
		t.Errorf("the second unit's are %v of %v, missing %v", got, second.Units, second.Missing)
	}
	both, err := first.Before(Patterns{Data: array(t, []float32{-1, -2, -3, -4}, 2, 2), Missing: []bool{true, false}})
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, both.Data); !slices.Equal(got, []float32{0, 1, 2, 3, -1, -2, 6, 7, 8, 9, -3, -4}) || !slices.Equal(both.Missing, []bool{false, false, true, true, false, false}) || !slices.Equal(both.Units, p.Units) {
		t.Errorf("with one more of each they are %v of %v, missing %v", got, both.Units, both.Missing)
	}
	// One mark is for all patterns of its unit.
	p.Missing = []bool{false, true}
	if p.IsMissing(2) || !p.IsMissing(3) {
		t.Error("a unit's mark is not for its patterns alone")
	}
	for name, part := range map[string]func() (Patterns, error){
		"no units": func() (Patterns, error) { return p.First(0, 1) }, "none of each": func() (Patterns, error) { return p.First(1, 0) },
		"one unit": func() (Patterns, error) { return p.Before(second) }, "nothing": func() (Patterns, error) { return p.Before(Patterns{}) },
		"beyond": func() (Patterns, error) { return p.Of(2) }, "before": func() (Patterns, error) { return p.Of(-1) },
	} {
		if _, err := part(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What results give goes together, and says how it is to be read.
func TestResultsGivePatterns(t *testing.T) {
	ctx, d := context.Background(), openDevice(t)
	n := dbn(engine.Bernoulli, randomRBM(t, 1, 1, 0.5, 6, 4), randomRBM(t, 2, 1, 0.5, 4, 3))
	n.Radius, n.InputShape = 2, []int{2, 3}
	units := []int{2, 0}
	o := options(2, units...)
	o.KeepAll = true
	ascent := ascend(t, d, n, o)
	samples := sampleOf(t, d, n, SampleOptions{Layer: 2, Units: units, Samples: 5, Chains: 2, Every: 1, Seed: 1})
	combination, err := Combine(ctx, d, n, CombineOptions{Layer: 2, Units: units})
	if err != nil {
		t.Fatal(err)
	}
	set := randomSet(3, 20, 6)
	examples, err := Examples(ctx, d, n, set, ExamplesOptions{Layer: 2, Units: units, Top: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, err := examples.UnitPatterns(n)
	if err != nil {
		t.Fatal(err)
	}
	inks := *examples
	inks.Low, inks.High = 0, 255
	filters, err := Filters(n, units)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		of     Patterns
		each   int
		radius float64
		high   float32
	}{
		{"best", ascent.UnitPatterns(), 1, 2, 0}, {"restarts", ascent.RestartPatterns(), o.Restarts, 2, 0},
		{"means", samples.UnitPatterns(), 1, 0, 1}, {"samples", samples.SamplePatterns(), 5, 0, 1},
		{"combination", combination.UnitPatterns(), 1, 0, 0}, {"filters", filters, 1, 0, 0}, {"first examples", first, 1, 0, 1},
		{"examples around zero", examples.ExamplePatterns(), 3, 0, 0}, {"examples of inks", inks.ExamplePatterns(), 3, 0, 255},
	} {
		if err := c.of.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if _, each, size := c.of.Size(); each != c.each || size != 6 || !slices.Equal(c.of.Units, units) || !slices.Equal(c.of.Shape, n.InputShape) ||
			c.of.Radius != c.radius || c.of.Low != 0 || c.of.High != c.high || c.of.Name == "" {
			t.Errorf("%s: %+v", c.name, c.of)
		}
	}
}
