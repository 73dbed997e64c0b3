package report

import (
	"bytes"
	"image"
	"math"
	"os"
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
		rows = append(rows, m)
	}
	return rows
}

// TestFigure1 also writes the figures it checks to the folder that
// UNITSCOPE_PICTURES names, for people to look at.
func TestFigure1(t *testing.T) {
	small := models(t, 12, 3, 3)
	small[1].Layers[2].Dead[7] = true
	small[1].Restarts.Dead[1] = true
	headless := models(t, 28, 1)
	headless[0].Restarts, headless[0].Name = nil, "A model with a name much longer than its panel is wide"
	headless[0].Layers[0] = layerResult(t, 5, 1, 2, 0, 28)
	for _, c := range []struct {
		name          string
		models        []Figure1Model
		options       Figure1Options
		width, height int
	}{
		// 3 panels of 6x6 tiles of 56 pixels with 5 gaps; one of 6x6 tiles with
		// 4 gaps and one of 7; margins of 16; headings 29 high.
		{"digits", models(t, 28, 3, 3), Figure1Options{}, 3*341 + 347 + 5*16, 2*(29+347) + 3*16},
		{"patches", small, Figure1Options{}, 3*365 + 371 + 5*16, 2*(29+371) + 3*16},
		{"at scale 1", models(t, 28, 3, 3), Figure1Options{Scale: 1, Global: true}, 3*173 + 179 + 5*16, 2*(29+179) + 3*16},
		// Columns as wide as their longest heading.
		{"unequal depths", models(t, 12, 2, 4, 1), Figure1Options{Scale: 2}, 0, 3*(29+155) + 4*16},
		{"no restarts", headless, Figure1Options{}, 0, 29 + 56 + 2*16},
	} {
		t.Run(c.name, func(t *testing.T) {
			img, err := Figure1(c.models, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if size := img.Rect.Size(); c.width > 0 && size != image.Pt(c.width, c.height) || size.Y != c.height {
				t.Errorf("the figure is %v, want %d x %d", size, c.width, c.height)
			}
			again, err := Figure1(c.models, c.options)
			if err != nil || !bytes.Equal(img.Pix, again.Pix) {
				t.Errorf("the same figure came out different, error %v", err)
			}
			if !whiteFrame(img) {
				t.Error("something reaches into the margin around the figure")
			}
			keep(t, strings.ReplaceAll(c.name, " ", "-"), img)
		})
	}
}

// whiteFrame is true if all of the outer margin is paper.
func whiteFrame(img *image.Gray) bool {
	inner := img.Rect.Inset(figureMargin)
	for y := range img.Rect.Max.Y {
		for x := range img.Rect.Max.X {
			if !(image.Pt(x, y).In(inner)) && img.GrayAt(x, y).Y != white {
				return false
			}
		}
	}
	return true
}

func keep(t *testing.T, name string, img image.Image) {
	folder := os.Getenv("UNITSCOPE_PICTURES")
	if folder == "" {
		return
	}
	var file bytes.Buffer
	if err := WritePNG(&file, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder+"/figure1-"+name+".png", file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The panels hold the very pixels of Grid.
func TestFigure1HoldsGrids(t *testing.T) {
	rows := models(t, 12, 2, 2)
	img, err := Figure1(rows, Figure1Options{Scale: 2})
	if err != nil {
		t.Fatal(err)
	}
	letters, err := newLetters()
	if err != nil {
		t.Fatal(err)
	}
	grid, err := Grid(rows[1].Layers[1].BestPatterns, []int{12, 12}, 6, GridOptions{Scale: 2})
	if err != nil {
		t.Fatal(err)
	}
	const panel, restarts = 149, 155 // 6 tiles of 24 and 5 gaps; 2 blocks of 3 tiles, 2 gaps, and 7 between them
	corner := image.Pt(2*figureMargin+panel, 2*figureMargin+restarts+2*letters.height())
	sameAt(t, img, corner, grid)
	block, err := Grid(array(t, gabors(191, 36, 12)[27*144:], 9, 144), []int{12, 12}, 3, GridOptions{Scale: 2})
	if err != nil {
		t.Fatal(err)
	}
	step := 3*24 + 2 + blockGap
	sameAt(t, img, image.Pt(3*figureMargin+2*panel+step, corner.Y+step), block)
}

func sameAt(t *testing.T, img *image.Gray, corner image.Point, want *image.Gray) {
	t.Helper()
	for y := range want.Rect.Max.Y {
		for x := range want.Rect.Max.X {
			if got := img.GrayAt(corner.X+x, corner.Y+y); got != want.GrayAt(x, y) {
				t.Fatalf("pixel %d, %d of the panel at %v is %d, want %d", x, y, corner, got.Y, want.GrayAt(x, y).Y)
			}
		}
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
		{"no patterns", func(m []Figure1Model) []Figure1Model { m[0].Layers[1].BestPatterns = nil; return m }, "DBN, panel 2: patterns are missing"},
		{"another shape", func(m []Figure1Model) []Figure1Model { m[0].Layers[1].Shape = []int{3, 3}; return m }, "DBN, panel 2: tile: shape [3 3]"},
		{"not all kept", func(m []Figure1Model) []Figure1Model { m[0].Restarts.Patterns = nil; return m }, "DBN, restarts: patterns are missing (nil), want [units, restarts, components]; the ascent must keep all patterns"},
		{"NaN", func(m []Figure1Model) []Figure1Model {
			m[1].Restarts.Patterns.Float32s()[9*144] = float32(math.NaN())
			return m
		}, "SDAE, restarts: unit 2 of 4: pattern 0, component 0 is NaN"},
		{"wrong marks", func(m []Figure1Model) []Figure1Model { m[1].Restarts.Dead = make([]bool, 3); return m }, "4 units, 3 marks"},
	} {
		_, err := Figure1(c.spoil(models(t, 12, 2, 2)), Figure1Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
	if _, err := Figure1(models(t, 12, 2), Figure1Options{Scale: 5000}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("an absurd scale: error %v", err)
	}
}
