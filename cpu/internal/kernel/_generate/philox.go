package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// philox computes blocks of Philox4x32-10 side by side, one in each 64-bit
// element, whose low half holds the word: VPMULUDQ multiplies just these, and
// gives both halves of the product. What gathers in the high half is ignored.
//
// The state in memory is the counter's four words and the keys of ten rounds.
type philox struct {
	isa
	state                reg.GPVirtual
	multiplier0          Op
	multiplier1          Op
	block, next, c1start reg.VecVirtual
	c2start, c3start     reg.VecVirtual
	even                 reg.Register // AVX-512: mask of the even 32-bit elements
}

func (v isa) blocks() int { return v.lanes / 2 }

// filled fills a vector with word i of the state.
func (p philox) filled(i int) reg.VecVirtual {
	r := p.vector()
	VPBROADCASTD(at(p.state, i), r)
	return r
}

func (v isa) philox(state reg.GPVirtual) philox {
	p := philox{
		isa: v, state: state,
		multiplier0: v.kept(v.word(0xD2511F53)), multiplier1: v.kept(v.word(0xCD9E8D57)),
		block: v.vector(), next: v.kept(v.word(uint32(v.blocks()))),
	}
	VPADDD(v.order(), p.filled(0), p.block)
	p.c1start, p.c2start, p.c3start = p.filled(1), p.filled(2), p.filled(3)
	if v.wide() {
		bits := GP32()
		MOVL(U32(0x5555), bits)
		k := K()
		KMOVW(bits, k)
		p.even = k
	}
	return p
}

// order is where the blocks stand so that unpacking puts their words in order.
func (v isa) order() Mem {
	var words []uint32
	for i := range v.blocks() {
		block := uint32(i/2 + i%2*v.blocks()/2)
		words = append(words, block, block)
	}
	return v.table("order", words)
}

// words returns the next 2*lanes words in order and goes on.
func (p philox) words() (reg.VecVirtual, reg.VecVirtual) {
	c0, c1, c2, c3 := p.block, p.c1start, p.c2start, p.c3start
	for round := range 10 {
		product0, product1, next0, next2 := p.vector(), p.vector(), p.vector(), p.vector()
		VPMULUDQ(p.multiplier0, c0, product0)
		VPMULUDQ(p.multiplier1, c2, product1)
		VPSRLQ(Imm(32), product1, next0)
		VPSRLQ(Imm(32), product0, next2)
		p.mix(c1, 4+2*round, next0)
		p.mix(c3, 5+2*round, next2)
		c0, c1, c2, c3 = next0, product1, next2, product0
	}
	VPADDD(p.next, p.block, p.block)
	low, high := p.joined(c0, c1), p.joined(c2, c3)
	first, second := p.vector(), p.vector()
	VPUNPCKLQDQ(high, low, first)
	VPUNPCKHQDQ(high, low, second)
	return first, second
}

// mix is dst ^= c ^ key.
func (p philox) mix(c reg.VecVirtual, key int, dst reg.VecVirtual) {
	if p.wide() {
		VPTERNLOGD_BCST(Imm(0x96), at(p.state, key), c, dst)
		return
	}
	VPXOR(c, dst, dst)
	VPXOR(p.filled(key), dst, dst)
}

// joined puts the low words of a and b side by side.
func (p philox) joined(a, b reg.VecVirtual) reg.VecVirtual {
	r := p.vector()
	VPSLLQ(Imm(32), b, r)
	if p.wide() {
		VMOVDQA32(a, p.even, r)
	} else {
		VPBLENDD(Imm(0b01010101), a, r, r)
	}
	return r
}

// generateRandom generates a function that turns words into dst; arrays
// are its parameters that advance together.
func (v isa) generateRandom(name, signature, doc string, arrays []string, prepare func() func(m access, words reg.VecVirtual, arrays []reg.GPVirtual, offset int)) {
	v.function(name, signature, doc)
	var pointers []reg.GPVirtual
	for _, a := range arrays {
		pointers = append(pointers, parameter(a))
	}
	n := parameter("n")
	p := v.philox(parameter("state"))
	body := prepare()
	whole := access{isa: v}
	CMPQ(n, Imm(uint64(2*v.lanes)))
	JLT(LabelRef("tail"))
	align(32)
	Label("loop")
	first, second := p.words()
	body(whole, first, pointers, 0)
	body(whole, second, pointers, v.lanes)
	for _, q := range pointers {
		ADDQ(U32(8*v.lanes), q)
	}
	SUBQ(Imm(uint64(2*v.lanes)), n)
	CMPQ(n, Imm(uint64(2*v.lanes)))
	JGE(LabelRef("loop"))
	Label("tail")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	masks := v.first(n, 2)
	first, second = p.words()
	body(masks[0], first, pointers, 0)
	body(masks[1], second, pointers, v.lanes)
	Label("done")
	leave()
}

func (v isa) generateWords() {
	v.generateRandom("words", "func(dst *uint32, n int, state *[24]uint32)", "is Set.Words on n words.", []string{"dst"},
		func() func(access, reg.VecVirtual, []reg.GPVirtual, int) {
			return func(m access, words reg.VecVirtual, arrays []reg.GPVirtual, offset int) {
				m.store(words, at(arrays[0], offset))
			}
		})
}

// uniform turns words into engine.UniformFromBits of them: the upper 23 bits
// become the digits of a number in [1, 2), and 1 - 2^-24 is taken off, exactly.
func (v isa) uniform(words reg.VecVirtual, one, almost Op) {
	VPSRLD(Imm(9), words, words)
	v.or(one, words, words)
	VSUBPS(almost, words, words)
}

func (v isa) generateUniform() {
	v.generateRandom("uniform", "func(dst *float32, n int, state *[24]uint32)", "is Set.Uniform on n elements.", []string{"dst"},
		func() func(access, reg.VecVirtual, []reg.GPVirtual, int) {
			one, almost := v.number(1), v.number(1-0x1p-24)
			return func(m access, words reg.VecVirtual, arrays []reg.GPVirtual, offset int) {
				v.uniform(words, one, almost)
				m.store(words, at(arrays[0], offset))
			}
		})
}

func (v isa) generateBernoulli() {
	v.generateRandom("bernoulli", "func(dst, p *float32, n int, state *[24]uint32)", "is Set.Bernoulli on n elements.", []string{"dst", "p"},
		func() func(access, reg.VecVirtual, []reg.GPVirtual, int) {
			one, almost := v.number(1), v.number(1-0x1p-24)
			return func(m access, words reg.VecVirtual, arrays []reg.GPVirtual, offset int) {
				v.uniform(words, one, almost)
				p := m.load(at(arrays[1], offset))
				v.drawn(words, p, one)
				m.store(words, at(arrays[0], offset))
			}
		})
}

// drawn is u = 1 if u < p, else 0, and p where p is NaN.
func (v isa) drawn(u, p reg.VecVirtual, one Op) {
	const lessQuiet, unordered = 17, 3
	if v.wide() {
		below, nan := K(), K()
		VCMPPS(Imm(lessQuiet), p, u, below)
		VCMPPS(Imm(unordered), p, p, nan)
		VMOVAPS_Z(one, below, u)
		VMOVAPS(p, nan, u)
		return
	}
	nan := v.vector()
	VCMPPS(Imm(lessQuiet), p, u, u)
	VCMPPS(Imm(unordered), p, p, nan)
	VPAND(one, u, u)
	VBLENDVPS(nan, p, u, u)
}
