package cpu

import (
	"errors"
	"math"
	"sync/atomic"

	"github.com/unitscope/unitscope/cpu/internal/kernel"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

// gibbs is the fused engine.Gibbs. Weights are packed once, in both
// orientations. Each worker takes a group of chains that fits its second level
// of cache and carries it through all the sweeps of a call.
//
// Chains lie along the rows of the kernel's tiles and units along its lanes, as
// in Gemm and unlike in an ascent: random numbers come along the units of one
// chain, so that in this order bias, sigmoid and draw are vector operations on
// a chain's row. What must then be turned around is the states alone, once each.
//
//	for v given h, then for h given v:
//	  y = the product, [chains][units], block by block of k
//	  in each row of y: bias, sigmoid, draw
//	  pack y into strips [units][Rows], the operand of the next product
//
// Chains never meet, and every product is summed as Gemm does; so a chain has
// the bits of the plan's definition, in whatever company and group.
type gibbs struct {
	device   *device
	plan     engine.Gibbs
	up, down conditional
	closed   bool
	carry    part // the method carryGroup, bound once

	// The call at work.
	state                  *engine.GibbsState
	hidden, visible, means *matrix
	sweeps                 int
	groups                 blocks
	notFinite              atomic.Int64 // the first chain that has met NaN or Inf
}

// conditional is p(units | inputs) of one side of an RBM.
type conditional struct {
	set     *kernel.Set
	weights []float32 // panels [inputs][Lanes], the last one padded with zeros
	bias    []float32 // [units]
	inputs  int
	panels  int
}

func newConditional(set *kernel.Set, weights factor, inputs int, bias []float32) conditional {
	weights.lines, weights.width = len(bias), set.Lanes
	c := conditional{set: set, bias: append([]float32(nil), bias...), inputs: inputs, panels: (len(bias) + set.Lanes - 1) / set.Lanes}
	size := inputs * set.Lanes
	c.weights = make([]float32, c.panels*size)
	for i := range c.panels {
		weights.pack(set, c.weights[i*size:(i+1)*size], i, inputs)
	}
	return c
}

// stride is the length of a row of y. The cache line beyond the panels keeps
// the rows of a tile out of each other's way: at a distance of a power of two
// they would share few sets of the cache.
func (c *conditional) stride() int { return c.panels*c.set.Lanes + 16 }

// gibbsTerms is the terms of k between two visits to a tile of y. It is more
// than in Gemm: measured, fewer visits to y are worth more here than weights
// that fit the first level of cache.
const gibbsTerms = 512

// multiply is the product without its bias: y [chains][stride] from the packed
// strips x [strips][inputs][Rows]. A panel of weights is used for all the
// chains before the next.
func (c *conditional) multiply(y, x []float32, strips int) {
	rows, lanes, stride := c.set.Rows, c.set.Lanes, c.stride()
	for from := 0; from < c.inputs; from += gibbsTerms {
		to := min(from+gibbsTerms, c.inputs)
		for j := range c.panels {
			b := c.weights[(j*c.inputs+from)*lanes : (j*c.inputs+to)*lanes]
			for i := range strips {
				a := x[(i*c.inputs+from)*rows : (i*c.inputs+to)*rows]
				c.set.Multiply(to-from, a, b, y[i*rows*stride+j*lanes:], stride, from > 0)
			}
		}
	}
}

func newGibbs(d *device, p engine.Gibbs) (*gibbs, error) {
	if err := checkCopies("gibbs", 2*len(p.Layer.Weight.Data)); err != nil {
		return nil, err
	}
	w := p.Layer.Weight
	g := &gibbs{device: d, plan: engine.Gibbs{Visible: p.Visible, Seed: p.Seed}}
	g.up = newConditional(d.set, factor{data: w.Data, stride: w.Cols, along: true}, w.Cols, p.Layer.Bias)
	g.down = newConditional(d.set, factor{data: w.Data, stride: w.Cols}, w.Rows, p.VisibleBias)
	g.carry = g.carryGroup
	return g, nil
}

// Close implements engine.Runner.
func (g *gibbs) Close() error {
	g.closed, g.up, g.down = true, conditional{}, conditional{}
	return nil
}

// Run implements engine.GibbsRunner.
func (g *gibbs) Run(s *engine.GibbsState, sweeps int) (progress engine.GibbsProgress, err error) {
	if err := g.device.open("gibbs"); err != nil {
		return progress, err
	}
	if g.closed {
		return progress, errors.New("gibbs: the plan is closed")
	}
	g.hidden, g.visible, g.means, err = operand.Gibbs[*matrix](g.device, s)
	if err != nil || sweeps <= 0 {
		return progress, err
	}
	chains := len(s.Clamp)
	g.state, g.sweeps, g.groups = s, sweeps, g.group(chains)
	g.notFinite.Store(math.MaxInt64)
	work := float64(chains) * float64(sweeps) * float64(g.up.inputs) * float64(g.down.inputs) / 4
	g.device.pool.run(g.groups.count, work, g.carry)
	g.state, g.hidden, g.visible, g.means = nil, nil, nil, nil
	s.Sweeps += uint32(sweeps)
	progress = engine.GibbsProgress{Sweeps: sweeps, ChainSweeps: int64(sweeps) * int64(chains)}
	if row := g.notFinite.Load(); row < math.MaxInt64 {
		return progress, s.NotFinite(int(row))
	}
	return progress, nil
}

const (
	// What a group of chains may take of a worker's second level of cache.
	groupBytes = 1 << 20
	// Strips of chains from which on a group of more saves little of the
	// traffic of weights.
	groupStrips = 8
)

// group cuts chains into groups, the same number for each worker where there
// are enough. A chain's bits don't depend on its group.
func (g *gibbs) group(chains int) blocks {
	rows, workers := g.device.set.Rows, len(g.device.pool.workers)
	strips := (chains + rows - 1) / rows
	most := max(1, min(groupStrips, groupBytes/(4*g.memory(1))))
	count := (strips + most - 1) / most
	count = (count + workers - 1) / workers * workers
	return blocks{strips, min(count, strips)}
}

// memory is how many numbers a group of so many strips takes: packed states,
// visible or hidden, and y.
func (g *gibbs) memory(strips int) int {
	return strips * g.device.set.Rows * (max(g.up.inputs, g.down.inputs) + max(g.up.stride(), g.down.stride()))
}

// chainGroup is a group of chains on its way.
type chainGroup struct {
	*gibbs
	worker        *worker
	strips        int
	first, chains int       // rows of the state
	packed        []float32 // the states that the next product needs, strips [units][Rows]
	y             []float32 // [chains][stride]
}

// carryGroup is a part of a call: all sweeps of one group.
func (g *gibbs) carryGroup(w *worker, i int) {
	rows := g.device.set.Rows
	from, to := g.groups.from(i), g.groups.from(i+1)
	c := chainGroup{gibbs: g, worker: w, strips: to - from, first: from * rows}
	c.chains = min(to*rows, len(g.state.Clamp)) - c.first
	tile := grow(&w.tile, g.memory(c.strips))
	states := c.strips * rows * max(g.up.inputs, g.down.inputs)
	c.packed, c.y = tile[:states], tile[states:]

	c.pack(g.hidden.data()[c.first*g.hidden.cols:], g.hidden.cols, g.hidden.cols)
	for t := range g.sweeps {
		step, last := g.state.Sweeps+uint32(t)+1, t == g.sweeps-1
		g.down.multiply(c.y, c.packed, c.strips)
		for row := range c.chains {
			c.drawVisible(row, step, last)
		}
		c.pack(c.y, g.down.stride(), len(g.down.bias))

		g.up.multiply(c.y, c.packed, c.strips)
		for row := range c.chains {
			c.drawHidden(row, step, last)
		}
		c.pack(c.y, g.up.stride(), len(g.up.bias))
	}
}

// pack turns the group's rows of x around, into strips [units][Rows].
func (c *chainGroup) pack(x []float32, stride, units int) {
	f := factor{data: x, stride: stride, along: true, lines: c.chains, width: c.device.set.Rows}
	size := units * f.width
	for i := range c.strips {
		f.pack(c.device.set, c.packed[i*size:(i+1)*size], i, units)
	}
}

// row is a chain's row of y with the bias added.
func (c *chainGroup) row(of *conditional, row int) []float32 {
	y := c.y[row*of.stride():][:len(of.bias)]
	c.device.set.Axpby(y, 1, of.bias, 1)
	return y
}

func (c *chainGroup) draws(purpose engine.Purpose, row int, step uint32) kernel.Stream {
	return kernel.Stream{Seed: c.plan.Seed, Purpose: uint8(purpose), Step: step, Key: c.state.Keys[c.first+row]}
}

// drawVisible makes a chain's product its visible states, and keeps those of
// the last sweep.
func (c *chainGroup) drawVisible(row int, step uint32, last bool) {
	set, y, at := c.device.set, c.row(&c.down, row), c.draws(engine.PurposeGibbsVisible, row, step)
	if c.plan.Visible == engine.Bernoulli {
		set.Sigmoid(y, y)
	}
	if last && c.means != nil {
		copy(c.means.row(c.first+row), y)
	}
	if c.plan.Visible == engine.Bernoulli {
		set.Bernoulli(y, y, at)
	} else {
		addNoise(set, c.worker, y, y, 1, at)
	}
	if last {
		c.keep(c.gibbs.visible, row, y)
	}
}

// drawHidden makes a chain's product its hidden states, and keeps those of the
// last sweep.
func (c *chainGroup) drawHidden(row int, step uint32, last bool) {
	set, y := c.device.set, c.row(&c.up, row)
	set.Sigmoid(y, y)
	set.Bernoulli(y, y, c.draws(engine.PurposeGibbsHidden, row, step))
	if held := c.state.Clamp[c.first+row]; held >= 0 {
		y[held] = 1
	}
	if last {
		c.keep(c.gibbs.hidden, row, y)
	}
}

// keep writes a chain's states to the state, and notes if they are not finite.
func (c *chainGroup) keep(in *matrix, row int, states []float32) {
	copy(in.row(c.first+row), states)
	check := float32(0)
	for _, v := range states {
		check += v - v
	}
	if check == 0 {
		return
	}
	chain := int64(c.first + row)
	for before := c.notFinite.Load(); chain < before; before = c.notFinite.Load() {
		if c.notFinite.CompareAndSwap(before, chain) {
			return
		}
	}
}
