package enginetest

import (
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// factors are the numbers of a product under test, op(a) [m, k], op(b) [k, n].
type factors struct {
	m, n, k int
	a, b    []float32 // as they are before op: transposed if the product says so
	product engine.Product
}

// newFactors returns random factors with either transposed or not.
func (s *subject) newFactors(m, n, k int) factors {
	f := factors{m: m, n: n, k: k, a: s.normals(m*k, 1), b: s.normals(k*n, 1)}
	f.product = engine.Multiply(s.random.IntN(2) == 1, s.random.IntN(2) == 1)
	return f
}

// operands places both factors.
func (f factors) operands(c *scene) (a, b engine.Matrix) {
	rows, cols := f.m, f.k
	if f.product.TransA {
		rows, cols = cols, rows
	}
	a = c.input("a", rows, cols, f.a)
	rows, cols = f.k, f.n
	if f.product.TransB {
		rows, cols = cols, rows
	}
	return a, c.input("b", rows, cols, f.b)
}

func (f factors) String() string {
	return fmt.Sprintf("m=%d n=%d k=%d transA=%t transB=%t alpha=%g beta=%g", f.m, f.n, f.k, f.product.TransA, f.product.TransB, f.product.Alpha, f.product.Beta)
}

// reference returns the product of the factors without alpha and beta, and for
// each element the sum of the sizes of its terms.
func (f factors) reference() (sum, size []float64) {
	a, b := doubles(f.a), doubles(f.b)
	if f.product.TransA {
		a = doubles(transposed(f.a, f.k, f.m))
	}
	if f.product.TransB {
		b = doubles(transposed(f.b, f.n, f.k))
	}
	sum, size = make([]float64, f.m*f.n), make([]float64, f.m*f.n)
	for i := range f.m {
		for p := range f.k {
			v := a[i*f.k+p]
			for j, w := range b[p*f.n : (p+1)*f.n] {
				sum[i*f.n+j] += v * w
				size[i*f.n+j] += math.Abs(v * w)
			}
		}
	}
	return sum, size
}

// shapes returns the shapes [m, n, k] that products are tested in.
func (s *subject) shapes() [][3]int {
	shapes := [][3]int{
		{0, 0, 0}, {0, 5, 3}, {5, 0, 3}, {1, 1, 1}, {1, 1, 300}, {1, 300, 7}, {300, 1, 7},
		{17, 33, 255}, {17, 33, 256}, {17, 33, 257}, {96, 256, 9}, {97, 257, 9}, {101, 251, 31}, {13, 31, 513}, {5, 3, 0},
	}
	if !small() {
		shapes = append(shapes, [3]int{331, 317, 293}, [3]int{200, 784, 100}, [3]int{3, 5, 4099})
	}
	for range pick(40, 12) {
		shapes = append(shapes, [3]int{s.size(), s.size(), s.size()})
	}
	return shapes
}

func testGemm(s *subject) {
	for _, shape := range s.shapes() {
		for transposes := range 4 {
			f := s.newFactors(shape[0], shape[1], shape[2])
			f.product.TransA, f.product.TransB = transposes&1 != 0, transposes&2 != 0
			c := s.scene("%v", f)
			a, b := f.operands(c)
			dst := c.output("dst", f.m, f.n)
			s.must(s.device.Gemm(dst, a, b, f.product))
			got := s.read(dst)
			c.end()
			s.checkProduct(f, got)
		}
	}
}

// checkProduct checks a plain product as a whole, by the size of the error
// relative to those of the factors, and element by element.
func (s *subject) checkProduct(f factors, got []float32) {
	s.Helper()
	want, size := f.reference()
	s.near("product, element", f.String(), got, want, func(i int) float64 { return rounding(f.k) * size[i] })
	difference := make([]float64, len(want))
	for i := range want {
		difference[i] = float64(got[i]) - want[i]
	}
	a, b := norm(doubles(f.a)), norm(doubles(f.b))
	if a*b == 0 {
		return
	}
	// What is logged of every precision is in this measure. Errors of a sum of k
	// roundings add up like a random walk, and are far below their bound.
	s.near("product, as a whole", f.String(), []float32{float32(norm(difference) / (a * b))}, []float64{0}, func(int) float64 { return 1e-6 })
}

// rounding bounds the relative error of a sum of k products plus a few more
// operations, in any order (Higham, "Accuracy and Stability of Numerical
// Algorithms", section 3.1): (k+4) half units in the last place.
func rounding(k int) float64 { return float64(k+4) * half }

var epilogues = []engine.EpilogueKind{
	engine.EpilogueNone, engine.EpilogueSigmoid, engine.EpilogueBernoulli, engine.EpilogueDerivative, engine.EpilogueNorms,
}

func testEpilogues(s *subject) {
	for _, shape := range s.shapes() {
		for _, kind := range epilogues {
			f := s.newFactors(shape[0], shape[1], shape[2])
			f.product.Alpha, f.product.Beta = s.factor(), s.factor()
			f.product.Epilogue.Kind = kind
			s.checkEpilogue(f, s.random.IntN(4) > 0, s.random.IntN(2) == 0)
		}
	}
}

// checkEpilogue checks a product with everything that happens to it on the way out.
func (s *subject) checkEpilogue(f factors, withBias, withProbability bool) {
	c := s.scene("%v epilogue=%d", f, f.product.Epilogue.Kind)
	a, b := f.operands(c)
	e := &f.product.Epilogue
	y, size := f.reference()
	for i := range y {
		y[i], size[i] = float64(f.product.Alpha)*y[i], math.Abs(float64(f.product.Alpha))*size[i]
	}
	var dst engine.Matrix
	if f.product.Beta == 0 {
		dst = c.output("dst", f.m, f.n)
	} else {
		before := s.normals(f.m*f.n, 1)
		dst = c.updated("dst", f.m, f.n, before)
		for i, v := range before {
			y[i] += float64(f.product.Beta) * float64(v)
			size[i] += math.Abs(float64(f.product.Beta) * float64(v))
		}
	}
	if withBias {
		bias := s.normals(f.n, 1)
		e.Bias = c.input("bias", 1, f.n, bias)
		for i := range y {
			y[i] += float64(bias[i%f.n])
			size[i] += math.Abs(float64(bias[i%f.n]))
		}
	}
	hidden := s.uniforms(f.m * f.n)
	switch e.Kind {
	case engine.EpilogueBernoulli:
		e.At = s.stream(f.m)
		if withProbability {
			e.Probability = c.output("probability", f.m, f.n)
		}
	case engine.EpilogueDerivative:
		e.Hidden = c.input("hidden", f.m, f.n, hidden)
	case engine.EpilogueNorms:
		e.Norms = c.output("norms", f.m, 1)
	}
	s.must(s.device.Gemm(dst, a, b, f.product))
	s.checkEpilogueResult(c.name, f, dst, y, size, hidden)
	c.end()
}

// checkEpilogueResult checks what a product has written: y is its reference
// before the epilogue, size the sum of the sizes of each element's terms.
func (s *subject) checkEpilogueResult(where string, f factors, dst engine.Matrix, y, size []float64, hidden []float32) {
	got := s.read(dst)
	bound := func(i int) float64 { return rounding(f.k) * size[i] }
	p := make([]float64, len(y))
	for i := range y {
		p[i] = sigmoid(y[i])
	}
	// The sigmoid's slope is p (1-p), and within d of y at most exp(d) times that.
	sigmoidBound := func(i int) float64 { return p[i]*(1-p[i])*math.Exp(bound(i))*bound(i) + 2*ulp(p[i]) }
	e := f.product.Epilogue
	switch e.Kind {
	case engine.EpilogueNone:
		s.near("product", where, got, y, bound)
	case engine.EpilogueSigmoid:
		s.near("sigmoid of a product", where, got, p, sigmoidBound)
	case engine.EpilogueDerivative:
		want := make([]float64, len(y))
		for i, h := range hidden {
			want[i] = y[i] * float64(h) * (1 - float64(h))
		}
		s.near("derivative", where, got, want, func(i int) float64 {
			h := float64(hidden[i])
			return h*(1-h)*bound(i) + 4*half*math.Abs(want[i]) + ulp(0)
		})
	case engine.EpilogueBernoulli:
		s.checkStates(where, f, got, p, sigmoidBound)
	case engine.EpilogueNorms:
		s.near("product with norms", where, got, y, bound)
		norms := rowNorms(got, f.m, f.n)
		s.near("norms", where, s.read(e.Norms), norms, func(i int) float64 { return sumRounding * norms[i] })
	}
}

// checkStates checks states drawn with probabilities p: by the probabilities
// that the product itself reports where it does, else by the reference's where
// those are clear.
func (s *subject) checkStates(where string, f factors, got []float32, p []float64, bound func(i int) float64) {
	e := f.product.Epilogue
	var reported []float32
	if e.Probability != nil {
		reported = s.read(e.Probability)
		s.near("probability of a product", where, reported, p, bound)
	}
	for i, state := range got {
		u := float64(e.At.Uniform(i/f.n, i%f.n))
		threshold, slack := p[i], bound(i)
		if reported != nil {
			threshold, slack = float64(reported[i]), 0
		}
		want := float32(0)
		if u < threshold {
			want = 1
		}
		if state != 0 && state != 1 || state != want && math.Abs(u-threshold) >= slack {
			s.Errorf("%s: state %d is %g: probability %g, uniform number %g", where, i, state, threshold, u)
			return
		}
	}
}

// testGemmNotFinite checks that NaN and Inf travel, and no further than they should.
func testGemmNotFinite(s *subject) {
	infinity := float32(math.Inf(1))
	for _, special := range []float32{nan, infinity, -infinity} {
		for range pick(40, 8) {
			f := s.newFactors(1+s.size(), 1+s.size(), 1+s.size())
			// Zeros in op(b) meet the special number: 0 * NaN is NaN, and so is 0 * Inf.
			for i := range f.b {
				if s.random.IntN(3) == 0 {
					f.b[i] = 0
				}
			}
			for range 1 + s.random.IntN(3) {
				f.a[s.random.IntN(len(f.a))] = special
			}
			f.product.Epilogue.Kind = []engine.EpilogueKind{engine.EpilogueNone, engine.EpilogueSigmoid, engine.EpilogueDerivative}[s.random.IntN(3)]
			s.checkEpilogue(f, true, false)
			f.product.Epilogue.Kind = engine.EpilogueBernoulli
			s.checkStatesOfNaN(f)
		}
	}
}

// checkStatesOfNaN checks that a state is NaN exactly where its probability is.
func (s *subject) checkStatesOfNaN(f factors) {
	c := s.scene("%v with NaN", f)
	a, b := f.operands(c)
	dst, probability := c.output("dst", f.m, f.n), c.output("probability", f.m, f.n)
	f.product.Epilogue.At, f.product.Epilogue.Probability = s.stream(f.m), probability
	s.must(s.device.Gemm(dst, a, b, f.product))
	sum, _ := f.reference()
	states, p := s.read(dst), s.read(probability)
	for i := range states {
		if math.IsNaN(sum[i]) != (p[i] != p[i]) || (p[i] != p[i]) != (states[i] != states[i]) {
			s.Errorf("%s: element %d of the product is %g, its probability %g, its state %g", c.name, i, sum[i], p[i], states[i])
			break
		}
	}
	c.end()
}
