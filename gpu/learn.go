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
	c := callLearnBiases(learnBiasesArguments{
		hiddenBias: p.Bias.at(), hiddenVelocity: v.Bias.at(), dataHidden: data.hidden.at(), modelHidden: model.hidden.at(), q: s.activity.at(),
		visibleBias: p.VisibleBias.at(), visibleVelocity: v.VisibleBias.at(), dataVisible: data.visible.at(), centered: centered.at(), modelVisible: model.visible.at(), center: s.center.at(),
		hidden: p.Bias.cols, visible: p.VisibleBias.cols, dataRows: data.rows(), modelRows: model.rows(),
		rate: rate, momentum: r.rule.Momentum, share: engine.ActivityShare, keep: 1 - engine.ActivityShare, cost: s.cost, push: s.push,
	})
	r.launch(c, r.biasBlocks(), p.Bias.called("bias"), p.VisibleBias.called("visible bias"), data.visible.called("data"), model.visible.called("model"))
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
	c := callLearnWeights(learnWeightsArguments{
		step: step.at(), velocity: r.velocity.Weight.at(), weight: moved.at(),
		dataHidden: data.hidden.at(), dataVisible: data.visible.at(), dataRows: data.rows(), dataRate: dataRate,
		modelHidden: model.hidden.at(), modelVisible: model.visible.at(), modelRows: model.rows(), modelRate: modelRate,
		hidden: w.rows, visible: w.cols, momentum: r.rule.Momentum, decay: r.decay(),
	})
	r.launch(c, kernels.ProductBlocks(int64(w.rows), int64(w.cols)), w.called("weight"), data.visible.called("data"), model.visible.called("model"))
	if limit > 0 {
		r.learnLimited(step, limit)
	}
}

// learnLimited limits the step, and makes it.
func (r *lesson) learnLimited(step *matrix, limit float32) {
	w := r.value.Weight
	c := callLearnLimited(learnLimitedArguments{
		step: step.at(), velocity: r.velocity.Weight.at(), weight: w.at(), hidden: w.rows, visible: w.cols,
		limit: limit, momentum: r.rule.Momentum, decay: r.decay(),
	})
	r.launch(c, rowBlocks(w), w.called("weight"))
}

// learnUncentered takes from the biases what the step of the weights, made around
// center and activity, means for them, and makes their steps.
func (r *lesson) learnUncentered(step *matrix, s shift) {
	v, p := r.velocity, r.value
	c := callLearnUncentered(learnUncenteredArguments{
		hiddenBias: p.Bias.at(), hiddenVelocity: v.Bias.at(), q: s.activity.at(),
		visibleBias: p.VisibleBias.at(), visibleVelocity: v.VisibleBias.at(), center: s.center.at(),
		step: step.at(), hidden: step.rows, visible: step.cols,
	})
	r.launch(c, r.biasBlocks(), p.Bias.called("bias"), p.VisibleBias.called("visible bias"), step.called("step"))
}
