package visualize

import (
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// Estimate is a number with its interval: of shares of restarts that of Clopper and
// Pearson, else a bootstrap interval (Efron's percentile interval). All three are NaN for
// what can't be said; Low and High alone are NaN if there were no resamples.
type Estimate struct{ Value, Low, High float64 }

// unknown is the estimate of what can't be said.
func unknown() Estimate { return Estimate{math.NaN(), math.NaN(), math.NaN()} }

// bootstrap draws things again, with replacement, to see how much a statistic
// of them owes to chance.
type bootstrap struct {
	seed      uint64
	purpose   engine.Purpose
	key       uint64 // whose things they are
	resamples int    // 0 for no intervals
	level     float64
}

// estimate computes statistics of n things and their intervals. statistics
// writes them to values for the things drawn, numbers 0..n-1 in any order and
// any of them more than once. Resamples in which one of them is NaN say nothing
// about it and are left out of its interval.
func (b bootstrap) estimate(n, count int, statistics func(drawn []int, values []float64)) []Estimate {
	estimates := make([]Estimate, count)
	for i := range estimates {
		estimates[i] = unknown()
	}
	if n == 0 {
		return estimates
	}
	drawn, values := make([]int, n), make([]float64, count)
	for i := range drawn {
		drawn[i] = i
	}
	statistics(drawn, values)
	for i, v := range values {
		estimates[i].Value = v
	}
	seen := make([][]float64, count)
	for step := range b.resamples {
		source := engine.NewSource(b.seed, b.purpose, uint32(step), b.key)
		for i := range drawn {
			drawn[i] = source.IntN(n)
		}
		statistics(drawn, values)
		for i, v := range values {
			if !math.IsNaN(v) {
				seen[i] = append(seen[i], v)
			}
		}
	}
	for i := range estimates {
		if !math.IsNaN(estimates[i].Value) {
			estimates[i].Low, estimates[i].High = interval(seen[i], b.level)
		}
	}
	return estimates
}

// interval is the middle part of some numbers that holds a share level of them;
// NaN if there are none. It sorts them.
func interval(x []float64, level float64) (low, high float64) {
	slices.Sort(x)
	return quantile(x, (1-level)/2), quantile(x, (1+level)/2)
}

// quantile interpolates between the two nearest of sorted numbers.
func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-1)
	j := min(i+1, len(sorted)-1)
	return sorted[i] + (at-float64(i))*(sorted[j]-sorted[i])
}
