package visualize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// The names of the methods, as tables and pictures show them.
const (
	MethodAscent      = "ascent"      // activation maximization, section 3
	MethodSampling    = "sampling"    // mean of samples, section 4
	MethodCombination = "combination" // linear combination of filters, section 5
	MethodExample     = "example"     // the example of the data that excites the unit most
)

// CompareOptions says what to compare. [DefaultCompare] fills in everything but
// the layer and its units.
type CompareOptions struct {
	Layer  int     // 1 is the first hidden layer
	Units  []int   // 0-based, each at most once, in the order of the results
	Radius float64 // rho, the norm that every pattern is brought to; 0 takes the model's
	// Samples [U, N, D] are those whose mean is the method "sampling", for
	// [CompareResult.Concentration]; nil if there are none.
	Samples *tensor.Dense
	// Agreement [U] is how well these samples show what units stand for by the data, see
	// [SampleResult.Hold]; nil if nobody knows.
	Agreement []Agreement
	// Resamples, Level and Seed are for intervals, as in [ModesOptions].
	Resamples int
	Level     float64
	Seed      uint64
	// ChunkRows is how many examples are on the device at a time; 0 works it
	// out from the device's free memory. It changes no result.
	ChunkRows int
}

// DefaultCompare returns intervals of 95 % from 1000 resamples, at the model's
// radius.
func DefaultCompare() CompareOptions {
	return CompareOptions{Resamples: 1000, Level: 0.95, Seed: 1}
}

// Compared is what is measured of one unit's pattern by one method, at norm rho.
// All numbers of a missing pattern are NaN, and what can't be said of one is.
type Compared struct {
	Missing bool
	// Activation is what the unit reaches, before its sigmoid.
	Activation float64
	// Percentile is the share of the data's examples, in per cent, that excite
	// the unit less; those that excite it equally count half.
	Percentile float64
	// Selective is how selective the pattern is, as [Selectivity] measures it,
	// with the largest response in each column taken over all methods.
	Selective Selective
	// Distance is the Euclidean distance to the nearest example of the data, and
	// Nearest the example's index, the lower one of equals; -1 without one.
	Distance float64
	Nearest  int
	// Reconstruction is ||x - r|| / ||x|| for the pattern x and its
	// reconstruction r: up to the unit's layer and down again, by the mean
	// activations, through the weights' transposes and the visible biases. NaN
	// for a model without them.
	Reconstruction float64
	// Cosine [M] is between this pattern and that of each method.
	Cosine []float64
	// Gradient is the cosine between the pattern and the gradient at x = 0,
	// where a first step of an ascent from a small x goes.
	Gradient float64
}

// CompareResult is what [Compare] measured of U units by M methods.
type CompareResult struct {
	Layer    int
	Radius   float64  // rho
	Shape    []int    // of one pattern, as the model's input; nil if it has none
	Units    []int    // [U]
	Methods  []string // [M]
	Examples int      // of the data
	// Patterns [U, M, D] are at norm rho, zeros where one is missing.
	Patterns *tensor.Dense
	Rows     []Compared // [U*M], unit by unit
	// DataMax [U] is the largest activation that an example has.
	DataMax []float32
	// CombinationLink [U] is the link of section 5, see [CombinationLink].
	CombinationLink []float64
	// Concentration [U] is that of the samples, see [Concentration]; nil without
	// samples.
	Concentration []float64
	// Agreement [U] is that of [CompareOptions].
	Agreement []Agreement
	// Summary [M] is the means over units of each method, with intervals from
	// units drawn again.
	Summary []MethodSummary
	// LinkOfSection5 is the mean of CombinationLink, and LinkOfSection4 the rank
	// correlation between Concentration and the cosine of the mean of the samples
	// to the pattern of the ascent: near 1 if the two methods agree for those
	// units whose samples are concentrated. NaN if there is nothing to
	// correlate.
	LinkOfSection5, LinkOfSection4 Estimate
	// PairsOfSection4 is how many units LinkOfSection4 is of.
	PairsOfSection4 int
}

// MethodSummary is means over the units that a method has a pattern for.
type MethodSummary struct {
	Units                                       int // how many
	Activation, Percentile, Distance, Dominance Estimate
	Reconstruction                              Estimate
	// RankFirst is the share of patterns that excite their own unit most of all, or as
	// much as any.
	RankFirst Estimate
	// CosineFirst is of the cosine to the pattern of the first method.
	CosineFirst Estimate
	// Saturated is how many units are, by this method, as in [SelectivitySummary].
	Saturated int
}

// MethodPatterns are the patterns of each unit by each method.
func (r *CompareResult) MethodPatterns() Patterns {
	missing := make([]bool, len(r.Rows))
	for i, row := range r.Rows {
		missing[i] = row.Missing
	}
	return Patterns{Name: "patterns", Data: r.Patterns, Shape: r.Shape, Units: r.Units, Radius: r.Radius, Missing: missing}
}

// Compare measures what the patterns of several methods have in common and how
// good they are, the objective measure that the paper says it lacks (section
// 6): every pattern is brought to norm rho, so that none is better for being
// larger. A method is patterns [U, D] in the model's input space, of any norm, under
// its name; one of zeros has no direction and is missing as well. The examples of the data go through the model's preprocessing and are
// taken at their own norms; they are streamed, so that any number will do.
//
// Percentiles, distances and what else compares with the data do not depend on
// how it is cut into chunks. Apart from Selective, a unit's numbers depend on
// no other unit. progress is told how many examples have been looked at; nil if
// nobody wants to know. When ctx ends, Compare stops after the chunk at work with
// an error that wraps the context's.
func Compare(ctx context.Context, d engine.Device, n *network.Network, set dataset.Set, methods []Patterns, o CompareOptions, progress func(done, total int)) (*CompareResult, error) {
	if err := o.check(n, set, methods); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	if o.Radius == 0 {
		o.Radius = n.Radius
	}
	c := &compareWork{ctx: ctx, device: d, model: n, set: set, options: o, inputs: n.Sizes()[0]}
	if err := c.gather(methods); err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	for _, step := range []func() error{
		c.activations, func() error { return c.stream(progress) }, c.distances, c.reconstruct, c.links,
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("compare: layer %d: %w", o.Layer, err)
		}
	}
	c.cosines()
	c.summarise()
	return c.result, nil
}

// Check returns a [words.OptionError] if an option is out of range, whatever the
// network, its layer and its units.
func (o CompareOptions) Check() error {
	if err := checkChunk(o.ChunkRows); err != nil {
		return err
	}
	return checkIntervals(o.Resamples, o.Level)
}

func (o CompareOptions) check(n *network.Network, set dataset.Set, methods []Patterns) error {
	if err := checkChoice(n, o.Layer, o.Units); err != nil {
		return err
	}
	if len(methods) == 0 {
		return errors.New("no methods")
	}
	for i, m := range methods {
		if m.Name == "" || slices.ContainsFunc(methods[:i], func(other Patterns) bool { return other.Name == m.Name }) {
			return fmt.Errorf("methods need names of their own, %q is not", m.Name)
		}
	}
	if _, err := radiusFor(n, o.Radius); err != nil {
		return err
	}
	if size := set.Info().Size(); size != n.Sizes()[0] {
		return fmt.Errorf("the data's examples have %s, the model's inputs %d", words.Count(size, "component"), n.Sizes()[0])
	}
	return o.Check()
}

// compareWork is Compare at work.
type compareWork struct {
	ctx      context.Context
	device   engine.Device
	model    *network.Network
	set      dataset.Set
	options  CompareOptions
	inputs   int
	patterns []float32 // [U, M, D]
	missing  []bool    // [U*M]
	all      []float32 // [U*M, U] the activation of each unit by each pattern
	own      []float32 // [U*M] the activation of the pattern's own unit
	result   *CompareResult
}

// gather puts all patterns together, at norm rho.
func (c *compareWork) gather(methods []Patterns) (err error) {
	o, units := c.options, len(c.options.Units)
	rows := units * len(methods)
	r := &CompareResult{
		Layer: o.Layer, Radius: o.Radius, Shape: slices.Clone(c.model.InputShape), Units: slices.Clone(o.Units),
		Examples: c.set.Len(), Rows: make([]Compared, rows), DataMax: make([]float32, units),
	}
	c.result, c.missing = r, make([]bool, rows)
	if r.Patterns, err = dense.New(units, len(methods), c.inputs); err != nil {
		return err
	}
	if c.patterns, err = dense.Data(r.Patterns); err != nil {
		return err
	}
	for m, method := range methods {
		r.Methods = append(r.Methods, method.Name)
		if err := method.Check(); err != nil {
			return fmt.Errorf("%s: %w", method.Name, err)
		}
		if method.Units != nil && !slices.Equal(method.Units, o.Units) {
			return fmt.Errorf("%s: the patterns are not of the units that are compared", method.Name)
		}
		from, err := patternsOf(method.Name, method.Data, units, c.inputs)
		if err != nil {
			return err
		}
		for u := range units {
			row := u*len(methods) + m
			x := from[u*c.inputs : (u+1)*c.inputs]
			if norm := norm64(x); norm-norm != 0 {
				return fmt.Errorf("%s: the pattern of unit %d: %w", method.Name, o.Units[u], engine.ErrNotFinite)
			} else if norm == 0 || method.IsMissing(u) {
				c.missing[row] = true
			} else {
				scaleInto(c.pattern(row), x, o.Radius/norm)
			}
		}
	}
	for row := range r.Rows {
		r.Rows[row] = Compared{
			Missing: c.missing[row], Activation: math.NaN(), Percentile: math.NaN(), Distance: math.NaN(), Nearest: -1,
			Reconstruction: math.NaN(), Gradient: math.NaN(), Selective: Selective{Own: math.NaN(), Dominance: math.NaN(), Entropy: math.NaN()},
		}
	}
	return nil
}

func scaleInto(dst, x []float32, factor float64) {
	for j, v := range x {
		dst[j] = float32(factor * float64(v))
	}
}

// pattern is that of row u*M+m.
func (c *compareWork) pattern(row int) []float32 {
	return c.patterns[row*c.inputs : (row+1)*c.inputs]
}

// activations measures what each pattern does to its own unit and the others.
func (c *compareWork) activations() error {
	units, methods := len(c.options.Units), len(c.result.Methods)
	a, err := activationsOf(c.device, c.model, c.options.Layer, c.options.Units, c.patterns)
	if err != nil {
		return err
	}
	c.all = a
	answers, err := answersOf(c.model, c.options.Layer, c.options.Units, a)
	if err != nil {
		return err
	}
	matrix := responses(answers, columnMaxima(answers, units, c.missing), c.missing)
	for row := range c.result.Rows {
		unit := row / methods
		c.own = append(c.own, a[row*units+unit])
		if !c.missing[row] {
			c.result.Rows[row].Activation = float64(c.own[row])
			c.result.Rows[row].Selective = selective(matrix[row*units:(row+1)*units], unit)
		}
	}
	return nil
}

// cosines compares the patterns of each unit with each other.
func (c *compareWork) cosines() {
	methods := len(c.result.Methods)
	for row := range c.result.Rows {
		first := row - row%methods
		for m := range methods {
			cosine := math.NaN()
			if !c.missing[row] && !c.missing[first+m] {
				cosine = knownCosine(c.pattern(row), c.pattern(first+m))
			}
			c.result.Rows[row].Cosine = append(c.result.Rows[row].Cosine, cosine)
		}
	}
}

// links works out what compares with the gradient at x = 0 and with samples.
func (c *compareWork) links() (err error) {
	o, methods := c.options, len(c.result.Methods)
	if c.result.CombinationLink, err = CombinationLink(c.ctx, c.device, c.model, o.Layer, o.Units); err != nil {
		return err
	}
	origin, err := dense.New(len(o.Units), c.inputs)
	if err != nil {
		return err
	}
	gradients, err := Gradients(c.ctx, c.device, c.model, o.Layer, Patterns{Data: origin, Units: o.Units})
	if err != nil {
		return err
	}
	g, err := dense.Data(gradients)
	if err != nil {
		return err
	}
	for row := range c.result.Rows {
		unit := row / methods
		c.result.Rows[row].Gradient = knownCosine(c.pattern(row), g[unit*c.inputs:(unit+1)*c.inputs])
	}
	if o.Samples != nil {
		if c.result.Concentration, err = Concentration(o.Samples); err != nil {
			return err
		}
		if len(c.result.Concentration) != len(o.Units) {
			return fmt.Errorf("samples of %d units, want %d", len(c.result.Concentration), len(o.Units))
		}
	}
	if o.Agreement != nil && len(o.Agreement) != len(o.Units) {
		return fmt.Errorf("agreement of samples and data for %d units, want %d", len(o.Agreement), len(o.Units))
	}
	c.result.Agreement = slices.Clone(o.Agreement)
	return nil
}
