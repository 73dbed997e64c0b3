package enginetest

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// unitGoals are the goals of units of a value, with a weight.
func unitGoals(at engine.Value, units int, weight float32) (goals []engine.Goal) {
	for u := range units {
		goals = append(goals, engine.UnitGoal(at, u))
		goals[u].Terms[0].Weight = weight
	}
	return goals
}

// testModelAscent checks ascents whose optima are known.
func testModelAscent(s *subject) {
	s.checkLinear()
	s.checkRectified()
	s.checkTwoOptima()
}

// checkLinear: a linear network of any depth, W' v its weights on the input, has its
// optimum at rho W'v / ||W'v||, and its minimum opposite.
func (s *subject) checkLinear() {
	r := engine.Rule{Rate: 10, Radius: 3, Tolerance: 1e-7, Patience: 3, MaxSteps: 200}
	for _, sizes := range [][]int{{21, 5}, {21, 30, 5}, {21, 17, 30, 12, 5}} {
		net := s.stack(engine.Activation{}, sizes...)
		shapes := s.shapesOf(net)
		top := engine.Value(len(net.Ops))
		along := engine.Goal{Terms: []engine.Term{{At: top, Direction: s.normals(5, 1), Weight: 2}, {At: 1, Unit: 3, Weight: -1}}}
		goals := append(append(unitGoals(top, 5, 1), unitGoals(top, 5, -1)...), along)
		climbs := append(upTo(len(goals)), upTo(len(goals))...)
		starts := s.starts(len(climbs), 21, r.Radius)
		s.forEachModel(net, func(way string, m *engine.Model) {
			state, x, _ := s.ascend(m, r, goals, climbs, starts, 50)
			for i, g := range climbs {
				want, _ := gradientOf(net, shapes, make([]float64, 21), goals[g])
				value := compute(net, shapes, make([]float64, 21)).goal(goals[g]) + float64(r.Radius)*norm(want)
				length := norm(want)
				for j := range want {
					want[j] *= float64(r.Radius) / length
				}
				where := fmt.Sprintf("%s, %v, goal %d", way, sizes, g)
				// As in layer 1 of a stack; products of several layers leave a few ulp more.
				s.near("optimum of a linear network", where, x[i*21:(i+1)*21], want, func(int) float64 { return 5e-6 * float64(r.Radius) })
				s.near("its value", where, state.Activation[i:i+1], []float64{value}, func(int) float64 { return 1e-5 * (1 + math.Abs(value)) })
				if state.Stop[i] != engine.StopConverged {
					s.Errorf("%s: %v", where, state.Stop[i])
				}
			}
		})
	}
}

// checkRectified: a network of rectified units is linear as long as the same units are
// on: at an optimum x lies along the gradient. With weights above 0 in upper layers it is
// the largest of linear functions, and optima don't lie where two of them meet.
func (s *subject) checkRectified() {
	net := s.stack(engine.UsualActivation(engine.ReLU), 20, 7, 6, 6)
	for _, o := range net.Ops[1:] {
		for i, w := range o.Weight.Data {
			o.Weight.Data[i] = max(w, -w)
		}
	}
	shapes := s.shapesOf(net)
	r := engine.Rule{Rate: 0.2, Radius: 4, Tolerance: 1e-7, Patience: 5, MaxSteps: 3000}
	climbs := slices.Concat(upTo(6), upTo(6), upTo(6), upTo(6))
	starts := s.starts(len(climbs), 20, r.Radius)
	s.forEachModel(net, func(way string, m *engine.Model) {
		state, x, _ := s.ascend(m, r, unitGoals(3, 6, 1), climbs, starts, 100)
		known := 0
		for i, unit := range climbs {
			g, smooth := gradientOf(net, shapes, doubles(x[i*20:(i+1)*20]), engine.UnitGoal(3, unit))
			if !smooth || state.Stop[i] != engine.StopConverged {
				continue // an edge is near by chance, or the unit is off
			}
			known++
			length := norm(g)
			for j := range g {
				g[j] *= float64(r.Radius) / length
			}
			// A row at an angle t to its optimum gains about 0.15 t^2 of its value in a step,
			// and has converged when that is lost in rounding, 1e-7: t = 1e-3.
			s.near("optimum of rectified units", fmt.Sprintf("%s, unit %d", way, unit), x[i*20:(i+1)*20], g, func(int) float64 { return 1e-2 * float64(r.Radius) })
		}
		if known < len(climbs)/4 {
			s.Errorf("%s: %d of %d rows ended inside of a linear piece: the test proves little", way, known, len(climbs))
		}
	})
}

// checkTwoOptima: max(a.x, b.x) = b.x + max((a-b).x, 0) has the optima rho a/||a|| and
// rho b/||b||. A rectified unit with slope 1 below 0 is linear.
func (s *subject) checkTwoOptima() {
	net, sides := s.twoSides()
	inputs := net.Input.Size()
	r := engine.Rule{Rate: 1, Radius: 2, Tolerance: 1e-7, Patience: 3, MaxSteps: 500}
	const rows = 40
	starts := s.starts(rows, inputs, r.Radius)
	s.forEachModel(net, func(way string, m *engine.Model) {
		_, x, _ := s.ascend(m, r, unitGoals(2, 1, 1), make([]int, rows), starts, 100)
		var ends [2]int
		for i := range rows {
			for k, w := range sides {
				away := 0.0
				for j := range w {
					away = max(away, math.Abs(float64(x[i*inputs+j])-2*w[j]/norm(w)))
				}
				if away < 1e-2 {
					ends[k]++
				}
			}
		}
		if ends[0]+ends[1] != rows || ends[0] == 0 || ends[1] == 0 {
			s.Errorf("%s: of %d rows %v ended at the two optima", way, rows, ends)
		}
	})
}

// twoSides is a network of max(a.x, b.x), and a and b, which are at a right angle.
func (s *subject) twoSides() (net engine.Net, sides [2][]float64) {
	const inputs = 9
	a, b := s.normals(inputs, 1), s.normals(inputs, 1)
	along := inner(doubles(a), doubles(b)) / inner(doubles(a), doubles(a))
	for j := range b { // across a: else one optimum may lie on the other's side
		b[j] -= float32(along) * a[j]
	}
	difference := make([]float32, inputs)
	for j := range a {
		difference[j] = a[j] - b[j]
	}
	net = engine.Net{Input: engine.Flat(inputs), Ops: []engine.Op{
		{Kind: engine.Affine, In: []engine.Value{0}, Weight: engine.Host{Rows: 2, Cols: inputs, Data: slices.Concat(difference, b)}, Bias: make([]float32, 2),
			Activation: engine.Activation{Kind: engine.PReLU, Slopes: []float32{0, 1}}},
		{Kind: engine.Affine, In: []engine.Value{1}, Weight: engine.Host{Rows: 1, Cols: 2, Data: []float32{1, 1}}, Bias: make([]float32, 1)},
	}}
	return net, [2][]float64{doubles(a), doubles(b)}
}

// testModelAscentInvariance checks to the bit that a row's ascent depends neither on the
// rows beside it nor on how its steps are cut into calls, whatever the rows climb.
func testModelAscentInvariance(s *subject) {
	for _, net := range []engine.Net{s.everyOp(engine.UsualActivation(engine.Tanh)), s.stack(engine.UsualActivation(engine.SiLU), 24, 67, 40, 9), s.stack(engine.UsualActivation(engine.Sigmoid), 24, 67, 40, 9)} {
		shapes, inputs, n := s.shapesOf(net), net.Input.Size(), pick(75, 40)
		// The first has no weight: its rows stop at once.
		goals := append([]engine.Goal{{Terms: []engine.Term{{At: 1}}}}, s.goalsOf(shapes)...)
		r := engine.Rule{Rate: 0.5, Radius: 4, Tolerance: 3e-3, Patience: 2, MaxSteps: 25, CurveSteps: []int{0, 3, 20}}
		climbs := make([]int, n)
		for i := range climbs {
			climbs[i] = i % len(goals)
		}
		starts := s.starts(n, inputs, r.Radius)
		s.forEachModel(net, func(way string, m *engine.Model) {
			whole, x, rowSteps := s.ascend(m, r, goals, climbs, starts, r.MaxSteps+1)
			s.checkVariety(way, whole)
			evaluations := int64(0)
			for i, n := range whole.Evaluations {
				steps := n - 1
				evaluations += int64(n)
				if whole.Curves[i][0] != whole.StartActivation[i] || steps <= 20 && whole.Curves[i][2] != whole.Activation[i] {
					s.Errorf("%s: row %d, from %g to %g in %d steps, has the curve %v", way, i, whole.StartActivation[i], whole.Activation[i], steps, whole.Curves[i])
				}
			}
			if rowSteps != evaluations {
				s.Errorf("%s: %d row-steps, the rows took %d evaluations", way, rowSteps, evaluations)
			}
			for _, piece := range []int{1, 7} {
				state, y, _ := s.ascend(m, r, goals, climbs, starts, piece)
				s.sameAscent(fmt.Sprintf("%s, %d steps a call", way, piece), state, y, whole, x, upTo(n))
			}
			edge := min(n, []int{8, 16, 32, 48, 64}[s.random.IntN(5)]+s.random.IntN(3)-1)
			for _, rows := range [][]int{{0}, {n - 1}, upTo(17), upTo(edge), s.some(n)} {
				var few []int
				for _, i := range rows {
					few = append(few, climbs[i])
				}
				state, y, _ := s.ascend(m, r, goals, few, rowsOf(starts, inputs, rows), 4)
				s.sameAscent(fmt.Sprintf("%s, rows %v alone", way, rows), state, y, whole, rowsOf(x, inputs, rows), rows)
			}
			none := engine.NewAscentState(goals, nil, s.fresh(0, inputs))
			if p, err := m.Ascend(none, r, 3); err != nil || p != (engine.AscentProgress{}) {
				s.Errorf("%s: an ascent of no rows: %+v, %v", way, p, err)
			}
			s.checkRowError(way, m, r, goals, inputs)
		})
	}
}

// checkRowError checks the error of rows that are not finite.
func (s *subject) checkRowError(way string, m *engine.Model, r engine.Rule, goals []engine.Goal, inputs int) {
	x := s.fresh(5, inputs)
	starts := s.starts(5, inputs, r.Radius)
	for j := range inputs {
		starts[3*inputs+j] = nan
	}
	s.must(x.Write(starts))
	state := engine.NewAscentState(goals, []int{0, 1, 2, len(goals) - 1, 3}, x)
	state.Curves = nil
	r.CurveSteps = nil
	_, err := m.Ascend(state, r, 2)
	var row *engine.RowError
	if !errors.Is(err, engine.ErrNotFinite) || !errors.As(err, &row) || row.Row != 3 || row.Step != 0 {
		s.Errorf("%s: NaN in row 3: %v", way, err)
	}
}
