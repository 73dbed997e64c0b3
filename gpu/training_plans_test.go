//go:build cuda

package gpu

import (
	"errors"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// trainingCase is a plan and its data.
type trainingCase struct {
	name     string
	plan     engine.Plan
	examples []int // of each run
	rule     engine.Update
}

func divergenceCase(name string, visible, hidden, batch int, change func(p *engine.ContrastiveDivergence), examples ...int) trainingCase {
	p := engine.ContrastiveDivergence{VisibleUnits: visible, HiddenUnits: hidden, GibbsSteps: 1, Batch: batch, Layer: 1, Seed: 5}
	change(&p)
	return trainingCase{name: name, plan: p, examples: examples, rule: engine.Update{Rate: 0.1, Momentum: 0.7, Decay: 0.01}}
}

func denoiseCase(name string, visible, hidden, batch int, kind engine.VisibleKind, corruption engine.Corruption, examples ...int) trainingCase {
	p := engine.Denoise{VisibleUnits: visible, HiddenUnits: hidden, Visible: kind, Corruption: corruption, Batch: batch, Seed: 6}
	return trainingCase{name: name, plan: p, examples: examples, rule: engine.Update{Rate: 0.1, Momentum: 0.7, Decay: 0.01}}
}

// with changes the rule.
func (c trainingCase) with(rate, momentum, decay float32) trainingCase {
	c.rule = engine.Update{Rate: rate, Momentum: momentum, Decay: decay}
	return c
}

func trainingCases() []trainingCase {
	type cd = engine.ContrastiveDivergence
	none := func(*cd) {}
	all := func(p *cd) {
		p.Sparsity, p.Centered, p.GradientLimit = engine.Sparsity{Target: 0.1, Cost: 0.3}, true, 0.05
	}
	return []trainingCase{
		divergenceCase("CD-1", 9, 5, 7, none, 17, 4),
		divergenceCase("CD-1 of one unit", 1, 1, 1, none, 2),
		divergenceCase("CD-1 of tiles and more", 70, 66, 65, none, 70),
		divergenceCase("CD-1 of nothing", 9, 5, 7, none, 0, 3),
		divergenceCase("CD-1 without momentum and decay", 9, 5, 7, none, 17, 4).with(0.05, 0, 0),
		divergenceCase("CD-1 with decay alone", 9, 5, 7, none, 17).with(0.05, 0, 0.3),
		divergenceCase("CD-3", 9, 5, 7, func(p *cd) { p.GibbsSteps = 3 }, 17, 4),
		divergenceCase("CD-3 gaussian", 9, 5, 7, func(p *cd) { p.GibbsSteps, p.Visible = 3, engine.Gaussian }, 17),
		divergenceCase("PCD-2", 9, 5, 7, func(p *cd) { p.GibbsSteps, p.Chains = 2, 11 }, 17, 4),
		divergenceCase("PCD-1 of few chains, gaussian", 9, 5, 7, func(p *cd) { p.Chains, p.Visible = 2, engine.Gaussian }, 17),
		divergenceCase("sparsity", 9, 70, 7, func(p *cd) { p.Sparsity = engine.Sparsity{Target: 0.1, Cost: 0.3} }, 17, 4),
		divergenceCase("centered", 70, 66, 7, func(p *cd) { p.Centered = true }, 17, 4),
		divergenceCase("centered without momentum and decay", 9, 5, 7, func(p *cd) { p.Centered = true }, 17).with(0.05, 0, 0),
		divergenceCase("limit", 9, 5, 7, func(p *cd) { p.GradientLimit = 0.02 }, 17, 4),
		divergenceCase("limit without momentum and decay", 9, 5, 7, func(p *cd) { p.GradientLimit = 0.02 }, 17).with(0.2, 0, 0),
		divergenceCase("CD-2 with all, gaussian", 70, 13, 7, func(p *cd) { all(p); p.GibbsSteps, p.Visible = 2, engine.Gaussian }, 17, 4),
		divergenceCase("PCD-1 with all", 9, 5, 7, func(p *cd) { all(p); p.Chains = 6 }, 17, 4),
		denoiseCase("denoise mask", 9, 5, 7, engine.Bernoulli, engine.Corruption{Kind: engine.CorruptionMask, Level: 0.3}, 17, 4),
		denoiseCase("denoise salt and pepper", 70, 66, 7, engine.Bernoulli, engine.Corruption{Kind: engine.CorruptionSaltPepper, Level: 0.3, High: 1}, 10),
		denoiseCase("denoise gauss", 9, 5, 7, engine.Gaussian, engine.Corruption{Kind: engine.CorruptionGaussian, Level: 0.3}, 17, 4),
		denoiseCase("denoise without momentum and decay", 9, 5, 7, engine.Gaussian, engine.Corruption{Level: 0.3}, 17).with(0.05, 0, 0),
	}
}

// trainee returns the state of a layer that is in training already.
func trainee(t *testing.T, d engine.Device, plan engine.Plan) *engine.TrainingState {
	t.Helper()
	make := func(rows, cols int, seed uint32, scale float32) engine.Matrix {
		return newMatrix(t, d, rows, cols, numbers(rows*cols, seed, scale))
	}
	set := func(visible, hidden int, seed uint32, scale float32) engine.Parameters {
		return engine.Parameters{Weight: make(hidden, visible, seed, scale), Bias: make(1, hidden, seed+1, scale), VisibleBias: make(1, visible, seed+2, scale)}
	}
	switch p := plan.(type) {
	case engine.ContrastiveDivergence:
		s := &engine.TrainingState{Parameters: set(p.VisibleUnits, p.HiddenUnits, 1, 0.5), Velocity: set(p.VisibleUnits, p.HiddenUnits, 11, 0.01), Updates: 12}
		if p.Chains > 0 {
			states := numbers(p.Chains*p.HiddenUnits, 21, 1)
			for i, x := range states {
				states[i] = 0
				if x > 0 {
					states[i] = 1
				}
			}
			s.Chains = newMatrix(t, d, p.Chains, p.HiddenUnits, states)
		}
		if p.Tracks() {
			s.Activity = make(1, p.HiddenUnits, 22, 0.5)
		}
		if p.Centered {
			s.Center = make(1, p.VisibleUnits, 23, 0.5)
		}
		return s
	case engine.Denoise:
		return &engine.TrainingState{Parameters: set(p.VisibleUnits, p.HiddenUnits, 1, 0.5), Velocity: set(p.VisibleUnits, p.HiddenUnits, 11, 0.01), Updates: 12}
	}
	t.Fatalf("%T is not a plan for training", plan)
	return nil
}

// examples returns so many, and their keys.
func examples(t *testing.T, d engine.Device, s *engine.TrainingState, n int) (engine.Matrix, []uint64) {
	t.Helper()
	visible := s.Parameters.Weight.Cols()
	x := numbers(n*visible, 31, 0.5)
	for i := range x {
		x[i] += 0.5
	}
	return newMatrix(t, d, n, visible, x), exampleKeys(n)
}

func TestTrainingIsTheDefinition(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	for _, c := range trainingCases() {
		t.Run(c.name, func(t *testing.T) {
			own, plain := both[engine.TrainingRunner](t, d, c.plan)
			got, want := trainee(t, d, c.plan), trainee(t, d, c.plan)
			for _, n := range c.examples {
				data, keys := examples(t, d, got, n)
				gotProgress, gotErr := own.Run(got, data, keys, c.rule)
				wantProgress, wantErr := plain.Run(want, data, keys, c.rule)
				if err := errors.Join(gotErr, wantErr); err != nil {
					t.Fatal(err)
				}
				if gotProgress != wantProgress {
					t.Errorf("progress %+v, by the definition %+v", gotProgress, wantProgress)
				}
			}
			compareStates(t, "after all runs", got, want)
		})
	}
}

// begun returns a new state of a plan, or of a climb, and what runs it.
func begun(t *testing.T, d engine.Device, plan any) (state any, run func(engine.Runner) error) {
	t.Helper()
	switch p := plan.(type) {
	case climb:
		s := p.rows(t, d, 200)
		return s, func(r engine.Runner) error { _, err := r.(climber).run(s, 3); return err }
	case engine.Gibbs:
		s := startChains(t, d, p, 7, false)
		return s, func(r engine.Runner) error { _, err := r.(engine.GibbsRunner).Run(s, 2); return err }
	}
	s := trainee(t, d, plan.(engine.Plan))
	data, keys := examples(t, d, s, 17)
	return s, func(r engine.Runner) error {
		_, err := r.(engine.TrainingRunner).Run(s, data, keys, engine.Update{Rate: 0.1})
		return err
	}
}

func compareTraining(t *testing.T, what string, got, want *engine.TrainingState) {
	t.Helper()
	for _, set := range []struct {
		of        string
		got, want engine.Parameters
	}{{"", got.Parameters, want.Parameters}, {"velocity of ", got.Velocity, want.Velocity}} {
		sameBits(t, what+": "+set.of+"weight", set.got.Weight, set.want.Weight)
		sameBits(t, what+": "+set.of+"bias", set.got.Bias, set.want.Bias)
		sameBits(t, what+": "+set.of+"visible bias", set.got.VisibleBias, set.want.VisibleBias)
	}
	sameBits(t, what+": chains", got.Chains, want.Chains)
	sameBits(t, what+": activity", got.Activity, want.Activity)
	sameBits(t, what+": center", got.Center, want.Center)
	if got.Updates != want.Updates {
		t.Errorf("%s: %d updates, want %d", what, got.Updates, want.Updates)
	}
}
