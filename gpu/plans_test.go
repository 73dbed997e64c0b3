//go:build cuda

package gpu

import (
	"errors"
	"fmt"
	"math"
	"reflect"
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

// own is a plan, or a climb, as the card runs it.
func own(d engine.Device, plan any) (engine.Runner, error) {
	if c, ok := plan.(climb); ok {
		return c.on(d, engine.Load)
	}
	return d.Compile(plan.(engine.Plan))
}

// definition is a plan, or a climb, as its definition runs it.
func definition(d engine.Device, plan any) (engine.Runner, error) {
	if c, ok := plan.(climb); ok {
		return c.on(d, engine.LoadPlain)
	}
	return engine.Plain(d, plan.(engine.Plan))
}

// both returns the card's own plan and its definition.
func both[R engine.Runner](t *testing.T, d engine.Device, plan any) (fused, plain R) {
	t.Helper()
	o, err := own(d, plan)
	if err != nil {
		t.Fatal(err)
	}
	q, err := definition(d, plan)
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

// TestLittleMemoryRun checks that a run which finds too little memory has changed
// nothing, and can be asked for again.
func TestLittleMemoryRun(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	if d.Info().Memory > little {
		t.Skip("too much memory to use it up")
	}
	for _, plan := range []any{
		stackClimb(2), gibbsPlan(9, 5, engine.Bernoulli), trainingCases()[0].plan, denoiseCase("", 9, 5, 4, engine.Bernoulli, engine.Corruption{Level: 0.3}).plan,
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
