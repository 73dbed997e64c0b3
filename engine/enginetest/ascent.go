package enginetest

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// randomLayers returns a network with these sizes, inputs first. Its parameters
// have no tails, so that no unit is so saturated that 1-h loses its digits.
func (s *subject) randomLayers(sizes ...int) (layers []engine.Layer) {
	for l := 1; l < len(sizes); l++ {
		inputs, units := sizes[l-1], sizes[l]
		w := engine.Host{Rows: units, Cols: inputs, Data: s.normals(units*inputs, 2/math.Sqrt(float64(inputs)))}
		layer := engine.Layer{Weight: w, Bias: s.normals(units, 0.5)}
		cutTails(layer.Weight.Data, 3/math.Sqrt(float64(inputs)))
		cutTails(layer.Bias, 0.75)
		layers = append(layers, layer)
	}
	return layers
}

// cutTails folds numbers beyond a limit back in.
func cutTails(x []float32, limit float64) {
	for i, v := range x {
		x[i] = float32(math.Remainder(float64(v), 2*limit))
	}
}

// starts returns random rows on the sphere.
func (s *subject) starts(rows, inputs int, radius float32) []float32 {
	x := s.normals(rows*inputs, 1)
	for i := range rows {
		row := x[i*inputs : (i+1)*inputs]
		scale := float64(radius) / norm(doubles(row))
		for j := range row {
			row[j] = float32(float64(row[j]) * scale)
		}
	}
	return x
}

// reference is a network in float64.
type reference struct {
	weights [][]float64 // [units, inputs] of each layer
	biases  [][]float64
	inputs  []int
}

func newReference(layers []engine.Layer) (r reference) {
	for _, l := range layers {
		r.weights = append(r.weights, doubles(l.Weight.Data))
		r.biases = append(r.biases, doubles(l.Bias))
		r.inputs = append(r.inputs, l.Weight.Cols)
	}
	return r
}

// row is the weights of a unit, of layer l counted from 0.
func (r reference) row(l, unit int) []float64 {
	return r.weights[l][unit*r.inputs[l] : (unit+1)*r.inputs[l]]
}

// forward returns the outputs of the layers below the last; x is the first.
func (r reference) forward(x []float64) (h [][]float64) {
	h = [][]float64{x}
	for l := range len(r.weights) - 1 {
		below, units := h[l], make([]float64, len(r.biases[l]))
		for u := range units {
			units[u] = sigmoid(inner(r.row(l, u), below) + r.biases[l][u])
		}
		h = append(h, units)
	}
	return h
}

// activation is that of a unit of the last layer.
func (r reference) activation(x []float64, unit int) float64 {
	top := len(r.weights) - 1
	return inner(r.row(top, unit), r.forward(x)[top]) + r.biases[top][unit]
}

// gradient is the derivative of the activation with respect to x.
func (r reference) gradient(x []float64, unit int) []float64 {
	h := r.forward(x)
	top := len(r.weights) - 1
	d := slices.Clone(r.row(top, unit))
	for l := top - 1; l >= 0; l-- {
		below := make([]float64, r.inputs[l])
		for u, v := range h[l+1] {
			delta := d[u] * v * (1 - v)
			for j, w := range r.row(l, u) {
				below[j] += delta * w
			}
		}
		d = below
	}
	return d
}

// differences is the gradient by central differences. In float64 a step of 1e-5
// leaves about 1e-10 from the cut-off series and 1e-11 from rounding.
func (r reference) differences(x []float64, unit int) []float64 {
	const step = 1e-5
	g := make([]float64, len(x))
	for j := range x {
		up, down := slices.Clone(x), slices.Clone(x)
		up[j] += step
		down[j] -= step
		g[j] = (r.activation(up, unit) - r.activation(down, unit)) / (2 * step)
	}
	return g
}

// climb runs an ascent from starts to the end, so many steps a call, and returns
// the state, the final x and the evaluations.
func (s *subject) climb(r engine.Runner, units []int, starts []float32, piece int) (*engine.AscentState, []float32, int64) {
	s.Helper()
	c := s.scene("ascent of units %v", units)
	state := engine.NewAscentState(units, c.updated("x", len(units), len(starts)/len(units), starts))
	var rowSteps int64
	for {
		p, err := r.(engine.AscentRunner).Run(state, piece)
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

// testAscentClosedForm: in layer 1 the optimum is rho w/||w||, from every start.
func testAscentClosedForm(s *subject) {
	for _, direction := range []float32{1, -1} {
		const inputs, count = 61, 9
		layers := s.randomLayers(inputs, count)
		ref := newReference(layers)
		radius := float32(1 + 9*s.random.Float64())
		p := engine.Ascent{Layers: layers, Rate: 10, Direction: direction, Radius: radius, Tolerance: 1e-7, Patience: 3, MaxSteps: 200}
		units := append(upTo(count), upTo(count)...)
		starts := s.starts(len(units), inputs, radius)
		s.forEach(p, func(way string, r engine.Runner) {
			state, x, _ := s.climb(r, units, starts, 1000)
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
			p := engine.Ascent{Layers: layers, Rate: 1, Direction: direction, Radius: 3, Patience: 1, MaxSteps: 0}
			s.forEach(p, func(way string, r engine.Runner) {
				state, _, _ := s.climb(r, []int{0}, start, 1)
				s.near("tangent near the optimum", fmt.Sprintf("%s, direction %g", way, direction), state.Tangent, []float64{math.Sin(angle)}, func(int) float64 { return 1e-6 })
			})
		}
	}
}

// checkOptimum checks that row i has converged to the point of the sphere along
// w, where a linear unit with these weights has its optimum.
func (s *subject) checkOptimum(where string, p engine.Ascent, state *engine.AscentState, i int, x []float32, w []float64, bias float64) {
	s.Helper()
	rho, direction := float64(p.Radius), float64(p.Direction)
	want := make([]float64, len(w))
	for j := range w {
		want[j] = direction * rho * w[j] / norm(w)
	}
	// A step shrinks what is not along w by 1/(1 + rate) < 1/10, so
	// at the end only rounding is left, about an ulp of rho in each component.
	s.near("optimum of layer 1", where, x, want, func(int) float64 { return 2e-6 * rho })
	s.near("activation at the optimum", where, state.Activation[i:i+1], []float64{direction*rho*norm(w) + bias}, func(int) float64 { return 2e-6 * (rho*norm(w) + math.Abs(bias)) })
	s.near("gradient of layer 1", where, state.Gradient[i:i+1], []float64{norm(w)}, func(int) float64 { return 1e-6 * norm(w) })
	s.near("tangent at the optimum", where, state.Tangent[i:i+1], []float64{0}, func(int) float64 { return 1e-5 })
	if state.Stop[i] != engine.StopConverged {
		s.Errorf("%s: stopped after %d steps: %v, want converged", where, state.Steps[i], state.Stop[i])
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
		// A step nearly as long as the radius shows the gradient as clearly as x.
		p := engine.Ascent{Layers: layers, Rate: 0.75, Direction: []float32{1, -1}[s.random.IntN(2)], Radius: radius, Patience: 10, MaxSteps: 1}
		s.forEach(p, func(way string, r engine.Runner) {
			s.checkStep(fmt.Sprintf("%s, %v", way, sizes), p, ref, r, units, starts)
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

// checkStep checks what one evaluation reports and where one move leads. The
// error of a gradient grows with depth: each layer is a product with its
// rounding, about 1e-6 of the sizes of its terms.
func (s *subject) checkStep(where string, p engine.Ascent, ref reference, r engine.Runner, units []int, starts []float32) {
	inputs, rho := ref.inputs[0], float64(p.Radius)
	c := s.scene("%s", where)
	state := engine.NewAscentState(units, c.updated("x", len(units), inputs, starts))
	progress, err := r.(engine.AscentRunner).Run(state, 1)
	s.must(err)
	if progress.Active != len(units) || progress.RowSteps != int64(len(units)) {
		s.Errorf("%s: progress %+v after one evaluation of %d rows", where, progress, len(units))
	}
	moved := s.read(state.X)
	c.end()
	for i, unit := range units {
		x := doubles(starts[i*inputs : (i+1)*inputs])
		g, a := ref.gradient(x, unit), ref.activation(x, unit)
		want := make([]float64, inputs)
		for j := range x {
			want[j] = x[j] + float64(p.Direction)*float64(p.Rate)*rho*g[j]/norm(g)
		}
		scale := rho / norm(want)
		for j := range want {
			want[j] *= scale
		}
		s.near("one step", where, moved[i*inputs:(i+1)*inputs], want, func(int) float64 { return 1e-6 * max(1, scale) * rho })
		s.near("activation", where, state.Activation[i:i+1], []float64{a}, func(int) float64 { return 2e-6 * (1 + math.Abs(a) + norm(ref.row(len(ref.weights)-1, unit))) })
		s.near("gradient norm", where, state.Gradient[i:i+1], []float64{norm(g)}, func(int) float64 { return 1e-5 * norm(g) })
		// The sine comes from the chord between x and the direction of ascent.
		// Close to 180 degrees a rounding of the chord, 1e-7 of it, is a
		// rounding of 1e-7/sine of the sine.
		sine, slack := tangent(x, g, rho), 2e-5
		if float64(p.Direction)*inner(g, x) < 0 {
			slack += min(2e-3, 1e-6/max(sine, 1e-9))
		}
		s.near("tangent", where, state.Tangent[i:i+1], []float64{sine}, func(int) float64 { return slack })
		if state.StartActivation[i] != state.Activation[i] || state.Rate[i] != p.Rate || state.Steps[i] != 1 || state.Stop[i] != engine.Running {
			s.Errorf("%s: row %d: start activation %g, activation %g, %d steps, %v", where, i, state.StartActivation[i], state.Activation[i], state.Steps[i], state.Stop[i])
		}
	}
}

// tangent is ||g - (g.x/rho^2) x|| / ||g||.
func tangent(x, g []float64, rho float64) float64 {
	along := inner(g, x) / (rho * rho)
	t := make([]float64, len(g))
	for j := range g {
		t[j] = g[j] - along*x[j]
	}
	return norm(t) / norm(g)
}

// testAscentMonotone checks what holds on the whole way: a small rate never
// loses activation, every x lies on the sphere, and a network with one unit in
// each layer, which is monotone in w.x, has the optimum of layer 1.
func testAscentMonotone(s *subject) {
	layers, radius := s.randomLayers(30, 25, 20, 8), float32(3)
	units := append(upTo(8), upTo(8)...)
	p := engine.Ascent{Layers: layers, Rate: 0.02, Direction: 1, Radius: radius, Patience: 1000, MaxSteps: 60}
	starts := s.starts(len(units), 30, radius)
	s.forEach(p, func(way string, r engine.Runner) {
		c := s.scene("%s", way)
		state := engine.NewAscentState(units, c.updated("x", len(units), 30, starts))
		before := make([]float32, len(units))
		for step := range p.MaxSteps + 1 {
			_, err := r.(engine.AscentRunner).Run(state, 1)
			s.must(err)
			for i, a := range state.Activation {
				if slack := 2e-6 * (1 + math.Abs(float64(a))) * 10; step > 0 && float64(before[i]-a) > slack {
					s.Errorf("%s: row %d: activation fell from %g to %g at step %d", way, i, before[i], a, step)
				}
			}
			copy(before, state.Activation)
		}
		s.checkOnSphere(way, s.read(state.X), len(units), 30, doubles(before), radius)
		c.end()
	})

	chain := s.randomLayers(19, 1, 1, 1)
	w := doubles(chain[0].Weight.Data)
	sign := float32(1)
	for _, l := range chain[1:] {
		if l.Weight.Data[0] < 0 {
			sign = -sign
		}
		l.Weight.Data[0] = float32(math.Copysign(2, float64(l.Weight.Data[0])))
	}
	// The radius keeps |w.x| below 2, away from the sigmoid's flat ends.
	p = engine.Ascent{Layers: chain, Rate: 1e4, Direction: 1, Radius: float32(2 / norm(w)), Patience: 1000, MaxSteps: 60}
	s.forEach(p, func(way string, r engine.Runner) {
		_, x, _ := s.climb(r, make([]int, 5), s.starts(5, 19, p.Radius), 100)
		for i := range 5 {
			want := make([]float64, 19)
			for j := range want {
				want[j] = float64(sign) * float64(p.Radius) * w[j] / norm(w)
			}
			s.near("optimum of a chain of units", way, x[i*19:(i+1)*19], want, func(int) float64 { return 3e-6 * float64(p.Radius) })
		}
	})
}

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
			whole, x, rowSteps := s.climb(r, units, starts, p.MaxSteps+1)
			s.checkVariety(way, whole)
			evaluations := int64(0)
			for _, steps := range whole.Steps {
				evaluations += int64(steps) + 1
			}
			if rowSteps != evaluations {
				s.Errorf("%s: %d row-steps, the rows took %d evaluations", way, rowSteps, evaluations)
			}
			for _, piece := range []int{1, 7} {
				state, y, _ := s.climb(r, units, starts, piece)
				s.sameAscent(fmt.Sprintf("%s, %d steps a call", way, piece), state, y, whole, x, upTo(n))
			}
			// Devices work in tiles of 8 to 64 rows: counts on either side of an edge.
			edge := min(n, []int{8, 16, 32, 48, 64}[s.random.IntN(5)]+s.random.IntN(3)-1)
			for _, rows := range [][]int{{0}, {1}, {n - 1}, upTo(17), upTo(edge), s.some(n)} {
				var few []int
				for _, i := range rows {
					few = append(few, units[i])
				}
				state, y, _ := s.climb(r, few, rowsOf(starts, sizes[0], rows), 4)
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
		state, x, rowSteps := s.climb(r, units, starts, 100)
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
		whole, x, _ := s.climb(r, units, starts, p.MaxSteps+1)
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

// testAscentMisuse checks what an ascent refuses.
func testAscentMisuse(s *subject) {
	good := engine.Ascent{Layers: s.randomLayers(6, 5, 4), Rate: 1, Direction: 1, Radius: 1, Patience: 1, MaxSteps: 3}
	notFinite := good
	notFinite.Layers = s.randomLayers(6, 5, 4)
	notFinite.Layers[1].Weight.Data[7] = nan
	_, err := engine.CompileAscent(s.device, notFinite)
	s.refused("NaN among the weights", err, "ascent", "layer 2")
	if !errors.Is(err, engine.ErrNotFinite) {
		s.Errorf("NaN among the weights: %v does not wrap ErrNotFinite", err)
	}
	s.forEach(good, func(way string, r engine.Runner) {
		run := func(units []int, x engine.Matrix) error {
			_, err := r.(engine.AscentRunner).Run(engine.NewAscentState(units, x), 2)
			return err
		}
		s.refused(way+", a unit that is not there", run([]int{0, 4}, s.fresh(2, 6)), "ascent", "row 1", "unit 4")
		s.refused(way+", too few rows", run([]int{0, 1, 2}, s.fresh(2, 6)), "ascent", "2x6", "3x6")
		s.refused(way+", too few columns", run([]int{0, 1}, s.fresh(2, 5)), "ascent", "2x5", "2x6")
		s.refused(way+", no x", run([]int{0, 1}, nil), "ascent", "x", "missing")
		x := s.fresh(2, 6)
		s.must(x.Write(append(s.starts(1, 6, 1), 0, 0, nan, 0, 0, 0)))
		err := run([]int{0, 3}, x)
		s.refused(way+", NaN in x", err, "ascent", "layer 2", "unit 3", "step 0")
		if !errors.Is(err, engine.ErrNotFinite) {
			s.Errorf("%s, NaN in x: %v does not wrap ErrNotFinite", way, err)
		}
	})
}
