package visualize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// momentExamples is how many examples go into one product of float32; such products
// are added in float64. It is part of the result: another number gives other bits.
const momentExamples = 1 << 8

// DataMeansOptions says of which units to take means over the data.
type DataMeansOptions struct {
	Layer int   // 1 is the first hidden layer
	Units []int // 0-based, each at most once, in the order of the results
}

// DataMeans is what a unit stands for by the data, with nothing drawn: the mean of the
// examples, each as much as it is likely to turn the unit on.
type DataMeans struct {
	Layer    int
	Shape    []int // of one mean, as the model's input; nil if it has none
	Units    []int // [U]
	Examples int
	// FreeMean [D] is the mean of all examples, as the model takes them.
	FreeMean *tensor.Dense
	// Mean [U, D] is sum x p(h_i = 1 | x) / sum p(h_i = 1 | x) over the examples x.
	// Above the first layer, p is by the mean activations of the layers below.
	Mean *tensor.Dense
	// Probability [U] is the mean of p(h_i = 1 | x).
	Probability []float64
}

// MeansOfData computes the means of examples that units stand for, to hold samples
// against: where the likelihood of an RBM is at its optimum, E[v h_i] is the same under
// the model and over the data (their difference is its gradient), so that the mean of a
// unit's samples, less that of free ones, is the mean of its examples, less that of all.
//
// Examples are streamed, and how many of them the device takes at a time changes no
// bit. progress is told how many have been looked at; nil if nobody wants to know.
// When ctx ends, it stops after a batch and returns an error that wraps the context's.
func MeansOfData(ctx context.Context, d engine.Device, n *network.Network, set dataset.Set, o DataMeansOptions, progress func(done, total int)) (result *DataMeans, err error) {
	if err := o.check(n, set); err != nil {
		return nil, fmt.Errorf("means of data: %w", err)
	}
	s, err := newMoments(d, n, set, o)
	if err != nil {
		return nil, fmt.Errorf("means of data: layer %d: %w", o.Layer, err)
	}
	defer closeInto(&err, s)
	for from := 0; from < set.Len(); from += momentExamples {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("means of data: layer %d: %w", o.Layer, err)
		}
		to := min(from+momentExamples, set.Len())
		if err := s.look(from, to); err != nil {
			return nil, fmt.Errorf("means of data: layer %d, examples %d to %d: %w", o.Layer, from, to-1, err)
		}
		if progress != nil {
			progress(to, set.Len())
		}
	}
	if result, err = s.conclude(); err != nil {
		return nil, fmt.Errorf("means of data: layer %d: %w", o.Layer, err)
	}
	return result, nil
}

func (o DataMeansOptions) check(n *network.Network, set dataset.Set) error {
	if err := checkChoice(n, o.Layer, o.Units); err != nil {
		return err
	}
	if err := n.CheckGenerative(o.Layer); err != nil {
		return err
	}
	if size := set.Info().Size(); size != n.Sizes()[0] {
		return fmt.Errorf("the data's examples have %s, the model's inputs %d", words.Count(size, "component"), n.Sizes()[0])
	}
	if set.Len() == 0 {
		return errors.New("there are no examples")
	}
	need := 16 * float64(len(o.Units)+1) * float64(n.Sizes()[0])
	return checkResults(fmt.Sprintf("the means of examples for %s", words.Count(len(o.Units), "unit")), need, "fewer units")
}

// moments adds up examples for each of some units.
type moments struct {
	*readout
	model    *network.Network
	set      dataset.Set
	options  DataMeansOptions
	x, p     []float32     // a batch, [momentExamples, D] and [momentExamples, U]
	sum      []float32     // a batch's product [U, D]
	examples engine.Matrix // [momentExamples, D]
	on       engine.Matrix // [momentExamples, U] probabilities
	product  engine.Matrix // [U, D]
	weighted []float64     // [U, D] sum of x p
	total    []float64     // [U] sum of p
	all      []float64     // [D] sum of x
}

func newMoments(d engine.Device, n *network.Network, set dataset.Set, o DataMeansOptions) (m *moments, err error) {
	r, err := newReadout(d, n, o.Layer, o.Units, fittingRows(d, momentExamples, rowFloats(n, o.Layer, len(o.Units)), momentExamples))
	if err != nil {
		return nil, err
	}
	m = &moments{
		readout: r, model: n, set: set, options: o,
		x: make([]float32, momentExamples*r.inputs), p: make([]float32, momentExamples*r.units), sum: make([]float32, r.units*r.inputs),
		weighted: make([]float64, r.units*r.inputs), total: make([]float64, r.units), all: make([]float64, r.inputs),
	}
	if m.examples, err = m.matrices.New(d, momentExamples, r.inputs); err == nil {
		m.on, err = m.matrices.New(d, momentExamples, r.units)
	}
	if err == nil {
		m.product, err = m.matrices.New(d, r.units, r.inputs)
	}
	if err != nil {
		closeInto(&err, m)
		return nil, err
	}
	return m, nil
}

// look takes in examples from..to-1, momentExamples or the last ones.
func (s *moments) look(from, to int) error {
	x := s.x[:(to-from)*s.inputs]
	if err := s.set.Read(x, appendRange(nil, from, to-1)); err != nil {
		return err
	}
	if err := s.model.Preprocess(x); err != nil {
		return err
	}
	p, err := s.probabilities(x)
	if err != nil {
		return err
	}
	for k, v := range p {
		if v-v != 0 {
			return fmt.Errorf("the probability of unit %d at example %d: %w", s.options.Units[k%s.units], from+k/s.units, engine.ErrNotFinite)
		}
		s.total[k%s.units] += float64(v)
	}
	for k, v := range x {
		s.all[k%s.inputs] += float64(v)
	}
	return s.add(x, p)
}

// probabilities are p(h_i = 1 | x) [_, U].
func (s *moments) probabilities(x []float32) ([]float32, error) {
	p := s.p[:len(x)/s.inputs*s.units]
	for from := 0; from < len(p)/s.units; from += s.rows {
		to := min(from+s.rows, len(p)/s.units)
		_, a, err := s.of(x[from*s.inputs : to*s.inputs])
		if err != nil {
			return nil, err
		}
		if err := a.Read(p[from*s.units : to*s.units]); err != nil {
			return nil, err
		}
	}
	for k, a := range p {
		p[k] = float32(sigmoid64(float64(a)))
	}
	return p, nil
}

// add adds the product of probabilities and examples.
func (s *moments) add(x, p []float32) error {
	rows := len(x) / s.inputs
	examples, err := s.examples.Slice(0, rows)
	if err != nil {
		return err
	}
	on, err := s.on.Slice(0, rows)
	if err != nil {
		return err
	}
	if err := errors.Join(examples.Write(x), on.Write(p)); err != nil {
		return err
	}
	if err := s.device.Gemm(s.product, on, examples, engine.Multiply(true, false)); err != nil {
		return err
	}
	if err := s.product.Read(s.sum); err != nil {
		return err
	}
	for k, v := range s.sum {
		s.weighted[k] += float64(v)
	}
	return nil
}

// conclude makes means of the sums. Of a unit that is never on, it is that of all
// examples.
func (s *moments) conclude() (*DataMeans, error) {
	o, count := s.options, float64(s.set.Len())
	r := &DataMeans{
		Layer: o.Layer, Shape: slices.Clone(s.model.InputShape), Units: slices.Clone(o.Units), Examples: s.set.Len(),
		Probability: make([]float64, s.units),
	}
	free, means := make([]float32, s.inputs), make([]float32, s.units*s.inputs)
	for j, v := range s.all {
		free[j] = float32(v / count)
	}
	for u, total := range s.total {
		r.Probability[u] = total / count
		mean := means[u*s.inputs : (u+1)*s.inputs]
		copy(mean, free)
		if total == 0 {
			continue
		}
		for j := range mean {
			mean[j] = float32(s.weighted[u*s.inputs+j] / total)
		}
	}
	var errs [2]error
	r.FreeMean, errs[0] = dense.Of(free, s.inputs)
	r.Mean, errs[1] = dense.Of(means, s.units, s.inputs)
	return r, errors.Join(errs[:]...)
}

// Close gives the device's memory back.
func (s *moments) Close() error { return s.readout.Close() }

// UnitPatterns are by how much each unit's mean differs from that of all examples.
func (r *DataMeans) UnitPatterns() (Patterns, error) {
	return deviations("deviations of the data", r.Mean, r.FreeMean, r.Shape, r.Units)
}

// DeviationPatterns are by how much the mean of each unit's samples differs from that
// of free ones. Units whose mean cannot be told from the free one, see [Mixing.Chance],
// have a question mark behind their numbers.
func (r *SampleResult) DeviationPatterns() (Patterns, error) {
	p, err := deviations("deviations of samples", r.Mean, r.FreeMean, r.Shape, r.Units)
	if r.Untold() == 0 {
		return p, err
	}
	for i, m := range r.Mixing {
		name := strconv.Itoa(r.Units[i])
		if m.Chance > ToldApart {
			name += "?"
		}
		p.Names = append(p.Names, name)
	}
	return p, err
}

// Untold is how many units have a mean that cannot be told from the free one.
func (r *SampleResult) Untold() (n int) {
	for _, m := range r.Mixing {
		if m.Chance > ToldApart {
			n++
		}
	}
	return n
}

// deviations are means [U, D] less a free mean [D].
func deviations(name string, mean, free *tensor.Dense, shape, units []int) (p Patterns, err error) {
	p = Patterns{Name: name, Shape: shape, Units: units}
	from, err := dense.Data(mean)
	if err != nil {
		return p, err
	}
	less, err := dense.Data(free)
	if err != nil {
		return p, err
	}
	data := make([]float32, len(from))
	for k, v := range from {
		data[k] = v - less[k%len(less)]
	}
	p.Data, err = dense.Of(data, len(from)/len(less), len(less))
	return p, err
}

// Agreement is how well the samples of one unit show what the unit stands for by the
// data: s is the mean of its samples less that of free ones, d that of its examples less
// that of all. Both numbers are NaN where there is nothing to compare.
type Agreement struct {
	// Correlation is that of s and d over components, 1 for samples that are true.
	Correlation float64
	// Distance is ||s - d|| / ||d||, 0 for samples that are true.
	Distance float64
}

// Hold compares the samples with what the data say about the same units, unit by unit,
// and keeps both.
func (r *SampleResult) Hold(data *DataMeans) error {
	if data.Layer != r.Layer || !slices.Equal(data.Units, r.Units) {
		return fmt.Errorf("samples are of %s of layer %d, the data's means of %s of layer %d, or of other ones",
			words.Count(len(r.Units), "unit"), r.Layer, words.Count(len(data.Units), "unit"), data.Layer)
	}
	drawn, err := r.DeviationPatterns()
	if err != nil {
		return err
	}
	given, err := data.UnitPatterns()
	if err != nil {
		return err
	}
	s, err := dense.Data(drawn.Data)
	if err != nil {
		return err
	}
	d, err := patternsOf("means of data", given.Data, len(r.Units), len(s)/max(1, len(r.Units)))
	if err != nil {
		return err
	}
	r.Data, r.Agreement = data, make([]Agreement, len(r.Units))
	size := len(s) / max(1, len(r.Units))
	for u := range r.Units {
		r.Agreement[u] = agreement(s[u*size:(u+1)*size], d[u*size:(u+1)*size])
	}
	return nil
}

// MedianAgreement is in the middle of the units for which there is something to compare,
// each number by itself; NaN where there are none.
func (r *SampleResult) MedianAgreement() (correlation, distance float64) {
	var correlations, distances []float64
	for _, a := range r.Agreement {
		if !math.IsNaN(a.Correlation) {
			correlations = append(correlations, a.Correlation)
		}
		if !math.IsNaN(a.Distance) {
			distances = append(distances, a.Distance)
		}
	}
	return middle(correlations), middle(distances)
}

func agreement(sampled, data []float32) Agreement {
	s, d, away := make([]float64, len(data)), make([]float64, len(data)), make([]float64, len(data))
	for j := range data {
		s[j], d[j] = float64(sampled[j]), float64(data[j])
		away[j] = s[j] - d[j]
	}
	a := Agreement{Correlation: correlation(s, d), Distance: math.NaN()}
	if length := inner(d, d); length > 0 {
		a.Distance = math.Sqrt(inner(away, away) / length)
	}
	return a
}
