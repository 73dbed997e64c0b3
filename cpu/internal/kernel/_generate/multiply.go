package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tile describes one micro-kernel: rows x (vectors * lanes of the isa) sums in
// registers. Of every row of a one number is broadcast; of b whole vectors are
// loaded. Every sum is of multiply-adds over k in ascending order.
//
//   - 28 of the 32 registers of AVX-512 hold sums (12 of 16 of AVX2), the rest
//     two vectors of b and two numbers of a: 16 loads for 28 multiply-adds, well
//     below the two loads that a cycle has room for.
//   - Both panels are prefetched into the first level.
//   - a is prefetched far ahead into the second level: panels of weights follow
//     each other in memory and stream from the third level or from main memory.
//     Streaming 14 MB of weights past 32 lanes this gave 184 GFLOP/s where
//     prefetching 1 KB ahead gave 142 and a panel in cache gives 184 (Xeon with
//     2 MiB of second level, November 2026).
//
// 8x48, 9x48 and 12x32 were as fast within a percent.
type tile struct {
	isa
	name          string
	rows, vectors int
	unroll        int // terms of k per turn of the main loop
	// Bytes to prefetch ahead: of a and b into the first level, of a into the second.
	aheadA, aheadB, farA int
}

func (t tile) width() int { return t.vectors * t.lanes }

func (t tile) generate() {
	t.function(t.name, "func(k int, a, b, c *float32, stride int, accumulate bool)",
		fmt.Sprintf("is Set.Multiply for a tile of %dx%d.", t.rows, t.width()))
	k, a, b, c, stride := parameter("k"), parameter("a"), parameter("b"), parameter("c"), parameter("stride")
	SHLQ(Imm(2), stride)
	sums := make([][]reg.VecVirtual, t.rows)
	for i := range sums {
		sums[i] = t.isa.vectors(t.vectors)
	}
	t.start(c, stride, sums)

	CMPQ(k, Imm(uint64(t.unroll)))
	JLT(LabelRef("tail"))
	align(64)
	Label("loop")
	for u := range t.unroll {
		t.prefetch(a, b, u)
		t.term(a, b, u, sums)
	}
	t.advance(a, b, t.unroll)
	SUBQ(Imm(uint64(t.unroll)), k)
	CMPQ(k, Imm(uint64(t.unroll)))
	JGE(LabelRef("loop"))

	Label("tail")
	TESTQ(k, k)
	JZ(LabelRef("store"))
	Label("single")
	t.term(a, b, 0, sums)
	t.advance(a, b, 1)
	DECQ(k)
	JNZ(LabelRef("single"))

	Label("store")
	for i := range sums {
		for j, sum := range sums[i] {
			VMOVUPS(sum, at(c, j*t.lanes))
		}
		if i+1 < t.rows {
			ADDQ(stride, c)
		}
	}
	leave()
}

// start sets the sums to zero or to what c holds.
func (t tile) start(c, stride reg.GPVirtual, sums [][]reg.VecVirtual) {
	accumulate := Load(Param("accumulate"), GP8()).(reg.GPVirtual)
	row := GP64()
	MOVQ(c, row)
	TESTB(accumulate, accumulate)
	JZ(LabelRef("zero"))
	for i := range sums {
		for j, sum := range sums[i] {
			VMOVUPS(at(row, j*t.lanes), sum)
		}
		if i+1 < t.rows {
			ADDQ(stride, row)
		}
	}
	JMP(LabelRef("ready"))
	Label("zero")
	for i := range sums {
		for j, sum := range sums[i] {
			t.clear(sum)
			if j*t.lanes*4%64 == 0 {
				PREFETCHT0(at(row, j*t.lanes))
			}
		}
		if i+1 < t.rows {
			ADDQ(stride, row)
		}
	}
	Label("ready")
}

// term adds term u from here.
func (t tile) term(a, b reg.GPVirtual, u int, sums [][]reg.VecVirtual) {
	bs := t.isa.vectors(t.vectors)
	for j := range bs {
		VMOVUPS(at(b, u*t.width()+j*t.lanes), bs[j])
	}
	for i := range sums {
		ai := t.vector()
		VBROADCASTSS(at(a, u*t.rows+i), ai)
		for j := range bs {
			VFMADD231PS(bs[j], ai, sums[i][j])
		}
	}
}

// prefetch asks for the lines that begin in term u, further on.
func (t tile) prefetch(a, b reg.GPVirtual, u int) {
	lines := func(perTerm int, do func(line int)) {
		for line := (perTerm*u + 63) / 64; line < (perTerm*(u+1)+63)/64; line++ {
			do(64 * line)
		}
	}
	lines(4*t.width(), func(line int) { PREFETCHT0(Mem{Base: b, Disp: t.aheadB + line}) })
	lines(4*t.rows, func(line int) {
		PREFETCHT0(Mem{Base: a, Disp: t.aheadA + line})
		PREFETCHT1(Mem{Base: a, Disp: t.farA + line})
	})
}

func (t tile) advance(a, b reg.GPVirtual, terms int) {
	ADDQ(U32(4*t.rows*terms), a)
	ADDQ(U32(4*t.width()*terms), b)
}

const peakChains = 12 // enough to hide the latency of multiply-adds in two units

// generatePeak is a loop of nothing but independent multiply-adds on
// registers: what no product can be faster than. Its numbers have random
// digits and stay bounded: with zeros the processor would draw less power than
// a product does, and could be clocked higher.
func (v isa) generatePeak() {
	v.function("peak", "func(n int)", "does n turns of 8 multiply-adds on each of 12 registers.")
	n := parameter("n")
	sums := v.vectors(peakChains)
	x, y := v.vector(), v.vector()
	digits := v.table("digits", scattered(v.lanes+peakChains))
	VMOVUPS(digits, x)
	VMOVUPS(digits.Offset(4), y)
	for i, sum := range sums {
		VMOVUPS(digits.Offset(4*i), sum)
	}
	TESTQ(n, n)
	JLE(LabelRef("done"))
	align(64)
	Label("loop")
	for turn := range 8 {
		for _, sum := range sums {
			if turn%2 == 0 {
				VFMADD231PS(x, y, sum)
			} else {
				VFNMADD231PS(x, y, sum)
			}
		}
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	Label("done")
	leave()
}

// scattered is n float32 from 1 to 2 with random digits.
func scattered(n int) []uint32 {
	words := make([]uint32, n)
	state := uint32(1)
	for i := range words {
		state = state*1664525 + 1013904223
		words[i] = 0x3f800000 | state>>9
	}
	return words
}
