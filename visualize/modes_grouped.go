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

// unitStatistics is how many numbers statistics works out.
const unitStatistics = 6

// statistics works out, for restarts drawn from these, the number of modes, the
// share of the main one, the effective number, the spread of the final
// activations, the same relative to the gain, and the gap to the second mode.
func (g *grouped) statistics(drawn []int, values []float64) {
	count, best := make([]int, len(g.size)), make([]float64, len(g.size))
	climbed := make([]float64, len(drawn))
	gain := 0.0
	for i, k := range drawn {
		m := g.mode[k]
		if count[m]++; count[m] == 1 || g.climbed[k] > best[m] {
			best[m] = g.climbed[k]
		}
		climbed[i] = g.climbed[k]
		gain += g.gained[k] / float64(len(drawn))
	}
	modes, entropy := 0, 0.0
	for _, c := range count {
		if c > 0 {
			share := float64(c) / float64(len(drawn))
			modes++
			entropy -= share * math.Log(share)
		}
	}
	spread, relative, gap := math.NaN(), math.NaN(), math.NaN()
	if len(drawn) > 1 {
		spread = math.Sqrt(variance(climbed))
		if gain > 0 {
			relative = spread / gain
		}
	}
	if len(count) > 1 && count[0] > 0 && count[1] > 0 {
		gap = best[0] - best[1]
	}
	copy(values, []float64{float64(modes), float64(count[0]) / float64(len(drawn)), math.Exp(entropy), spread, relative, gap})
}

// unseen is the share of the restarts that are alone in their mode.
func (g *grouped) unseen() float64 {
	alone := 0
	for _, n := range g.size {
		if n == 1 {
			alone++
		}
	}
	return float64(alone) / float64(len(g.mode))
}
