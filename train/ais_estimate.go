package train

import (
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// Estimate is an estimate of log Z from the log weights of M runs, with its
// error. All intervals only know what the runs have seen: if every run misses a
// mode of the model, so do they.
type Estimate struct {
	LogPartition float64
	// Low and High are three standard deviations away, as in the paper: the logs
	// of the mean weight less and plus three of its deviations. Low is -Inf if that
	// is not positive, where a few runs have nearly all the weight. For a reverse
	// estimate they are the mean less and plus three of its deviations.
	Low, High float64
	// BootstrapLow and BootstrapHigh hold 95 % of the estimates from runs drawn
	// again from these, with replacement.
	BootstrapLow, BootstrapHigh float64
	// Deviation is the standard deviation of LogPartition, forward by the delta
	// method: that of the mean weight over the mean weight.
	Deviation float64
	// Effective is the effective number of runs, (sum w)^2 / sum w^2, between 1
	// and M; of a reverse estimate, which has no weights, M.
	Effective float64
}

// ForwardEstimate is the estimate of log Z by the runs from the base to the
// model, log Z_base plus the log of their mean weight: in expectation a lower
// bound, since the weights are unbiased and the log is concave.
func (a *Annealing) ForwardEstimate() Estimate {
	// Relative to the largest, weights neither overflow nor all vanish.
	largest := slices.Max(a.Forward)
	offset := a.LogBase + largest
	weights := make([]float64, len(a.Forward))
	squares := 0.0
	for i, l := range a.Forward {
		weights[i] = math.Exp(l - largest)
		squares += weights[i] * weights[i]
	}
	average, deviation := mean(weights), deviationOfMean(weights)
	sum := average * float64(len(weights))
	low, high := bootstrap(weights, a.seed, forward)
	return Estimate{
		LogPartition:  offset + math.Log(average),
		Low:           offset + math.Log(max(average-3*deviation, 0)),
		High:          offset + math.Log(average+3*deviation),
		BootstrapLow:  offset + math.Log(low),
		BootstrapHigh: offset + math.Log(high),
		Deviation:     deviation / average,
		Effective:     sum * sum / squares,
	}
}

// ReverseEstimate is the estimate of log Z by the runs from the model to the
// base, log Z_base less the mean of their log weights: in expectation an upper
// bound, if the chains had reached the model's distribution before, so that the
// two estimates are a bracket, up to chance. If they had not, it may as well be
// too low, see [Annealing.Doubts]. If the chains have not left the
// examples where they started, then less it the mean -F of those examples is
// instead, in expectation, too low an estimate of their log-likelihood in the
// distribution that the forward runs end in (Burda, Grosse and Salakhutdinov,
// "Accurate and Conservative Estimates of MRF Log-likelihood using Reverse
// Annealing", 2015), which is nearly the model's with enough temperatures. ok is
// false if there were no reverse runs.
//
// It is the mean of the logs, not the log of the mean weight: with chains that
// mix badly, the latter is ruled by a few of them and no bound.
func (a *Annealing) ReverseEstimate() (e Estimate, ok bool) {
	if a.Reverse == nil {
		return e, false
	}
	average, deviation := mean(a.Reverse), deviationOfMean(a.Reverse)
	low, high := bootstrap(a.Reverse, a.seed, reverse)
	return Estimate{
		LogPartition:  a.LogBase - average,
		Low:           a.LogBase - average - 3*deviation,
		High:          a.LogBase - average + 3*deviation,
		BootstrapLow:  a.LogBase - high,
		BootstrapHigh: a.LogBase - low,
		Deviation:     deviation,
		Effective:     float64(len(a.Reverse)),
	}, true
}

// bootstrap returns the 2.5 and 97.5 % quantiles of the mean of xs drawn again
// with replacement.
func bootstrap(xs []float64, seed uint64, direction int) (low, high float64) {
	const resamples, beyond = 1000, 25 // on each side
	means := make([]float64, resamples)
	inParallel(resamples, func(i int) {
		source := engine.NewSource(seed, engine.PurposeLikelihood, bootstrapStep, engine.RowKey(0, direction, i))
		sum := 0.0
		for range xs {
			sum += xs[source.IntN(len(xs))]
		}
		means[i] = sum / float64(len(xs))
	})
	slices.Sort(means)
	return means[beyond], means[resamples-1-beyond]
}

// The steps of PurposeLikelihood keep its uses apart; each set of examples has
// one of its own after them.
const (
	bootstrapStep = iota
	startStep
	flipStep
)
