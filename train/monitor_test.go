package train

import (
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// inTurns is examples of n bits from two groups in turns, the odd ones with more
// bits on: as MNIST's training images, which two groups of writers wrote.
func inTurns(n, size int, seed uint64) *settest.Rows {
	r := &settest.Rows{About: dataset.Info{Name: "in turns", Shape: []int{size}, High: 1}}
	source := engine.NewSource(seed, engine.PurposeGlyph, 0, 0)
	for i := range n {
		for range size {
			x := float32(0)
			if source.Uniform() < 0.2+0.4*float64(i%2) {
				x = 1
			}
			r.Data = append(r.Data, x)
		}
	}
	return r
}

// TestFreeEnergyGapError measures the gap of many samples of the same data: the
// standard error is that of the gap over all examples, and its sign is right
// where it is many errors from 0.
func TestFreeEnergyGapError(t *testing.T) {
	const seeds = 200
	set, held := inTurns(4000, 12, 1), inTurns(4000, 12, 2)
	l := randomRBM(t, 6, 12, 0.8)
	energies := func(r *settest.Rows) []float64 {
		f, err := FreeEnergies(l, engine.Bernoulli, r.Data)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	exact := mean(energies(held)) - mean(energies(set))
	d := settest.Device(t)
	within, sum := 0, 0.0
	for seed := range uint64(seeds) {
		o := dbn(6)
		o.Seed = seed
		m, state := monitorOf(t, d, l, set, held, o)
		var r Measurement
		if err := m.measure(&r, state); err != nil {
			t.Fatal(err)
		}
		if n := m.held.matrix.Rows(); n != 200 {
			t.Fatalf("a sample of %d examples, want a 20th of 4000", n)
		}
		if math.Abs(r.FreeEnergyGap-exact) < 2*r.FreeEnergyGapError {
			within++
		}
		sum += (r.FreeEnergyGap - exact) / r.FreeEnergyGapError / seeds
	}
	// 95 of 100 are within two errors, give or take 1.5; the mean of as many
	// has an error of 0.07. The draws are fixed by the seeds.
	t.Logf("gap %.3f; of %d samples %d within two errors, %.2f errors off on average", exact, seeds, within, sum)
	if within < seeds*91/100 || within > seeds*99/100 || math.Abs(sum) > 0.25 {
		t.Errorf("gap %.3f; of %d samples %d within two errors, %.2f errors off on average", exact, seeds, within, sum)
	}
}

// TestPseudoLikelihoodError does the same for the pseudo-likelihood.
func TestPseudoLikelihoodError(t *testing.T) {
	set := inTurns(4000, 12, 3)
	l := randomRBM(t, 6, 12, 0.8)
	exact := pseudoOnHost(t, l, set.Data)
	d := settest.Device(t)
	const seeds = 200
	within := 0
	for seed := range uint64(seeds) {
		o := dbn(6)
		o.Seed = seed
		m, state := monitorOf(t, d, l, set, nil, o)
		var r Measurement
		if err := m.measure(&r, state); err != nil {
			t.Fatal(err)
		}
		if !math.IsNaN(r.FreeEnergyGap) || !math.IsNaN(r.FreeEnergyGapError) {
			t.Fatalf("a gap %g +- %g without examples held out", r.FreeEnergyGap, r.FreeEnergyGapError)
		}
		if math.Abs(r.PseudoLikelihood-exact) < 2*r.PseudoLikelihoodError {
			within++
		}
	}
	if within < seeds*91/100 || within > seeds*99/100 {
		t.Errorf("of %d samples %d within two errors", seeds, within)
	}
}

// TestPseudoLikelihoodInParts has so many inputs that the weights come in parts,
// and so many units that the sample does.
func TestPseudoLikelihoodInParts(t *testing.T) {
	for _, size := range []struct{ units, inputs int }{{40, 9001}, {15_000, 5}} {
		set := inTurns(120, size.inputs, 4)
		l := randomRBM(t, size.units, size.inputs, 0.1)
		m, state := monitorOf(t, settest.Device(t), l, set, nil, dbn(size.units))
		var r Measurement
		if err := m.measure(&r, state); err != nil {
			t.Fatal(err)
		}
		got, err := m.pseudoLogs(state)
		if err != nil {
			t.Fatal(err)
		}
		if flipNumbers/size.inputs >= size.units && m.hidden.Rows() >= len(got) {
			t.Fatalf("%+v: one part", size)
		}
		f := m.drawFlips(0, len(got), 0)
		for i := range got {
			x := m.binary.rows[i*size.inputs : (i+1)*size.inputs]
			want := 0.0
			for _, j := range f.components[i*f.each : (i+1)*f.each] {
				flipped := slices.Clone(x)
				flipped[j] = 1 - x[j]
				e, err := FreeEnergies(l, engine.Bernoulli, slices.Concat(x, flipped))
				if err != nil {
					t.Fatal(err)
				}
				want -= softplus(e[0]-e[1]) * float64(size.inputs) / float64(f.each)
			}
			if math.Abs(got[i]-want) > 1e-4*math.Abs(want) {
				t.Fatalf("%+v: example %d: %g, want %g", size, i, got[i], want)
			}
		}
	}
}

func TestMonitorSample(t *testing.T) {
	for _, c := range []struct{ interval, inputs, want int }{
		{50, 784, 100}, {2000, 784, 100}, {60_000, 784, 3000}, {2_500_000, 100, 10_000},
		{2_500_000, 784, 5349}, {2_500_000, 1_000_000, 100},
	} {
		if got := sampleSize(c.interval, c.inputs); got != c.want {
			t.Errorf("%d examples of %d inputs: a sample of %d, want %d", c.interval, c.inputs, got, c.want)
		}
	}
	for _, c := range []struct{ n, count, want int }{{0, 5, 0}, {3, 5, 3}, {5, 5, 5}, {1000, 7, 7}} {
		got := drawn(1, 0, c.n, c.count)
		if len(got) != c.want || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != c.want {
			t.Errorf("%d of %d: %v", c.count, c.n, got)
		}
		for _, i := range got {
			if i < 0 || i >= c.n {
				t.Errorf("%d of %d: %v", c.count, c.n, got)
			}
		}
	}
	if a, b := drawn(1, 0, 1000, 7), drawn(1, 1, 1000, 7); slices.Equal(a, b) {
		t.Errorf("the same examples %v of both sets", a)
	}
}

// TestSoftplusOf compares with the exact sum, also where sigmoids are saturated.
func TestSoftplusOf(t *testing.T) {
	for _, scale := range []float64{0, 0.1, 3, 30, 300} {
		source := engine.NewSource(5, engine.PurposeMonitor, 0, 0)
		xs, sigmoids := make([]float32, 1000), make([]float32, 1000)
		want := 0.0
		for i := range xs {
			xs[i] = float32(scale * source.Normal())
			sigmoids[i] = float32(1 / (1 + math.Exp(-float64(xs[i]))))
			want += softplus(float64(xs[i]))
		}
		if got := softplusOf(xs, sigmoids); math.Abs(got-want) > 1e-7*1000 {
			t.Errorf("scale %g: %.9g, want %.9g", scale, got, want)
		}
	}
	if x := float32(math.NaN()); !math.IsNaN(softplusOf([]float32{x}, []float32{x})) {
		t.Error("NaN is lost")
	}
}
