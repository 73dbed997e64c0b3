package visualize

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

func meansOfData(t testing.TB, d engine.Device, n *network.Network, set dataset.Set, layer int, units ...int) *DataMeans {
	t.Helper()
	r, err := MeansOfData(context.Background(), d, n, set, DataMeansOptions{Layer: layer, Units: units}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The means over the data are those of the definition in float64, in both layers, and
// the number of examples that fit onto the device changes no bit.
func TestMeansOfData(t *testing.T) {
	d := openDevice(t)
	n := dbn(engine.Bernoulli, randomRBM(t, 50, 1.5, 0.5, 9, 6), randomRBM(t, 60, 1, 0.5, 6, 7))
	set := randomSet(7, momentExamples+90, 9)
	for layer := 1; layer <= 2; layer++ {
		got := meansOfData(t, d, n, set, layer, 4, 1)
		for u, unit := range []int{4, 1} {
			free, mean, total := make([]float64, 9), make([]float64, 9), 0.0
			for _, x := range set.rows {
				h := widened(x)
				for _, l := range n.Layers[:layer] {
					h = conditional64(t, l, h, false)
				}
				total += h[unit]
				for j, v := range x {
					free[j] += float64(v)
					mean[j] += float64(v) * h[unit]
				}
			}
			for j := range free {
				free[j] /= float64(set.Len())
				mean[j] /= total
			}
			if away := distance(numbers(t, got.FreeMean), free); away > 1e-6 {
				t.Errorf("layer %d: the mean of the examples is %g away", layer, away)
			}
			if away := distance(numbers(t, got.Mean)[u*9:(u+1)*9], mean); away > 1e-6 {
				t.Errorf("layer %d, unit %d: the mean is %g away", layer, unit, away)
			}
			if want := total / float64(set.Len()); math.Abs(got.Probability[u]-want) > 1e-6 {
				t.Errorf("layer %d, unit %d: is on in %g, want %g", layer, unit, got.Probability[u], want)
			}
		}
		alone := meansOfData(t, d, n, set, layer, 1)
		if !slices.Equal(numbers(t, alone.Mean), numbers(t, got.Mean)[9:]) {
			t.Errorf("layer %d: the mean of a unit depends on the others", layer)
		}
	}
}

// modelSet are examples as often as an RBM has them by its exact distribution: data at
// which it is at the optimum of its likelihood.
func modelSet(t testing.TB, l network.Layer, examples int) *rowsSet {
	visible, hidden := l.Weight.Shape()[1], l.Weight.Shape()[0]
	weight, b, c := numbers(t, l.Weight), numbers(t, l.Bias), numbers(t, l.VisibleBias)
	p, total := make([]float64, 1<<visible), 0.0
	for state := range p {
		v, logarithm := bitsOf(state, visible), 0.0
		for j, x := range v {
			logarithm += float64(c[j]) * x
		}
		for i := range hidden {
			a := float64(b[i])
			for j, x := range v {
				a += float64(weight[i*visible+j]) * x
			}
			logarithm += math.Log1p(math.Exp(a))
		}
		p[state] = math.Exp(logarithm)
		total += p[state]
	}
	set := randomSet(1, 1, visible)
	set.rows = nil
	for state, q := range p {
		row := make([]float32, visible)
		for j, x := range bitsOf(state, visible) {
			row[j] = float32(x)
		}
		for range int(math.Round(q / total * float64(examples))) {
			set.rows = append(set.rows, row)
		}
	}
	return set
}

// balanced is an RBM all of whose units are as often on as off: its biases take back half
// of the weights.
func balanced(t testing.TB, weight []float32, visible, hidden int) network.Layer {
	b, c := make([]float32, hidden), make([]float32, visible)
	for k, w := range weight {
		b[k/visible] -= w / 2
		c[k%visible] -= w / 2
	}
	return rbm(t, weight, b, c)
}

// At the exact optimum of a tiny RBM, the means of the data are those of the model, and
// samples agree with them as far as they are many; samples of another unit do not.
func TestAgreementAtTheOptimum(t *testing.T) {
	d := openDevice(t)
	l := balanced(t, normals(50, 2, 5*6), 6, 5)
	n := dbn(engine.Bernoulli, l)
	data := meansOfData(t, d, n, modelSet(t, l, 200_000), 1, 0, 1, 2, 3, 4)
	for unit := range 5 {
		exact := make([]float64, 6)
		for state, p := range exactVisible(t, l, unit) {
			for j, x := range bitsOf(state, 6) {
				exact[j] += p * x
			}
		}
		if away := distance(numbers(t, data.Mean)[unit*6:(unit+1)*6], exact); away > 1e-4 {
			t.Errorf("unit %d: the mean of the data is %g from that of the model", unit, away)
		}
	}
	drawn := sampleOf(t, d, n, independent(1, 4000, 0, 1, 2, 3, 4))
	if err := drawn.Hold(data); err != nil {
		t.Fatal(err)
	}
	given, err := data.UnitPatterns()
	if err != nil {
		t.Fatal(err)
	}
	clear := 0
	for unit, a := range drawn.Agreement {
		// 8000 draws of probabilities leave an error of about 0.02.
		length := norm(numbers(t, given.Data)[unit*6 : (unit+1)*6])
		if a.Distance*length > 0.1 {
			t.Errorf("unit %d: samples that are true are %.3f from the data, which deviate by %.3f", unit, a.Distance*length, length)
		}
		if length > 0.3 {
			clear++
			if a.Correlation < 0.98 {
				t.Errorf("unit %d: samples that are true agree by %.3f", unit, a.Correlation)
			}
		}
	}
	if clear < 2 {
		t.Errorf("only %d units deviate clearly: the test says little", clear)
	}
	units := drawn.Units
	drawn.Units = []int{1, 2, 3, 4, 0}
	if err := drawn.Hold(data); err == nil {
		t.Error("samples are held against the data of other units")
	}
	drawn.Units = units
	numbers(t, data.Mean)[0] += 2
	if err := drawn.Hold(data); err != nil {
		t.Fatal(err)
	}
	if a := drawn.Agreement[0]; a.Correlation > 0.9 || a.Distance < 0.5 {
		t.Errorf("samples that are wrong agree by %.3f at a distance of %.3f", a.Correlation, a.Distance)
	}
}

// What is compared are deviations from the free means, which may have a picture of their
// own; a unit that can't be told from the free mean has a question mark.
func TestDeviations(t *testing.T) {
	r := &SampleResult{
		Layer: 1, Units: []int{7, 8}, Mean: array(t, []float32{5, 3, 1, 4, 4, 2}, 2, 3), FreeMean: array(t, []float32{4, 4, 0}, 3),
		Mixing: []Mixing{{Chance: ToldApart}, {Chance: 0.06}},
	}
	p, err := r.DeviationPatterns()
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, p.Data); !slices.Equal(got, []float32{1, -1, 1, 0, 0, 2}) || !slices.Equal(p.Names, []string{"7", "8?"}) || r.Untold() != 1 {
		t.Errorf("deviations %v of %q, %d untold", got, p.Names, r.Untold())
	}
	// The data's own deviations are the same, from another free mean.
	data := &DataMeans{Layer: 1, Units: []int{7, 8}, Mean: array(t, []float32{1, -1, 10, 0, 0, 11}, 2, 3), FreeMean: array(t, []float32{0, 0, 9}, 3)}
	if err := r.Hold(data); err != nil {
		t.Fatal(err)
	}
	for i, a := range r.Agreement {
		if !near(a.Correlation, 1) || a.Distance != 0 {
			t.Errorf("unit %d agrees with itself by %+v", r.Units[i], a)
		}
	}
}

// Without weights nothing can be told; with large ones everything can.
func TestChance(t *testing.T) {
	d := openDevice(t)
	const units = 200
	silent := rbm(t, make([]float32, units*4), make([]float32, units), []float32{0.3, -0.5, 1, 0})
	o := DefaultSample()
	o.Layer, o.Units, o.Samples, o.Chains, o.BurnIn, o.Every = 1, appendRange(nil, 0, units-1), 64, 8, 4, 1
	// Inputs of an RBM without weights are shown as their probabilities, which are all the
	// same: nothing differs at all.
	for u, m := range sampleOf(t, d, dbn(engine.Bernoulli, silent), o).Mixing {
		if m.Chance != 1 {
			t.Fatalf("unit %d without weights: the chance is %g, want 1", u, m.Chance)
		}
	}
	// Below them a layer that shows its states. The free chains are the same for every
	// unit, so that chances depend on each other: their mean over a few seeds is near 1/2.
	below := dbn(engine.Bernoulli, copying(t, 4), silent)
	o.Layer = 2
	told, all := 0, 0
	for seed := range uint64(12) {
		o.Seed = seed
		for _, m := range sampleOf(t, d, below, o).Mixing {
			all++
			if m.Chance <= ToldApart {
				told++
			}
		}
	}
	if share := float64(told) / float64(all); share < 0.02 || share > 0.09 {
		t.Errorf("%g of the units that say nothing are told from free samples, want about %g", share, ToldApart)
	}
	strong := rbm(t, []float32{6, -6, 6, -6}, []float32{-11}, []float32{0, 0, 0, 0})
	o.Layer, o.Units = 2, []int{0}
	if c := sampleOf(t, d, dbn(engine.Bernoulli, copying(t, 4), strong), o).Mixing[0].Chance; c > ToldApart {
		t.Errorf("the chance of a unit with large weights is %g", c)
	}
	o.Chains = fewestChains - 1
	if c := sampleOf(t, d, dbn(engine.Bernoulli, copying(t, 4), strong), o).Mixing[0].Chance; !math.IsNaN(c) {
		t.Errorf("the chance from %d chains is %g, want none", o.Chains, c)
	}
}
