package report

import (
	"image"
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/visualize"
)

// gabors are random Gabor patterns [count, side*side].
func gabors(seed uint64, count, side int) []float32 {
	var pixels []float32
	for k := range count {
		s := engine.NewSource(seed, engine.PurposeMonitor, 0, uint64(k))
		angle, phase, wave := math.Pi*s.Uniform(), 2*math.Pi*s.Uniform(), 3+6*s.Uniform()
		x0, y0 := float64(side)*(0.3+0.4*s.Uniform()), float64(side)*(0.3+0.4*s.Uniform())
		sin, cos := math.Sincos(angle)
		for y := range side {
			for x := range side {
				dx, dy := float64(x)-x0, float64(y)-y0
				along, across := dx*cos+dy*sin, dy*cos-dx*sin
				width := float64(side) / 7
				pixels = append(pixels, float32(math.Exp(-(along*along+across*across/2)/(2*width*width))*math.Cos(2*math.Pi*along/wave+phase)))
			}
		}
	}
	return pixels
}

// layerResult is a result of so many units of a layer, with restarts if any.
func layerResult(t testing.TB, seed uint64, layer, units, restarts, side int) *visualize.AscentResult {
	t.Helper()
	r := &visualize.AscentResult{
		Layer: layer, Shape: []int{side, side}, Dead: make([]bool, units),
		BestPatterns: array(t, gabors(seed, units, side), units, side*side),
	}
	if restarts > 0 {
		r.Patterns = array(t, gabors(seed+1, units*restarts, side), units, restarts, side*side)
	}
	return r
}

func models(t testing.TB, side int, depths ...int) []Figure1Model {
	t.Helper()
	var rows []Figure1Model
	for i, depth := range depths {
		m := Figure1Model{Name: []string{"DBN", "SDAE", "untrained DBN"}[i]}
		for l := range depth {
			m.Layers = append(m.Layers, layerResult(t, uint64(100*i+10*l), l+1, 36, 0, side))
		}
		m.Restarts = layerResult(t, uint64(100*i+90), depth, 4, 9, side)
		m.Restarts.Units = []int{1, 2, 3, 4}
		rows = append(rows, m)
	}
	return rows
}

func TestFigure1(t *testing.T) {
	small := models(t, 12, 3, 3)
	small[1].Layers[2].Dead[7] = true
	small[1].Restarts.Dead[1] = true
	for _, m := range small {
		m.Restarts.Units = []int{0, 3, 5, 118}
		for _, r := range m.Layers {
			r.Radius = 9.2134
			for u := range 36 {
				r.Units = append(r.Units, u)
			}
		}
	}
	small[0].Layers[1].Units[35] = 99
	headless := models(t, 28, 1)
	headless[0].Restarts, headless[0].Name = nil, "A model with a name much longer than its panel is wide"
	headless[0].Layers[0] = layerResult(t, 5, 1, 2, 0, 28)
	for _, c := range []struct {
		name    string
		models  []Figure1Model
		options FigureOptions
		tiles   int
		scale   int
	}{
		// So large that a row is no wider than a screen.
		{"digits", models(t, 28, 3, 3), FigureOptions{}, 2 * 4 * 36, 2},
		{"patches", small, FigureOptions{}, 2 * 4 * 36, 4},
		{"at scale 1", models(t, 28, 3, 3), FigureOptions{Scale: 1, Global: true}, 2 * 4 * 36, 1},
		{"unequal depths", models(t, 12, 2, 4, 1), FigureOptions{Scale: 2}, 7*36 + 3*36, 2},
		{"no restarts", headless, FigureOptions{}, 2, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Figure1(c.models, c.options)
			if err != nil {
				t.Fatal(err)
			}
			keep(t, "figure1-"+strings.ReplaceAll(c.name, " ", "-"), p)
			both(t, p)
			checkLabels(t, p)
			if len(p.images) < c.tiles+1 || p.images[0].scale.X != c.scale {
				t.Errorf("%d images at scale %d, want %d tiles at %d", len(p.images), p.images[0].scale.X, c.tiles, c.scale)
			}
		})
	}
}

// The panels hold the patterns of their layers and units, in order.
func TestFigure1HoldsPatterns(t *testing.T) {
	rows := models(t, 12, 2, 2)
	p, err := Figure1(rows, FigureOptions{Scale: 2})
	if err != nil {
		t.Fatal(err)
	}
	// 36 tiles for each panel, and 4 blocks of 9.
	sameTiles(t, p.images[4*36:5*36], visualize.Patterns{Data: rows[1].Layers[1].BestPatterns})
	sameTiles(t, p.images[5*36+27:6*36], visualize.Patterns{Data: array(t, gabors(191, 36, 12)[27*144:], 9, 144)})
	// The blocks are laid out 2 by 2.
	at := func(block int) image.Point { return p.images[5*36+9*block].at }
	if at(0).Y != at(1).Y || at(0).X != at(2).X || at(1).X <= at(0).X || at(2).Y <= at(0).Y || at(3) != image.Pt(at(1).X, at(2).Y) {
		t.Errorf("the blocks are at %v %v %v %v", at(0), at(1), at(2), at(3))
	}
}

func TestFigure1Refuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(m []Figure1Model) []Figure1Model
		want  string
	}{
		{"no models", func([]Figure1Model) []Figure1Model { return nil }, "figure 1: no models"},
		{"an empty model", func(m []Figure1Model) []Figure1Model { m[1] = Figure1Model{Name: "SDAE"}; return m }, "figure 1: SDAE: nothing to draw"},
		{"a missing layer", func(m []Figure1Model) []Figure1Model { m[1].Layers[0] = nil; return m }, "SDAE, panel 1: result is missing"},
		{"no patterns", func(m []Figure1Model) []Figure1Model { m[0].Layers[1].BestPatterns = nil; return m }, "DBN layer 2: patterns are missing"},
		{"another shape", func(m []Figure1Model) []Figure1Model { m[0].Layers[1].Shape = []int{3, 3}; return m }, "DBN layer 2: shape [3 3]"},
		{"not all kept", func(m []Figure1Model) []Figure1Model { m[0].Restarts.Patterns = nil; return m }, "DBN, restarts: patterns are missing (nil); the ascent must keep all patterns"},
		{"NaN", func(m []Figure1Model) []Figure1Model {
			m[1].Restarts.Patterns.Float32s()[9*144] = float32(math.NaN())
			return m
		}, "4 units, 9 restarts: unit 2: pattern 0, component 0 is NaN"},
		{"wrong marks", func(m []Figure1Model) []Figure1Model { m[1].Restarts.Dead = make([]bool, 3); return m }, "36 patterns of 4 units, 3 marks"},
	} {
		_, err := Figure1(c.spoil(models(t, 12, 2, 2)), FigureOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
	if _, err := Figure1(models(t, 12, 2), FigureOptions{Scale: 5000}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("an absurd scale: error %v", err)
	}
}
