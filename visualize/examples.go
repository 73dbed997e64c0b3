package visualize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
)

// DefaultExamples is how many examples of each unit are shown where nobody says
// otherwise.
const DefaultExamples = 9

// maxChunkExamples keeps a batch to a second or less on any device, and its
// activations, which the host looks through, to a moderate size.
const maxChunkExamples = 1 << 11

// ExamplesOptions says which units to find examples for.
type ExamplesOptions struct {
	Layer int   // 1 is the first hidden layer
	Units []int // 0-based, each at most once, in the order of the results; see [ParseUnits]
	Top   int   // n, how many examples of each unit, from 1 to the size of the data set
	// ChunkRows is how many examples are on the device at a time; 0 works it
	// out from the device's free memory. It changes no result.
	ChunkRows int
}

// ExamplesResult is the n examples that excite each of U units most, the most
// exciting first.
type ExamplesResult struct {
	Layer int
	Units []int // [U]
	Top   int   // n
	Shape []int // of one example, as in the data set, or the model's input if these are no pictures
	// Low and High are the values that the data set's components can take.
	Low, High float32
	Index     []int // [U*n] of the examples in the data set, unit by unit
	// Activation [U, n] is the unit's activation, before the sigmoid.
	Activation *tensor.Dense
	// Label [U*n] is the examples' class; -1 where the data set has none.
	Label []int
	// Patterns [U, n, D] are the examples themselves, as the data set has them,
	// before the model's preprocessing.
	Patterns *tensor.Dense
}

// ExamplePatterns are the examples. Those that can be negative are numbers around
// zero.
func (r *ExamplesResult) ExamplePatterns() Patterns {
	p := Patterns{Name: "examples", Data: r.Patterns, Shape: r.Shape, Units: r.Units}
	if r.Low >= 0 && r.High > r.Low {
		p.Low, p.High = r.Low, r.High
	}
	return p
}

// UnitPatterns are the example that excites each unit most, as the input of the model
// that was looked at: with its preprocessing.
func (r *ExamplesResult) UnitPatterns(n *network.Network) (Patterns, error) {
	p, err := r.ExamplePatterns().First(len(r.Units), 1)
	if err != nil {
		return p, err
	}
	data, err := dense.Data(p.Data)
	if err != nil {
		return p, err
	}
	if err := n.Preprocess(data); err != nil {
		return p, err
	}
	p.Shape = slices.Clone(n.InputShape)
	p.Low, p.High = given(n.Visible)
	p.Data, err = dense.Of(data, len(r.Units), n.Sizes()[0])
	return p, err
}

// Examples finds the examples of a data set that excite a unit most: the Top
// examples with the largest activation, before the sigmoid, of each unit
// (section 3 of the paper compares activation maximization with them). Of
// examples with equal activations, the one with the smaller index comes first.
//
// Examples are read in batches and go through the model's preprocessing and
// layers on the device. Memory is taken for the best so far and one batch, so
// any size of data set will do. An activation does not depend on the batch, nor
// on what other units are asked for.
//
// A Top larger than the data set is an error, and so is an activation that is
// not finite (wrapping [engine.ErrNotFinite]). progress is told how many
// examples have been looked at; nil if nobody wants to know. When ctx ends,
// Examples stops after a batch and returns an error that wraps the context's.
func Examples(ctx context.Context, d engine.Device, n *network.Network, set dataset.Set, o ExamplesOptions, progress func(done, total int)) (result *ExamplesResult, err error) {
	if err := o.check(n, set); err != nil {
		return nil, fmt.Errorf("examples: %w", err)
	}
	s, err := newRanker(d, n, set, o)
	if err != nil {
		return nil, fmt.Errorf("examples: layer %d: %w", o.Layer, err)
	}
	defer closeInto(&err, s)
	for from := 0; from < set.Len(); from += s.rows {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("examples: layer %d: %w", o.Layer, err)
		}
		to := min(from+s.rows, set.Len())
		if err := s.look(from, to); err != nil {
			return nil, fmt.Errorf("examples: layer %d, examples %d to %d: %w", o.Layer, from, to-1, err)
		}
		if progress != nil {
			progress(to, set.Len())
		}
	}
	if result, err = s.conclude(); err != nil {
		return nil, fmt.Errorf("examples: layer %d: %w", o.Layer, err)
	}
	return result, nil
}

// Check returns a [words.OptionError] if an option is out of range, whatever the
// network and the data.
func (o ExamplesOptions) Check() error {
	if o.Top < 1 {
		return words.BadOption("Top", o.Top, "want at least 1")
	}
	return checkChunk(o.ChunkRows)
}

// CheckData returns a [words.OptionError] if there are fewer than Top examples.
func (o ExamplesOptions) CheckData(set dataset.Set) error {
	if o.Top > set.Len() {
		return words.BadOption("Top", o.Top, "%s has only %s", set.Info().Name, words.Count(set.Len(), "example"))
	}
	return nil
}

func (o ExamplesOptions) check(n *network.Network, set dataset.Set) error {
	if err := checkChoice(n, o.Layer, o.Units); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return err
	}
	size := set.Info().Size()
	if size != n.Sizes()[0] {
		return fmt.Errorf("the data's examples have %s, the model's inputs %d", words.Count(size, "component"), n.Sizes()[0])
	}
	if err := o.CheckData(set); err != nil {
		return err
	}
	need := float64(len(o.Units)) * float64(o.Top) * (4*float64(size) + 64)
	return checkResults(fmt.Sprintf("the top %s of %s", words.Count(o.Top, "example"), words.Count(len(o.Units), "unit")), need, "fewer examples or units")
}

// ranker looks through a data set for what excites some units of one layer.
type ranker struct {
	*readout
	model   *network.Network
	set     dataset.Set
	options ExamplesOptions
	x, a    []float32 // of one batch, [rows, D] and [rows, U]
	best    []ranking // [U]
}

func newRanker(d engine.Device, n *network.Network, set dataset.Set, o ExamplesOptions) (*ranker, error) {
	rows := o.ChunkRows
	if rows == 0 {
		rows = fittingRows(d, set.Len(), rowFloats(n, o.Layer, len(o.Units)), maxChunkExamples)
	}
	rows = min(rows, set.Len())
	r, err := newReadout(d, n, o.Layer, o.Units, rows)
	if err != nil {
		return nil, err
	}
	return &ranker{
		readout: r, model: n, set: set, options: o,
		x: make([]float32, rows*r.inputs), a: make([]float32, rows*r.units), best: make([]ranking, r.units),
	}, nil
}

// look takes in examples from..to-1.
func (s *ranker) look(from, to int) error {
	x, a := s.x[:(to-from)*s.inputs], s.a[:(to-from)*s.units]
	if err := s.set.Read(x, appendRange(nil, from, to-1)); err != nil {
		return err
	}
	if err := s.model.Preprocess(x); err != nil {
		return err
	}
	_, activation, err := s.of(x)
	if err != nil {
		return err
	}
	if err := activation.Read(a); err != nil {
		return err
	}
	for k, activation := range a {
		example, u := from+k/s.units, k%s.units
		if activation-activation != 0 {
			return fmt.Errorf("the activation of unit %d at example %d: %w", s.options.Units[u], example, engine.ErrNotFinite)
		}
		s.best[u].offer(ranked{activation, example}, s.options.Top)
	}
	return nil
}

// conclude puts the best examples in order and reads them once more.
func (s *ranker) conclude() (*ExamplesResult, error) {
	o, info := s.options, s.set.Info()
	units, size, shape := s.units, s.inputs, info.Shape
	if len(shape) < 2 {
		shape = s.model.InputShape
	}
	r := &ExamplesResult{
		Layer: o.Layer, Units: slices.Clone(o.Units), Top: o.Top, Shape: slices.Clone(shape), Low: info.Low, High: info.High,
	}
	activations := make([]float32, 0, units*o.Top)
	patterns := make([]float32, units*o.Top*size)
	for u := range units {
		for _, e := range s.best[u].ordered() {
			label, ok := s.set.Label(e.index)
			if !ok {
				label = -1
			}
			r.Index, r.Label, activations = append(r.Index, e.index), append(r.Label, label), append(activations, e.activation)
		}
		if err := s.set.Read(patterns[u*o.Top*size:(u+1)*o.Top*size], r.Index[u*o.Top:]); err != nil {
			return nil, err
		}
	}
	var errA, errP error
	r.Activation, errA = dense.Of(activations, units, o.Top)
	r.Patterns, errP = dense.Of(patterns, units, o.Top, size)
	return r, errors.Join(errA, errP)
}

// ranked is an example by what it does to a unit.
type ranked struct {
	activation float32
	index      int
}

// before is true if a comes before b: by activation, then by index.
func (a ranked) before(b ranked) bool {
	if a.activation != b.activation {
		return a.activation > b.activation
	}
	return a.index < b.index
}

// ranking is a heap of the best examples so far, the last of them at its root.
type ranking []ranked

// offer takes an example in if it is among the top ones.
func (r *ranking) offer(e ranked, top int) {
	h := *r
	if len(h) < top {
		h = append(h, e)
		*r = h
		for child := len(h) - 1; child > 0; {
			parent := (child - 1) / 2
			if !h[parent].before(h[child]) {
				return
			}
			h[parent], h[child] = h[child], h[parent]
			child = parent
		}
		return
	}
	if e.before(h[0]) {
		h[0] = e
		h.sink()
	}
}

// sink moves the root down to its place.
func (r ranking) sink() {
	for parent := 0; ; {
		last := parent
		for child := 2*parent + 1; child <= 2*parent+2 && child < len(r); child++ {
			if r[last].before(r[child]) {
				last = child
			}
		}
		if last == parent {
			return
		}
		r[parent], r[last] = r[last], r[parent]
		parent = last
	}
}

// ordered returns the examples, the first one first.
func (r ranking) ordered() []ranked {
	sorted := slices.Clone(r)
	slices.SortFunc(sorted, func(a, b ranked) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	return sorted
}

// WriteArrays writes examples.npz: units [U], index, activation and label
// [U, n], and examples [U, n, D]. Numbers are int64, activations and examples
// float32. The same result gives the same bytes.
func (r *ExamplesResult) WriteArrays(w io.Writer) error {
	a := newArchive(w)
	a.ints(schema.Units, r.Units, len(r.Units))
	a.ints(schema.Index, r.Index, len(r.Units), r.Top)
	a.floats(schema.Activation, r.Activation)
	a.ints(schema.Label, r.Label, len(r.Units), r.Top)
	a.floats(schema.Examples, r.Patterns)
	return a.Close()
}
