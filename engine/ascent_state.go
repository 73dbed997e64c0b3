package engine

import "fmt"

// StopReason says why a row's ascent ended.
type StopReason uint8

// The reasons.
const (
	Running       StopReason = iota // it has not
	StopConverged                   // the row is at an optimum
	StopSteps                       // the limit on steps was reached
	StopVanished                    // there is no gradient: a dead or saturated unit
	StopRidge                       // no step gains what the gradient promises, as where rectified units turn on
	StopFlat                        // not at an optimum, but there is next to nothing to gain
)

// String returns "running", "converged", "steps", "vanished", "ridge" or "flat".
func (s StopReason) String() string {
	switch s {
	case Running:
		return "running"
	case StopConverged:
		return "converged"
	case StopSteps:
		return "steps"
	case StopVanished:
		return "vanished"
	case StopRidge:
		return "ridge"
	case StopFlat:
		return "flat"
	}
	return fmt.Sprintf("StopReason(%d)", uint8(s))
}

// VanishedGradient is the threshold of [StopVanished]: a row has a vanished
// gradient when ||g|| is at most this. Below it the squares of g's components
// leave the range of float32, and with them its direction. A small gradient
// above it still shows the way.
const VanishedGradient = 1e-16

// OptimumTangent is how far, as the sine of an angle, the gradient of a row that
// has converged may be from the normal of the sphere; with another constraint or with
// penalties, the Tangent that it may have.
const OptimumTangent = 0.1

// AscentState is what a batch of rows carries from step to step, and from one call
// of [Model.Ascend] to the next. Slices are [rows]. Of a row that has stopped,
// everything refers to its final x; of one that has not, the numbers refer to the x
// before its latest step.
type AscentState struct {
	Goals           []Goal       // what there is to climb
	Climbs          []int        // which of the goals the row climbs
	X               Matrix       // [rows, inputs] on the device; the starts before the first call
	Activation      []float32    // latest value of the row's goal: of a unit's, its activation times the weight
	StartActivation []float32    // the goal's value at the start
	Gradient        []float32    // ||g||
	Tangent         []float32    // ||g - (g.x/rho^2) x|| / ||g||, 0 at a first-order optimum on the sphere; else see [Rule]
	Penalty         []float32    // what penalties take: Activation less it is climbed
	GainLeft        []float32    // what the gradient promises of one more radius along the sphere, relative to max(|a|, ||g|| rho); else see [Rule]
	Steps           []int        // steps taken, and not taken back
	Evaluations     []int        // of the goal and its gradient
	Rate            []float32    // of the next step, relative to the radius
	Slow            []int        // steps in a row that gained next to nothing
	Stop            []StopReason // why the row has stopped, or Running
	// Curves, if not nil, are filled in as the rows climb: Curves[i][t] is the
	// Activation of row i after the rule's CurveSteps[t] steps, kept or taken back, or its last one if
	// it has stopped before. They change nothing else.
	Curves [][]float32

	climbs   []climb   // of ascents on the sphere
	footings []footing // of others
}

// NewAscentState returns the state of rows at their starts. climbs says which of the
// goals each row climbs. x [len(climbs), inputs] is used in place and stays the
// caller's to close. Its rows must lie on the sphere; Device.Uniform and
// Device.Project make random ones. With another constraint, or with penalties, those
// that are elsewhere begin at the nearest point that is allowed ([Rule.Nearest]).
func NewAscentState(goals []Goal, climbs []int, x Matrix) *AscentState {
	n := len(climbs)
	return &AscentState{
		Goals: goals, Climbs: climbs, X: x,
		Activation: make([]float32, n), StartActivation: make([]float32, n),
		Gradient: make([]float32, n), Tangent: make([]float32, n), Penalty: make([]float32, n),
		GainLeft: make([]float32, n), Steps: make([]int, n), Evaluations: make([]int, n), Rate: make([]float32, n), Slow: make([]int, n), Stop: make([]StopReason, n),
	}
}

// check checks the lengths of a state's slices.
func (s *AscentState) check(n int, curveSteps []int) error {
	for _, length := range []int{len(s.Activation), len(s.StartActivation), len(s.Gradient), len(s.Tangent), len(s.Penalty), len(s.GainLeft), len(s.Steps), len(s.Evaluations), len(s.Rate), len(s.Slow), len(s.Stop)} {
		if length != n {
			return fmt.Errorf("ascent: state of %d rows has a slice of length %d", n, length)
		}
	}
	if s.Curves != nil && len(s.Curves) != n {
		return fmt.Errorf("ascent: state of %d rows has %d curves", n, len(s.Curves))
	}
	for i, curve := range s.Curves {
		if len(curve) != len(curveSteps) {
			return fmt.Errorf("ascent: the curve of row %d has %d places for %d numbers of steps", i, len(curve), len(curveSteps))
		}
	}
	return nil
}

// AscentProgress is what one call of [Model.Ascend] did.
type AscentProgress struct {
	Active   int   // rows that have not stopped
	RowSteps int64 // evaluations of the gradient, summed over rows
}
