package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (v isa) generateDot() {
	v.function("dot", "func(a, b *float32, n int) float32", "is Set.Dot on n elements.")
	a, b, n := parameter("a"), parameter("b"), parameter("n")
	sums := v.vectors(4)
	v.clear(sums...)
	CMPQ(n, Imm(uint64(4*v.lanes)))
	JLT(LabelRef("rest"))
	align(32)
	Label("four")
	for i, sum := range sums {
		x := v.vector()
		VMOVUPS(at(a, i*v.lanes), x)
		VFMADD231PS(at(b, i*v.lanes), x, sum)
	}
	ADDQ(U32(16*v.lanes), a)
	ADDQ(U32(16*v.lanes), b)
	SUBQ(Imm(uint64(4*v.lanes)), n)
	CMPQ(n, Imm(uint64(4*v.lanes)))
	JGE(LabelRef("four"))
	Label("rest")
	v.elementwise("rest", n, []reg.GPVirtual{a, b}, func(m access) {
		VFMADD231PS(m.load(at(a, 0)), m.load(at(b, 0)), sums[0])
	})
	VADDPS(sums[1], sums[0], sums[0])
	VADDPS(sums[3], sums[2], sums[2])
	VADDPS(sums[2], sums[0], sums[0])
	Store(v.total(sums[0], false), ReturnIndex(0))
	leave()
}

func (v isa) generateScale() {
	v.function("scale", "func(dst, x *float32, n int, alpha float32)", "is Set.Axpby with beta 0 on n elements.")
	dst, x, n := parameter("dst"), parameter("x"), parameter("n")
	alpha := v.broadcast("alpha")
	v.elementwise("scale", n, []reg.GPVirtual{dst, x}, func(m access) {
		y := m.load(at(x, 0))
		VMULPS(alpha, y, y)
		m.store(y, at(dst, 0))
	})
	leave()
}

func (v isa) generateAxpby() {
	v.function("axpby", "func(dst, x *float32, n int, alpha, beta float32)", "is Set.Axpby with any other beta on n elements.")
	dst, x, n := parameter("dst"), parameter("x"), parameter("n")
	alpha, beta := v.broadcast("alpha"), v.broadcast("beta")
	v.elementwise("axpby", n, []reg.GPVirtual{dst, x}, func(m access) {
		y := m.load(at(dst, 0))
		VMULPS(beta, y, y)
		VFMADD231PS(alpha, m.load(at(x, 0)), y)
		m.store(y, at(dst, 0))
	})
	leave()
}

func (v isa) generateDerivative() {
	v.function("derivative", "func(dst, h *float32, n int)", "is Set.DerivativeScale on n elements.")
	dst, h, n := parameter("dst"), parameter("h"), parameter("n")
	one := v.kept(v.number(1))
	v.elementwise("derivative", n, []reg.GPVirtual{dst, h}, func(m access) {
		y, d := m.load(at(h, 0)), v.vector()
		VSUBPS(y, one, d)
		VMULPS(y, d, d)
		VMULPS(m.load(at(dst, 0)), d, d)
		m.store(d, at(dst, 0))
	})
	leave()
}

// columns runs body for every vector of lanes, the pointers at its first row.
func (v isa) columns(lanes reg.GPVirtual, arrays []reg.GPVirtual, body func(m access, name string)) {
	turn := 0
	v.elementwise("columns", lanes, arrays, func(m access) {
		turn++
		body(m, []string{"", "whole", "part"}[turn])
	})
}

func (v isa) generateLaneDots() {
	v.function("laneDots", "func(sum, a, b *float32, rows, lanes int)", "is Set.LaneDots.")
	sum, a, b, rows, lanes := parameter("sum"), parameter("a"), parameter("b"), parameter("rows"), parameter("lanes")
	stride := GP64()
	MOVQ(lanes, stride)
	SHLQ(Imm(2), stride)
	v.columns(lanes, []reg.GPVirtual{sum, a, b}, func(m access, name string) {
		pa, pb, left := GP64(), GP64(), GP64()
		MOVQ(a, pa)
		MOVQ(b, pb)
		MOVQ(rows, left)
		sums := v.vectors(4)
		v.clear(sums...)
		add := func(s reg.VecVirtual) {
			VFMADD231PS(m.load(at(pa, 0)), m.load(at(pb, 0)), s)
			ADDQ(stride, pa)
			ADDQ(stride, pb)
		}
		CMPQ(left, Imm(4))
		JLT(LabelRef(name + "_rest"))
		align(32)
		Label(name + "_four")
		for _, s := range sums {
			add(s)
		}
		SUBQ(Imm(4), left)
		CMPQ(left, Imm(4))
		JGE(LabelRef(name + "_four"))
		Label(name + "_rest")
		TESTQ(left, left)
		JZ(LabelRef(name + "_sum"))
		Label(name + "_one")
		add(sums[0])
		DECQ(left)
		JNZ(LabelRef(name + "_one"))
		Label(name + "_sum")
		VADDPS(sums[1], sums[0], sums[0])
		VADDPS(sums[3], sums[2], sums[2])
		VADDPS(sums[2], sums[0], sums[0])
		VADDPS(m.load(at(sum, 0)), sums[0], sums[0])
		m.store(sums[0], at(sum, 0))
	})
	leave()
}

func (v isa) generateLaneScale() {
	v.function("laneScale", "func(dst, scale *float32, rows, lanes int)", "is Set.LaneScale; rows > 0.")
	dst, scale, rows, lanes := parameter("dst"), parameter("scale"), parameter("rows"), parameter("lanes")
	stride := GP64()
	MOVQ(lanes, stride)
	SHLQ(Imm(2), stride)
	v.columns(lanes, []reg.GPVirtual{dst, scale}, func(m access, name string) {
		p, left := GP64(), GP64()
		MOVQ(dst, p)
		MOVQ(rows, left)
		factor := m.load(at(scale, 0))
		align(32)
		Label(name + "_row")
		y := m.load(at(p, 0))
		VMULPS(factor, y, y)
		m.store(y, at(p, 0))
		ADDQ(stride, p)
		DECQ(left)
		JNZ(LabelRef(name + "_row"))
	})
	leave()
}

func (v isa) generateCountBelow() {
	v.function("countBelow", "func(words *uint32, n int, limit uint32) int", "is Set.CountBelow on n words.")
	words, n := parameter("words"), parameter("n")
	limit := v.broadcast("limit")
	count := v.vector()
	v.clear(count)
	var one, sign reg.VecVirtual
	if v.wide() {
		one = v.kept(v.word(1))
	} else {
		// Only signed numbers can be compared: shift both by 2^31.
		sign = v.kept(v.word(0x80000000))
		VPXOR(sign, limit, limit)
	}
	v.elementwise("count", n, []reg.GPVirtual{words}, func(m access) {
		w := m.load(at(words, 0))
		if v.wide() {
			below := K()
			if m.mask == nil {
				VPCMPUD(Imm(1), limit, w, below)
			} else {
				VPCMPUD(Imm(1), limit, w, m.mask, below)
			}
			VPADDD(one, count, below, count)
			return
		}
		VPXOR(sign, w, w)
		VPCMPGTD(w, limit, w)
		if m.mask != nil {
			VPAND(m.mask, w, w)
		}
		VPSUBD(w, count, count)
	})
	result := GP64()
	VMOVD(v.total(count, true), result.As32())
	Store(result, ReturnIndex(0))
	leave()
}
