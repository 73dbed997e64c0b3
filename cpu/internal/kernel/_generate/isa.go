package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set that kernels are generated for.
type isa struct {
	suffix string         // of function names: "AVX2", "AVX512"
	lanes  int            // float32 in a vector: 8 or 16
	tables map[string]Mem // in the data section, by name
}

func (v isa) wide() bool { return v.lanes == 16 }

// function opens the function name+suffix. doc goes on after the name.
func (v isa) function(name, signature string, doc string) {
	name += v.suffix
	TEXT(name, attr.NOSPLIT, signature)
	Pragma("noescape")
	Doc(name + " " + doc)
}

// leave ends a function. Without VZEROUPPER later SSE code would be slow.
func leave() {
	VZEROUPPER()
	RET()
}

// align starts the next instruction at a multiple of n bytes.
func align(n int) {
	Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []Op{U32(n)}})
}

// parameter loads a parameter into a fresh 64-bit register.
func parameter(name string) reg.GPVirtual {
	return Load(Param(name), GP64()).(reg.GPVirtual)
}

// at is the float32 at index of the array at base.
func at(base reg.Register, index int) Mem { return Mem{Base: base, Disp: 4 * index} }

// vector is a fresh vector register.
func (v isa) vector() reg.VecVirtual {
	if v.wide() {
		return ZMM()
	}
	return YMM()
}

func (v isa) vectors(n int) []reg.VecVirtual {
	vs := make([]reg.VecVirtual, n)
	for i := range vs {
		vs[i] = v.vector()
	}
	return vs
}

// clear sets vectors to zero.
func (v isa) clear(rs ...reg.VecVirtual) {
	for _, r := range rs {
		if v.wide() {
			VPXORD(r, r, r)
		} else {
			VXORPS(r, r, r)
		}
	}
}

// and, or and xor are AVX-512F's names for what AVX2 calls without a width.
func (v isa) and(a, b, dst Op) {
	if v.wide() {
		VPANDD(a, b, dst)
	} else {
		VPAND(a, b, dst)
	}
}

func (v isa) or(a, b, dst Op) {
	if v.wide() {
		VPORD(a, b, dst)
	} else {
		VPOR(a, b, dst)
	}
}

// word is a constant that fills a vector: AVX-512 has the registers to keep it
// in one, AVX2 reads it from memory.
func (v isa) word(bits uint32) Op {
	name := fmt.Sprintf("word%08x", bits)
	if !v.wide() {
		return v.table(name, slices.Repeat([]uint32{bits}, v.lanes))
	}
	r := ZMM()
	VBROADCASTSS(v.table(name, []uint32{bits}), r)
	return r
}

// table is an array in the data section.
func (v isa) table(name string, words []uint32) Mem {
	m, ok := v.tables[name]
	if !ok {
		m = GLOBL(name+v.suffix, attr.RODATA|attr.NOPTR)
		for i, w := range words {
			DATA(4*i, U32(w))
		}
		v.tables[name] = m
	}
	return m
}

func (v isa) number(x float32) Op { return v.word(math.Float32bits(x)) }

// kept is a constant in a register in either instruction set.
func (v isa) kept(c Op) reg.VecVirtual {
	if r, ok := c.(reg.VecVirtual); ok {
		return r
	}
	r := v.vector()
	VMOVUPS(c, r)
	return r
}

// broadcast fills a vector with a parameter.
func (v isa) broadcast(name string) reg.VecVirtual {
	address, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	r := v.vector()
	VBROADCASTSS(address.Addr, r)
	return r
}

// access is how a loop's body reads and writes: whole vectors, or in the last
// turn only the elements that are there. The arithmetic is the same.
type access struct {
	isa
	mask reg.Register // nil for whole vectors
}

// load reads a vector; elements that are not there read as 0.
func (s access) load(m Mem) reg.VecVirtual {
	r := s.vector()
	switch {
	case s.mask == nil:
		VMOVUPS(m, r)
	case s.wide():
		VMOVUPS_Z(m, s.mask, r)
	default:
		VMASKMOVPS(m, s.mask, r)
	}
	return r
}

func (s access) store(r Op, m Mem) {
	switch {
	case s.mask == nil:
		VMOVUPS(r, m)
	case s.wide():
		VMOVUPS(r, s.mask, m)
	default:
		VMASKMOVPS(r, s.mask, m)
	}
}

// first makes masks of the first n elements of one or two vectors; 0 < n.
func (v isa) first(n reg.GPVirtual, masks int) []access {
	var all []access
	if v.wide() {
		bits := GP64()
		MOVQ(I32(-1), bits)
		// Shifts by a variable amount want it in CX.
		MOVQ(n, reg.RCX)
		SHLQ(reg.CL, bits)
		NOTQ(bits)
		for i := range masks {
			if i > 0 {
				SHRQ(Imm(16), bits)
			}
			k := K()
			KMOVW(bits.As32(), k)
			all = append(all, access{v, k})
		}
		return all
	}
	count := XMM()
	MOVD(n.As32(), count)
	counts := YMM()
	VPBROADCASTD(count, counts)
	for i := range masks {
		mask := YMM()
		VPCMPGTD(v.iota(8*i), counts, mask)
		all = append(all, access{v, mask})
	}
	return all
}

// iota is the vector from, from+1, ... in memory.
func (v isa) iota(from int) Mem {
	var words []uint32
	for i := range v.lanes {
		words = append(words, uint32(from+i))
	}
	return v.table(fmt.Sprintf("iota%d", from), words)
}

// elementwise runs body over n elements of each of the arrays, a vector at a time,
// and leaves the pointers behind the last element.
func (v isa) elementwise(name string, n reg.GPVirtual, arrays []reg.GPVirtual, body func(access)) {
	CMPQ(n, Imm(uint64(v.lanes)))
	JLT(LabelRef(name + "_tail"))
	align(32)
	Label(name + "_loop")
	body(access{isa: v})
	for _, p := range arrays {
		ADDQ(Imm(uint64(4*v.lanes)), p)
	}
	SUBQ(Imm(uint64(v.lanes)), n)
	CMPQ(n, Imm(uint64(v.lanes)))
	JGE(LabelRef(name + "_loop"))
	Label(name + "_tail")
	TESTQ(n, n)
	JZ(LabelRef(name + "_done"))
	body(v.first(n, 1)[0])
	for _, p := range arrays {
		LEAQ(Mem{Base: p, Index: n, Scale: 4}, p)
	}
	Label(name + "_done")
}

// total adds up the elements of a vector of float32 or, with integers, of
// int32 into the first element, halves first.
func (v isa) total(r reg.VecVirtual, integers bool) reg.VecVirtual {
	add := func(a, b, dst Op) { VADDPS(a, b, dst) }
	if integers {
		add = func(a, b, dst Op) { VPADDD(a, b, dst) }
	}
	half, other := YMM(), YMM()
	if v.wide() {
		VEXTRACTF64X4(Imm(1), r, other)
		VMOVAPS(r.AsY(), half)
		add(other, half, half)
	} else {
		VMOVAPS(r, half)
	}
	quarter := XMM()
	VEXTRACTF128(Imm(1), half, quarter)
	sum := XMM()
	add(quarter, half.AsX(), sum)
	VPSHUFD(Imm(0b1110), sum, quarter)
	add(quarter, sum, sum)
	VPSHUFD(Imm(0b0001), sum, quarter)
	add(quarter, sum, sum)
	return sum
}
