package train

import (
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// randomRBM has normal parameters of some size.
func randomRBM(t testing.TB, hidden, inputs int, size float64) network.Layer {
	t.Helper()
	source := engine.NewSource(7, engine.PurposeWeights, 0, 0)
	draw := func(n int) []float32 {
		xs := make([]float32, n)
		for i := range xs {
			xs[i] = float32(size * source.Normal())
		}
		return xs
	}
	l, err := layerOf(hidden, inputs, draw(hidden*inputs), draw(hidden), draw(inputs))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func layerOf(hidden, inputs int, weight, bias, visibleBias []float32) (l network.Layer, err error) {
	if l.Weight, err = dense.Of(weight, hidden, inputs); err != nil {
		return l, err
	}
	if l.Bias, err = dense.Of(bias, hidden); err != nil {
		return l, err
	}
	l.VisibleBias, err = dense.Of(visibleBias, inputs)
	return l, err
}

// binaryStates is every vector of n zeros and ones.
func binaryStates(n int) [][]float32 {
	var states [][]float32
	for s := range 1 << n {
		v := make([]float32, n)
		for j := range v {
			v[j] = float32(s >> j & 1)
		}
		states = append(states, v)
	}
	return states
}

// TestFreeEnergyEnumerated compares free energies with -log of the sum of
// exp(-energy) over all hidden states, written out from the energy function.
func TestFreeEnergyEnumerated(t *testing.T) {
	l := randomRBM(t, 5, 4, 0.7)
	r, err := newRBM(l, engine.Bernoulli)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		for _, v := range append(binaryStates(4), []float32{0.3, -2, 1.5, 4}) {
			sum := 0.0
			for _, h := range binaryStates(5) {
				energy := visibleEnergy(kind, v, r.visibleBias) - dot(r.bias, h)
				for i := range h {
					for j := range v {
						energy -= float64(h[i]) * float64(r.weight[i*4+j]) * float64(v[j])
					}
				}
				sum += math.Exp(-energy)
			}
			got, err := FreeEnergies(l, kind, v)
			if err != nil {
				t.Fatal(err)
			}
			if want := -math.Log(sum); math.Abs(got[0]-want) > 1e-12*(1+math.Abs(want)) {
				t.Errorf("%v inputs %v: free energy %g, want %g", kind, v, got[0], want)
			}
		}
	}
}

// TestLikelihoodSumsToOne sums the exact probabilities of all inputs.
func TestLikelihoodSumsToOne(t *testing.T) {
	l := randomRBM(t, 6, 5, 1)
	sum := 0.0
	for _, v := range binaryStates(5) {
		p, err := LogLikelihood(l, engine.Bernoulli, v)
		if err != nil {
			t.Fatal(err)
		}
		sum += math.Exp(p)
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("probabilities sum to %g", sum)
	}
}

// TestGaussianDensity integrates the exact density of one Gaussian input.
func TestGaussianDensity(t *testing.T) {
	l := randomRBM(t, 3, 1, 1)
	const step = 0.001
	sum := 0.0
	for x := -15.0; x < 15; x += step {
		p, err := LogLikelihood(l, engine.Gaussian, []float32{float32(x)})
		if err != nil {
			t.Fatal(err)
		}
		sum += step * math.Exp(p)
	}
	if math.Abs(sum-1) > 1e-5 {
		t.Errorf("the density integrates to %g", sum)
	}
}

func TestLikelihoodRefuses(t *testing.T) {
	whole := randomRBM(t, 3, 4, 1)
	for name, test := range map[string]struct {
		l    network.Layer
		x    []float32
		want string
	}{
		"too many units":  {randomRBM(t, 21, 22, 1), make([]float32, 22), "21 hidden units and 22 inputs, at most 20 of either"},
		"ragged rows":     {whole, make([]float32, 5), "5 numbers are no rows of 4 inputs"},
		"no visible bias": {network.Layer{Weight: whole.Weight, Bias: whole.Bias}, make([]float32, 4), "an RBM needs"},
		"wrong bias":      {network.Layer{Weight: whole.Weight, Bias: whole.VisibleBias, VisibleBias: whole.VisibleBias}, make([]float32, 4), "3x4 with 4 biases"},
		"weight a vector": {network.Layer{Weight: whole.Bias, Bias: whole.Bias, VisibleBias: whole.VisibleBias}, make([]float32, 4), "weight has shape"},
	} {
		if _, err := LogLikelihood(test.l, engine.Bernoulli, test.x); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}

// monitorOf returns a monitor of a layer with these parameters.
func monitorOf(t *testing.T, d engine.Device, l network.Layer, set, held dataset.Set, o Options) (*monitor, engine.TrainingState) {
	t.Helper()
	tr, err := newTrainer(d, set, held, o, Hooks{Measured: func(Measurement) {}})
	if err != nil {
		t.Fatal(err)
	}
	run, err := tr.newLayerRun(1, nil)
	t.Cleanup(func() {
		if err := run.close(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	run.state.Parameters = run.buffers.uploadLayer(l)
	if run.buffers.err != nil {
		t.Fatal(run.buffers.err)
	}
	return run.monitor, run.state
}

// TestPseudoLikelihood averages the one-component estimate over many updates
// and compares it with the exact value.
func TestPseudoLikelihood(t *testing.T) {
	set := settest.Greys(9, 5, 3)
	l := randomRBM(t, 3, 5, 0.8)
	m, state := monitorOf(t, settest.Device(t), l, set, set, dbn(3))
	exact := 0.0
	for i := range set.Len() {
		v := make([]float32, 5)
		for j, x := range set.Example(i) {
			v[j] = float32(math.Round(float64(x)))
		}
		for j := range v {
			flipped := append([]float32{}, v...)
			flipped[j] = 1 - v[j]
			f, err := FreeEnergies(l, engine.Bernoulli, append(append([]float32{}, v...), flipped...))
			if err != nil {
				t.Fatal(err)
			}
			exact += -math.Log(1+math.Exp(f[0]-f[1])) / float64(set.Len())
		}
	}
	const updates = 3000
	sum, squares := 0.0, 0.0
	for update := range updates {
		state.Updates = uint32(update)
		var r Measurement
		if err := m.measure(&r, state); err != nil {
			t.Fatal(err)
		}
		sum += r.PseudoLikelihood
		squares += r.PseudoLikelihood * r.PseudoLikelihood
	}
	average := sum / updates
	deviation := math.Sqrt((squares/updates - average*average) / updates)
	// Four deviations: the draws are fixed by the seed, so this never flickers.
	t.Logf("mean estimate %.4f +- %.4f, exact %.4f", average, deviation, exact)
	if math.Abs(average-exact) > 4*deviation || deviation > 0.05 {
		t.Errorf("mean estimate %.4f +- %.4f, exact %.4f", average, deviation, exact)
	}
}

// TestMonitorsAgainstHost computes the gap and the held-out error in float64.
func TestMonitorsAgainstHost(t *testing.T) {
	set, held := settest.Greys(30, 6, 1), settest.Greys(9, 6, 2)
	for _, kind := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		o := dbn(4)
		o.Visible = kind
		l := randomRBM(t, 4, 6, 0.8)
		m, state := monitorOf(t, settest.Device(t), l, set, held, o)
		var r Measurement
		if err := m.measure(&r, state); err != nil {
			t.Fatal(err)
		}
		if math.IsNaN(r.PseudoLikelihood) != (kind == engine.Gaussian) {
			t.Errorf("%v: pseudo-likelihood %g", kind, r.PseudoLikelihood)
		}
		var train []float32
		for _, i := range drawn(o.Seed, 0, 30, sampleLeast) {
			train = append(train, set.Example(i)...)
		}
		a, err := FreeEnergies(l, kind, held.Data)
		if err != nil {
			t.Fatal(err)
		}
		b, err := FreeEnergies(l, kind, train)
		if err != nil {
			t.Fatal(err)
		}
		if want := mean(a) - mean(b); math.Abs(r.FreeEnergyGap-want) > 1e-5*(1+math.Abs(want)) {
			t.Errorf("%v: gap %g, want %g", kind, r.FreeEnergyGap, want)
		}
		if want := hostError(t, l, kind, held); math.Abs(r.HeldError-want) > 1e-5*want {
			t.Errorf("%v: held-out error %g, want %g", kind, r.HeldError, want)
		}
	}
}

// hostError is the mean squared error of reconstruction in float64.
func hostError(t *testing.T, l network.Layer, kind engine.VisibleKind, set *settest.Rows) float64 {
	t.Helper()
	r, err := newRBM(l, kind)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i := range set.Len() {
		x := set.Example(i)
		h := make([]float64, r.hidden)
		for k := range h {
			h[k] = sigmoid(float64(r.bias[k]) + dot(r.weight[k*r.inputs:(k+1)*r.inputs], x))
		}
		for j := range x {
			z := float64(r.visibleBias[j])
			for k := range h {
				z += h[k] * float64(r.weight[k*r.inputs+j])
			}
			if kind == engine.Bernoulli {
				z = sigmoid(z)
			}
			sum += (z - float64(x[j])) * (z - float64(x[j]))
		}
	}
	return sum / float64(set.Len())
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
