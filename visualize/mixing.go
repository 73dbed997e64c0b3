package visualize

import (
	"math"
	"slices"
)

// Mixing says how well the chains of one unit have mixed, and how its samples
// spread. It is about the samples in input space: the first 1024 of a unit, if
// there are more.
type Mixing struct {
	// Total is about the sum of a sample's components; First and Second about
	// its coordinates along the two directions in which the unit's samples vary
	// most (the principal components). Chains that stay in a mode each show
	// there first.
	Total, First, Second Statistic

	// Modes, and what follows, is about samples less the mean of the net's free
	// samples ([SampleResult.FreeMean]): in what directions they differ from
	// what the net produces anyway. Modes is the number of groups of samples: beginning with each sample by
	// itself, the two groups whose samples have the highest cosine to one
	// another on average are joined, while that is at least
	// [SampleOptions.Cosine] (average linkage).
	Modes int
	// MainMode is the share of the samples in the largest group, above 0 and at
	// most 1.
	MainMode float64
	// Concentration is the mean cosine between a sample and the mean of the
	// unit's samples: 1 if all are the same, near 0 if they have no direction in
	// common.
	Concentration float64
	// Chance is how probable it would be that the unit's mean differs from the free
	// one by as much if the unit said nothing: by exchanging the unit's chains with
	// free ones. Above [ToldApart] its mean cannot be told from the free one. NaN for
	// fewer than 4 chains.
	Chance float64
	// Effective is how many independent samples the unit's are worth, by the least of
	// the three statistics; at most as many as there are. NaN if chains have fewer than 4
	// samples, or none of the statistics varies.
	Effective float64
	// Acceptance and RoundTrips are of tempered chains, 0 for plain ones. Acceptance is
	// the mean chance that replicas change places, of the two neighbouring temperatures
	// between which it is the least. RoundTrips is how often replicas have come from the
	// highest temperature to the model after the burn-in, for each chain.
	Acceptance, RoundTrips float64
}

// Statistic is how the chains agree about one number of a sample. Both fields
// are NaN for a number that does not vary.
type Statistic struct {
	// RHat is the potential scale reduction of Gelman and Rubin, with each
	// chain split into two halves: the square root of the variance as all half
	// chains together show it, relative to that within them. It is near 1 if
	// chains have mixed and forgotten their starts; 1.1 is often taken as the
	// limit. NaN if chains have fewer than 4 samples.
	RHat float64
	// Autocorrelation is that of a sample with the next of its chain, -1 to 1:
	// near 0 if they are independent. NaN if chains have fewer than 2 samples.
	Autocorrelation float64
}

// MixedRHat is the usual limit of R-hat, above which chains have not forgotten their
// starts.
const MixedRHat = 1.1

const (
	// maxMixing limits the samples that mixing looks at, since it compares each
	// with each.
	maxMixing = 1 << 10
	// constant is the variance, relative to the mean square of the samples,
	// below which there is only rounding.
	constant = 1e-12
)

// samplesOf are the samples of one unit, as mixing sees them.
type samplesOf struct {
	n, chains int       // sample i is from chain i%chains
	total     []float64 // [n] sum of components
	square    []float64 // [n] squared norm
	gram      []float64 // [n, n] inner products of the samples less their mean
	// along [n] is the inner product of a sample less the samples' mean with
	// that mean less the free one, and offset the squared norm of the latter.
	along  []float64
	offset float64
}

// less returns the inner product of two samples less the free mean.
func (s *samplesOf) less(i, j int) float64 {
	return s.gram[i*s.n+j] + s.along[i] + s.along[j] + s.offset
}

// mixing works out the numbers of one unit.
func (s *samplesOf) mixing(threshold float64) Mixing {
	var m Mixing
	scale := mean(s.square)
	first, second := s.principal()
	m.Total, m.First, m.Second = s.statistic(s.total, scale), s.statistic(first, scale), s.statistic(second, scale)
	m.Effective = math.NaN()
	for _, x := range [][]float64{s.total, first, second} {
		if n := effective(s.byChain(x), constant*scale); math.IsNaN(m.Effective) || n < m.Effective {
			m.Effective = n
		}
	}
	m.Concentration = s.concentration(scale)
	sizes := agglomerate(s.cosines(scale), s.n, threshold)
	m.Modes, m.MainMode = len(sizes), float64(slices.Max(sizes))/float64(s.n)
	return m
}

// statistic compares chains by the numbers x [n]; scale is the mean square of
// what they are made from.
func (s *samplesOf) statistic(x []float64, scale float64) Statistic {
	chains := s.byChain(x)
	return Statistic{RHat: splitRHat(chains, constant*scale), Autocorrelation: autocorrelation(chains, constant*scale)}
}

// byChain are the numbers x [n] of each chain, as many of one as of another.
func (s *samplesOf) byChain(x []float64) [][]float64 {
	chains := make([][]float64, s.chains)
	for c := range chains {
		for t := range s.n / s.chains {
			chains[c] = append(chains[c], x[t*s.chains+c])
		}
	}
	return chains
}

// splitRHat is the potential scale reduction of chains of equal length, after
// each has been split into halves (the middle sample of an odd number belongs to
// none). Variances of at most tiny count as 0.
func splitRHat(chains [][]float64, tiny float64) float64 {
	half := len(chains[0]) / 2
	if half < 2 {
		return math.NaN()
	}
	var means, variances []float64
	for _, c := range chains {
		for _, h := range [][]float64{c[:half], c[len(c)-half:]} {
			means, variances = append(means, mean(h)), append(variances, variance(h))
		}
	}
	within, between := mean(variances), variance(means)
	switch {
	case within > tiny:
		return math.Sqrt(float64(half-1)/float64(half) + between/within)
	case between > tiny:
		return math.Inf(1)
	}
	return math.NaN()
}

// autocorrelation is the correlation of neighbours in the chains, about the mean
// of all chains together. Variances are those of the neighbours too: with that of
// all numbers, of which the ends of chains are in one pair only, a few short chains
// could have more than 1. Variances of at most tiny count as 0.
func autocorrelation(chains [][]float64, tiny float64) float64 {
	centre := mean(slices.Concat(chains...))
	var product, before, after float64
	pairs := 0
	for _, c := range chains {
		for t := 1; t < len(c); t++ {
			a, b := c[t-1]-centre, c[t]-centre
			product, before, after = product+a*b, before+a*a, after+b*b
			pairs++
		}
	}
	if spread := math.Sqrt(before) * math.Sqrt(after); pairs > 0 && spread > tiny*float64(pairs) {
		return min(1, max(-1, product/spread)) // but for rounding it is there
	}
	return math.NaN()
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// variance is the unbiased one, of at least two numbers.
func variance(x []float64) float64 {
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(x)-1)
}

// principal returns the samples' coordinates along their first two principal
// components, [n] each. They are eigenvectors of the samples' inner products,
// scaled by the roots of the eigenvalues; so nothing as large as a covariance of
// components is needed. Of equal eigenvalues it is some mixture of their vectors.
func (s *samplesOf) principal() (first, second []float64) {
	rest := slices.Clone(s.gram)
	first = leading(rest, s.n)
	for i, a := range first {
		for j, b := range first {
			rest[i*s.n+j] -= a * b
		}
	}
	return first, leading(rest, s.n)
}

func inner(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// concentration is the mean cosine between the samples and their mean, both less
// the free mean.
func (s *samplesOf) concentration(scale float64) float64 {
	if s.offset <= constant*scale {
		return 0
	}
	sum := 0.0
	for i, x := range s.along {
		if own := s.less(i, i); own > constant*scale {
			sum += (x + s.offset) / math.Sqrt(own*s.offset)
		}
	}
	return sum / float64(s.n)
}

// cosines are between all pairs of samples less the free mean, [n, n]. Samples
// that don't differ from it are alike, and unlike the others.
func (s *samplesOf) cosines(scale float64) []float64 {
	c := make([]float64, len(s.gram))
	for i := range s.n {
		for j := range s.n {
			a, b := s.less(i, i), s.less(j, j)
			switch {
			case a > constant*scale && b > constant*scale:
				c[i*s.n+j] = s.less(i, j) / math.Sqrt(a*b)
			case a <= constant*scale && b <= constant*scale:
				c[i*s.n+j] = 1
			}
		}
	}
	return c
}

// agglomerate groups n things by average linkage and returns the sizes of the
// groups: those of the dendrogram cut at threshold. similarity [n, n] is
// symmetric and is overwritten. It follows chains of nearest neighbours, which
// finds the same tree as joining the most similar groups first, in n^2 steps
// instead of n^3 (Müllner, "Modern hierarchical, agglomerative clustering
// algorithms", 2011).
func agglomerate(similarity []float64, n int, threshold float64) []int {
	g := grouping{similarity: similarity, n: n, size: make([]int, n), cut: make([]bool, n)}
	for i := range g.size {
		g.size[i] = 1
	}
	var sizes []int
	for left := n; left > 1; left-- {
		a, b, s := g.neighbours()
		// Above a join that is too weak there are only weaker ones.
		if s < threshold || g.cut[a] || g.cut[b] {
			for _, k := range []int{a, b} {
				if !g.cut[k] {
					sizes = append(sizes, g.size[k])
				}
			}
			g.cut[a], g.cut[b] = true, true
		}
		g.join(a, b)
	}
	if len(sizes) == 0 {
		return []int{n}
	}
	return sizes
}

// grouping is the state of agglomerate.
type grouping struct {
	similarity []float64 // [n, n] between groups, each known by one of its members
	n          int
	size       []int  // [n] of the group, 0 if it has gone into another
	cut        []bool // [n] the group is above the threshold's cut
	path       []int  // groups, each with the next as its nearest neighbour
}

// neighbours returns two groups that are each other's most similar.
func (g *grouping) neighbours() (a, b int, similarity float64) {
	if len(g.path) == 0 {
		g.path = append(g.path, slices.IndexFunc(g.size, func(size int) bool { return size > 0 }))
	}
	for {
		end := g.path[len(g.path)-1]
		nearest, best := -1, math.Inf(-1)
		if len(g.path) > 1 {
			// On a tie the one that we come from: else the path might go round.
			nearest = g.path[len(g.path)-2]
			best = g.similarity[end*g.n+nearest]
		}
		for k, size := range g.size {
			if s := g.similarity[end*g.n+k]; size > 0 && k != end && s > best {
				nearest, best = k, s
			}
		}
		if len(g.path) > 1 && nearest == g.path[len(g.path)-2] {
			g.path = g.path[:len(g.path)-2]
			return nearest, end, best
		}
		g.path = append(g.path, nearest)
	}
}

// join puts group b into a.
func (g *grouping) join(a, b int) {
	sa, sb := float64(g.size[a]), float64(g.size[b])
	for k := range g.n {
		s := (sa*g.similarity[a*g.n+k] + sb*g.similarity[b*g.n+k]) / (sa + sb)
		g.similarity[a*g.n+k], g.similarity[k*g.n+a] = s, s
	}
	g.size[a] += g.size[b]
	g.size[b] = 0
	g.cut[a] = g.cut[a] || g.cut[b]
}
