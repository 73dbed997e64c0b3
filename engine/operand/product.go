package operand

import (
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/internal/shape"
)

// Product is the operands of a product, with those of its epilogue.
type Product[M Own] struct{ Dst, A, B, Bias, Hidden, Probability, Norms M }

// Gemm checks and takes the operands of a product. What is written shares no memory
// with anything else.
func Gemm[M Own](d engine.Device, dst, a, b engine.Matrix, p engine.Product) (o Product[M], err error) {
	if err := checkGemm(dst, a, b, p); err != nil {
		return o, err
	}
	s, e := Set[M]{Device: d, Operation: "gemm"}, p.Epilogue
	o = Product[M]{Dst: s.Take("dst", dst), A: s.Take("a", a), B: s.Take("b", b), Bias: s.Take("bias", e.Bias)}
	switch e.Kind {
	case engine.EpilogueDerivative:
		o.Hidden = s.Take("hidden", e.Hidden)
	case engine.EpilogueBernoulli:
		o.Probability = s.Take("probability", e.Probability)
	case engine.EpilogueNorms:
		o.Norms = s.Take("norms", e.Norms)
	}
	written := [...]M{o.Dst, o.Probability, o.Norms}
	for i, name := range [...]string{"dst", "probability", "norms"} {
		s.Apart(name, written[i], "a", o.A)
		s.Apart(name, written[i], "b", o.B)
		s.Apart(name, written[i], "bias", o.Bias)
		s.Apart(name, written[i], "hidden", o.Hidden)
		if i > 0 {
			s.Apart(name, written[i], "dst", o.Dst)
		}
	}
	return o, s.Err
}

// checkGemm checks a product and its epilogue.
func checkGemm(dst, a, b engine.Matrix, p engine.Product) error {
	if err := shape.Present("gemm", shape.Of("dst", dst), shape.Of("a", a), shape.Of("b", b)); err != nil {
		return err
	}
	m, k := a.Rows(), a.Cols()
	if p.TransA {
		m, k = k, m
	}
	kb, n := b.Rows(), b.Cols()
	if p.TransB {
		kb, n = n, kb
	}
	transposed := func(t bool) string {
		if t {
			return " transposed"
		}
		return ""
	}
	if k != kb {
		return fmt.Errorf("gemm: a is %s%s, b is %s%s", shape.String(a), transposed(p.TransA), shape.String(b), transposed(p.TransB))
	}
	if dst.Rows() != m || dst.Cols() != n {
		return fmt.Errorf("gemm: dst is %s, the product of a %s%s and b %s%s is %dx%d", shape.String(dst), shape.String(a), transposed(p.TransA), shape.String(b), transposed(p.TransB), m, n)
	}
	if dst == a || dst == b {
		return fmt.Errorf("gemm: dst is also an operand")
	}
	return checkEpilogue(p.Epilogue, dst)
}

func checkEpilogue(e engine.Epilogue, dst engine.Matrix) error {
	m, n := dst.Rows(), dst.Cols()
	if e.Bias != nil {
		if err := shape.Want("gemm", shape.Of("bias", e.Bias), 1, n); err != nil {
			return err
		}
	}
	switch e.Kind {
	case engine.EpilogueNone, engine.EpilogueSigmoid:
	case engine.EpilogueBernoulli:
		if e.Probability != nil {
			if err := shape.Want("gemm", shape.Of("probability", e.Probability), m, n); err != nil {
				return err
			}
			if e.Probability == dst {
				return fmt.Errorf("gemm: probability is also dst")
			}
		}
		return checkStream("gemm", dst, e.At)
	case engine.EpilogueDerivative:
		if err := shape.Present("gemm", shape.Of("hidden", e.Hidden)); err != nil {
			return err
		}
		return shape.Want("gemm", shape.Of("hidden", e.Hidden), m, n)
	case engine.EpilogueNorms:
		if err := shape.Present("gemm", shape.Of("norms", e.Norms)); err != nil {
			return err
		}
		return shape.Want("gemm", shape.Of("norms", e.Norms), m, 1)
	default:
		return fmt.Errorf("gemm: unknown epilogue %d", e.Kind)
	}
	return nil
}
