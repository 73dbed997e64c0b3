package engine

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// plainAscent is the definition of [Ascent].
type plainAscent struct {
	plan    Ascent
	fixed   workspace // weights and biases
	weights []Matrix  // [units, inputs] of each layer, the target layer last
	biases  []Matrix  // [1, units] of each layer below the target
}

func newPlainAscent(d Device, p Ascent) (*plainAscent, error) {
	if err := CheckAscent(p); err != nil {
		return nil, err
	}
	r := &plainAscent{plan: p, fixed: workspace{device: d}}
	for _, l := range p.Layers {
		r.weights = append(r.weights, r.fixed.upload(l.Weight))
		r.biases = append(r.biases, r.fixed.upload(Host{Rows: 1, Cols: len(l.Bias), Data: l.Bias}))
	}
	if r.fixed.err != nil {
		return nil, errors.Join(r.fixed.err, r.Close())
	}
	return r, nil
}

func (r *plainAscent) Close() error { return r.fixed.Close() }

// ascentCall is one call of Run: the rows that have not stopped, close together.
type ascentCall struct {
	workspace
	plan    Ascent
	weights []Matrix
	biases  []Matrix
	state   *AscentState
	rows    []int // row of the state of each row here

	// Matrices with a row for each of the first rows; only the top
	// len(rows) of them are in use.
	x, target, direction, spare Matrix
	spareTarget                 Matrix
	hidden, delta               []Matrix  // [rows, units] of each layer below the target
	numbers                     Matrix    // [rows, 1]
	noTerms                     [2]Matrix // [rows, 0] and [0, width]: a product over no terms

	activation, norm, chord []float32
}

// Run implements [AscentRunner].
func (r *plainAscent) Run(s *AscentState, steps int) (progress AscentProgress, err error) {
	if err := CheckAscentState(r.plan, s); err != nil {
		return progress, err
	}
	c := r.newCall(s)
	defer func() { err = errors.Join(err, c.Close()) }()
	for ; steps > 0 && len(c.rows) > 0 && c.err == nil; steps-- {
		progress.RowSteps += int64(len(c.rows))
		c.evaluate()
		going, err := c.judge()
		if err != nil {
			return progress, err
		}
		c.keep(going)
		c.move()
	}
	for k := range c.rows {
		c.store(k)
	}
	progress.Active = len(c.rows)
	return progress, c.err
}

func (r *plainAscent) newCall(s *AscentState) *ascentCall {
	c := &ascentCall{workspace: workspace{device: r.fixed.device}, plan: r.plan, weights: r.weights, biases: r.biases, state: s}
	var units []int
	for i, stop := range s.Stop {
		if stop == Running {
			c.rows = append(c.rows, i)
			units = append(units, s.Units[i])
		}
	}
	n, inputs := len(c.rows), r.plan.Layers[0].Weight.Cols
	top := len(r.weights) - 1
	width := r.plan.Layers[top].Weight.Cols
	c.x, c.direction, c.spare = c.matrix(n, inputs), c.matrix(n, inputs), c.matrix(n, inputs)
	c.target, c.spareTarget = c.matrix(n, width), c.matrix(n, width)
	c.numbers = c.matrix(n, 1)
	c.noTerms = [2]Matrix{c.matrix(n, 0), c.matrix(0, width)}
	for _, l := range r.plan.Layers[:top] {
		c.hidden = append(c.hidden, c.matrix(n, l.Weight.Rows))
		c.delta = append(c.delta, c.matrix(n, l.Weight.Rows))
	}
	c.gather(c.x, s.X, c.rows)
	c.gather(c.target, r.weights[top], units)
	c.activation, c.norm, c.chord = make([]float32, n), make([]float32, n), make([]float32, n)
	return c
}

// evaluate computes, for each row here, the activation without its bias, the
// norm of the gradient, the direction of ascent (the gradient scaled to the
// radius), and how far that is from x.
func (c *ascentCall) evaluate() {
	n := len(c.rows)
	x, target, direction, numbers := c.top(c.x, n), c.top(c.target, n), c.top(c.direction, n), c.top(c.numbers, n)
	below := x
	for l := range c.hidden {
		forward := Multiply(false, true)
		forward.Epilogue = Epilogue{Kind: EpilogueSigmoid, Bias: c.biases[l]}
		hidden := c.top(c.hidden[l], n)
		c.gemm(hidden, below, c.weights[l], forward)
		below = hidden
	}
	c.reduce(numbers, below, Reduction{Kind: RowDots, With: target, Alpha: 1})
	c.read(c.activation[:n], numbers)

	c.backward(n, target, direction)
	c.reduce(numbers, direction, Total(RowNorms))
	c.read(c.norm[:n], numbers)
	c.axpby(direction, c.plan.Direction, direction, 0)
	c.project(direction, c.plan.Radius)

	// The tangential part of g is the sine of its angle to x. From the chord
	// between x and g scaled to the sphere it comes out exactly where it
	// matters, near 0; 1-cosine^2 would lose half the digits there.
	spare := c.top(c.spare, n)
	c.axpby(spare, 1, direction, 0)
	c.axpby(spare, -1, x, 1)
	c.reduce(numbers, spare, Total(RowNorms))
	c.read(c.chord[:n], numbers)
}

// backward computes d_{l-1} = W_l' (d_l * h_l (1-h_l)) from the target's
// weights down to the input.
func (c *ascentCall) backward(n int, target, gradient Matrix) {
	if len(c.hidden) == 0 {
		c.axpby(gradient, 1, target, 0)
		return
	}
	top := len(c.hidden) - 1
	delta := c.top(c.delta[top], n)
	c.axpby(delta, 1, target, 0)
	// A product over no terms leaves its epilogue: delta * h (1-h).
	c.gemm(delta, c.top(c.noTerms[0], n), c.noTerms[1], Product{Beta: 1, Epilogue: Epilogue{Kind: EpilogueDerivative, Hidden: c.top(c.hidden[top], n)}})
	for l := top; l > 0; l-- {
		down := Multiply(false, false)
		down.Epilogue = Epilogue{Kind: EpilogueDerivative, Hidden: c.top(c.hidden[l-1], n)}
		next := c.top(c.delta[l-1], n)
		c.gemm(next, delta, c.weights[l], down)
		delta = next
	}
	c.gemm(gradient, delta, c.weights[0], Multiply(false, false))
}

// judge records what evaluate found and decides which rows go on; it returns
// their places here.
func (c *ascentCall) judge() (going []int, err error) {
	if c.err != nil {
		return nil, nil
	}
	for k, i := range c.rows {
		if err := c.plan.Judge(c.state, i, c.activation[k], c.norm[k], c.chord[k]); err != nil {
			return nil, err
		}
		if c.state.Stop[i] == Running {
			going = append(going, k)
		}
	}
	return going, nil
}

// Judge records one evaluation of row i in the state, sets the row's rate and
// decides whether it stops. unbiased is the activation without the bias, norm
// that of the gradient, and chord the distance between x and the direction of
// the ascent scaled to the sphere. It is exported for devices with an ascent of
// their own, so that all stop by one rule.
func (p *Ascent) Judge(s *AscentState, i int, unbiased, norm, chord float32) error {
	layer := len(p.Layers)
	a := unbiased + p.Layers[layer-1].Bias[s.Units[i]]
	if v := a - a + norm - norm; v != 0 {
		return fmt.Errorf("ascent: layer %d, unit %d, step %d: activation %g, gradient norm %g: %w", layer, s.Units[i], s.Steps[i], a, norm, ErrNotFinite)
	}
	s.Gradient[i] = norm
	s.Tangent[i] = sineOfChord(float64(chord) / float64(p.Radius))
	if norm <= VanishedGradient {
		s.Tangent[i] = 0
	}
	if s.Steps[i] == 0 {
		s.StartActivation[i], s.Rate[i], s.Slow[i] = a, p.Rate, 0
	} else {
		p.compare(s, i, (a-s.Activation[i])*p.Direction, a)
	}
	s.Activation[i] = a
	switch {
	case norm <= VanishedGradient:
		s.Stop[i] = StopVanished
	case s.Slow[i] >= p.Patience:
		s.Stop[i] = StopConverged
	case s.Steps[i] >= p.MaxSteps:
		s.Stop[i] = StopSteps
	}
	if s.Curves != nil {
		p.record(s, i)
	}
	return nil
}

// record takes the activation of row i into its curve. When the row has stopped,
// it is the activation after any number of steps more.
func (p *Ascent) record(s *AscentState, i int) {
	at, now := slices.BinarySearch(p.CurveSteps, s.Steps[i])
	if s.Stop[i] != Running {
		for t := at; t < len(p.CurveSteps); t++ {
			s.Curves[i][t] = s.Activation[i]
		}
	} else if now {
		s.Curves[i][at] = s.Activation[i]
	}
}

// compare takes in what the latest step of row i has gained.
func (p *Ascent) compare(s *AscentState, i int, gain, a float32) {
	if gain < 0 {
		s.Rate[i] /= 2
	}
	if gain <= p.Tolerance*abs(a) && s.Tangent[i] <= OptimumTangent {
		s.Slow[i]++
	} else {
		s.Slow[i] = 0
	}
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// sineOfChord is the sine of the angle whose chord on the unit circle is c.
func sineOfChord(c float64) float32 {
	return float32(c * math.Sqrt(max(0, 1-c*c/4)))
}

// keep drops all rows but those at these places, closing the gaps.
func (c *ascentCall) keep(going []int) {
	if c.err != nil || len(going) == len(c.rows) {
		return
	}
	kept := map[int]bool{}
	var rows []int
	for _, k := range going {
		kept[k] = true
		rows = append(rows, c.rows[k])
	}
	for k := range c.rows {
		if !kept[k] {
			c.store(k)
		}
	}
	n, before := len(going), len(c.rows)
	compact := func(m, spare *Matrix) {
		c.gather(c.top(*spare, n), c.top(*m, before), going)
		*m, *spare = *spare, *m
	}
	compact(&c.x, &c.spare)
	compact(&c.direction, &c.spare)
	compact(&c.target, &c.spareTarget)
	c.rows = rows
}

// store copies the row at place k back to the state.
func (c *ascentCall) store(k int) {
	i := c.rows[k]
	c.axpby(c.slice(c.state.X, i, i+1), 1, c.slice(c.x, k, k+1), 0)
}

// move takes one step on the sphere with every row here.
func (c *ascentCall) move() {
	n := len(c.rows)
	x, direction := c.top(c.x, n), c.top(c.direction, n)
	for k, i := range c.rows {
		c.axpby(c.slice(x, k, k+1), c.state.Rate[i], c.slice(direction, k, k+1), 1)
	}
	c.project(x, c.plan.Radius)
	if c.err == nil {
		for _, i := range c.rows {
			c.state.Steps[i]++
		}
	}
}
