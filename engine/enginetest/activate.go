package enginetest

import (
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// everyActivation is all kinds, with parameters that are not the usual ones too.
func everyActivation() []engine.Activation {
	infinite := float32(math.Inf(1))
	all := []engine.Activation{
		{Kind: engine.LeakyReLU, Alpha: -0.3}, {Kind: engine.PReLU, Slopes: []float32{0.25, 0, -0.5}}, {Kind: engine.PReLU, Slopes: []float32{1.5}},
		{Kind: engine.ELU, Alpha: 1.7}, {Kind: engine.HardSigmoid, Alpha: 0.2, Beta: 0.4}, {Kind: engine.HardSigmoid, Alpha: -0.2, Beta: 0.4},
		{Kind: engine.Clip, Low: -0.5, High: 6}, {Kind: engine.Clip, Low: 0, High: infinite}, {Kind: engine.Clip, Low: -infinite, High: 1},
	}
	for k := engine.Identity; k <= engine.HardSwish; k++ {
		if k != engine.PReLU {
			all = append(all, engine.UsualActivation(k))
		}
	}
	return all
}

func testActivate(s *subject) {
	x := delicate()
	// Kinks, the zeros of slopes, and where series take over.
	for _, v := range []float32{3, 6, 2.5, 0.75179163, 1.2784645, 0.7524615, 1. / 4096, 1. / 4097, 5.5, 8.3, 13, 14} {
		for _, y := range []float32{v, math.Nextafter32(v, 0), math.Nextafter32(v, 100)} {
			x = append(x, y, -y)
		}
	}
	for range pick(20_000, 2_000) {
		x = append(x, float32(s.random.NormFloat64()*6))
		if v := math.Float32frombits(s.random.Uint32()); v == v {
			x = append(x, v)
		}
	}
	x = x[:len(x)/3*3]
	for _, a := range everyActivation() {
		s.checkActivate(1, len(x), x, a)
		for _, shape := range [][2]int{{0, 3}, {3, 0}, {1, 3}, {37, 15}, {3, 258}} {
			s.checkActivate(shape[0], shape[1], s.normals(shape[0]*shape[1], 3), a)
		}
	}
}

func (s *subject) checkActivate(rows, cols int, x []float32, a engine.Activation) {
	what := a.Kind.String()
	s.operandsFor(what, rows, cols, x, func(c *scene, h, y engine.Matrix) {
		slope := c.output("slope", rows, cols)
		s.must(s.device.Activate(h, slope, y, a))
		got, steepness := s.read(h), s.read(slope)
		if a.Kind == engine.Sigmoid {
			s.checkSigmoidSlope(c, got, steepness, x)
			return
		}
		want, slopes := make([]float64, len(x)), make([]float64, len(x))
		for i, v := range x {
			want[i], slopes[i] = a.At(float64(v), i%cols*a.Channels()/cols)
			want[i], slopes[i] = beyond(want[i]), beyond(slopes[i])
		}
		// Computed with digits to spare and rounded once: half a unit. A slope near its
		// zero is the difference of two numbers of about 1 in double, and so is the
		// reference.
		s.near(what+", 1 ulp", c.name, got, want, func(i int) float64 { return ulp(want[i]) })
		s.near("slope of "+what+", 1 ulp", c.name, steepness, slopes, func(i int) float64 { return ulp(slopes[i]) + 1e-14 })
	})
	c := s.scene("%s without slope %dx%d", what, rows, cols)
	first, second, slope, y := c.output("h", rows, cols), c.output("h", rows, cols), c.output("slope", rows, cols), c.input("y", rows, cols, x)
	s.must(s.device.Activate(first, nil, y, a))
	s.must(s.device.Activate(second, slope, y, a))
	s.same(c.name, s.read(first), s.read(second))
	c.end()
}

// beyond is Inf where a float32 has no room for a number.
func beyond(x float64) float64 {
	if y := float64(float32(x)); math.IsInf(y, 0) {
		return y
	}
	return x
}

// checkSigmoidSlope checks what the sigmoid promises to the bit.
func (s *subject) checkSigmoidSlope(c *scene, h, slope, x []float32) {
	m := c.output("sigmoid", 1, len(x))
	s.must(s.device.Sigmoid(m, c.input("x", 1, len(x), x)))
	s.same(c.name, h, s.read(m))
	want := make([]float32, len(x))
	for i, v := range h {
		want[i] = v * (1 - v)
	}
	s.same(c.name+": slope", slope, want)
}

func testTimes(s *subject) {
	for range pick(100, 30) {
		rows, cols := s.size(), s.size()
		x, before := s.normals(rows*cols, 1), s.normals(rows*cols, 1)
		c := s.scene("times %dx%d", rows, cols)
		dst := c.updated("dst", rows, cols, before)
		s.must(s.device.Times(dst, c.input("x", rows, cols, x)))
		want := make([]float32, len(x))
		for i := range want {
			want[i] = before[i] * x[i]
		}
		s.same(c.name, s.read(dst), want)
		s.must(s.device.Times(dst, dst))
		for i := range want {
			want[i] *= want[i]
		}
		s.same(c.name+" in place", s.read(dst), want)
		c.end()
	}
}

func testCopyColumns(s *subject) {
	for range pick(100, 30) {
		rows, from, to := s.size(), s.size(), s.size()
		columns := s.random.IntN(min(from, to) + 1)
		at, into := s.random.IntN(from-columns+1), s.random.IntN(to-columns+1)
		src, want := s.normals(rows*from, 1), s.normals(rows*to, 1)
		c := s.scene("%s", fmt.Sprintf("%d of %d rows, columns %d of %d to %d of %d", columns, rows, at, from, into, to))
		dst := c.updated("dst", rows, to, want)
		s.must(s.device.CopyColumns(dst, into, c.input("src", rows, from, src), at, columns))
		for i := range rows {
			copy(want[i*to+into:][:columns], src[i*from+at:])
		}
		s.same(c.name, s.read(dst), want)
		c.end()
	}
}
