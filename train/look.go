package train

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// NormExamples is how many examples at most, the first ones, rho is the mean norm
// of.
const NormExamples = statisticExamples

// ErrUnsuitable is wrapped by the errors of [LookAt] about data that a model can't
// be shown.
var ErrUnsuitable = errors.New("data that don't suit the model")

// unsuitable is such an error, told in its own words.
type unsuitable struct{ error }

func (unsuitable) Is(target error) bool { return target == ErrUnsuitable }

func unsuitablef(format string, args ...any) error { return unsuitable{fmt.Errorf(format, args...)} }

// Look is what some examples of a data set say about all of them, as a model sees
// them: after its preprocessing.
type Look struct {
	// Rho is the mean norm of the first Examples ones, [NormExamples] at most: what
	// a model that is trained on the set keeps as [network.Network.Radius].
	Rho      float64
	Examples int
	// Low, High, Mean and Variance are those of the numbers of 1000 examples at most,
	// evenly spaced.
	Low, High      float32
	Mean, Variance float64
	// Warnings say why the data are probably not what was meant, a sentence without
	// a full stop each.
	Warnings []string

	name string // of the set
}

// Grey is true of data from 0 to 1 with numbers between the two: of states 0 and 1 the
// mean square is the mean.
func (l Look) Grey() bool {
	return l.Low >= 0 && l.High <= 1 && l.Mean-(l.Variance+l.Mean*l.Mean) > smallestGrey
}

// The bounds of what LookAt takes without a word.
const (
	// usualRatio is how far the mean norm of data may lie from that of the data that
	// a model was trained on: other data of the same kind stay within a third, and
	// a forgotten factor of 16, 100 or 255 does not.
	usualRatio = 2
	// rounding is what preprocessing may add to a number that should be at most 1.
	rounding = 1e-3
	// smallestGrey is of the mean of x(1 - x): one number of a hundred thousand that is
	// half, and more than what rounding leaves of a sum.
	smallestGrey = 2.5e-6
)

// LookAt finds out whether data suit a model, whatever they are for: looking,
// measuring or fine-tuning. n may be nil where no model is there yet.
//
// Refused, by an error that wraps [ErrUnsuitable], are examples with another number
// of components than the model has inputs; numbers outside 0 to 1 for Bernoulli
// inputs; for Gaussian ones a scale that training would refuse
// ([Options.CheckScale]) if it is not that of the model's own data either; and
// examples that are all 0. A model of kind mlp may take any numbers.
//
// Warned of are a mean norm that is less than half of the model's rho or more than
// twice that, for Gaussian inputs of a model without rho a mean and a variance that
// training would warn of, pictures of another shape, and examples that are all
// the same.
func LookAt(n *network.Network, set dataset.Set) (Look, error) {
	info, seen := set.Info(), set
	l := Look{Examples: min(set.Len(), NormExamples), name: info.Name}
	if n != nil {
		if inputs := n.Sizes()[0]; info.Size() != inputs {
			return l, unsuitablef("the examples of %s have %s, the model's inputs %d", info.Name, words.Count(info.Size(), "component"), inputs)
		}
		seen = seenBy{set, n}
	}
	if l.Examples == 0 {
		return l, unsuitablef("%s has no examples", info.Name)
	}
	var err error
	if l.Rho, err = dataset.MeanNorm(seen, NormExamples); err != nil {
		return l, err
	}
	same, err := l.measure(seen)
	switch {
	case err != nil:
		return l, err
	case l.Rho == 0 && l.Low == 0 && l.High == 0:
		return l, unsuitablef("the examples of %s are all 0%s: there is nothing to see", info.Name, afterPreprocessing(n))
	case same && set.Len() > 1:
		l.warn("the examples of %s are all the same%s: nothing tells one from another", info.Name, afterPreprocessing(n))
	}
	if n == nil {
		return l, nil
	}
	l.checkShape(n, info)
	if err := l.checkRange(n, info); err != nil {
		return l, err
	}
	return l, l.checkNorm(n)
}

func (l *Look) warn(format string, args ...any) {
	l.Warnings = append(l.Warnings, fmt.Sprintf(format, args...))
}

// afterPreprocessing says that it was looked at data as a model sees them.
func afterPreprocessing(n *network.Network) string {
	if n == nil || n.Mean == nil && n.Scale == nil {
		return ""
	}
	return " after the model's preprocessing"
}

// lookedFloats is about how many numbers are looked at together.
const lookedFloats = 1 << 20

// measure finds Low, High, Mean and Variance, and whether all examples are the same.
func (l *Look) measure(seen dataset.Set) (same bool, err error) {
	size, indices := seen.Info().Size(), dataset.Spread(seen.Len(), scaleExamples)
	// Deviations from the first number lose nothing where all are far from 0.
	var first []float32
	var sum, squares float64
	same = true
	count := float64(len(indices)) * float64(size)
	err = feed.Some(seen, indices, max(1, lookedFloats/size), func(p feed.Part) error {
		if first == nil {
			first = slices.Clone(p.Examples[:size])
			l.Low, l.High = first[0], first[0]
		}
		for i, x := range p.Examples {
			d := float64(x) - float64(first[0])
			sum, squares = sum+d, squares+d*d
			l.Low, l.High = min(l.Low, x), max(l.High, x)
			same = same && x == first[i%size]
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	l.Mean, l.Variance = float64(first[0])+sum/count, max(0, squares/count-sum/count*sum/count)
	return same, nil
}

// checkShape warns of pictures whose rows are not the model's. A list of numbers
// may be a picture of any shape.
func (l *Look) checkShape(n *network.Network, info dataset.Info) {
	sides := func(shape []int) []int {
		return slices.DeleteFunc(slices.Clone(shape), func(side int) bool { return side == 1 })
	}
	data, model := sides(info.Shape), sides(n.InputShape)
	if len(data) > 1 && len(model) > 1 && !slices.Equal(data, model) {
		l.warn("the examples of %s have shape %v, the model's inputs %v: as many numbers in another arrangement", info.Name, info.Shape, n.InputShape)
	}
}

// checkRange looks whether numbers lie between 0 and 1 where a model takes such.
func (l *Look) checkRange(n *network.Network, info dataset.Info) error {
	if n.Kind == network.MLP || n.Visible != engine.Bernoulli {
		return nil
	}
	if text := afterPreprocessing(n); text != "" {
		if l.Low < -rounding || l.High > 1+rounding {
			l.warn("the model's Bernoulli inputs lie between 0 and 1, those of %s%s between %.3g and %.3g", info.Name, text, l.Low, l.High)
		}
		return nil
	}
	if info.Low >= 0 && info.High <= 1 {
		return nil
	}
	return unsuitablef("the model's Bernoulli inputs lie between 0 and 1, those of %s between %g and %g; %sbring them to the scale of the data that it was trained on", info.Name, info.Low, info.High, otherwise(info))
}

// checkNorm looks whether data are on the scale of those that a model was trained on.
func (l *Look) checkNorm(n *network.Network) error {
	strange := n.Visible == engine.Gaussian && !unitVariance(l.Mean, l.Variance, usualVariance, usualMean)
	scale := fmt.Sprintf("the numbers of %s%s have mean %.3g and variance %.3g, and the model's Gaussian inputs are taken to have 0 and 1", l.name, afterPreprocessing(n), l.Mean, l.Variance)
	switch {
	case n.Radius == 0 && strange:
		l.warn("%s", scale)
	case n.Radius == 0 || ratio(l.Rho, n.Radius) <= usualRatio:
	case strange && !unitVariance(l.Mean, l.Variance, wildVariance, wildMean):
		return unsuitablef("%s; bring them to the scale of the data that it was trained on, whose mean norm is %.3g where theirs is %.3g", scale, n.Radius, l.Rho)
	default:
		l.warn("the examples of %s%s have mean norm %.3g, those that the model was trained on %.3g: they are probably on another scale", l.name, afterPreprocessing(n), l.Rho, n.Radius)
	}
	return nil
}

// Against warns, "" for no need, of data that are on another scale than those they
// belong with: the examples that a classifier is tested on, beside those it learns
// from.
func (l Look) Against(of Look) (warning string) {
	if ratio(l.Rho, of.Rho) <= usualRatio {
		return ""
	}
	return fmt.Sprintf("the examples of %s have mean norm %.3g, those of %s %.3g: they are probably on different scales", l.name, l.Rho, of.name, of.Rho)
}

// ratio is by which factor two numbers above 0 differ.
func ratio(a, b float64) float64 { return max(a/b, b/a) }

// unitVariance is true for a variance within a factor, and a mean within a bound,
// of 1 and 0.
func unitVariance(mean, variance, factor, bound float64) bool {
	return variance >= 1/factor && variance <= factor && math.Abs(mean) <= bound
}

// seenBy is a data set as a model sees it.
type seenBy struct {
	dataset.Set
	model *network.Network
}

// Read reads examples and puts them through the model's preprocessing.
func (s seenBy) Read(dst []float32, indices []int) error {
	if err := s.Set.Read(dst, indices); err != nil {
		return err
	}
	return s.model.Preprocess(dst)
}
