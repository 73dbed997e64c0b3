package enginetest

import (
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
)

// checkAscent checks some steps on the sphere, each from where the device itself has come to,
// so that rounding of earlier steps is no matter.
func (z *fuzzed) checkAscent(way string, m *engine.Model) {
	inputs := z.net.Input.Size()
	r := engine.Rule{Rate: 0.3, Radius: 2, Patience: 3, MaxSteps: 3}
	c := z.scene("%s, ascent", way)
	x := c.updated("x", len(z.climbs), inputs, z.onSphere(r.Radius))
	state := engine.NewAscentState(z.goals, z.climbs, x)
	for step := range r.MaxSteps + 1 {
		from, stopped := z.read(x), append([]engine.StopReason(nil), state.Stop...)
		_, err := m.Ascend(state, r, 1)
		z.must(err)
		to := z.read(x)
		for i := range z.climbs {
			if stopped[i] == engine.Running {
				z.checkFuzzedStep(way, r, state, i, step, z.row(from, i), z.row(to, i))
			} else {
				z.same(way+", a row that has stopped", z.row(to, i), z.row(from, i))
			}
		}
	}
	z.results[way] = append(z.results[way], z.read(x), state.Activation, state.Gradient, state.Tangent, state.Rate)
	c.end()
}

// onSphere is x, scaled; rows too short to be are all ones.
func (z *fuzzed) onSphere(radius float32) []float32 {
	x := append([]float32(nil), z.x...)
	for i := range z.climbs {
		row := z.row(x, i)
		length := norm(doubles(row))
		for j := range row {
			row[j] = float32(float64(row[j]) * float64(radius) / length)
		}
	}
	return x
}

// checkFuzzedStep checks a step: of a start, to where its gradient points, and of a row that
// explores. The second is one back to the start, with an evaluation that may not count.
func (z *fuzzed) checkFuzzedStep(way string, r engine.Rule, state *engine.AscentState, i, step int, from, to []float32) {
	z.Helper()
	if step == 1 {
		return
	}
	goal, b := z.goals[z.climbs[i]], newBounds(z.net, z.shapes, doubles(from))
	value, err := b.goal(goal)
	z.near("activation", way, state.Activation[i:i+1], []float64{value}, func(int) float64 { return err + 1e-36 })
	g := b.gradient(goal)
	length, off := norm(g.number), norm(g.error)+1e-20
	z.near("gradient norm", way, state.Gradient[i:i+1], []float64{length}, func(int) float64 { return off + 1e-6*length })
	if state.Stop[i] != engine.Running {
		z.same(way+", a row that stops", to, from)
		if state.Stop[i] == engine.StopVanished && length > engine.VanishedGradient+off {
			z.Errorf("%s: row %d: vanished, with a gradient of %g", way, i, length)
		}
		return
	}
	want, rate := doubles(from), float64(state.Rate[i])
	for j := range want {
		if step == 0 {
			want[j], rate = 0, 1
		}
		want[j] += rate * float64(r.Radius) * g.number[j] / length
	}
	after, rho := norm(want), float64(r.Radius)
	if off > 0.1*length || after < 0.1*rho {
		return // where it goes is not known
	}
	for j := range want {
		want[j] *= rho / after
	}
	// A direction is off by 2 of its relative errors at most, and so is the projection.
	slack := rho * (4*rate*off/length*rho/after + 2e-6*rho/after)
	z.near("step", way, to, want, func(int) float64 { return slack })
}

// checkConstrained checks where an ascent with a constraint and penalties ends: the
// numbers that it reports, and that rows are where they may be.
func (z *fuzzed) checkConstrained(way string, m *engine.Model) {
	r := engine.Rule{Rate: 0.5, Radius: 2, Tolerance: 1e-3, Patience: 2, MaxSteps: 6, Constraint: constraints()[1+len(z.climbs)%3]}
	r.Penalty.L2 = float32(len(z.goals)-1) / 4
	if z.net.Input.Rows*z.net.Input.Cols > 1 {
		r.Penalty.TotalVariation = 0.1
	}
	state, x, _ := z.ascend(m, r, z.goals, z.climbs, z.x, 1+len(z.climbs)%4)
	z.results[way] = append(z.results[way], x, state.Activation, state.Gradient, state.Tangent, state.Rate, state.Penalty)
	for i, g := range z.climbs {
		row := doubles(z.row(x, i))
		b, where := newBounds(z.net, z.shapes, row), fmt.Sprintf("%s, %s", way, r.Constraint.Kind)
		value, err := b.goal(z.goals[g])
		z.near("activation at the end", where, state.Activation[i:i+1], []float64{value}, func(int) float64 { return err + 1e-36 })
		penalty := penalised{z.net, z.shapes, z.goals[g], r}.penalty(row)
		z.near("penalty at the end", where, state.Penalty[i:i+1], []float64{penalty}, func(int) float64 { return 1e-6*penalty + 1e-36 })
		z.near("where it may be", where, z.row(x, i), nearest(r, row), func(int) float64 { return 1e-6 * math.Max(1, norm(row)) })
	}
}
