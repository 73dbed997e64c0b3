package train

import (
	"errors"
	"math"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// startOf is a layer before its first update.
func startOf(t *testing.T, set *settest.Rows, o Options) network.Layer {
	t.Helper()
	tr, err := newTrainer(settest.Device(t), set, nil, o, Hooks{})
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
	set := settest.Normals(500, 6, func(j int) float64 { return float64(j) - 2 })
	grey := settest.Greys(45, 6, 5)
	for name, test := range map[string]struct {
		set    *settest.Rows
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
	set := settest.Greys(400, 12, 5)
	for _, target := range []float64{0.05, 0.4} {
		o := dbn(10)
		o.Epochs, o.Sparsity, o.SparsityCost, o.Rates = []int{60}, []float64{target}, 3, []float64{0.02}
		var k Keep
		n := mustTrain(t, settest.Device(t), set, nil, o, Hooks{Checkpoint: k.Checkpoint}, 1024)
		q := doubles(t, readBack(t, k.Files[len(k.Files)-1]).activity)
		r, err := newRBM(n.Layers[0], engine.Bernoulli)
		if err != nil {
			t.Fatal(err)
		}
		for i := range q {
			mean := 0.0
			for e := range set.Len() {
				mean += sigmoid(float64(r.bias[i])+dot(r.weight[i*12:(i+1)*12], set.Example(e))) / float64(set.Len())
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
	set := settest.Greys(45, 6, 5)
	o := dbn(5, 4, 3)
	o.UpperSamples = true
	tr, err := newTrainer(settest.Device(t), set, nil, o, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	tr.network.Layers = []network.Layer{randomRBM(t, 5, 6, 1), randomRBM(t, 4, 5, 1)}
	l, err := tr.newLayerRun(3, nil)
	defer l.close()
	if err != nil {
		t.Fatal(err)
	}
	examples := append(append([]float32{}, set.Example(3)...), set.Example(8)...)
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
		want := meansAbove(t, tr.network.Layers, set.Example(example))
		for j, p := range want {
			// Five deviations: the draws are fixed by the seed, so this never flickers.
			if got := means[row*4+j]; math.Abs(got-p) > 5*math.Sqrt(p*(1-p)/draws) {
				t.Errorf("example %d: input %d is on in %.4f of the draws, want %.4f", example, j, got, p)
			}
		}
	}
	// The other order of the rows: a draw belongs to the example.
	first := draw(7)
	examples = append(append([]float32{}, set.Example(8)...), set.Example(3)...)
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
