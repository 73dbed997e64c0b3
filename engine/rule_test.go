package engine_test

import (
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// TestRuleMistakes checks that a rule with wrong numbers is refused, in words that name
// them, and that a right one is not.
func TestRuleMistakes(t *testing.T) {
	d, err := cpu.Open(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	x, err := d.New(0, 4)
	if err != nil {
		t.Fatal(err)
	}
	net := engine.Stack([]engine.Layer{{Weight: weights(3, 4), Bias: values(3)}, {Weight: weights(2, 3), Bias: values(2)}})
	nan, infinity := float32(math.NaN()), float32(math.Inf(1))
	for way, load := range map[string]func(engine.Device, engine.Net) (*engine.Model, error){"plain": engine.LoadPlain, "loaded": engine.Load} {
		m, err := load(d, net)
		if err != nil {
			t.Fatal(err)
		}
		for want, change := range map[string]func(r *engine.Rule){
			"":                    func(*engine.Rule) {},
			"rate -1":             func(r *engine.Rule) { r.Rate = -1 },
			"rate +Inf":           func(r *engine.Rule) { r.Rate = infinity },
			"radius 0":            func(r *engine.Rule) { r.Radius = 0 },
			"radius +Inf":         func(r *engine.Rule) { r.Radius = infinity },
			"tolerance NaN":       func(r *engine.Rule) { r.Tolerance = nan },
			"patience 0":          func(r *engine.Rule) { r.Patience = 0 },
			"-1 steps":            func(r *engine.Rule) { r.MaxSteps = -1 },
			"curves after [3 2]":  func(r *engine.Rule) { r.CurveSteps = []int{3, 2} },
			"no such constraint":  func(r *engine.Rule) { r.Constraint.Kind = 9 },
			"a sphere has no":     func(r *engine.Rule) { r.Constraint.Highest = 1 },
			"a box from 1 to 1":   func(r *engine.Rule) { r.Constraint = engine.Constraint{Kind: engine.Box, Lowest: 1, Highest: 1} },
			"a box from 0 to NaN": func(r *engine.Rule) { r.Constraint = engine.Constraint{Kind: engine.Box, Highest: nan} },
			"L2 penalty with":     func(r *engine.Rule) { r.Penalty.L2 = -1 },
			"variation with":      func(r *engine.Rule) { r.Penalty.TotalVariation = infinity },
			"without rows":        func(r *engine.Rule) { r.Penalty.TotalVariation = 1 },
			"pictures 1x3x2": func(r *engine.Rule) {
				r.Penalty = engine.Penalty{TotalVariation: 1, Picture: engine.Shape{Channels: 1, Rows: 3, Cols: 2}}
			},
			"curves after [-1 2]": func(r *engine.Rule) { r.CurveSteps = []int{-1, 2} },
		} {
			r := engine.Rule{Rate: 1, Radius: 1, Patience: 1}
			change(&r)
			_, err := m.Ascend(engine.NewAscentState(nil, nil, x), r, 1)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s: %v, want an error with %q", way, err, want)
			}
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
