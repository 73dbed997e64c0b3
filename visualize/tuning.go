package visualize

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
)

// TuningBins is how many bins the histogram of a unit has.
const TuningBins = 64

// TuningOptions says of which units to find out what they do over a data set.
type TuningOptions struct {
	Layer int   // 1 is the first hidden layer
	Units []int // 0-based, each at most once, in the order of the results; see [ParseUnits]
	// Before looks at activations, before the nonlinearity; else at what units put out.
	// Of class units both are the same.
	Before bool
	// ChunkRows is how many examples are on the device at a time; 0 works it out from
	// the device's free memory. It changes no result.
	ChunkRows int
}

// TuningResult is what U units do over the examples of a data set of C classes: what they
// put out, or their activations, here called numbers.
type TuningResult struct {
	Layer    int
	Before   bool // the numbers are activations
	Examples int
	Percents []int // those of [UnitTuning.Quantiles]
	// Classes [C] are the labels that there are, in ascending order; empty without
	// labels. Names [C] are what they are called, nil where they have no names, and
	// ClassExamples [C] how many there are of each.
	Classes       []int
	Names         []string
	ClassExamples []int
	Units         []UnitTuning // [U]

	nonlinearity engine.Activation
}

// UnitTuning is what one unit does over a data set.
type UnitTuning struct {
	Unit                            int
	Mean, Deviation, Least, Largest float64
	// On is the share of examples at which the unit is on: its activation is above 0.
	// That of a sigmoid is above 1/2 then.
	On float64
	// Edges [TuningBins+1] are those of bins of equal width, at multiples of it, and
	// Counts [TuningBins] the examples in them; the last one has its upper edge, too. They
	// reach over what the nonlinearity can put out if that has two ends, as a
	// sigmoid's, else over the unit's own numbers. A unit that is constant has all
	// in the first.
	Edges  []float64
	Counts []int
	// Quantiles are the numbers that so many percent of the examples are at or below,
	// to a 4000th of the range of the histogram, and exactly where they are the least or
	// the largest number.
	Quantiles []float64
	// ClassMean [C] is the mean over the examples of each class: the unit's tuning.
	ClassMean []float64
	// BestClass is the place of the class with the largest mean, -1 without classes and
	// for a unit that is constant.
	BestClass int
	// ClassSelectivity is (a - b)/(a + b), a the mean of the best class and b that of
	// the means of the others (Morcos et al., On the importance of single directions for
	// generalization, 2018): 0 for a unit that answers to all alike, 1 for one that
	// answers to a single class. It is NaN where a mean is below 0, or all are 0, or
	// there are less than two classes.
	ClassSelectivity float64
	// Explained is the share of the variance over the examples with labels that is
	// between classes, from 0 to 1, whatever the sign and scale of the numbers; NaN
	// for a unit that is constant over them, and with less than two classes.
	Explained float64
	// Doubt is "constant", "never on" or "saturated" where that is all that the unit
	// does, else "", see [TuningResult.Warnings].
	Doubt string
}

// Tuning finds out what units of a layer do over a data set: their histograms and
// quantiles, and their mean for each class, by which one sees what they are tuned to.
//
// It goes through the data once. Memory is taken for the counts and one batch, so any
// size of data set will do. Counts are exact, and sums are in double precision
// in the order of the examples; so nothing depends on the batch, nor on what other
// units are asked for.
//
// A number that is not finite is an error (wrapping [engine.ErrNotFinite]), and so are
// no examples. progress is told how many examples have been looked at; nil if nobody
// wants to know. When ctx ends, Tuning stops after a batch and returns an error that
// wraps the context's.
func Tuning(ctx context.Context, d engine.Device, n *network.Network, set dataset.Set, o TuningOptions, progress func(done, total int)) (result *TuningResult, err error) {
	if err := o.check(n, set); err != nil {
		return nil, fmt.Errorf("tuning: %w", err)
	}
	t, err := newTuner(d, n, set, o)
	if err != nil {
		return nil, fmt.Errorf("tuning: layer %d: %w", o.Layer, err)
	}
	defer closeInto(&err, t)
	for from := 0; from < set.Len(); from += t.rows {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("tuning: layer %d: %w", o.Layer, err)
		}
		to := min(from+t.rows, set.Len())
		if err := t.look(from, to); err != nil {
			return nil, fmt.Errorf("tuning: layer %d, examples %d to %d: %w", o.Layer, from, to-1, err)
		}
		if progress != nil {
			progress(to, set.Len())
		}
	}
	return t.conclude(), nil
}

func (o TuningOptions) check(n *network.Network, set dataset.Set) error {
	if err := checkChoice(n, o.Layer, o.Units); err != nil {
		return err
	}
	if err := checkChunk(o.ChunkRows); err != nil {
		return err
	}
	if size := set.Info().Size(); size != n.Sizes()[0] {
		return fmt.Errorf("the data's examples have %s, the model's inputs %d", words.Count(size, "component"), n.Sizes()[0])
	}
	if set.Len() < 1 || set.Len() > math.MaxUint32 {
		return fmt.Errorf("%s has %s, want 1 to 2^32", set.Info().Name, words.Count(set.Len(), "example"))
	}
	return nil
}

// tuner looks through a data set for what some units of one layer do.
type tuner struct {
	*readout
	model   *network.Network
	set     dataset.Set
	options TuningOptions
	x, a    []float32 // of one batch, [rows, D] and [rows, U]
	class   []int     // of one batch, [rows]: places of labels, -1 for none
	place   map[int]int
	result  *TuningResult
	zero    []float64 // [U] what is put out at activation 0
	each    []tally   // [U]
}

// tally is what there is to know of a unit so far. Sums are of differences to its first
// number.
type tally struct {
	distribution
	first, sum, squares float64
	labelled            float64 // squares of examples with a label
	on                  int
	class               []float64 // [C] sums
}

func newTuner(d engine.Device, n *network.Network, set dataset.Set, o TuningOptions) (*tuner, error) {
	t := &tuner{model: n, set: set, options: o, place: map[int]int{}}
	t.result = &TuningResult{Layer: o.Layer, Before: o.Before, Examples: set.Len(), Percents: schema.QuantilePercents()}
	t.countClasses()
	need := float64(len(o.Units)) * (4*fineBins + 8*float64(len(t.result.Classes)))
	if err := checkResults("histograms of "+words.Count(len(o.Units), "unit"), need, "fewer units"); err != nil {
		return nil, err
	}
	rows := o.ChunkRows
	if rows == 0 {
		rows = fittingRows(d, set.Len(), rowFloats(n, o.Layer, len(o.Units)), maxChunkExamples)
	}
	rows = min(rows, set.Len())
	var err error
	if t.readout, err = newReadout(d, n, o.Layer, o.Units, rows); err != nil {
		return nil, err
	}
	t.after = !o.Before
	net := t.readout.model.Net()
	t.result.nonlinearity = net.Ops[len(net.Ops)-1].Activation
	t.each, t.zero = make([]tally, t.units), make([]float64, t.units)
	for u := range t.each {
		t.each[u].class = make([]float64, len(t.result.Classes))
		if t.after {
			h, _ := t.result.nonlinearity.At(0, u%t.result.nonlinearity.Channels())
			t.zero[u] = float64(float32(h))
		}
		if low, high, ends := t.result.ends(); ends {
			t.each[u].within(low, high)
		}
	}
	t.x, t.a, t.class = make([]float32, t.rows*t.inputs), make([]float32, t.rows*t.units), make([]int, t.rows)
	return t, nil
}

// countClasses finds out which labels there are.
func (t *tuner) countClasses() {
	count := map[int]int{}
	for i := range t.set.Len() {
		if label, ok := t.set.Label(i); ok {
			count[label]++
		}
	}
	r := t.result
	for label := range count {
		r.Classes = append(r.Classes, label)
	}
	slices.Sort(r.Classes)
	names := t.set.Info().Classes
	for place, label := range r.Classes {
		t.place[label] = place
		r.ClassExamples = append(r.ClassExamples, count[label])
		if label >= 0 && label < len(names) {
			r.Names = append(r.Names, names[label])
		}
	}
	if len(r.Names) < len(r.Classes) {
		r.Names = nil
	}
}

// look takes in examples from..to-1.
func (t *tuner) look(from, to int) error {
	x, a := t.x[:(to-from)*t.inputs], t.a[:(to-from)*t.units]
	if err := t.set.Read(x, appendRange(nil, from, to-1)); err != nil {
		return err
	}
	if err := t.model.Preprocess(x); err != nil {
		return err
	}
	_, numbers, err := t.of(x)
	if err != nil {
		return err
	}
	if err := numbers.Read(a); err != nil {
		return err
	}
	for i := range to - from {
		t.class[i] = -1
		if label, ok := t.set.Label(from + i); ok {
			t.class[i] = t.place[label]
		}
	}
	for u := range t.each {
		for i := range to - from {
			v := a[i*t.units+u]
			if v-v != 0 {
				return fmt.Errorf("what unit %d does at example %d: %w", t.options.Units[u], from+i, engine.ErrNotFinite)
			}
			t.each[u].take(float64(v), t.class[i], t.zero[u])
		}
	}
	return nil
}

// take takes in a unit's number at an example of a class, -1 for none.
func (t *tally) take(v float64, class int, zero float64) {
	if t.n == 0 {
		t.first = v
	}
	t.add(v)
	difference := v - t.first
	t.sum += difference
	t.squares += difference * difference
	if v > zero {
		t.on++
	}
	if class >= 0 {
		t.class[class] += difference
		t.labelled += difference * difference
	}
}

// conclude makes results of counts and sums.
func (t *tuner) conclude() *TuningResult {
	r := t.result
	for u := range t.each {
		d := &t.each[u]
		n := float64(d.n)
		unit := UnitTuning{
			Unit: t.options.Units[u], Mean: d.first + d.sum/n, Deviation: math.Sqrt(max(0, d.squares-d.sum*d.sum/n) / n),
			Least: d.least, Largest: d.largest, On: float64(d.on) / n, Quantiles: d.quantiles(r.Percents),
		}
		unit.Edges, unit.Counts = d.histogram(TuningBins)
		d.tune(&unit, r.ClassExamples)
		unit.Doubt = r.doubt(unit)
		r.Units = append(r.Units, unit)
	}
	return r
}

// tune fills in what a unit does for each of the classes with so many examples.
func (t *tally) tune(unit *UnitTuning, examples []int) {
	unit.BestClass, unit.ClassSelectivity, unit.Explained = -1, math.NaN(), math.NaN()
	var count, sum, between, total float64
	for c, n := range examples {
		mean := t.first + t.class[c]/float64(n)
		unit.ClassMean = append(unit.ClassMean, mean)
		if unit.BestClass < 0 || mean > unit.ClassMean[unit.BestClass] {
			unit.BestClass = c
		}
		count, sum, total = count+float64(n), sum+t.class[c], total+mean
		between += t.class[c] * t.class[c] / float64(n)
	}
	if len(examples) < 2 {
		return
	}
	best := unit.ClassMean[unit.BestClass]
	if unit.Least == unit.Largest {
		unit.BestClass = -1
	}
	others := (total - best) / float64(len(examples)-1)
	if slices.Min(unit.ClassMean) >= 0 && best > 0 {
		unit.ClassSelectivity = (best - others) / (best + others)
	}
	between, all := between-sum*sum/count, t.labelled-sum*sum/count
	// Numbers that are all the same leave the rounding of their squares.
	if all > 1e-12*t.labelled {
		unit.Explained = max(0, min(1, between/all))
	}
}
