package train

import (
	"errors"
	"math"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// TestGaussianMean trains a Gaussian RBM on noise around a mean. With no
// structure to model, the mean of its reconstructions is the data's.
func TestGaussianMean(t *testing.T) {
	want := func(j int) float64 { return 2*float64(j) - 3 }
	set := settest.Normals(2000, 6, want)
	o := dbn(4)
	o.Visible, o.Epochs, o.Batch, o.Rates = engine.Gaussian, []int{5}, 20, nil
	n := mustTrain(t, settest.Device(t), set, nil, o, Hooks{}, 1024)
	bias, err := dense.Data(n.Layers[0].VisibleBias)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRBM(n.Layers[0], engine.Gaussian)
	if err != nil {
		t.Fatal(err)
	}
	for j := range bias {
		mean := 0.0
		for i := range set.Len() {
			z := float64(bias[j])
			for k := range r.hidden {
				z += float64(r.weight[k*6+j]) * sigmoid(float64(r.bias[k])+dot(r.weight[k*6:(k+1)*6], set.Example(i)))
			}
			mean += z / float64(set.Len())
		}
		if math.Abs(mean-want(j)) > 0.15 {
			t.Errorf("component %d: mean reconstruction %.3f, want %.3f", j, mean, want(j))
		}
	}
}

// TestVisibleBias checks where an RBM's visible biases start.
func TestVisibleBias(t *testing.T) {
	set := &settest.Rows{About: dataset.Info{Name: "four", Shape: []int{3}, High: 1}, Data: []float32{1, 0, 0.25, 0, 0, 0.75, 1, 0, 0.25, 1, 0, 0.75}}
	for kind, want := range map[engine.VisibleKind][]float64{
		engine.Bernoulli: {math.Log(3), math.Log(0.001 / 0.999), 0},
		engine.Gaussian:  {0.75, 0, 0.5},
	} {
		o := dbn(2)
		o.Visible = kind
		tr, err := newTrainer(settest.Device(t), set, nil, o, Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := tr.newLayerRun(1, nil)
		if err != nil {
			t.Fatal(err)
		}
		parameters, err := l.parameters()
		if err = errors.Join(err, l.close()); err != nil {
			t.Fatal(err)
		}
		bias, err := dense.Data(parameters.VisibleBias)
		if err != nil {
			t.Fatal(err)
		}
		for j := range want {
			if math.Abs(float64(bias[j])-want[j]) > 1e-6 {
				t.Errorf("%v: bias %v, want %v", kind, bias, want)
			}
		}
	}
}

// TestPlan checks what a device is told to train.
func TestPlan(t *testing.T) {
	real := settest.Normals(45, 12, func(int) float64 { return 0 })
	noisy := sdae(5, 4)
	noisy.Visible, noisy.Corruption, noisy.Noise, noisy.Seed = engine.Gaussian, engine.CorruptionSaltPepper, []float64{0.5, 0.25}, 9
	chains := dbn(5, 4)
	chains.Visible, chains.Persistent, chains.GibbsSteps, chains.Batch = engine.Gaussian, true, 3, 1000
	chains.Sparsity, chains.Centered, chains.GradientLimit = []float64{0.125, 0.25}, true, AutoLimit
	largest := 0.0
	for i := range real.Len() {
		largest = max(largest, math.Sqrt(dot(real.Example(i), real.Example(i))))
	}
	for name, test := range map[string]struct {
		o    Options
		want [2]engine.Plan
	}{
		"noisy": {noisy, [2]engine.Plan{
			engine.Denoise{VisibleUnits: 12, HiddenUnits: 5, Visible: engine.Gaussian, Batch: 7, Seed: 9,
				Corruption: engine.Corruption{Kind: engine.CorruptionSaltPepper, Level: 0.5, Low: -10, High: 10}},
			engine.Denoise{VisibleUnits: 5, HiddenUnits: 4, Batch: 7, Seed: 9,
				Corruption: engine.Corruption{Kind: engine.CorruptionSaltPepper, Level: 0.25, Low: 0, High: 1}},
		}},
		"chains": {chains, [2]engine.Plan{
			engine.ContrastiveDivergence{VisibleUnits: 12, HiddenUnits: 5, Visible: engine.Gaussian, GibbsSteps: 3, Chains: 100, Batch: 45, Layer: 1, Seed: 1,
				Sparsity: engine.Sparsity{Target: 0.125, Cost: 1}, Centered: true, GradientLimit: float32(0.01 * 0.2 * largest)},
			engine.ContrastiveDivergence{VisibleUnits: 5, HiddenUnits: 4, GibbsSteps: 3, Chains: 100, Batch: 45, Layer: 2, Seed: 1,
				Sparsity: engine.Sparsity{Target: 0.25, Cost: 0.1}, Centered: true},
		}},
	} {
		tr, err := newTrainer(settest.Device(t), real, nil, test.o, Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range test.want {
			got, err := tr.plan(i + 1)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%s, layer %d: %+v, want %+v", name, i+1, got, want)
			}
		}
	}
}
