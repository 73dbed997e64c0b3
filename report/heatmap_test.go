package report

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
)

func square(t testing.TB, n int, data []float32) *tensor.Dense {
	t.Helper()
	m, err := dense.Of(data, n, n)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// lightness is L* of CIE 1976, 0 to 100.
func lightness(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 116*math.Cbrt(0.2126*linear(c.R)+0.7152*linear(c.G)+0.0722*linear(c.B)) - 16
}

// Brightness rises evenly from end to end.
func TestColours(t *testing.T) {
	low, high := lightness(viridis(0)), lightness(viridis(1))
	last := low - 1
	for i := range 101 {
		v := float64(i) / 100
		l := lightness(viridis(v))
		if l <= last {
			t.Errorf("%g is no brighter than what is below it", v)
		}
		if want := low + v*(high-low); math.Abs(l-want) > 3 {
			t.Errorf("%g has lightness %.1f, a straight line has %.1f", v, l, want)
		}
		last = l
	}
	for _, c := range []struct{ v, same float64 }{{-1, 0}, {2, 1}, {math.Inf(1), 1}} {
		if viridis(c.v) != viridis(c.same) {
			t.Errorf("%g has another colour than %g", c.v, c.same)
		}
	}
	if viridis(math.NaN()) != noNumber {
		t.Error("NaN has the colour of a number")
	}
}

// unitRange is how most tests draw.
var unitRange = HeatOptions{Title: "test", Rows: "rows", Columns: "columns", What: "numbers", High: 1}

// Each element has its own square, rows downwards.
func TestHeatMaps(t *testing.T) {
	nan := float32(math.NaN())
	m := &HeatMap{Title: "two", Matrix: square(t, 2, []float32{0, 1, 0.5, nan}), Units: []int{3, 9}}
	p, err := HeatMaps([][]*HeatMap{{m, nil}, {nil, m}}, unitRange)
	if err != nil {
		t.Fatal(err)
	}
	img := both(t, p)
	checkLabels(t, p)
	first := p.images[0]
	if first.scale != image.Pt(heatTarget/2, heatTarget/2) {
		t.Errorf("the scale is %v", first.scale)
	}
	for i := range 2 {
		for j := range 2 {
			want := viridis([]float64{0, 1, 0.5, math.NaN()}[2*i+j])
			corner := first.at.Add(image.Pt(j*first.scale.X, i*first.scale.Y))
			for _, at := range []image.Point{corner, corner.Add(first.scale).Sub(image.Pt(1, 1))} {
				if got := img.At(at.X, at.Y); got != want {
					t.Errorf("element %d, %d has colour %v, want %v", i, j, got, want)
				}
			}
		}
	}
}

// Numbers between Low and High take the colours between the ends.
func TestHeatMapRange(t *testing.T) {
	o := unitRange
	o.Low, o.High = -2, 6
	p, err := HeatMaps([][]*HeatMap{{{Matrix: square(t, 2, []float32{-2, 6, 2, -9}), Units: []int{0, 1}}}}, o)
	if err != nil {
		t.Fatal(err)
	}
	tile := p.images[0].img.(*image.RGBA)
	for i, want := range []float64{0, 1, 0.5, 0} {
		if got := tile.RGBAAt(i%2, i/2); got != viridis(want) {
			t.Errorf("element %d has colour %v, want that of %g", i, got, want)
		}
	}
	for _, want := range []string{"−2", "0", "2", "4", "6"} {
		if !holdsText(p, want) {
			t.Errorf("the bar has no %s", want)
		}
	}
}

// The lines of a dendrogram stand where the joins' similarities say.
func TestTree(t *testing.T) {
	m := &HeatMap{Title: "tree", Matrix: square(t, 3, make([]float32, 9)), Units: []int{0, 1, 2}, Tree: &Tree{Joins: []Join{{0, 1, 1}, {3, 2, 0}}, Cut: 0.5}}
	p, err := HeatMaps([][]*HeatMap{{m}}, unitRange)
	if err != nil {
		t.Fatal(err)
	}
	checkLabels(t, p)
	img := p.Image()
	step := heatTarget / 3
	corner := p.images[0].at.Add(image.Pt(3*step+labelGap, 0))
	const zero = treeStem // where the axis begins
	for _, c := range []struct {
		name string
		x, y int
		ink  bool
	}{
		{"the stem of leaf 0", 0, step / 2, true},
		{"the first join, at similarity 1", zero, step, true},
		{"beside it", zero + 1, step/2 + 5, false},
		{"the second join, at similarity 0", zero + treeWidth - 1, 2 * step, true},
		{"the line to leaf 2", zero + treeWidth/4, 5 * step / 2, true},
		{"the line to the first join", zero + treeWidth/4, step/2 + step/2, true},
		{"the stem of the root", zero + treeWidth + treeStem/2, 7 * step / 4, true},
	} {
		if got := img.At(corner.X+c.x, corner.Y+c.y) == (color.RGBA{A: 255}); got != c.ink {
			t.Errorf("%s: a line is %v, want %v", c.name, got, c.ink)
		}
	}
	cut := img.At(corner.X+zero+(treeWidth-1)/2, corner.Y+3)
	if cut != (color.RGBA{0xD5, 0x5E, 0x00, 255}) {
		t.Errorf("the cut has colour %v", cut)
	}
}

func TestHeatMapTicks(t *testing.T) {
	for _, c := range []struct {
		n    int
		want []int
	}{
		{1, []int{0}}, {6, []int{0, 1, 2, 3, 4, 5}}, {7, []int{0, 2, 4, 6}}, {100, []int{0, 20, 40, 60, 80}}, {1000, []int{0, 200, 400, 600, 800}}, {13, []int{0, 5, 10}},
	} {
		p := &heatPanel{n: c.n, most: 6}
		if got := p.ticks(); !slices.Equal(got, c.want) {
			t.Errorf("%d units are marked at %v, want %v", c.n, got, c.want)
		}
	}
}

func TestHeatMapMistakes(t *testing.T) {
	for _, c := range []struct {
		name string
		rows [][]*HeatMap
		want string
	}{
		{"nothing", nil, "no matrices"},
		{"no matrix", [][]*HeatMap{{{Title: "a"}}}, "a: matrix is missing"},
		{"units", [][]*HeatMap{{{Title: "a", Matrix: square(t, 2, make([]float32, 4)), Units: []int{1}}}}, "1 units for a matrix of 2"},
	} {
		if _, err := HeatMaps(c.rows, unitRange); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	matrix := square(t, 2, make([]float32, 4))
	for _, c := range []struct {
		want string
		tree *Tree
	}{
		{"a tree of 0 joins for 2 rows", &Tree{}},
		{"joins group 2, which there is not", &Tree{Joins: []Join{{0, 2, 1}}}},
		{"joins group -1", &Tree{Joins: []Join{{-1, 1, 1}}}},
		{"joins group 0, which there is not (any more)", &Tree{Joins: []Join{{0, 0, 1}}}},
		{"the similarity NaN", &Tree{Joins: []Join{{0, 1, math.NaN()}}}},
	} {
		if _, err := HeatMaps([][]*HeatMap{{{Title: "a", Matrix: matrix, Units: []int{1, 2}, Tree: c.tree}}}, unitRange); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	for _, high := range []float64{0, math.NaN(), math.Inf(1)} {
		if _, err := HeatMaps([][]*HeatMap{{{Matrix: matrix, Units: []int{1, 2}}}}, HeatOptions{High: high}); err == nil || !strings.Contains(err.Error(), "colours from 0") {
			t.Errorf("colours up to %g: error %v", high, err)
		}
	}
}
