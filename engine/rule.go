package engine

import (
	"fmt"
	"math"
	"slices"
)

// Rule is how rows climb, and when they stop (section 3 of the paper): projected
// gradient ascent on the sphere ||x|| = Radius. With a row's goal a,
//
//	g = da/dx
//	x <- x + rate Radius g/||g||;  x <- Radius x/||x||
//
// A row's rate begins at Rate and is halved whenever a step has lost some of a.
//
// The paper steps along g itself, with one step size for a whole layer. Where
// the units below are saturated, as at most random starts of a well-trained
// auto-encoder, g is smaller than elsewhere by many powers of ten: no step size
// then both leaves such a plateau and settles at the optimum. A step of a given
// angle does, and the same Rate serves networks of any scale.
//
// A row stops when it has converged, when Steps reaches MaxSteps, or when its
// gradient has vanished. It has converged when for Patience evaluations in a row
// its gain was at most Tolerance |a| and its gradient nearly normal to the sphere,
// Tangent <= [OptimumTangent]; a small gain alone may be a plateau.
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
// is tried: f never falls by more than rounding. That is a step too, in Steps. Total
// variation bends f the more the greater its weight: hundreds of steps are usual then.
//
// Activation stays the goal's own value a, and so does Gradient, ||da/dx||; the state's
// Penalty says what is taken. Tangent is ||p|| relative to the largest ||da/dx|| so far and
// the penalties' gradient: 0 at any optimum, also one inside where a and penalties
// balance. Gains are over the highest f so far, and Tolerance is relative to |f|. A row has
// converged, too, when no step along g gains, however short, as on a ridge where
// rectified units turn on; then Tangent need not be small.
//
// The device computes a and da/dx, of all cards together the first; the rest is one piece
// of code for all devices, on the host.
type Rule struct {
	Rate      float32 // the first step, relative to Radius, > 0
	Radius    float32 // rho, > 0, of all constraints
	Tolerance float32 // relative gain, >= 0
	Patience  int     // evaluations, >= 1
	MaxSteps  int     // steps of a row, >= 0
	// CurveSteps are the numbers of steps, rising from 0 or more, after which a
	// state's Curves take in the activation; nil for none.
	CurveSteps []int
	Constraint Constraint // where rows may be; the sphere, unless another is asked for
	Penalty    Penalty    // what is taken off the goal; nothing, unless something is asked for
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
	Row, Step            int
	Activation, Gradient float32 // the gradient's norm
}

func (e *RowError) Error() string {
	return fmt.Sprintf("ascent: row %d, step %d: activation %g, gradient norm %g: %v", e.Row, e.Step, e.Activation, e.Gradient, ErrNotFinite)
}

// Unwrap returns [ErrNotFinite].
func (e *RowError) Unwrap() error { return ErrNotFinite }

// Judge records one evaluation of row i in the state, sets the row's rate and
// decides whether it stops. a is the row's goal, norm that of the gradient, and chord
// the distance between x and the gradient scaled to the sphere. It is exported for
// devices with an ascent of their own, so that all stop by one rule. Its error is a
// [RowError].
func (r *Rule) Judge(s *AscentState, i int, a, norm, chord float32) error {
	if v := a - a + norm - norm; v != 0 {
		return &RowError{i, s.Steps[i], a, norm}
	}
	s.Gradient[i] = norm
	s.Tangent[i] = sineOfChord(float64(chord) / float64(r.Radius))
	if norm <= VanishedGradient {
		s.Tangent[i] = 0
	}
	if s.Steps[i] == 0 {
		s.StartActivation[i], s.Rate[i], s.Slow[i] = a, r.Rate, 0
	} else {
		r.compare(s, i, a)
	}
	s.Activation[i] = a
	switch {
	case norm <= VanishedGradient:
		s.Stop[i] = StopVanished
	case s.Slow[i] >= r.Patience:
		s.Stop[i] = StopConverged
	case s.Steps[i] >= r.MaxSteps:
		s.Stop[i] = StopSteps
	}
	if s.Curves != nil {
		r.record(s, i)
	}
	return nil
}

// compare takes in what the latest step of row i has gained.
func (r *Rule) compare(s *AscentState, i int, a float32) {
	gain := a - s.Activation[i]
	if gain < 0 {
		s.Rate[i] /= 2
	}
	if gain <= r.Tolerance*abs(a) && s.Tangent[i] <= OptimumTangent {
		s.Slow[i]++
	} else {
		s.Slow[i] = 0
	}
}

// record takes the activation of row i into its curve. When the row has stopped,
// it is the activation after any number of steps more.
func (r *Rule) record(s *AscentState, i int) {
	at, now := slices.BinarySearch(r.CurveSteps, s.Steps[i])
	if s.Stop[i] != Running {
		for t := at; t < len(r.CurveSteps); t++ {
			s.Curves[i][t] = s.Activation[i]
		}
	} else if now {
		s.Curves[i][at] = s.Activation[i]
	}
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// sineOfChord is the sine of the angle whose chord on the unit circle is c.
func sineOfChord(c float64) float32 {
	return float32(c * math.Sqrt(max(0, 1-c*c/4)))
}
