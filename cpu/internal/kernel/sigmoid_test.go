package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// ulps is the distance of a float32 from the exact value in units of the last
// place of the float32 nearest to it.
func ulps(got float32, want float64) float64 {
	exponent := math.Ilogb(want) - 23
	if want == 0 || exponent < -149 {
		exponent = -149
	}
	return math.Abs(float64(got)-want) / math.Ldexp(1, exponent)
}

func exactSigmoid(x float32) float64 {
	if x < -700 {
		return 0 // far below the smallest float32; exp(-x) would overflow
	}
	return 1 / (1 + math.Exp(-float64(x)))
}

func checkSigmoid(t *testing.T, s *Set, r *rand.Rand, alloc func(int) []float32, n int) {
	t.Helper()
	dst, x := alloc(n), alloc(n)
	for i := range x {
		x[i] = float32(r.NormFloat64() * 30)
	}
	s.Sigmoid(dst, x)
	alone := alloc(1)
	for i := range x {
		if u := ulps(dst[i], exactSigmoid(x[i])); !(u <= 2) {
			t.Fatalf("sigmoid(%g) = %g: %.2f ulp off", x[i], dst[i], u)
		}
		alone[0] = x[i]
		s.Sigmoid(alone, alone)
		same(t, fmt.Sprintf("sigmoid(%g) at place %d of %d", x[i], i, n), dst[i], alone[0])
	}
}

// TestSigmoid goes through every 1021st float32 (UNITSCOPE_EXHAUSTIVE=1: all),
// and through all extremes.
func TestSigmoid(t *testing.T) {
	step := uint64(1021)
	if os.Getenv("UNITSCOPE_EXHAUSTIVE") != "" {
		step = 1
	}
	each(t, func(t *testing.T, s *Set) {
		worst, at := 0.0, float32(0)
		x, dst := make([]float32, 0, 4096), make([]float32, 4096)
		flush := func() {
			s.Sigmoid(dst[:len(x)], x)
			for i, v := range x {
				if v != v {
					if dst[i] == dst[i] {
						t.Fatalf("sigmoid(NaN %#x) = %g", math.Float32bits(v), dst[i])
					}
					continue
				}
				if u := ulps(dst[i], exactSigmoid(v)); !(u <= worst) {
					worst, at = u, v
				}
			}
			x = x[:0]
		}
		add := func(v float32) {
			if x = append(x, v); len(x) == cap(x) {
				flush()
			}
		}
		for bits := uint64(0); bits < 1<<32; bits += step {
			add(math.Float32frombits(uint32(bits)))
		}
		for v := float32(-106); v < -86; v += 0.001 {
			add(v)
		}
		inf := float32(math.Inf(1))
		for _, v := range []float32{0, inf, -inf, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.NaN())} {
			add(v)
			add(-v)
		}
		flush()
		t.Logf("worst %.3f ulp, at %g", worst, at)
		if !(worst <= 2) {
			t.Errorf("sigmoid(%g) is %.3f ulp off", at, worst)
		}
		ends := []float32{inf, -inf, 200, -200, 0}
		s.Sigmoid(ends, ends)
		if !slices.Equal(ends, []float32{1, 0, 1, 0, 0.5}) {
			t.Errorf("sigmoid of Inf, -Inf, 200, -200, 0 is %v", ends)
		}
	})
}
