package visualize

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// shareOf is k of n as a share, with bounds that hold the true one with at least this
// probability each: those of Clopper and Pearson, which ask what share would give as many
// (or as few) with the probability that remains.
func shareOf(k, n int, below, above float64) Estimate {
	e := Estimate{Value: float64(k) / float64(n), Low: 0, High: 1}
	if k > 0 {
		e.Low = distuv.Beta{Alpha: float64(k), Beta: float64(n-k) + 1}.Quantile(below)
	}
	if k < n {
		e.High = distuv.Beta{Alpha: float64(k) + 1, Beta: float64(n - k)}.Quantile(1 - above)
	}
	return e
}

// mainShare is the share of the largest mode, by how many of the restarts are in each.
// That the largest one is looked at because it is the largest is allowed for: from above,
// since it has no fewer restarts than the one that is largest in truth, and from below by
// giving each mode its part of the error.
func mainShare(sizes []int, level float64) Estimate {
	n := total(sizes)
	if n == 0 {
		return unknown()
	}
	error := (1 - level) / 2
	return shareOf(sizes[0], n, error/math.Ceil(expectedModes(sizes)), error)
}

// unseen is the chance that another restart finds a new mode: after Good and Turing the
// share of restarts that stand alone, each of which was new to all the others. The lower
// end is 0, since there may be no other mode; the upper one is the larger of the normal
// one of Esty ("A normal limit law for a nonparametric estimator of the coverage of a
// random sample", 1983) and that of Clopper and Pearson, which holds for few restarts.
func unseen(sizes []int, level float64) Estimate {
	n := total(sizes)
	if n == 0 {
		return unknown()
	}
	once, twice := withSize(sizes, 1), withSize(sizes, 2)
	e := shareOf(once, n, 0, (1-level)/2)
	e.Low = 0
	of := float64(n)
	deviation := math.Sqrt(float64(once)*(1-float64(once)/of)+2*float64(twice)) / of
	e.High = min(1, max(e.High, e.Value+distuv.UnitNormal.Quantile((1+level)/2)*deviation))
	return e
}

// expectedModes is how many modes there are at least in expectation, those that no restart
// found among them: Chao's estimate of a number of species, from those that were found
// once and twice (Chao, "Nonparametric estimation of the number of classes in a
// population", 1984, corrected for bias).
func expectedModes(sizes []int) float64 {
	n, once, twice := float64(total(sizes)), float64(withSize(sizes, 1)), float64(withSize(sizes, 2))
	if n == 0 {
		return math.NaN()
	}
	return float64(len(sizes)) + (n-1)/n*once*(once-1)/(2*(twice+1))
}

func total(sizes []int) (n int) {
	for _, k := range sizes {
		n += k
	}
	return n
}

// withSize is how many modes have so many restarts.
func withSize(sizes []int, size int) (n int) {
	for _, k := range sizes {
		if k == size {
			n++
		}
	}
	return n
}
