package cpu_test

import (
	"math"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/cpu/internal/kernel"
	"github.com/unitscope/unitscope/engine"
)

// Gradients and radii whose squares leave the range of float32 end where the
// definition ends, which sums in float64.
func TestAscentRange(t *testing.T) {
	const inputs, units = 30, 4
	for _, set := range kernel.Variants() {
		for _, c := range []struct {
			name           string
			weight, radius float32
		}{
			{"usual", 1, 5}, {"large gradient", 1e21, 1e-2}, {"small radius", 1, 1e-21}, {"large radius", 1e-10, 1e21},
		} {
			t.Run(set.Name+"/"+c.name, func(t *testing.T) {
				layers := benchmarkLayers(inputs, units)
				for i := range layers[0].Weight.Data {
					layers[0].Weight.Data[i] *= c.weight
				}
				ascent := climb{layers, engine.Rule{Rate: 1, Radius: c.radius, Tolerance: 1e-5, Patience: 2, MaxSteps: 12}}
				d, err := cpu.Open(cpu.Options{Variant: set.Name, Workers: 1})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				var ends [2]*engine.AscentState
				for i, m := range []*engine.Model{ascent.plain(t, d), ascent.loaded(t, d)} {
					ends[i] = ascent.start(t, d, 6)
					if _, err := m.Ascend(ends[i], ascent.rule, ascent.rule.MaxSteps+1); err != nil {
						t.Fatal(err)
					}
				}
				want, got := ends[0], ends[1]
				for i := range got.Climbs {
					near(t, "gradient", i, got.Gradient[i], want.Gradient[i], 1e-5*float64(want.Gradient[i]))
					near(t, "tangent", i, got.Tangent[i], want.Tangent[i], 2e-5)
					near(t, "activation", i, got.Activation[i], want.Activation[i], 1e-5*math.Abs(float64(want.Activation[i])))
					if got.Stop[i] != want.Stop[i] {
						t.Errorf("row %d stopped: %v, by the definition %v", i, got.Stop[i], want.Stop[i])
					}
				}
			})
		}
	}
}

func near(t *testing.T, what string, row int, got, want float32, tolerance float64) {
	t.Helper()
	if e := math.Abs(float64(got) - float64(want)); !(e <= tolerance) {
		t.Errorf("row %d: %s %g, by the definition %g", row, what, got, want)
	}
}
