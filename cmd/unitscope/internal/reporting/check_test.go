package reporting

import (
	"math"
	"testing"
)

// A number that is none is not forgotten for those behind it.
func TestRelativeDistance(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name      string
		got, want []float32
		distance  float64
	}{
		{"the same", []float32{1, -4}, []float32{1, -4}, 0},
		{"apart", []float32{1, -3}, []float32{1, -4}, 0.25},
		{"all zeros", []float32{0}, []float32{0}, 0},
		{"NaN computed", []float32{nan, -4}, []float32{1, -4}, math.NaN()},
		{"NaN saved", []float32{1, -4}, []float32{nan, -4}, math.NaN()},
	} {
		if d := relativeDistance(c.got, c.want); d != c.distance && !(math.IsNaN(d) && math.IsNaN(c.distance)) {
			t.Errorf("%s: %g, want %g", c.name, d, c.distance)
		}
	}
}
