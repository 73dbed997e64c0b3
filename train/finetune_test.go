package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// labelled is a data set with labels.
type labelled struct {
	*settest.Rows
	labels []int
}

func (l labelled) Label(index int) (int, bool) { return l.labels[index], true }

// sorted labels examples by which of classes parts their largest component
// lies in.
func sorted(r *settest.Rows, classes int) labelled {
	l := labelled{Rows: r}
	size := r.About.Size()
	for i := range r.Len() {
		x := r.Example(i)
		at := slices.Index(x, slices.Max(x))
		l.labels = append(l.labels, at*classes/size)
	}
	return l
}

// stack is an untrained network of some kind with inputs in a row.
func stack(t testing.TB, kind network.Kind, inputs int, units ...int) *network.Network {
	t.Helper()
	n, err := network.Untrained(kind, engine.Bernoulli, []int{inputs}, units, 3)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// withOutput gives a network a classifier with weights that are not 0.
func withOutput(t testing.TB, n *network.Network, classes int) *network.Network {
	t.Helper()
	sizes := n.Sizes()
	out, err := network.InitialLayer(network.MLP, len(sizes), sizes[len(sizes)-1], classes, 9)
	if err != nil {
		t.Fatal(err)
	}
	n.Output = &out
	return n
}

// fineTuning is small options for tests.
func fineTuning() FineTuneOptions {
	o := FineTuneDefaults()
	o.Epochs, o.Batch, o.Rate, o.FinalRate = 3, 7, 0.3, 0.1
	return o
}

// startTuner is a tuner with its parameters on the device.
func startTuner(t testing.TB, n *network.Network, set, held dataset.Set, o FineTuneOptions) *tuner {
	t.Helper()
	tu, err := newTuner(n, set, held, o, FineTuneHooks{})
	if err != nil {
		t.Fatal(err)
	}
	d := settest.Device(t)
	tu.device, tu.buffers.device = d, d
	if err := tu.start(nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tu.buffers.close(); err != nil {
			t.Error(err)
		}
	})
	return tu
}

// reference is a stack in float64: the mean cross-entropy of examples whose
// inputs are multiplied by factors [layer][example*width].
type reference struct {
	weights, biases [][]float64
	factors         [][]float64
}

func (r reference) loss(examples []float32, labels []int) float64 {
	sum := 0.0
	size := len(examples) / len(labels)
	for i, label := range labels {
		var x []float64
		for _, v := range examples[i*size : (i+1)*size] {
			x = append(x, float64(v))
		}
		for l, w := range r.weights {
			for j := range x {
				x[j] *= r.factors[l][i*len(x)+j]
			}
			y := slices.Clone(r.biases[l])
			for k := range y {
				for j := range x {
					y[k] += w[k*len(x)+j] * x[j]
				}
				if l < len(r.weights)-1 {
					y[k] = 1 / (1 + math.Exp(-y[k]))
				}
			}
			x = y
		}
		total := 0.0
		for _, v := range x {
			total += math.Exp(v)
		}
		sum += math.Log(total) - x[label]
	}
	return sum / float64(len(labels))
}

// TestFineTuneGradient compares the gradient that back-propagation puts into
// the velocity with central differences of the loss in float64.
func TestFineTuneGradient(t *testing.T) {
	for name, c := range map[string]struct {
		units []int
		noise []float64
	}{
		"no hidden layer":    {nil, nil},
		"one layer":          {[]int{7}, nil},
		"three layers":       {[]int{9, 7, 6}, nil},
		"noise on inputs":    {[]int{9, 7}, []float64{0.25}},
		"noise on all":       {[]int{9, 7, 6}, []float64{0.25, 0.3, 0.4, 0.5}},
		"noise on one above": {[]int{9, 7}, []float64{0, 0.4}},
	} {
		t.Run(name, func(t *testing.T) {
			set := sorted(settest.Greys(11, 8, 5), 3)
			n := withOutput(t, stack(t, network.SDAE, 8, c.units...), 3)
			o := fineTuning()
			o.Noise, o.Batch, o.Momentum, o.Rate, o.FinalRate = c.noise, 11, 0.5, 1, 0
			tu := startTuner(t, n, set, nil, o)
			tu.updates = 2 // so that the step is part of the noise
			var indices []uint64
			for i := range set.labels {
				indices = append(indices, uint64(i))
			}
			ref := tu.reference(t, indices)
			if err := tu.learn(set.Data, indices); err != nil {
				t.Fatal(err)
			}
			if got, want := tu.tally.MeanLoss(), ref.loss(set.Data, set.labels); math.Abs(got-want) > 1e-6*want {
				t.Errorf("loss %g, want %g", got, want)
			}
			for l, v := range tu.velocity {
				for what, p := range map[string]struct {
					m  engine.Matrix
					of []float64
				}{"weight": {v.Weight, ref.weights[l]}, "bias": {v.Bias, ref.biases[l]}} {
					if e := gradientError(t, p.m, p.of, func() float64 { return ref.loss(set.Data, set.labels) }); e > 1e-5 {
						t.Errorf("%s of layer %d: relative error of the gradient %.2g", what, l+1, e)
					}
				}
			}
		})
	}
}

// reference is what the tuner has on its device, in float64, with the noise of
// its next update.
func (t *tuner) reference(tb testing.TB, indices []uint64) reference {
	tb.Helper()
	layers, err := t.download(t.layers)
	if err != nil {
		tb.Fatal(err)
	}
	var r reference
	for l, layer := range layers {
		r.weights = append(r.weights, wide(tb, layer.Weight.Data().([]float32)))
		r.biases = append(r.biases, wide(tb, layer.Bias.Data().([]float32)))
		width := layer.Weight.Shape()[1]
		ones := make([]float32, len(indices)*width)
		for i := range ones {
			ones[i] = 1
		}
		m, err := t.device.New(len(indices), width)
		if err != nil {
			tb.Fatal(err)
		}
		var keys []uint64
		for _, index := range indices {
			keys = append(keys, engine.ExampleKey(l+1, int64(index)))
		}
		at := engine.Stream{Seed: t.options.Seed, Purpose: engine.PurposeDropout, Step: uint32(t.updates), Keys: keys}
		mask := engine.Corruption{Level: float32(t.options.noise(l + 1))}
		if err := errors.Join(m.Write(ones), t.device.Corrupt(m, m, mask, at), m.Read(ones), m.Close()); err != nil {
			tb.Fatal(err)
		}
		factors := wide(tb, ones)
		for i := range factors {
			factors[i] *= float64(width) / float64(width-mask.Picked(width))
		}
		r.factors = append(r.factors, factors)
	}
	return r
}

func wide(t testing.TB, xs []float32) (wide []float64) {
	t.Helper()
	for _, x := range xs {
		wide = append(wide, float64(x))
	}
	return wide
}

// gradientError is ||velocity + gradient|| / ||gradient||, for a velocity that
// was 0 before a step of rate 1.
func gradientError(t testing.TB, velocity engine.Matrix, parameters []float64, loss func() float64) float64 {
	t.Helper()
	got := make([]float32, len(parameters))
	if err := velocity.Read(got); err != nil {
		t.Fatal(err)
	}
	const h = 1e-5
	off, norm := 0.0, 0.0
	for i, x := range parameters {
		parameters[i] = x + h
		up := loss()
		parameters[i] = x - h
		down := loss()
		parameters[i] = x
		want := (down - up) / (2 * h)
		off += (float64(got[i]) - want) * (float64(got[i]) - want)
		norm += want * want
	}
	return math.Sqrt(off / norm)
}

// TestFineTuneSteps checks the steps of a classifier without hidden layers from
// weights of 0 against float64: the gradient is mean((1[class] - p) x'), the rule
// that of [engine.Update].
func TestFineTuneSteps(t *testing.T) {
	set := labelled{&settest.Rows{About: dataset.Info{Name: "two", Shape: []int{2}, High: 1}, Data: []float32{1, 0, 0, 0.5}}, []int{0, 1}}
	for name, c := range map[string]struct{ momentum, decay float64 }{
		"plain": {0, 0}, "decay": {0, 0.1}, "momentum": {0.5, 0}, "both": {0.5, 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			o := fineTuning()
			o.Epochs, o.Batch, o.Rate, o.FinalRate, o.Momentum, o.Decay = 3, 2, 0.5, 0, c.momentum, c.decay
			n, _, err := FineTune(context.Background(), settest.Device(t), stack(t, network.MLP, 2), set, nil, o, FineTuneHooks{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var w, v [2][2]float64
			var b, vb [2]float64
			for range o.Epochs {
				var gw [2][2]float64
				var gb [2]float64
				for i, label := range set.labels {
					x := set.Example(i)
					var p [2]float64
					for k := range p {
						p[k] = math.Exp(w[k][0]*float64(x[0]) + w[k][1]*float64(x[1]) + b[k])
					}
					total := p[0] + p[1]
					for k := range p {
						g := -p[k] / total
						if k == label {
							g++
						}
						gb[k] += g / 2
						gw[k][0] += g * float64(x[0]) / 2
						gw[k][1] += g * float64(x[1]) / 2
					}
				}
				for k := range w {
					for j := range w[k] {
						v[k][j] = c.momentum*v[k][j] + o.Rate*(gw[k][j]-c.decay*w[k][j])
						w[k][j] += v[k][j]
					}
					vb[k] = c.momentum*vb[k] + o.Rate*gb[k]
					b[k] += vb[k]
				}
			}
			got, bias := n.Output.Weight.Data().([]float32), n.Output.Bias.Data().([]float32)
			for k := range w {
				for j := range w[k] {
					if math.Abs(float64(got[2*k+j])-w[k][j]) > 1e-6 {
						t.Errorf("weight %d, %d is %g, want %g", k, j, got[2*k+j], w[k][j])
					}
				}
				if math.Abs(float64(bias[k])-b[k]) > 1e-6 {
					t.Errorf("bias %d is %g, want %g", k, bias[k], b[k])
				}
			}
		})
	}
}

// TestFineTuneLearns separates classes that a hidden layer is needed for: the
// parity of two components.
func TestFineTuneLearns(t *testing.T) {
	set := labelled{Rows: &settest.Rows{About: dataset.Info{Name: "parity", Shape: []int{2}, High: 1}}}
	for i := range 40 {
		a, b := i&1, i>>1&1
		set.Data = append(set.Data, float32(a), float32(b))
		set.labels = append(set.labels, a^b)
	}
	o := fineTuning()
	o.Epochs, o.Batch, o.Rate, o.FinalRate, o.Momentum, o.Patience = 400, 4, 1, 0, 0.9, 0
	d, before := settest.Device(t), stack(t, network.SDAE, 2, 8)
	// The saddle at weights of 0 is flat here.
	for i := range before.Layers[0].Weight.Data().([]float32) {
		before.Layers[0].Weight.Data().([]float32)[i] *= 16
	}
	n, outcome, err := FineTune(context.Background(), d, before, set, set, o, FineTuneHooks{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if outcome.Held.Errors != 0 {
		t.Errorf("%d errors of 40", outcome.Held.Errors)
	}
	s, err := Classify(context.Background(), d, n, set)
	if err != nil || s != outcome.Held {
		t.Errorf("the result scores %+v (%v), the outcome is %+v", s, err, outcome.Held)
	}
}
