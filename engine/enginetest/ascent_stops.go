package enginetest

import (
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// testAscentInvariance checks to the bit that a row's ascent depends neither on
// the rows beside it nor on how its steps are cut into calls, while rows stop
// at different times.
func testAscentInvariance(s *subject) {
	for _, sizes := range [][]int{{37, 11}, {50, 45, 11}, {70, 97, 65, 11}} {
		radius, n := float32(4), pick(75, 30)
		p := climb{s.randomLayers(sizes...), 1, engine.Rule{Rate: 0.5, Radius: radius, Tolerance: 3e-3, Patience: 2, MaxSteps: 25}}
		// Unit 0 has no weights: its rows stop at once.
		clear(p.layers[len(p.layers)-1].Weight.Data[:sizes[len(sizes)-2]])
		units := make([]int, n)
		for i := range units {
			units[i] = i % sizes[len(sizes)-1]
		}
		starts := s.starts(n, sizes[0], radius)
		s.forEachModel(engine.Stack(p.layers), func(way string, m *engine.Model) {
			whole, x, rowSteps := s.ascend(m, p.Rule, p.goals(), units, starts, p.MaxSteps+1)
			s.checkVariety(way, whole)
			evaluations := int64(0)
			for _, n := range whole.Evaluations {
				evaluations += int64(n)
			}
			if rowSteps != evaluations {
				s.Errorf("%s: %d row-steps, the rows took %d evaluations", way, rowSteps, evaluations)
			}
			for _, piece := range []int{1, 7} {
				state, y, _ := s.ascend(m, p.Rule, p.goals(), units, starts, piece)
				s.sameAscent(fmt.Sprintf("%s, %d steps a call", way, piece), state, y, whole, x, upTo(n))
			}
			// Devices work in tiles of 8 to 64 rows: counts on either side of an edge.
			edge := min(n, []int{8, 16, 32, 48, 64}[s.random.IntN(5)]+s.random.IntN(3)-1)
			for _, rows := range [][]int{{0}, {1}, {n - 1}, upTo(17), upTo(edge), s.some(n)} {
				var few []int
				for _, i := range rows {
					few = append(few, units[i])
				}
				state, y, _ := s.ascend(m, p.Rule, p.goals(), few, rowsOf(starts, sizes[0], rows), 4)
				s.sameAscent(fmt.Sprintf("%s, rows %v alone", way, rows), state, y, whole, rowsOf(x, sizes[0], rows), rows)
			}
			none := engine.NewAscentState(p.goals(), nil, s.fresh(0, sizes[0]))
			if done, err := m.Ascend(none, p.Rule, 3); err != nil || done != (engine.AscentProgress{}) {
				s.Errorf("%s: an ascent of no rows: %+v, %v", way, done, err)
			}
		})
	}
}

// checkVariety logs how rows stopped, and fails if the test proves little.
func (s *subject) checkVariety(way string, state *engine.AscentState) {
	s.Helper()
	count := map[engine.StopReason]int{}
	for _, stop := range state.Stop {
		count[stop]++
	}
	s.Logf("%s: rows stopped: %v", way, count)
	if len(count) < 2 {
		s.Errorf("%s: all rows stopped alike: %v", way, count)
	}
}

// sameAscent checks that rows of one ascent equal rows of another.
func (s *subject) sameAscent(what string, got *engine.AscentState, x []float32, whole *engine.AscentState, wantX []float32, rows []int) {
	s.Helper()
	s.same(what+": x", x, wantX)
	s.same(what+": activation", got.Activation, rowsOf(whole.Activation, 1, rows))
	s.same(what+": start activation", got.StartActivation, rowsOf(whole.StartActivation, 1, rows))
	s.same(what+": gradient", got.Gradient, rowsOf(whole.Gradient, 1, rows))
	s.same(what+": tangent", got.Tangent, rowsOf(whole.Tangent, 1, rows))
	s.same(what+": gain left", got.GainLeft, rowsOf(whole.GainLeft, 1, rows))
	s.same(what+": rate", got.Rate, rowsOf(whole.Rate, 1, rows))
	for k, i := range rows {
		if got.Steps[k] != whole.Steps[i] || got.Evaluations[k] != whole.Evaluations[i] || got.Slow[k] != whole.Slow[i] || got.Stop[k] != whole.Stop[i] {
			s.Errorf("%s: row %d: %d steps, %d slow, %v; want %d, %d, %v", what, i, got.Steps[k], got.Slow[k], got.Stop[k], whole.Steps[i], whole.Slow[i], whole.Stop[i])
		}
	}
}

// testAscentStops checks each reason to stop and what it leaves.
func testAscentStops(s *subject) {
	s.checkStop("no steps allowed", s.randomLayers(20, 10, 4), func(r *engine.Rule) { r.MaxSteps = 0 }, engine.StopSteps, 0)
	s.checkStop("five steps allowed", s.randomLayers(20, 10, 4), func(r *engine.Rule) { r.MaxSteps = 5 }, engine.StopSteps, 5)
	// The first step gains all there is, the next one is a look at what is beside it.
	s.checkStop("an optimum", s.randomLayers(20, 4), func(r *engine.Rule) { r.Tolerance = 1e-5 }, engine.StopConverged, 2)
	dead := s.randomLayers(20, 10, 4)
	clear(dead[1].Weight.Data)
	s.checkStop("a unit without weights", dead, func(*engine.Rule) {}, engine.StopVanished, 0)
	saturated := s.randomLayers(20, 10, 4)
	for i := range saturated[0].Bias {
		saturated[0].Bias[i] = []float32{300, -300}[i%2]
	}
	s.checkStop("a saturated layer", saturated, func(*engine.Rule) {}, engine.StopVanished, 0)
	flat := s.randomLayers(20, 4)
	clear(flat[0].Weight.Data)
	s.checkStop("a unit of layer 1 without weights", flat, func(*engine.Rule) {}, engine.StopVanished, 0)
}

// checkStop checks that all rows stop for a reason after so many steps.
func (s *subject) checkStop(where string, layers []engine.Layer, set func(r *engine.Rule), want engine.StopReason, steps int) {
	s.Helper()
	p := climb{layers, 1, engine.Rule{Rate: 0.1, Radius: 2, Patience: 2, MaxSteps: 50}}
	set(&p.Rule)
	ref := newReference(layers)
	units := []int{3, 0, 1, 2, 3}
	starts := s.starts(len(units), 20, 2)
	s.forEachModel(engine.Stack(p.layers), func(way string, m *engine.Model) {
		state, x, rowSteps := s.ascend(m, p.Rule, p.goals(), units, starts, 100)
		if rowSteps != int64(len(units)*(steps+1)) {
			s.Errorf("%s, %s: %d row-steps, want %d for each of %d rows", way, where, rowSteps, steps+1, len(units))
		}
		if steps == 0 {
			s.same(way+", "+where+": x", x, starts)
		}
		for i, unit := range units {
			if state.Stop[i] != want || state.Evaluations[i] != steps+1 {
				s.Errorf("%s, %s: row %d stopped: %v after %d steps, want %v after %d", way, where, i, state.Stop[i], state.Evaluations[i]-1, want, steps)
			}
			// The numbers of a row that has stopped are those of its final x.
			a := ref.activation(doubles(x[i*20:(i+1)*20]), unit)
			s.near("activation", way+", "+where, state.Activation[i:i+1], []float64{a}, func(int) float64 {
				return 2e-6 * (1 + math.Abs(a) + norm(ref.row(len(layers)-1, unit)))
			})
			if norm(doubles(layers[len(layers)-1].Weight.Data)) == 0 && (state.Gradient[i] != 0 || state.Tangent[i] != 0) {
				s.Errorf("%s, %s: row %d: gradient %g, tangent %g, want 0", way, where, i, state.Gradient[i], state.Tangent[i])
			}
		}
	})
}

// testAscentCurves checks to the bit that curves hold what the activations were
// after so many steps, however the steps are cut into calls, and that they change
// nothing.
func testAscentCurves(s *subject) {
	radius, n, sizes := float32(4), pick(40, 20), []int{50, 45, 11}
	p := climb{s.randomLayers(sizes...), 1, engine.Rule{Rate: 0.5, Radius: radius, Tolerance: 3e-3, Patience: 2, MaxSteps: 25}}
	curves := p.Rule
	curves.CurveSteps = []int{0, 1, 2, 5, 12, 25}
	clear(p.layers[1].Weight.Data[:sizes[1]]) // rows of unit 0 stop at once
	units := make([]int, n)
	for i := range units {
		units[i] = i % sizes[2]
	}
	starts := s.starts(n, sizes[0], radius)
	s.forEachModel(engine.Stack(p.layers), func(way string, m *engine.Model) {
		whole, x, _ := s.ascend(m, p.Rule, p.goals(), units, starts, p.MaxSteps+1)
		s.checkVariety(way, whole)
		want := s.activations(m, p, units, starts)
		for _, piece := range []int{4, p.MaxSteps + 1} {
			state, y, _ := s.ascend(m, curves, p.goals(), units, starts, piece)
			s.sameAscent(way+", with curves", state, y, whole, x, upTo(n))
			for t, steps := range curves.CurveSteps {
				var column []float32
				for _, curve := range state.Curves {
					column = append(column, curve[t])
				}
				s.same(fmt.Sprintf("%s, %d steps a call: curves after %d steps", way, piece, steps), column, want[steps])
			}
		}
		short := engine.NewAscentState(p.goals(), units, s.fresh(n, sizes[0]))
		short.Curves = make([][]float32, n-1)
		_, err := m.Ascend(short, curves, 1)
		s.refused(way+", too few curves", err, "ascent", "curves")
		short.Curves = make([][]float32, n)
		_, err = m.Ascend(short, curves, 1)
		s.refused(way+", curves too short", err, "ascent", "curve of row 0")
		backwards := p.Rule
		backwards.CurveSteps = []int{3, 2}
		_, err = m.Ascend(engine.NewAscentState(p.goals(), units, s.fresh(n, sizes[0])), backwards, 1)
		s.refused(way+", steps of curves that fall", err, "ascent", "curves")
	})
}

// activations are those of the rows after 0, 1, ... steps, from one step a call.
func (s *subject) activations(m *engine.Model, p climb, units []int, starts []float32) (after [][]float32) {
	s.Helper()
	c := s.scene("ascent step by step")
	state := engine.NewAscentState(p.goals(), units, c.updated("x", len(units), len(starts)/len(units), starts))
	for range p.MaxSteps + 1 {
		_, err := m.Ascend(state, p.Rule, 1)
		s.must(err)
		after = append(after, slices.Clone(state.Activation))
	}
	c.end()
	return after
}
