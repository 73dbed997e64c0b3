package kernels_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

func TestActivate(t *testing.T) {
	b := newBench(t)
	const cols = 15
	y := []float32{0, float32(math.Copysign(0, -1)), 1e-30, -1e-30, 1. / 4096, -1. / 4096, 3, -3, 20, -20, 90, -90, 1e30, -1e30, -0.75179163}
	for range 3000 {
		y = append(y, float32(b.random.NormFloat64()*5))
	}
	y = y[:len(y)/cols*cols]
	for kind := engine.Identity; kind <= engine.Clip; kind++ {
		a := engine.UsualActivation(kind)
		var slopes any // null
		switch kind {
		case engine.PReLU:
			a.Slopes = []float32{0.25, 0, -0.5}
			slopes = a.Slopes
		case engine.Clip:
			a.Low, a.High = -0.5, 6
		}
		h, slope := make([]float32, len(y)), make([]float32, len(y))
		launch := func(h []float32, slope any) {
			b.launch("activate", 2, h, slope, y, int32(kind), a.Alpha, a.Beta, a.Low, a.High, slopes, int32(a.Channels()), int32(cols/a.Channels()), int64(len(y)))
		}
		launch(h, slope)
		at := func(i int) (h, slope float64) { return a.At(float64(y[i]), i%cols*a.Channels()/cols) }
		value := func(i int) float64 { h, _ := at(i); return h }
		steepness := func(i int) float64 { _, s := at(i); return s }
		units := 1.0
		if kind == engine.Sigmoid {
			units = 2
			// 1-h has the digits that h has.
			steepness = func(i int) float64 { return float64(h[i] * (1 - h[i])) }
		}
		b.near(kind.String(), h, value, func(i int) float64 { return units * ulp(value(i)) })
		b.near("slope of "+kind.String(), slope, steepness, func(i int) float64 { return ulp(steepness(i)) + 1e-14 })
		alone := make([]float32, len(y))
		launch(alone, nil)
		b.same(fmt.Sprintf("%s without slope", kind), alone, h)
	}
}

func TestTimes(t *testing.T) {
	b := newBench(t)
	x, dst := b.normals(1000), b.normals(1000)
	want := make([]float32, len(x))
	for i := range want {
		want[i] = x[i] * dst[i]
	}
	b.launch("times", 2, dst, x, int64(len(x)))
	b.same("times", dst, want)
}
