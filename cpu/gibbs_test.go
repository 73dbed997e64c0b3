package cpu_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/cpu/internal/kernel"
	"github.com/unitscope/unitscope/engine"
)

// gibbsPlan is an RBM with random parameters.
func gibbsPlan(visible, hidden int, kind engine.VisibleKind) engine.Gibbs {
	layer := benchmarkLayers(visible, hidden)[0]
	p := engine.Gibbs{Layer: layer, VisibleBias: make([]float32, visible), Visible: kind, Seed: 7}
	at := engine.Stream{Seed: 2, Purpose: engine.PurposeWeights, Keys: []uint64{0, 1}}
	for i := range layer.Bias {
		layer.Bias[i] = at.Normal(0, i)
	}
	for j := range p.VisibleBias {
		p.VisibleBias[j] = at.Normal(1, j)
	}
	return p
}

// gibbsState is chains at their starts, every fifth of them without a clamp.
func gibbsState(t testing.TB, d engine.Device, p engine.Gibbs, chains int, means bool) *engine.GibbsState {
	t.Helper()
	clamp, keys := make([]int, chains), make([]uint64, chains)
	for i := range clamp {
		clamp[i], keys[i] = i*31%p.Layer.Weight.Rows, engine.RowKey(1, i, 3)
		if i%5 == 4 {
			clamp[i] = -1
		}
	}
	s, err := engine.NewGibbsState(d, p, clamp, keys)
	if err != nil {
		t.Fatal(err)
	}
	if means {
		if s.Means, err = d.New(chains, p.Layer.Weight.Cols); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// contents is all the numbers of a state.
func contents(t testing.TB, s *engine.GibbsState) (all []float32) {
	t.Helper()
	for _, m := range []engine.Matrix{s.Hidden, s.Visible, s.Means} {
		if m == nil {
			continue
		}
		data := make([]float32, m.Rows()*m.Cols())
		if err := m.Read(data); err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all
}

// TestGibbsIsDefinition checks that the fused sampling has the bits of the
// plan's definition, in every variant, with any number of workers, and whatever
// the groups of chains.
func TestGibbsIsDefinition(t *testing.T) {
	for _, set := range kernel.Variants() {
		for _, c := range []struct {
			visible, hidden, chains int
			kind                    engine.VisibleKind
			means                   bool
		}{
			{300, 290, 130, engine.Bernoulli, true},
			{33, 513, 45, engine.Gaussian, true},
			{129, 1, 14, engine.Bernoulli, false},
			{1, 65, 1, engine.Gaussian, false},
			{5, 3, 0, engine.Bernoulli, true},
		} {
			p := gibbsPlan(c.visible, c.hidden, c.kind)
			sample := func(workers int, compile func(engine.Device) (engine.Runner, error)) []float32 {
				d, err := cpu.Open(cpu.Options{Variant: set.Name, Workers: workers})
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				r, err := compile(d)
				if err != nil {
					t.Fatal(err)
				}
				s := gibbsState(t, d, p, c.chains, c.means)
				if _, err := r.(engine.GibbsRunner).Run(s, 4); err != nil {
					t.Fatal(err)
				}
				return contents(t, s)
			}
			want := sample(1, func(d engine.Device) (engine.Runner, error) { return engine.Plain(d, p) })
			for _, workers := range []int{1, 2, 3, 7} {
				got := sample(workers, func(d engine.Device) (engine.Runner, error) { return d.Compile(p) })
				for i := range want {
					if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
						t.Errorf("%s, %+v, %d workers: number %d of the state is %g, by the definition %g", set.Name, c, workers, i, got[i], want[i])
						break
					}
				}
			}
		}
	}
}

// TestGibbsAllocations checks that more sweeps and later calls take no memory.
func TestGibbsAllocations(t *testing.T) {
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		d, err := cpu.Open(cpu.Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		p := gibbsPlan(120, 110, kind)
		r := fused[engine.GibbsRunner](t, d, p)
		s := gibbsState(t, d, p, 300, true)
		// A worker may come to its first group late, so the best of some rounds
		// counts.
		fewest := math.Inf(1)
		for range 10 {
			fewest = min(fewest, testing.AllocsPerRun(2, func() {
				if _, err := r.Run(s, 3); err != nil {
					t.Fatal(err)
				}
			}))
		}
		if fewest != 0 {
			t.Errorf("%v: %g allocations a call", kind, fewest)
		}
		d.Close()
	}
}

// BenchmarkGibbs is the workload gibbs: an RBM of 1000 + 1000 units, one of
// them held at 1. A chain's sweep is 4 MFLOP of products.
func BenchmarkGibbs(b *testing.B) {
	const units = 1000
	p := gibbsPlan(units, units, engine.Bernoulli)
	for _, set := range kernel.Variants() {
		for _, c := range []struct {
			chains, sweeps int
			plain          bool
		}{{4096, 4, false}, {4096, 4, true}, {1000, 16, false}, {100, 100, false}} {
			if set == kernel.Generic { // some thirty times slower
				c.sweeps = max(1, c.sweeps/30)
			}
			name := fmt.Sprintf("%d/%s", c.chains, set.Name)
			if c.plain {
				name += "/plain"
			}
			b.Run(name, func(b *testing.B) {
				benchmarkGibbs(b, set, p, c.chains, c.sweeps, c.plain)
			})
		}
	}
}

func benchmarkGibbs(b *testing.B, set *kernel.Set, p engine.Gibbs, chains, sweeps int, plain bool) {
	d, err := cpu.Open(cpu.Options{Variant: set.Name})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	runner, err := d.Compile(p)
	if plain {
		runner, err = engine.Plain(d, p)
	}
	if err != nil {
		b.Fatal(err)
	}
	s := gibbsState(b, d, p, chains, false)
	workers := d.Info().Workers
	flops := 4 * float64(len(p.Layer.Bias)) * float64(len(p.VisibleBias))
	// On a machine that others use, only the ratio of two neighbours in time
	// means anything: each rate is compared with the peaks before and after it,
	// and medians are reported.
	var rates, peaks, ratios []float64
	before := peak(set, workers)
	for b.Loop() {
		began := time.Now()
		progress, err := runner.(engine.GibbsRunner).Run(s, sweeps)
		if err != nil {
			b.Fatal(err)
		}
		rate := flops * float64(progress.ChainSweeps) / time.Since(began).Seconds() / 1e9
		b.StopTimer()
		after := peak(set, workers)
		rates, peaks, ratios = append(rates, rate), append(peaks, after), append(ratios, 100*rate/max(before, after))
		before = after
		b.StartTimer()
	}
	for unit, values := range map[string][]float64{"GFLOP/s": rates, "peak-GFLOP/s": peaks, "%peak": ratios} {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], unit)
	}
}
