//go:build cuda

package gpu

import (
	"errors"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
	"github.com/unitscope/unitscope/kernels"
)

// learner is what both plans for training share.
type learner struct {
	fixed           holding
	visible, hidden int
	batch           int
	closed          bool
}

func newLearner(d *device, operation string, visible, hidden, batch int) learner {
	return learner{fixed: holding{device: d, operation: operation}, visible: visible, hidden: hidden, batch: batch}
}

// Close implements engine.Runner.
func (l *learner) Close() error {
	l.closed = true
	return l.fixed.close()
}

// parameters are of a model on a card.
type parameters = operand.Parameters[*matrix]

// lesson is one run of a plan for training.
type lesson struct {
	holding
	state           *engine.TrainingState
	rule            engine.Update
	data            *matrix
	value, velocity parameters
	chains          *matrix      // of persistent contrastive divergence
	activity        *matrix      // of an RBM that has it, as
	center          *matrix      // this
	keys            cu.DevicePtr // of all examples
	mistakes        *matrix      // [examples, 1] norms of what was not reconstructed
}

// batch is the examples of an update.
type batch struct {
	x        *matrix      // [rows, visible]
	keys     cu.DevicePtr // of the rows
	mistakes *matrix      // [rows, 1] is to be computed
	updates  uint32       // done before
}

// lesson takes the operands of a run, which have been checked.
func (l *learner) lesson(s *engine.TrainingState, data engine.Matrix, u engine.Update) (*lesson, error) {
	h := holding{device: l.fixed.device, operation: l.fixed.operation}
	if err := h.device.open(h.operation); err != nil {
		return nil, err
	}
	if l.closed {
		return nil, errors.New(h.operation + ": the plan is closed")
	}
	o, err := operand.Training[*matrix](h.device, h.operation, s, data)
	return &lesson{
		holding: h, state: s, rule: u, data: o.Data,
		value: o.Value, velocity: o.Velocity,
		chains: o.Chains, activity: o.Activity, center: o.Center,
	}, err
}

// run has update learn from every batch of the data, and waits for the card.
func (l *learner) run(r *lesson, keys []uint64, update func(r *lesson, b batch)) (progress engine.TrainingProgress, err error) {
	defer func() {
		if e := r.close(); err == nil {
			err = e
		}
	}()
	r.keys, r.mistakes = r.lasting(bytesOf(keys)), r.matrix(len(keys), 1)
	updates := uint32(0)
	for from := 0; from < len(keys) && r.err == nil; from += l.batch {
		to := min(from+l.batch, len(keys))
		update(r, batch{part(r.data, from, to), r.keys + cu.DevicePtr(8*from), part(r.mistakes, from, to), r.state.Updates + updates})
		updates++
	}
	if r.err != nil {
		return progress, r.err
	}
	norms := make([]float32, len(keys))
	if r.read(norms, r.mistakes); r.err != nil {
		return progress, r.err
	}
	r.state.Updates += updates
	return engine.TrainingProgress{Updates: int(updates), Examples: int64(len(keys)), SquaredError: l.squaredError(norms)}, nil
}

// squaredError adds up the squared errors of examples as the definition does, batch
// by batch.
func (l *learner) squaredError(norms []float32) (all float64) {
	for len(norms) > 0 {
		n, sum := min(l.batch, len(norms)), 0.0
		for _, norm := range norms[:n] {
			sum += float64(norm) * float64(norm)
		}
		all, norms = all+sum, norms[n:]
	}
	return all
}

// encode computes the hidden units of visible ones: W v + b through an epilogue.
func (r *lesson) encode(dst, visible *matrix, e engine.EpilogueKind) {
	p := engine.Multiply(false, true)
	p.Epilogue.Kind = e
	r.gemm(product{dst: dst, a: visible, b: r.value.Weight, bias: r.value.Bias}, p)
}

// decode computes E[v|h].
func (r *lesson) decode(dst, hidden *matrix, kind engine.VisibleKind) {
	r.gemm(product{dst: dst, a: hidden, b: r.value.Weight, bias: r.value.VisibleBias}, means(kind))
}

// compare computes norms of a-b, and the difference itself unless it is nil.
func (r *lesson) compare(norms, difference, a, b *matrix) {
	c := callDifferences(differencesArguments{norms: norms.at(), difference: difference.at(), a: a.at(), b: b.at(), rows: a.rows, cols: a.cols})
	r.launch(c, kernels.RowBlocks(int64(a.rows)), norms.called("norms"), a.called("a"), b.called("b"))
}
