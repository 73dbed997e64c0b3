package visualize

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/unitscope/unitscope/engine"
)

func TestSplitRHat(t *testing.T) {
	normal := func(chains, length int, apart, follow float64) [][]float64 {
		var xs [][]float64
		for c := range chains {
			s := engine.NewSource(7, engine.PurposeMonitor, 0, uint64(c))
			x := make([]float64, length)
			for i := range x {
				x[i] = s.Normal()
				if i > 0 {
					x[i] = follow*x[i-1] + math.Sqrt(1-follow*follow)*x[i]
				}
			}
			for i := range x {
				x[i] += apart * float64(c)
			}
			xs = append(xs, x)
		}
		return xs
	}
	trend := normal(4, 400, 0, 0)
	for _, x := range trend {
		for i := range x {
			x[i] += float64(i) / 100
		}
	}
	for _, c := range []struct {
		name            string
		chains          [][]float64
		rhat, tolerance float64
		auto            float64
	}{
		{"independent", normal(10, 2000, 0, 0), 1, 0.002, 0},
		{"independent and short", normal(500, 4, 0, 0), 1, 0.1, 0},
		{"neighbours alike", normal(10, 2000, 0, 0.8), 1, 0.02, 0.8},
		// Means 0 and 4, variance 1: the half chains' means have variance 16/3.
		{"two apart", normal(2, 2000, 4, 0), math.Sqrt(1 + 16.0/3), 0.1, 4.0 / 5},
		// Without the split into halves, chains with one trend would agree.
		{"a trend", trend, math.Sqrt(1 + 8.0/7/(1+4.0/12)), 0.1, math.NaN()},
	} {
		if got := splitRHat(c.chains, 1e-12); !(math.Abs(got-c.rhat) <= c.tolerance) {
			t.Errorf("%s: R-hat %g, want %g", c.name, got, c.rhat)
		}
		if got := autocorrelation(c.chains, 1e-12); !(math.Abs(got-c.auto) <= 0.03) && !math.IsNaN(c.auto) {
			t.Errorf("%s: autocorrelation %g, want %g", c.name, got, c.auto)
		}
	}
	for _, c := range []struct {
		name       string
		chains     [][]float64
		rhat, auto float64
	}{
		// Halves (1,3), (5,9) and (2,2), (4,8): means 2, 7, 2, 6 with variance
		// 83/12; variances 2, 8, 0, 8 with mean 4.5. About the mean of all, 4.25,
		// the products of neighbours add up to 11.375, the squares of the earlier
		// ones to 22.875 and of the later ones to 43.875.
		{"by hand", [][]float64{{1, 3, 5, 9}, {2, 2, 4, 8}}, math.Sqrt(0.5 + 83.0/12/4.5), 11.375 / math.Sqrt(22.875*43.875)},
		{"an odd number", [][]float64{{1, 3, 1e6, 5, 9}, {2, 2, -1e6, 4, 8}}, math.Sqrt(0.5 + 83.0/12/4.5), 1e-6},
		{"too short", [][]float64{{1, 2, 3}, {3, 1, 2}}, math.NaN(), -1 / math.Sqrt(6)},
		{"one sample each", [][]float64{{1}, {2}}, math.NaN(), math.NaN()},
		{"no samples", [][]float64{nil, nil}, math.NaN(), math.NaN()},
		{"all the same", [][]float64{{2, 2, 2, 2}, {2, 2, 2, 2}}, math.NaN(), math.NaN()},
		{"chains that stand still", [][]float64{{1, 1, 1, 1}, {2, 2, 2, 2}}, math.Inf(1), 1},
	} {
		if got := splitRHat(c.chains, 1e-12); !same(got, c.rhat, 1e-9) {
			t.Errorf("%s: R-hat %.12g, want %.12g", c.name, got, c.rhat)
		}
		if got := autocorrelation(c.chains, 1e-12); !same(got, c.auto, 1e-7) {
			t.Errorf("%s: autocorrelation %.12g, want %.12g", c.name, got, c.auto)
		}
	}
}

func same(a, b, tolerance float64) bool {
	return a == b || math.Abs(a-b) <= tolerance || math.IsNaN(a) && math.IsNaN(b)
}

// slowGroups is average linkage as it is defined: the most similar two groups
// are joined while they are similar enough.
func slowGroups(similarity []float64, n int, threshold float64) []int {
	var groups [][]int
	for i := range n {
		groups = append(groups, []int{i})
	}
	for len(groups) > 1 {
		first, second, best := 0, 0, math.Inf(-1)
		for a := range groups {
			for b := range a {
				sum := 0.0
				for _, i := range groups[a] {
					for _, j := range groups[b] {
						sum += similarity[i*n+j]
					}
				}
				if s := sum / float64(len(groups[a])*len(groups[b])); s > best {
					first, second, best = b, a, s
				}
			}
		}
		if best < threshold {
			break
		}
		groups[first] = append(groups[first], groups[second]...)
		groups = slices.Delete(groups, second, second+1)
	}
	var sizes []int
	for _, g := range groups {
		sizes = append(sizes, len(g))
	}
	return sizes
}

func TestAgglomerate(t *testing.T) {
	check := func(name string, similarity []float64, n int, threshold float64) {
		t.Helper()
		want := slowGroups(similarity, n, threshold)
		got := agglomerate(slices.Clone(similarity), n, threshold)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s at %g: groups of %v, want %v", name, threshold, got, want)
		}
	}
	s := engine.NewSource(1, engine.PurposeMonitor, 0, 0)
	for _, n := range []int{1, 2, 3, 5, 17, 40} {
		random := make([]float64, n*n)
		for i := range n {
			random[i*n+i] = 1
			for j := range i {
				random[i*n+j] = 2*s.Uniform() - 1
				random[j*n+i] = random[i*n+j]
			}
		}
		for _, threshold := range []float64{-1, -0.2, 0, 0.1, 0.3, 0.6, 0.9, 1} {
			check("random", random, n, threshold)
		}
	}
	equal := []float64{1, 0.5, 0.5, 0.5, 1, 0.5, 0.5, 0.5, 1}
	check("all equal", equal, 3, 0.5)
	check("all equal", equal, 3, 0.51)
}

// unitSamples are the samples x of one unit as mixing sees them.
func unitSamples(t testing.TB, x [][]float64, free []float32, chains int) *samplesOf {
	t.Helper()
	var flat []float32
	for _, row := range x {
		for _, v := range row {
			flat = append(flat, float32(v))
		}
	}
	c, err := newComparison(openDevice(t), len(x), len(free))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.samples(flat, free, chains)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMixing(t *testing.T) {
	source := engine.NewSource(3, engine.PurposeMonitor, 0, 0)
	free := []float32{1, 1, 1, 1, 1, 1}
	// cloud is so many samples about a point.
	cloud := func(n int, radius float64, centre ...float64) (x [][]float64) {
		for range n {
			row := make([]float64, len(centre))
			for j, c := range centre {
				row[j] = c + radius*source.Normal()
			}
			x = append(x, row)
		}
		return x
	}
	a, b := cloud(60, 0.1, 3, 1, 1, 1, 1, 1), cloud(20, 0.1, 1, 1, 3, 1, 1, 1)
	var stuck [][]float64 // three chains stay in one mode, the fourth in another
	for i := range b {
		stuck = append(stuck, a[3*i], a[3*i+1], a[3*i+2], b[i])
	}
	for _, c := range []struct {
		name               string
		x                  [][]float64
		chains             int
		modes              int
		main, concentrated float64 // 0.02 either way
		agree              bool
	}{
		{"one mode", a, 4, 1, 1, 0.99, true},
		{"two modes, chains that stay", stuck, 4, 2, 0.75, 0.79, false},
		{"two modes, in the order of time", append(slices.Clone(a), b...), 4, 2, 0.75, 0.79, false},
		{"on the free mean", cloud(40, 1e-9, 1, 1, 1, 1, 1, 1), 4, 1, 1, 0, true},
	} {
		m := unitSamples(t, c.x, free, c.chains).mixing(0.5)
		if m.Modes != c.modes || math.Abs(m.MainMode-c.main) > 1e-9 || math.Abs(m.Concentration-c.concentrated) > 0.02 {
			t.Errorf("%s: %+v, want %d modes, share %g, concentration %g", c.name, m, c.modes, c.main, c.concentrated)
		}
		if agree := !(m.First.RHat > 1.1); agree != c.agree {
			t.Errorf("%s: R-hat of the first component is %g", c.name, m.First.RHat)
		}
	}
}

// Autocorrelations of what is known: two numbers in turns, and chains that keep
// so much of the last number, whose estimate from n numbers in all has a standard
// error of sqrt((1 - follow^2) / n), whatever their number and length.
func TestAutocorrelation(t *testing.T) {
	inTurns := make([][]float64, 3)
	for c := range inTurns {
		for i := range 8 {
			inTurns[c] = append(inTurns[c], float64(i%2))
		}
	}
	if got := autocorrelation(inTurns, 1e-12); math.Abs(got+1) > 1e-12 {
		t.Errorf("two numbers in turns: %g, want -1", got)
	}
	// The ends are near the mean of all, so the variance of all is small.
	if got, want := autocorrelation([][]float64{{0, 5, 5, 0}, {0, -5, -5, 0}}, 1e-12), 0.5; math.Abs(got-want) > 1e-12 {
		t.Errorf("ends at the mean: %g, want %g", got, want)
	}
	for _, c := range []struct {
		chains, length int
		follow         float64
	}{{1, 10_000, 0.5}, {10, 1000, 0.9}, {100, 100, -0.7}, {2500, 4, 0.8}, {5000, 2, 0.6}, {10, 1000, 0}} {
		var chains [][]float64
		for k := range c.chains {
			s := engine.NewSource(9, engine.PurposeMonitor, uint32(c.length), uint64(k))
			x := make([]float64, c.length)
			for i := range x {
				if x[i] = s.Normal(); i > 0 {
					x[i] = c.follow*x[i-1] + math.Sqrt(1-c.follow*c.follow)*x[i]
				}
			}
			chains = append(chains, x)
		}
		got := autocorrelation(chains, 1e-12)
		// Chains of two or four have fewer pairs than numbers.
		pairs := float64(c.chains * (c.length - 1))
		deviation := math.Sqrt((1-c.follow*c.follow)/pairs) + 2/float64(c.chains*c.length)
		if math.Abs(got-c.follow) > 4*deviation {
			t.Errorf("%+v: %g +- %g", c, got, deviation)
		}
	}
}

// TestLeading: the exact eigenvector where power iteration is far from it, since
// the first two eigenvalues are nearly equal, and its statistics with it.
func TestLeading(t *testing.T) {
	const n = 200
	for _, values := range [][]float64{{1, 0.999, 0.1}, {1, 1 - 1e-5, 0.99, 0.98}, {5}, {1e-6, 9.99e-7}, {3, 1, 1, 1}} {
		// Random orthogonal vectors.
		source := engine.NewSource(4, engine.PurposeMonitor, 0, 0)
		random := mat.NewDense(n, len(values), nil)
		for i := range n {
			for j := range values {
				random.Set(i, j, source.Normal())
			}
		}
		var qr mat.QR
		qr.Factorize(random)
		var q mat.Dense
		qr.QTo(&q)
		matrix := make([]float64, n*n)
		for k, value := range values {
			v := mat.Col(nil, k, &q)
			for i, a := range v {
				for j, b := range v {
					matrix[i*n+j] += value * a * b
				}
			}
		}
		got, want := leading(matrix, n), mat.Col(nil, 0, &q)
		norm := math.Sqrt(inner(got, got))
		if cosine := math.Abs(inner(got, want)) / norm; 1-cosine > 1e-9 || math.Abs(norm*norm/values[0]-1) > 1e-9 {
			t.Errorf("%v: cosine 1 - %g to the first vector, eigenvalue %g", values, 1-cosine, norm*norm)
		}
	}
	if got := leading(make([]float64, 9), 3); !slices.Equal(got, []float64{0, 0, 0}) {
		t.Errorf("of nothing: %v", got)
	}
	if got := leading([]float64{4}, 1); math.Abs(math.Abs(got[0])-2) > 1e-12 {
		t.Errorf("of one number: %v", got)
	}
	// Every eigenvalue 1: any vector will do.
	if got := leading([]float64{1, 0, 0, 1}, 2); math.Abs(inner(got, got)-1) > 1e-12 {
		t.Errorf("of the identity: %v", got)
	}
}

// The principal components are those of the samples' covariance.
func TestPrincipal(t *testing.T) {
	const n, inputs = 30, 5
	source := engine.NewSource(5, engine.PurposeMonitor, 0, 0)
	var x [][]float64
	for range n {
		row := make([]float64, inputs)
		for j := range row {
			row[j] = float64(float32(float64(inputs-j) * source.Normal()))
		}
		x = append(x, row)
	}
	s := unitSamples(t, x, make([]float32, inputs), 3)
	first, second := s.principal()
	centred := mat.NewDense(n, inputs, nil)
	for j := range inputs {
		centre := 0.0
		for i := range n {
			centre += x[i][j] / n
		}
		for i := range n {
			centred.Set(i, j, x[i][j]-centre)
		}
	}
	var svd mat.SVD
	if !svd.Factorize(centred, mat.SVDThin) {
		t.Fatal("no decomposition")
	}
	var left mat.Dense
	svd.UTo(&left)
	for k, got := range [][]float64{first, second} {
		value := svd.Values(nil)[k]
		want := mat.Col(nil, k, &left)
		product := inner(got, want)
		if math.Abs(math.Abs(product)/value-1) > 1e-5 || math.Abs(math.Sqrt(inner(got, got))/value-1) > 1e-5 {
			t.Errorf("component %d has the norm %g and a share of %g in the exact one, want %g", k, math.Sqrt(inner(got, got)), product, value)
		}
	}
}
