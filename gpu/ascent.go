//go:build cuda

package gpu

import (
	"errors"
	"slices"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/kernels"
)

// ascent is the engine.Ascent of a card. A step of all rows, whatever their rates and
// units, is two products for each hidden layer and three launches more; what decides
// whether a row goes on comes back in one piece.
type ascent struct {
	plan    engine.Ascent
	fixed   holding
	weights []*matrix // [units, inputs] of each layer, the target layer last
	biases  []*matrix // [1, units] of each layer below the target
	closed  bool
}

func newAscent(d *device, p engine.Ascent) (*ascent, error) {
	if err := engine.CheckAscent(p); err != nil {
		return nil, err
	}
	a := &ascent{plan: p, fixed: holding{device: d, operation: "ascent"}}
	for _, l := range p.Layers {
		a.weights = append(a.weights, a.fixed.upload(l.Weight))
	}
	for _, l := range p.Layers[:len(p.Layers)-1] {
		a.biases = append(a.biases, a.fixed.row(l.Bias))
	}
	if err := a.fixed.compiled(); err != nil {
		return nil, err
	}
	return a, nil
}

// Close implements engine.Runner.
func (a *ascent) Close() error {
	a.closed = true
	return a.fixed.close()
}

// Run implements engine.AscentRunner.
func (a *ascent) Run(s *engine.AscentState, steps int) (progress engine.AscentProgress, err error) {
	d := a.fixed.device
	if err := d.open("ascent"); err != nil {
		return progress, err
	}
	if a.closed {
		return progress, errors.New("ascent: the plan is closed")
	}
	if err := engine.CheckAscentState(a.plan, s); err != nil {
		return progress, err
	}
	x, err := engine.TakeOne[*matrix](d, "ascent", "x", s.X)
	if err != nil {
		return progress, err
	}
	c := a.newCall(s, x)
	defer func() {
		if e := c.close(); err == nil {
			err = e
		}
	}()
	for ; steps > 0 && len(c.rows) > 0 && c.err == nil; steps-- {
		progress.RowSteps += int64(len(c.rows))
		c.evaluate()
		going, err := c.judge()
		if err != nil {
			return progress, err
		}
		c.move(going)
	}
	c.store(c.places(nil))
	progress.Active = len(c.rows)
	return progress, c.err
}

// ascentCall is one call of Run: the rows that have not stopped.
type ascentCall struct {
	holding
	ascent *ascent
	state  *engine.AscentState
	all    *matrix // x of the state
	rows   []int   // row of the state of each row here, in ascending order

	// Matrices with a row for each of the first rows; only the top len(rows) of
	// them are in use.
	x, next   *matrix
	direction *matrix   // the gradient, then the direction of ascent
	hidden    []*matrix // [rows, units] of each layer below the target, then their gradients
	numbers   *matrix   // [3*rows, 1]: activations, norms, chords

	units, from, to, rates cu.DevicePtr // ints of the rows, and the rates of their steps
	sent                   []float32    // rates that are there

	read []float32 // numbers on the host
}

func (a *ascent) newCall(s *engine.AscentState, x *matrix) *ascentCall {
	c := &ascentCall{holding: holding{device: a.fixed.device, operation: "ascent"}, ascent: a, state: s, all: x}
	for i, stop := range s.Stop {
		if stop == engine.Running {
			c.rows = append(c.rows, i)
		}
	}
	n := len(c.rows)
	c.x, c.next, c.direction = c.matrix(n, x.cols), c.matrix(n, x.cols), c.matrix(n, x.cols)
	for l := range a.biases {
		c.hidden = append(c.hidden, c.matrix(n, a.weights[l].rows))
	}
	c.numbers, c.read = c.matrix(3*n, 1), make([]float32, 3*n)
	c.units, c.from, c.to, c.rates = c.room(4*n), c.room(4*n), c.room(4*n), c.room(4*n)
	if c.err == nil {
		c.do(c.device.Gather(c.x, x, c.rows))
		c.aim()
	}
	return c
}

// aim says which units the rows climb.
func (c *ascentCall) aim() {
	units := make([]int, len(c.rows))
	for k, i := range c.rows {
		units[k] = c.state.Units[i]
	}
	c.fill(c.units, indices(units))
}

// evaluate computes, for each row here, the activation without its bias, the
// norm of the gradient, the direction of ascent (the gradient scaled to the
// radius), and how far that is from x.
func (c *ascentCall) evaluate() {
	if c.err != nil {
		return
	}
	n := len(c.rows)
	below := top(c.x, n)
	for l := range c.hidden {
		forward := engine.Multiply(false, true)
		forward.Epilogue.Kind = engine.EpilogueSigmoid
		hidden := top(c.hidden[l], n)
		c.gemm(product{dst: hidden, a: below, b: c.ascent.weights[l], bias: c.ascent.biases[l]}, forward)
		below = hidden
	}
	c.backward(below)
	c.point()
	c.holding.read(c.read[:3*n], top(c.numbers, 3*n))
}

// backward computes activations, and d_{l-1} = W_l' (d_l * h_l (1-h_l)) from the
// target's weights down to the input. d_l * h_l (1-h_l) takes the place of h_l.
func (c *ascentCall) backward(below *matrix) {
	n, target := len(c.rows), c.ascent.weights[len(c.hidden)]
	direction, delta := top(c.direction, n), below
	if len(c.hidden) == 0 {
		delta = direction
	}
	aimed := callAscentTop(ascentTopArguments{
		activation: top(c.numbers, n).at(), delta: delta.at(), below: below.at(), weights: target.at(),
		unit: c.units, rows: n, cols: target.cols, hidden: len(c.hidden),
	})
	c.launch(aimed, kernels.RowBlocks(int64(n)), delta.called("delta"), below.called("below"), target.called("weights"))
	for l := len(c.hidden) - 1; l >= 0; l-- {
		down := engine.Multiply(false, false)
		if l == 0 {
			c.gemm(product{dst: direction, a: delta, b: c.ascent.weights[0]}, down)
			return
		}
		down.Epilogue.Kind = engine.EpilogueDerivative
		hidden := top(c.hidden[l-1], n)
		c.gemm(product{dst: hidden, a: delta, b: c.ascent.weights[l], hidden: hidden}, down)
		delta = hidden
	}
}

// point makes gradients directions.
func (c *ascentCall) point() {
	n := len(c.rows)
	direction, x := top(c.direction, n), top(c.x, n)
	pointed := callAscentDirection(ascentDirectionArguments{
		norm: part(c.numbers, n, 2*n).at(), chord: part(c.numbers, 2*n, 3*n).at(),
		direction: direction.at(), x: x.at(), rows: n, cols: x.cols,
		sign: c.ascent.plan.Direction, radius: c.ascent.plan.Radius,
	})
	c.launch(pointed, kernels.RowBlocks(int64(n)), direction.called("direction"), x.called("x"))
}

// judge records what evaluate found and decides which rows go on; it returns
// their places here.
func (c *ascentCall) judge() (going []int, err error) {
	if c.err != nil {
		return nil, nil
	}
	n := len(c.rows)
	for k, i := range c.rows {
		if err := c.ascent.plan.Judge(c.state, i, c.read[k], c.read[n+k], c.read[2*n+k]); err != nil {
			return nil, err
		}
		if c.state.Stop[i] == engine.Running {
			going = append(going, k)
		}
	}
	return going, nil
}

// move takes one step on the sphere with the rows at these places, and closes the
// gaps that the others leave, whose x goes back to the state.
func (c *ascentCall) move(going []int) {
	if c.err != nil {
		return
	}
	stayed := len(going) == len(c.rows)
	if !stayed {
		c.store(c.places(going))
		c.fill(c.from, indices(going))
		rows := make([]int, len(going))
		for k, from := range going {
			rows[k] = c.rows[from]
		}
		c.rows = rows
		c.aim()
	}
	c.pace()
	n := len(c.rows)
	next := top(c.next, n)
	step := ascentStepArguments{
		next: next.at(), x: c.x.at(), direction: c.direction.at(), rate: c.rates,
		rows: n, cols: next.cols, radius: c.ascent.plan.Radius,
	}
	if !stayed {
		step.from = c.from
	}
	c.launch(callAscentStep(step), kernels.RowBlocks(int64(n)), next.called("x"))
	c.x, c.next = c.next, c.x
	if c.err == nil {
		for _, i := range c.rows {
			c.state.Steps[i]++
		}
	}
}

// pace says at which rates the rows go on.
func (c *ascentCall) pace() {
	rates := make([]float32, len(c.rows))
	for k, i := range c.rows {
		rates[k] = c.state.Rate[i]
	}
	if !slices.Equal(rates, c.sent) {
		c.fill(c.rates, bytesOf(rates))
		c.sent = rates
	}
}

// places are the places here that are not among those of the rows that go on.
func (c *ascentCall) places(going []int) []int {
	var others []int
	for k := range c.rows {
		if len(going) > 0 && going[0] == k {
			going = going[1:]
		} else {
			others = append(others, k)
		}
	}
	return others
}

// store copies the rows at these places back to the state.
func (c *ascentCall) store(places []int) {
	if c.err != nil || len(places) == 0 {
		return
	}
	rows := make([]int, len(places))
	for k, place := range places {
		rows[k] = c.rows[place]
	}
	c.fill(c.from, indices(places))
	c.fill(c.to, indices(rows))
	back := callScatter(scatterArguments{dst: c.all.at(), src: c.x.at(), to: c.to, from: c.from, rows: len(places), cols: c.x.cols})
	c.launch(back, kernels.RowBlocks(int64(len(places))), c.all.called("x"))
}
