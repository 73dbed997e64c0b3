//go:build cuda

package gpu

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
)

// ascent is the engine.Ascent of a card. It computes what the definition does,
// with the same kernels and so to the same bits, and asks less of the host: rows
// whose next step is of the same rate lie side by side and move by one launch, and
// what decides whether a row goes on comes back in one piece for each step.
type ascent struct {
	device  *device
	plan    engine.Ascent
	fixed   matrices
	weights []*matrix // [units, inputs] of each layer, the target layer last
	biases  []*matrix // [1, units] of each layer below the target
	closed  bool
}

// matrices are those that a plan holds; its methods remember the first error.
type matrices struct {
	device *device
	all    []*matrix
	err    error
}

// matrix returns a new matrix of zeros, or nil after an error.
func (m *matrices) matrix(rows, cols int) *matrix {
	if m.err != nil {
		return nil
	}
	made, err := m.device.New(rows, cols)
	if m.err = err; err != nil {
		return nil
	}
	m.all = append(m.all, made.(*matrix))
	return made.(*matrix)
}

func (m *matrices) upload(h engine.Host) *matrix {
	made := m.matrix(h.Rows, h.Cols)
	if m.err == nil {
		m.err = made.Write(h.Data)
	}
	return made
}

// do remembers the error of an operation.
func (m *matrices) do(err error) {
	if m.err == nil {
		m.err = err
	}
}

func (m *matrices) close() (first error) {
	for _, one := range m.all {
		if err := one.Close(); first == nil {
			first = err
		}
	}
	m.all = nil
	return first
}

func newAscent(d *device, p engine.Ascent) (*ascent, error) {
	if err := engine.CheckAscent(p); err != nil {
		return nil, err
	}
	a := &ascent{device: d, plan: p, fixed: matrices{device: d}}
	for _, l := range p.Layers {
		a.weights = append(a.weights, a.fixed.upload(l.Weight))
	}
	for _, l := range p.Layers[:len(p.Layers)-1] {
		a.biases = append(a.biases, a.fixed.upload(engine.Host{Rows: 1, Cols: len(l.Bias), Data: l.Bias}))
	}
	if a.fixed.err != nil {
		a.fixed.close()
		return nil, fmt.Errorf("ascent: %w", a.fixed.err)
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
	if err := a.device.open("ascent"); err != nil {
		return progress, err
	}
	if a.closed {
		return progress, errors.New("ascent: the plan is closed")
	}
	if err := engine.CheckAscentState(a.plan, s); err != nil {
		return progress, err
	}
	o := operands{device: a.device, operation: "ascent"}
	x := o.take("x", s.X)
	if o.err != nil {
		return progress, o.err
	}
	c := a.newClimb(s, x)
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
		c.arrange(going)
		c.move()
	}
	c.store(c.places(nil))
	progress.Active = len(c.rows)
	return progress, c.err
}

// climb is one call of Run: the rows that have not stopped.
type climb struct {
	matrices
	ascent *ascent
	state  *engine.AscentState
	all    *matrix // x of the state
	rows   []int   // row of the state of each row here, in order of their rates

	// Matrices with a row for each of the first rows; only the top len(rows) of
	// them are in use.
	x, target, direction, spare *matrix
	hidden, delta               []*matrix // [rows, units] of each layer below the target
	numbers                     *matrix   // [3*rows, 1]: activations, norms, chords
	noTerms                     [2]*matrix

	read []float32 // numbers on the host
}

func (a *ascent) newClimb(s *engine.AscentState, x *matrix) *climb {
	c := &climb{matrices: matrices{device: a.device}, ascent: a, state: s, all: x}
	for i, stop := range s.Stop {
		if stop == engine.Running {
			c.rows = append(c.rows, i)
		}
	}
	slices.SortStableFunc(c.rows, c.byRate)
	n, top := len(c.rows), len(a.biases)
	c.x, c.direction, c.spare = c.matrix(n, x.cols), c.matrix(n, x.cols), c.matrix(n, x.cols)
	c.target = c.matrix(n, a.weights[top].cols)
	c.numbers = c.matrix(3*n, 1)
	c.noTerms = [2]*matrix{c.matrix(n, 0), c.matrix(0, a.weights[top].cols)}
	for _, w := range a.weights[:top] {
		c.hidden = append(c.hidden, c.matrix(n, w.rows))
		c.delta = append(c.delta, c.matrix(n, w.rows))
	}
	c.read = make([]float32, 3*n)
	if c.err == nil {
		c.do(c.device.Gather(c.x, x, c.rows))
		c.aim()
	}
	return c
}

// byRate compares two rows of the state by the rates of their next steps.
func (c *climb) byRate(i, j int) int { return cmp.Compare(c.state.Rate[i], c.state.Rate[j]) }

// aim fetches the weights of the units that the rows climb.
func (c *climb) aim() {
	units := make([]int, len(c.rows))
	for k, i := range c.rows {
		units[k] = c.state.Units[i]
	}
	c.do(c.device.Gather(top(c.target, len(units)), c.ascent.weights[len(c.ascent.biases)], units))
}

// top is a view of the first rows of m.
func top(m *matrix, rows int) *matrix { return part(m, 0, rows) }

func part(m *matrix, from, to int) *matrix {
	return &matrix{in: m.in, first: m.first + from*m.cols, rows: to - from, cols: m.cols, view: true}
}

// evaluate computes, for each row here, the activation without its bias, the
// norm of the gradient, the direction of ascent (the gradient scaled to the
// radius), and how far that is from x.
func (c *climb) evaluate() {
	if c.err != nil {
		return
	}
	d, p, n := c.device, &c.ascent.plan, len(c.rows)
	x, target, direction, spare := top(c.x, n), top(c.target, n), top(c.direction, n), top(c.spare, n)
	activations, norms, chords := part(c.numbers, 0, n), part(c.numbers, n, 2*n), part(c.numbers, 2*n, 3*n)
	below := x
	for l := range c.hidden {
		forward := engine.Multiply(false, true)
		forward.Epilogue = engine.Epilogue{Kind: engine.EpilogueSigmoid, Bias: c.ascent.biases[l]}
		hidden := top(c.hidden[l], n)
		c.do(d.Gemm(hidden, below, c.ascent.weights[l], forward))
		below = hidden
	}
	c.do(d.Reduce(activations, below, engine.Reduction{Kind: engine.RowDots, With: target, Alpha: 1}))

	c.backward(n, target, direction)
	c.do(d.Reduce(norms, direction, engine.Total(engine.RowNorms)))
	c.do(d.Axpby(direction, p.Direction, direction, 0))
	c.do(d.Project(direction, p.Radius))

	c.do(d.Axpby(spare, 1, direction, 0))
	c.do(d.Axpby(spare, -1, x, 1))
	c.do(d.Reduce(chords, spare, engine.Total(engine.RowNorms)))
	c.do(top(c.numbers, 3*n).Read(c.read[:3*n]))
}

// backward computes d_{l-1} = W_l' (d_l * h_l (1-h_l)) from the target's
// weights down to the input.
func (c *climb) backward(n int, target, gradient *matrix) {
	d := c.device
	if len(c.hidden) == 0 {
		c.do(d.Axpby(gradient, 1, target, 0))
		return
	}
	last := len(c.hidden) - 1
	delta := top(c.delta[last], n)
	c.do(d.Axpby(delta, 1, target, 0))
	// A product over no terms leaves its epilogue: delta * h (1-h).
	derivative := func(l int) engine.Epilogue {
		return engine.Epilogue{Kind: engine.EpilogueDerivative, Hidden: top(c.hidden[l], n)}
	}
	c.do(d.Gemm(delta, top(c.noTerms[0], n), c.noTerms[1], engine.Product{Beta: 1, Epilogue: derivative(last)}))
	for l := last; l > 0; l-- {
		down := engine.Multiply(false, false)
		down.Epilogue = derivative(l - 1)
		next := top(c.delta[l-1], n)
		c.do(d.Gemm(next, delta, c.ascent.weights[l], down))
		delta = next
	}
	c.do(d.Gemm(gradient, delta, c.ascent.weights[0], engine.Multiply(false, false)))
}

// judge records what evaluate found and decides which rows go on; it returns
// their places here.
func (c *climb) judge() (going []int, err error) {
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

// arrange stores the rows that have stopped, closes the gaps they leave, and puts
// the others in order of their rates.
func (c *climb) arrange(going []int) {
	if c.err != nil {
		return
	}
	if len(going) < len(c.rows) {
		c.store(c.places(going))
	}
	before := c.rows
	if len(going) == len(before) && slices.IsSortedFunc(before, c.byRate) {
		return
	}
	slices.SortStableFunc(going, func(k, l int) int { return c.byRate(before[k], before[l]) })
	c.rows = make([]int, len(going))
	for k, from := range going {
		c.rows[k] = before[from]
	}
	for _, m := range []**matrix{&c.x, &c.direction} {
		c.do(c.device.Gather(top(c.spare, len(going)), top(*m, len(before)), going))
		*m, c.spare = c.spare, *m
	}
	c.aim()
}

// places are the places here that are not among those of the rows that go on.
func (c *climb) places(going []int) []int {
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

// store copies the rows at these places back to the state. They are brought into
// the state's order first, so that neighbours go in one piece.
func (c *climb) store(places []int) {
	if c.err != nil || len(places) == 0 {
		return
	}
	slices.SortFunc(places, func(k, l int) int { return cmp.Compare(c.rows[k], c.rows[l]) })
	sorted := top(c.spare, len(places))
	c.do(c.device.Gather(sorted, top(c.x, len(c.rows)), places))
	for from := 0; from < len(places); {
		to := from + 1
		for to < len(places) && c.rows[places[to]] == c.rows[places[to-1]]+1 {
			to++
		}
		first := c.rows[places[from]]
		c.device.copyRows(part(c.all, first, first+to-from), part(sorted, from, to))
		from = to
	}
}

// copyRows has dst become src, which has the same shape.
func (d *device) copyRows(dst, src *matrix) {
	what := describe("copy", dst, src)
	to, from, bytes := dst.at(), src.at(), 4*int64(src.size())
	d.worker.post(&what, func() error {
		return driver.Failed("cuMemcpyDtoDAsync", cu.MemcpyDtoDAsync(to, from, bytes, d.stream))
	})
}

// move takes one step on the sphere with every row here.
func (c *climb) move() {
	if c.err != nil {
		return
	}
	d, rate := c.device, c.state.Rate
	for from := 0; from < len(c.rows); {
		to := from + 1
		for to < len(c.rows) && rate[c.rows[to]] == rate[c.rows[from]] {
			to++
		}
		c.do(d.Axpby(part(c.x, from, to), rate[c.rows[from]], part(c.direction, from, to), 1))
		from = to
	}
	c.do(d.Project(top(c.x, len(c.rows)), c.ascent.plan.Radius))
	if c.err == nil {
		for _, i := range c.rows {
			c.state.Steps[i]++
		}
	}
}
