package train

import (
	"errors"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
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

	d := device(t)
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
	set, l := greys(10*updates, visible, 5), randomRBM(t, hidden, visible, 0.8)
	learnt := func(exchange bool) (w, b, c []float64) {
		w, b, c = doubles(t, l.Weight), doubles(t, l.Bias), doubles(t, l.VisibleBias)
		mu, data := make([]float64, visible), make([]float64, len(set.data))
		for i, x := range set.data {
			data[i] = float64(x)
			if exchange {
				data[i] = 1 - data[i]
			}
			mu[i%visible] += data[i] / float64(set.Len())
		}
		if exchange {
			exchanged(w, b, c)
		}
		d := device(t)
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

// mixture is the density of an RBM with Gaussian inputs and two hidden units as
// a sum of four Gaussians, written out.
func mixture(t *testing.T, l network.Layer, x []float32) float64 {
	w, b, c := doubles(t, l.Weight), doubles(t, l.Bias), doubles(t, l.VisibleBias)
	size := len(c)
	var means [4][]float64
	var shares [4]float64
	total := 0.0
	for k := range 4 {
		first, second := float64(k&1), float64(k>>1)
		e := b[0]*first + b[1]*second
		for j := range c {
			m := c[j] + first*w[j] + second*w[size+j]
			means[k] = append(means[k], m)
			e += (m*m - c[j]*c[j]) / 2
		}
		shares[k] = math.Exp(e)
		total += shares[k]
	}
	sum := 0.0
	for i := 0; i < len(x); i += size {
		p := 0.0
		for k, mean := range means {
			distance := 0.0
			for j, m := range mean {
				distance += (float64(x[i+j]) - m) * (float64(x[i+j]) - m)
			}
			p += shares[k] / total * math.Exp(-distance/2) / math.Pow(2*math.Pi, float64(size)/2)
		}
		sum += math.Log(p)
	}
	return sum / float64(len(x)/size)
}

// TestMixtureOfGaussians trains RBMs of two hidden units on samples from such an
// RBM. Their densities are known in closed form; they must come near to that of
// the model that the samples are from.
func TestMixtureOfGaussians(t *testing.T) {
	truth := network.Layer{}
	for _, part := range []struct {
		to   **tensor.Dense
		data []float32
		size []int
	}{
		{&truth.Weight, []float32{2, 2, 0, 0, 0, 0, 2, -2}, []int{2, 4}},
		{&truth.Bias, []float32{-5.5, -2}, []int{2}},
		{&truth.VisibleBias, []float32{0, 0.5, -0.5, 1}, []int{4}},
	} {
		var err error
		if *part.to, err = dense.Of(part.data, part.size...); err != nil {
			t.Fatal(err)
		}
	}
	set := samplesOf(t, truth, 3000)
	best := mixture(t, truth, set.data)
	// Without a push apart, both units take up the larger of the two features
	// and stay with it.
	for name, test := range map[string]struct {
		change func(*Options)
		gap    float64 // to the truth at the end, at most
	}{
		"plain":    {func(*Options) {}, 0.4},
		"limited":  {func(o *Options) { o.GradientLimit = AutoLimit }, 0.4},
		"centered": {func(o *Options) { o.Centered = true }, 0.1},
		"sparse":   {func(o *Options) { o.Sparsity, o.SparsityCost = []float64{0.3}, 0.1 }, 0.15},
		"all three": {func(o *Options) {
			o.GradientLimit, o.Centered, o.Sparsity, o.SparsityCost = AutoLimit, true, []float64{0.3}, 0.1
		}, 0.15},
		"pcd": {func(o *Options) { o.Persistent, o.Chains = true, 200 }, 0.4},
	} {
		t.Run(name, func(t *testing.T) {
			o := Defaults(network.DBN, engine.Gaussian, 2)
			o.Epochs, o.Batch, o.Momentum, o.Decay, o.Rates, o.Sparsity, o.GradientLimit = []int{40}, 20, 0.5, 0, []float64{0.05}, []float64{0}, 0
			test.change(&o)
			o.CheckpointEvery = 1500
			var k keep
			n := mustTrain(t, device(t), set, nil, o, Hooks{Checkpoint: k.checkpoint}, 1024)
			var likelihoods []float64
			for _, file := range k.files {
				likelihoods = append(likelihoods, mixture(t, readBack(t, file).layers[0], set.data))
			}
			enumerated, err := LogLikelihood(n.Layers[0], engine.Gaussian, set.data)
			if err != nil {
				t.Fatal(err)
			}
			last := likelihoods[len(likelihoods)-1]
			if math.Abs(enumerated-last) > 1e-9*math.Abs(last) {
				t.Errorf("log-likelihood %.9f by LogLikelihood, %.9f by the mixture", enumerated, last)
			}
			start := mixture(t, startOf(t, set, o), set.data)
			t.Logf("log-likelihood %.3f at the start, then %.3f; %.3f of the truth", start, likelihoods, best)
			if !(last > start+0.4) || last < best-test.gap {
				t.Errorf("log-likelihood from %.3f to %.3f, want within %g of the %.3f of the truth", start, last, test.gap, best)
			}
		})
	}
}

// samplesOf draws from an RBM with Gaussian inputs and two hidden units.
func samplesOf(t *testing.T, l network.Layer, n int) *rows {
	w, b, c := doubles(t, l.Weight), doubles(t, l.Bias), doubles(t, l.VisibleBias)
	size := len(c)
	set := normals(0, size, nil)
	set.info.Name = "mixture"
	var shares [4]float64
	var means [4][]float64
	total := 0.0
	for k := range 4 {
		e := b[0]*float64(k&1) + b[1]*float64(k>>1)
		for j := range c {
			m := c[j] + float64(k&1)*w[j] + float64(k>>1)*w[size+j]
			means[k] = append(means[k], m)
			e += (m*m - c[j]*c[j]) / 2
		}
		shares[k] = math.Exp(e)
		total += shares[k]
	}
	t.Logf("shares of the Gaussians %.3f", []float64{shares[0] / total, shares[1] / total, shares[2] / total, shares[3] / total})
	source := engine.NewSource(7, engine.PurposeGlyph, 0, 0)
	for range n {
		k, u := 0, source.Uniform()*total
		for k < 3 && u > shares[k] {
			u -= shares[k]
			k++
		}
		for _, m := range means[k] {
			set.data = append(set.data, float32(m+source.Normal()))
		}
	}
	return set
}

// startOf is a layer before its first update.
func startOf(t *testing.T, set *rows, o Options) network.Layer {
	t.Helper()
	tr, err := newTrainer(device(t), set, nil, o, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := tr.newLayerRun(1, nil)
	if err != nil {
		t.Fatal(errors.Join(err, l.close()))
	}
	parameters, err := l.parameters()
	if err = errors.Join(err, l.close()); err != nil {
		t.Fatal(err)
	}
	return parameters
}

// TestHiddenBias checks where hidden biases start.
func TestHiddenBias(t *testing.T) {
	set := normals(500, 6, func(j int) float64 { return float64(j) - 2 })
	grey := greys(45, 6, 5)
	for name, test := range map[string]struct {
		set    *rows
		change func(*Options)
		want   func(w, c []float64) float64
	}{
		"bernoulli": {grey, func(*Options) {}, func(_, _ []float64) float64 { return 0 }},
		"target":    {grey, func(o *Options) { o.Sparsity = []float64{0.2} }, func(_, _ []float64) float64 { return math.Log(0.25) }},
		// The mixture's component of this unit alone has 0.01 times the weight of
		// the one of none.
		"gaussian": {set, func(o *Options) { o.Visible, o.Sparsity = engine.Gaussian, []float64{0} }, func(w, c []float64) float64 {
			e := 0.0
			for j := range w {
				e += ((w[j]+c[j])*(w[j]+c[j]) - c[j]*c[j]) / 2
			}
			return math.Log(0.01) - e
		}},
		"gaussian target": {set, func(o *Options) { o.Visible = engine.Gaussian }, func(_, _ []float64) float64 { return math.Log(0.02 / 0.98) }},
		"sdae":            {grey, func(o *Options) { *o = sdae(3) }, func(_, _ []float64) float64 { return 0 }},
	} {
		o := dbn(3)
		test.change(&o)
		l := startOf(t, test.set, o)
		w, b, c := doubles(t, l.Weight), doubles(t, l.Bias), doubles(t, l.VisibleBias)
		for i, got := range b {
			if want := test.want(w[i*6:(i+1)*6], c); math.Abs(got-want) > 1e-5 {
				t.Errorf("%s: bias %d is %g, want %g", name, i, got, want)
			}
		}
		if math.Abs(c[0]) < 0.1 != (o.Kind == network.SDAE) {
			t.Errorf("%s: visible bias %g", name, c)
		}
	}
}

// TestSparsity trains with targets; the mean activations must come near them.
func TestSparsity(t *testing.T) {
	set := greys(400, 12, 5)
	for _, target := range []float64{0.05, 0.4} {
		o := dbn(10)
		o.Epochs, o.Sparsity, o.SparsityCost, o.Rates = []int{60}, []float64{target}, 3, []float64{0.02}
		var k keep
		n := mustTrain(t, device(t), set, nil, o, Hooks{Checkpoint: k.checkpoint}, 1024)
		q := doubles(t, readBack(t, k.files[len(k.files)-1]).activity)
		r, err := newRBM(n.Layers[0], engine.Bernoulli)
		if err != nil {
			t.Fatal(err)
		}
		for i := range q {
			mean := 0.0
			for e := range set.Len() {
				mean += sigmoid(float64(r.bias[i])+dot(r.weight[i*12:(i+1)*12], set.example(e))) / float64(set.Len())
			}
			if math.Abs(mean-target) > target/2 || math.Abs(q[i]-mean) > target/4 {
				t.Errorf("target %g: unit %d is on for %.3f of the examples; the running mean says %.3f", target, i, mean, q[i])
			}
		}
	}
}

// TestUpperSamples draws the inputs of layer 2 and 3 over and over: they are
// states, and their means those of the layers below.
func TestUpperSamples(t *testing.T) {
	const draws = 4000
	set := greys(45, 6, 5)
	o := dbn(5, 4, 3)
	o.UpperSamples = true
	tr, err := newTrainer(device(t), set, nil, o, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	tr.network.Layers = []network.Layer{randomRBM(t, 5, 6, 1), randomRBM(t, 4, 5, 1)}
	l, err := tr.newLayerRun(3, nil)
	defer l.close()
	if err != nil {
		t.Fatal(err)
	}
	examples := append(append([]float32{}, set.example(3)...), set.example(8)...)
	draw := func(step int) []float32 {
		x, err := l.encode(examples, l.keys(0, []int{3, 8}), uint32(step))
		if err != nil {
			t.Fatal(err)
		}
		states := make([]float32, 8)
		if err := x.Read(states); err != nil {
			t.Fatal(err)
		}
		return states
	}
	means := make([]float64, 8)
	for step := range draws {
		for i, x := range draw(step) {
			if x != 0 && x != 1 {
				t.Fatalf("input %g of layer 3, want a state", x)
			}
			means[i] += float64(x) / draws
		}
	}
	for row, example := range []int{3, 8} {
		want := meansAbove(t, tr.network.Layers, set.example(example))
		for j, p := range want {
			// Five deviations: the draws are fixed by the seed, so this never flickers.
			if got := means[row*4+j]; math.Abs(got-p) > 5*math.Sqrt(p*(1-p)/draws) {
				t.Errorf("example %d: input %d is on in %.4f of the draws, want %.4f", example, j, got, p)
			}
		}
	}
	// The other order of the rows: a draw belongs to the example.
	first := draw(7)
	examples = append(append([]float32{}, set.example(8)...), set.example(3)...)
	x, err := l.encode(examples, l.keys(0, []int{8, 3}), 7)
	if err != nil {
		t.Fatal(err)
	}
	second := make([]float32, 8)
	if err := x.Read(second); err != nil {
		t.Fatal(err)
	}
	for j := range 4 {
		if first[j] != second[4+j] || first[4+j] != second[j] {
			t.Errorf("input %d depends on the place of its example", j)
		}
	}
}

// meansAbove is p(h2=1|x) = sum over h1 of p(h1|x) p(h2=1|h1).
func meansAbove(t *testing.T, layers []network.Layer, x []float32) []float64 {
	w1, b1 := doubles(t, layers[0].Weight), doubles(t, layers[0].Bias)
	w2, b2 := doubles(t, layers[1].Weight), doubles(t, layers[1].Bias)
	p1 := make([]float64, len(b1))
	for i := range p1 {
		a := b1[i]
		for j, v := range x {
			a += w1[i*len(x)+j] * float64(v)
		}
		p1[i] = sigmoid(a)
	}
	means := make([]float64, len(b2))
	for state := range 1 << len(b1) {
		p := 1.0
		for i := range p1 {
			if state>>i&1 == 1 {
				p *= p1[i]
			} else {
				p *= 1 - p1[i]
			}
		}
		for k := range means {
			a := b2[k]
			for i := range p1 {
				a += w2[k*len(b1)+i] * float64(state>>i&1)
			}
			means[k] += p * sigmoid(a)
		}
	}
	return means
}
