package train

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// centeredRBM is an RBM with energy -(h-q)'W(v-mu) - b'(h-q) - c'(v-mu) in
// float64.
type centeredRBM struct{ w, b, c, q, mu []float64 }

// plain returns the RBM without offsets that has the same distribution: b - W mu
// and c - W'q.
func (r centeredRBM) plain() (w, b, c []float64) {
	b, c = append([]float64{}, r.b...), append([]float64{}, r.c...)
	for i := range b {
		for j := range c {
			b[i] -= r.w[i*len(c)+j] * r.mu[j]
			c[j] -= r.w[i*len(c)+j] * r.q[i]
		}
	}
	return r.w, b, c
}

// logLikelihood is the mean of log p(v) over data, by going through all states
// of hidden and visible units.
func (r centeredRBM) logLikelihood(data [][]float64) float64 {
	w, b, c := r.plain()
	weight := func(v func(j int) float64) float64 {
		sum := 0.0
		for h := range 1 << len(b) {
			e := 0.0
			for j := range c {
				e += c[j] * v(j)
			}
			for i := range b {
				if h>>i&1 == 1 {
					e += b[i]
					for j := range c {
						e += w[i*len(c)+j] * v(j)
					}
				}
			}
			sum += math.Exp(e)
		}
		return sum
	}
	z := 0.0
	for v := range 1 << len(c) {
		z += weight(func(j int) float64 { return float64(v >> j & 1) })
	}
	mean := 0.0
	for _, x := range data {
		mean += math.Log(weight(func(j int) float64 { return x[j] })/z) / float64(len(data))
	}
	return mean
}

// TestCenteredGradient compares an update of a centered RBM with the slope of
// its exact log-likelihood, found by small changes of W, b and c of the centered
// form. The visible biases are so strong that chains of persistent contrastive
// divergence can only be in one state, so the update is not random.
func TestCenteredGradient(t *testing.T) {
	const hidden, visible, rate = 3, 4, 0.125
	data := [][]float64{{1, 0, 1, 1}, {0, 0.25, 1, 0}, {0.5, 1, 0, 0}}
	l := randomRBM(t, hidden, visible, 0.8)
	w, b := doubles(t, l.Weight), doubles(t, l.Bias)
	c := []float64{30, -30, 30, -30}
	mu, q := []float64{0.5, 0.375, 0.75, 0.25}, []float64{0.25, 0.5, 0.75}

	d := settest.Device(t)
	buffers := buffers{device: d}
	defer buffers.close()
	row := func(x []float64) engine.Matrix { return matrixOf(t, &buffers, 1, x) }
	zeros := func(n int) []float64 { return make([]float64, n) }
	state := engine.TrainingState{
		Parameters: engine.Parameters{Weight: matrixOf(t, &buffers, hidden, w), Bias: row(b), VisibleBias: row(c)},
		Velocity:   engine.Parameters{Weight: matrixOf(t, &buffers, hidden, zeros(hidden*visible)), Bias: row(zeros(hidden)), VisibleBias: row(zeros(visible))},
		Chains:     matrixOf(t, &buffers, 2, zeros(2*hidden)), Activity: row(q), Center: row(mu),
	}
	runner, err := engine.CompileTraining(d, engine.ContrastiveDivergence{
		VisibleUnits: visible, HiddenUnits: hidden, GibbsSteps: 1, Chains: 2, Batch: len(data), Layer: 1, Centered: true})
	if err != nil {
		t.Fatal(err)
	}
	defer runner.Close()
	var all []float64
	for _, x := range data {
		all = append(all, x...)
	}
	if _, err := runner.Run(&state, matrixOf(t, &buffers, len(data), all), make([]uint64, len(data)), engine.Update{Rate: rate}); err != nil {
		t.Fatal(err)
	}

	// The offset is brought up to date before the gradient is computed.
	for i := range q {
		mean := 0.0
		for _, x := range data {
			a := b[i]
			for j := range x {
				a += w[i*visible+j] * x[j]
			}
			mean += sigmoid(a) / float64(len(data))
		}
		q[i] += engine.ActivityShare * (mean - q[i])
	}
	r := centeredRBM{w: w, b: append([]float64{}, b...), c: append([]float64{}, c...), q: q, mu: mu}
	for i := range b {
		for j := range c {
			r.b[i] += w[i*visible+j] * mu[j]
			r.c[j] += w[i*visible+j] * q[i]
		}
	}
	slope := func(x []float64) []float64 {
		const small = 1e-4
		slopes := make([]float64, len(x))
		for i, at := range x {
			x[i] = at + small
			up := r.logLikelihood(data)
			x[i] = at - small
			slopes[i] = (up - r.logLikelihood(data)) / (2 * small)
			x[i] = at
		}
		return slopes
	}
	steps := centeredRBM{w: slope(r.w), b: slope(r.b), c: slope(r.c), q: q, mu: mu}
	for _, pair := range [][2][]float64{{r.w, steps.w}, {r.b, steps.b}, {r.c, steps.c}} {
		for i := range pair[0] {
			pair[0][i] += rate * pair[1][i]
		}
	}
	wantW, wantB, wantC := r.plain()
	near(t, "weight", state.Parameters.Weight, wantW)
	near(t, "bias", state.Parameters.Bias, wantB)
	near(t, "visible bias", state.Parameters.VisibleBias, wantC)
}

// TestExchangedData trains a centered RBM on data, and on the same with zeros
// and ones exchanged from the same distribution the other way round: W, b and c
// become -W, b + W 1 and -c, and stay so.
func TestExchangedData(t *testing.T) {
	const hidden, visible, updates = 5, 7, 6
	set, l := settest.Greys(10*updates, visible, 5), randomRBM(t, hidden, visible, 0.8)
	learnt := func(exchange bool) (w, b, c []float64) {
		w, b, c = doubles(t, l.Weight), doubles(t, l.Bias), doubles(t, l.VisibleBias)
		mu, data := make([]float64, visible), make([]float64, len(set.Data))
		for i, x := range set.Data {
			data[i] = float64(x)
			if exchange {
				data[i] = 1 - data[i]
			}
			mu[i%visible] += data[i] / float64(set.Len())
		}
		if exchange {
			exchanged(w, b, c)
		}
		d := settest.Device(t)
		buffers := buffers{device: d}
		defer buffers.close()
		state := engine.TrainingState{
			Parameters: engine.Parameters{Weight: matrixOf(t, &buffers, hidden, w), Bias: matrixOf(t, &buffers, 1, b), VisibleBias: matrixOf(t, &buffers, 1, c)},
			Velocity:   engine.Parameters{Weight: buffers.matrix(hidden, visible), Bias: buffers.matrix(1, hidden), VisibleBias: buffers.matrix(1, visible)},
			Activity:   buffers.matrix(1, hidden), Center: matrixOf(t, &buffers, 1, mu),
		}
		runner, err := engine.CompileTraining(d, engine.ContrastiveDivergence{
			VisibleUnits: visible, HiddenUnits: hidden, GibbsSteps: 1, Batch: 10, Layer: 1, Seed: 3,
			Centered: true, GradientLimit: 0.05, Sparsity: engine.Sparsity{Target: 0.2, Cost: 0.5}})
		if err != nil {
			t.Fatal(err)
		}
		defer runner.Close()
		keys := make([]uint64, set.Len())
		for i := range keys {
			keys[i] = engine.ExampleKey(1, int64(i))
		}
		rule := engine.Update{Rate: 0.125, Momentum: 0.5, Decay: 0.01}
		if _, err := runner.Run(&state, matrixOf(t, &buffers, set.Len(), data), keys, rule); err != nil {
			t.Fatal(err)
		}
		return valuesOf(t, state.Parameters.Weight), valuesOf(t, state.Parameters.Bias), valuesOf(t, state.Parameters.VisibleBias)
	}
	w, b, c := learnt(false)
	exchanged(w, b, c)
	otherW, otherB, otherC := learnt(true)
	for _, pair := range [][2][]float64{{w, otherW}, {b, otherB}, {c, otherC}} {
		for i, want := range pair[0] {
			if math.Abs(pair[1][i]-want) > 1e-5 {
				t.Errorf("%d: %g, want %g", i, pair[1][i], want)
			}
		}
	}
}

// exchanged gives each visible unit's zero the meaning of one.
func exchanged(w, b, c []float64) {
	for i := range b {
		for j := range c {
			b[i] += w[i*len(c)+j]
			w[i*len(c)+j] *= -1
		}
	}
	for j := range c {
		c[j] *= -1
	}
}

func valuesOf(t *testing.T, m engine.Matrix) []float64 {
	t.Helper()
	single := make([]float32, m.Rows()*m.Cols())
	if err := m.Read(single); err != nil {
		t.Fatal(err)
	}
	x := make([]float64, len(single))
	for i, v := range single {
		x[i] = float64(v)
	}
	return x
}

func matrixOf(t *testing.T, b *buffers, rows int, x []float64) engine.Matrix {
	t.Helper()
	single := make([]float32, len(x))
	for i, v := range x {
		single[i] = float32(v)
	}
	m := b.matrix(rows, len(x)/rows)
	if b.err == nil {
		b.err = m.Write(single)
	}
	if b.err != nil {
		t.Fatal(b.err)
	}
	return m
}

func near(t *testing.T, what string, m engine.Matrix, want []float64) {
	t.Helper()
	got := valuesOf(t, m)
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-5*(1+math.Abs(want[i])/10) {
			t.Errorf("%s %d: %.7g, want %.7g", what, i, got[i], want[i])
		}
	}
}

func doubles(t *testing.T, x *tensor.Dense) []float64 {
	t.Helper()
	data, err := dense.Data(x)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, len(data))
	for i, v := range data {
		out[i] = float64(v)
	}
	return out
}
