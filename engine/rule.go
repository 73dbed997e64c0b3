package engine

import (
	"fmt"
	"math"
	"slices"
)

// Rule is how rows climb, and when they stop (section 3 of the paper): gradient ascent
// on the sphere ||x|| = Radius. With a row's goal a and g = da/dx, a row
//
//   - first tries Radius g/||g||, where a linear unit has its optimum, and comes back if
//     that is none;
//   - explores: x <- x + rate Radius g/||g||, and back to the sphere. rate begins at Rate and is halved
//     whenever a step has lost some of a. It ends when two steps in a row have gained less than a
//     thousandth, and after 50 steps;
//   - climbs to the optimum: by L-BFGS on the sphere with three pairs, steps of half a radian at
//     most. A step that has lost more than rounding may is taken back and tried shorter.
//
// The paper steps along g itself, with one step size for a whole layer. Where
// the units below are saturated, as at most random starts of a well-trained
// auto-encoder, g is smaller than elsewhere by many powers of ten: no step size
// then both leaves such a plateau and settles at the optimum. Steps of a given
// angle leave it, find better optima than short ones, and serve networks of any scale; but near an
// optimum that bends much more in some directions than in others they creep.
//
// What is left to gain, to first order, is GainLeft = ||p|| Radius / max(|a|, ||g|| Radius), p the
// part of g along the sphere. A row stops when
//
//   - it has converged: GainLeft < Tolerance and Tangent = ||p||/||g|| <= [OptimumTangent], and a
//     second look has found no saddle there. The look is one evaluation a hundredth of a radian aside, in
//     a direction that is as good as random and in the one of its last steps that bent least; where a
//     bends upwards the row climbs on from there;
//   - it is on a ridge, as where rectified units turn on: Patience steps in a row gained less
//     than a hundredth of what g promised, and next to nothing;
//   - it is on flat ground: GainLeft < Tolerance for 50 steps, and no optimum, as where units below are saturated;
//   - its gradient has vanished;
//   - it has had MaxSteps, steps taken back among them.
//
// All of this is a row's own: it depends on no other row, nor on how steps are cut into calls.
//
// # Other constraints, and penalties
//
// With a Constraint other than the sphere, or with a Penalty, what climbs is the
// objective f = a - penalty, also where a's weights are negative, by projected gradients:
//
//	g = df/dx
//	x <- the nearest point that is allowed to x + t g
//
// The first step has t ||p|| = Rate Radius, p the part of g that does not lead out, and no
// later one has more; in a box Radius is no more than this unit of length. After that t
// follows the curvature that the last step met (Barzilai and Borwein 1988). A step that has
// gained less than a ten thousandth of what g promised is taken back and half as long a one
// is tried: f never falls by more than rounding. Total
// variation bends f the more the greater its weight: hundreds of steps are usual then.
//
// Activation stays the goal's own value a, and so does Gradient, ||da/dx||; the state's
// Penalty says what is taken. Tangent is ||p|| relative to the largest ||da/dx|| so far and
// the penalties' gradient: 0 at any optimum, also one inside where a and penalties
// balance; GainLeft is ||p|| Radius / max(|f|, ||da/dx|| Radius). A row has converged by GainLeft and Tangent,
// as on the sphere but without a second look, or when for Patience steps f was at most Tolerance |f| over the
// highest so far, with such a Tangent. When no step along g gains, however short, as on a
// ridge where rectified units turn on, the row stops too.
//
// The device computes a and da/dx; the rest is one piece of code for all devices, on the
// host.
type Rule struct {
	Rate      float32 // the first exploring step, relative to Radius, > 0
	Radius    float32 // rho, > 0, of all constraints
	Tolerance float32 // of GainLeft, >= 0; 0 for never
	Patience  int     // steps, >= 1
	MaxSteps  int     // of a row, those taken back among them, >= 0; it has one evaluation more
	// CurveSteps are numbers of steps, those taken back among them, rising from 0 or
	// more, after which a state's Curves take in the activation; nil for none.
	CurveSteps []int
	Constraint Constraint // where rows may be; the sphere, unless another is asked for
	Penalty    Penalty    // what is taken off the goal; nothing, unless something is asked for
}

// onSphere says whether rows climb on the sphere, and the goal alone.
func (r *Rule) onSphere() bool {
	return r.Constraint.Kind == Sphere && r.Penalty.L2 == 0 && r.Penalty.TotalVariation == 0
}

func (r Rule) check(input Shape) error {
	switch {
	case !(r.Rate > 0) || math.IsInf(float64(r.Rate), 0):
		return fmt.Errorf("rate %g, want a finite number above 0", r.Rate)
	case !(r.Radius > 0) || math.IsInf(float64(r.Radius), 0):
		return fmt.Errorf("radius %g, want a finite number above 0", r.Radius)
	case !(r.Tolerance >= 0):
		return fmt.Errorf("tolerance %g, want a number >= 0", r.Tolerance)
	case r.Patience < 1:
		return fmt.Errorf("patience %d, want at least 1", r.Patience)
	case r.MaxSteps < 0:
		return fmt.Errorf("at most %d steps, want 0 or more", r.MaxSteps)
	}
	for t, steps := range r.CurveSteps {
		if steps < 0 || t > 0 && steps <= r.CurveSteps[t-1] {
			return fmt.Errorf("curves after %v steps, want rising numbers from 0 or more", r.CurveSteps)
		}
	}
	if err := r.Constraint.check(); err != nil {
		return err
	}
	return r.Penalty.check(input)
}

// RowError is the error of a row whose numbers are not finite.
type RowError struct {
	Row, Step            int     // of the state, and the evaluations of the row before this one
	Activation, Gradient float32 // the gradient's norm
}

func (e *RowError) Error() string {
	return fmt.Sprintf("ascent: row %d, step %d: activation %g, gradient norm %g: %v", e.Row, e.Step, e.Activation, e.Gradient, ErrNotFinite)
}

// Unwrap returns [ErrNotFinite].
func (e *RowError) Unwrap() error { return ErrNotFinite }

// record takes the activation of row i into its curve. When the row has stopped,
// it is the activation after any number of steps more.
func (r *Rule) record(s *AscentState, i int) {
	at, now := slices.BinarySearch(r.CurveSteps, s.Evaluations[i]-1)
	if s.Stop[i] != Running {
		for t := at; t < len(r.CurveSteps); t++ {
			s.Curves[i][t] = s.Activation[i]
		}
	} else if now {
		s.Curves[i][at] = s.Activation[i]
	}
}
