package report

import (
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
		v := float32(i) / 100
		l := lightness(viridis(v))
		if l <= last {
			t.Errorf("%g is no brighter than what is below it", v)
		}
		if want := low + float64(v)*(high-low); math.Abs(l-want) > 3 {
			t.Errorf("%g has lightness %.1f, a straight line has %.1f", v, l, want)
		}
		last = l
	}
	for _, c := range []struct{ v, same float32 }{{-1, 0}, {2, 1}, {float32(math.Inf(1)), 1}} {
		if viridis(c.v) != viridis(c.same) {
			t.Errorf("%g has another colour than %g", c.v, c.same)
		}
	}
	if viridis(float32(math.NaN())) != noResponse {
		t.Error("NaN has the colour of a number")
	}
}

// Each element has its own square, rows downwards.
func TestHeatMaps(t *testing.T) {
	nan := float32(math.NaN())
	m := &HeatMap{Title: "two", Matrix: square(t, 2, []float32{0, 1, 0.5, nan}), Units: []int{3, 9}}
	img, err := HeatMaps([][]*HeatMap{{m, nil}, {nil, m}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLetters()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newHeatPanel(m, l)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		for j := range 2 {
			want := viridis([]float32{0, 1, 0.5, nan}[2*i+j])
			x, y := figureMargin+p.corner.X+j*p.scale, figureMargin+p.corner.Y+i*p.scale
			for _, at := range [][2]int{{0, 0}, {p.scale - 1, p.scale - 1}} {
				if got := img.RGBAAt(x+at[0], y+at[1]); got != want {
					t.Errorf("element %d, %d has colour %v, want %v", i, j, got, want)
				}
			}
		}
	}
	again, err := HeatMaps([][]*HeatMap{{m, nil}, {nil, m}})
	if err != nil || !slices.Equal(img.Pix, again.Pix) {
		t.Errorf("another picture: %v", err)
	}
}

func TestHeatMapTicks(t *testing.T) {
	for _, c := range []struct {
		n    int
		want []int
	}{
		{1, []int{0}}, {6, []int{0, 1, 2, 3, 4, 5}}, {7, []int{0, 2, 4, 6}}, {100, []int{0, 20, 40, 60, 80}}, {1000, []int{0, 200, 400, 600, 800}}, {13, []int{0, 5, 10}},
	} {
		p := &heatPanel{n: c.n}
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
		if _, err := HeatMaps(c.rows); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
