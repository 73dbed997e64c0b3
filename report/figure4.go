package report

import (
	"fmt"
	"image"
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

// Figure4Options says how figure 4 is drawn.
type Figure4Options struct {
	// Scale is the pixels per component; 0 chooses one that makes tiles about
	// as large as a thumbnail.
	Scale int
}

// Figure4 draws figure 4 of the report, the comparison of the methods: for each
// layer the mean of samples with the unit held at 1 at the left, the linear
// combination of filters in the middle, activation maximization at the right,
// each a grid of the same units in the same order. Probabilities are drawn from
// black (0) to white (1), everything else as in [Grid].
func Figure4(layers []Figure4Layer, o Figure4Options) (*image.Gray, error) {
	if len(layers) == 0 {
		return nil, fmt.Errorf("figure 4: no layers")
	}
	letters, err := newLetters()
	if err != nil {
		return nil, fmt.Errorf("figure 4: %w", err)
	}
	var rows [][]*panel
	for i, l := range layers {
		row, err := l.row(o)
		if err != nil {
			return nil, fmt.Errorf("figure 4, row %d: %w", i+1, err)
		}
		rows = append(rows, row)
	}
	img, err := layOut(rows, letters)
	if err != nil {
		return nil, fmt.Errorf("figure 4: %w", err)
	}
	return img, nil
}

// row is the three panels of a layer.
func (l Figure4Layer) row(o Figure4Options) ([]*panel, error) {
	s, c, a := l.Sampling, l.Combination, l.Ascent
	if s == nil || c == nil || a == nil {
		return nil, fmt.Errorf("the result of a method is missing (nil)")
	}
	if s.Layer != c.Layer || s.Layer != a.Layer || !slices.Equal(s.Units, c.Units) || !slices.Equal(s.Units, a.Units) {
		return nil, fmt.Errorf("the methods do not show the same units of one layer")
	}
	columns := squareColumns(len(s.Units))
	sampling, err := tilePanel(fmt.Sprintf("%s layer %d: mean sample", l.Name, s.Layer), s.Mean, s.Shape, InputRange(s.Visible), columns, GridOptions{Scale: o.Scale})
	if err != nil {
		return nil, fmt.Errorf("sampling: %w", err)
	}
	combination, err := tilePanel("linear combination", c.Patterns, c.Shape, Range{}, columns, GridOptions{Scale: o.Scale})
	if err != nil {
		return nil, fmt.Errorf("linear combination: %w", err)
	}
	ascent, err := tilePanel("maximal activation", a.BestPatterns, a.Shape, Range{}, columns, GridOptions{Scale: o.Scale, Dead: a.Dead})
	if err != nil {
		return nil, fmt.Errorf("activation maximization: %w", err)
	}
	return []*panel{sampling, combination, ascent}, nil
}
