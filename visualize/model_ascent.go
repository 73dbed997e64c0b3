package visualize

import (
	"errors"
	"fmt"

	"github.com/unitscope/unitscope/engine"
)

// modelAscent has the rows of a state climb the units of a model's last value. Goals
// are linear: to go down is to climb the negative.
type modelAscent struct {
	model     *engine.Model
	rule      engine.Rule
	direction float32
}

// Close leaves the model, which others go on with, as it is.
func (modelAscent) Close() error { return nil }

// Run implements [engine.AscentRunner].
func (a modelAscent) Run(s *engine.AscentState, steps int) (engine.AscentProgress, error) {
	net := a.model.Net()
	if s.Goals == nil {
		s.Goals, s.Climbs = unitGoals(net, s.Units)
		for i := range s.Goals {
			s.Goals[i].Terms[0].Weight = a.direction
		}
	}
	// What a state says of its rows is their goals' value, which is exactly the
	// activation or its negative.
	a.turn(s)
	progress, err := a.model.Ascend(s, a.rule, steps)
	a.turn(s)
	var row *engine.RowError
	if errors.As(err, &row) {
		return progress, fmt.Errorf("unit %d: %w", s.Units[row.Row], err)
	}
	return progress, err
}

// turn goes from activations to goals, and back.
func (a modelAscent) turn(s *engine.AscentState) {
	if a.direction > 0 {
		return
	}
	for _, numbers := range append([][]float32{s.Activation, s.StartActivation}, s.Curves...) {
		for i := range numbers {
			numbers[i] = 0 - numbers[i] // no negative zeros
		}
	}
}
