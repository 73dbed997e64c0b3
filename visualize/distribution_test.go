package visualize

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Numbers of many kinds: where they lie, and how they are spread.
var spreads = map[string]func(r *rand.Rand) float64{
	"normal":         func(r *rand.Rand) float64 { return r.NormFloat64() },
	"rectified":      func(r *rand.Rand) float64 { return max(0, r.NormFloat64()) },
	"far from 0":     func(r *rand.Rand) float64 { return 1e6 + r.Float64() },
	"negative":       func(r *rand.Rand) float64 { return -r.ExpFloat64() },
	"of all sizes":   func(r *rand.Rand) float64 { return math.Exp(60 * (r.Float64() - 0.5)) },
	"very small":     func(r *rand.Rand) float64 { return 1e-40 * r.NormFloat64() },
	"the largest":    func(r *rand.Rand) float64 { return 3.4e38 * (2*r.Float64() - 1) },
	"two":            func(r *rand.Rand) float64 { return float64(r.IntN(2)) },
	"one":            func(r *rand.Rand) float64 { return -0.7 },
	"zeros":          func(r *rand.Rand) float64 { return 0 },
	"whole":          func(r *rand.Rand) float64 { return float64(r.IntN(100)) - 50 },
	"neighbours":     func(r *rand.Rand) float64 { return float64(math.Nextafter32(1, float32(1+r.IntN(2)))) },
	"rare and large": func(r *rand.Rand) float64 { return map[bool]float64{true: 1e4, false: r.Float64()}[r.IntN(200) == 0] },
}

// The counts are numpy's for the edges, and the quantiles those of the sorted numbers, to
// half of the finest bins.
func TestDistribution(t *testing.T) {
	percents := []int{0, 1, 5, 25, 50, 75, 95, 99, 100}
	for name, draw := range spreads {
		for _, n := range []int{1, 2, 7, 3000} {
			r := rand.New(rand.NewPCG(1, uint64(n)))
			xs := make([]float64, n)
			var d distribution
			for i := range xs {
				xs[i] = float64(float32(draw(r)))
				d.add(xs[i])
			}
			slices.Sort(xs)
			edges, counts := d.histogram(64)
			want := make([]int, len(counts))
			for _, x := range xs {
				for k := range counts {
					if x >= edges[k] && (x < edges[k+1] || k == len(counts)-1 && x == edges[k+1]) {
						want[k]++
					}
				}
			}
			if !slices.Equal(counts, want) {
				t.Errorf("%s, %d numbers: counts %v, want %v for edges %v", name, n, counts, want, edges)
			}
			if xs[0] != xs[n-1] && (xs[0] >= edges[1] || xs[n-1] < edges[61]) {
				t.Errorf("%s, %d numbers from %g to %g: bins from %g to %g", name, n, xs[0], xs[n-1], edges[0], edges[64])
			}
			bound := (xs[n-1] - xs[0]) / 4000
			for i, q := range d.quantiles(percents) {
				if exact := xs[max(1, (percents[i]*n+99)/100)-1]; math.Abs(q-exact) > bound || q != exact && (exact == xs[0] || exact == xs[n-1]) {
					t.Errorf("%s, %d numbers: %d %% are at or below %g, by sorting %g +- %g", name, n, percents[i], q, exact, bound)
				}
			}
		}
	}
}

// The same numbers in another order give the same.
func TestDistributionOrder(t *testing.T) {
	for name, draw := range spreads {
		r := rand.New(rand.NewPCG(2, 3))
		xs := make([]float64, 500)
		for i := range xs {
			xs[i] = float64(float32(draw(r)))
		}
		result := func(order func()) string {
			order()
			var d distribution
			for _, x := range xs {
				d.add(x)
			}
			edges, counts := d.histogram(64)
			return fmt.Sprint(edges, counts, d.quantiles([]int{1, 50, 99}))
		}
		want := result(func() {})
		for what, order := range map[string]func(){
			"ascending":  func() { slices.Sort(xs) },
			"descending": func() { slices.Sort(xs); slices.Reverse(xs) },
			"shuffled":   func() { r.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] }) },
		} {
			if got := result(order); got != want {
				t.Errorf("%s, %s: %s, want %s", name, what, got, want)
			}
		}
	}
}

// A range that is given is held by the bins from the start, and widened if need be.
func TestDistributionWithin(t *testing.T) {
	var d distribution
	d.within(0, 1)
	for range 3 {
		d.add(0.5)
	}
	d.add(1)
	edges, counts := d.histogram(64)
	if edges[0] != 0 || edges[64] != 1 || counts[32] != 3 || counts[63] != 1 {
		t.Errorf("edges %g to %g, counts %v", edges[0], edges[64], counts)
	}
	if q := d.quantiles([]int{50, 100}); q[0] != 0.5 || q[1] != 1 {
		t.Errorf("quantiles %v", q)
	}
	d.add(1.5)
	edges, counts = d.histogram(64)
	if edges[0] != 0 || edges[64] != 1.5 || counts[21] != 3 || counts[63] != 1 || counts[42] != 1 {
		t.Errorf("after 1.5: edges %g to %g, counts %v", edges[0], edges[64], counts)
	}
}
