package enginetest

import (
	"errors"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// ascend runs an ascent from starts to the end, so many steps a call, and returns
// the state, the final x and the evaluations.
func (s *subject) ascend(m *engine.Model, r engine.Rule, goals []engine.Goal, climbs []int, starts []float32, piece int) (*engine.AscentState, []float32, int64) {
	s.Helper()
	c := s.scene("ascent")
	state := engine.NewAscentState(goals, climbs, c.updated("x", len(climbs), len(starts)/len(climbs), starts))
	for range r.CurveSteps {
		state.Curves = make([][]float32, len(climbs))
	}
	for i := range state.Curves {
		state.Curves[i] = make([]float32, len(r.CurveSteps))
	}
	var rowSteps int64
	for {
		p, err := m.Ascend(state, r, piece)
		s.must(err)
		rowSteps += p.RowSteps
		s.checkActive(state, p.Active)
		if p.Active == 0 {
			break
		}
	}
	x := s.read(state.X)
	c.end()
	return state, x, rowSteps
}

func (s *subject) checkActive(state *engine.AscentState, active int) {
	s.Helper()
	running := 0
	for _, stop := range state.Stop {
		if stop == engine.Running {
			running++
		}
	}
	if running != active {
		s.Errorf("progress says that %d rows are active, %d have not stopped", active, running)
	}
}

// climb is an ascent of the units of a stack's last layer.
type climb struct {
	layers    []engine.Layer
	direction float32 // +1 to maximise, -1 to minimise
	engine.Rule
}

// goals are those of all units.
func (c climb) goals() []engine.Goal {
	top := len(c.layers)
	return unitGoals(engine.Value(top), c.layers[top-1].Weight.Rows, c.direction)
}

// testAscentClosedForm: in layer 1 the optimum is rho w/||w||, from every start.
func testAscentClosedForm(s *subject) {
	for _, direction := range []float32{1, -1} {
		const inputs, count = 61, 9
		layers := s.randomLayers(inputs, count)
		ref := newReference(layers)
		radius := float32(1 + 9*s.random.Float64())
		p := climb{layers, direction, engine.Rule{Rate: 10, Radius: radius, Tolerance: 1e-5, Patience: 3, MaxSteps: 200}}
		units := append(upTo(count), upTo(count)...)
		starts := s.starts(len(units), inputs, radius)
		s.forEachModel(engine.Stack(p.layers), func(way string, m *engine.Model) {
			state, x, _ := s.ascend(m, p.Rule, p.goals(), units, starts, 1000)
			for i, unit := range units {
				w := ref.row(0, unit)
				where := fmt.Sprintf("%s, direction %g, unit %d", way, direction, unit)
				s.checkOptimum(where, p, state, i, x[i*inputs:(i+1)*inputs], w, ref.biases[0][unit])
			}
		})
	}
}

// testAscentTangent checks the tangent of rows so near the optimum of layer 1
// that one minus the square of the cosine would have no digits left: a sine of
// 1e-3 or 1e-4, from numbers that are off by an ulp.
func testAscentTangent(s *subject) {
	const inputs = 61
	layers := s.randomLayers(inputs, 1)
	w := doubles(layers[0].Weight.Data)
	for _, direction := range []float32{1, -1} {
		for _, angle := range []float64{1e-3, 1e-4} {
			aside := doubles(s.normals(inputs, 1))
			along := inner(aside, w) / inner(w, w)
			for j := range aside {
				aside[j] -= along * w[j]
			}
			start, length := make([]float32, inputs), norm(aside)
			for j := range start {
				start[j] = float32(3 * (float64(direction)*math.Cos(angle)*w[j]/norm(w) + math.Sin(angle)*aside[j]/length))
			}
			p := climb{layers, direction, engine.Rule{Rate: 1, Radius: 3, Patience: 1, MaxSteps: 0}}
			s.forEachModel(engine.Stack(p.layers), func(way string, m *engine.Model) {
				state, _, _ := s.ascend(m, p.Rule, p.goals(), []int{0}, start, 1)
				s.near("tangent near the optimum", fmt.Sprintf("%s, direction %g", way, direction), state.Tangent, []float64{math.Sin(angle)}, func(int) float64 { return 1e-6 })
			})
		}
	}
}

// checkOptimum checks that row i has converged to the point of the sphere along
// w, where a linear unit with these weights has its optimum.
func (s *subject) checkOptimum(where string, p climb, state *engine.AscentState, i int, x []float32, w []float64, bias float64) {
	s.Helper()
	rho, direction := float64(p.Radius), float64(p.direction)
	want := make([]float64, len(w))
	for j := range w {
		want[j] = direction * rho * w[j] / norm(w)
	}
	// The gradient is w itself: only rounding is left, about an ulp of rho in each
	// component.
	s.near("optimum of layer 1", where, x, want, func(int) float64 { return 2e-6 * rho })
	s.near("activation at the optimum", where, state.Activation[i:i+1], []float64{rho*norm(w) + direction*bias}, func(int) float64 { return 2e-6 * (rho*norm(w) + math.Abs(bias)) })
	s.near("gradient of layer 1", where, state.Gradient[i:i+1], []float64{norm(w)}, func(int) float64 { return 1e-6 * norm(w) })
	s.near("tangent at the optimum", where, state.Tangent[i:i+1], []float64{0}, func(int) float64 { return 1e-5 })
	if state.Stop[i] != engine.StopConverged || state.Evaluations[i] > 3 {
		s.Errorf("%s: stopped after %d evaluations: %v, want converged after 3", where, state.Evaluations[i], state.Stop[i])
	}
}

// testAscentGradient checks one step of networks of any depth.
func testAscentGradient(s *subject) {
	for _, sizes := range [][]int{{33, 7}, {17, 23, 5}, {64, 33, 31, 9}, {1, 1, 1}, {13, 40, 30, 20, 3}, {129, 97, 65}} {
		layers, rows := s.randomLayers(sizes...), 7
		ref := newReference(layers)
		units := make([]int, rows)
		for i := range units {
			units[i] = s.random.IntN(sizes[len(sizes)-1])
		}
		radius := float32((0.3 + 0.7*s.random.Float64()) * math.Sqrt(float64(sizes[0])))
		starts := s.starts(rows, sizes[0], radius)
		for i, unit := range units {
			x := doubles(starts[i*sizes[0] : (i+1)*sizes[0]])
			g := ref.gradient(x, unit)
			s.checkDifferences(ref.differences(x, unit), g, sizes)
		}
		p := climb{layers, []float32{1, -1}[s.random.IntN(2)], engine.Rule{Rate: 0.75, Radius: radius, Patience: 10, MaxSteps: 1}}
		s.forEachModel(engine.Stack(p.layers), func(way string, m *engine.Model) {
			s.checkStep(fmt.Sprintf("%s, %v", way, sizes), p, ref, m, units, starts)
		})
	}
}

// checkDifferences checks the reference itself.
func (s *subject) checkDifferences(numeric, g []float64, sizes []int) {
	s.Helper()
	difference := make([]float64, len(g))
	for j := range g {
		difference[j] = numeric[j] - g[j]
	}
	if e := norm(difference) / norm(g); !(e < 1e-6) {
		s.Errorf("%v: the reference's gradient is off by %g of itself", sizes, e)
	}
}

// checkStep checks what one evaluation reports and where the first move leads: all
// the way to the gradient. The error of a gradient grows with depth: each layer is a product with its
// rounding, about 1e-6 of the sizes of its terms.
func (s *subject) checkStep(where string, p climb, ref reference, m *engine.Model, units []int, starts []float32) {
	inputs, rho := ref.inputs[0], float64(p.Radius)
	c := s.scene("%s", where)
	state := engine.NewAscentState(p.goals(), units, c.updated("x", len(units), inputs, starts))
	progress, err := m.Ascend(state, p.Rule, 1)
	s.must(err)
	if progress.Active != len(units) || progress.RowSteps != int64(len(units)) {
		s.Errorf("%s: progress %+v after one evaluation of %d rows", where, progress, len(units))
	}
	moved := s.read(state.X)
	c.end()
	for i, unit := range units {
		x := doubles(starts[i*inputs : (i+1)*inputs])
		g, a := ref.gradient(x, unit), float64(p.direction)*ref.activation(x, unit)
		want := make([]float64, inputs)
		for j := range x {
			want[j] = float64(p.direction) * rho * g[j] / norm(g)
		}
		s.near("one step", where, moved[i*inputs:(i+1)*inputs], want, func(int) float64 { return 3e-6 * rho })
		s.near("activation", where, state.Activation[i:i+1], []float64{a}, func(int) float64 { return 2e-6 * (1 + math.Abs(a) + norm(ref.row(len(ref.weights)-1, unit))) })
		s.near("gradient norm", where, state.Gradient[i:i+1], []float64{norm(g)}, func(int) float64 { return 1e-5 * norm(g) })
		sine := tangent(x, g, rho)
		s.near("tangent", where, state.Tangent[i:i+1], []float64{sine}, func(int) float64 { return 2e-5 })
		left := sine * norm(g) * rho / max(math.Abs(a), norm(g)*rho)
		s.near("what is left to gain", where, state.GainLeft[i:i+1], []float64{left}, func(int) float64 { return 4e-5 * (1 + norm(ref.row(len(ref.weights)-1, unit))/math.Abs(a)) })
		if state.StartActivation[i] != state.Activation[i] || state.Rate[i] != p.Rate || state.Steps[i] != 0 || state.Evaluations[i] != 1 || state.Stop[i] != engine.Running {
			s.Errorf("%s: row %d: start activation %g, activation %g, %d steps, %d evaluations, %v", where, i, state.StartActivation[i], state.Activation[i], state.Steps[i], state.Evaluations[i], state.Stop[i])
		}
	}
}

// testAscentMonotone checks what holds on the whole way, after the look at where the
// gradient of the start points to: a small rate never loses activation, every x lies on the sphere, and a network with one unit in
// each layer, which is monotone in w.x, has the optimum of layer 1.
func testAscentMonotone(s *subject) {
	layers, radius := s.randomLayers(30, 25, 20, 8), float32(3)
	units := append(upTo(8), upTo(8)...)
	p := climb{layers, 1, engine.Rule{Rate: 0.02, Radius: radius, Patience: 1000, MaxSteps: 60}}
	starts := s.starts(len(units), 30, radius)
	s.forEachModel(engine.Stack(p.layers), func(way string, m *engine.Model) {
		c := s.scene("%s", way)
		state := engine.NewAscentState(p.goals(), units, c.updated("x", len(units), 30, starts))
		before := make([]float32, len(units))
		for step := range p.MaxSteps + 1 {
			_, err := m.Ascend(state, p.Rule, 1)
			s.must(err)
			for i, a := range state.Activation {
				if slack := 2e-6 * (1 + math.Abs(float64(a))) * 10; step > 2 && float64(before[i]-a) > slack {
					s.Errorf("%s: row %d: activation fell from %g to %g at step %d", way, i, before[i], a, step)
				}
			}
			copy(before, state.Activation)
		}
		s.checkOnSphere(way, s.read(state.X), len(units), 30, doubles(before), radius)
		c.end()
	})

	deep := s.randomLayers(19, 1, 1, 1)
	w := doubles(deep[0].Weight.Data)
	sign := float32(1)
	for _, l := range deep[1:] {
		if l.Weight.Data[0] < 0 {
			sign = -sign
		}
		l.Weight.Data[0] = float32(math.Copysign(2, float64(l.Weight.Data[0])))
	}
	// The radius keeps |w.x| below 2, away from the sigmoid's flat ends.
	p = climb{deep, 1, engine.Rule{Rate: 1e4, Radius: float32(2 / norm(w)), Patience: 1000, MaxSteps: 60}}
	s.forEachModel(engine.Stack(p.layers), func(way string, m *engine.Model) {
		_, x, _ := s.ascend(m, p.Rule, p.goals(), make([]int, 5), s.starts(5, 19, p.Radius), 100)
		for i := range 5 {
			want := make([]float64, 19)
			for j := range want {
				want[j] = float64(sign) * float64(p.Radius) * w[j] / norm(w)
			}
			s.near("optimum of layers of one unit", way, x[i*19:(i+1)*19], want, func(int) float64 { return 3e-6 * float64(p.Radius) })
		}
	})
}

// testAscentMisuse checks what an ascent refuses.
func testAscentMisuse(s *subject) {
	good := climb{s.randomLayers(6, 5, 4), 1, engine.Rule{Rate: 1, Radius: 1, Patience: 1, MaxSteps: 3}}
	notFinite := s.randomLayers(6, 5, 4)
	notFinite[1].Weight.Data[7] = nan
	for way, load := range map[string]func(engine.Device, engine.Net) (*engine.Model, error){"plain": engine.LoadPlain, "fused": engine.Load} {
		_, err := load(s.device, engine.Stack(notFinite))
		s.refused(way+", NaN among the weights", err, "operation 2")
		if !errors.Is(err, engine.ErrNotFinite) {
			s.Errorf("%s, NaN among the weights: %v does not wrap ErrNotFinite", way, err)
		}
	}
	s.forEachModel(engine.Stack(good.layers), func(way string, m *engine.Model) {
		run := func(goals []engine.Goal, climbs []int, x engine.Matrix) error {
			_, err := m.Ascend(engine.NewAscentState(goals, climbs, x), good.Rule, 2)
			return err
		}
		goals := good.goals()
		s.refused(way+", a unit that is not there", run([]engine.Goal{goals[0], engine.UnitGoal(2, 4)}, []int{0, 1}, s.fresh(2, 6)), "ascent", "goal 1", "unit 4")
		s.refused(way+", a goal that is not there", run(goals, []int{0, 4}, s.fresh(2, 6)), "ascent", "row 1", "goal 4 of 4")
		s.refused(way+", too few rows", run(goals, []int{0, 1, 2}, s.fresh(2, 6)), "ascent", "2 rows", "3")
		s.refused(way+", too few columns", run(goals, []int{0, 1}, s.fresh(2, 5)), "ascent", "2x5", "6 inputs")
		s.refused(way+", no x", run(goals, []int{0, 1}, nil), "ascent", "x", "missing")
		x := s.fresh(2, 6)
		s.must(x.Write(append(s.starts(1, 6, 1), 0, 0, nan, 0, 0, 0)))
		err := run(goals, []int{0, 3}, x)
		s.refused(way+", NaN in x", err, "ascent", "row 1", "step 0")
		var row *engine.RowError
		if !errors.Is(err, engine.ErrNotFinite) || !errors.As(err, &row) || row.Row != 1 {
			s.Errorf("%s, NaN in x: %v is not the error of row 1 that wraps ErrNotFinite", way, err)
		}
	})
}
