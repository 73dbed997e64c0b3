package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// generateTranspose turns squares of as many lines and terms as a vector has
// lanes, in registers. Lines that are missing stay zero.
func (v isa) generateTranspose() {
	v.function("transpose", "func(dst, x *float32, width, step, stride, lines, terms int)",
		"is Set.Transpose for one vector of lines; width of them are written every step numbers.")
	dst, x, lines, terms := parameter("dst"), parameter("x"), parameter("lines"), parameter("terms")
	step, stride := parameter("step"), parameter("stride")
	SHLQ(Imm(2), step)
	SHLQ(Imm(2), stride)
	write := v.first(parameter("width"), 1)[0]
	square := v.vectors(v.lanes)
	CMPQ(terms, Imm(uint64(v.lanes)))
	JLT(LabelRef("tail"))
	align(32)
	Label("square")
	for _, column := range v.turn("square", square, access{isa: v}, x, stride, lines) {
		write.store(column, at(dst, 0))
		ADDQ(step, dst)
	}
	ADDQ(Imm(uint64(4*v.lanes)), x)
	SUBQ(Imm(uint64(v.lanes)), terms)
	CMPQ(terms, Imm(uint64(v.lanes)))
	JGE(LabelRef("square"))
	Label("tail")
	TESTQ(terms, terms)
	JZ(LabelRef("done"))
	for _, column := range v.turn("tail", square, v.first(terms, 1)[0], x, stride, lines) {
		write.store(column, at(dst, 0))
		ADDQ(step, dst)
		DECQ(terms)
		JZ(LabelRef("done"))
	}
	Label("done")
	leave()
}

// turn reads a square, a line a vector, and returns its columns.
func (v isa) turn(name string, square []reg.VecVirtual, m access, x, stride, lines reg.GPVirtual) []reg.VecVirtual {
	v.clear(square...)
	line := GP64()
	MOVQ(x, line)
	for i, row := range square {
		CMPQ(lines, Imm(uint64(i)))
		JLE(LabelRef(name + "_read"))
		switch {
		case m.mask == nil:
			VMOVUPS(at(line, 0), row)
		case v.wide():
			VMOVUPS_Z(at(line, 0), m.mask, row)
		default:
			VMASKMOVPS(at(line, 0), m.mask, row)
		}
		ADDQ(stride, line)
	}
	Label(name + "_read")
	for from := 0; from < v.lanes; from += 4 {
		v.turnFour(square[from : from+4])
	}
	if v.wide() {
		return v.turnQuarters(square)
	}
	columns := make([]reg.VecVirtual, v.lanes)
	for c := range 4 {
		columns[c], columns[4+c] = v.vector(), square[4+c]
		VPERM2F128(Imm(0x20), square[4+c], square[c], columns[c])
		VPERM2F128(Imm(0x31), square[4+c], square[c], columns[4+c])
	}
	return columns
}

// turnFour turns the 4x4 squares that four vectors have in each quarter of 128
// bits: vector c then holds the columns c, 4+c, ... of the four.
func (v isa) turnFour(rows []reg.VecVirtual) {
	pairs := v.vectors(4)
	VUNPCKLPS(rows[1], rows[0], pairs[0])
	VUNPCKHPS(rows[1], rows[0], pairs[1])
	VUNPCKLPS(rows[3], rows[2], pairs[2])
	VUNPCKHPS(rows[3], rows[2], pairs[3])
	VUNPCKLPD(pairs[2], pairs[0], rows[0])
	VUNPCKHPD(pairs[2], pairs[0], rows[1])
	VUNPCKLPD(pairs[3], pairs[1], rows[2])
	VUNPCKHPD(pairs[3], pairs[1], rows[3])
}

// turnQuarters puts together the quarters of 16 vectors that turnFour has left:
// column 4b+c is quarter b of vectors c, 4+c, 8+c and 12+c.
func (v isa) turnQuarters(square []reg.VecVirtual) []reg.VecVirtual {
	columns := make([]reg.VecVirtual, 16)
	for c := range 4 {
		t := []reg.VecVirtual{square[c], square[4+c], square[8+c], square[12+c]}
		even, odd, evenHigh, oddHigh := v.vector(), v.vector(), t[0], t[2]
		VSHUFF32X4(Imm(0x88), t[1], t[0], even)
		VSHUFF32X4(Imm(0xdd), t[1], t[0], odd)
		VSHUFF32X4(Imm(0x88), t[3], t[2], evenHigh)
		VSHUFF32X4(Imm(0xdd), t[3], t[2], oddHigh)
		// evenHigh took the register of t[0], which is free by now, and oddHigh
		// that of t[2], its own operand, read before it is written.
		columns[c], columns[8+c] = t[1], even
		VSHUFF32X4(Imm(0x88), evenHigh, even, columns[c])
		VSHUFF32X4(Imm(0xdd), evenHigh, even, columns[8+c])
		columns[4+c], columns[12+c] = t[3], odd
		VSHUFF32X4(Imm(0x88), oddHigh, odd, columns[4+c])
		VSHUFF32X4(Imm(0xdd), oddHigh, odd, columns[12+c])
	}
	return columns
}

// generateCopyLines copies one vector's width of every line.
func (v isa) generateCopyLines() {
	v.function("copyLines", "func(dst, x *float32, width, step, stride, count, terms int)",
		"is Set.CopyLines for one vector of columns; terms > 0.")
	dst, x, terms := parameter("dst"), parameter("x"), parameter("terms")
	step, stride := parameter("step"), parameter("stride")
	SHLQ(Imm(2), step)
	SHLQ(Imm(2), stride)
	read, write := v.first(parameter("count"), 1)[0], v.first(parameter("width"), 1)[0]
	align(32)
	Label("line")
	write.store(read.load(at(x, 0)), at(dst, 0))
	ADDQ(stride, x)
	ADDQ(step, dst)
	DECQ(terms)
	JNZ(LabelRef("line"))
	leave()
}
