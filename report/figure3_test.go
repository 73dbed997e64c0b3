package report

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/visualize"
)

func TestRangeToThePixel(t *testing.T) {
	for _, c := range []struct {
		name     string
		patterns []float32
		n        int
		like     visualize.Patterns // Low, High and Missing
		options  GridOptions
		want     [][]uint8
	}{
		{"probabilities", []float32{0, 1, 0.5, 0.25}, 1, visualize.Patterns{High: 1}, GridOptions{}, [][]uint8{{1, 255}, {128, 64}}},
		{"one scale for all tiles", []float32{0.1, 0.1, 0.9, 0.9}, 4, visualize.Patterns{High: 1}, GridOptions{}, [][]uint8{{26, 128, 26}, {128, 128, 128}, {230, 128, 230}}},
		{"beyond the ends", []float32{-7, 3}, 2, visualize.Patterns{High: 1}, GridOptions{}, [][]uint8{{1, 128, 255}}},
		{"another range", []float32{10, 30}, 2, visualize.Patterns{Low: 10, High: 20}, GridOptions{Scale: 1, Global: true}, [][]uint8{{1, 128, 255}}},
		{"black all over", []float32{0, 0}, 2, visualize.Patterns{High: 1}, GridOptions{}, [][]uint8{{1, 128, 1}}},
		{"no range", []float32{0, 1, -0.5, 0.5}, 1, visualize.Patterns{}, GridOptions{}, [][]uint8{{128, 255}, {64, 192}}},
		{"a dead unit", []float32{9, 9, 9, 9}, 1, visualize.Patterns{High: 1, Missing: []bool{true}}, GridOptions{}, [][]uint8{{64, 64}, {64, 64}}},
		{"larger", []float32{1}, 1, visualize.Patterns{High: 1}, GridOptions{Scale: 2}, [][]uint8{{255, 255}, {255, 255}}},
	} {
		columns := squareColumns(c.n)
		p := c.like
		p.Data = array(t, c.patterns, c.n, len(c.patterns)/c.n)
		img, err := Grid(p, columns, c.options)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := lines(t, img); !slices.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	for kind, high := range map[engine.VisibleKind]float32{engine.Bernoulli: 1, engine.Gaussian: 0} {
		if p := (&visualize.SampleResult{Visible: kind}).UnitPatterns(); p.Low != 0 || p.High != high {
			t.Errorf("%v inputs are from %g to %g", kind, p.Low, p.High)
		}
	}
}

func TestRangeRefuses(t *testing.T) {
	inf := float32(math.Inf(1))
	good := array(t, make([]float32, 4), 2, 2)
	for _, c := range []struct {
		name      string
		patterns  *tensor.Dense
		columns   int
		low, high float32
		want      string
	}{
		{"backwards", good, 1, 1, 0, "components from 1 to 0"},
		{"empty", good, 1, 3, 3, "components from 3 to 3"},
		{"NaN", good, 1, float32(math.NaN()), 1, "components from NaN"},
		{"without end", good, 1, 0, inf, "components from 0 to +Inf"},
		{"no columns", good, 0, 0, 1, "0 columns"},
		{"nil", nil, 1, 0, 1, "patterns are missing"},
		{"Inf", array(t, []float32{inf}, 1, 1), 1, 0, 1, "pattern 0, component 0 is +Inf"},
	} {
		_, err := Grid(visualize.Patterns{Data: c.patterns, Low: c.low, High: c.high}, c.columns, GridOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
}

// sampled is a result of so many units of a layer, with samples of each.
func sampled(t testing.TB, layer, units, samples, side int) *visualize.SampleResult {
	t.Helper()
	r := &visualize.SampleResult{
		Layer: layer, Shape: []int{side, side}, Units: make([]int, units),
		Samples: array(t, gabors(uint64(layer), units*samples, side), units, samples, side*side),
		Mean:    array(t, gabors(uint64(layer+10), units, side), units, side*side),
	}
	for u := range r.Units {
		r.Units[u] = 2 * u
	}
	return r
}

func TestFigure3(t *testing.T) {
	layers := []*visualize.SampleResult{sampled(t, 2, 6, 10, 28), sampled(t, 3, 4, 10, 28)}
	layers[1].Visible = engine.Gaussian
	p, err := Figure3("DBN", layers, FigureOptions{Scale: 2})
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "figure3", p)
	both(t, p)
	checkLabels(t, p)
	// The means and the samples of each layer, and the two scales.
	if want := 6*11 + 4*11 + 2; len(p.images) != want {
		t.Errorf("%d images, want %d", len(p.images), want)
	}
	for _, want := range []string{"DBN layer 2: 6 units, 10 samples of each", "mean", "unit 10", "unit 6"} {
		if !holdsText(p, want) {
			t.Errorf("there is no %q", want)
		}
	}
	for _, want := range []string{"Means, samples: black is 0, white is 1.", "grey is 0"} {
		if !strings.Contains(p.about, want) {
			t.Errorf("the note is %q, without %q", p.about, want)
		}
	}
}

func holdsText(p *Picture, text string) bool {
	return slices.ContainsFunc(p.words, func(w label) bool { return w.text == text })
}

func TestFigure3Refuses(t *testing.T) {
	flat := sampled(t, 2, 2, 3, 4)
	flat.Samples = array(t, make([]float32, 16), 16)
	meanless := sampled(t, 2, 2, 3, 4)
	meanless.Mean = nil
	for _, c := range []struct {
		name   string
		layers []*visualize.SampleResult
		want   string
	}{
		{"nothing", nil, "figure 3: no samples"},
		{"nil", []*visualize.SampleResult{nil}, "figure 3, block 1: result is missing"},
		{"flat samples", []*visualize.SampleResult{flat}, "samples: patterns are [16], want [units, components] or [units, patterns of each, components]"},
		{"no means", []*visualize.SampleResult{meanless}, "figure 3, block 1: mean: patterns are missing"},
	} {
		_, err := Figure3("DBN", c.layers, FigureOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
}
