package train

import (
	"context"
	"fmt"
	"math"
	"math/bits"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// MaxEnumerated is the largest number of hidden units, or else of Bernoulli
// inputs, whose states [LogPartition] goes through.
const MaxEnumerated = 20

// Enumerable says whether [LogPartition] can go through all states of an RBM of
// this size.
func Enumerable(visible engine.VisibleKind, hidden, inputs int) bool {
	return hidden <= MaxEnumerated || visible == engine.Bernoulli && inputs <= MaxEnumerated
}

// LogPartition returns the exact log Z of an RBM, in nats, by summing over all
// states of its hidden units, or of its inputs if they are fewer and Bernoulli,
// in float64. More than [MaxEnumerated] of them are an error. With 20 hidden
// units and 784 inputs it takes a few seconds on two cores. It stops soon after
// ctx ends, with an error that wraps the context's.
func LogPartition(ctx context.Context, l network.Layer, visible engine.VisibleKind) (float64, error) {
	r, err := newRBM(l, visible)
	if err != nil {
		return 0, fmt.Errorf("log partition: %w", err)
	}
	return r.logPartition(ctx)
}

// LogLikelihood returns the exact mean of log p(x) over the rows of x [n,
// inputs] in an RBM that [LogPartition] can enumerate, in nats. For Gaussian
// inputs p is a density.
func LogLikelihood(l network.Layer, visible engine.VisibleKind, x []float32) (float64, error) {
	r, err := newRBM(l, visible)
	if err != nil {
		return 0, fmt.Errorf("log-likelihood: %w", err)
	}
	energies, err := r.freeEnergies(x)
	if err != nil {
		return 0, fmt.Errorf("log-likelihood: %w", err)
	}
	logZ, err := r.logPartition(context.Background())
	if err != nil {
		return 0, err
	}
	return -mean(energies) - logZ, nil
}

func (r *rbm) logPartition(ctx context.Context) (float64, error) {
	if !Enumerable(r.kind, r.hidden, r.inputs) {
		if r.kind == engine.Gaussian {
			return 0, fmt.Errorf("log partition: %d hidden units, at most %d can be enumerated", r.hidden, MaxEnumerated)
		}
		return 0, fmt.Errorf("log partition: %d hidden units and %s, at most %d of either can be enumerated", r.hidden, words.Count(r.inputs, "input"), MaxEnumerated)
	}
	if r.kind == engine.Bernoulli && r.inputs < r.hidden {
		r = r.transposed()
	}
	const blockUnits = 12 // of them, a block goes through all states
	low := min(r.hidden, blockUnits)
	blocks := make([]logSum, 1<<(r.hidden-low))
	inParallel(len(blocks), func(i int) {
		if ctx.Err() == nil {
			blocks[i] = r.enumerate(i, low)
		}
	})
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("log partition: %w", err)
	}
	sum := newLogSum()
	for _, b := range blocks {
		sum.add(b.value())
	}
	value := sum.value()
	if value-value != 0 {
		return 0, fmt.Errorf("log partition: %g: %w; the weights are too large, as from training at too high a learning rate", value, engine.ErrNotFinite)
	}
	return value, nil
}

// transposed is the RBM with the roles of inputs and hidden units exchanged.
// Its partition function is the same.
func (r *rbm) transposed() *rbm {
	t := &rbm{kind: engine.Bernoulli, hidden: r.inputs, inputs: r.hidden, bias: r.visibleBias, visibleBias: r.bias}
	t.weight = transpose(r.weight, r.hidden, r.inputs)
	return t
}

// transpose returns x [rows, cols] as [cols, rows].
func transpose(x []float32, rows, cols int) []float32 {
	t := make([]float32, len(x))
	for i := range rows {
		for j := range cols {
			t[j*rows+i] = x[i*cols+j]
		}
	}
	return t
}

// enumerate sums over the hidden states whose units from low on are the bits of
// block. It visits them in the order of a Gray code, so that one row of weights
// goes in or out at each step.
func (r *rbm) enumerate(block, low int) logSum {
	down := make([]float64, r.inputs) // c + W'h
	for j, c := range r.visibleBias {
		down[j] = float64(c)
	}
	bias := 0.0 // b.h
	flip := func(unit int, sign float64) {
		bias += sign * float64(r.bias[unit])
		for j, w := range r.weight[unit*r.inputs : (unit+1)*r.inputs] {
			down[j] += sign * float64(w)
		}
	}
	for unit := low; unit < r.hidden; unit++ {
		if block>>(unit-low)&1 == 1 {
			flip(unit, 1)
		}
	}
	sum := newLogSum()
	sum.add(bias + r.logIntegral(down))
	for state := uint(1); state < 1<<low; state++ {
		unit := bits.TrailingZeros(state)
		sign := 1.0
		if gray := state ^ state>>1; gray>>unit&1 == 0 {
			sign = -1
		}
		flip(unit, sign)
		sum.add(bias + r.logIntegral(down))
	}
	return sum
}

// logIntegral is the log of exp(v.W'h) exp(-visible energy) summed or
// integrated over all v, given c + W'h.
func (r *rbm) logIntegral(down []float64) float64 {
	if r.kind == engine.Bernoulli {
		return softplusSum(down, 1)
	}
	total := float64(len(down)) * logGaussian
	for j, d := range down {
		c := float64(r.visibleBias[j])
		total += (d - c) * (d + c) / 2
	}
	return total
}

// logGaussian is the log of the integral of exp(-x^2/2).
const logGaussian = 0.91893853320467274178

// logSum adds numbers that are given by their logs.
type logSum struct{ largest, scaled float64 }

func newLogSum() logSum { return logSum{largest: math.Inf(-1)} }

func (s *logSum) add(x float64) {
	if x > s.largest {
		s.scaled = s.scaled*math.Exp(s.largest-x) + 1
		s.largest = x
		return
	}
	s.scaled += math.Exp(x - s.largest)
}

func (s *logSum) value() float64 { return s.largest + math.Log(s.scaled) }
