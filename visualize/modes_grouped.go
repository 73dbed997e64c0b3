package visualize

import (
	"math"
	"slices"
)

// grouped are the restarts of one unit that found something, in modes.
type grouped struct {
	mode    []int     // [n] 0 is the largest mode
	climbed []float64 // [n] final activation in the direction of the ascent
	gained  []float64 // [n] climbed less that of the start
	best    []int     // [modes] the restart of each mode that climbed highest
	size    []int     // [modes]
}

// order numbers the modes from the largest one down, those of equal size by
// what they climb to, and then by their first restarts.
func (g *grouped) order() {
	for i, m := range g.mode {
		if m == len(g.best) {
			g.best, g.size = append(g.best, i), append(g.size, 0)
		}
		g.size[m]++
		if g.climbed[i] > g.climbed[g.best[m]] {
			g.best[m] = i
		}
	}
	order := make([]int, len(g.best))
	for m := range order {
		order[m] = m
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if g.size[a] != g.size[b] {
			return g.size[b] - g.size[a]
		}
		return compareFloats(g.climbed[g.best[b]], g.climbed[g.best[a]])
	})
	place := make([]int, len(order))
	best, size := make([]int, len(order)), make([]int, len(order))
	for to, from := range order {
		place[from], best[to], size[to] = to, g.best[from], g.size[from]
	}
	for i, m := range g.mode {
		g.mode[i] = place[m]
	}
	g.best, g.size = best, size
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// groupStatistics are numbers of the restarts of a unit, NaN for what can't be said; see
// [UnitModes].
type groupStatistics struct{ modes, effective, spread, relative, gap float64 }

func (g *grouped) statistics() groupStatistics {
	n := float64(len(g.mode))
	s := groupStatistics{modes: float64(len(g.size)), spread: math.NaN(), relative: math.NaN(), gap: math.NaN()}
	if n == 0 {
		s.modes, s.effective = math.NaN(), math.NaN()
		return s
	}
	entropy := 0.0
	for _, size := range g.size {
		share := float64(size) / n
		entropy -= share * math.Log(share)
	}
	s.effective = math.Exp(entropy)
	if n > 1 {
		s.spread = math.Sqrt(variance(g.climbed))
		if gain := mean(g.gained); gain > 0 {
			s.relative = s.spread / gain
		}
	}
	if len(g.best) > 1 {
		s.gap = g.climbed[g.best[0]] - g.climbed[g.best[1]]
	}
	return s
}
