package visualize

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
)

// collector fills a result row by row, and never holds more patterns than the
// result keeps and those of one unit.
type collector struct {
	result *AscentResult
	inputs int

	// The numbers of the result's arrays of the same names.
	activation, start, tangent, cosine, gainLeft []float32
	penalty                                      []float32 // nil without penalties
	best, average, patterns                      []float32
	unit                                         []float32 // [R, D] of the unit in work, if not all are kept
}

func newCollector(o AscentOptions, shape []int, inputs int, rate float32) (*collector, error) {
	units, rows := len(o.Units), len(o.Units)*o.Restarts
	r := &AscentResult{
		Layer: o.Layer, Direction: o.Direction, After: o.After, Rate: shortest(rate), Radius: o.Radius, Constraint: o.Constraint, Shape: slices.Clone(shape),
		Units: slices.Clone(o.Units), Names: o.names(), Restarts: o.Restarts,
		Best: make([]int, units), Dead: make([]bool, units),
		Steps: make([]int, rows), Evaluations: make([]int, rows), Stop: make([]engine.StopReason, rows),
	}
	c := &collector{result: r, inputs: inputs}
	var err error
	array := func(data *[]float32, shape ...int) *tensor.Dense {
		if err != nil {
			return nil
		}
		var t *tensor.Dense
		if t, err = dense.New(shape...); err != nil {
			return nil
		}
		*data, err = dense.Data(t)
		return t
	}
	r.Activation, r.StartActivation = array(&c.activation, units, o.Restarts), array(&c.start, units, o.Restarts)
	r.Tangent, r.Cosine = array(&c.tangent, units, o.Restarts), array(&c.cosine, units, o.Restarts)
	r.GainLeft = array(&c.gainLeft, units, o.Restarts)
	if o.penalised() {
		r.Penalty = array(&c.penalty, units, o.Restarts)
	}
	r.BestPatterns, r.Average = array(&c.best, units, inputs), array(&c.average, units, inputs)
	if o.KeepAll {
		r.Patterns = array(&c.patterns, units, o.Restarts, inputs)
	} else {
		c.unit = make([]float32, o.Restarts*inputs)
	}
	if err != nil {
		return nil, fmt.Errorf("ascent: results of %s with %s: %w", words.Count(units, "unit"), words.Count(o.Restarts, "restart"), err)
	}
	return c, nil
}

// shortest is the float64 with the fewest digits that is x as a float32: 0.1
// instead of 0.10000000149.
func shortest(x float32) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(float64(x), 'g', -1, 32), 64)
	if err != nil {
		return float64(x)
	}
	return y
}

// store takes in row i; rows come in order.
func (c *collector) store(i int, row finished) {
	unit, restart := i/c.result.Restarts, i%c.result.Restarts
	c.activation[i], c.start[i], c.tangent[i], c.gainLeft[i] = row.activation, row.start, row.tangent, row.gainLeft
	c.result.Steps[i], c.result.Evaluations[i], c.result.Stop[i] = row.steps, row.evaluations, row.stop
	if c.penalty != nil {
		c.penalty[i] = row.penalty
	}
	patterns := c.unit
	if c.patterns != nil {
		size := c.result.Restarts * c.inputs
		patterns = c.patterns[unit*size : (unit+1)*size]
	}
	copy(c.pattern(patterns, restart), row.pattern)
	if restart == c.result.Restarts-1 {
		c.conclude(unit, patterns)
	}
}

// pattern is number k of patterns [_, D].
func (c *collector) pattern(patterns []float32, k int) []float32 {
	return patterns[k*c.inputs : (k+1)*c.inputs]
}

// conclude works out what needs all restarts of a unit; patterns is [R, D].
func (c *collector) conclude(unit int, patterns []float32) {
	r := c.result
	from := unit * r.Restarts
	r.Best[unit], r.Dead[unit] = c.judge(unit)
	pattern := c.pattern(patterns, r.Best[unit])
	copy(c.pattern(c.best, unit), pattern)
	sum := make([]float64, c.inputs)
	for k := range r.Restarts {
		p := c.pattern(patterns, k)
		c.cosine[from+k] = cosine(p, pattern)
		for j, x := range p {
			sum[j] += float64(x)
		}
	}
	average := c.pattern(c.average, unit)
	for j, s := range sum {
		average[j] = float32(s / float64(r.Restarts))
	}
}

// judge returns the best restart of a unit, and whether all of them found nothing.
func (c *collector) judge(unit int) (best int, dead bool) {
	r := c.result
	from, to := unit*r.Restarts, (unit+1)*r.Restarts
	best, dead = from, true
	for i := from; i < to; i++ {
		gain := (c.activation[i] - c.activation[best]) * float32(r.Direction)
		if c.penalty != nil {
			gain -= c.penalty[i] - c.penalty[best]
		}
		if gain > 0 {
			best = i
		}
		dead = dead && c.foundNothing(i)
	}
	return best - from, dead
}

// foundNothing is true if the gradient of row i vanished, or promised nothing, before it
// gained anything.
func (c *collector) foundNothing(i int) bool {
	a, start, stop := float64(c.activation[i]), float64(c.start[i]), c.result.Stop[i]
	return (stop == engine.StopVanished || stop == engine.StopFlat) && math.Abs(a-start) <= DeadGain*max(1, math.Abs(a))
}

// cosine is of the angle between two vectors, 0 if one of them is 0.
func cosine(a, b []float32) float32 {
	var ab, aa, bb float64
	for i, x := range a {
		x, y := float64(x), float64(b[i])
		ab += x * y
		aa += x * x
		bb += y * y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return float32(ab / math.Sqrt(aa*bb))
}
