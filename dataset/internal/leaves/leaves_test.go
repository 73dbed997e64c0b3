package leaves

import (
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

func source(row uint64) *engine.Source { return engine.NewSource(1, engine.PurposeLeaves, 0, row) }

// Greys lie between 0 and 1 and their mean and variance are those of the greys
// of leaves, uniform, less what anti-aliasing mixes. One source, one picture.
func TestDraw(t *testing.T) {
	const side = 128
	picture := Draw(side, source(0))
	if !slices.Equal(picture, Draw(side, source(0))) || slices.Equal(picture, Draw(side, source(1))) {
		t.Error("a picture is not a function of its source")
	}
	sum, squares := 0.0, 0.0
	for k := range uint64(20) {
		for i, v := range Draw(side, source(k)) {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("pixel %d is %g", i, v)
			}
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
	}
	const n = 20 * side * side
	mean := sum / n
	variance := squares/n - mean*mean
	if math.Abs(mean-0.5) > 0.05 || variance < 0.8/12 || variance > 1.1/12 {
		t.Errorf("mean %.3f, variance %.4f; want 0.5 and a little under %.4f", mean, variance, 1./12)
	}
}

// What a leaf covers, summed over all pixels, is its area, wherever its centre
// is: edges are anti-aliased and none is cut off.
func TestArea(t *testing.T) {
	const side = 64
	for _, c := range []struct {
		name      string
		leaf      leaf
		area, off float64
	}{
		{"disc", leaf{a: 10, b: 10}, 100 * math.Pi, 0.02},
		{"ellipse", leaf{a: 12, b: 5}, 60 * math.Pi, 0.02},
		{"smallest disc", leaf{a: 2, b: 2}, 4 * math.Pi, 0.06},
		{"slimmest ellipse", leaf{a: 2, b: 0.7}, 1.4 * math.Pi, 0.25},
		{"rectangle", leaf{a: 9, b: 4, rectangle: true}, 4 * 36, 0.02},
		{"slimmest rectangle", leaf{a: 2, b: 0.7, rectangle: true}, 4 * 1.4, 0.1},
	} {
		for k := range 40 {
			l, s := c.leaf, source(uint64(k))
			l.grey = 1
			l.x, l.y = side*s.Uniform(), side*s.Uniform()
			l.turn(math.Pi * s.Uniform())
			picture, open := make([]float32, side*side), make([]float32, side*side)
			for i := range open {
				open[i] = 1
			}
			l.draw(picture, open, side)
			area := 0.0
			for _, v := range picture {
				area += float64(v)
			}
			if math.Abs(area-c.area) > c.off*c.area {
				t.Errorf("%s at %.2f, %.2f: area %.2f, want %.2f", c.name, l.x, l.y, area, c.area)
			}
		}
	}
}

// Radii have the cumulative distribution of density r^-3.
func TestRadii(t *testing.T) {
	const side, n = 512, 20000
	s := source(0)
	var radii []float64
	for range n {
		l := fall(side, s)
		if l.a < smallest || l.a > largestPart*side || l.b > l.a || l.b < slimmest*l.a {
			t.Fatalf("%g by %g", l.a, l.b)
		}
		radii = append(radii, l.a)
	}
	slices.Sort(radii)
	for i, r := range radii {
		want := (1 - math.Pow(smallest/r, 2)) / (1 - math.Pow(smallest/(largestPart*side), 2))
		if got := float64(i) / n; math.Abs(got-want) > 0.015 { // Kolmogorov-Smirnov, p = 0.0002
			t.Fatalf("%.3f of the radii are below %.2f, want %.3f", got, r, want)
		}
	}
}
