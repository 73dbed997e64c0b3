package visualize

import (
	"maps"
	"math"
	"slices"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
)

const (
	scannedUnits = 256 // units looked at for those with a gradient
	// The rates tried are 2^exponent. A rate is a share of the radius and is
	// halved where it proves too large (engine.Rule), so the same few serve
	// every network: from a slow creep up to all the way to the gradient, which
	// is the optimum of a first layer.
	firstExponent, lastExponent, exponentStep = -6, 6, 2
	triedRows, triedSteps                     = 24, 600
	// Rates whose score is this close to the best one's count as equally good;
	// of these, those whose tangent is this close to the smallest one; and of
	// these the smallest wins that needs no more than enoughSteps times the
	// fewest steps.
	scoreMargin   = 0.01
	tangentMargin = 0.02
	enoughSteps   = 1.5
)

// deadRate is the rate of a layer whose units can't be climbed at any.
const deadRate = 0.25

// findRate finds a step size for the layer; see [Ascend].
func (a *layerAscent) findRate() (float32, error) {
	// The rate must not depend on how long or on what the caller climbs.
	silent := *a
	silent.progress = nil
	defaults := DefaultAscent()
	silent.options.Tolerance, silent.options.Patience = defaults.Tolerance, defaults.Patience
	alive, err := silent.alive()
	if err != nil || len(alive) == 0 {
		return deadRate, err
	}
	s := search{ascent: &silent, alive: alive}
	s.begin(triedRows, triedSteps)
	for e := firstExponent; e <= lastExponent; e += exponentStep {
		if err := s.try(e); err != nil {
			return 0, err
		}
	}
	return rate(s.pick()), nil
}

func rate(exponent int) float32 { return float32(math.Ldexp(1, exponent)) }

// alive returns units, spread evenly over the layer, whose gradient has not
// vanished at their first start.
func (a *layerAscent) alive() (units []int, err error) {
	candidates := dataset.Spread(a.units(), scannedUnits)
	a.options.MaxSteps = 0
	err = a.ascend(a.rule(deadRate), a.rowsOf(candidates, 1), func(i int, row finished) {
		if row.stop != engine.StopVanished {
			units = append(units, candidates[i])
		}
	})
	return units, err
}

// search tries rates 2^exponent on a few rows.
type search struct {
	ascent *layerAscent
	alive  []int
	rows   rows
	tried  map[int]probe // by exponent
}

// probe is how the rows fared with one rate.
type probe struct {
	gain    []float64 // [rows] of activation, in the direction of the climb
	tangent float64   // mean over the rows, 0 if all are at a first-order optimum
	steps   int       // of all rows
}

// begin starts anew with so many rows, of as many units as there are.
func (s *search) begin(count, steps int) {
	var units []int
	for _, k := range dataset.Spread(len(s.alive), count) {
		units = append(units, s.alive[k])
	}
	s.rows = s.ascent.rowsOf(units, (count+len(units)-1)/len(units))
	s.ascent.options.MaxSteps = steps
	s.tried = map[int]probe{}
}

// try climbs with one rate.
func (s *search) try(exponent int) error {
	p := probe{gain: make([]float64, s.rows.n)}
	direction := float64(s.ascent.options.Direction)
	err := s.ascent.ascend(s.ascent.rule(rate(exponent)), s.rows, func(i int, row finished) {
		p.gain[i] = direction * (float64(row.activation) - float64(row.start))
		p.tangent += float64(row.tangent) / float64(s.rows.n)
		p.steps += row.steps
	})
	s.tried[exponent] = p
	return err
}

// pick returns the exponent of the best rate tried so far. A rate's score is
// the mean over the rows of their gain, as a share of the largest gain that any
// rate gave this row: units with large weights count no more than others.
func (s *search) pick() int {
	largest := make([]float64, s.rows.n)
	for _, p := range s.tried {
		for i, g := range p.gain {
			largest[i] = max(largest[i], g)
		}
	}
	good := slices.Sorted(maps.Keys(s.tried))
	good = lowest(good, scoreMargin, func(e int) float64 { return -score(s.tried[e].gain, largest) })
	good = lowest(good, tangentMargin, func(e int) float64 { return s.tried[e].tangent })
	return lowest(good, math.Log(enoughSteps), func(e int) float64 { return math.Log(float64(1 + s.tried[e].steps)) })[0]
}

// lowest keeps the exponents whose cost is within a margin of the lowest cost.
func lowest(exponents []int, margin float64, cost func(exponent int) float64) []int {
	limit := math.Inf(1)
	for _, e := range exponents {
		limit = min(limit, cost(e)+margin)
	}
	var kept []int
	for _, e := range exponents {
		if cost(e) <= limit {
			kept = append(kept, e)
		}
	}
	return kept
}

func score(gain, largest []float64) float64 {
	sum := 0.0
	for i, g := range gain {
		if share := g / largest[i]; share-share == 0 {
			sum += share
		}
	}
	return sum / float64(len(gain))
}
