package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// ErrDiverged is wrapped by the error that ends training where a layer reconstructs
// its inputs far worse than one that has learned nothing.
var ErrDiverged = errors.New("training has diverged")

// The bounds of [Options.CheckScale].
const (
	// A model of unit variance sees its data in noise: what has a fifth of that
	// variance is drowned in it, and what has five times as much has gradients for
	// which the default rates are too large. Both can be trained on with rates
	// found by trying.
	usualVariance, usualMean = 5, 1
	// Beyond, such as the bytes 0 to 255 of pictures, no rate helps.
	wildVariance, wildMean = 100, 10
	// scaleExamples, evenly spaced, tell the scale of the data.
	scaleExamples = 1000
)

// CheckScale looks whether data suit Gaussian inputs, which a model takes to be of
// mean 0 and variance 1, over all components. A warning, "" for none, says that
// the mean of 1000 examples at most, evenly spaced, is not between -1 and 1, or
// their variance not between 1/5 and 5; beyond -10 to 10, and 1/100 to 100, data
// are refused. Bernoulli inputs are none of its business. [Train] does without it.
func (o Options) CheckScale(set dataset.Set) (warning string, err error) {
	if o.Visible != engine.Gaussian || set.Len() == 0 {
		return "", nil
	}
	indices := dataset.Spread(set.Len(), scaleExamples)
	examples := make([]float32, len(indices)*set.Info().Size())
	if err := feed.Read(set, examples, indices); err != nil {
		return "", err
	}
	mean, variance := moments(examples)
	if unitVariance(mean, variance, usualVariance, usualMean) {
		return "", nil
	}
	text := fmt.Sprintf("the numbers of %s have mean %.3g and variance %.3g, and are taken to have 0 and 1", set.Info().Name, mean, variance)
	instead := "subtract the mean of the data and divide them by their standard deviation"
	switch info := set.Info(); {
	case info.Low >= 0 && info.High <= 1:
		instead += ", or use bernoulli for numbers between 0 and 1"
	case otherwise(info) != "":
		instead = otherwise(info) + instead
	}
	if unitVariance(mean, variance, wildVariance, wildMean) {
		return text + ": the layer may learn little, or diverge; " + instead, nil
	}
	return "", words.BadOption("Visible", o.Visible, "%s; %s", text, instead)
}

// hopeless is how many times the error of a layer that has learned nothing is taken
// for divergence.
const hopeless = 10

// worst is the reconstruction error of a layer that is taken for divergence. A
// Bernoulli reconstruction stays between 0 and 1 whatever happens, so there is
// none. With Gaussian inputs, reconstruction by 0 has the error E||x||^2, and
// the noise of a reconstruction that is drawn adds 1 for each component.
func (t *trainer) worst(layer int) (float64, error) {
	if t.options.visible(layer) == engine.Bernoulli {
		return math.Inf(1), nil
	}
	sum, n := 0.0, 0
	err := t.eachOfSample(func(x []float32) {
		sum += dot(x, x)
		n++
	})
	return hopeless * (sum/float64(n) + float64(t.inputs(layer))), err
}

// checkDivergence returns an error if the reconstruction error since the last
// measurement is that of a layer that has diverged. Nothing is checkpointed then.
func (l *layerRun) checkDivergence() error {
	e := l.tally.mean()
	if !(e > l.worst) {
		return nil
	}
	p := l.progress()
	return fmt.Errorf("reconstruction error %.3g at %s, %.2g times that of a layer that has learned nothing: %w: %w", e, p.where(), hopeless*e/l.worst, ErrDiverged,
		p.tooLarge("Rates", l.options.Rate(l.layer), ", and look whether the data have mean 0 and variance 1"))
}
