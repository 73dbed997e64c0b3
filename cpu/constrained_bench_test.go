package cpu_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// BenchmarkConstrained measures what a constraint and penalties cost: an evaluation of a row
// beside one on the sphere, which the device runs by itself.
func BenchmarkConstrained(b *testing.B) {
	const rows, steps, radius = 324, 12, 9
	layers := benchmarkLayers(784, 1000, 1000, 1000)
	penalty := engine.Penalty{TotalVariation: 0.01, Picture: engine.Shape{Channels: 1, Rows: 28, Cols: 28}}
	for _, c := range []struct {
		name       string
		constraint engine.Constraint
		penalty    engine.Penalty
	}{
		{"sphere", engine.Constraint{}, engine.Penalty{}},
		{"ball", engine.Constraint{Kind: engine.Ball}, engine.Penalty{}},
		{"box", engine.Constraint{Kind: engine.Box, Highest: 1}, engine.Penalty{}},
		{"box with total variation", engine.Constraint{Kind: engine.Box, Highest: 1}, penalty},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := open(b, cpu.Options{})
			defer d.Close()
			rule := engine.Rule{Rate: 0.1, Radius: radius, Patience: math.MaxInt, MaxSteps: math.MaxInt, Constraint: c.constraint, Penalty: c.penalty}
			m := climb{layers, rule}.loaded(b, d)
			units, starts := make([]int, rows), matrix(b, d, rows, 784)
			for i := range units {
				units[i] = i
			}
			evaluations := int64(0)
			for b.Loop() {
				x := matrix(b, d, rows, 784)
				if err := d.Axpby(x, 1, starts, 0); err != nil {
					b.Fatal(err)
				}
				if err := d.Project(x, radius); err != nil {
					b.Fatal(err)
				}
				progress, err := m.Ascend(engine.NewAscentState(climb{layers, rule}.goals(), units, x), rule, steps)
				if err != nil || progress.Active != rows {
					b.Fatal(fmt.Errorf("%+v: %w", progress, err))
				}
				evaluations += progress.RowSteps
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(evaluations), "µs/evaluation")
		})
	}
}
