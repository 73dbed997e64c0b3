//go:build cuda

package gpu

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// little is so few bytes of memory that a test can use them up.
const little = 64 << 20

// fillUp takes what is left of a card's memory; the matrices are to be closed.
func fillUp(t *testing.T, d engine.Device) (all []engine.Matrix) {
	t.Helper()
	for cols := little / 4; cols > 64; {
		m, err := d.New(1, cols)
		switch {
		case err == nil:
			all = append(all, m)
		case errors.Is(err, engine.ErrOutOfMemory):
			cols /= 2
		default:
			t.Fatal(err)
		}
	}
	return all
}

// testLayer is a layer with weights that look random.
func testLayer(units, inputs int, scale float32) engine.Layer {
	l := engine.Layer{Weight: engine.Host{Rows: units, Cols: inputs, Data: make([]float32, units*inputs)}, Bias: make([]float32, units)}
	for i := range l.Weight.Data {
		l.Weight.Data[i] = scale * (engine.UniformFromBits(uint32(i)*2654435761+uint32(units)<<20) - 0.5)
	}
	return l
}

// TestAllAscend checks that an ascent gives the bits of one card, with fewer rows
// than cards, with as many on each, with ragged parts, and with rows that stop at
// different times; with a constraint and penalties too.
func TestAllAscend(t *testing.T) {
	rule := engine.Rule{Rate: 0.8, Radius: 3, Tolerance: 1e-5, Patience: 2, MaxSteps: 30, CurveSteps: []int{0, 3, 20}}
	testAllAscend(t, rule)
	rule.Constraint = engine.Constraint{Kind: engine.Box, Highest: 1}
	rule.Penalty = engine.Penalty{L2: 0.1, TotalVariation: 0.05, Picture: engine.Shape{Channels: 1, Rows: 3, Cols: 3}}
	testAllAscend(t, rule)
}

func testAllAscend(t *testing.T, rule engine.Rule) {
	c := climb{[]engine.Layer{testLayer(12, 9, 4), testLayer(5, 12, 2)}, 1, rule}
	climb := func(d engine.Device, rows, steps int) (*engine.AscentState, []float32, int64) {
		m, err := engine.Load(d, engine.Stack(c.layers))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		x, units := fill(t, d, rows, 9), make([]int, rows)
		defer x.Close()
		for i := range units {
			units[i] = i % 5
		}
		if err := d.Project(x, c.rule.Radius); err != nil {
			t.Fatal(err)
		}
		s := c.state(units, x)
		s.Curves = make([][]float32, rows)
		for i := range s.Curves {
			s.Curves[i] = make([]float32, len(c.rule.CurveSteps))
		}
		var rowSteps int64
		for active := rows; active > 0; {
			progress, err := m.Ascend(s, c.rule, steps)
			if err != nil {
				t.Fatal(err)
			}
			active = progress.Active
			rowSteps += progress.RowSteps
		}
		numbers := make([]float32, rows*9)
		if err := x.Read(numbers); err != nil {
			t.Fatal(err)
		}
		s.X = nil
		return s, numbers, rowSteps
	}
	for _, n := range []int{2, 3} {
		a := openSeveral(t, n)
		for _, rows := range []int{1, 2, 6, 23} {
			for _, steps := range []int{7, 1000} {
				state, x, rowSteps := climb(a.cards[0], rows, steps)
				ownState, ownX, ownSteps := climb(a, rows, steps)
				if !reflect.DeepEqual(ownState, state) || !slices.Equal(ownX, x) || ownSteps != rowSteps {
					t.Errorf("%d rows on %d cards, %d steps a run: activations %v in %d evaluations, on one %v in %d", rows, n, steps, ownState.Activation, ownSteps, state.Activation, rowSteps)
				}
				if rows == 23 && slices.Min(state.Steps) == slices.Max(state.Steps) {
					t.Error("all rows stop at the same step, so nothing to test with")
				}
			}
		}
	}
}

// TestAllCarry checks that a part of a state has everything that a state has.
func TestAllCarry(t *testing.T) {
	for _, c := range []struct {
		state any
		known []string
	}{
		{engine.GibbsState{}, []string{"Clamp", "Keys", "Hidden", "Visible", "Means", "Sweeps"}},
	} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(c.state)) {
			if !slices.Contains(c.known, f.Name) {
				t.Errorf("%T has a field %s, which all.go does not cut into parts", c.state, f.Name)
			}
		}
	}
}

// TestAllGibbs checks the same of chains, held and free, with means and without.
func TestAllGibbs(t *testing.T) {
	p := engine.Gibbs{Layer: testLayer(7, 11, 3), VisibleBias: make([]float32, 11), Seed: 5}
	sample := func(d engine.Device, chains, sweeps int, means bool) []float32 {
		r, err := engine.CompileGibbs(d, p)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		clamp, keys := make([]int, chains), make([]uint64, chains)
		for i := range chains {
			clamp[i], keys[i] = i%8-1, engine.RowKey(1, 3, i)
		}
		s, err := engine.NewGibbsState(d, p, clamp, keys)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		show := []engine.Matrix{s.Hidden, s.Visible}
		if means {
			if s.Means, err = d.New(chains, 11); err != nil {
				t.Fatal(err)
			}
			show = append(show, s.Means)
		}
		for range 2 {
			if done, err := r.Run(s, sweeps); err != nil || done.Sweeps != sweeps || done.ChainSweeps != int64(sweeps*chains) {
				t.Fatalf("%d sweeps of %d chains: %+v, %v", sweeps, chains, done, err)
			}
		}
		if s.Sweeps != uint32(2*sweeps) {
			t.Errorf("%d sweeps, want %d", s.Sweeps, 2*sweeps)
		}
		var all []float32
		for _, m := range show {
			numbers := make([]float32, m.Rows()*m.Cols())
			if err := m.Read(numbers); err != nil {
				t.Fatal(err)
			}
			all = append(all, numbers...)
		}
		return all
	}
	for _, n := range []int{2, 3} {
		a := openSeveral(t, n)
		for _, chains := range []int{0, 1, 2, 6, 13} {
			for _, means := range []bool{false, true} {
				one, all := sample(a.cards[0], chains, 3, means), sample(a, chains, 3, means)
				if !slices.Equal(one, all) {
					t.Errorf("%d chains on %d cards, means %v: %v, on one %v", chains, n, means, all, one)
				}
			}
		}
	}
}

// TestAllNotFinite checks that a chain of the second card that meets Inf is told
// by its number among all.
func TestAllNotFinite(t *testing.T) {
	a := openSeveral(t, 2)
	p := engine.Gibbs{Layer: testLayer(2, 3, 1), VisibleBias: make([]float32, 3), Visible: engine.Gaussian, Seed: 5}
	for i := range p.Layer.Weight.Data {
		p.Layer.Weight.Data[i] = 3e38
	}
	r, err := engine.CompileGibbs(a, p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s, err := engine.NewGibbsState(a, p, []int{-1, -1, -1, -1, -1}, []uint64{1, 2, 3, 4, 5})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// Two hidden units that are on have visible ones beyond all numbers.
	if err := s.Hidden.Write([]float32{0, 0, 0, 0, 0, 0, 1, 1, 0, 0}); err != nil {
		t.Fatal(err)
	}
	_, err = r.Run(s, 1)
	says(t, err, "gibbs: chain 3, states after sweep 1", "NaN or Inf")
	if !errors.Is(err, engine.ErrNotFinite) {
		t.Errorf("%v is not %v", err, engine.ErrNotFinite)
	}
}

// TestAllOutOfMemory checks that where the second card has not enough memory, the
// error says so, and that the device goes on when it has.
func TestAllOutOfMemory(t *testing.T) {
	a := openSeveral(t, 2)
	if a.cards[0].Name() == a.cards[1].Name() || a.Info().Memory > little {
		t.Skip("both cards are the same, or have too much memory to use it up")
	}
	c := climb{[]engine.Layer{testLayer(4, 3000, 1)}, 1, engine.Rule{Rate: 0.5, Radius: 1, Patience: 1, MaxSteps: 3}}
	m, err := engine.Load(a, engine.Stack(c.layers))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	climb := func() error {
		x := fill(t, a, 9, 3000)
		defer x.Close()
		if err := a.Project(x, c.rule.Radius); err != nil {
			t.Fatal(err)
		}
		_, err := m.Ascend(c.state(make([]int, 9), x), c.rule, 1)
		return err
	}
	others := fillUp(t, a.cards[1])
	if free := a.Info().FreeMemory; free > 1<<20 {
		t.Errorf("%d bytes are free on the card with the least", free)
	}
	err = climb()
	says(t, err, "cuda:1, rows 4 to 8", "bytes are needed, cuda:1 has", "out of memory")
	if !errors.Is(err, engine.ErrOutOfMemory) {
		t.Errorf("%v is not %v", err, engine.ErrOutOfMemory)
	}
	for _, m := range others {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.Sync(), climb()); err != nil {
		t.Error(err)
	}
}
