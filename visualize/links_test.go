package visualize

import (
	"context"
	"math"
	"testing"
)

func TestGradients(t *testing.T) {
	d := openDevice(t)
	n := randomNetwork(t, 7, 2, 0.5, 9, 8, 7, 5)
	for layers := 1; layers <= 3; layers++ {
		units := []int{4, 0, 0}
		points := normals(11, 1, len(units)*9)
		g, err := Gradients(context.Background(), d, n, layers, Patterns{Data: array(t, points, len(units), 9), Units: units})
		if err != nil {
			t.Fatal(err)
		}
		for i, u := range units {
			x := widened(points[i*9 : (i+1)*9])
			if far := distance(numbers(t, g)[i*9:(i+1)*9], gradient64(t, n, layers, u, x)); far > 1e-5 {
				t.Errorf("layer %d, unit %d: relative distance %g to the central differences", layers, u, far)
			}
		}
	}
}

// Section 5: with tiny weights nothing is saturated, and the gradient at small x
// is the combination of all units below.
func TestCombinationLink(t *testing.T) {
	d := openDevice(t)
	link := func(gain, bias float64, layer int) []float64 {
		n := randomNetwork(t, 3, gain, bias, 12, 10, 8, 6)
		cosines, err := CombinationLink(context.Background(), d, n, layer, []int{5, 1})
		if err != nil {
			t.Fatal(err)
		}
		return cosines
	}
	for _, c := range []struct {
		name       string
		gain, bias float64
		layer      int
		low, high  float64
	}{
		{"tiny weights", 1e-3, 0, 3, 1 - 1e-6, 1 + 1e-6},
		{"layer 1", 3, 2, 1, 1 - 1e-6, 1 + 1e-6},
		{"saturated", 3, 8, 3, -0.999, 0.999},
	} {
		for _, cosine := range link(c.gain, c.bias, c.layer) {
			if !(cosine >= c.low && cosine <= c.high) {
				t.Errorf("%s: cosine %g, want %g to %g", c.name, cosine, c.low, c.high)
			}
		}
	}
	zero := stack(1, layer(t, 2, make([]float32, 2), []float32{0}))
	if cosines, err := CombinationLink(context.Background(), d, zero, 1, []int{0}); err != nil || !math.IsNaN(cosines[0]) {
		t.Errorf("no weights: cosine %v, %v", cosines, err)
	}
}

func TestConcentration(t *testing.T) {
	const units, n, components = 2, 5, 4
	data := normals(9, 1, units*n*components)
	got, err := Concentration(array(t, data, units, n, components))
	if err != nil {
		t.Fatal(err)
	}
	for u := range units {
		want := 0.0
		for i := range n {
			for j := range i {
				want += float64(cosine(data[(u*n+i)*components:(u*n+i+1)*components], data[(u*n+j)*components:(u*n+j+1)*components])) / (n * (n - 1) / 2)
			}
		}
		if math.Abs(got[u]-want) > 1e-6 {
			t.Errorf("unit %d: %g, want %g", u, got[u], want)
		}
	}
	for _, c := range []struct {
		name    string
		samples []float32
		n       int
		want    float64
	}{
		{"alike", []float32{1, 2, 2, 4, 1, 2}, 3, 1}, {"one", []float32{1, 2}, 1, math.NaN()}, {"one of two is zero", []float32{1, 2, 0, 0}, 2, 0}, {"zeros", []float32{0, 0, 0, 0}, 2, 0},
	} {
		if got, err := Concentration(array(t, c.samples, 1, c.n, 2)); err != nil || !near(got[0], c.want) {
			t.Errorf("%s: %v, %v, want %g", c.name, got, err, c.want)
		}
	}
}
