package train

import (
	"math"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// rarest is the smallest mean of a Bernoulli input that its first bias
// believes; an input that is always off would get a bias of minus infinity.
const rarest = 0.001

// startBiases is where biases start, and what an RBM keeps of its data. Those of
// a denoising auto-encoder with Bernoulli inputs start at 0.
func (l *layerRun) startBiases(c *Checkpoint) error {
	if l.options.Kind == network.SDAE && l.options.visible(l.layer) == engine.Bernoulli {
		return nil
	}
	mean, err := l.inputMeans()
	if err != nil {
		return err
	}
	initial := &c.layers[l.layer-1]
	visibleBias := l.visibleBias(mean)
	if initial.VisibleBias, err = dense.Of(visibleBias, len(visibleBias)); err != nil {
		return err
	}
	weight, err := dense.Data(initial.Weight)
	if err != nil {
		return err
	}
	bias := l.hiddenBias(weight, visibleBias)
	if initial.Bias, err = dense.Of(bias, len(bias)); err != nil {
		return err
	}
	if l.options.tracks(l.layer) {
		activity := firstActivity(weight, bias, mean)
		if c.activity, err = dense.Of(activity, len(activity)); err != nil {
			return err
		}
	}
	if l.options.Centered {
		c.center, err = dense.Of(mean, len(mean))
	}
	return err
}

// inputMeans is the mean of each input of the layer, over [statisticExamples]
// examples at most, evenly spaced.
func (l *layerRun) inputMeans() ([]float32, error) {
	indices := dataset.Spread(l.set.Len(), statisticExamples)
	sums := make([]float64, l.inputs(l.layer))
	rows := make([]float32, l.examples.Rows()*len(sums))
	err := l.each(l.set, 0, indices, func(x engine.Matrix, _ int) error {
		part := rows[:x.Rows()*x.Cols()]
		if err := x.Read(part); err != nil {
			return err
		}
		for i, v := range part {
			sums[i%len(sums)] += float64(v)
		}
		return nil
	})
	mean := make([]float32, len(sums))
	for j, sum := range sums {
		mean[j] = float32(sum / float64(len(indices)))
	}
	return mean, err
}

// visibleBias is where visible biases start (Hinton's guide, section 8.1):
// log(p/(1-p)) for a Bernoulli input of mean p, the mean for a Gaussian one, so
// that the weights need not learn what every example has in common.
func (l *layerRun) visibleBias(mean []float32) []float32 {
	bias := make([]float32, len(mean))
	copy(bias, mean)
	if l.options.visible(l.layer) == engine.Bernoulli {
		for j, m := range mean {
			p := min(max(float64(m), rarest), 1-rarest)
			bias[j] = float32(math.Log(p / (1 - p)))
		}
	}
	return bias
}

// firstShare is how often, about, a hidden unit with Gaussian inputs is on at
// the start.
const firstShare = 0.01

// hiddenBias is where hidden biases start. With a sparsity target t it is
// log(t/(1-t)), at which units are on as often (Hinton's guide, section 8); an
// RBM with Bernoulli inputs and no target begins at 0.
//
// With Gaussian inputs, the outputs of units that are on add up without bound:
// at bias 0 half of them are, and learning begins with undoing the noise of an
// RBM's states, or, of a denoising auto-encoder with hundreds of units, diverges
// at rates that are fine later. So biases begin where units are off until there
// is something in the data for them. p(v) of such an RBM is a mixture of
// Gaussians around c + W'h, and the one around c + W_i has exp(b_i +
// ||W_i+c||^2/2 - ||c||^2/2) times the weight of the one around c, which is set
// to [firstShare] (Melchior, Wang and Wiskott 2017).
func (l *layerRun) hiddenBias(weight, visibleBias []float32) []float32 {
	bias := make([]float32, l.options.Units[l.layer-1])
	inputs := len(visibleBias)
	for i := range bias {
		switch t := l.options.Target(l.layer); {
		case t > 0:
			bias[i] = float32(math.Log(t / (1 - t)))
		case l.options.visible(l.layer) == engine.Gaussian:
			row := weight[i*inputs : (i+1)*inputs]
			bias[i] = float32(math.Log(firstShare) - dot(row, row)/2 - dot(row, visibleBias))
		}
	}
	return bias
}

// firstActivity is p(h=1|the mean input): while weights are small, nearly the
// mean of p(h=1|v).
func firstActivity(weight, bias, mean []float32) []float32 {
	activity := make([]float32, len(bias))
	for i := range activity {
		a := float64(bias[i]) + dot(weight[i*len(mean):(i+1)*len(mean)], mean)
		activity[i] = float32(1 / (1 + math.Exp(-a)))
	}
	return activity
}

// gradientLimit is the limit of a layer, see [Options.GradientLimit].
func (t *trainer) gradientLimit(layer int) (float32, error) {
	o := t.options
	if o.GradientLimit != AutoLimit {
		return float32(o.GradientLimit), nil
	}
	if o.visible(layer) == engine.Bernoulli {
		return 0, nil
	}
	largest, err := t.largestNorm()
	return float32(0.01 * (1 - o.Momentum) * largest), err
}

// largestNorm is the largest norm of [statisticExamples] examples at most.
func (t *trainer) largestNorm() (float64, error) {
	largest := 0.0
	err := t.eachOfSample(func(x []float32) { largest = max(largest, math.Sqrt(dot(x, x))) })
	return largest, err
}

// eachOfSample visits [statisticExamples] examples at most, evenly spaced.
func (t *trainer) eachOfSample(visit func(x []float32)) error {
	size := t.set.Info().Size()
	return feed.Some(t.set, dataset.Spread(t.set.Len(), statisticExamples), t.chunk, func(p feed.Part) error {
		for i := range p.Indices {
			visit(p.Examples[i*size : (i+1)*size])
		}
		return nil
	})
}
