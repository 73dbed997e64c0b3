//go:build cuda

package gpu

import (
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/kernels"
)

// side is the statistics of one side of a gradient: of data, or of the model.
type side struct {
	hidden  *matrix // [rows, hidden]
	visible *matrix // [rows, visible]
}

// rows is 0 if there is no such side.
func (s side) rows() int {
	if s.visible == nil {
		return 0
	}
	return s.visible.rows
}

// shift is what sparsity and centering do to the sides, before all else.
type shift struct {
	activity   *matrix // [1, hidden] nil: there is none
	center     *matrix // [1, visible] nil: not centered
	centered   *matrix // [batch, visible] where the data goes then
	cost, push float32 // of sparsity, and what it adds to cost times activity
}

// learnBiases shifts the sides and updates the biases; those of a centered layer
// wait for learnUncentered. It returns the sides as they are for the weights. Without
// a model there is no such side.
func (r *lesson) learnBiases(rate float32, data, model side, s shift) (side, side) {
	var centered *matrix
	if s.center != nil {
		centered = top(s.centered, data.rows())
	}
	v, p := r.velocity, r.value
	var a arguments
	a.matrix(p.Bias)
	a.matrix(v.Bias)
	a.matrix(data.hidden)
	a.matrix(model.hidden)
	a.matrix(s.activity)
	a.matrix(p.VisibleBias)
	a.matrix(v.VisibleBias)
	a.matrix(data.visible)
	a.matrix(centered)
	a.matrix(model.visible)
	a.matrix(s.center)
	a.ints(p.Bias.cols, p.VisibleBias.cols, data.rows(), model.rows())
	a.floats(rate, r.rule.Momentum, engine.ActivityShare, 1-engine.ActivityShare, s.cost, s.push)
	r.launch("learn_biases", r.biasBlocks(), a, p.Bias.called("bias"), p.VisibleBias.called("visible bias"), data.visible.called("data"), model.visible.called("model"))
	if centered != nil {
		data.visible = centered
	}
	return data, model
}

func (r *lesson) biasBlocks() int64 {
	return kernels.Blocks(int64(r.value.Bias.cols) + int64(r.value.VisibleBias.cols))
}

// decay is the factor of the weights in their own step.
func (r *lesson) decay() float32 {
	if r.rule.Decay > 0 {
		return -r.rule.Rate * r.rule.Decay
	}
	return 0
}

// learnWeights makes the step of the weights along the sum of both sides' products,
// times these rates. step is nil if nobody asks for it by itself. With a limit above 0
// rows of it are scaled down to that.
func (r *lesson) learnWeights(step *matrix, data side, dataRate float32, model side, modelRate, limit float32) {
	w := r.value.Weight
	moved := w
	if limit > 0 {
		moved = nil
	}
	var a arguments
	a.matrix(step)
	a.matrix(r.velocity.Weight)
	a.matrix(moved)
	a.matrix(data.hidden)
	a.matrix(data.visible)
	a.ints(data.rows())
	a.floats(dataRate)
	a.matrix(model.hidden)
	a.matrix(model.visible)
	a.ints(model.rows())
	a.floats(modelRate)
	a.ints(w.rows, w.cols)
	a.floats(r.rule.Momentum, r.decay())
	r.launch("learn_weights", kernels.ProductBlocks(int64(w.rows), int64(w.cols)), a, w.called("weight"), data.visible.called("data"), model.visible.called("model"))
	if limit > 0 {
		r.learnLimited(step, limit)
	}
}

// learnLimited limits the step, and makes it.
func (r *lesson) learnLimited(step *matrix, limit float32) {
	w := r.value.Weight
	var a arguments
	a.matrix(step)
	a.matrix(r.velocity.Weight)
	a.matrix(w)
	a.ints(w.rows, w.cols)
	a.floats(limit, r.rule.Momentum, r.decay())
	r.launch("learn_limited", rowBlocks(w), a, w.called("weight"))
}

// learnUncentered takes from the biases what the step of the weights, made around
// center and activity, means for them, and makes their steps.
func (r *lesson) learnUncentered(step *matrix, s shift) {
	v, p := r.velocity, r.value
	var a arguments
	a.matrix(p.Bias)
	a.matrix(v.Bias)
	a.matrix(s.activity)
	a.matrix(p.VisibleBias)
	a.matrix(v.VisibleBias)
	a.matrix(s.center)
	a.matrix(step)
	a.ints(step.rows, step.cols)
	r.launch("learn_uncentered", r.biasBlocks(), a, p.Bias.called("bias"), p.VisibleBias.called("visible bias"), step.called("step"))
}
