package visualize

import "math"

// effective is how many independent samples chains of equal length are worth, by how
// much their numbers vary and how these are correlated along and between chains
// (Gelman et al., "Bayesian Data Analysis", 2013, section 11.5; Geyer's sum of
// correlations in pairs, as long as they are positive). It is at most the number of
// samples, and NaN for fewer than 4 of each chain. Variances of at most tiny count as 0.
func effective(chains [][]float64, tiny float64) float64 {
	n, m := len(chains[0]), float64(len(chains))
	if n < 4 {
		return math.NaN()
	}
	var within float64
	var centres []float64
	for _, c := range chains {
		within += variance(c) / m
		centres = append(centres, mean(c))
	}
	all := within * float64(n-1) / float64(n)
	if len(chains) > 1 {
		all += variance(centres)
	}
	if all <= tiny {
		return math.NaN()
	}
	correlation := func(lag int) float64 {
		product := 0.0
		for i, c := range chains {
			for t := lag; t < n; t++ {
				product += (c[t] - centres[i]) * (c[t-lag] - centres[i])
			}
		}
		return 1 - (within-product/(m*float64(n-1)))/all
	}
	sum := -1.0
	for lag := 0; lag+1 < n; lag += 2 {
		pair := correlation(lag) + correlation(lag+1)
		if !(pair > 0) {
			break
		}
		sum += 2 * pair
	}
	samples := m * float64(n)
	return samples / max(1, sum)
}
