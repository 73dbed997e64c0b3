package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// rbm returns a random RBM with weights of so large a deviation.
func rbm(random *rand.Rand, visible, hidden int, deviation float64, kind engine.VisibleKind, seed uint64) engine.Gibbs {
	numbers := func(n int, deviation float64) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(random.NormFloat64() * deviation)
		}
		return x
	}
	return engine.Gibbs{
		Layer: engine.Layer{
			Weight: engine.Host{Rows: hidden, Cols: visible, Data: numbers(hidden*visible, deviation)},
			Bias:   numbers(hidden, 0.5),
		},
		VisibleBias: numbers(visible, 0.5), Visible: kind, Seed: seed,
	}
}

// chains is the state of chains on the host.
type chains struct {
	clamp                  []int
	keys                   []uint64
	hidden, visible, means []float32
	sweeps                 uint32
}

// chainsOf returns random chains that hold random units or none, at their
// starts by the formula.
func (s *subject) chainsOf(p engine.Gibbs, n int) chains {
	hidden, visible := p.Layer.Weight.Rows, p.Layer.Weight.Cols
	c := chains{hidden: make([]float32, n*hidden), visible: make([]float32, n*visible), means: make([]float32, n*visible)}
	for range n {
		c.clamp = append(c.clamp, s.random.IntN(hidden+1)-1)
		c.keys = append(c.keys, s.random.Uint64())
	}
	at := engine.Stream{Seed: p.Seed, Purpose: engine.PurposeGibbsHidden, Keys: c.keys}
	for i := range n {
		for k := range hidden {
			if at.Uniform(i, k) < 0.5 || k == c.clamp[i] {
				c.hidden[i*hidden+k] = 1
			}
		}
	}
	return c
}

// take returns some of the chains, in this order.
func (c chains) take(p engine.Gibbs, rows []int) chains {
	hidden, visible := p.Layer.Weight.Rows, p.Layer.Weight.Cols
	t := chains{hidden: rowsOf(c.hidden, hidden, rows), visible: rowsOf(c.visible, visible, rows), means: rowsOf(c.means, visible, rows), sweeps: c.sweeps}
	for _, r := range rows {
		t.clamp, t.keys = append(t.clamp, c.clamp[r]), append(t.keys, c.keys[r])
	}
	return t
}

// run takes chains on by the device, in calls of so many sweeps.
func (c chains) run(s *subject, p engine.Gibbs, runner engine.Runner, means bool, calls ...int) chains {
	s.Helper()
	scene := s.scene("gibbs")
	n, visible := len(c.clamp), p.Layer.Weight.Cols
	state := &engine.GibbsState{
		Clamp: c.clamp, Keys: c.keys, Sweeps: c.sweeps,
		Hidden:  scene.updated("hidden", n, p.Layer.Weight.Rows, c.hidden),
		Visible: scene.output("visible", n, visible),
	}
	if means {
		state.Means = scene.output("means", n, visible)
	}
	sweeps := uint32(0)
	for _, call := range calls {
		progress, err := runner.(engine.GibbsRunner).Run(state, call)
		s.must(err)
		if progress.Sweeps != call || progress.ChainSweeps != int64(call)*int64(n) {
			s.Errorf("gibbs: %d sweeps of %d chains are reported as %+v", call, n, progress)
		}
		sweeps += uint32(call)
	}
	if state.Sweeps != c.sweeps+sweeps {
		s.Errorf("gibbs: state at sweep %d after %d from %d", state.Sweeps, sweeps, c.sweeps)
	}
	after := chains{clamp: c.clamp, keys: c.keys, hidden: s.read(state.Hidden), visible: s.read(state.Visible), sweeps: state.Sweeps}
	if means {
		after.means = s.read(state.Means)
	}
	scene.end()
	return after
}

// sweep is the reference of one sweep, in float64. It reports whether a
// draw was too close to its probability to call.
func (c *chains) sweep(p engine.Gibbs) (unclear bool) {
	w, hidden, visible := doubles(p.Layer.Weight.Data), p.Layer.Weight.Rows, p.Layer.Weight.Cols
	c.sweeps++
	draw := func(probability float64, at engine.Stream, i, j int) float32 {
		u := float64(at.Uniform(i, j))
		unclear = unclear || math.Abs(u-probability) < clearDistance
		if u < probability {
			return 1
		}
		return 0
	}
	at := engine.Stream{Seed: p.Seed, Step: c.sweeps, Keys: c.keys}
	for i := range c.clamp {
		h, v := c.hidden[i*hidden:(i+1)*hidden], c.visible[i*visible:(i+1)*visible]
		at.Purpose = engine.PurposeGibbsVisible
		for j := range v {
			mean := float64(p.VisibleBias[j])
			for k := range h {
				mean += float64(h[k]) * w[k*visible+j]
			}
			if p.Visible == engine.Gaussian {
				v[j] = float32(mean + float64(at.Normal(i, j)))
			} else {
				mean = sigmoid(mean)
				v[j] = draw(mean, at, i, j)
			}
			c.means[i*visible+j] = float32(mean)
		}
		at.Purpose = engine.PurposeGibbsHidden
		for k := range h {
			h[k] = draw(sigmoid(float64(p.Layer.Bias[k])+inner(w[k*visible:(k+1)*visible], doubles(v))), at, i, k)
			if k == c.clamp[i] {
				h[k] = 1
			}
		}
	}
	return unclear
}

// testGibbs compares the first sweeps with the reference: states are the same
// bits, since cases with a draw too close to call are left out.
func testGibbs(s *subject) {
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		for _, size := range [][3]int{{1, 1, 1}, {13, 33, 18}, {17, 5, 47}, {3, 97, 64}, {30, 1, 9}, {16, 9, 1}, {0, 4, 3}} {
			for _, sweeps := range []int{1, 4} {
				s.checkGibbs(kind, size[0], size[1], size[2], sweeps)
			}
		}
	}
}

func (s *subject) checkGibbs(kind engine.VisibleKind, n, visible, hidden, sweeps int) {
	s.Helper()
	for range 100 {
		p := rbm(s.random, visible, hidden, 1/math.Sqrt(float64(visible+hidden)), kind, s.random.Uint64())
		start := s.chainsOf(p, n)
		start.sweeps = s.random.Uint32() >> 1
		want := start.take(p, upTo(n))
		unclear := false
		for range sweeps {
			unclear = want.sweep(p) || unclear
		}
		if unclear {
			continue
		}
		s.forEach(p, func(way string, r engine.Runner) {
			for _, means := range []bool{true, false} {
				got := start.run(s, p, r, means, sweeps)
				where := fmt.Sprintf("%s, %v, %d chains of %d + %d units, %d sweeps", way, kind, n, visible, hidden, sweeps)
				s.same(where+": hidden", got.hidden, want.hidden)
				// A sum of hidden+1 terms with about as many roundings.
				tolerance := func(int) float64 { return 1e-6 * math.Sqrt(float64(hidden)+16) }
				if kind == engine.Bernoulli {
					s.same(where+": visible", got.visible, want.visible)
				} else {
					s.near("gibbs: Gaussian visible states", where, got.visible, doubles(want.visible), tolerance)
				}
				if means {
					s.near("gibbs: means", where, got.means, doubles(want.means), tolerance)
				}
			}
		})
		return
	}
	s.Fatalf("every one of 100 random cases has a draw too close to call")
}

// testGibbsStart checks the random starts that the engine makes.
func testGibbsStart(s *subject) {
	for _, n := range []int{0, 1, 19} {
		p := rbm(s.random, 7, 33, 1, engine.Bernoulli, s.random.Uint64())
		want := s.chainsOf(p, n)
		state, err := engine.NewGibbsState(s.device, p, want.clamp, want.keys)
		s.must(err)
		s.same(fmt.Sprintf("start of %d chains", n), s.read(state.Hidden), want.hidden)
		s.same(fmt.Sprintf("visible states of %d chains before a sweep", n), s.read(state.Visible), want.visible)
		if state.Sweeps != 0 {
			s.Errorf("a new state is at sweep %d", state.Sweeps)
		}
		s.must(state.Close())
	}
}

// testGibbsInvariance checks to the bit that a chain depends neither on its
// company nor on how its sweeps are cut into calls.
func testGibbsInvariance(s *subject) {
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		n := pick(150, 40)
		p := rbm(s.random, 70, 301, 0.1, kind, s.random.Uint64())
		start := s.chainsOf(p, n)
		s.forEach(p, func(way string, r engine.Runner) {
			whole := start.run(s, p, r, true, 6)
			for _, c := range []struct {
				what  string
				rows  []int
				calls []int
			}{
				{"cut", upTo(n), []int{1, 3, 0, 2}},
				{"cut to pieces", upTo(n), []int{1, 1, 1, 1, 1, 1}},
				{"alone", []int{n / 2}, []int{6}},
				{"few", s.some(20), []int{4, 2}},
				{"some", s.some(n), []int{6}},
			} {
				got, want := start.take(p, c.rows).run(s, p, r, true, c.calls...), whole.take(p, c.rows)
				where := fmt.Sprintf("%s, %v, %s", way, kind, c.what)
				s.same(where+": hidden", got.hidden, want.hidden)
				s.same(where+": visible", got.visible, want.visible)
				s.same(where+": means", got.means, want.means)
			}
		})
	}
}

// testGibbsClamp checks after every sweep that held units are 1 where their
// biases would keep every unit at 0, and that no other unit is.
func testGibbsClamp(s *subject) {
	const n, visible, hidden = 40, 20, 37
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		p := rbm(s.random, visible, hidden, 0.1, kind, s.random.Uint64())
		for k := range p.Layer.Bias {
			p.Layer.Bias[k] = -1000
		}
		start := s.chainsOf(p, n)
		want := make([]float32, n*hidden)
		for i, unit := range start.clamp {
			if unit >= 0 {
				want[i*hidden+unit] = 1
			}
		}
		s.forEach(p, func(way string, r engine.Runner) {
			c := start
			for range 5 {
				c = c.run(s, p, r, false, 1)
				s.same(way+": held units", c.hidden, want)
			}
		})
	}
}

// testGibbsMisuse checks what Gibbs sampling refuses, and the error of chains
// that leave the finite numbers.
func testGibbsMisuse(s *subject) {
	good := rbm(s.random, 6, 5, 1, engine.Bernoulli, 1)
	for _, c := range []struct {
		call   string
		change func(p *engine.Gibbs)
		words  []string
	}{
		{"no weights", func(p *engine.Gibbs) { p.Layer.Weight = engine.Host{} }, []string{"0 visible units"}},
		{"too few weights", func(p *engine.Gibbs) { p.Layer.Weight.Data = p.Layer.Weight.Data[1:] }, []string{"5x6", "29"}},
		{"biases", func(p *engine.Gibbs) { p.Layer.Bias = make([]float32, 6) }, []string{"5x6", "have 6"}},
		{"visible biases", func(p *engine.Gibbs) { p.VisibleBias = nil }, []string{"5x6", "have 0"}},
		{"kind", func(p *engine.Gibbs) { p.Visible = 9 }, []string{"unknown kind", "9"}},
		{"NaN", func(p *engine.Gibbs) { p.VisibleBias = slices.Repeat([]float32{nan}, 6) }, []string{"parameters", "NaN"}},
	} {
		p := good
		c.change(&p)
		_, errCompile := engine.CompileGibbs(s.device, p)
		_, errPlain := engine.Plain(s.device, p)
		_, errState := engine.NewGibbsState(s.device, p, nil, nil)
		for _, err := range []error{errCompile, errPlain, errState} {
			s.refused("gibbs, "+c.call, err, append(c.words, "gibbs")...)
		}
	}
	_, err := engine.NewGibbsState(s.device, good, []int{1, 2}, make([]uint64, 1))
	s.refused("gibbs, start with too few keys", err, "2 chains", "1 keys")
	_, err = engine.NewGibbsState(s.device, good, []int{5}, make([]uint64, 1))
	s.refused("gibbs, start that holds no unit", err, "chain 0", "unit 5", "5 hidden")
	s.forEach(good, s.misuseGibbsState)
	s.overflowGibbs()
}

func (s *subject) misuseGibbsState(way string, r engine.Runner) {
	run := func(sweeps int, change func(state *engine.GibbsState)) error {
		state := &engine.GibbsState{Clamp: []int{0, -1, 4}, Keys: make([]uint64, 3), Hidden: s.fresh(3, 5), Visible: s.fresh(3, 6)}
		change(state)
		_, err := r.(engine.GibbsRunner).Run(state, sweeps)
		return err
	}
	s.must(run(0, func(*engine.GibbsState) {}))
	s.must(run(-1, func(*engine.GibbsState) {}))
	s.must(run(1, func(g *engine.GibbsState) { g.Sweeps = math.MaxUint32 - 1 }))
	for _, c := range []struct {
		call   string
		change func(g *engine.GibbsState)
		words  []string
	}{
		{"keys", func(g *engine.GibbsState) { g.Keys = make([]uint64, 2) }, []string{"3 chains", "2 keys"}},
		{"no hidden", func(g *engine.GibbsState) { g.Hidden = nil }, []string{"hidden", "missing"}},
		{"no visible", func(g *engine.GibbsState) { g.Visible = nil }, []string{"visible", "missing"}},
		{"hidden", func(g *engine.GibbsState) { g.Hidden = s.fresh(3, 6) }, []string{"hidden", "3x6", "3x5"}},
		{"visible", func(g *engine.GibbsState) { g.Visible = s.fresh(2, 6) }, []string{"visible", "2x6", "3x6"}},
		{"means", func(g *engine.GibbsState) { g.Means = s.fresh(3, 5) }, []string{"means", "3x5", "3x6"}},
		{"clamp 5", func(g *engine.GibbsState) { g.Clamp[1] = 5 }, []string{"chain 1", "unit 5", "5 hidden"}},
		{"clamp -2", func(g *engine.GibbsState) { g.Clamp[2] = -2 }, []string{"chain 2", "unit -2"}},
		{"sweeps", func(g *engine.GibbsState) { g.Sweeps = math.MaxUint32 }, []string{"1 sweeps", "4294967295"}},
		{"closed", func(g *engine.GibbsState) { s.must(g.Visible.Close()) }, []string{"closed"}},
	} {
		s.refused("gibbs, "+way+", "+c.call, run(1, c.change), c.words...)
	}
	s.must(r.Close())
	s.refused("gibbs, "+way+", closed runner", run(1, func(*engine.GibbsState) {}), "closed")
}

// overflowGibbs runs finite weights that make infinite states of the second
// chain.
func (s *subject) overflowGibbs() {
	p := rbm(s.random, 4, 3, 0, engine.Gaussian, 1)
	for k := range 2 {
		p.Layer.Weight.Data[k*4+1] = math.MaxFloat32
		p.Layer.Bias[k] = -1000
	}
	s.forEach(p, func(way string, r engine.Runner) {
		state := &engine.GibbsState{Clamp: []int{-1, 0}, Keys: make([]uint64, 2), Hidden: s.fresh(2, 3), Visible: s.fresh(2, 4)}
		s.must(state.Hidden.Write([]float32{0, 0, 1, 1, 1, 1}))
		_, err := r.(engine.GibbsRunner).Run(state, 1)
		s.refused(way+", gibbs with states that overflow", err, "gibbs", "chain 1", "sweep 1", "NaN or Inf")
	})
}
