package cpu_test

import (
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/cpu/internal/kernel"
	"github.com/unitscope/unitscope/engine"
)

// climb is an ascent of the units of a stack's last layer.
type climb struct {
	layers []engine.Layer
	rule   engine.Rule
}

// goals are those of all units.
func (c climb) goals() (goals []engine.Goal) {
	for unit := range c.layers[len(c.layers)-1].Bias {
		goals = append(goals, engine.UnitGoal(engine.Value(len(c.layers)), unit))
	}
	return goals
}

// start puts rows at the starts of their identities, each in turn at the next unit.
func (c climb) start(t testing.TB, d engine.Device, rows int) *engine.AscentState {
	t.Helper()
	x, err := d.New(rows, c.layers[0].Weight.Cols)
	if err != nil {
		t.Fatal(err)
	}
	goals, at := c.goals(), engine.Stream{Seed: 5, Purpose: engine.PurposeStart, Keys: make([]uint64, rows)}
	units := make([]int, rows)
	for i := range units {
		units[i] = i % len(goals)
		at.Keys[i] = engine.RowKey(3, units[i], i/len(goals))
	}
	if err := d.Uniform(x, at); err != nil {
		t.Fatal(err)
	}
	if err := d.Project(x, c.rule.Radius); err != nil {
		t.Fatal(err)
	}
	return engine.NewAscentState(goals, units, x)
}

// loaded is the stack as the device computes it.
func (c climb) loaded(t testing.TB, d engine.Device) *engine.Model {
	t.Helper()
	m, err := engine.Load(d, engine.Stack(c.layers))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// plain is the stack by its definition.
func (c climb) plain(t testing.TB, d engine.Device) *engine.Model {
	t.Helper()
	m, err := engine.LoadPlain(d, engine.Stack(c.layers))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func numbersOf(t testing.TB, s *engine.AscentState) []float32 {
	t.Helper()
	x := make([]float32, s.X.Rows()*s.X.Cols())
	if err := s.X.Read(x); err != nil {
		t.Fatal(err)
	}
	return slices.Concat(x, s.Activation, s.StartActivation, s.Gradient, s.Tangent, s.Rate)
}

// Rows that end at very different times, more of them than a worker holds at
// once, give the same bits with any number of workers and any cut into calls,
// and end where the definition ends within rounding.
func TestAscentRows(t *testing.T) {
	const inputs, units, rows = 60, 40, 700
	c := climb{benchmarkLayers(inputs, 90, 70, units), engine.Rule{Rate: 0.5, Radius: 8, Tolerance: 1e-4, Patience: 3, MaxSteps: 90}}
	for i := range c.layers {
		for j := range c.layers[i].Weight.Data {
			c.layers[i].Weight.Data[j] *= 3
		}
	}
	for _, set := range kernel.Variants() {
		t.Run(set.Name, func(t *testing.T) {
			var want []float32
			var wantSteps []int
			for _, workers := range []int{1, 2, 3, 7} {
				d, err := cpu.Open(cpu.Options{Variant: set.Name, Workers: workers})
				if err != nil {
					t.Fatal(err)
				}
				m := c.loaded(t, d)
				s := c.start(t, d, rows)
				for active, piece := 1, 1; active > 0; piece += workers {
					p, err := m.Ascend(s, c.rule, piece)
					if err != nil {
						t.Fatal(err)
					}
					active = p.Active
				}
				got := numbersOf(t, s)
				if want == nil {
					want, wantSteps = got, slices.Clone(s.Steps)
					t.Logf("steps from %d to %d", slices.Min(s.Steps), slices.Max(s.Steps))
					if slices.Min(s.Steps) == slices.Max(s.Steps) {
						t.Error("all rows took equally many steps: the test proves little")
					}
					compareWithDefinition(t, d, c, s)
				}
				if !slices.Equal(got, want) || !slices.Equal(s.Steps, wantSteps) {
					t.Errorf("%d workers: other results than one worker's", workers)
				}
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// compareWithDefinition checks that nearly all rows ended where the definition
// ends: rounding may send a row that hesitates between two optima to the other.
func compareWithDefinition(t *testing.T, d engine.Device, c climb, s *engine.AscentState) {
	t.Helper()
	m := c.plain(t, d)
	defer m.Close()
	plain := c.start(t, d, len(s.Climbs))
	if _, err := m.Ascend(plain, c.rule, c.rule.MaxSteps+1); err != nil {
		t.Fatal(err)
	}
	apart := 0
	for i, a := range s.Activation {
		if math.Abs(float64(a-plain.Activation[i])) > 1e-2*math.Abs(float64(a)) {
			apart++
		}
		if start := s.StartActivation[i]; math.Abs(float64(start-plain.StartActivation[i])) > 1e-5*(1+math.Abs(float64(start))) {
			t.Fatalf("row %d starts at %g, by the definition at %g", i, start, plain.StartActivation[i])
		}
	}
	if apart > len(s.Activation)/50 {
		t.Errorf("%d of %d rows ended elsewhere than by the definition", apart, len(s.Activation))
	}
}

// An error names the first row, whichever worker meets it.
func TestAscentFirstError(t *testing.T) {
	d, err := cpu.Open(cpu.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	c := climb{benchmarkLayers(5, 6, 400), engine.Rule{Rate: 0.1, Radius: 5, Patience: 3, MaxSteps: 50}}
	m := c.loaded(t, d)
	for range 20 {
		s := c.start(t, d, 400)
		x := make([]float32, 400*5)
		for _, row := range []int{390, 117, 250} {
			x[row*5] = float32(math.NaN())
		}
		if err := s.X.Write(x); err != nil {
			t.Fatal(err)
		}
		_, err := m.Ascend(s, c.rule, 60)
		if want := "ascent: row 117, step 0: activation NaN, gradient norm NaN: NaN or Inf"; err == nil || err.Error() != want {
			t.Fatalf("error %v, want %s", err, want)
		}
	}
}
