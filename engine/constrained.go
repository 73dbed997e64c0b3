package engine

import (
	"math"
	"slices"
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

// judgeRow takes in the goal of row i where it has stepped, and the goal's gradient there,
// which becomes that of what the row climbs; penalty is room for that of penalties.
func (c *ascent) judgeRow(i int, goal float32, gradient []float32, penalty []float64) error {
	s, r, f, x := c.state, &c.rule, &c.state.footings[i], c.at(i)
	own := float32(length(gradient))
	if v := goal - goal + own - own; v != 0 {
		return &RowError{i, s.Evaluations[i], goal, own}
	}
	start := s.Evaluations[i] == 0
	s.Evaluations[i]++
	taken, against := 0.0, 0.0
	if r.Penalty.L2 > 0 || r.Penalty.TotalVariation > 0 {
		taken = r.Penalty.of(penalty, x, r.Penalty.picture(c.model.net.Input), float64(r.Radius))
		for j, p := range penalty {
			gradient[j] = float32(float64(gradient[j]) - p)
			against += float64(p * p)
		}
		against = math.Sqrt(against)
	}
	objective := float64(goal) - taken
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
		s.GainLeft[i] = float32(along * float64(r.Radius) / max(math.Abs(objective), float64(own)*float64(r.Radius), math.SmallestNonzeroFloat64))
		if start {
			s.StartActivation[i], s.Slow[i], f.stride, f.best = goal, 0, longest, objective
		} else {
			s.Steps[i]++
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
	case s.Slow[i] >= r.Patience || s.GainLeft[i] < r.Tolerance && s.Tangent[i] <= OptimumTangent:
		s.Stop[i] = StopConverged
	case r.out(s, i):
		s.Stop[i] = StopSteps
	default:
		for j, g := range f.gradient {
			x[j] = float32(float64(x[j]) + float64(f.stride*float64(g)))
		}
		if r.Nearest(x); f.stride == 0 || slices.Equal(x, f.x) {
			// No step is large enough to be seen, or leads anywhere.
			if s.Stop[i] = StopConverged; s.Tangent[i] > OptimumTangent {
				s.Stop[i] = StopRidge
			}
		} else {
			return
		}
	}
	f.x, f.gradient = nil, nil
}
