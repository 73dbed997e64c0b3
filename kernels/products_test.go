package kernels_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/kernels"
)

// product is a launch of a product.
type product struct {
	m, n, k             int
	transA, transB      bool
	alpha, beta         float32
	epilogue            engine.EpilogueKind
	noBias, probability bool
	held                bool // some rows have a state that is held
}

func (p product) String() string {
	return fmt.Sprintf("m=%d n=%d k=%d transA=%t transB=%t alpha=%g beta=%g epilogue=%d", p.m, p.n, p.k, p.transA, p.transB, p.alpha, p.beta, p.epilogue)
}

// operands are the arguments of a product's launch, and what it gave.
type operands struct {
	aRows, aCols, bRows, bCols int
	a, b, bias, hidden         []float32
	dst, before, probability   []float32
	norms                      []float32
	held                       []int32
	at                         engine.Stream
}

// pad is what rows are longer in memory than the matrices have columns.
const pad = 3

// place copies rows into longer rows, with NaN in between.
func place(x []float32, rows, cols int) []float32 {
	out := make([]float32, max(1, rows*(cols+pad)))
	for i := range out {
		out[i] = float32(math.NaN())
	}
	for i := range rows {
		copy(out[i*(cols+pad):], x[i*cols:(i+1)*cols])
	}
	return out
}

// taken is the opposite of place.
func taken(x []float32, rows, cols int) []float32 {
	var out []float32
	for i := range rows {
		out = append(out, x[i*(cols+pad):i*(cols+pad)+cols]...)
	}
	return out
}

func (b *bench) operands(p product) *operands {
	o := &operands{aRows: p.m, aCols: p.k, bRows: p.k, bCols: p.n, at: b.stream(p.m)}
	if p.transA {
		o.aRows, o.aCols = o.aCols, o.aRows
	}
	if p.transB {
		o.bRows, o.bCols = o.bCols, o.bRows
	}
	o.a, o.b, o.bias, o.before = b.normals(p.m*p.k), b.normals(p.k*p.n), b.normals(p.n), b.normals(p.m*p.n)
	for range p.m * p.n {
		o.hidden = append(o.hidden, b.random.Float32())
	}
	for range p.m {
		o.held = append(o.held, int32(b.random.IntN(p.n+1)-1))
	}
	return o
}

// multiply launches a product, with rows that are longer than the matrices.
func (b *bench) multiply(p product, o *operands) {
	b.Helper()
	transpose := map[bool]string{false: "n", true: "t"}
	dst := place(o.before, p.m, p.n)
	var bias, hidden, probability, held, squares any
	if !p.noBias {
		bias = o.bias
	}
	chances := place(o.before, p.m, p.n)
	sums := make([]float64, p.m*int(kernels.ColumnTiles(int64(p.n))))
	switch p.epilogue {
	case engine.EpilogueBernoulli, kernels.EpilogueGaussian:
		if p.probability {
			probability = chances
		}
		if p.held {
			held = o.held
		}
	case engine.EpilogueDerivative:
		hidden = place(o.hidden, p.m, p.n)
	case engine.EpilogueNorms:
		squares = sums
	}
	b.launch("gemm_"+transpose[p.transA]+transpose[p.transB], kernels.ProductBlocks(int64(p.m), int64(p.n)), drawn(o.at,
		dst, int64(p.n+pad), place(o.a, o.aRows, o.aCols), int64(o.aCols+pad), place(o.b, o.bRows, o.bCols), int64(o.bCols+pad),
		int32(p.m), int32(p.n), int32(p.k), p.alpha, p.beta, int32(p.epilogue),
		bias, hidden, int64(p.n+pad), probability, int64(p.n+pad), held, squares)...)
	for i := range p.m {
		for j := range pad {
			if v := dst[i*(p.n+pad)+p.n+j]; v == v {
				b.Errorf("%v: row %d was written beyond its end", p, i)
				return
			}
		}
	}
	o.dst, o.probability = taken(dst, p.m, p.n), taken(chances, p.m, p.n)
	if p.epilogue == engine.EpilogueNorms {
		o.norms = make([]float32, p.m)
		b.launch("finish_norms", kernels.Blocks(int64(p.m)), o.norms, sums, int32(p.m), int32(kernels.ColumnTiles(int64(p.n))))
	}
}

// sum is the reference of element (i, j) before the epilogue, and the sum of the
// sizes of its terms.
func (o *operands) sum(p product, i, j int) (sum, size float64) {
	for k := range p.k {
		x, y := i*p.k+k, k*p.n+j
		if p.transA {
			x = k*p.m + i
		}
		if p.transB {
			y = j*p.k + k
		}
		term := float64(o.a[x]) * float64(o.b[y])
		sum, size = sum+term, size+math.Abs(term)
	}
	sum, size = float64(p.alpha)*sum, math.Abs(float64(p.alpha))*size
	if p.beta != 0 {
		term := float64(p.beta) * float64(o.before[i*p.n+j])
		sum, size = sum+term, size+math.Abs(term)
	}
	if !p.noBias {
		sum, size = sum+float64(o.bias[j]), size+math.Abs(float64(o.bias[j]))
	}
	return sum, size
}

func TestProducts(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][3]int{{1, 1, 1}, {1, 1, 0}, {1, 130, 15}, {130, 1, 16}, {63, 64, 17}, {65, 65, 33}, {7, 127, 100}} {
		for combination := range 4 {
			for kind := engine.EpilogueNone; kind <= kernels.EpilogueGaussian; kind++ {
				p := product{m: shape[0], n: shape[1], k: shape[2], transA: combination&1 != 0, transB: combination&2 != 0, alpha: 1, epilogue: kind}
				if b.random.IntN(2) == 0 {
					p.alpha, p.beta = -0.75, 0.5
				}
				p.noBias, p.probability = b.random.IntN(4) == 0, b.random.IntN(2) == 0
				p.held = kind == engine.EpilogueBernoulli && b.random.IntN(2) == 0
				o := b.operands(p)
				b.multiply(p, o)
				b.checkProduct(p, o)
			}
		}
	}
}

func (b *bench) checkProduct(p product, o *operands) {
	b.Helper()
	want, bound := make([]float64, p.m*p.n), make([]float64, p.m*p.n)
	for i := range want {
		sum, size := o.sum(p, i/p.n, i%p.n)
		want[i], bound[i] = sum, float64(p.k+4)*half*size
	}
	tolerance := func(i int) float64 { return bound[i] }
	// The sigmoid's slope is at most 1/4, and its own error 2 units.
	chance := func(i int) float64 { return logistic(want[i]) }
	chanceTolerance := func(i int) float64 { return bound[i]/4 + 2*ulp(chance(i)) }
	switch p.epilogue {
	case engine.EpilogueSigmoid:
		b.near(p.String(), o.dst, chance, chanceTolerance)
	case engine.EpilogueDerivative:
		slope := func(i int) float64 { h := float64(o.hidden[i]); return h * (1 - h) }
		b.near(p.String(), o.dst, func(i int) float64 { return want[i] * slope(i) },
			func(i int) float64 { return slope(i)*bound[i] + 4*half*math.Abs(want[i]*slope(i)) + ulp(0) })
	case engine.EpilogueBernoulli:
		if p.probability {
			b.near(p.String(), o.probability, chance, chanceTolerance)
		}
		b.checkStates(p, o, chance, chanceTolerance)
	case kernels.EpilogueGaussian:
		if p.probability {
			b.near(p.String(), o.probability, func(i int) float64 { return want[i] }, tolerance)
		}
		noise := func(i int) float64 { return float64(o.at.Normal(i/p.n, i%p.n)) }
		b.near(p.String(), o.dst, func(i int) float64 { return want[i] + noise(i) },
			func(i int) float64 { return bound[i] + 2*half*(math.Abs(want[i])+math.Abs(noise(i))) })
	default:
		b.near(p.String(), o.dst, func(i int) float64 { return want[i] }, tolerance)
	}
	if p.epilogue == engine.EpilogueNorms {
		norm := func(i int) (sum float64) {
			for _, v := range o.dst[i*p.n : (i+1)*p.n] {
				sum += float64(v) * float64(v)
			}
			return math.Sqrt(sum)
		}
		b.near(p.String(), o.norms, norm, func(i int) float64 { return ulp(norm(i)) })
	}
}

// checkStates checks states against the probabilities that the product reports, or
// where it does not against the reference's, if those are clear.
func (b *bench) checkStates(p product, o *operands, chance, tolerance func(int) float64) {
	b.Helper()
	for i, state := range o.dst {
		u, threshold, slack := float64(o.at.Uniform(i/p.n, i%p.n)), chance(i), tolerance(i)
		if p.probability {
			threshold, slack = float64(o.probability[i]), 0
		}
		want := float32(0)
		if u < threshold {
			want = 1
		}
		if p.held && int(o.held[i/p.n]) == i%p.n {
			want, slack = 1, 0
		}
		if state != want && !(math.Abs(u-threshold) < slack) {
			b.Errorf("%v: state %d is %g with probability %g and uniform number %g", p, i, state, threshold, u)
			return
		}
	}
}

// TestProductInvariance checks that a row has the same bits alone and in a batch,
// and that it does not matter how factors lie in memory.
func TestProductInvariance(t *testing.T) {
	b := newBench(t)
	all := product{m: 150, n: 70, k: 45, alpha: 1, epilogue: engine.EpilogueNorms}
	o := b.operands(all)
	b.multiply(all, o)
	for _, row := range []int{0, 63, 64, 149} {
		one := all
		one.m = 1
		alone := *o
		alone.aRows, alone.a, alone.before = 1, o.a[row*all.k:(row+1)*all.k], o.before[:all.n]
		b.multiply(one, &alone)
		b.same("a row alone", alone.dst, o.dst[row*all.n:(row+1)*all.n])
		b.same("its norm", alone.norms, o.norms[row:row+1])
	}
	turned := all
	turned.transA, turned.transB = true, true
	other := *o
	other.a, other.b = transposed(o.a, all.m, all.k), transposed(o.b, all.k, all.n)
	other.aRows, other.aCols, other.bRows, other.bCols = all.k, all.m, all.n, all.k
	b.multiply(turned, &other)
	b.same("transposed factors", other.dst, o.dst)
}

func transposed(x []float32, rows, cols int) []float32 {
	out := make([]float32, len(x))
	for i := range rows {
		for j := range cols {
			out[j*rows+i] = x[i*cols+j]
		}
	}
	return out
}
