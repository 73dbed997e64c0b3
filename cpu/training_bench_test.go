package cpu_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// trainingCase is a layer in training, its examples like digits in sparsity.
type trainingCase struct {
	name                            string
	visible, hidden, batch, updates int // updates in a call of Run
}

var trainingCases = []trainingCase{
	{"b100", 784, 1000, 100, 20},
	{"b1000", 784, 1000, 1000, 2},
	{"b20x200", 784, 200, 20, 100},
}

// flops counts the multiply-adds of an example's products: contrastive
// divergence with one Gibbs step has three with the weights (up, down, up) and
// two of the gradient, and so has a denoising auto-encoder (code, output,
// delta). 784-1000: 2 * 5 * 784 * 1000 = 7.84 million.
func (c trainingCase) flops() float64 { return 2 * 5 * float64(c.visible) * float64(c.hidden) }

func BenchmarkTrainRBM(b *testing.B) {
	benchmarkTraining(b, func(c trainingCase) engine.Plan {
		return engine.ContrastiveDivergence{VisibleUnits: c.visible, HiddenUnits: c.hidden, GibbsSteps: 1, Batch: c.batch, Layer: 1, Seed: 1}
	})
}

// BenchmarkTrainStabilised has every option that changes the gradient.
func BenchmarkTrainStabilised(b *testing.B) {
	benchmarkTraining(b, func(c trainingCase) engine.Plan {
		return engine.ContrastiveDivergence{VisibleUnits: c.visible, HiddenUnits: c.hidden, GibbsSteps: 1, Batch: c.batch, Layer: 1, Seed: 1,
			Sparsity: engine.Sparsity{Target: 0.1, Cost: 0.1}, Centered: true, GradientLimit: 0.01}
	})
}

func BenchmarkTrainDAE(b *testing.B) {
	benchmarkTraining(b, func(c trainingCase) engine.Plan {
		return engine.Denoise{VisibleUnits: c.visible, HiddenUnits: c.hidden, Corruption: engine.Corruption{Level: 0.25}, Batch: c.batch, Seed: 1}
	})
}

// benchmarkTraining times the fused plan and, side by side, the definition.
func benchmarkTraining(b *testing.B, plan func(c trainingCase) engine.Plan) {
	for _, c := range trainingCases {
		b.Run(c.name, func(b *testing.B) { c.measure(b, plan(c), engine.CompileTraining) })
		b.Run(c.name+"/plain", func(b *testing.B) {
			c.measure(b, plan(c), func(d engine.Device, p engine.Plan) (engine.TrainingRunner, error) {
				r, err := engine.Plain(d, p)
				if err != nil {
					return nil, err
				}
				return r.(engine.TrainingRunner), nil
			})
		})
	}
}

// measure times calls of Run in turns with the peak of multiply-adds on all
// workers: on a machine that others use, only the ratio of two neighbours in
// time means anything. It reports medians.
func (c trainingCase) measure(b *testing.B, p engine.Plan, compile func(engine.Device, engine.Plan) (engine.TrainingRunner, error)) {
	opened, err := cpu.Open(cpu.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer opened.Close()
	d := opened.(peaker)
	r, err := compile(d, p)
	if err != nil {
		b.Fatal(err)
	}
	state, data, keys := c.start(b, d)
	var rates, peaks, fractions []float64
	for b.Loop() {
		peak := d.Peak(time.Millisecond)
		began := time.Now()
		progress, err := r.Run(state, data, keys, engine.Update{Rate: 0.05, Momentum: 0.5, Decay: 0.0002})
		seconds := time.Since(began).Seconds()
		if err != nil {
			b.Fatal(err)
		}
		if e := progress.SquaredError; progress.Examples != int64(len(keys)) || !(e > 0) || math.IsInf(e, 0) {
			b.Fatalf("progress %+v", progress)
		}
		peak = max(peak, d.Peak(time.Millisecond))
		rate := float64(len(keys)) / seconds
		rates, peaks, fractions = append(rates, rate), append(peaks, peak), append(fractions, rate*c.flops()/1e9/peak)
	}
	b.ReportMetric(middle(rates), "examples/s")
	b.ReportMetric(middle(rates)*c.flops()/1e9, "GFLOP/s")
	b.ReportMetric(middle(peaks), "peak-GFLOP/s")
	b.ReportMetric(100*middle(fractions), "%peak")
	b.ReportMetric(0, "ns/op") // holds the peak too
}

func middle(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// start is a layer with small random weights, and examples of an eighth ones.
func (c trainingCase) start(b *testing.B, d engine.Device) (*engine.TrainingState, engine.Matrix, []uint64) {
	fresh := func(rows, cols int) engine.Matrix {
		m, err := d.New(rows, cols)
		if err != nil {
			b.Fatal(err)
		}
		return m
	}
	set := func() engine.Parameters {
		return engine.Parameters{Weight: fresh(c.hidden, c.visible), Bias: fresh(1, c.hidden), VisibleBias: fresh(1, c.visible)}
	}
	state := &engine.TrainingState{Parameters: set(), Velocity: set(), Activity: fresh(1, c.hidden), Center: fresh(1, c.visible)}
	data := fresh(c.batch*c.updates, c.visible)
	keys := make([]uint64, data.Rows())
	for i := range keys {
		keys[i] = engine.ExampleKey(1, int64(i))
	}
	units := make([]uint64, c.hidden)
	for i := range units {
		units[i] = engine.RowKey(1, i, 0)
	}
	w := state.Parameters.Weight
	noise := engine.Corruption{Kind: engine.CorruptionSaltPepper, Level: 0.25, High: 1}
	for _, err := range []error{
		d.Gaussian(w, w, 0.01, engine.Stream{Seed: 1, Purpose: engine.PurposeWeights, Keys: units}),
		d.Corrupt(data, data, noise, engine.Stream{Seed: 1, Purpose: engine.PurposeGlyph, Keys: keys}),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	return state, data, keys
}
