package train

import (
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

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
		return nil, fmt.Errorf("free energy: %s are no rows of %s", words.Count(len(x), "number"), words.Count(r.inputs, "input"))
	}
	energies := make([]float64, len(x)/r.inputs)
	activations := make([]float64, r.hidden)
	for i := range energies {
		v := x[i*r.inputs : (i+1)*r.inputs]
		for j := range activations {
			activations[j] = float64(r.bias[j]) + dot(r.weight[j*r.inputs:(j+1)*r.inputs], v)
		}
		energies[i] = visibleEnergy(r.kind, v, r.visibleBias) - softplusSum(activations, 1)
	}
	return energies, nil
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
