package visualize

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
)

// DefaultTop is how many units of the layer below a linear combination takes
// where nobody says otherwise.
const DefaultTop = 100

// CombineOptions says which units to show as linear combinations.
type CombineOptions struct {
	Layer int   // 1 is the first hidden layer
	Units []int // 0-based, each at most once, in the order of the results; see [ParseUnits]
	// Top is K, how many units of the layer below are combined for each unit,
	// from 1 to the width of the narrowest layer below Layer; 0 takes all of
	// each. It means nothing in layer 1, which has no units below it.
	Top int
}

// CombineResult is the linear combinations of U units of a layer.
type CombineResult struct {
	Layer int
	Shape []int // of one pattern, as the model's input; nil if it has none
	Units []int // [U]
	// Patterns [U, D] are the combinations. Their norms are as the weights make
	// them.
	Patterns *tensor.Dense
}

// UnitPatterns are the combinations.
func (r *CombineResult) UnitPatterns() Patterns {
	return Patterns{Name: "linear combinations of filters", Data: r.Patterns, Shape: r.Shape, Units: r.Units}
}

// Combine shows units as linear combinations of the filters of the layers below
// (section 5 of the paper):
//
//	F_1 = W_1,  F_l[i] = sum over k of w_ik F_{l-1}[k]
//
// where k runs over the Top units of layer l-1 with the largest |w_ik|, those
// with lower numbers first among equals, and all of them with Top 0: then
// F_l = W_l ... W_1. Biases and sigmoids have no part in it. The products are
// the device's; a pattern is the same to the bit whatever other units are asked
// for.
//
// A Top larger than a layer below is an error, and so are patterns beyond
// float32 (wrapping [engine.ErrNotFinite]). When ctx ends, Combine stops after
// the layer at work and returns an error that wraps the context's.
func Combine(ctx context.Context, d engine.Device, n *network.Network, o CombineOptions) (*CombineResult, error) {
	if err := o.check(n); err != nil {
		return nil, fmt.Errorf("combine: %w", err)
	}
	filters, err := Filters(n, firstUnits(n, o))
	patterns := filters.Data
	for layer := 2; layer <= o.Layer && err == nil; layer++ {
		if err = ctx.Err(); err == nil {
			patterns, err = o.combine(d, n, layer, patterns)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("combine: %w", err)
	}
	data, err := dense.Data(patterns)
	if err != nil {
		return nil, fmt.Errorf("combine: %w", err)
	}
	for i, x := range data {
		if x-x != 0 {
			return nil, fmt.Errorf("combine: unit %d of layer %d: %w", o.Units[i/patterns.Shape()[1]], o.Layer, engine.ErrNotFinite)
		}
	}
	return &CombineResult{Layer: o.Layer, Shape: slices.Clone(n.InputShape), Units: slices.Clone(o.Units), Patterns: patterns}, nil
}

func (o CombineOptions) check(n *network.Network) error {
	if err := checkChoice(n, o.Layer, o.Units); err != nil {
		return err
	}
	return o.CheckTop(n)
}

// CheckTop returns a [words.OptionError] if a layer below has fewer units than Top.
func (o CombineOptions) CheckTop(n *network.Network) error {
	if o.Top < 0 {
		return words.BadOption("Top", o.Top, "want at least 1, or 0 for all")
	}
	for layer := 1; layer < o.Layer; layer++ {
		if width := n.Sizes()[layer]; o.Top > width {
			return words.BadOption("Top", o.Top, "layer %d has only %s; give at most that many, or all", layer, words.Count(width, "unit"))
		}
	}
	return nil
}

// firstUnits are the units of layer 1 that the combination begins with.
func firstUnits(n *network.Network, o CombineOptions) []int {
	if o.Layer == 1 {
		return o.Units
	}
	return appendRange(nil, 0, n.Sizes()[1]-1)
}

// combine returns the patterns of a layer from those of all units below it: of
// the units asked for in the last layer, of all units in those before.
func (o CombineOptions) combine(d engine.Device, n *network.Network, layer int, below *tensor.Dense) (*tensor.Dense, error) {
	chain, err := n.Chain(layer)
	if err != nil {
		return nil, err
	}
	weight := chain[layer-1].Weight
	units := o.Units
	if layer < o.Layer {
		units = appendRange(nil, 0, weight.Rows-1)
	}
	factors := engine.Host{Rows: len(units), Cols: weight.Cols, Data: make([]float32, len(units)*weight.Cols)}
	for i, u := range units {
		keepLargest(factors.Data[i*weight.Cols:(i+1)*weight.Cols], weight.Data[u*weight.Cols:(u+1)*weight.Cols], o.Top)
	}
	host, err := dense.Host(below)
	if err != nil {
		return nil, err
	}
	patterns, err := product(d, factors, host)
	if err != nil {
		return nil, fmt.Errorf("layer %d: %w", layer, err)
	}
	return dense.Of(patterns, len(units), host.Cols)
}

// keepLargest copies the top numbers of row with the largest absolute values to
// dst, the earlier of equal ones, and leaves the rest of dst 0. With top 0 it
// copies all. (A term of 0 leaves a sum as it is, so the product over all units
// is the sum over the top ones.)
func keepLargest(dst, row []float32, top int) {
	if top == 0 {
		copy(dst, row)
		return
	}
	order := appendRange(nil, 0, len(row)-1)
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(math.Abs(float64(row[b])), math.Abs(float64(row[a])))
	})
	for _, k := range order[:top] {
		dst[k] = row[k]
	}
}

// product computes a b on a device.
func product(d engine.Device, a, b engine.Host) (c []float32, err error) {
	var m engine.Matrices
	defer closeInto(&err, &m)
	left, err := m.Upload(d, a)
	if err != nil {
		return nil, err
	}
	right, err := m.Upload(d, b)
	if err != nil {
		return nil, err
	}
	out, err := m.New(d, a.Rows, b.Cols)
	if err != nil {
		return nil, err
	}
	if err := d.Gemm(out, left, right, engine.Multiply(false, false)); err != nil {
		return nil, err
	}
	c = make([]float32, a.Rows*b.Cols)
	return c, out.Read(c)
}

// WriteArrays writes combine.npz: units [U] and patterns [U, D]. Numbers are
// int64 and float32. The same result gives the same bytes.
func (r *CombineResult) WriteArrays(w io.Writer) error {
	a := newArchive(w)
	a.ints(schema.Units, r.Units, len(r.Units))
	a.floats(schema.Patterns, r.Patterns)
	return a.Close()
}
