//go:build cuda

package gpu

import (
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// The plans of a card must give the bits of their definitions on the same card.

// numbers are made up from a seed, between -scale and scale.
func numbers(n int, seed uint32, scale float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 2 * scale * (engine.UniformFromBits((uint32(i)+seed*7919)*2654435761) - 0.5)
	}
	return x
}

func exampleKeys(n int) []uint64 {
	keys := make([]uint64, n)
	for i := range keys {
		keys[i] = engine.ExampleKey(2, int64(i)*3)
	}
	return keys
}

// newMatrix returns a matrix that is closed with the test.
func newMatrix(t *testing.T, d engine.Device, rows, cols int, data []float32) engine.Matrix {
	t.Helper()
	m, err := d.New(rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	if err := m.Write(data); err != nil {
		t.Fatal(err)
	}
	return m
}

func content(t *testing.T, m engine.Matrix) []float32 {
	t.Helper()
	x := make([]float32, m.Rows()*m.Cols())
	if err := m.Read(x); err != nil {
		t.Fatal(err)
	}
	return x
}

// sameBits compares matrices; nil is no matrix.
func sameBits(t *testing.T, what string, got, want engine.Matrix) {
	t.Helper()
	if want == nil {
		return
	}
	g, w := content(t, got), content(t, want)
	for i := range w {
		if math.Float32bits(g[i]) != math.Float32bits(w[i]) && (g[i] == g[i] || w[i] == w[i]) {
			t.Errorf("%s: element %d is %g, by the definition %g", what, i, g[i], w[i])
			return
		}
	}
}

// both returns the card's own plan and its definition.
func both[R engine.Runner](t *testing.T, d engine.Device, p engine.Plan) (own, plain R) {
	t.Helper()
	o, err := d.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	q, err := engine.Plain(d, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(o.Close(), q.Close()); err != nil {
			t.Error(err)
		}
	})
	return o.(R), q.(R)
}

func gibbsPlan(visible, hidden int, kind engine.VisibleKind) engine.Gibbs {
	return engine.Gibbs{
		Layer:       engine.Layer{Weight: engine.Host{Rows: hidden, Cols: visible, Data: numbers(hidden*visible, 1, 0.8)}, Bias: numbers(hidden, 2, 1)},
		VisibleBias: numbers(visible, 3, 1), Visible: kind, Seed: 77,
	}
}

// startChains returns chains of which every third holds no unit.
func startChains(t *testing.T, d engine.Device, p engine.Gibbs, chains int, means bool) *engine.GibbsState {
	t.Helper()
	hidden, visible := p.Layer.Weight.Rows, p.Layer.Weight.Cols
	clamp := make([]int, chains)
	for i := range clamp {
		if clamp[i] = i * 5 % hidden; i%3 == 1 {
			clamp[i] = -1
		}
	}
	s, err := engine.NewGibbsState(d, p, clamp, exampleKeys(chains))
	if err != nil {
		t.Fatal(err)
	}
	if means {
		if s.Means, err = d.New(chains, visible); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestGibbsIsTheDefinition(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	for _, c := range []struct {
		visible, hidden, chains int
		kind                    engine.VisibleKind
		means                   bool
		calls                   []int
	}{
		{1, 1, 1, engine.Bernoulli, true, []int{3}},
		{9, 5, 7, engine.Bernoulli, false, []int{2, 0, 3}},
		{9, 5, 7, engine.Gaussian, true, []int{2, 3}},
		{65, 67, 66, engine.Gaussian, false, []int{2}},
		{66, 130, 3, engine.Bernoulli, true, []int{1, 1}},
		{5, 3, 0, engine.Bernoulli, true, []int{2}},
	} {
		t.Run(fmt.Sprintf("%d-%d %d chains %v means %t", c.visible, c.hidden, c.chains, c.kind, c.means), func(t *testing.T) {
			p := gibbsPlan(c.visible, c.hidden, c.kind)
			own, plain := both[engine.GibbsRunner](t, d, p)
			got, want := startChains(t, d, p, c.chains, c.means), startChains(t, d, p, c.chains, c.means)
			for _, sweeps := range c.calls {
				gotProgress, gotErr := own.Run(got, sweeps)
				wantProgress, wantErr := plain.Run(want, sweeps)
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

// TestGibbsNotFinite checks that the card names the chain that its definition does.
func TestGibbsNotFinite(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	p := gibbsPlan(4, 3, engine.Gaussian)
	for i := range p.Layer.Weight.Data {
		p.Layer.Weight.Data[i] = 2e38 * float32(1-i%2*2)
	}
	own, plain := both[engine.GibbsRunner](t, d, p)
	_, got := own.Run(startChains(t, d, p, 6, false), 2)
	_, want := plain.Run(startChains(t, d, p, 6, false), 2)
	if want == nil || got == nil || got.Error() != want.Error() {
		t.Errorf("error %v, by the definition %v", got, want)
	}
}

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

// ascentPlan climbs units on top of so many hidden layers.
func ascentPlan(hidden int) engine.Ascent {
	sizes := []int{9, 12, 11, 70}[:hidden+1]
	p := engine.Ascent{Rate: 0.8, Direction: 1, Radius: 3, Tolerance: 1e-5, Patience: 2, MaxSteps: 40}
	for l, inputs := range sizes {
		units := 5
		if l+1 < len(sizes) {
			units = sizes[l+1]
		}
		p.Layers = append(p.Layers, engine.Layer{
			Weight: engine.Host{Rows: units, Cols: inputs, Data: numbers(units*inputs, uint32(l), 2-float32(l)/2)},
			Bias:   numbers(units, uint32(l)+10, 0.5),
		})
	}
	return p
}

// climbers returns rows at their starts.
func climbers(t *testing.T, d engine.Device, p engine.Ascent, rows int) *engine.AscentState {
	t.Helper()
	inputs, units := p.Layers[0].Weight.Cols, make([]int, rows)
	for i := range units {
		units[i] = i % 5
	}
	x := newMatrix(t, d, rows, inputs, numbers(rows*inputs, 41, 1))
	if err := d.Project(x, p.Radius); err != nil {
		t.Fatal(err)
	}
	return engine.NewAscentState(units, x)
}

// TestAscentIsTheDefinition covers rows that stop and halve their rates at different
// times, in one run and in several.
func TestAscentIsTheDefinition(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	varied := false
	for hidden := range 4 {
		for _, c := range []struct {
			name  string
			steps int
			set   func(p *engine.Ascent)
		}{
			{"in one run", 1000, func(*engine.Ascent) {}},
			{"in several", 3, func(*engine.Ascent) {}},
			{"down", 1000, func(p *engine.Ascent) { p.Direction = -1 }},
			{"where gradients vanish", 1000, func(p *engine.Ascent) {
				clear(p.Layers[len(p.Layers)-1].Weight.Data[:p.Layers[len(p.Layers)-1].Weight.Cols])
			}},
		} {
			t.Run(fmt.Sprintf("%d hidden layers, %s", hidden, c.name), func(t *testing.T) {
				p := ascentPlan(hidden)
				c.set(&p)
				own, plain := both[engine.AscentRunner](t, d, p)
				const rows = 23
				got, want := climbers(t, d, p, rows), climbers(t, d, p, rows)
				gotRowSteps, wantRowSteps := climbAll(t, own, got, c.steps), climbAll(t, plain, want, 1000)
				compareStates(t, "after all runs", got, want)
				if gotRowSteps != wantRowSteps {
					t.Errorf("%d evaluations, by the definition %d", gotRowSteps, wantRowSteps)
				}
				varied = varied || len(slices.Compact(slices.Sorted(slices.Values(want.Rate)))) > 1
			})
		}
	}
	if !varied {
		t.Error("all rates stayed the same, so there was nothing to test with")
	}
}

// climbAll runs until all rows have stopped.
func climbAll(t *testing.T, r engine.AscentRunner, s *engine.AscentState, steps int) (rowSteps int64) {
	t.Helper()
	for active := len(s.Units); active > 0; {
		progress, err := r.Run(s, steps)
		if err != nil {
			t.Fatal(err)
		}
		active = progress.Active
		rowSteps += progress.RowSteps
	}
	return rowSteps
}

// TestLittleMemoryRun checks that a run which finds too little memory has changed
// nothing, and can be asked for again.
func TestLittleMemoryRun(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	if d.Info().Memory > little {
		t.Skip("too much memory to use it up")
	}
	for _, plan := range []engine.Plan{
		ascentPlan(2), gibbsPlan(9, 5, engine.Bernoulli), trainingCases()[0].plan, denoiseCase("", 9, 5, 4, engine.Bernoulli, engine.Corruption{Level: 0.3}).plan,
	} {
		t.Run(fmt.Sprintf("%T", plan), func(t *testing.T) {
			own, plain := both[engine.Runner](t, d, plan)
			got, gotRun := begun(t, d, plan)
			want, wantRun := begun(t, d, plan)
			others := fillUp(t, d)
			if err := gotRun(own); !errors.Is(err, engine.ErrOutOfMemory) {
				t.Errorf("error %v, want %v", err, engine.ErrOutOfMemory)
			}
			for _, m := range others {
				if err := m.Close(); err != nil {
					t.Fatal(err)
				}
			}
			d.Sync() // may return the error once more
			compareStates(t, "after too little memory", got, want)
			if err := errors.Join(gotRun(own), wantRun(plain)); err != nil {
				t.Fatal(err)
			}
			compareStates(t, "after a run", got, want)
		})
	}
}

// begun returns a new state of a plan, and what runs it.
func begun(t *testing.T, d engine.Device, plan engine.Plan) (state any, run func(engine.Runner) error) {
	t.Helper()
	switch p := plan.(type) {
	case engine.Ascent:
		s := climbers(t, d, p, 200)
		return s, func(r engine.Runner) error { _, err := r.(engine.AscentRunner).Run(s, 3); return err }
	case engine.Gibbs:
		s := startChains(t, d, p, 7, false)
		return s, func(r engine.Runner) error { _, err := r.(engine.GibbsRunner).Run(s, 2); return err }
	}
	s := trainee(t, d, plan)
	data, keys := examples(t, d, s, 17)
	return s, func(r engine.Runner) error {
		_, err := r.(engine.TrainingRunner).Run(s, data, keys, engine.Update{Rate: 0.1})
		return err
	}
}

// compareStates compares two states of a plan.
func compareStates(t *testing.T, what string, got, want any) {
	t.Helper()
	switch got := got.(type) {
	case *engine.AscentState:
		g, w := *got, *want.(*engine.AscentState)
		sameBits(t, what+": x", g.X, w.X)
		if g.X, w.X = nil, nil; !reflect.DeepEqual(g, w) {
			t.Errorf("%s: state %+v, want %+v", what, g, w)
		}
	case *engine.GibbsState:
		want := want.(*engine.GibbsState)
		sameBits(t, what+": hidden", got.Hidden, want.Hidden)
		sameBits(t, what+": visible", got.Visible, want.Visible)
		sameBits(t, what+": means", got.Means, want.Means)
		if got.Sweeps != want.Sweeps {
			t.Errorf("%s: %d sweeps, want %d", what, got.Sweeps, want.Sweeps)
		}
	case *engine.TrainingState:
		compareTraining(t, what, got, want.(*engine.TrainingState))
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

// TestLaunches counts what a step, sweep or update of a plan launches.
func TestLaunches(t *testing.T) {
	needCard(t)
	t.Setenv(syncVariable, "1")
	e := openCard(t)
	defer e.Close()
	d := e.(*device)
	d.options.trace = io.Discard
	for _, c := range []struct {
		name string
		plan engine.Plan
		want int // launches of the card's own plan
	}{
		{"ascent without hidden layers", ascentPlan(0), 3},
		{"ascent with three hidden layers", ascentPlan(3), 9},
		{"gibbs", gibbsPlan(9, 5, engine.Bernoulli), 2},
		{"gibbs gaussian", gibbsPlan(9, 5, engine.Gaussian), 2},
		{"CD-1", divergenceCase("", 9, 5, 4, func(*engine.ContrastiveDivergence) {}).plan, 6},
		{"PCD-1", divergenceCase("", 9, 5, 4, func(p *engine.ContrastiveDivergence) { p.Chains = 3 }).plan, 7},
		{"CD-1 with all", divergenceCase("", 9, 5, 4, func(p *engine.ContrastiveDivergence) {
			p.Sparsity, p.Centered, p.GradientLimit = engine.Sparsity{Target: 0.1, Cost: 1}, true, 1
		}).plan, 8},
		{"denoise", denoiseCase("", 9, 5, 4, engine.Bernoulli, engine.Corruption{Level: 0.3}).plan, 7},
	} {
		own, plain := both[engine.Runner](t, d, c.plan)
		got, definition := stepLaunches(t, d, c.plan, own), stepLaunches(t, d, c.plan, plain)
		t.Logf("%s: %d launches a step, %d by the definition", c.name, got, definition)
		if got != c.want {
			t.Errorf("%s: %d launches a step, want %d", c.name, got, c.want)
		}
	}
}

// TestWaits counts how often a run waits for the card: an ascent does after each
// step, other plans at the end alone.
func TestWaits(t *testing.T) {
	needCard(t)
	for _, plan := range []engine.Plan{
		ascentPlan(2), gibbsPlan(9, 5, engine.Bernoulli), trainingCases()[0].plan, denoiseCase("", 9, 5, 4, engine.Bernoulli, engine.Corruption{Level: 0.3}).plan,
	} {
		d := openCard(t).(*device)
		waits := countWaits(d)
		r, err := d.Compile(plan)
		if err != nil {
			t.Fatal(err)
		}
		_, run := begun(t, d, plan)
		want := int64(1)
		if _, ok := plan.(engine.Ascent); ok {
			want = 3
		}
		// The first run takes memory from the card, the second has it.
		for i := range 2 {
			before := waits.Load()
			if err := run(r); err != nil {
				t.Fatal(err)
			}
			if n := waits.Load() - before; i == 1 && n != want {
				t.Errorf("%T: a run waited %d times, want %d", plan, n, want)
			}
		}
		if err := errors.Join(r.Close(), d.Close()); err != nil {
			t.Error(err)
		}
	}
}

// countWaits counts the tasks of a device that somebody waits for, on their way.
func countWaits(d *device) *atomic.Int64 {
	var waits atomic.Int64
	from, to := make(chan task, queued), d.worker.tasks
	d.worker.tasks = from
	go func() {
		for t := range from {
			if t.what == nil {
				waits.Add(1)
			}
			to <- t
		}
		close(to)
	}()
	return &waits
}

// stepLaunches is the difference between what runs of two steps and of one launch.
func stepLaunches(t *testing.T, d *device, plan engine.Plan, r engine.Runner) int {
	t.Helper()
	count := func(steps int) int {
		before := launches(t, d)
		var err error
		switch r := r.(type) {
		case engine.AscentRunner:
			s := climbers(t, d, plan.(engine.Ascent), 6)
			before = launches(t, d)
			_, err = r.Run(s, steps)
		case engine.GibbsRunner:
			s := startChains(t, d, plan.(engine.Gibbs), 4, true)
			before = launches(t, d)
			_, err = r.Run(s, steps)
		case engine.TrainingRunner:
			s := trainee(t, d, plan)
			data, keys := examples(t, d, s, 4*steps)
			before = launches(t, d)
			_, err = r.Run(s, data, keys, engine.Update{Rate: 0.1, Momentum: 0.5, Decay: 0.01})
		}
		if err != nil {
			t.Fatal(err)
		}
		return launches(t, d) - before
	}
	return count(2) - count(1)
}

// launches are those so far.
func launches(t *testing.T, d *device) (sum int) {
	t.Helper()
	if err := d.Sync(); err != nil {
		t.Fatal(err)
	}
	for _, s := range d.clock.spent {
		sum += s.launches
	}
	return sum
}
