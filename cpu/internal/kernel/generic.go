package kernel

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

// Generic is the portable variant and the definition of the others.
var Generic = &Set{
	Name: "generic",
	Rows: genericRows, Lanes: genericLanes,
	Multiply:        multiplyGeneric,
	MultiplyNarrow:  multiplyNarrowGeneric,
	Sigmoid:         sigmoidGeneric,
	BiasSigmoid:     biasSigmoidGeneric,
	DerivativeScale: derivativeScaleGeneric,
	Dot:             dotGeneric,
	Axpby:           axpbyGeneric,
	LaneDots:        laneDotsGeneric,
	LaneScale:       laneScaleGeneric,
	Transpose:       transposeGeneric,
	CopyLines:       copyLinesGeneric,
	Words:           wordsGeneric,
	Uniform:         uniformGeneric,
	Bernoulli:       bernoulliGeneric,
	CountBelow:      countBelowGeneric,
	Peak:            peakGeneric,
}

const genericRows, genericLanes = 4, 4

// multiplyGeneric keeps 2 rows of 4 sums at a time in registers.
func multiplyGeneric(k int, a, b, c []float32, stride int, accumulate bool) {
	for i := 0; i < genericRows; i += 2 {
		c0, c1 := c[i*stride:i*stride+4:i*stride+4], c[(i+1)*stride:(i+1)*stride+4:(i+1)*stride+4]
		var s00, s01, s02, s03, s10, s11, s12, s13 float32
		if accumulate {
			s00, s01, s02, s03 = c0[0], c0[1], c0[2], c0[3]
			s10, s11, s12, s13 = c1[0], c1[1], c1[2], c1[3]
		}
		as, bs := a[:4*k], b[:4*k]
		for len(as) >= 4 && len(bs) >= 4 {
			a0, a1 := as[i], as[i+1]
			s00 += a0 * bs[0]
			s01 += a0 * bs[1]
			s02 += a0 * bs[2]
			s03 += a0 * bs[3]
			s10 += a1 * bs[0]
			s11 += a1 * bs[1]
			s12 += a1 * bs[2]
			s13 += a1 * bs[3]
			as, bs = as[4:], bs[4:]
		}
		c0[0], c0[1], c0[2], c0[3] = s00, s01, s02, s03
		c1[0], c1[1], c1[2], c1[3] = s10, s11, s12, s13
	}
}

// multiplyNarrowGeneric keeps all its 4 rows of 2 sums.
func multiplyNarrowGeneric(k int, a, b, c []float32, stride int, accumulate bool) {
	c0, c1 := c[:2:2], c[stride:stride+2:stride+2]
	c2, c3 := c[2*stride:2*stride+2:2*stride+2], c[3*stride:3*stride+2:3*stride+2]
	var s00, s01, s10, s11, s20, s21, s30, s31 float32
	if accumulate {
		s00, s01, s10, s11 = c0[0], c0[1], c1[0], c1[1]
		s20, s21, s30, s31 = c2[0], c2[1], c3[0], c3[1]
	}
	as, bs := a[:4*k], b[:2*k]
	for len(as) >= 4 && len(bs) >= 2 {
		b0, b1 := bs[0], bs[1]
		s00 += as[0] * b0
		s01 += as[0] * b1
		s10 += as[1] * b0
		s11 += as[1] * b1
		s20 += as[2] * b0
		s21 += as[2] * b1
		s30 += as[3] * b0
		s31 += as[3] * b1
		as, bs = as[4:], bs[2:]
	}
	c0[0], c0[1], c1[0], c1[1] = s00, s01, s10, s11
	c2[0], c2[1], c3[0], c3[1] = s20, s21, s30, s31
}

func biasSigmoidGeneric(dst, x, bias []float32, lanes int) {
	for i, b := range bias {
		row := dst[i*lanes : (i+1)*lanes]
		for j, v := range x[i*lanes : (i+1)*lanes] {
			row[j] = v + b
		}
		sigmoidGeneric(row, row)
	}
}

func derivativeScaleGeneric(dst, h []float32) {
	for i, v := range h {
		dst[i] *= v * (1 - v)
	}
}

// laneDotsGeneric adds in four sums, of rows i%4, as dotGeneric does.
func laneDotsGeneric(sum, a, b []float32) {
	lanes := len(sum)
	for j := range sum {
		var s [4]float32
		rows := len(a) / lanes
		for i := range rows {
			of := i % 4
			if i >= rows&^3 {
				of = 0
			}
			s[of] += a[i*lanes+j] * b[i*lanes+j]
		}
		sum[j] += (s[0] + s[1]) + (s[2] + s[3])
	}
}

func laneScaleGeneric(dst, scale []float32) {
	for ; len(dst) > 0 && len(scale) > 0; dst = dst[len(scale):] {
		for j, f := range scale {
			dst[j] *= f
		}
	}
}

func countBelowGeneric(words []uint32, limit uint32) (n int) {
	for _, w := range words {
		if w < limit {
			n++
		}
	}
	return n
}

// peakGeneric has as many sums as multiplyGeneric.
func peakGeneric(n int) float64 {
	x, y := float32(0.5), float32(n)
	s0, s1, s2, s3, s4, s5, s6, s7 := y, y+1, y+2, y+3, y+4, y+5, y+6, y+7
	for range n {
		s0 = s0*x + y
		s1 = s1*x + y
		s2 = s2*x + y
		s3 = s3*x + y
		s4 = s4*x + y
		s5 = s5*x + y
		s6 = s6*x + y
		s7 = s7*x + y
	}
	if s0+s1+s2+s3+s4+s5+s6+s7 < 0 { // never; keeps the sums from being dropped
		return 0
	}
	return 16 * float64(n)
}

func sigmoidGeneric(dst, x []float32) {
	for i, v := range x {
		dst[i] = float32(1 / (1 + math.Exp(-float64(v))))
	}
}

// dotGeneric adds in four interleaved sums.
func dotGeneric(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	n := len(a) &^ 3
	for i := 0; i < n; i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for i := n; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

func axpbyGeneric(dst []float32, alpha float32, x []float32, beta float32) {
	switch {
	case beta == 0:
		for i, v := range x {
			dst[i] = alpha * v
		}
	default:
		for i, v := range x {
			dst[i] = alpha*v + beta*dst[i]
		}
	}
}

// transposeGeneric goes through terms in short stretches and reads several lines
// at a time, so that what it writes stays in cache.
func transposeGeneric(dst []float32, width int, x []float32, stride, lines, terms int) {
	const stretch = 64
	for from := 0; from < terms; from += stretch {
		n := min(stretch, terms-from)
		block := dst[from*width:]
		i := 0
		for ; i+4 <= lines; i += 4 {
			y := x[i*stride+from:]
			interleave(block[i:], width, y[:n], y[stride:][:n], y[2*stride:][:n], y[3*stride:][:n])
		}
		for ; i < width; i++ {
			for p := range n {
				block[p*width+i] = 0
				if i < lines {
					block[p*width+i] = x[i*stride+from+p]
				}
			}
		}
	}
}

// interleave is dst[p*width+i] = x_i[p].
func interleave(dst []float32, width int, x0, x1, x2, x3 []float32) {
	x1, x2, x3 = x1[:len(x0)], x2[:len(x0)], x3[:len(x0)]
	for p, v := range x0 {
		d := (*[4]float32)(dst[p*width:])
		d[0], d[1], d[2], d[3] = v, x1[p], x2[p], x3[p]
	}
}

func copyLinesGeneric(dst []float32, width int, x []float32, stride, count, terms int) {
	for p := range terms {
		line := dst[p*width : (p+1)*width]
		if count > 0 {
			copy(line, x[p*stride:][:count])
		}
		clear(line[count:])
	}
}

func philox(at Stream, block int) [4]uint32 {
	return engine.Philox(
		[4]uint32{uint32(at.Purpose)<<24 | uint32(block), at.Step, uint32(at.Key), uint32(at.Key >> 32)},
		[2]uint32{uint32(at.Seed), uint32(at.Seed >> 32)})
}

func wordsGeneric(dst []uint32, at Stream) {
	for j := 0; j < len(dst); j += 4 {
		w := philox(at, j/4)
		copy(dst[j:], w[:])
	}
}

func uniformGeneric(dst []float32, at Stream) {
	for j := 0; j < len(dst); j += 4 {
		w := philox(at, j/4)
		for c := range dst[j:min(j+4, len(dst))] {
			dst[j+c] = engine.UniformFromBits(w[c])
		}
	}
}

func bernoulliGeneric(dst, p []float32, at Stream) {
	for j := 0; j < len(dst); j += 4 {
		w := philox(at, j/4)
		for c, q := range p[j:min(j+4, len(p))] {
			switch {
			case q != q:
				dst[j+c] = q
			case engine.UniformFromBits(w[c]) < q:
				dst[j+c] = 1
			default:
				dst[j+c] = 0
			}
		}
	}
}
