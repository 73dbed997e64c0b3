package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// deepNet is an untrained Deep Belief Net with parameters of some size.
func deepNet(t *testing.T, visible engine.VisibleKind, sizes ...int) *network.Network {
	t.Helper()
	n := &network.Network{Kind: network.DBN, Visible: visible, InputShape: sizes[:1]}
	for i, units := range sizes[1:] {
		n.Layers = append(n.Layers, randomRBM(t, units, sizes[i], 0.6))
	}
	return n
}

// encodeOnHost is what a layer sees of examples, in float64.
func encodeOnHost(t *testing.T, n *network.Network, layer int, x []float32) []float32 {
	t.Helper()
	for _, l := range n.Layers[:layer-1] {
		r, err := newRBM(l, engine.Bernoulli)
		if err != nil {
			t.Fatal(err)
		}
		var up []float32
		for ; len(x) > 0; x = x[r.inputs:] {
			for i := range r.hidden {
				up = append(up, float32(sigmoid(float64(r.bias[i])+dot(r.weight[i*r.inputs:(i+1)*r.inputs], x[:r.inputs]))))
			}
		}
		x = up
	}
	return x
}

// TestMeasureLikelihood compares with free energies of rows on the host.
func TestMeasureLikelihood(t *testing.T) {
	training, test := settest.Greys(2100, 6, 1), settest.Greys(9, 6, 2)
	for name, c := range map[string]struct {
		n     *network.Network
		layer int
	}{
		"bernoulli": {deepNet(t, engine.Bernoulli, 6, 4), 1},
		"gaussian":  {deepNet(t, engine.Gaussian, 6, 4), 1},
		"encoded":   {deepNet(t, engine.Gaussian, 6, 9, 7, 5), 3},
	} {
		l, err := MeasureLikelihood(context.Background(), settest.Device(t), c.n, []NamedSet{{"train", training}, {"test", test}}, DefaultLikelihood(c.layer), nil)
		if err != nil {
			t.Fatal(err)
		}
		visible := visibleOf(c.n.Visible, c.layer)
		for i, set := range []*settest.Rows{training, test} {
			x := encodeOnHost(t, c.n, c.layer, set.Data)
			f, err := FreeEnergies(c.n.Layers[c.layer-1], visible, x)
			if err != nil {
				t.Fatal(err)
			}
			want, err := LogLikelihood(c.n.Layers[c.layer-1], visible, x)
			if err != nil {
				t.Fatal(err)
			}
			s := l.Sets[i]
			close := func(what string, got, want float64) {
				if !(math.Abs(got-want) <= 2e-6*(1+math.Abs(want))) {
					t.Errorf("%s, %s: %s is %.9g, want %.9g", name, s.Name, what, got, want)
				}
			}
			close("free energy", s.FreeEnergy, mean(f))
			close("deviation", s.Deviation, deviationOfMean(f))
			close("log-likelihood", s.LogLikelihood, want)
			close("low", s.Low, want)
			close("high", s.High, want)
			if !math.IsNaN(s.Reverse) {
				t.Errorf("%s, %s: %g by reverse annealing, which there was none of", name, s.Name, s.Reverse)
			}
			close("gap", s.FreeEnergyGap, s.FreeEnergy-l.Sets[0].FreeEnergy)
			if s.Examples != set.Len() || s.Name != []string{"train", "test"}[i] {
				t.Errorf("%s: set %d is %q with %d examples", name, i, s.Name, s.Examples)
			}
			if visible == engine.Gaussian {
				if !math.IsNaN(s.PseudoLikelihood) {
					t.Errorf("%s: pseudo-likelihood %g of Gaussian inputs", name, s.PseudoLikelihood)
				}
				continue
			}
			close("pseudo-likelihood", s.PseudoLikelihood, pseudoOnHost(t, c.n.Layers[c.layer-1], x))
		}
	}
}

// pseudoOnHost flips every component of every row, rounded.
func pseudoOnHost(t *testing.T, l network.Layer, x []float32) float64 {
	t.Helper()
	inputs := l.Weight.Shape()[1]
	total := 0.0
	for at := 0; at < len(x); at += inputs {
		var v []float32
		for _, component := range x[at : at+inputs] {
			v = append(v, float32(math.Round(float64(component))))
		}
		both := append(slices.Clone(v), v...)
		for j := range v {
			both[inputs+j] = 1 - v[j]
			f, err := FreeEnergies(l, engine.Bernoulli, both)
			if err != nil {
				t.Fatal(err)
			}
			total -= softplus(f[0] - f[1])
			both[inputs+j] = v[j]
		}
	}
	return total / float64(len(x)/inputs)
}

// TestPseudoComponents: where not all components are looked at, their mean over
// examples is near that of all.
func TestPseudoComponents(t *testing.T) {
	set := settest.Greys(600, 5*PseudoComponents, 4)
	n := deepNet(t, engine.Bernoulli, 5*PseudoComponents, 6)
	var l [2]*Likelihood
	for seed := range l {
		o := DefaultLikelihood(1)
		o.Seed = uint64(seed)
		var err error
		if l[seed], err = MeasureLikelihood(context.Background(), settest.Device(t), n, []NamedSet{{"train", set}}, o, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := pseudoOnHost(t, n.Layers[0], set.Data)
	a, b := l[0].Sets[0].PseudoLikelihood, l[1].Sets[0].PseudoLikelihood
	t.Logf("two estimates of a pseudo-likelihood are %.3f and %.3f, all components have %.3f", a, b, want)
	if math.Abs(a-want) > 0.03*math.Abs(want) || math.Abs(b-want) > 0.03*math.Abs(want) || a == b {
		t.Errorf("estimates %.3f and %.3f, want about %.3f", a, b, want)
	}
}

// TestMeasureAnnealed: an encoded layer by annealing, against enumeration.
func TestMeasureAnnealed(t *testing.T) {
	n := deepNet(t, engine.Bernoulli, 6, 9, 5)
	set := settest.Greys(300, 6, 1)
	o := DefaultLikelihood(2)
	o.Method, o.Runs, o.Temperatures, o.Sweeps = AnnealPartition, 50, 200, 20
	works := map[string]int64{}
	l, err := MeasureLikelihood(context.Background(), settest.Device(t), n, []NamedSet{{"train", set}}, o, func(work string, done, total int64) {
		if done < works[work] || done > total {
			t.Errorf("%s: %d of %d after %d", work, done, total, works[work])
		}
		works[work] = done
	})
	if err != nil {
		t.Fatal(err)
	}
	z := exactPartition(t, n.Layers[1], engine.Bernoulli)
	if math.Abs(l.Partition.LogPartition-z) > 4*l.Partition.Deviation || l.Partition.Deviation > 0.1 {
		t.Errorf("log Z %.4f +- %.4f, want %.4f", l.Partition.LogPartition, l.Partition.Deviation, z)
	}
	s := l.Sets[0]
	for name, pair := range map[string][2]float64{
		"log-likelihood": {s.LogLikelihood, -s.FreeEnergy - l.Partition.LogPartition},
		"low":            {s.Low, -s.FreeEnergy - l.Partition.High},
		"high":           {s.High, -s.FreeEnergy - l.Partition.Low},
		"reverse":        {s.Reverse, -s.FreeEnergy - l.Reverse.LogPartition},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %g, want %g", name, pair[0], pair[1])
		}
	}
	if works["train"] != 300 || works[AnnealingWork] != 50*420 {
		t.Errorf("progress ended at %v", works)
	}
	var table, partition, runs bytes.Buffer
	if err := errors.Join(l.WriteTable(&table), l.WritePartition(&partition), l.WriteRuns(&runs)); err != nil {
		t.Fatal(err)
	}
	for text, lines := range map[string]int{table.String(): 2, partition.String(): 3, runs.String(): 51} {
		if strings.Count(text, "\n") != lines {
			t.Errorf("want %d lines:\n%s", lines, text)
		}
	}
	if !strings.Contains(partition.String(), "\nais,") || !strings.Contains(partition.String(), "\nreverse,") {
		t.Errorf("partition.csv:\n%s", partition.String())
	}
}

// TestLikelihoodTables are the files of an exact result, where numbers are missing.
func TestLikelihoodTables(t *testing.T) {
	l := &Likelihood{Method: ExactPartition, Partition: Estimate{LogPartition: 2, Low: 2, High: 2, BootstrapLow: 2, BootstrapHigh: 2, Effective: math.NaN()},
		Sets: []SetLikelihood{{Name: "train", Examples: 3, FreeEnergy: 1, Deviation: 0.5, PseudoLikelihood: math.NaN()}}}
	l.complete()
	var b bytes.Buffer
	if err := errors.Join(l.WriteTable(&b), l.WritePartition(&b)); err != nil {
		t.Fatal(err)
	}
	const want = `set,examples,log_likelihood,low,high,reverse,deviation,free_energy,free_energy_gap,pseudo_likelihood
train,3,-3,-3,-3,,0.5,1,0,
estimate,log_partition,low,high,bootstrap_low,bootstrap_high,deviation,effective_runs
exact,2,2,2,2,2,0,
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	if err := l.WriteRuns(&b); err == nil {
		t.Error("an exact result has runs")
	}
}

func TestMeasureLikelihoodRefuses(t *testing.T) {
	set := settest.Greys(20, 6, 1)
	outside := &settest.Rows{About: set.About, Data: slices.Clone(set.Data)}
	outside.Data[4*6+2] = 1.5
	for name, test := range map[string]struct {
		change func(n *network.Network, o *LikelihoodOptions, sets *[]NamedSet)
		want   string
	}{
		"sdae":          {func(n *network.Network, _ *LikelihoodOptions, _ *[]NamedSet) { n.Kind = network.SDAE }, "auto-encoder defines no probability"},
		"mlp":           {func(n *network.Network, _ *LikelihoodOptions, _ *[]NamedSet) { n.Kind = network.MLP }, "kind mlp defines no probability"},
		"fine-tuned":    {func(n *network.Network, _ *LikelihoodOptions, _ *[]NamedSet) { n.Output = &network.Layer{} }, "fine-tuned"},
		"layer":         {func(_ *network.Network, o *LikelihoodOptions, _ *[]NamedSet) { o.Layer = 2 }, "layers 1 to 1"},
		"visible bias":  {func(n *network.Network, _ *LikelihoodOptions, _ *[]NamedSet) { n.Layers[0].VisibleBias = nil }, "no visible bias"},
		"method":        {func(_ *network.Network, o *LikelihoodOptions, _ *[]NamedSet) { o.Method = "guess" }, "want auto, exact or ais"},
		"runs":          {func(_ *network.Network, o *LikelihoodOptions, _ *[]NamedSet) { o.Runs = 1 }, "at least 2"},
		"too many runs": {func(_ *network.Network, o *LikelihoodOptions, _ *[]NamedSet) { o.Runs = 1 << 30 }, "want at most"},
		"temperatures":  {func(_ *network.Network, o *LikelihoodOptions, _ *[]NamedSet) { o.Temperatures = 0 }, "at least 1"},
		"sweeps":        {func(_ *network.Network, o *LikelihoodOptions, _ *[]NamedSet) { o.Sweeps = -1 }, "0 or more"},
		"no sets":       {func(_ *network.Network, _ *LikelihoodOptions, s *[]NamedSet) { *s = nil }, "no training examples"},
		"another size":  {func(_ *network.Network, _ *LikelihoodOptions, s *[]NamedSet) { (*s)[0].Set = settest.Greys(5, 7, 1) }, "7 components"},
		"outside 0..1":  {func(_ *network.Network, _ *LikelihoodOptions, s *[]NamedSet) { (*s)[0].Set = outside }, "component 2 of example 4 is 1.5"},
	} {
		n, o, sets := deepNet(t, engine.Bernoulli, 6, 4), DefaultLikelihood(1), []NamedSet{{"train", dataset.Set(set)}}
		test.change(n, &o, &sets)
		if _, err := MeasureLikelihood(context.Background(), settest.Device(t), n, sets, o, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	big, o := deepNet(t, engine.Bernoulli, 22, 21), DefaultLikelihood(1)
	o.Method = ExactPartition
	if err := o.Check(big); err == nil || !strings.Contains(err.Error(), "at most 20 can be enumerated") {
		t.Errorf("21 hidden units: got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := MeasureLikelihood(ctx, settest.Device(t), deepNet(t, engine.Bernoulli, 6, 4), []NamedSet{{"train", set}}, DefaultLikelihood(1), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: got %v", err)
	}
}

// TestMeasurePreprocessed: the model sees what its preprocessing makes of data.
func TestMeasurePreprocessed(t *testing.T) {
	set, n := settest.Normals(50, 3, func(j int) float64 { return float64(j) }), deepNet(t, engine.Gaussian, 3, 2)
	var err error
	if n.Mean, err = dense.Of([]float32{0, 1, 2}, 3); err != nil {
		t.Fatal(err)
	}
	l, err := MeasureLikelihood(context.Background(), settest.Device(t), n, []NamedSet{{"train", set}}, DefaultLikelihood(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	x := slices.Clone(set.Data)
	if err := n.Preprocess(x); err != nil {
		t.Fatal(err)
	}
	want, err := LogLikelihood(n.Layers[0], engine.Gaussian, x)
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Sets[0].LogLikelihood; math.Abs(got-want) > 1e-5 {
		t.Errorf("log-likelihood %.8g, want %.8g", got, want)
	}
}
