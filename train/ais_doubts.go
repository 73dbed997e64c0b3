package train

import (
	"fmt"
	"math"
)

// memoryPairs is how many other chains a start is paired with, for the deviation.
const memoryPairs = 20

// remembered compares starts with the states that became of them, both [n, inputs], as
// [Annealing] has it.
func remembered(starts, ends []float32, inputs int) (correlation, deviation float64) {
	n := len(ends) / inputs
	x, y := centred(starts, inputs), centred(ends, inputs)
	size := math.Sqrt(squareSum(x) * squareSum(y))
	if size == 0 {
		return math.NaN(), math.NaN()
	}
	pairs := min(memoryPairs, n-1)
	correlations := make([]float64, pairs+1)
	inParallel(len(correlations), func(shift int) {
		sum := 0.0
		for i := range n {
			k := (i + shift) % n
			for j, v := range x[i*inputs : (i+1)*inputs] {
				sum += v * y[k*inputs+j]
			}
		}
		correlations[shift] = sum / size
	})
	squares := squareSum(correlations[1:])
	return correlations[0], math.Sqrt(squares / float64(pairs))
}

// centred is rows less their mean.
func centred(rows []float32, inputs int) []float64 {
	n := float64(len(rows) / inputs)
	means, out := make([]float64, inputs), make([]float64, len(rows))
	for i, x := range rows {
		means[i%inputs] += float64(x) / n
	}
	for i, x := range rows {
		out[i] = float64(x) - means[i%inputs]
	}
	return out
}

func squareSum(xs []float64) (sum float64) {
	for _, x := range xs {
		sum += x * x
	}
	return sum
}

// When results are in doubt, see [Annealing.Doubts].
const (
	doubtErrors     = 3    // standard errors of chance
	doubtEffective  = 0.05 // share of the runs that is effective
	doubtBracket    = 1.0  // nats between the two estimates
	doubtRemembered = 0.1  // correlation with the starts
)

// Doubts says in a sentence each what speaks against the estimates: that a few
// runs have nearly all the weight; that the forward estimate is above the reverse
// one, which are a lower and an upper bound in expectation if chains mix; that
// they are far apart; and that the chains of reverse annealing are still near the
// examples where they started. None is no proof: what no run has seen does not show.
func (a *Annealing) Doubts() (doubts []string) {
	say := func(format string, args ...any) { doubts = append(doubts, fmt.Sprintf(format, args...)) }
	f := a.ForwardEstimate()
	if runs := float64(len(a.Forward)); f.Effective < doubtEffective*runs {
		say("%.1f of %.0f runs have nearly all the weight, so the estimate is poor; more temperatures may help", f.Effective, runs)
	}
	r, ok := a.ReverseEstimate()
	if !ok {
		return doubts
	}
	chance := doubtErrors * math.Hypot(f.Deviation, r.Deviation)
	switch apart := r.LogPartition - f.LogPartition; {
	case apart < -chance:
		say("log Z is %.2f nats lower in reverse than forward, where it should be higher: the chains do not mix, as with very large weights, and the log-likelihoods of both columns may be too high", -apart)
	case apart > max(chance, doubtBracket):
		say("log Z is known no better than to %.1f nats, which forward and reverse are apart; more temperatures may help", apart)
	}
	if a.Remembered > max(doubtRemembered, doubtErrors*a.RememberedDeviation) {
		say("the chains of reverse annealing still resemble the examples where they started (correlation %.2f), so that reverse is no bound; more sweeps may help", a.Remembered)
	}
	return doubts
}
