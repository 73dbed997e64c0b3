package glyph

import (
	"math"
	"slices"
	"testing"

	"golang.org/x/image/font/gofont/gomonobolditalic"
	"golang.org/x/image/font/opentype"
)

// The distances of a square with a square hole, which runs the other way.
func TestDistance(t *testing.T) {
	square := func(half float64, turn bool) outline {
		corners := []point{{-half, -half}, {half, -half}, {half, half}, {-half, half}}
		if turn {
			slices.Reverse(corners)
		}
		var o outline
		for i, c := range corners {
			o = o.line(c, corners[(i+1)%4])
		}
		return o
	}
	ring := append(square(3, false), square(1, true)...)
	for _, c := range []struct {
		at   point
		want float64
	}{
		{point{0, 0}, -1}, {point{0.5, 0}, -0.5}, {point{2, 0}, 1}, {point{0, -2.75}, 0.25},
		{point{5, 0}, -2}, {point{6, 7}, -5}, {point{2.5, 2.5}, 0.5}, {point{-1.5, 0.25}, 0.5},
	} {
		if got := distance(c.at, ring, ring.crossing(nil, c.at.y)); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("distance at %v is %g, want %g", c.at, got, c.want)
		}
	}
}

// Every digit of every face fills the box, is centred by mass, differs from its
// sisters, and leaves the border free.
func TestLoad(t *testing.T) {
	faces, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(faces) < 8 {
		t.Errorf("%d faces", len(faces))
	}
	for f, face := range faces {
		if face.Stroke < 0.5 || face.Stroke > 4 {
			t.Errorf("face %d: half a stroke is %.2f pixels", f, face.Stroke)
		}
		for digit, p := range face.Digits {
			var ink, x, y float64
			lowest, highest := side, 0
			left, right := side, 0
			for i, d := range p.Data {
				row, col := i/side, i%side
				if d <= 0 {
					continue
				}
				ink, x, y = ink+1, x+float64(col), y+float64(row)
				lowest, highest = min(lowest, row), max(highest, row)
				left, right = min(left, col), max(right, col)
			}
			middle := float64(side-1) / 2
			if math.Hypot(x/ink-middle, y/ink-middle) > 0.5*density {
				t.Errorf("face %d, digit %d: centre of mass at %.1f, %.1f, middle %.1f", f, digit, x/ink, y/ink, middle)
			}
			if extent := max(highest-lowest, right-left) + 1; extent < Box*density-2 || extent > Box*density {
				t.Errorf("face %d, digit %d: extends over %d samples, want %d", f, digit, extent, Box*density)
			}
			if lowest < margin || left < margin || highest >= side-margin || right >= side-margin {
				t.Errorf("face %d, digit %d: leaves the picture", f, digit)
			}
			for g := range f {
				if slices.Equal(faces[g].Digits[digit].Data, p.Data) {
					t.Errorf("digit %d is the same in faces %d and %d", digit, g, f)
				}
			}
		}
	}
}

// TestDistances compares fields, to the bit, with distances to all edges.
func TestDistances(t *testing.T) {
	font, err := opentype.Parse(gomonobolditalic.TTF)
	if err != nil {
		t.Fatal(err)
	}
	for digit := range 10 {
		o, err := outlineOf(font, rune('0'+digit))
		if err != nil {
			t.Fatal(err)
		}
		o = o.normalised()
		for i, got := range distances(o).Data {
			at := point{(float64(i%side)+0.5-margin)/density - Side/2, (float64(i/side)+0.5-margin)/density - Side/2}
			if want := float32(distance(at, o, o.crossing(nil, at.y))); got != want {
				t.Fatalf("digit %d at %v: %g, want %g", digit, at, got, want)
			}
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(); err != nil {
			b.Fatal(err)
		}
	}
}
