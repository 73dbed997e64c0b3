package visualize

import (
	"math"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// Of many samples of 40 flips of a coin that shows heads with a chance of 0.7,
// the interval of 90 % must hold 0.7 in about nine of ten.
func TestBootstrapCovers(t *testing.T) {
	const chance, samples, flips = 0.7, 400, 40
	covered := 0
	for s := range samples {
		source := engine.NewSource(1, engine.PurposeMonitor, 0, uint64(s))
		heads := make([]float64, flips)
		for i := range heads {
			heads[i] = truth(source.Uniform() < chance)
		}
		b := bootstrap{seed: 1, purpose: engine.PurposeUnits, key: uint64(s), resamples: 300, level: 0.9}
		e := b.estimate(flips, 1, func(drawn []int, values []float64) {
			values[0] = meanKnown(drawn, func(i int) float64 { return heads[i] })
		})[0]
		if e.Low > e.Value || e.High < e.Value {
			t.Fatalf("the interval %g to %g does not hold the value %g", e.Low, e.High, e.Value)
		}
		if e.Low <= chance && chance <= e.High {
			covered++
		}
	}
	// The standard deviation of the share is 1.5 %; percentile intervals of so
	// few flips hold a little less than they say.
	if share := float64(covered) / samples; share < 0.84 || share > 0.95 {
		t.Errorf("intervals of 90 %% hold the truth in %.1f %% of samples", 100*share)
	}
}

func TestBootstrapEdges(t *testing.T) {
	sum := func(drawn []int, values []float64) {
		values[0], values[1] = float64(len(drawn)), math.NaN()
	}
	none := bootstrap{level: 0.9}.estimate(3, 2, sum)
	if none[0].Value != 3 || !math.IsNaN(none[0].Low) || !math.IsNaN(none[1].Value) {
		t.Errorf("without resamples: %+v", none)
	}
	empty := bootstrap{level: 0.9, resamples: 5}.estimate(0, 2, sum)
	if !math.IsNaN(empty[0].Value) || !math.IsNaN(empty[0].High) {
		t.Errorf("of nothing: %+v", empty)
	}
	one := bootstrap{level: 0.9, resamples: 5}.estimate(1, 2, sum)
	if one[0] != (Estimate{1, 1, 1}) {
		t.Errorf("of one thing: %+v", one[0])
	}
}

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		p    float64
		want float64
	}{
		{[]float64{1, 2, 3, 4}, 0, 1}, {[]float64{1, 2, 3, 4}, 1, 4}, {[]float64{1, 2, 3, 4}, 0.5, 2.5}, {[]float64{7}, 0.3, 7}, {nil, 0.5, math.NaN()},
	} {
		if got := quantile(c.x, c.p); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("quantile %g of %v is %g, want %g", c.p, c.x, got, c.want)
		}
	}
}

func TestInterval(t *testing.T) {
	x := make([]float64, 101)
	for i := range x {
		x[len(x)-1-i] = float64(i)
	}
	if low, high := interval(x, 0.9); math.Abs(low-5) > 1e-9 || math.Abs(high-95) > 1e-9 {
		t.Errorf("the middle nine tenths of 0 to 100 are %g to %g", low, high)
	}
}
