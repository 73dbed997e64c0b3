//go:build cuda

package gpu

import (
	"slices"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// TestModelIsTheDefinition compares the bits of values, gradients and ascents with those
// of the definition, where goals read one value and where they read several.
func TestModelIsTheDefinition(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	const inputs, rows = 13, 19
	for _, kind := range []engine.ActivationKind{engine.Identity, engine.Sigmoid, engine.ReLU, engine.GELU, engine.PReLU} {
		n := engine.Net{Input: engine.Flat(inputs)}
		for l, units := range []int{17, 70, 5} {
			below := append([]int{inputs}, 17, 70)[l]
			a := engine.UsualActivation(kind)
			if kind == engine.PReLU {
				a.Slopes = numbers(units, 9, 1)
			}
			n.Ops = append(n.Ops, engine.Op{
				Kind: engine.Affine, In: []engine.Value{engine.Value(l)}, Activation: a,
				Weight: engine.Host{Rows: units, Cols: below, Data: numbers(units*below, uint32(l), 0.8)}, Bias: numbers(units, uint32(l)+7, 1),
			})
		}
		single := []engine.Goal{engine.UnitGoal(3, 2), engine.UnitGoal(3, 0)}
		several := []engine.Goal{
			single[0], engine.UnitGoal(1, 3), {Terms: []engine.Term{{At: 2, After: true, Unit: 4, Weight: -1}, {At: 1, After: true, Direction: numbers(17, 3, 1), Weight: 0.5}}},
			{Terms: []engine.Term{{At: 0, Unit: 2, Weight: 1}, {At: 3, After: true, Unit: 1, Weight: 2}}},
		}
		for name, goals := range map[string][]engine.Goal{"one value": single, "several values": several} {
			var results [2][]float32
			for i, load := range []func(engine.Device, engine.Net) (*engine.Model, error){engine.LoadPlain, engine.Load} {
				m, err := load(d, n)
				if err != nil {
					t.Fatal(err)
				}
				results[i] = allOf(t, d, m, goals, inputs, rows)
				if err := m.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(results[0], results[1]) {
				t.Errorf("%s, goals in %s: other numbers than the definition's", kind, name)
			}
		}
	}
}

// allOf is all that a model computes from some inputs.
func allOf(t *testing.T, d engine.Device, m *engine.Model, goals []engine.Goal, inputs, rows int) (all []float32) {
	t.Helper()
	x, dst := newMatrix(t, d, rows, inputs, numbers(rows*inputs, 5, 1)), newMatrix(t, d, rows, inputs, numbers(rows*inputs, 6, 1))
	var outputs []engine.Output
	for at := range engine.Value(4) {
		for _, after := range []bool{false, true} {
			size := m.Shape(at).Size()
			outputs = append(outputs, engine.Output{At: at, After: after, To: newMatrix(t, d, rows, size, numbers(rows*size, 8, 1))})
		}
	}
	if err := m.Forward(x, outputs...); err != nil {
		t.Fatal(err)
	}
	for _, o := range outputs {
		all = append(all, content(t, o.To)...)
	}
	which := make([]int, rows)
	for i := range which {
		which[i] = i % len(goals)
	}
	values, err := m.Gradient(dst, x, goals, which)
	if err != nil {
		t.Fatal(err)
	}
	all = append(append(all, values...), content(t, dst)...)
	if err := d.Project(x, 2); err != nil {
		t.Fatal(err)
	}
	s := engine.NewAscentState(goals, which, x)
	for active := rows; active > 0; {
		p, err := m.Ascend(s, engine.Rule{Rate: 0.4, Radius: 2, Tolerance: 1e-4, Patience: 2, MaxSteps: 25}, 6)
		if err != nil {
			t.Fatal(err)
		}
		active = p.Active
	}
	return slices.Concat(all, content(t, x), s.Activation, s.Gradient, s.Tangent, s.Rate)
}
