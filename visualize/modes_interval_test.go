package visualize

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// The bounds of Clopper and Pearson, which are roots of sums of binomials.
func TestShareOf(t *testing.T) {
	binomial := func(n, from, to int, p float64) (sum float64) {
		for k := from; k <= to; k++ {
			choose := 1.0
			for i := range k {
				choose *= float64(n-i) / float64(i+1)
			}
			sum += choose * math.Pow(p, float64(k)) * math.Pow(1-p, float64(n-k))
		}
		return sum
	}
	for k := 0; k <= 9; k++ {
		e := shareOf(k, 9, 0.01, 0.025)
		if k == 0 && e.Low != 0 || k > 0 && math.Abs(binomial(9, k, 9, e.Low)-0.01) > 1e-9 {
			t.Errorf("%d of 9: %g and less would give as many with a chance of %g", k, e.Low, binomial(9, k, 9, e.Low))
		}
		if k == 9 && e.High != 1 || k < 9 && math.Abs(binomial(9, 0, k, e.High)-0.025) > 1e-9 {
			t.Errorf("%d of 9: %g and more would give as few with a chance of %g", k, e.High, binomial(9, 0, k, e.High))
		}
	}
}

// Chao's estimate, by hand.
func TestExpectedModes(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		want  float64
	}{
		{[]int{9}, 1}, {[]int{8, 1}, 2}, {[]int{5, 2, 1, 1}, 4 + 8./9*2/4}, {[]int{1, 1, 1, 1}, 4 + 3./4*12/2}, {nil, math.NaN()},
	} {
		if got := expectedModes(c.sizes); !near(got, c.want) {
			t.Errorf("%v: %g modes expected, want %g", c.sizes, got, c.want)
		}
	}
}

// The intervals hold what is true of a unit whose modes have known shares, in at least 95
// of 100 cases, whatever the shares are, but for a few restarts of very many modes, two of
// which make one mode look large. The estimates of modes do not exceed their number on
// average.
func TestIntervalsOfModesHold(t *testing.T) {
	const cases = 4000
	few := make([]float64, 12)
	for i := range few {
		few[i] = 0.02
	}
	even := make([]float64, 40)
	for i := range even {
		even[i] = 1. / 40
	}
	for s, shares := range [][]float64{{1}, {0.5, 0.5}, {0.97, 0.03}, {0.4, 0.3, 0.2, 0.1}, append([]float64{0.76}, few...), even} {
		for _, restarts := range []int{3, 9, 40} {
			t.Run(fmt.Sprintf("%d modes, %d restarts", len(shares), restarts), func(t *testing.T) {
				main, missed, expected := 0, 0, 0.0
				for i := range cases {
					source := engine.NewSource(uint64(s), engine.PurposeMonitor, uint32(restarts), uint64(i))
					count := make([]int, len(shares))
					for range restarts {
						count[draw(shares, source.Uniform())]++
					}
					left := 0.0
					for m, share := range shares {
						if count[m] == 0 {
							left += share
						}
					}
					sizes := slices.DeleteFunc(count, func(n int) bool { return n == 0 })
					slices.SortFunc(sizes, func(a, b int) int { return b - a })
					if e := mainShare(sizes, 0.95); !(e.Low <= shares[0] && shares[0] <= e.High) {
						main++
					}
					if e := unseen(sizes, 0.95); !(left <= e.High) {
						missed++
					}
					expected += expectedModes(sizes) / cases
				}
				t.Logf("of %d intervals %d miss the largest share, %d what is unseen; %.3g modes expected of %d", cases, main, missed, expected, len(shares))
				share := 0.05
				if restarts == 3 {
					share = 0.1
				}
				// Five standard deviations of what such a share gives by chance.
				if most := share*cases + 5*math.Sqrt(share*(1-share)*cases); float64(main) > most || float64(missed) > most {
					t.Errorf("of %d intervals %d miss the largest share, %d what is unseen", cases, main, missed)
				}
				if expected > 1.1*float64(len(shares)) {
					t.Errorf("%.3g modes expected of %d", expected, len(shares))
				}
			})
		}
	}
}

// draw is which share a number from 0 to 1 falls into.
func draw(shares []float64, x float64) int {
	for i, share := range shares {
		if x -= share; x < 0 {
			return i
		}
	}
	return len(shares) - 1
}
