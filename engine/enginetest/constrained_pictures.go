package enginetest

import (
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// pictures is a network of so many linear units of pictures, and a rule with total variation.
func (s *subject) pictures(units int, weight, l2 float32) (engine.Net, engine.Rule) {
	shape := engine.Shape{Channels: 2, Rows: 3, Cols: 4}
	net := s.stack(engine.Activation{}, shape.Size(), units)
	r := engine.Rule{Rate: 0.5, Radius: 3, Patience: 20, MaxSteps: 3000, Penalty: engine.Penalty{L2: l2, TotalVariation: weight}}
	if s.random.IntN(2) == 0 {
		net.Input = shape
	} else {
		r.Penalty.Picture = shape
	}
	return net, r
}

// checkVariation checks total variation: its value and, by a first step, its gradient;
// then the optimum of a linear unit with it against the reference's fixed steps.
func (s *subject) checkVariation() {
	const units, inputs = 3, 24
	net, r := s.pictures(units, 0.4, 0.5)
	shapes, goals := s.shapesOf(net), unitGoals(1, units, 1)
	starts := s.normals(units*inputs, 0.3)
	// The curvature is at most that of L2 and 8/e of total variation.
	step := 1 / (0.5 + 0.4*8/(0.1*float64(r.Radius)/math.Sqrt(inputs)))
	s.checkVariationOnSphere(net, r, goals, starts, step)
	for _, c := range constraints()[1:] {
		r.Constraint = c
		var want [][]float64
		for _, goal := range goals {
			want = append(want, penalised{net, shapes, goal, r}.solve(make([]float64, inputs), step, pick(4000, 1500)))
		}
		s.forEachModel(net, func(way string, m *engine.Model) {
			state, x, _ := s.ascend(m, r, goals, upTo(units), starts, 100)
			for i, goal := range goals {
				where, p, best := fmt.Sprintf("%s, %s, unit %d, %v", way, c.Kind, i, state.Stop[i]), penalised{net, shapes, goal, r}, want[i]
				value := p.value(best)
				s.near("value with total variation", where, []float32{float32(p.value(doubles(x[i*inputs : (i+1)*inputs])))}, []float64{value}, func(int) float64 { return 1e-6 * (1 + math.Abs(value)) })
				// The objective bends by 0.5 or more: 1e-6 of it is 2e-3 of x.
				s.near("optimum with total variation", where, x[i*inputs:(i+1)*inputs], best, func(int) float64 { return 2e-3 })
			}
		})
	}
	r.Constraint = engine.Constraint{Kind: engine.Ball}
	r.Radius, r.MaxSteps, r.Rate = 30, 1, 0.01 // nothing leads out of such a ball
	s.forEachModel(net, func(way string, m *engine.Model) {
		c := s.scene("%s, a step with total variation", way)
		state := engine.NewAscentState(goals, upTo(units), c.updated("x", units, inputs, starts))
		_, err := m.Ascend(state, r, 1)
		s.must(err)
		moved := s.read(state.X)
		c.end()
		for i, goal := range goals {
			p, x := penalised{net, shapes, goal, r}, doubles(starts[i*inputs:(i+1)*inputs])
			g := p.gradient(x)
			length := norm(g)
			for j := range g {
				g[j] = x[j] + 0.3*g[j]/length
			}
			s.near("penalty", c.name, state.Penalty[i:i+1], []float64{p.penalty(x)}, func(int) float64 { return 1e-6 * p.penalty(x) })
			s.near("step along the gradient", c.name, moved[i*inputs:(i+1)*inputs], g, func(int) float64 { return 1e-6 })
		}
	})
}

// checkVariationOnSphere: there may be several optima on the sphere, so that the reference
// begins where the device ends, and must not find more.
func (s *subject) checkVariationOnSphere(net engine.Net, r engine.Rule, goals []engine.Goal, starts []float32, step float64) {
	shapes, inputs := s.shapesOf(net), net.Input.Size()
	s.forEachModel(net, func(way string, m *engine.Model) {
		state, x, _ := s.ascend(m, r, goals, upTo(len(goals)), starts, 100)
		for i, goal := range goals {
			p, end := penalised{net, shapes, goal, r}, doubles(x[i*inputs:(i+1)*inputs])
			where := fmt.Sprintf("%s, unit %d, %v", way, i, state.Stop[i])
			more := p.value(p.solve(end, step, 500))
			s.near("value with total variation on the sphere", where, []float32{float32(p.value(end))}, []float64{more}, func(int) float64 { return 1e-6 * (1 + math.Abs(more)) })
			s.near("length on the sphere", where, []float32{float32(norm(end))}, []float64{float64(r.Radius)}, func(int) float64 { return 1e-6 * float64(r.Radius) })
		}
	})
}

// checkFlat: a great weight of total variation leaves flat channels, on which the goal is
// the sum of a unit's weights: it is highest in a corner of the box of flat pictures. How flat
// follows from e, which is 0.06: where weights sum to v on one side of an edge, a variation that
// weighs w leaves a difference of e v/w there. A far greater one leaves pictures flat, but
// where they are for long.
func (s *subject) checkFlat() {
	for _, weight := range []float32{5, 1000} {
		s.checkFlatFor(weight)
	}
}

func (s *subject) checkFlatFor(weight float32) {
	const units, inputs = 3, 24
	net, r := s.pictures(units, weight, 0)
	r.Constraint = engine.Constraint{Kind: engine.Box, Highest: 1}
	sign := []float32{-0.3, 0.3}
	for i := range net.Ops[0].Weight.Data { // sums that are not near 0
		net.Ops[0].Weight.Data[i] += sign[i*4/(units*inputs)%2]
	}
	s.forEachModel(net, func(way string, m *engine.Model) {
		state, x, _ := s.ascend(m, r, unitGoals(1, units, 1), upTo(units), s.uniforms(units*inputs), 100)
		for i := range units {
			for channel := range 2 {
				at := i*inputs + channel*inputs/2
				picture, sum := doubles(x[at:at+inputs/2]), 0.0
				for _, w := range net.Ops[0].Weight.Data[at : at+inputs/2] {
					sum += float64(w)
				}
				want := 0.0
				if sum > 0 {
					want = 1
				}
				where := fmt.Sprintf("%s, weight %g, unit %d, channel %d, %v after %d steps", way, weight, i, channel, state.Stop[i], state.Steps[i])
				if spread := slices.Max(picture) - slices.Min(picture); spread > 0.5/float64(weight) {
					s.Errorf("%s: a picture from %g to %g with a great weight of total variation", where, slices.Min(picture), slices.Max(picture))
				}
				if weight == 5 && math.Abs(sum) > 1 && math.Abs(picture[0]-want) > 0.1 {
					s.Errorf("%s: it is %g, want %g where weights sum to %g", where, picture[0], want, sum)
				}
			}
		}
	})
}
