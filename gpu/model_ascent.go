//go:build cuda

package gpu

import (
	"slices"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
	"github.com/unitscope/unitscope/kernels"
)

// modelAscent is one call of Ascend: the rows that have not stopped. A step of all rows,
// whatever their rates and goals, is two products for each layer below the goals and
// three launches more; what decides whether a row goes on comes back in one piece.
type modelAscent struct {
	*modelCall
	rule  engine.Rule
	state *engine.AscentState
	all   *matrix // x of the state
	rows  []int   // row of the state of each row here, in ascending order

	x, next   *matrix
	direction *matrix // the gradient, then the direction of ascent
	numbers   *matrix // [3*rows, 1]: activations, norms, chords

	from, to, rates cu.DevicePtr // ints of the rows, and the rates of their steps
	sent            []float32    // rates that are there

	read []float32 // numbers on the host
}

// Ascend implements engine.Loaded.
func (m *model) Ascend(s *engine.AscentState, aims engine.Aims, r engine.Rule, steps int) (progress engine.AscentProgress, err error) {
	if err := m.open("ascent"); err != nil {
		return progress, err
	}
	x, err := operand.One[*matrix](m.fixed.device, "ascent", "x", s.X)
	if err != nil {
		return progress, err
	}
	c := m.newAscent(s, x, aims, r)
	defer c.end(&err)
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

func (m *model) newAscent(s *engine.AscentState, x *matrix, aims engine.Aims, r engine.Rule) *modelAscent {
	var rows []int
	for i, stop := range s.Stop {
		if stop == engine.Running {
			rows = append(rows, i)
		}
	}
	n := len(rows)
	c := &modelAscent{modelCall: m.aimed("ascent", n, aims), rule: r, state: s, all: x, rows: rows}
	c.x, c.next, c.direction = c.matrix(n, x.cols), c.matrix(n, x.cols), c.matrix(n, x.cols)
	c.numbers, c.read = c.matrix(3*n, 1), make([]float32, 3*n)
	c.from, c.to, c.rates = c.room(4*n), c.room(4*n), c.room(4*n)
	if c.err == nil {
		c.do(c.device.Gather(c.x, x, c.rows))
		c.aimRows()
	}
	return c
}

// aimRows gives the rows here their goals.
func (c *modelAscent) aimRows() {
	goals := make([]int, len(c.rows))
	for k, i := range c.rows {
		goals[k] = c.aims.Row[i]
	}
	c.take(goals)
}

// evaluate computes, for each row here, its goal without the constant, the norm of
// the gradient, the direction of ascent (the gradient scaled to the radius), and how
// far that is from x.
func (c *modelAscent) evaluate() {
	if c.err != nil {
		return
	}
	n := c.n
	direction, x := top(c.direction, n), top(c.x, n)
	c.differentiate(x, top(c.numbers, n), direction, 0)
	pointed := callAscentDirection(ascentDirectionArguments{
		norm: part(c.numbers, n, 2*n).at(), chord: part(c.numbers, 2*n, 3*n).at(),
		direction: direction.at(), x: x.at(), rows: n, cols: x.cols, radius: c.rule.Radius,
	})
	c.launch(pointed, kernels.RowBlocks(int64(n)), direction.called("direction"), x.called("x"))
	c.holding.read(c.read[:3*n], top(c.numbers, 3*n))
}

// judge records what evaluate found and decides which rows go on; it returns
// their places here.
func (c *modelAscent) judge() (going []int, err error) {
	if c.err != nil {
		return nil, nil
	}
	n := len(c.rows)
	for k, i := range c.rows {
		if err := c.rule.Judge(c.state, i, c.read[k]+c.aims.Constant[c.aims.Row[i]], c.read[n+k], c.read[2*n+k]); err != nil {
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
func (c *modelAscent) move(going []int) {
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
		c.rows, c.n = rows, len(rows)
		c.aimRows()
	}
	c.pace()
	n := len(c.rows)
	next := top(c.next, n)
	step := ascentStepArguments{
		next: next.at(), x: c.x.at(), direction: c.direction.at(), rate: c.rates,
		rows: n, cols: next.cols, radius: c.rule.Radius,
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
func (c *modelAscent) pace() {
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
func (c *modelAscent) places(going []int) []int {
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
func (c *modelAscent) store(places []int) {
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
