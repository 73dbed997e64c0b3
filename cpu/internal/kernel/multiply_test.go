package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func checkMultiply(t *testing.T, multiply func(k int, a, b, c []float32, stride int, accumulate bool), rows, lanes int, r *rand.Rand, alloc func(int) []float32, k int) {
	t.Helper()
	for _, stride := range []int{lanes, lanes + 3} {
		for _, accumulate := range []bool{false, true} {
			a, b, c := random(r, alloc(k*rows)), random(r, alloc(k*lanes)), random(r, alloc((rows-1)*stride+lanes))
			if !accumulate {
				for i := range c {
					if i%stride < lanes {
						c[i] = float32(math.NaN())
					}
				}
			}
			before := slices.Clone(c)
			multiply(k, a, b, c, stride, accumulate)
			for i := range c {
				row, lane := i/stride, i%stride
				if lane >= lanes {
					same(t, fmt.Sprintf("multiply: between rows, element %d", i), c[i], before[i])
					continue
				}
				var sum, size float64
				if accumulate {
					sum, size = float64(before[i]), math.Abs(float64(before[i]))
				}
				for p := range k {
					v := float64(a[p*rows+row]) * float64(b[p*lanes+lane])
					sum, size = sum+v, size+math.Abs(v)
				}
				// Each of k+1 additions rounds once or, unfused, twice.
				if d := math.Abs(float64(c[i]) - sum); !(d <= size*float64(2*k+2)*0x1p-24) {
					t.Fatalf("multiply %dx%d, k %d, stride %d, accumulate %v: element %d is %g, not %g", rows, lanes, k, stride, accumulate, i, c[i], sum)
				}
			}
		}
	}
}

func same(t *testing.T, what string, got, want float32) {
	t.Helper()
	if math.Float32bits(got) != math.Float32bits(want) {
		t.Fatalf("%s is %g (%#x), not %g (%#x)", what, got, math.Float32bits(got), want, math.Float32bits(want))
	}
}

// TestMultiplyPieces cuts k in pieces: the bits must not change. Nor may they
// depend on the lane or the width of the tile.
func TestMultiplyPieces(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := generator(t)
		const k = 61
		a, b := random(r, make([]float32, k*s.Rows)), random(r, make([]float32, k*s.Lanes))
		whole := make([]float32, s.Rows*s.Lanes)
		s.Multiply(k, a, b, whole, s.Lanes, false)
		for cut := range k + 1 {
			pieces := make([]float32, s.Rows*s.Lanes)
			s.Multiply(cut, a, b, pieces, s.Lanes, false)
			s.Multiply(k-cut, a[cut*s.Rows:], b[cut*s.Lanes:], pieces, s.Lanes, true)
			for i := range whole {
				same(t, fmt.Sprintf("cut at %d: element %d", cut, i), pieces[i], whole[i])
			}
		}
		half := s.Lanes / 2
		for from := range s.Lanes - half + 1 {
			var part []float32
			for p := range k {
				part = append(part, b[p*s.Lanes+from:p*s.Lanes+from+half]...)
			}
			narrow := make([]float32, s.Rows*half)
			s.MultiplyNarrow(k, a, part, narrow, half, false)
			for i, v := range narrow {
				same(t, fmt.Sprintf("narrow from lane %d: element %d", from, i), v, whole[i/half*s.Lanes+from+i%half])
			}
		}
	})
}

func TestMultiplyNaN(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for _, k := range []int{1, 8, 11} {
				a, b := make([]float32, k*s.Rows), make([]float32, k*s.Lanes)
				c := make([]float32, s.Rows*s.Lanes)
				a[(k-1)*s.Rows+2] = bad // times zero: NaN in row 2, nowhere else
				s.Multiply(k, a, b, c, s.Lanes, false)
				for i, v := range c {
					if (v != v) != (i/s.Lanes == 2) {
						t.Fatalf("a has %g in row 2: element %d is %g", bad, i, v)
					}
				}
			}
		}
	})
}
