//go:build !noasm

package kernel

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// Variants lists the variants that this machine runs, the fastest first.
func Variants() []*Set {
	var sets []*Set
	if cpu.X86.HasAVX512F {
		sets = append(sets, setAVX512)
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		sets = append(sets, setAVX2)
	}
	return append(sets, Generic)
}

var setAVX2 = assembly{
	name: "avx2", rows: 6, vector: 8,
	multiply: multiplyAVX2, multiplyNarrow: multiplyNarrowAVX2,
	sigmoid: sigmoidAVX2, biasSigmoid: biasSigmoidAVX2, derivative: derivativeAVX2,
	dot: dotAVX2, scale: scaleAVX2, axpby: axpbyAVX2,
	laneDots: laneDotsAVX2, laneScale: laneScaleAVX2,
	transpose: transposeAVX2, copyLines: copyLinesAVX2,
	// The state is passed in a direct call: through a function value it would
	// go to the heap.
	words: func(dst []uint32, at Stream) {
		state := philoxState(at)
		wordsAVX2(unsafe.SliceData(dst), len(dst), &state)
	},
	uniform: func(dst []float32, at Stream) {
		state := philoxState(at)
		uniformAVX2(unsafe.SliceData(dst), len(dst), &state)
	},
	bernoulli: func(dst, p []float32, at Stream) {
		state := philoxState(at)
		bernoulliAVX2(unsafe.SliceData(dst), unsafe.SliceData(p), len(p), &state)
	},
	countBelow: countBelowAVX2, peak: peakAVX2,
}.set()

var setAVX512 = assembly{
	name: "avx512", rows: 14, vector: 16,
	multiply: multiplyAVX512, multiplyNarrow: multiplyNarrowAVX512,
	sigmoid: sigmoidAVX512, biasSigmoid: biasSigmoidAVX512, derivative: derivativeAVX512,
	dot: dotAVX512, scale: scaleAVX512, axpby: axpbyAVX512,
	laneDots: laneDotsAVX512, laneScale: laneScaleAVX512,
	transpose: transposeAVX512, copyLines: copyLinesAVX512,
	words: func(dst []uint32, at Stream) {
		state := philoxState(at)
		wordsAVX512(unsafe.SliceData(dst), len(dst), &state)
	},
	uniform: func(dst []float32, at Stream) {
		state := philoxState(at)
		uniformAVX512(unsafe.SliceData(dst), len(dst), &state)
	},
	bernoulli: func(dst, p []float32, at Stream) {
		state := philoxState(at)
		bernoulliAVX512(unsafe.SliceData(dst), unsafe.SliceData(p), len(p), &state)
	},
	countBelow: countBelowAVX512, peak: peakAVX512,
}.set()

// assembly is what the generated code of a variant offers: functions on
// unchecked memory, tiles of rows x 2 vectors and, narrow, of 1.
type assembly struct {
	name                     string
	rows, vector             int
	multiply, multiplyNarrow func(k int, a, b, c *float32, stride int, accumulate bool)
	sigmoid, derivative      func(dst, x *float32, n int)
	biasSigmoid              func(dst, x, bias *float32, rows, lanes int)
	dot                      func(a, b *float32, n int) float32
	scale                    func(dst, x *float32, n int, alpha float32)
	axpby                    func(dst, x *float32, n int, alpha, beta float32)
	laneDots                 func(sum, a, b *float32, rows, lanes int)
	laneScale                func(dst, scale *float32, rows, lanes int)
	transpose                func(dst, x *float32, width, step, stride, lines, terms int)
	copyLines                func(dst, x *float32, width, step, stride, count, terms int)
	words                    func(dst []uint32, at Stream)
	uniform                  func(dst []float32, at Stream)
	bernoulli                func(dst, p []float32, at Stream)
	countBelow               func(words *uint32, n int, limit uint32) int
	peak                     func(n int)
}

// set puts the checks of lengths in front that keep the assembly inside its
// slices. What fails them is a mistake in this module.
func (f assembly) set() *Set {
	return &Set{
		Name: f.name, Rows: f.rows, Lanes: 2 * f.vector,
		Multiply:       f.checkedMultiply(f.multiply, 2*f.vector),
		MultiplyNarrow: f.checkedMultiply(f.multiplyNarrow, f.vector),
		Sigmoid: func(dst, x []float32) {
			enough("sigmoid", len(dst), len(x))
			f.sigmoid(unsafe.SliceData(dst), unsafe.SliceData(x), len(x))
		},
		BiasSigmoid: func(dst, x, bias []float32, lanes int) {
			enough("bias sigmoid", min(len(dst), len(x)), len(bias)*lanes)
			if len(bias) > 0 && lanes > 0 {
				f.biasSigmoid(&dst[0], &x[0], &bias[0], len(bias), lanes)
			}
		},
		DerivativeScale: func(dst, h []float32) {
			enough("derivative scale", len(dst), len(h))
			f.derivative(unsafe.SliceData(dst), unsafe.SliceData(h), len(h))
		},
		Dot: func(a, b []float32) float32 {
			enough("dot", len(b), len(a))
			return f.dot(unsafe.SliceData(a), unsafe.SliceData(b), len(a))
		},
		Axpby: func(dst []float32, alpha float32, x []float32, beta float32) {
			enough("axpby", len(dst), len(x))
			if beta == 0 {
				f.scale(unsafe.SliceData(dst), unsafe.SliceData(x), len(x), alpha)
				return
			}
			f.axpby(unsafe.SliceData(dst), unsafe.SliceData(x), len(x), alpha, beta)
		},
		LaneDots: func(sum, a, b []float32) {
			enough("lane dots", len(b), len(a))
			if len(sum) > 0 {
				f.laneDots(&sum[0], unsafe.SliceData(a), unsafe.SliceData(b), len(a)/len(sum), len(sum))
			}
		},
		LaneScale: func(dst, scale []float32) {
			if len(scale) > 0 && len(dst) >= len(scale) {
				f.laneScale(&dst[0], &scale[0], len(dst)/len(scale), len(scale))
			}
		},
		Transpose: func(dst []float32, width int, x []float32, stride, lines, terms int) {
			enoughLines("transpose", dst, terms, width, width)
			enoughLines("transpose", x, lines, terms, stride)
			enough("transpose", width, lines)
			for i := 0; i < width && terms > 0; i += f.vector {
				f.transpose(&dst[i], from(x, i*stride), min(f.vector, width-i), width, stride, min(f.vector, max(0, lines-i)), terms)
			}
		},
		CopyLines: func(dst []float32, width int, x []float32, stride, count, terms int) {
			enoughLines("copy lines", dst, terms, width, width)
			enoughLines("copy lines", x, terms, count, stride)
			enough("copy lines", width, count)
			for j := 0; j < width && terms > 0; j += f.vector {
				f.copyLines(&dst[j], from(x, j), min(f.vector, width-j), width, stride, min(f.vector, max(0, count-j)), terms)
			}
		},
		Words: f.words, Uniform: f.uniform,
		Bernoulli: func(dst, p []float32, at Stream) {
			enough("bernoulli", len(dst), len(p))
			f.bernoulli(dst, p, at)
		},
		CountBelow: func(words []uint32, limit uint32) int {
			return f.countBelow(unsafe.SliceData(words), len(words), limit)
		},
		Peak: func(n int) float64 {
			f.peak(n)
			return float64(n) * 8 * 12 * 2 * float64(f.vector) // turns, sums, a product and a sum, lanes
		},
	}
}

func (f assembly) checkedMultiply(multiply func(k int, a, b, c *float32, stride int, accumulate bool), lanes int) func(k int, a, b, c []float32, stride int, accumulate bool) {
	return func(k int, a, b, c []float32, stride int, accumulate bool) {
		if k < 0 || stride < 0 {
			panic(fmt.Sprintf("kernel: multiply: k %d, stride %d", k, stride))
		}
		enough("multiply", len(a), k*f.rows)
		enough("multiply", len(b), k*lanes)
		enough("multiply", len(c), (f.rows-1)*stride+lanes)
		multiply(k, unsafe.SliceData(a), unsafe.SliceData(b), &c[0], stride, accumulate)
	}
}

// enoughLines makes sure of lines of so many numbers, stride apart.
func enoughLines(operation string, x []float32, lines, numbers, stride int) {
	if lines < 0 || numbers < 0 || stride < 0 {
		panic(fmt.Sprintf("kernel: %s: %d lines of %d numbers, stride %d", operation, lines, numbers, stride))
	}
	if lines > 0 && numbers > 0 {
		enough(operation, len(x), (lines-1)*stride+numbers)
	}
}

// from is where x goes on at index i; nothing is read there if x ends before.
func from(x []float32, i int) *float32 { return unsafe.SliceData(x[min(i, len(x)):]) }

func enough(operation string, have, want int) {
	if have < want {
		panic(fmt.Sprintf("kernel: %s: a slice has %d elements, not %d", operation, have, want))
	}
}

// philoxState is what the assembly of Philox reads: the counter of the row's
// first block and the keys of the ten rounds, see engine.Philox.
func philoxState(at Stream) (state [24]uint32) {
	const weyl0, weyl1 = 0x9E3779B9, 0xBB67AE85
	state = [24]uint32{uint32(at.Purpose) << 24, at.Step, uint32(at.Key), uint32(at.Key >> 32)}
	k0, k1 := uint32(at.Seed), uint32(at.Seed>>32)
	for i := 4; i < len(state); i += 2 {
		state[i], state[i+1] = k0, k1
		k0 += weyl0
		k1 += weyl1
	}
	return state
}
