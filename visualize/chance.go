package visualize

import (
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

const (
	// ToldApart is the chance at or below which a unit's samples are told from free
	// ones.
	ToldApart = 0.05
	// relabelings is how many times the chains of a unit and the free ones change
	// places.
	relabelings = 999
	// fewestChains can have a chance of 0.05: 4 chains and 4 free ones have 70
	// arrangements.
	fewestChains = 4
	// mostGroups is into how many groups chains are put, each as good as a chain, to
	// keep the work small.
	mostGroups = 32
)

// chanceOf is how probable it is that chains whose means are exchangeable with those of
// free ones differ from them as much as these do: a permutation test of the distance
// between both means. a and b are samples [_, D] of so many chains. Chains are
// independent of each other, whatever their samples are among themselves, so that the
// test holds however slowly they mix. Many chains are put together in groups. It is NaN
// for too few chains.
func chanceOf(a, b []float32, chains, inputs int, source *engine.Source) float64 {
	if chains < fewestChains {
		return math.NaN()
	}
	chains = min(chains, mostGroups)
	rows := aroundMean(slices.Concat(chainMeans(a, chains, inputs), chainMeans(b, chains, inputs)))
	n := len(rows)
	gram := make([]float64, n*n)
	for i := range n {
		for j := range i + 1 {
			gram[i*n+j] = inner(rows[i], rows[j])
			gram[j*n+i] = gram[i*n+j]
		}
	}
	sign := make([]float64, n)
	for i := range sign {
		sign[i] = 1
		if i >= chains {
			sign[i] = -1
		}
	}
	distance := func() (sum float64) {
		for i, x := range sign {
			sum += x * inner(sign, gram[i*n:(i+1)*n])
		}
		return sum
	}
	own, as, all := distance(), 1, 0.0
	for i := range n {
		all += gram[i*n+i]
	}
	if own <= constant*all { // nothing differs but by rounding
		return 1
	}
	for range relabelings {
		for i := n - 1; i > 0; i-- {
			j := source.IntN(i + 1)
			sign[i], sign[j] = sign[j], sign[i]
		}
		// Arrangements that differ in nothing but rounding count as equal.
		if distance() >= own*(1-1e-9) {
			as++
		}
	}
	return float64(as) / (relabelings + 1)
}

// aroundMean takes from each row the mean of all, in which rows do not differ and which
// would swallow digits.
func aroundMean(rows [][]float64) [][]float64 {
	for j := range rows[0] {
		sum := 0.0
		for _, row := range rows {
			sum += row[j]
		}
		for _, row := range rows {
			row[j] -= sum / float64(len(rows))
		}
	}
	return rows
}

// chainMeans are the means [chains][D] of the samples of each chain, or of each chains-th
// one together.
func chainMeans(samples []float32, chains, inputs int) [][]float64 {
	means, counts := make([][]float64, chains), make([]float64, chains)
	for c := range means {
		means[c] = make([]float64, inputs)
	}
	i := 0
	for row := range slices.Chunk(samples, inputs) {
		for j, x := range row {
			means[i%chains][j] += float64(x)
		}
		counts[i%chains]++
		i++
	}
	for c, mean := range means {
		for j := range mean {
			mean[j] /= counts[c]
		}
	}
	return means
}
