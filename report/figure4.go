package report

import (
	"fmt"
	"slices"

	"github.com/unitscope/unitscope/visualize"
)

// Figure4Layer is one row of figure 4: the same units of one layer as three
// methods show them.
type Figure4Layer struct {
	Name        string // the start of the row's heading: "DBN"
	Sampling    *visualize.SampleResult
	Combination *visualize.CombineResult
	Ascent      *visualize.AscentResult
}

// Figure4 draws figure 4 of the paper, the comparison of the methods: for each
// layer the mean of samples with the unit held at 1 at the left, the linear
// combination of filters in the middle, activation maximization at the right,
// each a grid of the same units in the same order. Probabilities are drawn from
// black (0) to white (1), everything else around grey.
func Figure4(layers []Figure4Layer, o FigureOptions) (*Picture, error) {
	if len(layers) == 0 {
		return nil, fmt.Errorf("figure 4: no layers")
	}
	var rows [][]*Panel
	for i, l := range layers {
		row, err := l.row(o)
		if err != nil {
			return nil, fmt.Errorf("figure 4, row %d: %w", i+1, err)
		}
		rows = append(rows, row)
	}
	p, err := Sheet("Units as three methods show them", rows...)
	if err != nil {
		return nil, fmt.Errorf("figure 4: %w", err)
	}
	return p, nil
}

// row is the three panels of a layer.
func (l Figure4Layer) row(o FigureOptions) ([]*Panel, error) {
	s, c, a := l.Sampling, l.Combination, l.Ascent
	if s == nil || c == nil || a == nil {
		return nil, fmt.Errorf("the result of a method is missing (nil)")
	}
	if s.Layer != c.Layer || s.Layer != a.Layer || !slices.Equal(s.Units, c.Units) || !slices.Equal(s.Units, a.Units) {
		return nil, fmt.Errorf("the methods do not show the same units of one layer")
	}
	panel := func(heading, name string, p visualize.Patterns, least float64) *Panel {
		g := o.grid()
		g.Least = least
		return layerPanel(heading, p.Named(name), g)
	}
	combined, err := BesideOthers(c.UnitPatterns())
	if err != nil {
		return nil, fmt.Errorf("linear combination: %w", err)
	}
	return []*Panel{
		panel(fmt.Sprintf("%s layer %d: mean sample", l.Name, s.Layer), "mean samples", s.UnitPatterns(), FaintInput),
		panel("linear combination", "linear combinations", c.UnitPatterns(), combined.Least),
		panel("maximal activation", ascentName, a.UnitPatterns(), 0),
	}, nil
}
