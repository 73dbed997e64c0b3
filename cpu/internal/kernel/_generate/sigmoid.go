package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sigmoid computes 1/(1+exp(-x)) as t/(1+t) for x < 0 and 1/(1+t) for x >= 0,
// with t = exp(-|x|) <= 1, so nothing overflows and small results keep their
// digits down to the subnormal ones.
//
// exp(u) = 2^n exp(f) with n = round(u log2 e) and f = u - n ln 2 in two parts,
// |f| <= ln 2 / 2. exp(f) = 1 + f + f^2 q(f), q of degree 4 through the
// Chebyshev nodes; relative error 2^-28.
type sigmoid struct {
	isa
	sign, lowest, log2e, shift, ln2, ln2low, one Op
	polynomial                                   []Op // of degree 6 to degree 2
	bias                                         Op   // with AVX2
}

const shifter = 0x4b400000 // 1.5 * 2^23: adding it rounds to a whole number

// polynomial holds the coefficients of exp(f), degree 6 first; those of degree
// 1 and 0 are 1.
var polynomial = []float32{0.0013926184, 0.008363179, 0.041666556, 0.16666576, 0.5}

func (v isa) sigmoid() sigmoid {
	s := sigmoid{
		isa:    v,
		sign:   v.word(0x80000000),
		lowest: v.kept(v.number(-105)), // exp(-105) rounds to 0
		log2e:  v.number(1.442695),
		shift:  v.kept(v.word(shifter)),
		ln2:    v.number(0.6931472),
		ln2low: v.number(-1.9046542e-09),
		one:    v.kept(v.number(1)),
	}
	for _, c := range polynomial {
		s.polynomial = append(s.polynomial, v.number(c))
	}
	if !v.wide() {
		s.bias = v.word(127)
	}
	return s
}

// of returns the sigmoid of x.
func (s sigmoid) of(x reg.VecVirtual) reg.VecVirtual {
	t := s.exp(x)
	d, numerator, r, q, remainder := s.vector(), s.vector(), s.vector(), s.vector(), s.vector()
	VADDPS(t, s.one, d)
	if s.wide() {
		negative := K()
		VPTESTMD(s.sign, x, negative)
		VPBLENDMD(t, s.one, negative, numerator)
		VRCP14PS(d, r) // a division takes 16 cycles
	} else {
		VBLENDVPS(x, t, s.one, numerator) // by the sign of x
		VDIVPS(d, s.one, r)
	}
	// 1+t has been rounded, and r may have 14 bits only. One step makes up for
	// both: the remainder n - q(1+t) is (n-q) - q t, whose first part is exact.
	VMULPS(r, numerator, q)
	VSUBPS(q, numerator, remainder)
	VFNMADD231PS(t, q, remainder)
	VFMADD213PS(q, r, remainder)
	return remainder
}

// exp returns exp(-|x|).
func (s sigmoid) exp(x reg.VecVirtual) reg.VecVirtual {
	u, n, shifted, p, t := s.vector(), s.vector(), s.vector(), s.vector(), s.vector()
	s.or(s.sign, x, u)
	VMAXPS(u, s.lowest.(reg.VecVirtual), u) // the order of operands keeps NaN
	VMOVAPS(s.shift, shifted)
	VFMADD231PS(s.log2e, u, shifted)
	VSUBPS(s.shift, shifted, n)
	VFNMADD231PS(s.ln2, n, u)
	VFNMADD231PS(s.ln2low, n, u)
	VMOVAPS(s.polynomial[0], p)
	for _, c := range s.polynomial[1:] {
		VFMADD213PS(c, u, p)
	}
	VFMADD213PS(s.one, u, p)
	VFMADD213PS(s.one, u, p)
	if s.wide() {
		VSCALEFPS(n, p, t)
		return t
	}
	// 2^n in two factors, since n may be below the smallest exponent.
	half, rest := s.vector(), s.vector()
	VPSUBD(s.shift, shifted, rest)
	VPSRAD(Imm(1), rest, half)
	VPSUBD(half, rest, rest)
	for _, factor := range []reg.VecVirtual{half, rest} {
		VPADDD(s.bias, factor, factor)
		VPSLLD(Imm(23), factor, factor)
		VMULPS(factor, p, p)
	}
	return p
}

func (v isa) generateSigmoid() {
	v.function("sigmoid", "func(dst, x *float32, n int)", "is Set.Sigmoid on n elements.")
	dst, x, n := parameter("dst"), parameter("x"), parameter("n")
	s := v.sigmoid()
	v.elementwise("sigmoid", n, []reg.GPVirtual{dst, x}, func(m access) {
		m.store(s.of(m.load(at(x, 0))), at(dst, 0))
	})
	leave()
}

func (v isa) generateBiasSigmoid() {
	v.function("biasSigmoid", "func(dst, x, bias *float32, rows, lanes int)", "is Set.BiasSigmoid; rows > 0.")
	dst, x, bias, rows, lanes := parameter("dst"), parameter("x"), parameter("bias"), parameter("rows"), parameter("lanes")
	s := v.sigmoid()
	Label("row")
	b := v.vector()
	VBROADCASTSS(at(bias, 0), b)
	n := GP64()
	MOVQ(lanes, n)
	v.elementwise("lanes", n, []reg.GPVirtual{dst, x}, func(m access) {
		y := m.load(at(x, 0))
		VADDPS(b, y, y)
		m.store(s.of(y), at(dst, 0))
	})
	ADDQ(Imm(4), bias)
	DECQ(rows)
	JNZ(LabelRef("row"))
	leave()
}
