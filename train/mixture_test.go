package train

import (
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/settest"
)

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
	best := mixture(t, truth, set.Data)
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
			var k Keep
			n := mustTrain(t, settest.Device(t), set, nil, o, Hooks{Checkpoint: k.Checkpoint}, 1024)
			var likelihoods []float64
			for _, file := range k.Files {
				likelihoods = append(likelihoods, mixture(t, readBack(t, file).layers[0], set.Data))
			}
			enumerated, err := LogLikelihood(n.Layers[0], engine.Gaussian, set.Data)
			if err != nil {
				t.Fatal(err)
			}
			last := likelihoods[len(likelihoods)-1]
			if math.Abs(enumerated-last) > 1e-9*math.Abs(last) {
				t.Errorf("log-likelihood %.9f by LogLikelihood, %.9f by the mixture", enumerated, last)
			}
			start := mixture(t, startOf(t, set, o), set.Data)
			t.Logf("log-likelihood %.3f at the start, then %.3f; %.3f of the truth", start, likelihoods, best)
			if !(last > start+0.4) || last < best-test.gap {
				t.Errorf("log-likelihood from %.3f to %.3f, want within %g of the %.3f of the truth", start, last, test.gap, best)
			}
		})
	}
}

// samplesOf draws from an RBM with Gaussian inputs and two hidden units.
func samplesOf(t *testing.T, l network.Layer, n int) *settest.Rows {
	w, b, c := doubles(t, l.Weight), doubles(t, l.Bias), doubles(t, l.VisibleBias)
	size := len(c)
	set := settest.Normals(0, size, nil)
	set.About.Name = "mixture"
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
			set.Data = append(set.Data, float32(m+source.Normal()))
		}
	}
	return set
}
