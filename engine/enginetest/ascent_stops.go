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
		p := engine.Ascent{Layers: s.randomLayers(sizes...), Rate: 0.5, Direction: 1, Radius: radius, Tolerance: 3e-3, Patience: 2, MaxSteps: 25}
		// Unit 0 has no weights: its rows stop at once.
		clear(p.Layers[len(p.Layers)-1].Weight.Data[:sizes[len(sizes)-2]])
		units := make([]int, n)
		for i := range units {
			units[i] = i % sizes[len(sizes)-1]
		}
		starts := s.starts(n, sizes[0], radius)
		s.forEach(p, func(way string, r engine.Runner) {
			whole, x, rowSteps := s.ascend(r, units, starts, p.MaxSteps+1)
			s.checkVariety(way, whole)
			evaluations := int64(0)
			for _, steps := range whole.Steps {
				evaluations += int64(steps) + 1
			}
			if rowSteps != evaluations {
				s.Errorf("%s: %d row-steps, the rows took %d evaluations", way, rowSteps, evaluations)
			}
			for _, piece := range []int{1, 7} {
				state, y, _ := s.ascend(r, units, starts, piece)
				s.sameAscent(fmt.Sprintf("%s, %d steps a call", way, piece), state, y, whole, x, upTo(n))
			}
			// Devices work in tiles of 8 to 64 rows: counts on either side of an edge.
			edge := min(n, []int{8, 16, 32, 48, 64}[s.random.IntN(5)]+s.random.IntN(3)-1)
			for _, rows := range [][]int{{0}, {1}, {n - 1}, upTo(17), upTo(edge), s.some(n)} {
				var few []int
				for _, i := range rows {
					few = append(few, units[i])
				}
				state, y, _ := s.ascend(r, few, rowsOf(starts, sizes[0], rows), 4)
				s.sameAscent(fmt.Sprintf("%s, rows %v alone", way, rows), state, y, whole, rowsOf(x, sizes[0], rows), rows)
			}
			none := engine.NewAscentState(nil, s.fresh(0, sizes[0]))
			if p, err := r.(engine.AscentRunner).Run(none, 3); err != nil || p != (engine.AscentProgress{}) {
				s.Errorf("%s: an ascent of no rows: %+v, %v", way, p, err)
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
	s.same(what+": rate", got.Rate, rowsOf(whole.Rate, 1, rows))
	for k, i := range rows {
		if got.Steps[k] != whole.Steps[i] || got.Slow[k] != whole.Slow[i] || got.Stop[k] != whole.Stop[i] {
			s.Errorf("%s: row %d: %d steps, %d slow, %v; want %d, %d, %v", what, i, got.Steps[k], got.Slow[k], got.Stop[k], whole.Steps[i], whole.Slow[i], whole.Stop[i])
		}
	}
}

// testAscentStops checks each reason to stop and what it leaves.
func testAscentStops(s *subject) {
	s.checkStop("no steps allowed", s.randomLayers(20, 10, 4), func(p *engine.Ascent) { p.MaxSteps = 0 }, engine.StopSteps, 0)
	s.checkStop("five steps allowed", s.randomLayers(20, 10, 4), func(p *engine.Ascent) { p.MaxSteps = 5 }, engine.StopSteps, 5)
	// The first step gains all there is, the next three nothing.
	s.checkStop("an optimum", s.randomLayers(20, 4), func(p *engine.Ascent) { p.Rate, p.Tolerance, p.Patience = 1e7, 1e-5, 3 }, engine.StopConverged, 4)
	// Far from an optimum no gain is too little.
	s.checkStop("a slope", s.randomLayers(20, 10, 4), func(p *engine.Ascent) { p.Rate, p.Tolerance, p.Patience, p.MaxSteps = 1e-6, 1e9, 1, 5 }, engine.StopSteps, 5)
	dead := s.randomLayers(20, 10, 4)
	clear(dead[1].Weight.Data)
	s.checkStop("a unit without weights", dead, func(*engine.Ascent) {}, engine.StopVanished, 0)
	saturated := s.randomLayers(20, 10, 4)
	for i := range saturated[0].Bias {
		saturated[0].Bias[i] = []float32{300, -300}[i%2]
	}
	s.checkStop("a saturated layer", saturated, func(*engine.Ascent) {}, engine.StopVanished, 0)
	flat := s.randomLayers(20, 4)
	clear(flat[0].Weight.Data)
	s.checkStop("a unit of layer 1 without weights", flat, func(*engine.Ascent) {}, engine.StopVanished, 0)
}

// checkStop checks that all rows stop for a reason after so many steps.
func (s *subject) checkStop(where string, layers []engine.Layer, set func(p *engine.Ascent), want engine.StopReason, steps int) {
	s.Helper()
	p := engine.Ascent{Layers: layers, Rate: 0.1, Direction: 1, Radius: 2, Patience: 2, MaxSteps: 50}
	set(&p)
	ref := newReference(layers)
	units := []int{3, 0, 1, 2, 3}
	starts := s.starts(len(units), 20, 2)
	s.forEach(p, func(way string, r engine.Runner) {
		state, x, rowSteps := s.ascend(r, units, starts, 100)
		if rowSteps != int64(len(units)*(steps+1)) {
			s.Errorf("%s, %s: %d row-steps, want %d for each of %d rows", way, where, rowSteps, steps+1, len(units))
		}
		if steps == 0 {
			s.same(way+", "+where+": x", x, starts)
		}
		for i, unit := range units {
			if state.Stop[i] != want || state.Steps[i] != steps {
				s.Errorf("%s, %s: row %d stopped: %v after %d steps, want %v after %d", way, where, i, state.Stop[i], state.Steps[i], want, steps)
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
	p := engine.Ascent{Layers: s.randomLayers(sizes...), Rate: 0.5, Direction: 1, Radius: radius, Tolerance: 3e-3, Patience: 2, MaxSteps: 25, CurveSteps: []int{0, 1, 2, 5, 12, 25}}
	clear(p.Layers[1].Weight.Data[:sizes[1]]) // rows of unit 0 stop at once
	units := make([]int, n)
	for i := range units {
		units[i] = i % sizes[2]
	}
	starts := s.starts(n, sizes[0], radius)
	s.forEach(p, func(way string, r engine.Runner) {
		whole, x, _ := s.ascend(r, units, starts, p.MaxSteps+1)
		s.checkVariety(way, whole)
		want := s.activations(r, units, starts, p.MaxSteps)
		for _, piece := range []int{4, p.MaxSteps + 1} {
			c := s.scene("ascent with curves, %d steps a call", piece)
			state := engine.NewAscentState(units, c.updated("x", n, sizes[0], starts))
			for range units {
				state.Curves = append(state.Curves, make([]float32, len(p.CurveSteps)))
			}
			for active := 1; active > 0; {
				progress, err := r.(engine.AscentRunner).Run(state, piece)
				s.must(err)
				active = progress.Active
			}
			s.sameAscent(way+", with curves", state, s.read(state.X), whole, x, upTo(n))
			c.end()
			for t, steps := range p.CurveSteps {
				var column []float32
				for _, curve := range state.Curves {
					column = append(column, curve[t])
				}
				s.same(fmt.Sprintf("%s, %d steps a call: curves after %d steps", way, piece, steps), column, want[steps])
			}
		}
		short := engine.NewAscentState(units, s.fresh(n, sizes[0]))
		short.Curves = make([][]float32, n-1)
		_, err := r.(engine.AscentRunner).Run(short, 1)
		s.refused(way+", too few curves", err, "ascent", "curves")
		short.Curves = make([][]float32, n)
		_, err = r.(engine.AscentRunner).Run(short, 1)
		s.refused(way+", curves too short", err, "ascent", "curve of row 0")
	})
	backwards := p
	backwards.CurveSteps = []int{3, 2}
	_, err := engine.CompileAscent(s.device, backwards)
	s.refused("steps of curves that fall", err, "ascent", "curves")
}

// activations are those of the rows after 0, 1, ... steps, from one step a call.
func (s *subject) activations(r engine.Runner, units []int, starts []float32, steps int) (after [][]float32) {
	s.Helper()
	c := s.scene("ascent step by step")
	state := engine.NewAscentState(units, c.updated("x", len(units), len(starts)/len(units), starts))
	for range steps + 1 {
		_, err := r.(engine.AscentRunner).Run(state, 1)
		s.must(err)
		after = append(after, slices.Clone(state.Activation))
	}
	c.end()
	return after
}
