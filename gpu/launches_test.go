//go:build cuda

package gpu

import (
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

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
		plan any
		want int // launches of the card's own plan
	}{
		{"ascent without hidden layers", stackClimb(0), 2},
		{"ascent with three hidden layers", stackClimb(3), 8},
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

// TestWaits counts how often a run waits for the card: an ascent does for goals and for
// gradients at each step, and when it moves x there and back; other plans at the end alone.
func TestWaits(t *testing.T) {
	needCard(t)
	for _, plan := range []any{
		stackClimb(2), gibbsPlan(9, 5, engine.Bernoulli), trainingCases()[0].plan, denoiseCase("", 9, 5, 4, engine.Bernoulli, engine.Corruption{Level: 0.3}).plan,
	} {
		d := openCard(t).(*device)
		waits := countWaits(d)
		r, err := own(d, plan)
		if err != nil {
			t.Fatal(err)
		}
		_, run := begun(t, d, plan)
		want := int64(1)
		if _, ok := plan.(climb); ok {
			want = 7
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
func stepLaunches(t *testing.T, d *device, plan any, r engine.Runner) int {
	t.Helper()
	count := func(steps int) int {
		before := launches(t, d)
		var err error
		switch r := r.(type) {
		case climber:
			s := plan.(climb).rows(t, d, 6)
			before = launches(t, d)
			_, err = r.run(s, steps)
		case engine.GibbsRunner:
			s := startChains(t, d, plan.(engine.Gibbs), 4, true)
			before = launches(t, d)
			_, err = r.Run(s, steps)
		case engine.TrainingRunner:
			s := trainee(t, d, plan.(engine.Plan))
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
