package enginetest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// wrong is a device with a mistake in its draws of hidden and visible states.
type wrong struct {
	engine.Device
	mistake func(d engine.Device, dst, p engine.Matrix, at engine.Stream) error
}

// Gemm draws after a product of its own, from probabilities on the device.
func (w wrong) Gemm(dst, x, y engine.Matrix, p engine.Product) error {
	if p.Epilogue.Kind != engine.EpilogueBernoulli {
		return w.Device.Gemm(dst, x, y, p)
	}
	at, probability := p.Epilogue.At, p.Epilogue.Probability
	if probability == nil {
		var err error
		if probability, err = w.New(dst.Rows(), dst.Cols()); err != nil {
			return err
		}
		defer probability.Close()
	}
	p.Epilogue.Kind, p.Epilogue.At, p.Epilogue.Probability = engine.EpilogueSigmoid, engine.Stream{}, nil
	if err := w.Device.Gemm(probability, x, y, p); err != nil {
		return err
	}
	return w.mistake(w.Device, dst, probability, at)
}

// TestStatisticsNotice: what the statistics are for fails them, and the same
// device without a mistake passes.
func TestStatisticsNotice(t *testing.T) {
	scaled := func(factor float32) func(engine.Device, engine.Matrix, engine.Matrix, engine.Stream) error {
		return func(d engine.Device, dst, p engine.Matrix, at engine.Stream) error {
			if err := d.Axpby(dst, factor, p, 0); err != nil {
				return err
			}
			return d.Bernoulli(dst, dst, at)
		}
	}
	for _, c := range []struct {
		name      string
		mistake   func(d engine.Device, dst, p engine.Matrix, at engine.Stream) error
		gradients int
		notice    bool
	}{
		{"none", engine.Device.Bernoulli, 20_000, false},
		{"none, at length", engine.Device.Bernoulli, 400_000, false},
		{"probabilities 1 % too large", scaled(1.01), 400_000, true},
		{"probabilities 5 % too small", scaled(0.95), 20_000, true},
		{"u > p", func(d engine.Device, dst, p engine.Matrix, at engine.Stream) error {
			if err := d.Bernoulli(dst, p, at); err != nil {
				return err
			}
			states := make([]float32, dst.Rows()*dst.Cols())
			if err := dst.Read(states); err != nil {
				return err
			}
			for i := range states {
				states[i] = 1 - states[i]
			}
			return dst.Write(states)
		}, 20_000, true},
		{"one draw for a whole row", func(d engine.Device, dst, p engine.Matrix, at engine.Stream) error {
			states := make([]float32, p.Rows()*p.Cols())
			if err := p.Read(states); err != nil {
				return err
			}
			for i, q := range states {
				states[i] = 0
				if at.Uniform(i/p.Cols(), 0) < q {
					states[i] = 1
				}
			}
			return dst.Write(states)
		}, 20_000, true},
		{"the same draws for all examples", func(d engine.Device, dst, p engine.Matrix, at engine.Stream) error {
			at.Keys, at.Step = make([]uint64, len(at.Keys)), 0
			return d.Bernoulli(dst, p, at)
		}, 20_000, true},
		{"probabilities for states", func(d engine.Device, dst, p engine.Matrix, at engine.Stream) error {
			return d.Axpby(dst, 1, p, 0)
		}, 20_000, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := cpu.Open(cpu.Options{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			s := &subject{T: t, device: wrong{d, c.mistake}, used: map[string]float64{}, random: rand.New(rand.NewPCG(20, 7))}
			for _, persistent := range []bool{false, true} {
				worst := s.worstGradient(persistent, c.gradients)
				t.Logf("persistent %v: %.2f of the bound", persistent, worst)
				if (worst > 1) != c.notice {
					t.Errorf("persistent %v: %.2f of the bound, noticed should be %v", persistent, worst, c.notice)
				}
			}
		})
	}
}

// worstGradient is how much of its bound the gradient uses at most.
func (s *subject) worstGradient(persistent bool, gradients int) (worst float64) {
	c := s.newStatistics(persistent, gradients)
	r, err := engine.Plain(s.device, c.plan)
	s.must(err)
	bound := c.exact.bounds(c.runs)
	for i, g := range s.averageGradient(c, r) {
		worst = max(worst, math.Abs(g-c.exact.first[i])/bound[i])
	}
	s.must(r.Close())
	return worst
}

// TestDeviationBound compares the bound with the exact tails of the binomial
// distribution, for rare states too, where five standard errors are often exceeded.
func TestDeviationBound(t *testing.T) {
	normalFails := false
	for _, n := range []int{1, 10, 250, 4000, 20_000} {
		for _, p := range []float64{1e-6, 1e-4, 0.003, 0.1, 0.5, 0.97, 1 - 1e-5} {
			variance, largest := p*(1-p), max(p, 1-p)
			for _, chance := range []float64{0.01, 1e-6, comparisonChance} {
				bound := deviationBound(variance, largest, float64(n), chance)
				if tail := binomialTail(n, p, bound); tail > chance {
					t.Errorf("n %d, p %g: beyond %g with probability %g, want at most %g", n, p, bound, tail, chance)
				}
			}
			normalFails = normalFails || binomialTail(n, p, 5*math.Sqrt(variance/float64(n))) > 1e-3
			// Where the normal distribution is near, little more than its 6.1
			// standard errors are left open.
			if p == 0.5 && n >= 4000 {
				if got := deviationBound(variance, largest, float64(n), comparisonChance) / math.Sqrt(variance/float64(n)); got > 7 {
					t.Errorf("n %d, p %g: the bound is %.2f standard errors", n, p, got)
				}
			}
		}
	}
	if !normalFails {
		t.Error("five standard errors would have done")
	}
}

// binomialTail is the probability that the mean of n states with probability p
// is off by at least t.
func binomialTail(n int, p, t float64) (tail float64) {
	all, _ := math.Lgamma(float64(n) + 1)
	for k := range n + 1 {
		if math.Abs(float64(k)/float64(n)-p) < t {
			continue
		}
		a, _ := math.Lgamma(float64(k) + 1)
		b, _ := math.Lgamma(float64(n-k) + 1)
		tail += math.Exp(all - a - b + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	}
	return tail
}
