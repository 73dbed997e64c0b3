package engine_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// evaluation is what a device finds at one x of a row, and what the rule makes
// of it.
type evaluation struct {
	activation, norm, chord float32
	slow                    int
	rate                    float32
	stop                    engine.StopReason
}

// TestJudge checks the rule by which rows stop, on made-up ascents: radius 2,
// first rate 1, a gain of at most a tenth of the activation is too
// little, and three of those in a row end an ascent.
func TestJudge(t *testing.T) {
	const near, far = 0.02, 2 // chords: sines of 0.01 and 0.87
	for _, c := range []struct {
		name  string
		steps []evaluation
	}{
		{"converges", []evaluation{
			{1, 1, near, 0, 1, engine.Running},
			{10, 1, near, 0, 1, engine.Running},
			{10.5, 1, near, 1, 1, engine.Running},
			{10.5, 1, near, 2, 1, engine.Running},
			{10.5, 1, near, 3, 1, engine.StopConverged},
		}},
		{"gains again", []evaluation{
			{10, 1, near, 0, 1, engine.Running},
			{10.1, 1, near, 1, 1, engine.Running},
			{10.2, 1, near, 2, 1, engine.Running},
			{20, 1, near, 0, 1, engine.Running},
			{20, 1, near, 1, 1, engine.Running},
		}},
		{"on a plateau", []evaluation{
			{10, 1e-9, far, 0, 1, engine.Running},
			{10, 1e-9, far, 0, 1, engine.Running},
			{10, 1e-9, near, 1, 1, engine.Running},
			{10, 1e-9, far, 0, 1, engine.Running},
		}},
		{"loses", []evaluation{
			{10, 1, far, 0, 1, engine.Running},
			{9, 1, far, 0, 0.5, engine.Running},
			{8, 1, near, 1, 0.25, engine.Running},
			{18, 1, near, 0, 0.25, engine.Running},
		}},
		{"below 0", []evaluation{
			{-10, 1, near, 0, 1, engine.Running},
			{-1, 1, near, 0, 1, engine.Running},
			{-1.05, 1, near, 1, 0.5, engine.Running},
			{-1.05, 1, near, 2, 0.5, engine.Running},
		}},
		{"vanishes", []evaluation{
			{1, 1, far, 0, 1, engine.Running},
			{5, 1e-17, far, 0, 1, engine.StopVanished},
		}},
		{"steps", []evaluation{
			{1, 1, far, 0, 1, engine.Running}, {2, 1, far, 0, 1, engine.Running}, {4, 1, far, 0, 1, engine.Running},
			{8, 1, far, 0, 1, engine.Running}, {16, 1, far, 0, 1, engine.Running}, {32, 1, far, 0, 1, engine.StopSteps},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &engine.Rule{Rate: 1, Radius: 2, Tolerance: 0.1, Patience: 3, MaxSteps: 5}
			s := engine.NewAscentState(nil, []int{0, 0}, nil)
			for k, e := range c.steps {
				s.Steps[1] = k
				if err := r.Judge(s, 1, e.activation, e.norm, e.chord); err != nil {
					t.Fatal(err)
				}
				if s.Activation[1] != e.activation || s.StartActivation[1] != c.steps[0].activation || s.Gradient[1] != e.norm {
					t.Errorf("evaluation %d: activation %g, at the start %g, gradient %g, of %+v", k, s.Activation[1], s.StartActivation[1], s.Gradient[1], e)
				}
				if s.Slow[1] != e.slow || s.Rate[1] != e.rate || s.Stop[1] != e.stop {
					t.Errorf("evaluation %d: %d slow, rate %g, %v; want %d, %g, %v", k, s.Slow[1], s.Rate[1], s.Stop[1], e.slow, e.rate, e.stop)
				}
			}
		})
	}
}

// TestJudgeTangent checks the sine of the angle that belongs to a chord.
func TestJudgeTangent(t *testing.T) {
	r := &engine.Rule{Rate: 1, Radius: 2, Patience: 1, MaxSteps: 5}
	for _, angle := range []float64{0, 1e-6, 0.1, math.Pi / 3, math.Pi / 2, 2, math.Pi} {
		s := engine.NewAscentState(nil, []int{0}, nil)
		if err := r.Judge(s, 0, 1, 1, float32(2*2*math.Sin(angle/2))); err != nil {
			t.Fatal(err)
		}
		// A chord near the diameter says little about its angle.
		if got := float64(s.Tangent[0]); math.Abs(got-math.Sin(angle)) > 1e-6*(math.Sin(angle)+math.Max(0, angle-2)*1000) {
			t.Errorf("angle %g: tangent %g, want %g", angle, got, math.Sin(angle))
		}
	}
}

// TestJudgeNotFinite checks that NaN and Inf end the run, with an error that
// says where.
func TestJudgeNotFinite(t *testing.T) {
	r := &engine.Rule{Rate: 1, Radius: 1, Patience: 1, MaxSteps: 5}
	nan, infinity := float32(math.NaN()), float32(math.Inf(1))
	for _, bad := range [][2]float32{{nan, 1}, {1, nan}, {infinity, 1}, {-infinity, 1}, {1, infinity}} {
		s := engine.NewAscentState(nil, make([]int, 3), nil)
		s.Steps[2] = 4
		err := r.Judge(s, 2, bad[0], bad[1], 0)
		if !errors.Is(err, engine.ErrNotFinite) || !strings.Contains(err.Error(), "row 2, step 4") {
			t.Errorf("activation %g, gradient norm %g: %v", bad[0], bad[1], err)
		}
	}
}

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
