package engine

import "errors"

// Ascend implements [Loaded].
func (m *plainModel) Ascend(s *AscentState, aims Aims, r Rule, steps int) (progress AscentProgress, err error) {
	c := m.newAscent(s, aims, r)
	defer func() { err = errors.Join(err, c.Close()) }()
	for ; steps > 0 && len(c.row) > 0 && c.err == nil; steps-- {
		progress.RowSteps += int64(len(c.row))
		c.evaluate()
		going, err := c.judge()
		if err != nil {
			return progress, err
		}
		c.keep(going)
		c.move()
	}
	for k := range c.row {
		c.store(k)
	}
	progress.Active = len(c.row)
	return progress, c.err
}

// modelAscent is one call of Ascend: the rows that have not stopped, close together.
type modelAscent struct {
	*pass
	rule  Rule
	aims  Aims
	state *AscentState
	row   []int // row of the state of each row here

	x, direction, other Matrix // [rows, inputs]

	activation, norm, chord []float32
}

func (m *plainModel) newAscent(s *AscentState, aims Aims, r Rule) *modelAscent {
	var row []int
	for i, stop := range s.Stop {
		if stop == Running {
			row = append(row, i)
		}
	}
	n, inputs := len(row), m.net.Input.Size()
	c := &modelAscent{pass: m.newPass(n, aims.values(), true), rule: r, aims: aims, state: s, row: row}
	c.x, c.direction, c.other = c.matrix(n, inputs), c.matrix(n, inputs), c.matrix(n, inputs)
	c.gather(c.x, s.X, row)
	c.aim(Aims{Reads: aims.Reads, Row: c.goalOf()})
	c.activation, c.norm, c.chord = make([]float32, n), make([]float32, n), make([]float32, n)
	return c
}

// goalOf is the goal of each row here.
func (c *modelAscent) goalOf() []int {
	goals := make([]int, len(c.row))
	for k, i := range c.row {
		goals[k] = c.aims.Row[i]
	}
	return goals
}

// evaluate computes, for each row here, its goal without the constant, the norm of
// the gradient, the direction of ascent (the gradient scaled to the radius), and how
// far that is from x.
func (c *modelAscent) evaluate() {
	n := len(c.row)
	x, direction, numbers := c.here(c.x), c.here(c.direction), c.here(c.numbers)
	c.values[0] = c.x
	c.forward(nil)
	c.read(c.activation[:n], c.goals())

	c.backward(c.direction)
	c.reduce(numbers, direction, Total(RowNorms))
	c.read(c.norm[:n], numbers)
	c.project(direction, c.rule.Radius)

	// The tangential part of g is the sine of its angle to x. From the chord
	// between x and g scaled to the sphere it comes out exactly where it
	// matters, near 0; 1-cosine^2 would lose half the digits there.
	other := c.here(c.other)
	c.axpby(other, 1, direction, 0)
	c.axpby(other, -1, x, 1)
	c.reduce(numbers, other, Total(RowNorms))
	c.read(c.chord[:n], numbers)
}

// judge records what evaluate found and decides which rows go on; it returns
// their places here.
func (c *modelAscent) judge() (going []int, err error) {
	if c.err != nil {
		return nil, nil
	}
	for k, i := range c.row {
		if err := c.rule.Judge(c.state, i, c.activation[k]+c.aims.Constant[c.aims.Row[i]], c.norm[k], c.chord[k]); err != nil {
			return nil, err
		}
		if c.state.Stop[i] == Running {
			going = append(going, k)
		}
	}
	return going, nil
}

// keep drops all rows but those at these places, closing the gaps.
func (c *modelAscent) keep(going []int) {
	if c.err != nil || len(going) == len(c.row) {
		return
	}
	kept := map[int]bool{}
	var row []int
	for _, k := range going {
		kept[k] = true
		row = append(row, c.row[k])
	}
	for k := range c.row {
		if !kept[k] {
			c.store(k)
		}
	}
	before := c.rows
	compact := func(m *Matrix) {
		c.gather(c.top(c.other, len(going)), c.top(*m, before), going)
		*m, c.other = c.other, *m
	}
	compact(&c.x)
	compact(&c.direction)
	c.row, c.rows = row, len(row)
	c.take(c.goalOf())
}

// store copies the row at place k back to the state.
func (c *modelAscent) store(k int) {
	i := c.row[k]
	c.axpby(c.slice(c.state.X, i, i+1), 1, c.slice(c.x, k, k+1), 0)
}

// move takes one step on the sphere with every row here.
func (c *modelAscent) move() {
	x, direction := c.here(c.x), c.here(c.direction)
	for k, i := range c.row {
		c.axpby(c.slice(x, k, k+1), c.state.Rate[i], c.slice(direction, k, k+1), 1)
	}
	c.project(x, c.rule.Radius)
	if c.err == nil {
		for _, i := range c.row {
			c.state.Steps[i]++
		}
	}
}
