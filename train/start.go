package train

import (
	"math"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
)

// rarest is the smallest mean of a Bernoulli input that its first bias
// believes; an input that is always off would get a bias of minus infinity.
const rarest = 0.001

// visibleBias is where an RBM's visible biases start (Hinton's guide, section
// 8.1): log(p/(1-p)) for a Bernoulli input of mean p, the mean for a Gaussian
// one, so that the weights need not learn what every example has in common. The
// mean is over [statisticExamples] examples at most, evenly spaced.
func (l *layerRun) visibleBias() (*tensor.Dense, error) {
	indices := spread(l.set.Len(), statisticExamples)
	sums := make([]float64, l.inputs(l.layer))
	var rows []float32
	err := l.each(l.set, indices, func(x engine.Matrix, _ int) error {
		rows = resize(rows, x.Rows()*x.Cols())
		if err := x.Read(rows); err != nil {
			return err
		}
		for i, v := range rows {
			sums[i%len(sums)] += float64(v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	bias := make([]float32, len(sums))
	for j, sum := range sums {
		mean := sum / float64(len(indices))
		if l.options.visible(l.layer) == engine.Bernoulli {
			p := min(max(mean, rarest), 1-rarest)
			mean = math.Log(p / (1 - p))
		}
		bias[j] = float32(mean)
	}
	return dense.Of(bias, len(bias))
}
