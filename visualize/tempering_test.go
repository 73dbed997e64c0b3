package visualize

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// twoModes is an RBM whose visible units are all on or all off, with the odds of 3 to
// 1 where its first hidden unit is held, which is for the off ones alone. Its other hidden
// units are on for one of the two modes.
func twoModes(t testing.TB, visible, hidden int) network.Layer {
	t.Helper()
	weight, bias, visibleBias := make([]float32, visible*hidden), make([]float32, hidden), make([]float32, visible)
	const w = 3
	for i := 1; i < hidden; i++ {
		for j := range visible {
			weight[i*visible+j] = w
		}
		bias[i] = float32(-w * visible / 2)
	}
	for j := range visible {
		// Without the held unit all states of one kind are as likely as all of the other.
		visibleBias[j] = float32(-w * (hidden - 1) / 2)
		weight[j] = float32(math.Log(3) / float64(visible))
	}
	return rbm(t, weight, bias, visibleBias)
}

// frequencies counts the states of the visible units of a layer above copying units.
func frequencies(t testing.TB, r *SampleResult, visible int) []int {
	t.Helper()
	counts := make([]int, 1<<visible)
	for state := range slices.Chunk(numbers(t, r.Samples), visible) {
		number := 0
		for j, x := range state {
			number |= int(x) << j
		}
		counts[number]++
	}
	return counts
}

// Between two modes with a barrier that plain chains do not cross in the time given,
// tempered ones go to and fro, and visit each as often as enumeration says.
func TestTemperedCrossesBarrier(t *testing.T) {
	const visible, samples = 6, 1000
	l := twoModes(t, visible, 7)
	n := dbn(engine.Bernoulli, copying(t, visible), l)
	d := openDevice(t)
	exact := exactVisible(t, l, 0)
	if on := exact[1<<visible-1]; math.Abs(on/exact[0]-3) > 1e-3 || on+exact[0] < 0.99 {
		t.Fatalf("the modes have %.3g and %.3g", on, exact[0])
	}
	o := independent(2, samples, 0)
	o.Chains, o.BurnIn, o.Every = samples/5, 40, 20
	plain := sampleOf(t, d, n, o)
	if p := chiSquared(frequencies(t, plain, visible), exact); p > 1e-6 {
		t.Errorf("plain chains visit the modes rightly, with a chance of %.2g: there is no barrier", p)
	}
	o.Temperatures = AutoTemperatures
	tempered := sampleOf(t, d, n, o)
	// Samples of a chain are not quite independent: one of each counts.
	one := *tempered
	one.Samples = array(t, numbers(t, tempered.Samples)[4*samples/5*visible:], samples/5, visible)
	if p := chiSquared(frequencies(t, &one, visible), exact); p < 1e-3 {
		t.Errorf("frequencies of tempered chains as far from the exact ones have a chance of %.2g", p)
	}
	m := tempered.Mixing[0]
	if m.Acceptance < 0.2 || m.RoundTrips <= 0.5 || !(m.Effective > plain.Mixing[0].Effective) {
		t.Errorf("%d temperatures mix as %+v, plain chains as %+v", len(tempered.Temperatures), m, plain.Mixing[0])
	}
	if plain.Mixing[0].Acceptance != 0 || plain.Mixing[0].RoundTrips != 0 || plain.Temperatures != nil {
		t.Error("plain chains have temperatures")
	}
}

// Tempered chains have the exact distribution, of Gaussian inputs too.
func TestTemperedMean(t *testing.T) {
	const samples = 2000
	gaussian := randomRBM(t, 90, 0.6, 0.5, 5, 6)
	two := dbn(engine.Bernoulli, randomRBM(t, 50, 1.5, 0.5, 9, 6), randomRBM(t, 60, 1, 0.5, 6, 7))
	for _, c := range []struct {
		name string
		n    *network.Network
		unit int
		want []float64
	}{
		{"one layer of Gaussian inputs", dbn(engine.Gaussian, gaussian), 3, exactGaussian(t, gaussian, 3)},
		{"two layers", two, 4, exactMean(t, two, 4)},
	} {
		o := independent(len(c.n.Layers), samples, c.unit)
		o.Temperatures, o.BurnIn = 4, 30
		r := sampleOf(t, openDevice(t), c.n, o)
		x := numbers(t, r.Samples)
		for j, want := range c.want {
			var column []float64
			for i := range samples {
				column = append(column, float64(x[i*len(c.want)+j]))
			}
			if off, deviation := mean(column)-want, math.Sqrt(variance(column)/samples); math.Abs(off) > 5*deviation {
				t.Errorf("%s, component %d: mean %g, exactly %g, standard error %g", c.name, j, mean(column), want, deviation)
			}
		}
	}
}

// A single hidden unit that is held leaves visible units that are independent at every
// temperature, of which the chance of an exchange is 1; with another that reaches nothing
// it is that of two coins.
func TestExchangeClosedForm(t *testing.T) {
	d := openDevice(t)
	// p and q are log odds of the free hidden unit at both ends.
	const p, q, rows = 2.5, -1.5, 4000
	path := temperingPath{
		model: engine.Gibbs{
			Layer:       engine.Layer{Weight: engine.Host{Rows: 2, Cols: 3, Data: []float32{1, -2, 3, 0, 0, 0}}, Bias: []float32{0.5, p}},
			VisibleBias: []float32{1, 0, -1}, Seed: 5,
		},
		visibleBias: []float32{0, 1, 0}, hiddenBias: []float32{0, q},
	}
	l, err := newLadder(d, path, []float64{1, 0})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	clamp, keys := make([]int, rows), make([]uint64, rows)
	for i := range keys {
		keys[i] = engine.RowKey(1, 0, i)
	}
	c, err := newClimbers(l, clamp, keys)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Run(40); err != nil {
		t.Fatal(err)
	}
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	up, down := sigmoid(p), sigmoid(q)
	// States that are the same always change places; (1, 0) does by e^(q-p), (0, 1) always.
	want := 1 - up*(1-down)*(1-math.Exp(q-p))
	if got := c.acceptance(0, 0, rows); math.Abs(got-want) > 5*0.5/math.Sqrt(10*rows) {
		t.Errorf("exchanges are accepted by %.4f, want %.4f", got, want)
	}
}

// At an inverse temperature of 1 the RBM of the path is the model, at 0 the base, and
// the logarithm is that of enumeration in between.
func TestPathByEnumeration(t *testing.T) {
	const visible, hidden, beta = 4, 3, 0.3
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		path := temperingPath{
			model: engine.Gibbs{
				Layer:       engine.Layer{Weight: engine.Host{Rows: hidden, Cols: visible, Data: normals(1, 1, visible*hidden)}, Bias: normals(2, 1, hidden)},
				VisibleBias: normals(3, 1, visible), Visible: kind,
			},
			visibleBias: normals(4, 1, visible), hiddenBias: normals(5, 1, hidden),
		}
		q := path.at(beta)
		weigh := path.weigher(beta)
		differences := make([]float64, 0, 1<<hidden)
		for state := range 1 << hidden {
			var h []float32
			own := 0.0
			for i, on := range bitsOf(state, hidden) {
				h = append(h, float32(on))
				own += on * float64(q.Layer.Bias[i])
			}
			reach := make([]float32, visible)
			for j := range reach {
				a := float64(q.VisibleBias[j])
				for i, on := range h {
					reach[j] += on * path.model.Layer.Weight.Data[i*visible+j]
					a += float64(on * q.Layer.Weight.Data[i*visible+j])
				}
				if kind == engine.Bernoulli {
					own += math.Log1p(math.Exp(a))
				} else {
					own += a * a / 2
				}
			}
			differences = append(differences, own-weigh.logarithm(h, reach))
		}
		if low, high := slices.Min(differences), slices.Max(differences); high-low > 1e-5 {
			t.Errorf("%v: log p(h) differs from that of the RBM by %g to %g", kind, low, high)
		}
	}
}

// One temperature is plain chains, to the bit, and several are the same whatever else is
// asked for, in chunks and with any number of threads.
func TestTemperedIdentity(t *testing.T) {
	n := dbn(engine.Bernoulli, randomRBM(t, 1, 1, 0.5, 20, 15), randomRBM(t, 5, 1, 0.5, 15, 17))
	d := openDevice(t)
	o := DefaultSample()
	o.Layer, o.Units, o.Samples, o.Chains, o.BurnIn, o.Every = 2, []int{4, 0, 7}, 30, 4, 9, 3
	plain := sampleOf(t, d, n, o)
	o.Temperatures = 1
	if one := sampleOf(t, d, n, o); !slices.Equal(numbers(t, one.Samples), numbers(t, plain.Samples)) {
		t.Error("one temperature is not plain chains")
	}
	o.Temperatures = 5
	total := 0
	whole, err := Sample(context.Background(), d, n, o, func(done, all int) { total = max(total, done); _ = all })
	if err != nil {
		t.Fatal(err)
	}
	if want := 5 * 4 * 4 * (9 + 8*3); total != want {
		t.Errorf("%d sweeps are reported, want %d", total, want)
	}
	if slices.Equal(numbers(t, whole.Samples), numbers(t, plain.Samples)) {
		t.Error("no replica has changed places")
	}
	one, err := cpu.Open(cpu.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	few := o
	few.Units, few.ChunkRows = []int{7, 4}, 3
	r := sampleOf(t, one, n, few)
	for i, place := range []int{2, 0} {
		if !slices.Equal(numbers(t, r.Samples)[i*600:(i+1)*600], numbers(t, whole.Samples)[place*600:(place+1)*600]) {
			t.Errorf("samples of unit %d depend on units, chunks or threads", few.Units[i])
		}
		if r.Mixing[i] != whole.Mixing[place] {
			t.Errorf("mixing of unit %d: %+v, with other units %+v", few.Units[i], r.Mixing[i], whole.Mixing[place])
		}
	}
	if !slices.Equal(r.Temperatures, whole.Temperatures) || len(r.Temperatures) != 5 || r.Temperatures[0] != 1 || r.Temperatures[4] != 0 {
		t.Errorf("temperatures %v and %v", r.Temperatures, whole.Temperatures)
	}
}

// Chains without sweeps for an exchange have no acceptance, and an end of the context is
// heard while temperatures are chosen.
func TestTemperedEdges(t *testing.T) {
	n := dbn(engine.Bernoulli, randomRBM(t, 1, 1, 0.5, 8, 6))
	d := openDevice(t)
	o := DefaultSample()
	o.Layer, o.Units, o.Samples, o.Chains, o.BurnIn, o.Every, o.Temperatures = 1, []int{1}, 1, 1, 0, 1, 3
	if m := sampleOf(t, d, n, o).Mixing[0]; !math.IsNaN(m.Acceptance) || m.RoundTrips != 0 {
		t.Errorf("one sweep mixes as %+v", m)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Sample(ctx, d, n, o, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// Temperatures are placed so that neighbours are refused equally often.
func TestBarrier(t *testing.T) {
	b := newBarrier([]float64{1, 0.5, 0.25, 0}, []float64{0.6, 0.2, 0.2})
	if got := b.place(6); !slices.EqualFunc(got, []float64{1, 5. / 6, 2. / 3, 0.5, 0.25, 0}, func(a, b float64) bool { return math.Abs(a-b) < 1e-6 }) {
		t.Errorf("placed at %v", got)
	}
	if got := b.count(); got != 3 {
		t.Errorf("%d temperatures for a barrier of %g", got, b.total())
	}
}

// Independent numbers are worth as many samples; those of chains that are slow by r are
// worth (1-r)/(1+r) of them.
func TestEffective(t *testing.T) {
	for _, r := range []float64{0, 0.5, 0.9} {
		var chains [][]float64
		for c := range 20 {
			s := engine.NewSource(3, engine.PurposeMonitor, 0, uint64(c))
			x, chain := s.Normal(), make([]float64, 0, 500)
			for range 500 {
				chain = append(chain, x)
				x = r*x + math.Sqrt(1-r*r)*s.Normal()
			}
			chains = append(chains, chain)
		}
		if got, want := effective(chains, 0), 10000*(1-r)/(1+r); math.Abs(got/want-1) > 0.15 {
			t.Errorf("chains with a correlation of %g are worth %.0f samples, want %.0f", r, got, want)
		}
	}
	if got := effective([][]float64{{0, 0.1, 0, 0.1}, {5, 5.1, 5, 5.1}}, 0); got > 2.5 {
		t.Errorf("two chains that stay apart are worth %g samples", got)
	}
	if got := effective([][]float64{{1, 2, 3}}, 0); !math.IsNaN(got) {
		t.Errorf("three samples are worth %g", got)
	}
}
