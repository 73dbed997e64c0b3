package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// each runs a test for every variant; UNITSCOPE_REQUIRE=avx512,avx2 makes a
// variant that this machine does not run a failure.
func each(t *testing.T, test func(t *testing.T, s *Set)) {
	for _, name := range []string{"avx512", "avx2", "generic"} {
		t.Run(name, func(t *testing.T) {
			for _, s := range Variants() {
				if s.Name == name {
					test(t, s)
					return
				}
			}
			if slices.Contains(strings.Split(os.Getenv("UNITSCOPE_REQUIRE"), ","), name) {
				t.Fatalf("UNITSCOPE_REQUIRE=%s, but the processor lacks %s or the build has the tag noasm", os.Getenv("UNITSCOPE_REQUIRE"), name)
			}
			t.Skipf("the processor lacks %s or the build has the tag noasm", name)
		})
	}
}

// random fills x with numbers of both signs.
func random(r *rand.Rand, x []float32) []float32 {
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func generator(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// between hands out arrays between guard words, at every alignment in turn, and
// at the end of the test fails if a guard word has changed.
func between(t *testing.T) func(n int) []float32 {
	const guard = 32
	mark := math.Float32frombits(0x7fc0dead)
	turn := 0
	return func(n int) []float32 {
		turn++
		from := guard + turn%17
		all := make([]float32, from+n+guard)
		for i := range all {
			all[i] = mark
		}
		t.Cleanup(func() {
			for i, v := range all {
				if (i < from || i >= from+n) && math.Float32bits(v) != math.Float32bits(mark) {
					t.Errorf("element %d of an array of %d was written", i-from, n)
				}
			}
		})
		return all[from : from+n : from+n]
	}
}

var lengths = []int{0, 1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 100, 127, 129, 257}

func TestVariants(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r, alloc := generator(t), between(t)
		for _, n := range lengths {
			checkAll(t, s, r, alloc, n)
		}
	})
}

// checkAll checks every function of s on arrays of n elements, and products
// over n terms, from alloc.
func checkAll(t *testing.T, s *Set, r *rand.Rand, alloc func(int) []float32, n int) {
	checkMultiply(t, s.Multiply, s.Rows, s.Lanes, r, alloc, n)
	checkMultiply(t, s.MultiplyNarrow, s.Rows, s.Lanes/2, r, alloc, n)
	checkSigmoid(t, s, r, alloc, n)
	checkSums(t, s, r, alloc, n)
	for _, rows := range []int{0, 1, 3, 4, 6, 9} {
		checkTiles(t, s, r, alloc, rows, n)
	}
	checkRandom(t, s, r, alloc, n)
	for _, width := range []int{1, s.Rows, s.Lanes / 2, s.Lanes, s.Lanes + 3} {
		checkLayout(t, s, r, alloc, width, n)
	}
}

func checkSums(t *testing.T, s *Set, r *rand.Rand, alloc func(int) []float32, n int) {
	t.Helper()
	a, b, dst := random(r, alloc(n)), random(r, alloc(n)), random(r, alloc(n))
	var sum, size float64
	for i := range a {
		v := float64(a[i]) * float64(b[i])
		sum, size = sum+v, size+math.Abs(v)
	}
	got := s.Dot(a, b)
	if d := math.Abs(float64(got) - sum); !(d <= size*float64(n+1)*0x1p-23) {
		t.Fatalf("dot of %d is %g, not %g", n, got, sum)
	}
	same(t, "dot of copies", s.Dot(slices.Clone(a), slices.Clone(b)), got)

	for _, factors := range [][2]float32{{1, 0}, {-0.5, 0}, {1, 1}, {0.25, -3}} {
		alpha, beta := factors[0], factors[1]
		copy(dst, b)
		if beta == 0 {
			for i := range dst {
				dst[i] = float32(math.NaN())
			}
		}
		s.Axpby(dst, alpha, a, beta)
		for i, v := range dst {
			x, y := float64(alpha)*float64(a[i]), 0.0
			if beta != 0 {
				y = float64(beta) * float64(b[i])
			}
			if d := math.Abs(float64(v) - (x + y)); !(d <= (math.Abs(x)+math.Abs(y))*0x1p-22) {
				t.Fatalf("axpby(%g, %g) of %d: element %d is %g, not %g", alpha, beta, n, i, v, x+y)
			}
		}
	}

	h := alloc(n)
	s.Sigmoid(h, a)
	copy(dst, b)
	s.DerivativeScale(dst, h)
	for i, v := range dst {
		same(t, "derivative scale", v, b[i]*(h[i]*(1-h[i])))
	}
}

func checkTiles(t *testing.T, s *Set, r *rand.Rand, alloc func(int) []float32, rows, lanes int) {
	t.Helper()
	a, b := random(r, alloc(rows*lanes)), random(r, alloc(rows*lanes))
	sum, scale, bias, dst := random(r, alloc(lanes)), random(r, alloc(lanes)), random(r, alloc(rows)), alloc(rows*lanes)
	s.BiasSigmoid(dst, a, bias, lanes)
	for i := range dst {
		one := []float32{a[i] + bias[i/lanes]}
		s.Sigmoid(one, one)
		same(t, "bias sigmoid", dst[i], one[0])
	}

	before := slices.Clone(sum)
	s.LaneDots(sum, a, b)
	for j := range sum {
		exact, size := float64(before[j]), math.Abs(float64(before[j]))
		for i := range rows {
			v := float64(a[i*lanes+j]) * float64(b[i*lanes+j])
			exact, size = exact+v, size+math.Abs(v)
		}
		if d := math.Abs(float64(sum[j]) - exact); !(d <= size*float64(rows+2)*0x1p-23) {
			t.Fatalf("lane dots of %d rows: lane %d is %g, not %g", rows, j, sum[j], exact)
		}
	}
	squares := alloc(lanes)
	clear(squares)
	s.SquareSum(squares, a)
	for j := range squares {
		column, one := make([]float32, rows), []float32{0}
		for i := range column {
			column[i] = a[i*lanes+j]
		}
		s.LaneDots(one, column, column)
		same(t, "square sum of one lane alone", one[0], squares[j])
	}

	copy(dst, a)
	s.LaneScale(dst, scale)
	for i := range dst {
		same(t, "lane scale", dst[i], a[i]*scale[i%lanes])
	}
}

// checkLayout checks the copies between layouts: width numbers in a line of what
// is written, terms lines.
func checkLayout(t *testing.T, s *Set, r *rand.Rand, alloc func(int) []float32, width, terms int) {
	t.Helper()
	nan := float32(math.NaN())
	dst := alloc(terms * width)
	for _, count := range []int{0, 1, width / 2, width - 1, width} {
		for _, extra := range []int{0, 5} {
			stride := terms + extra
			x := random(r, alloc(max(0, (count-1)*stride+terms)*min(1, count)))
			for i := range dst {
				dst[i] = nan
			}
			s.Transpose(dst, width, x, stride, count, terms)
			for at, v := range dst {
				want, p, i := float32(0), at/width, at%width
				if i < count {
					want = x[i*stride+p]
				}
				same(t, fmt.Sprintf("transpose of %d lines of %d terms to width %d: term %d of line %d", count, terms, width, p, i), v, want)
			}

			stride = count + extra
			x = random(r, alloc(max(0, (terms-1)*stride+count)*min(1, count)))
			for i := range dst {
				dst[i] = nan
			}
			s.CopyLines(dst, width, x, stride, count, terms)
			for at, v := range dst {
				want, p, j := float32(0), at/width, at%width
				if j < count {
					want = x[p*stride+j]
				}
				same(t, fmt.Sprintf("copy of %d lines of %d to width %d: number %d of line %d", terms, count, width, j, p), v, want)
			}
		}
	}
}

func checkRandom(t *testing.T, s *Set, r *rand.Rand, alloc func(int) []float32, n int) {
	t.Helper()
	at := Stream{Seed: r.Uint64(), Purpose: uint8(r.Uint32()), Step: r.Uint32(), Key: r.Uint64()}
	stream := engine.Stream{Seed: at.Seed, Purpose: engine.Purpose(at.Purpose), Step: at.Step, Keys: []uint64{at.Key}}
	words, uniform, p, states := asWords(alloc(n)), alloc(n), alloc(n), alloc(n)
	s.Words(words, at)
	s.Uniform(uniform, at)
	for j := range p {
		p[j] = r.Float32()
		switch r.IntN(8) {
		case 0:
			p[j] = uniform[j] // not below
		case 1:
			p[j] = math.Nextafter32(uniform[j], 2)
		case 2:
			p[j] = float32(math.NaN())
		case 3:
			p[j] = float32(j % 2)
		}
	}
	s.Bernoulli(states, p, at)
	limit := r.Uint32()
	below := 0
	for j := range words {
		if words[j] != stream.Bits(0, j) {
			t.Fatalf("words of %d: column %d is %#x, not %#x", n, j, words[j], stream.Bits(0, j))
		}
		same(t, fmt.Sprintf("uniform column %d", j), uniform[j], stream.Uniform(0, j))
		want := float32(0)
		if p[j] != p[j] {
			want = p[j]
		} else if uniform[j] < p[j] {
			want = 1
		}
		same(t, fmt.Sprintf("bernoulli(%g) column %d", p[j], j), states[j], want)
		if words[j] < limit {
			below++
		}
	}
	if got := s.CountBelow(words, limit); got != below {
		t.Fatalf("count of %d below %#x is %d, not %d", n, limit, got, below)
	}
	s.Bernoulli(p, p, at) // in place
	for j := range p {
		same(t, "bernoulli in place", p[j], states[j])
	}
}

func TestSmallest(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := generator(t)
		for _, n := range []int{0, 1, 2, 17, 144, 784} {
			for _, spread := range []uint32{1, 6, 1 << 20, math.MaxUint32} {
				words := make([]uint32, n)
				for j := range words {
					words[j] = r.Uint32N(spread)
				}
				if n > 2 {
					words[0], words[n-1] = math.MaxUint32, 0
				}
				sorted := slices.Clone(words)
				for j := range sorted {
					sorted[j] >>= 1
				}
				slices.Sort(sorted)
				for _, picked := range []int{0, 1, n / 4, n / 2, n - 1, n} {
					if picked < 0 || picked > n {
						continue
					}
					limit, ties := s.Smallest(words, picked)
					var got []uint32
					for _, w := range words {
						switch {
						case w>>1 < limit:
							got = append(got, w>>1)
						case w>>1 == limit && ties > 0:
							got = append(got, w>>1)
							ties--
						}
					}
					slices.Sort(got)
					if !slices.Equal(got, sorted[:picked]) {
						t.Fatalf("the %d smallest of %d below %d: wrong", picked, n, spread)
					}
				}
			}
		}
	})
}

// TestChecks gives slices that are too short: a panic, not a write outside.
func TestChecks(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		short, long := make([]float32, 3), make([]float32, 1000)
		for name, call := range map[string]func(){
			"multiply a":   func() { s.Multiply(2, short, long, long, s.Lanes, false) },
			"multiply b":   func() { s.Multiply(2, long, short, long, s.Lanes, false) },
			"multiply c":   func() { s.Multiply(2, long, long, short, s.Lanes, false) },
			"narrow c":     func() { s.MultiplyNarrow(2, long, long, short, s.Lanes/2, false) },
			"sigmoid":      func() { s.Sigmoid(short, long) },
			"bias sigmoid": func() { s.BiasSigmoid(short, long, long[:4], 8) },
			"derivative":   func() { s.DerivativeScale(short, long) },
			"dot":          func() { s.Dot(long, short) },
			"axpby":        func() { s.Axpby(short, 1, long, 1) },
			"lane dots":    func() { s.LaneDots(short, long[:999], short) },
			"bernoulli":    func() { s.Bernoulli(short, long, Stream{}) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: a slice too short went through", name)
					}
				}()
				call()
			}()
		}
	})
}

func TestChoose(t *testing.T) {
	t.Setenv(Variable, "generic")
	if s, err := Choose(); err != nil || s != Generic {
		t.Errorf("generic: %v, %v", s, err)
	}
	t.Setenv(Variable, "sse")
	if _, err := Choose(); err == nil || !strings.Contains(err.Error(), "generic") {
		t.Errorf("sse: error %v", err)
	}
	t.Setenv(Variable, "")
	if s, err := Choose(); err != nil || s != Variants()[0] {
		t.Errorf("default: %v, %v", s, err)
	}
}
