package enginetest

import (
	"cmp"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// randomShapes are the shapes in which random numbers are compared: they come in
// fours.
func (s *subject) randomShapes() [][2]int {
	shapes := [][2]int{{0, 3}, {3, 0}, {1, 1}, {2, 2}, {3, 3}, {3, 4}, {3, 5}, {2, 1027}}
	for range pick(20, 6) {
		shapes = append(shapes, [2]int{s.size(), s.size()})
	}
	return shapes
}

func testUniform(s *subject) {
	for _, shape := range s.randomShapes() {
		rows, cols, at := shape[0], shape[1], s.stream(shape[0])
		c := s.scene("uniform %dx%d", rows, cols)
		dst := c.output("dst", rows, cols)
		s.must(s.device.Uniform(dst, at))
		want := make([]float32, rows*cols)
		for i := range want {
			want[i] = at.Uniform(i/cols, i%cols)
		}
		s.same(c.name, s.read(dst), want)
		c.end()
	}
}

func testBernoulli(s *subject) {
	for _, shape := range s.randomShapes() {
		rows, cols, at := shape[0], shape[1], s.stream(shape[0])
		p, want := s.uniforms(rows*cols), make([]float32, rows*cols)
		for i := range p {
			u := at.Uniform(i/cols, i%cols)
			switch s.random.IntN(8) {
			case 0:
				p[i] = u
			case 1:
				p[i] = math.Nextafter32(u, 1)
			case 2:
				p[i] = []float32{0, 1, nan, -1, 2, float32(math.Inf(1))}[s.random.IntN(6)]
			}
			switch {
			case p[i] != p[i]:
				want[i] = nan
			case u < p[i]:
				want[i] = 1
			}
		}
		s.operandsFor("bernoulli", rows, cols, p, func(c *scene, dst, m engine.Matrix) {
			s.must(s.device.Bernoulli(dst, m, at))
			s.same(c.name, s.read(dst), want)
		})
	}
}

func testGaussian(s *subject) {
	for _, shape := range s.randomShapes() {
		rows, cols, at := shape[0], shape[1], s.stream(shape[0])
		mean, deviation := s.normals(rows*cols, 1), s.factor()
		s.operandsFor("gaussian", rows, cols, mean, func(c *scene, dst, m engine.Matrix) {
			s.must(s.device.Gaussian(dst, m, deviation, at))
			s.checkNoise(c.name, s.read(dst), mean, deviation, at, cols)
		})
	}
}

// checkNoise checks mean + deviation * normal.
func (s *subject) checkNoise(where string, got, mean []float32, deviation float32, at engine.Stream, cols int) {
	want, size := make([]float64, len(mean)), make([]float64, len(mean))
	for i, v := range mean {
		noise := float64(deviation) * float64(at.Normal(i/cols, i%cols))
		want[i], size[i] = float64(v)+noise, math.Abs(float64(v))+2*math.Abs(noise)
	}
	// The normal number is rounded once, from a logarithm, a root and a sine
	// that may differ in the last place of float64; then product and sum are.
	s.near("noise", where, got, want, func(i int) float64 { return 2*half*size[i] + ulp(0) })
}

func testCorrupt(s *subject) {
	for _, shape := range s.randomShapes() {
		rows, cols := shape[0], shape[1]
		for _, level := range []float32{0, 0.25, 1, s.random.Float32(), 0.5} {
			for _, kind := range []engine.CorruptionKind{engine.CorruptionMask, engine.CorruptionSaltPepper, engine.CorruptionGaussian} {
				s.checkCorrupt(rows, cols, engine.Corruption{Kind: kind, Level: level, Low: -s.random.Float32(), High: 1 + s.random.Float32()})
			}
		}
	}
}

func (s *subject) checkCorrupt(rows, cols int, corruption engine.Corruption) {
	x, at := s.normals(rows*cols, 1), s.stream(rows)
	s.operandsFor("corrupt", rows, cols, x, func(c *scene, dst, m engine.Matrix) {
		s.must(s.device.Corrupt(dst, m, corruption, at))
		got := s.read(dst)
		if corruption.Kind == engine.CorruptionGaussian {
			s.checkNoise(c.name, got, x, corruption.Level, at, cols)
			return
		}
		s.same(c.name, got, corrupted(x, cols, corruption, at))
	})
	if corruption.Kind == engine.CorruptionMask && cols > 0 {
		s.checkSubset(rows, cols, corruption, at)
	}
}

// testCorruptTies checks the rule for equal draws. Among 2^17 draws of 31 bits
// some four are equal to another; the subset is made to end between them.
func testCorruptTies(s *subject) {
	const cols = 1 << 17
	for {
		x, at := s.normals(cols, 1), s.stream(1)
		draws := make([]uint32, cols)
		for j := range draws {
			draws[j] = at.Bits(0, j) >> 1
		}
		slices.Sort(draws)
		for picked := 1; picked < cols; picked++ {
			if draws[picked-1] != draws[picked] {
				continue
			}
			corruption := engine.Corruption{Level: float32(picked) / cols}
			c := s.scene("corruption that ends between equal draws")
			dst := c.output("dst", 1, cols)
			s.must(s.device.Corrupt(dst, c.input("x", 1, cols, x), corruption, at))
			s.same(c.name, s.read(dst), corrupted(x, cols, corruption, at))
			c.end()
			return
		}
	}
}

// checkSubset counts the zeros that masking leaves in rows of ones.
func (s *subject) checkSubset(rows, cols int, corruption engine.Corruption, at engine.Stream) {
	ones := make([]float32, rows*cols)
	for i := range ones {
		ones[i] = 1
	}
	c := s.scene("masking %dx%d at %g", rows, cols, corruption.Level)
	dst := c.output("dst", rows, cols)
	s.must(s.device.Corrupt(dst, c.input("x", rows, cols, ones), corruption, at))
	got, want := s.read(dst), math.Floor(float64(corruption.Level)*float64(cols)+0.5)
	for i := range rows {
		if left := sum(got[i*cols : (i+1)*cols]); float64(cols)-left != want {
			s.Errorf("%s: row %d lost %g components, want %g", c.name, i, float64(cols)-left, want)
		}
	}
	c.end()
}

func sum(x []float32) (total float64) {
	for _, v := range x {
		total += float64(v)
	}
	return total
}

// corrupted is the reference of corruption by subset: it sorts the columns.
func corrupted(x []float32, cols int, c engine.Corruption, at engine.Stream) []float32 {
	out := slices.Clone(x)
	for i := 0; i*cols < len(x); i++ {
		columns, draws := upTo(cols), make([]uint32, cols)
		for j := range draws {
			draws[j] = at.Bits(i, j)
		}
		slices.SortStableFunc(columns, func(a, b int) int { return cmp.Compare(draws[a]>>1, draws[b]>>1) })
		for _, j := range columns[:int(math.Floor(float64(c.Level)*float64(cols)+0.5))] {
			switch {
			case c.Kind == engine.CorruptionMask:
				out[i*cols+j] = 0
			case draws[j]&1 == 1:
				out[i*cols+j] = c.High
			default:
				out[i*cols+j] = c.Low
			}
		}
	}
	return out
}
