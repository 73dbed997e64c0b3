package visualize

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// around are patterns near the axes with these numbers, in so many components.
func around(components int, axes ...int) []float32 {
	patterns := normals(3, 0.01, len(axes)*components)
	for i, axis := range axes {
		patterns[i*components+axis] += 3
	}
	return patterns
}

// ascentOf is a result whose restarts have all converged.
func ascentOf(t testing.TB, units, restarts, components int, patterns, activation, start []float32) *AscentResult {
	t.Helper()
	r := &AscentResult{
		Layer: 2, Direction: 1, Units: appendRange(nil, 0, units-1), Restarts: restarts,
		Patterns:   array(t, patterns, units, restarts, components),
		Activation: array(t, activation, units, restarts), StartActivation: array(t, start, units, restarts),
		Stop: make([]engine.StopReason, units*restarts),
	}
	for i := range r.Stop {
		r.Stop[i] = engine.StopConverged
	}
	return r
}

func modesOf(t testing.TB, r *AscentResult, o ModesOptions) *ModesResult {
	t.Helper()
	m, err := Modes(context.Background(), openDevice(t), r, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func near(a, b float64) bool {
	return math.Abs(a-b) < 1e-6 || math.IsNaN(a) && math.IsNaN(b)
}

// knownGroups are restarts along axes, and what is to come of them.
type knownGroups struct {
	name       string
	axes       []int
	activation []float32
	stuck      []int // restarts whose gradient vanished at the start
	direction  int

	mode                                         []int
	modes, share, effective, spread, gap, unseen float64
}

func TestModesOfKnownGroups(t *testing.T) {
	nan := math.NaN()
	for _, c := range []knownGroups{
		{
			name: "three groups", axes: []int{1, 0, 0, 2, 0, 1}, activation: []float32{5, 3, 4, 9, 3, 2}, direction: 1,
			mode: []int{1, 0, 0, 2, 0, 1}, modes: 3, share: 0.5,
			effective: math.Exp(-(math.Log(0.5)/2 + math.Log(1./3)/3 + math.Log(1./6)/6)),
			spread:    math.Sqrt(variance([]float64{5, 3, 4, 9, 3, 2})), gap: 4 - 5, unseen: 1. / 6,
		},
		{
			name: "equal sizes: the higher one first", axes: []int{0, 0, 1, 1}, activation: []float32{1, 2, 3, 1}, direction: 1,
			mode: []int{1, 1, 0, 0}, modes: 2, share: 0.5, effective: 2, spread: math.Sqrt(variance([]float64{1, 2, 3, 1})), gap: 1,
		},
		{
			name: "downwards", axes: []int{0, 0, 1, 1}, activation: []float32{-1, -2, -3, -1}, direction: -1,
			mode: []int{1, 1, 0, 0}, modes: 2, share: 0.5, effective: 2, spread: math.Sqrt(variance([]float64{1, 2, 3, 1})), gap: 1,
		},
		{
			name: "one mode", axes: []int{4, 4, 4}, activation: []float32{1, 1, 1}, direction: 1,
			mode: []int{0, 0, 0}, modes: 1, share: 1, effective: 1, gap: nan,
		},
		{
			name: "all alone", axes: []int{0, 1, 2}, activation: []float32{3, 2, 1}, direction: 1,
			mode: []int{0, 1, 2}, modes: 3, share: 1. / 3, effective: 3, spread: 1, gap: 1, unseen: 1,
		},
		{
			name: "one found nothing", axes: []int{0, 1, 0}, activation: []float32{3, 0, 2}, stuck: []int{1}, direction: 1,
			mode: []int{0, -1, 0}, modes: 1, share: 1, effective: 1, spread: math.Sqrt(0.5), gap: nan,
		},
		{
			name: "one restart", axes: []int{0}, activation: []float32{3}, direction: 1,
			mode: []int{0}, modes: 1, share: 1, effective: 1, spread: nan, gap: nan, unseen: 1,
		},
		{
			name: "dead", axes: []int{0, 1}, activation: []float32{0, 0}, stuck: []int{0, 1}, direction: 1,
			mode: []int{-1, -1}, modes: nan, share: nan, effective: nan, spread: nan, gap: nan, unseen: nan,
		},
	} {
		t.Run(c.name, c.check)
	}
}

func (c knownGroups) check(t *testing.T) {
	const components = 6
	r := ascentOf(t, 1, len(c.axes), components, around(components, c.axes...), c.activation, make([]float32, len(c.axes)))
	r.Direction = c.direction
	for _, k := range c.stuck {
		r.Stop[k] = engine.StopVanished
	}
	o := DefaultModes()
	o.Resamples = 50
	result := modesOf(t, r, o)
	m := result.Units[0]
	if !slices.Equal(result.Mode, c.mode) {
		t.Errorf("modes %v, want %v", result.Mode, c.mode)
	}
	for _, n := range []struct {
		name      string
		got, want float64
	}{
		{"modes", m.Modes, c.modes}, {"main share", m.MainShare.Value, c.share}, {"effective", m.Effective, c.effective},
		{"spread", m.Spread, c.spread}, {"gap", m.Gap, c.gap}, {"unseen", m.Unseen.Value, c.unseen},
	} {
		if !near(n.got, n.want) {
			t.Errorf("%s %g, want %g", n.name, n.got, n.want)
		}
	}
	if m.Dead != (len(c.stuck) == len(c.axes)) || m.Found != len(c.axes)-len(c.stuck) {
		t.Errorf("dead %v, found %d", m.Dead, m.Found)
	}
	if !m.Dead && !(m.Expected >= m.Modes && m.Unseen.Low == 0 && m.Unseen.High >= m.Unseen.Value) {
		t.Errorf("%g modes, %g expected, %+v unseen", m.Modes, m.Expected, m.Unseen)
	}
	if !m.Dead && !(m.MainShare.Low <= c.share && c.share <= m.MainShare.High) {
		t.Errorf("interval of the share %+v does not hold %g", m.MainShare, c.share)
	}
	if c.modes > 1 && !(math.Abs(m.SecondCosine) < 0.05) {
		t.Errorf("cosine to the second mode %g, want about 0", m.SecondCosine)
	}
}

// Two patterns at an angle of cosine 0.8 are two modes above it, one below.
func TestModesThreshold(t *testing.T) {
	r := ascentOf(t, 1, 2, 2, []float32{1, 0, 0.8, 0.6}, []float32{2, 1}, make([]float32, 2))
	o := DefaultModes()
	o.Resamples, o.Thresholds = 0, []float64{0.5, 0.79, 0.81, 0.99}
	m := modesOf(t, r, o)
	var counts []float64
	for _, at := range m.ByThreshold {
		counts = append(counts, at.Modes)
	}
	if !slices.Equal(counts, []float64{1, 1, 2, 2}) {
		t.Errorf("modes by threshold %v", counts)
	}
	if m.Summary.Modes.Value != 2 || !math.IsNaN(m.Summary.Modes.Low) {
		t.Errorf("summary without resamples %+v", m.Summary.Modes)
	}
}

// A chain of patterns, each near to the next, is not one mode: complete linkage.
func TestModesDoNotChain(t *testing.T) {
	var patterns []float32
	for i := range 10 {
		sin, cos := math.Sincos(float64(i) * 0.1)
		patterns = append(patterns, float32(cos), float32(sin))
	}
	m := modesOf(t, ascentOf(t, 1, 10, 2, patterns, make([]float32, 10), make([]float32, 10)), DefaultModes())
	cosines := numbers(t, m.Cosines)
	for i, a := range m.Mode {
		for j, b := range m.Mode {
			if a == b && float64(cosines[i*10+j]) < m.Threshold {
				t.Errorf("restarts %d and %d share a mode at cosine %g", i, j, cosines[i*10+j])
			}
		}
	}
	if m.Units[0].Modes < 3 {
		t.Errorf("%g modes of a quarter of a circle", m.Units[0].Modes)
	}
}

// A unit's numbers do not depend on the others, and the means are over those
// that are not dead.
func TestModesOfSeveralUnits(t *testing.T) {
	const components, restarts = 8, 4
	patterns := slices.Concat(around(components, 3, 3, 3, 3), around(components, 0, 0, 1, 2), around(components, 0, 1, 2, 3))
	activation := []float32{4, 3, 2, 1, 4, 3, 2, 1, 0, 0, 0, 0}
	r := ascentOf(t, 3, restarts, components, patterns, activation, make([]float32, len(activation)))
	for k := range restarts {
		r.Stop[2*restarts+k] = engine.StopVanished
	}
	all := modesOf(t, r, DefaultModes())
	size := restarts * components
	alone := ascentOf(t, 1, restarts, components, patterns[size:2*size], activation[restarts:2*restarts], make([]float32, restarts))
	alone.Units[0] = 1
	if got := modesOf(t, alone, DefaultModes()).Units[0]; got != all.Units[1] {
		t.Errorf("alone %+v, among others %+v", got, all.Units[1])
	}
	s := all.Summary
	if s.Units != 3 || s.Dead != 1 || s.Stuck != 0 || !near(s.Modes.Value, 2) || !near(s.Single.Value, 0.5) || !near(s.MainShare.Value, 0.75) {
		t.Errorf("summary %+v", s)
	}
	if s.Modes.Low != 1 || s.Modes.High != 3 {
		t.Errorf("two units with 1 and 3 modes: interval %+v", s.Modes)
	}
	last := 0.0
	for _, at := range all.ByThreshold {
		if at.Modes < last {
			t.Errorf("threshold %g: %g modes, fewer than below", at.Threshold, at.Modes)
		}
		last = at.Modes
	}
}

// The trained ascent of package visualize itself goes in.
func TestModesOfAnAscent(t *testing.T) {
	d := openDevice(t)
	r := ascend(t, d, randomNetwork(t, 5, 1, 0.1, 10, 6), options(1, 0, 3, 5))
	m, err := Modes(context.Background(), d, r, DefaultModes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range m.Units {
		if u.Modes != 1 || u.MainShare.Value != 1 {
			t.Errorf("a unit of layer 1 has one optimum: %+v", u)
		}
	}
	var table, arrays bytes.Buffer
	m.Network = "trained"
	if err := errors.Join(WriteModesTable(&table, []*ModesResult{m}), m.WriteArrays(&arrays)); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestModesMistakes(t *testing.T) {
	good := func() *AscentResult {
		return ascentOf(t, 1, 2, 2, []float32{1, 0, 0, 1}, []float32{2, 1}, make([]float32, 2))
	}
	d := openDevice(t)
	for _, c := range []struct {
		name   string
		break_ func(r *AscentResult, o *ModesOptions)
		want   string
	}{
		{"threshold", func(_ *AscentResult, o *ModesOptions) { o.Threshold = 1.5 }, "Threshold 1.5: want a cosine"},
		{"NaN among the thresholds", func(_ *AscentResult, o *ModesOptions) { o.Thresholds = []float64{math.NaN()} }, "Thresholds NaN: want cosines"},
		{"resamples", func(_ *AscentResult, o *ModesOptions) { o.Resamples = -1 }, "Resamples -1: want 0 to"},
		{"level", func(_ *AscentResult, o *ModesOptions) { o.Level = 1 }, "Level 1: want the share"},
		{"no patterns", func(r *AscentResult, _ *ModesOptions) { r.Patterns = nil }, "must keep all patterns"},
		{"NaN", func(r *AscentResult, _ *ModesOptions) {
			r.Patterns = array(t, []float32{1, float32(math.NaN()), 1, 1}, 1, 2, 2)
		}, "NaN or Inf"},
		{"no stops", func(r *AscentResult, _ *ModesOptions) { r.Stop = nil }, "reasons to stop"},
	} {
		r, o := good(), DefaultModes()
		c.break_(r, &o)
		if _, err := Modes(context.Background(), d, r, o, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Modes(ctx, d, good(), DefaultModes(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// linkage against the plain definition, on similarities with many ties.
func TestLinkage(t *testing.T) {
	for seed := range uint64(30) {
		source := engine.NewSource(seed, engine.PurposeMonitor, 0, 0)
		n := 1 + source.IntN(12)
		similar := make([]float32, n*n)
		for i := range n {
			for j := range i {
				s := float32(source.IntN(6)) / 5
				similar[i*n+j], similar[j*n+i] = s, s
			}
		}
		tree := linkage(n, func(i, j int) float32 { return similar[i*n+j] })
		for _, threshold := range []float64{0, 0.3, 0.5, 0.7, 1} {
			if got, want := tree.cut(threshold), plainLinkage(n, similar, threshold); !slices.Equal(got, want) {
				t.Fatalf("seed %d, %d things, threshold %g: groups %v, want %v", seed, n, threshold, got, want)
			}
		}
	}
}

// plainLinkage joins, as long as there are any, the two groups whose least
// similar members are most similar, the first of equal pairs.
func plainLinkage(n int, similar []float32, threshold float64) []int {
	var groups [][]int
	for i := range n {
		groups = append(groups, []int{i})
	}
	for {
		best, a, b := float32(-2), -1, -1
		for i := range groups {
			for j := i + 1; j < len(groups); j++ {
				least := float32(2)
				for _, x := range groups[i] {
					for _, y := range groups[j] {
						least = min(least, similar[x*n+y])
					}
				}
				if least > best {
					best, a, b = least, i, j
				}
			}
		}
		if a < 0 || float64(best) < threshold {
			break
		}
		groups[a] = append(groups[a], groups[b]...)
		groups = slices.Delete(groups, b, b+1)
	}
	mode := make([]int, n)
	for g, members := range groups {
		for _, i := range members {
			mode[i] = g
		}
	}
	return mode
}
