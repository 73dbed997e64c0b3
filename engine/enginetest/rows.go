package enginetest

import (
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// sumRounding is the relative error allowed to norms, dot products (relative to
// the sum of the sizes of their terms) and means: what float64, or pairwise or
// many partial float32 sums achieve for rows of thousands, and a single float32
// sum does not.
const sumRounding = 1e-6

func testDevice(s *subject) {
	if s.device.Name() == "" || s.device.Info().Name != s.device.Name() {
		s.Errorf("name is %q, in Info it is %q", s.device.Name(), s.device.Info().Name)
	}
	if info := s.device.Info(); info.Description == "" || info.Workers < 1 || info.Memory < 0 || info.FreeMemory < 0 {
		s.Errorf("info %+v lacks something", info)
	}
	s.must(s.device.Sync())
}

func testMatrix(s *subject) {
	for _, shape := range [][2]int{{0, 0}, {0, 3}, {3, 0}, {1, 1}, {7, 5}, {33, 129}} {
		rows, cols := shape[0], shape[1]
		m, err := s.device.New(rows, cols)
		s.must(err)
		if m.Rows() != rows || m.Cols() != cols {
			s.Errorf("new %dx%d matrix is %dx%d", rows, cols, m.Rows(), m.Cols())
		}
		s.same("a new matrix", s.read(m), make([]float32, rows*cols))
		data := s.normals(rows*cols, 1)
		s.must(m.Write(data))
		s.same("what was written", s.read(m), data)
		s.checkViews(m, data)
		s.must(m.Close())
	}
}

// checkViews checks views, and views of views, of a matrix that holds data.
func (s *subject) checkViews(m engine.Matrix, data []float32) {
	rows, cols := m.Rows(), m.Cols()
	from := s.random.IntN(rows + 1)
	to := from + s.random.IntN(rows-from+1)
	view, err := m.Slice(from, to)
	s.must(err)
	s.same("a view", s.read(view), data[from*cols:to*cols])
	changed := s.normals((to-from)*cols, 1)
	s.must(view.Write(changed))
	data = slices.Clone(data)
	copy(data[from*cols:], changed)
	s.same("what was written through a view", s.read(m), data)
	half, err := view.Slice((to-from)/2, to-from)
	s.must(err)
	s.same("a view of a view", s.read(half), data[(from+(to-from)/2)*cols:to*cols])
	s.must(view.Close())
	s.same("a matrix after its view was closed", s.read(m), data)
}

// operandsFor calls test with an output of its own and with the operand itself
// as dst.
func (s *subject) operandsFor(name string, rows, cols int, x []float32, test func(c *scene, dst, x engine.Matrix)) {
	c := s.scene("%s %dx%d", name, rows, cols)
	test(c, c.output("dst", rows, cols), c.input("x", rows, cols, x))
	c.end()
	c = s.scene("%s %dx%d in place", name, rows, cols)
	both := c.updated("dst and x", rows, cols, x)
	test(c, both, both)
	c.end()
}

// delicate are the numbers at which a sigmoid in float32 goes wrong, if it does:
// zeros, the smallest and largest numbers, and where exp under- or overflows.
func delicate() []float32 {
	x := []float32{0, nan, float32(math.Inf(1)), math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-38, 1e-10, 1e-7, 1e-4,
		0.5, 1, 16, 17, 18, 87, 87.33655, 87.5, 88, 88.02969, 88.37626, 88.5, 88.72283, 88.72284, 88.8, 89, 100, 102, 103, 103.2789, 103.3, 103.97208, 103.98, 104, 105, 127, 128, 150, 200, 1e3, 1e30}
	for _, v := range x {
		x = append(x, -v)
	}
	return x
}

func testSigmoid(s *subject) {
	for _, shape := range [][2]int{{0, 4}, {4, 0}, {1, 1}, {37, 13}, {1, 1000}, {3, 257}} {
		s.checkSigmoid(shape[0], shape[1], s.normals(shape[0]*shape[1], 10))
	}
	x := delicate()
	for range pick(100_000, 10_000) {
		x = append(x, float32(s.random.Float64()*130-110))
		// Any bits at all: as many tiny and huge numbers as usual ones.
		if v := math.Float32frombits(s.random.Uint32()); v == v {
			x = append(x, v)
		}
	}
	s.checkSigmoid(1, len(x), x)
	for _, v := range delicate() {
		s.checkSigmoid(1, 1, []float32{v})
	}
}

func (s *subject) checkSigmoid(rows, cols int, x []float32) {
	s.operandsFor("sigmoid", rows, cols, x, func(c *scene, dst, m engine.Matrix) {
		s.must(s.device.Sigmoid(dst, m))
		want := make([]float64, len(x))
		for i, v := range x {
			want[i] = sigmoid(float64(v))
		}
		s.near("sigmoid, 2 ulp", c.name, s.read(dst), want, func(i int) float64 { return 2 * ulp(want[i]) })
	})
}

func testAxpby(s *subject) {
	for range pick(300, 60) {
		rows, cols, alpha, beta := s.size(), s.size(), s.factor(), s.factor()
		x, before := s.normals(rows*cols, 1), s.normals(rows*cols, 1)
		c := s.scene("axpby %dx%d alpha=%g beta=%g", rows, cols, alpha, beta)
		dst := c.updated("dst", rows, cols, before)
		if beta == 0 {
			dst = c.output("dst", rows, cols)
		}
		s.must(s.device.Axpby(dst, alpha, c.input("x", rows, cols, x), beta))
		s.checkAxpby(c.name, s.read(dst), alpha, x, beta, before)
		c.end()

		c = s.scene("axpby in place %dx%d alpha=%g beta=%g", rows, cols, alpha, beta)
		both := c.updated("dst and x", rows, cols, x)
		s.must(s.device.Axpby(both, alpha, both, beta))
		s.checkAxpby(c.name, s.read(both), alpha, x, beta, x)
		c.end()
	}
}

func (s *subject) checkAxpby(where string, got []float32, alpha float32, x []float32, beta float32, before []float32) {
	want, size := make([]float64, len(x)), make([]float64, len(x))
	for i := range x {
		a, b := float64(alpha)*float64(x[i]), float64(beta)*float64(before[i])
		want[i], size[i] = a+b, math.Abs(a)+math.Abs(b)
	}
	// One rounding for the product and one for the sum, with a fused
	// multiply-add or without.
	s.near("axpby", where, got, want, func(i int) float64 { return 2*half*size[i] + ulp(0) })
}

func testGather(s *subject) {
	for range pick(100, 30) {
		from, to, cols := 1+s.size(), s.size(), s.size()
		src, rows := s.normals(from*cols, 1), make([]int, to)
		for i := range rows {
			rows[i] = s.random.IntN(from)
		}
		c := s.scene("gather %d of %dx%d", to, from, cols)
		dst := c.output("dst", to, cols)
		s.must(s.device.Gather(dst, c.input("src", from, cols, src), rows))
		s.same(c.name, s.read(dst), rowsOf(src, cols, rows))
		c.end()
	}
}

func rowNorms(x []float32, rows, cols int) []float64 {
	norms := make([]float64, rows)
	for i := range norms {
		norms[i] = norm(doubles(x[i*cols : (i+1)*cols]))
	}
	return norms
}

func testReduce(s *subject) {
	for range pick(100, 30) {
		for _, kind := range []engine.ReductionKind{engine.RowNorms, engine.RowDots, engine.ColumnMeans} {
			rows, cols := s.size(), s.size()
			if s.random.IntN(8) == 0 {
				rows, cols = 1+s.random.IntN(9), 2000+s.random.IntN(3000)
			}
			s.checkReduce(kind, rows, cols, math.Pow(10, float64(s.random.IntN(21)-10)))
		}
	}
	// Of no rows there is no mean.
	s.checkReduce(engine.ColumnMeans, 0, 5, 1)
}

// checkReduce checks one reduction of numbers of a scale.
func (s *subject) checkReduce(kind engine.ReductionKind, rows, cols int, scale float64) {
	x, with := s.normals(rows*cols, scale), s.normals(rows*cols, 1)
	r := engine.Reduction{Kind: kind, Alpha: s.factor(), Beta: s.factor()}
	c := s.scene("reduction %d of %dx%d alpha=%g beta=%g", kind, rows, cols, r.Alpha, r.Beta)
	want, size := reduction(kind, x, with, rows, cols)
	m := c.input("x", rows, cols, x)
	if kind == engine.RowDots {
		r.With = c.input("with", rows, cols, with)
	}
	height, width := rows, 1
	if kind == engine.ColumnMeans {
		height, width = 1, cols
	}
	before := s.normals(height*width, scale)
	dst := c.output("dst", height, width)
	if r.Beta != 0 {
		dst = c.updated("dst", height, width, before)
	}
	for i := range want {
		want[i] *= float64(r.Alpha)
		size[i] *= math.Abs(float64(r.Alpha))
		if r.Beta != 0 {
			want[i] += float64(r.Beta) * float64(before[i])
			size[i] += math.Abs(float64(r.Beta) * float64(before[i]))
		}
	}
	s.must(s.device.Reduce(dst, m, r))
	s.near("reduction", c.name, s.read(dst), want, func(i int) float64 { return sumRounding*size[i] + ulp(0) })
	c.end()
}

// reduction returns the reference of a plain reduction, and for each result the
// sum of the sizes of its terms.
func reduction(kind engine.ReductionKind, x, with []float32, rows, cols int) (want, size []float64) {
	switch kind {
	case engine.RowNorms:
		want = rowNorms(x, rows, cols)
		return want, slices.Clone(want)
	case engine.RowDots:
		want, size = make([]float64, rows), make([]float64, rows)
		for i := range x {
			term := float64(x[i]) * float64(with[i])
			want[i/cols] += term
			size[i/cols] += math.Abs(term)
		}
		return want, size
	default:
		want, size = make([]float64, cols), make([]float64, cols)
		for i, v := range x {
			want[i%cols] += float64(v)
			size[i%cols] += math.Abs(float64(v))
		}
		for j := range want {
			want[j] /= float64(rows)
			size[j] /= float64(rows)
		}
		return want, size
	}
}

func testProject(s *subject) {
	for range pick(100, 30) {
		rows, cols := s.size(), s.size()
		radius := float32(math.Exp(s.random.NormFloat64() * 3))
		x := s.normals(rows*cols, math.Pow(10, float64(s.random.IntN(21)-10)))
		if rows > 2 && cols > 0 {
			clear(x[cols : 2*cols])
			x[2*cols+s.random.IntN(cols)] = nan
		}
		c := s.scene("project %dx%d to %g", rows, cols, radius)
		m := c.updated("x", rows, cols, x)
		s.must(s.device.Project(m, radius))
		want := make([]float64, len(x))
		norms := rowNorms(x, rows, cols)
		for i, v := range x {
			if want[i] = float64(v); norms[i/cols] != 0 {
				want[i] *= float64(radius) / norms[i/cols]
			}
		}
		got := s.read(m)
		// The norm's own error and two roundings.
		s.near("projection", c.name, got, want, func(i int) float64 { return (sumRounding+2*half)*math.Abs(want[i]) + ulp(0) })
		s.checkOnSphere(c.name, got, rows, cols, norms, radius)
		c.end()
	}
}

// checkOnSphere checks that rows which had a direction lie on the sphere.
func (s *subject) checkOnSphere(where string, x []float32, rows, cols int, before []float64, radius float32) {
	after := rowNorms(x, rows, cols)
	var got []float32
	var want []float64
	for i := range after {
		if before[i] > 0 {
			got, want = append(got, float32(after[i])), append(want, float64(radius))
		}
	}
	s.near("on the sphere", where, got, want, func(int) float64 { return 1e-6 * float64(radius) })
}
