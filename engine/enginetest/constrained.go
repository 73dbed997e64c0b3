package enginetest

import (
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// constraints are one of each kind. Boxes have 0 inside and outside.
func constraints() []engine.Constraint {
	return []engine.Constraint{{}, {Kind: engine.Ball}, {Kind: engine.Box, Highest: 1}, {Kind: engine.Box, Lowest: -0.75, Highest: 0.5}}
}

// nearest is the point of a constraint that is nearest to x, in float64.
func nearest(r engine.Rule, x []float64) []float64 {
	y, rho := slices.Clone(x), float64(r.Radius)
	for j, v := range x {
		switch {
		case r.Constraint.Kind == engine.Box:
			y[j] = min(max(v, float64(r.Constraint.Lowest)), float64(r.Constraint.Highest))
		case r.Constraint.Kind == engine.Sphere || norm(x) > rho:
			y[j] = v * rho / norm(x)
		}
	}
	return y
}

// penalised is an objective of the reference: a goal of a network less penalties.
type penalised struct {
	net    engine.Net
	shapes []engine.Shape
	goal   engine.Goal
	rule   engine.Rule
}

// penalty is by the text of [engine.Penalty].
func (p penalised) penalty(x []float64) float64 {
	s := p.net.Input
	if p.rule.Penalty.Picture != (engine.Shape{}) {
		s = p.rule.Penalty.Picture
	}
	e := 0.1 * float64(p.rule.Radius) / math.Sqrt(float64(len(x)))
	variation := 0.0
	for c := range s.Channels {
		for i := range s.Rows {
			for j := range s.Cols {
				at := func(i, j int) float64 { return x[(c*s.Rows+min(i, s.Rows-1))*s.Cols+min(j, s.Cols-1)] }
				down, right := at(i+1, j)-at(i, j), at(i, j+1)-at(i, j)
				variation += math.Sqrt(down*down+right*right+e*e) - e
			}
		}
	}
	return float64(p.rule.Penalty.L2)/2*inner(x, x) + float64(p.rule.Penalty.TotalVariation)*variation
}

func (p penalised) value(x []float64) float64 {
	return compute(p.net, p.shapes, x).goal(p.goal) - p.penalty(x)
}

// gradient is by central differences.
func (p penalised) gradient(x []float64) []float64 {
	const step = 1e-5
	g := make([]float64, len(x))
	for j := range x {
		y := slices.Clone(x)
		y[j] = x[j] + step
		up := p.value(y)
		y[j] = x[j] - step
		g[j] = (up - p.value(y)) / (2 * step)
	}
	return g
}

// solve finds the optimum of a concave objective by projected gradients with a fixed
// step, which any step below 1/curvature does.
func (p penalised) solve(start []float64, step float64, steps int) []float64 {
	x := nearest(p.rule, start)
	for range steps {
		g, y := p.gradient(x), slices.Clone(x)
		for j := range y {
			y[j] += step * g[j]
		}
		x = nearest(p.rule, y)
	}
	return x
}

// testConstrained checks ascents with constraints and penalties whose optima are known.
func testConstrained(s *subject) {
	s.checkConstrainedLinear()
	s.checkConcave()
	s.checkVariation()
	s.checkFlat()
	s.checkSides()
	s.checkAfter()
}

// checkConstrainedLinear: for a linear goal v.x the optimum on the ball is rho v/||v||, in
// the box a corner, and with an L2 penalty the point nearest to v/L2.
func (s *subject) checkConstrainedLinear() {
	const inputs = 21
	for _, sizes := range [][]int{{inputs, 5}, {inputs, 17, 12, 5}} {
		net := s.stack(engine.Activation{}, sizes...)
		shapes, top := s.shapesOf(net), engine.Value(len(sizes)-1)
		goals := append(unitGoals(top, 5, 1), unitGoals(top, 5, -1)...)
		goals = append(goals, engine.Goal{Terms: []engine.Term{{At: top, Direction: s.normals(5, 1), Weight: 2}, {At: 1, Unit: 3, Weight: -1}}})
		climbs := append(upTo(len(goals)), upTo(len(goals))...)
		for _, c := range constraints() {
			for _, l2 := range []float32{0, 0.3, 3} {
				r := engine.Rule{Rate: 2, Radius: 3, Tolerance: 1e-7, Patience: 5, MaxSteps: 300, Constraint: c, Penalty: engine.Penalty{L2: l2}}
				starts := s.normals(len(climbs)*inputs, 1)
				s.forEachModel(net, func(way string, m *engine.Model) {
					where := fmt.Sprintf("%s, %v, %s, L2 %g", way, sizes, c.Kind, l2)
					if c.Kind == engine.Sphere && l2 == 0 {
						starts = s.starts(len(climbs), inputs, r.Radius)
					}
					state, x, _ := s.ascend(m, r, goals, climbs, starts, 50)
					for i, g := range climbs {
						p := penalised{net, shapes, goals[g], r}
						s.checkLinearOptimum(fmt.Sprintf("%s, goal %d", where, g), p, state, i, x[i*inputs:(i+1)*inputs])
					}
				})
			}
		}
	}
}

func (s *subject) checkLinearOptimum(where string, p penalised, state *engine.AscentState, i int, x []float32) {
	zero := make([]float64, len(x))
	v, _ := gradientOf(p.net, p.shapes, zero, p.goal)
	for j := range v {
		if l2 := float64(p.rule.Penalty.L2); l2 > 0 {
			v[j] /= l2
		} else {
			v[j] *= 1e6
		}
	}
	want := nearest(p.rule, v)
	s.near("optimum of a linear goal", where, x, want, func(int) float64 { return 1e-5 * float64(p.rule.Radius) })
	value, penalty := compute(p.net, p.shapes, want).goal(p.goal), p.penalty(want)
	s.near("its value", where, state.Activation[i:i+1], []float64{value}, func(int) float64 { return 1e-4 * (1 + math.Abs(value)) })
	s.near("its penalty", where, state.Penalty[i:i+1], []float64{penalty}, func(int) float64 { return 1e-4 * penalty })
	s.near("its tangent", where, state.Tangent[i:i+1], []float64{0}, func(int) float64 { return 1e-3 })
	if state.Stop[i] != engine.StopConverged {
		s.Errorf("%s: %v after %d steps, tangent %g", where, state.Stop[i], state.Steps[i], state.Tangent[i])
	}
}

// checkConcave: less softplus of sums is concave, with optima inside of constraints and
// at their borders. The reference takes fixed steps in float64.
func (s *subject) checkConcave() {
	const inputs, units = 9, 14
	net := s.stack(engine.UsualActivation(engine.Softplus), inputs, units)
	curvature := 0.0 // at most, for softplus bends by 1/4
	for _, w := range net.Ops[0].Weight.Data {
		curvature += float64(w) * float64(w) / 4
	}
	goal := engine.Goal{}
	for u := range units {
		goal.Terms = append(goal.Terms, engine.Term{At: 1, After: true, Unit: u, Weight: -1})
	}
	shapes := s.shapesOf(net)
	for _, c := range constraints()[1:] {
		for _, radius := range []float32{0.5, 3} {
			for _, l2 := range []float32{0, 0.2} {
				r := engine.Rule{Rate: 0.5, Radius: radius, Tolerance: 0, Patience: 20, MaxSteps: 2000, Constraint: c, Penalty: engine.Penalty{L2: l2}}
				p := penalised{net, shapes, goal, r}
				want := p.solve(make([]float64, inputs), 1/(curvature+float64(l2)), pick(4000, 2000))
				best := p.value(want)
				s.forEachModel(net, func(way string, m *engine.Model) {
					state, x, _ := s.ascend(m, r, []engine.Goal{goal}, []int{0, 0, 0}, s.normals(3*inputs, 3), 100)
					for i := range 3 {
						where := fmt.Sprintf("%s, %s, radius %g, L2 %g, row %d, %v", way, c.Kind, radius, l2, i, state.Stop[i])
						// Both gains are lost in rounding, 1e-6 of a sum of 14 softplus, when a row stops.
						value := p.value(doubles(x[i*inputs : (i+1)*inputs]))
						s.near("value of a concave goal", where, []float32{float32(value)}, []float64{best}, func(int) float64 { return 2e-6 * (1 + math.Abs(best)) })
						s.near("its objective", where, []float32{state.Activation[i] - state.Penalty[i]}, []float64{best}, func(int) float64 { return 5e-6 * (1 + math.Abs(best)) })
					}
				})
			}
		}
	}
}

// checkSides: max(a.x, b.x), a and b at a right angle, ends at the optimum on the side where
// the start is, on the sphere and on the ball.
func (s *subject) checkSides() {
	net, sides := s.twoSides()
	const rows, inputs = 20, 9
	for _, c := range constraints()[:2] {
		r := engine.Rule{Rate: 1, Radius: 2, Tolerance: 1e-7, Patience: 3, MaxSteps: 500, Constraint: c}
		starts := s.starts(rows, inputs, r.Radius)
		s.forEachModel(net, func(way string, m *engine.Model) {
			_, x, _ := s.ascend(m, r, unitGoals(2, 1, 1), make([]int, rows), starts, 100)
			for i := range rows {
				start := doubles(starts[i*inputs : (i+1)*inputs])
				side := sides[0]
				if inner(start, sides[1]) > inner(start, side) {
					side = sides[1]
				}
				want := slices.Clone(side)
				for j := range want {
					want[j] *= 2 / norm(side)
				}
				s.near("optimum on the side of the start", fmt.Sprintf("%s, %s, row %d", way, c.Kind, i), x[i*inputs:(i+1)*inputs], want, func(int) float64 { return 1e-3 })
			}
		})
	}
}

// checkAfter: a sigmoid rises with its sum, so that after it a unit has the optimum that it
// has before.
func (s *subject) checkAfter() {
	const inputs = 11
	net := s.stack(engine.UsualActivation(engine.Sigmoid), inputs, 4)
	for _, c := range constraints() {
		r := engine.Rule{Rate: 2, Radius: 1, Tolerance: 1e-7, Patience: 5, MaxSteps: 400, Constraint: c}
		var goals []engine.Goal
		for u := range 8 {
			goals = append(goals, engine.Goal{Terms: []engine.Term{{At: 1, After: true, Unit: u / 2, Weight: []float32{1, -1}[u%2]}}})
		}
		starts := s.starts(len(goals), inputs, r.Radius)
		s.forEachModel(net, func(way string, m *engine.Model) {
			state, x, _ := s.ascend(m, r, goals, upTo(len(goals)), starts, 30)
			for i := range goals {
				v := doubles(net.Ops[0].Weight.Data[i/2*inputs : (i/2+1)*inputs])
				for j := range v {
					v[j] *= 1e6 * float64(goals[i].Terms[0].Weight)
				}
				where := fmt.Sprintf("%s, %s, goal %d, %v", way, c.Kind, i, state.Stop[i])
				s.near("optimum after the activation", where, x[i*inputs:(i+1)*inputs], nearest(r, v), func(int) float64 { return 1e-3 })
			}
		})
	}
}

// testConstrainedInvariance checks to the bit that a row depends neither on those beside it,
// nor on how steps are cut into calls, nor on the number of processors; that it stays where it
// may be, and that what it climbs never falls by more than rounding.
func testConstrainedInvariance(s *subject) {
	const n = 20
	net := s.everyOp(engine.UsualActivation(engine.Tanh))
	shapes, inputs := s.shapesOf(net), net.Input.Size()
	goals := append([]engine.Goal{{Terms: []engine.Term{{At: 1}}}}, s.goalsOf(shapes)...)
	climbs := make([]int, n)
	for i := range climbs {
		climbs[i] = i % len(goals)
	}
	for _, c := range constraints() {
		r := engine.Rule{Rate: 0.5, Radius: 4, Tolerance: 3e-3, Patience: 2, MaxSteps: 25, CurveSteps: []int{0, 3, 20}, Constraint: c, Penalty: engine.Penalty{L2: 0.1, TotalVariation: 0.05}}
		starts := s.normals(n*inputs, 1)
		s.forEachModel(net, func(way string, m *engine.Model) {
			where := way + ", " + c.Kind.String()
			whole, x, _ := s.ascend(m, r, goals, climbs, starts, r.MaxSteps+1)
			if whole.Stop[0] != engine.StopVanished || slices.Min(whole.Steps[1:]) == slices.Max(whole.Steps) {
				s.Errorf("%s: row 0 is %v, and all others stop after %d steps", where, whole.Stop[0], whole.Steps[1])
			}
			for i := range n {
				for j, v := range nearest(r, doubles(x[i*inputs:(i+1)*inputs])) {
					if math.Abs(v-float64(x[i*inputs+j])) > 1e-6 {
						s.Errorf("%s: row %d ends where it may not be", where, i)
					}
				}
			}
			for _, piece := range []int{1, 7} {
				processors := runtime.GOMAXPROCS(piece)
				state, y, _ := s.ascend(m, r, goals, climbs, starts, piece)
				runtime.GOMAXPROCS(processors)
				s.sameAscent(fmt.Sprintf("%s, %d steps a call", where, piece), state, y, whole, x, upTo(n))
				s.same(where+", penalties", state.Penalty, whole.Penalty)
			}
			for _, rows := range [][]int{{n - 1}, s.some(n)} {
				var few []int
				for _, i := range rows {
					few = append(few, climbs[i])
				}
				state, y, _ := s.ascend(m, r, goals, few, rowsOf(starts, inputs, rows), 4)
				s.sameAscent(fmt.Sprintf("%s, rows %v alone", where, rows), state, y, whole, rowsOf(x, inputs, rows), rows)
			}
			s.checkRising(where, m, r, goals, climbs, starts)
			s.checkRowError(where, m, r, goals, inputs)
		})
	}
}

// checkRising checks that what rows climb does not fall.
func (s *subject) checkRising(where string, m *engine.Model, r engine.Rule, goals []engine.Goal, climbs []int, starts []float32) {
	c := s.scene("%s", where)
	r.CurveSteps = nil
	state := engine.NewAscentState(goals, climbs, c.updated("x", len(climbs), len(starts)/len(climbs), starts))
	before := make([]float64, len(climbs))
	for step := range r.MaxSteps {
		_, err := m.Ascend(state, r, 1)
		s.must(err)
		for i, a := range state.Activation {
			now := float64(a) - float64(state.Penalty[i])
			if slack := 2e-6 * (math.Abs(float64(a)) + float64(state.Penalty[i])); step > 0 && now < before[i]-slack {
				s.Errorf("%s: row %d: what it climbs fell from %g to %g at step %d", where, i, before[i], now, step)
			}
			before[i] = now
		}
	}
	c.end()
}
