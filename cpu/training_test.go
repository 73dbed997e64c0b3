package cpu_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// trainingPlans are plans of every kind for so many units.
func trainingPlans(visible, hidden, batch int) []engine.Plan {
	divergence := engine.ContrastiveDivergence{VisibleUnits: visible, HiddenUnits: hidden, GibbsSteps: 1, Batch: batch, Layer: 1, Seed: 3}
	steps, persistent := divergence, divergence
	steps.GibbsSteps, steps.Visible = 3, engine.Gaussian
	persistent.Chains, persistent.GibbsSteps = batch+5, 2
	sparse, all := steps, persistent
	sparse.Sparsity = engine.Sparsity{Target: 0.1, Cost: 0.5}
	all.Sparsity, all.Centered, all.GradientLimit = sparse.Sparsity, true, 0.001
	limited := steps
	limited.GradientLimit = 0.001
	plans := []engine.Plan{divergence, steps, persistent, sparse, all, limited}
	for _, c := range []engine.Corruption{
		{Kind: engine.CorruptionMask, Level: 0.25},
		{Kind: engine.CorruptionSaltPepper, Level: 0.1, High: 1},
		{Kind: engine.CorruptionGaussian, Level: 0.2},
	} {
		plans = append(plans, engine.Denoise{VisibleUnits: visible, HiddenUnits: hidden, Corruption: c, Batch: batch, Seed: 4})
	}
	return plans
}

// lesson is a layer in training on a device.
type lesson struct {
	runner engine.TrainingRunner
	state  *engine.TrainingState
	data   engine.Matrix
	keys   []uint64
}

func newLesson(t *testing.T, d engine.Device, p engine.Plan, visible, hidden, examples int) *lesson {
	t.Helper()
	set := func() engine.Parameters {
		return engine.Parameters{Weight: matrix(t, d, hidden, visible), Bias: matrix(t, d, 1, hidden), VisibleBias: matrix(t, d, 1, visible)}
	}
	l := &lesson{state: &engine.TrainingState{Parameters: set(), Velocity: set()}, data: matrix(t, d, examples, visible), keys: make([]uint64, examples)}
	if p, ok := p.(engine.ContrastiveDivergence); ok && p.Chains > 0 {
		l.state.Chains = matrix(t, d, p.Chains, hidden)
		if err := d.Bernoulli(l.state.Chains, l.state.Chains, engine.Stream{Keys: make([]uint64, p.Chains)}); err != nil {
			t.Fatal(err)
		}
	}
	if p, ok := p.(engine.ContrastiveDivergence); ok && p.Tracks() {
		l.state.Activity, l.state.Center = matrix(t, d, 1, hidden), matrix(t, d, 1, visible)
	}
	for i := range l.keys {
		l.keys[i] = engine.ExampleKey(1, int64(i*i))
	}
	var err error
	if l.runner, err = engine.CompileTraining(d, p); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lesson) run(t *testing.T) engine.TrainingProgress {
	t.Helper()
	progress, err := l.runner.Run(l.state, l.data, l.keys, engine.Update{Rate: 0.001, Momentum: 0.5, Decay: 0.001})
	if err != nil {
		t.Fatal(err)
	}
	return progress
}

func (l *lesson) contents(t *testing.T) (all []float32) {
	t.Helper()
	p, v := l.state.Parameters, l.state.Velocity
	for _, m := range []engine.Matrix{p.Weight, p.Bias, p.VisibleBias, v.Weight, v.Bias, v.VisibleBias, l.state.Chains, l.state.Activity} {
		if m != nil {
			all = append(all, read(t, m)...)
		}
	}
	return all
}

// TestTrainingWorkers checks that training gives the same bits with any number
// of workers.
func TestTrainingWorkers(t *testing.T) {
	const visible, hidden, batch, examples = 150, 263, 41, 100
	for _, variant := range cpu.Variants() {
		for _, p := range trainingPlans(visible, hidden, batch) {
			var want []float32
			var progress engine.TrainingProgress
			for _, workers := range []int{1, 2, 3, 7} {
				d := open(t, cpu.Options{Variant: variant, Workers: workers})
				l := newLesson(t, d, p, visible, hidden, examples)
				done, got := l.run(t), l.contents(t)
				if want == nil {
					want, progress = got, done
				}
				if done != progress {
					t.Errorf("%s, %+v, %d workers: progress %+v, with one worker %+v", variant, p, workers, done, progress)
				}
				for i := range want {
					if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
						t.Fatalf("%s, %+v, %d workers: number %d is %g, with one worker it is %g", variant, p, workers, i, got[i], want[i])
					}
				}
				if err := d.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestTrainingNoAllocations checks that updates take no memory once one has been
// made: a run of many takes as much as a run of one, for its checks.
func TestTrainingNoAllocations(t *testing.T) {
	const visible, hidden, batch, examples = 70, 90, 20, 110
	for _, workers := range []int{1, 2} {
		d := open(t, cpu.Options{Workers: workers})
		for _, p := range trainingPlans(visible, hidden, batch) {
			many := newLesson(t, d, p, visible, hidden, examples)
			one := newLesson(t, d, p, visible, hidden, batch)
			// A worker may come to its first part, and to its memory, late.
			fewest := math.Inf(1)
			for range 10 {
				more := testing.AllocsPerRun(2, func() { many.run(t) }) - testing.AllocsPerRun(2, func() { one.run(t) })
				fewest = min(fewest, max(0, more))
			}
			if fewest != 0 {
				t.Errorf("%d workers, %+v: %g allocations in %d more updates", workers, p, fewest, examples/batch)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTrainingClosed checks that a plan that was closed, or whose device was, is
// refused, and that it lets go of what it was given.
func TestTrainingClosed(t *testing.T) {
	for i, p := range trainingPlans(5, 4, 3) {
		d := open(t, cpu.Options{})
		l := newLesson(t, d, p, 5, 4, 7)
		if err := l.state.Velocity.Weight.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := l.runner.Run(l.state, l.data, l.keys, engine.Update{Rate: 1}); err == nil || !containsAll(err, "velocity of weight", "closed") {
			t.Errorf("%d: closed velocity: %v", i, err)
		}
		l = newLesson(t, d, p, 5, 4, 7)
		for range 2 {
			if err := l.runner.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := l.runner.Run(l.state, l.data, l.keys, engine.Update{Rate: 1}); err == nil || !containsAll(err, "plan is closed") {
			t.Errorf("%d: closed plan: %v", i, err)
		}
		l = newLesson(t, d, p, 5, 4, 7)
		l.state.Parameters.Weight = l.state.Velocity.Weight
		if _, err := l.runner.Run(l.state, l.data, l.keys, engine.Update{Rate: 1}); err == nil || !containsAll(err, "velocity of weight", "shares memory") {
			t.Errorf("%d: one matrix for two: %v", i, err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := l.runner.Run(l.state, l.data, l.keys, engine.Update{Rate: 1}); err == nil || !containsAll(err, "device is closed") {
			t.Errorf("%d: closed device: %v", i, err)
		}
	}
}

// TestTrainingMemory checks that a plan that no machine has room for is an error.
func TestTrainingMemory(t *testing.T) {
	d := open(t, cpu.Options{})
	defer d.Close()
	if d.Info().Memory == 0 {
		t.Skip("the size of this machine's memory is not known")
	}
	for _, p := range trainingPlans(1000, 1000, int(d.Info().Memory>>11)) {
		if _, err := engine.CompileTraining(d, p); err == nil {
			t.Errorf("%T of many gigabytes: no error", p)
		}
	}
	for _, p := range trainingPlans(3, 2, math.MaxInt/4) {
		if _, err := engine.CompileTraining(d, p); err == nil {
			t.Errorf("%s: no error", fmt.Sprintf("%+v", p))
		}
	}
}

func containsAll(err error, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			return false
		}
	}
	return true
}
