//go:build cuda

package gpu

import (
	"fmt"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// climb is an ascent of units of a stack's last layer: for these tests, what a plan is.
type climb struct {
	layers    []engine.Layer
	direction float32 // +1 to maximise, -1 to minimise
	rule      engine.Rule
}

// climber runs a climb on the loaded stack.
type climber struct {
	*engine.Model
	rule engine.Rule
}

func (r climber) run(s *engine.AscentState, steps int) (engine.AscentProgress, error) {
	return r.Ascend(s, r.rule, steps)
}

// on loads the stack.
func (c climb) on(d engine.Device, load func(engine.Device, engine.Net) (*engine.Model, error)) (engine.Runner, error) {
	m, err := load(d, engine.Stack(c.layers))
	if err != nil {
		return nil, err
	}
	return climber{m, c.rule}, nil
}

// state has a row at x for each of some units.
func (c climb) state(units []int, x engine.Matrix) *engine.AscentState {
	top := len(c.layers)
	goals := make([]engine.Goal, len(c.layers[top-1].Bias))
	for unit := range goals {
		goals[unit] = engine.Goal{Terms: []engine.Term{{At: engine.Value(top), Unit: unit, Weight: c.direction}}}
	}
	return engine.NewAscentState(goals, units, x)
}

// stackClimb climbs units on top of so many hidden layers.
func stackClimb(hidden int) climb {
	sizes := []int{9, 12, 11, 70}[:hidden+1]
	c := climb{direction: 1, rule: engine.Rule{Rate: 0.8, Radius: 3, Tolerance: 1e-5, Patience: 2, MaxSteps: 40}}
	for l, inputs := range sizes {
		units := 5
		if l+1 < len(sizes) {
			units = sizes[l+1]
		}
		c.layers = append(c.layers, engine.Layer{
			Weight: engine.Host{Rows: units, Cols: inputs, Data: numbers(units*inputs, uint32(l), 2-float32(l)/2)},
			Bias:   numbers(units, uint32(l)+10, 0.5),
		})
	}
	return c
}

// rows returns so many at their starts.
func (c climb) rows(t *testing.T, d engine.Device, rows int) *engine.AscentState {
	t.Helper()
	inputs, units := c.layers[0].Weight.Cols, make([]int, rows)
	for i := range units {
		units[i] = i % 5
	}
	x := newMatrix(t, d, rows, inputs, numbers(rows*inputs, 41, 1))
	if err := d.Project(x, c.rule.Radius); err != nil {
		t.Fatal(err)
	}
	return c.state(units, x)
}

// all runs until all rows have stopped.
func (r climber) all(t *testing.T, s *engine.AscentState, steps int) (rowSteps int64) {
	t.Helper()
	for active := len(s.Climbs); active > 0; {
		progress, err := r.run(s, steps)
		if err != nil {
			t.Fatal(err)
		}
		active = progress.Active
		rowSteps += progress.RowSteps
	}
	return rowSteps
}

// TestAscentIsTheDefinition covers rows that stop and halve their rates at different
// times, in one run and in several.
func TestAscentIsTheDefinition(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	varied := false
	for hidden := range 4 {
		for _, c := range []struct {
			name  string
			steps int
			set   func(c *climb)
		}{
			{"in one run", 1000, func(*climb) {}},
			{"in several", 3, func(*climb) {}},
			{"down", 1000, func(c *climb) { c.direction = -1 }},
			{"where gradients vanish", 1000, func(c *climb) {
				clear(c.layers[len(c.layers)-1].Weight.Data[:c.layers[len(c.layers)-1].Weight.Cols])
			}},
		} {
			t.Run(fmt.Sprintf("%d hidden layers, %s", hidden, c.name), func(t *testing.T) {
				p := stackClimb(hidden)
				c.set(&p)
				own, plain := both[climber](t, d, p)
				const rows = 23
				got, want := p.rows(t, d, rows), p.rows(t, d, rows)
				gotRowSteps, wantRowSteps := own.all(t, got, c.steps), plain.all(t, want, 1000)
				compareStates(t, "after all runs", got, want)
				if gotRowSteps != wantRowSteps {
					t.Errorf("%d evaluations, by the definition %d", gotRowSteps, wantRowSteps)
				}
				varied = varied || len(slices.Compact(slices.Sorted(slices.Values(want.Rate)))) > 1
			})
		}
	}
	if !varied {
		t.Error("all rates stayed the same, so there was nothing to test with")
	}
}
