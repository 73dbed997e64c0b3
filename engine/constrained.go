package engine

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
)

// footing is what a row of a constrained ascent keeps from step to step.
type footing struct {
	x, gradient []float32 // where it stands, and the gradient there of what it climbs
	objective   float64   // what it climbs: the goal less penalties
	best        float64   // the highest objective so far
	along       float64   // the norm of the part of the gradient that steps can follow
	steepest    float64   // the largest norm of the goal's gradient so far
	stride      float64   // its next step is to the point nearest to x + stride gradient
}

// constrained is one call of Ascend with a constraint other than the sphere or with
// penalties. The device computes goals and their gradients; everything else is done
// here, for all devices, in float64. Products that are added are rounded before, so that
// no processor's fused multiply-add gives other bits.
type constrained struct {
	workspace
	model *Model
	state *AscentState
	aims  Aims
	rule  Rule
	all   []float32 // x of the state; of rows that have not stopped, where they step next

	x, gradient Matrix // [rows, inputs]
	row         []int  // row of the state of each row here

	// On the host, for each row here.
	tried, slope, values []float32
}

// ascendConstrained is the definition of such ascents, and no device has another.
func (m *Model) ascendConstrained(s *AscentState, aims Aims, r Rule, steps int) (progress AscentProgress, err error) {
	c := &constrained{workspace: workspace{device: m.device}, model: m, state: s, aims: aims, rule: r}
	defer func() { err = errors.Join(err, c.Close()) }()
	c.begin()
	for ; steps > 0 && len(c.row) > 0 && c.err == nil; steps-- {
		progress.RowSteps += int64(len(c.row))
		c.evaluate()
		if c.err == nil {
			c.err = c.judge()
		}
		c.row = slices.DeleteFunc(c.row, func(i int) bool { return s.Stop[i] != Running })
	}
	if c.err == nil {
		c.err = s.X.Write(c.all)
	}
	progress.Active = len(c.row)
	return progress, c.err
}

func (c *constrained) begin() {
	s, inputs := c.state, c.model.net.Input.Size()
	if s.footings == nil {
		s.footings = make([]footing, len(s.Climbs))
	}
	c.all = make([]float32, len(s.Climbs)*inputs)
	c.read(c.all, s.X)
	for i, stop := range s.Stop {
		if stop != Running {
			continue
		}
		c.row = append(c.row, i)
		if s.Steps[i] == 0 {
			c.rule.Nearest(c.at(i))
		}
	}
	n := len(c.row)
	c.x, c.gradient = c.matrix(n, inputs), c.matrix(n, inputs)
	c.tried, c.slope, c.values = make([]float32, n*inputs), make([]float32, n*inputs), make([]float32, n)
}

// at is x of row i of the state.
func (c *constrained) at(i int) []float32 {
	inputs := c.model.net.Input.Size()
	return c.all[i*inputs : (i+1)*inputs]
}

// evaluate computes goals and their gradients where the rows here have stepped.
func (c *constrained) evaluate() {
	n, inputs := len(c.row), c.model.net.Input.Size()
	goals := make([]int, n)
	for k, i := range c.row {
		goals[k] = c.aims.Row[i]
		copy(c.tried[k*inputs:], c.at(i))
	}
	x, gradient := c.top(c.x, n), c.top(c.gradient, n)
	if c.err == nil {
		c.err = x.Write(c.tried[:n*inputs])
	}
	if c.err == nil {
		c.err = c.model.loaded.Gradient(gradient, x, Aims{Reads: c.aims.Reads, Constant: c.aims.Constant, Row: goals}, c.values[:n])
	}
	c.read(c.slope[:n*inputs], gradient)
}

// judge takes in what was found, row by row, and steps on. Its error is that of the
// first row that has one.
func (c *constrained) judge() error {
	n, inputs := len(c.row), c.model.net.Input.Size()
	failed := make([]error, n)
	inParts(n, func(from, to int) {
		penalty := make([]float64, inputs)
		for k := from; k < to; k++ {
			failed[k] = c.judgeRow(c.row[k], c.values[k], c.slope[k*inputs:(k+1)*inputs], penalty)
		}
	})
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// inParts has n rows done, each once, on all processors.
func inParts(n int, part func(from, to int)) {
	parts := min(n, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for p := range parts {
		all.Go(func() { part(p*n/parts, (p+1)*n/parts) })
	}
	all.Wait()
}

// judgeRow takes in the goal of row i where it has stepped, and the goal's gradient there,
// which becomes that of what the row climbs; penalty is room for that of penalties.
func (c *constrained) judgeRow(i int, goal float32, gradient []float32, penalty []float64) error {
	s, r, f, x := c.state, &c.rule, &c.state.footings[i], c.at(i)
	own := float32(length(gradient))
	if v := goal - goal + own - own; v != 0 {
		return &RowError{i, s.Steps[i], goal, own}
	}
	taken, against := 0.0, 0.0
	if r.Penalty.L2 > 0 || r.Penalty.TotalVariation > 0 {
		taken = r.Penalty.of(penalty, x, r.Penalty.picture(c.model.net.Input), float64(r.Radius))
		for j, p := range penalty {
			gradient[j] = float32(float64(gradient[j]) - p)
			against += float64(p * p)
		}
		against = math.Sqrt(against)
	}
	objective, start := float64(goal)-taken, s.Steps[i] == 0
	if !start && !f.gains(x, objective, lost*(math.Abs(float64(goal))+taken)) {
		copy(x, f.x)
		f.stride /= 2
	} else {
		along := r.along(x, gradient)
		longest := 0.0
		if along > 0 {
			longest = float64(r.Rate) * float64(r.Radius) / along
		}
		f.steepest = max(f.steepest, float64(own))
		s.Activation[i], s.Penalty[i], s.Gradient[i], s.Tangent[i] = goal, float32(taken), own, 0
		if own > VanishedGradient {
			s.Tangent[i] = float32(along / (f.steepest + against))
		}
		if start {
			s.StartActivation[i], s.Slow[i], f.stride, f.best = goal, 0, longest, objective
		} else {
			r.slow(s, i, objective-f.best, objective)
			f.stride = min(f.reach(x, gradient), longest)
		}
		f.stand(x, gradient, objective, along)
	}
	r.step(s, i, x)
	if s.Curves != nil {
		r.record(s, i)
	}
	return nil
}

// lost is how much of a goal may be lost in rounding, relative to its size.
const lost = 5e-7

// leastGain is the part of the gain that the gradient promises of a step which the step
// must have.
const leastGain = 1e-4

// gains says whether a step to x has gained enough.
func (f *footing) gains(x []float32, objective, rounding float64) bool {
	moved := 0.0
	for j, v := range x {
		d := float64(v) - float64(f.x[j])
		moved += float64(d * d)
	}
	return objective >= f.objective+leastGain*moved/f.stride-rounding
}

// reach is the stride after a step to x, where the gradient is another: the one that
// would have led to where the gradient along the step is 0, had it gone on changing as it did
// (Barzilai and Borwein 1988). Where it has not become smaller the stride grows.
func (f *footing) reach(x, gradient []float32) float64 {
	moved, bent := 0.0, 0.0
	for j, v := range x {
		d := float64(v) - float64(f.x[j])
		moved += float64(d * d)
		bent += float64(d * (float64(f.gradient[j]) - float64(gradient[j])))
	}
	if stride := 4 * f.stride; !(bent > 0) || moved/bent > stride {
		return stride
	}
	return moved / bent
}

// stand has the row stand at x.
func (f *footing) stand(x, gradient []float32, objective, along float64) {
	f.x = append(f.x[:0], x...)
	f.gradient = append(f.gradient[:0], gradient...)
	f.objective, f.along, f.best = objective, along, max(f.best, objective)
}

// slow counts evaluations that look converged. Gains are over the best so far: rounding
// may go up and down for ever.
func (r *Rule) slow(s *AscentState, i int, gain, objective float64) {
	if gain <= float64(r.Tolerance)*math.Abs(objective) && s.Tangent[i] <= OptimumTangent {
		s.Slow[i]++
	} else {
		s.Slow[i] = 0
	}
}

// step moves x of row i on from where it stands, or says why it stops there.
func (r *Rule) step(s *AscentState, i int, x []float32) {
	f := &s.footings[i]
	s.Rate[i] = float32(f.stride * f.along / float64(r.Radius))
	switch {
	case s.Gradient[i] <= VanishedGradient:
		s.Stop[i] = StopVanished
	case s.Slow[i] >= r.Patience:
		s.Stop[i] = StopConverged
	case s.Steps[i] >= r.MaxSteps:
		s.Stop[i] = StopSteps
	default:
		for j, g := range f.gradient {
			x[j] = float32(float64(x[j]) + float64(f.stride*float64(g)))
		}
		if r.Nearest(x); f.stride == 0 || slices.Equal(x, f.x) {
			s.Stop[i] = StopConverged // no step is too small to see, or leads anywhere
			return
		}
		s.Steps[i]++
		return
	}
	f.x, f.gradient = nil, nil
}
