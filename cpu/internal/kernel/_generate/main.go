// Command generate writes the assembly of package kernel and its declarations.
// Run it with go generate there.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func main() {
	ConstraintExpr("!noasm")
	avx2 := isa{"AVX2", 8, map[string]Mem{}}
	avx512 := isa{"AVX512", 16, map[string]Mem{}}
	for _, t := range []tile{
		{isa: avx2, name: "multiply", rows: 6, vectors: 2, unroll: 4, aheadA: 512, aheadB: 1024, farA: 8192},
		{isa: avx2, name: "multiplyNarrow", rows: 6, vectors: 1, unroll: 4, aheadA: 512, aheadB: 1024, farA: 8192},
		{isa: avx512, name: "multiply", rows: 14, vectors: 2, unroll: 8, aheadA: 1024, aheadB: 2048, farA: 8192},
		{isa: avx512, name: "multiplyNarrow", rows: 14, vectors: 1, unroll: 8, aheadA: 1024, aheadB: 2048, farA: 8192},
	} {
		t.generate()
	}
	for _, v := range []isa{avx2, avx512} {
		v.generatePeak()
		v.generateSigmoid()
		v.generateBiasSigmoid()
		v.generateDerivative()
		v.generateDot()
		v.generateScale()
		v.generateAxpby()
		v.generateLaneDots()
		v.generateLaneScale()
		v.generateTranspose()
		v.generateCopyLines()
		v.generateCountBelow()
		v.generateWords()
		v.generateUniform()
		v.generateBernoulli()
	}
	Generate()
}
