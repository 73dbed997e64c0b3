package train

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
)

// MaxEnumerated is the largest number of hidden units for which [LogLikelihood]
// goes through all hidden states.
const MaxEnumerated = 20

// rbm is one RBM on the host.
type rbm struct {
	kind           engine.VisibleKind
	hidden, inputs int
	weight         []float32 // [hidden, inputs]
	bias           []float32 // [hidden]
	visibleBias    []float32 // [inputs]
}

func newRBM(l network.Layer, kind engine.VisibleKind) (*rbm, error) {
	if l.Weight == nil || l.Bias == nil || l.VisibleBias == nil {
		return nil, fmt.Errorf("an RBM needs a weight, a bias and a visible bias")
	}
	r := &rbm{kind: kind}
	shape := l.Weight.Shape()
	if len(shape) != 2 {
		return nil, fmt.Errorf("weight has shape %v, want [units, inputs]", []int(shape))
	}
	r.hidden, r.inputs = shape[0], shape[1]
	var err error
	if r.weight, err = dense.Data(l.Weight); err != nil {
		return nil, fmt.Errorf("weight: %w", err)
	}
	if r.bias, err = dense.Data(l.Bias); err != nil {
		return nil, fmt.Errorf("bias: %w", err)
	}
	if r.visibleBias, err = dense.Data(l.VisibleBias); err != nil {
		return nil, fmt.Errorf("visible bias: %w", err)
	}
	if len(r.bias) != r.hidden || len(r.visibleBias) != r.inputs {
		return nil, fmt.Errorf("weight is %dx%d with %d biases and %d visible biases", r.hidden, r.inputs, len(r.bias), len(r.visibleBias))
	}
	return r, nil
}

// FreeEnergies returns the free energy of every row of x [n, inputs] in an RBM
// with Bernoulli or Gaussian inputs, in float64:
//
//	F(v) = -c.v - sum_i log(1 + exp(b_i + w_i.v))              Bernoulli
//	F(v) = 1/2 ||v - c||^2 - sum_i log(1 + exp(b_i + w_i.v))   Gaussian
//
// so that p(v) = exp(-F(v)) / Z.
func FreeEnergies(l network.Layer, visible engine.VisibleKind, x []float32) ([]float64, error) {
	r, err := newRBM(l, visible)
	if err != nil {
		return nil, fmt.Errorf("free energy: %w", err)
	}
	return r.freeEnergies(x)
}

func (r *rbm) freeEnergies(x []float32) ([]float64, error) {
	if len(x)%r.inputs != 0 {
		return nil, fmt.Errorf("free energy: %d numbers are no rows of %d inputs", len(x), r.inputs)
	}
	energies := make([]float64, len(x)/r.inputs)
	for i := range energies {
		v := x[i*r.inputs : (i+1)*r.inputs]
		energy := visibleEnergy(r.kind, v, r.visibleBias)
		for j := range r.hidden {
			energy -= softplus(float64(r.bias[j]) + dot(r.weight[j*r.inputs:(j+1)*r.inputs], v))
		}
		energies[i] = energy
	}
	return energies, nil
}

// LogLikelihood returns the exact mean of log p(x) over the rows of x [n,
// inputs] in an RBM with at most [MaxEnumerated] hidden units, in nats, by
// summing over all hidden states in float64. For Gaussian inputs p is a
// density.
func LogLikelihood(l network.Layer, visible engine.VisibleKind, x []float32) (float64, error) {
	r, err := newRBM(l, visible)
	if err != nil {
		return 0, fmt.Errorf("log-likelihood: %w", err)
	}
	if r.hidden > MaxEnumerated {
		return 0, fmt.Errorf("log-likelihood: %d hidden units, at most %d can be enumerated", r.hidden, MaxEnumerated)
	}
	energies, err := r.freeEnergies(x)
	if err != nil || len(energies) == 0 {
		return math.NaN(), err
	}
	mean := 0.0
	for _, energy := range energies {
		mean -= energy / float64(len(energies))
	}
	return mean - r.logPartition(), nil
}

// logPartition is log Z. It visits the hidden states in the order of a Gray
// code, so that one row of weights goes in or out at each step.
func (r *rbm) logPartition() float64 {
	down := make([]float64, r.inputs) // W'h
	bias := 0.0                       // b.h
	sum := newLogSum()
	sum.add(r.logWeight(down, bias))
	for state := uint64(1); state < 1<<r.hidden; state++ {
		unit := bits.TrailingZeros64(state)
		sign := 1.0
		if gray := state ^ state>>1; gray>>unit&1 == 0 {
			sign = -1
		}
		bias += sign * float64(r.bias[unit])
		for j, w := range r.weight[unit*r.inputs : (unit+1)*r.inputs] {
			down[j] += sign * float64(w)
		}
		sum.add(r.logWeight(down, bias))
	}
	return sum.value()
}

// logWeight is the log of exp(-energy) summed or integrated over all inputs,
// with the hidden states given by W'h and b.h.
func (r *rbm) logWeight(down []float64, bias float64) float64 {
	total := bias
	for j, d := range down {
		c := float64(r.visibleBias[j])
		if r.kind == engine.Gaussian {
			total += c*d + d*d/2 + math.Log(2*math.Pi)/2
		} else {
			total += softplus(c + d)
		}
	}
	return total
}

// visibleEnergy is the part of the free energy without hidden units.
func visibleEnergy(kind engine.VisibleKind, v, visibleBias []float32) float64 {
	if kind == engine.Bernoulli {
		return -dot(visibleBias, v)
	}
	energy := 0.0
	for j, x := range v {
		d := float64(x) - float64(visibleBias[j])
		energy += d * d / 2
	}
	return energy
}

func dot(a, b []float32) (sum float64) {
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// softplus is log(1 + exp(x)).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// logSum adds numbers that are given by their logs.
type logSum struct{ largest, scaled float64 }

func newLogSum() *logSum { return &logSum{largest: math.Inf(-1)} }

func (s *logSum) add(x float64) {
	if x > s.largest {
		s.scaled = s.scaled*math.Exp(s.largest-x) + 1
		s.largest = x
		return
	}
	s.scaled += math.Exp(x - s.largest)
}

func (s *logSum) value() float64 { return s.largest + math.Log(s.scaled) }
