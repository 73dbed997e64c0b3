package report

import (
	"fmt"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/visualize"
)

// Figure3 draws figure 3 of the paper: samples of a Deep Belief Net with one
// unit held at 1, a row of tiles for each unit, with the mean of the unit's
// samples in front. There is one block for each layer, from top to bottom.
// Probabilities are drawn from black (0) to white (1), real inputs around grey.
// name is the start of the headings: "DBN".
func Figure3(name string, layers []*visualize.SampleResult, o FigureOptions) (*Picture, error) {
	if len(layers) == 0 {
		return nil, fmt.Errorf("figure 3: no samples")
	}
	var rows [][]*Panel
	for i, r := range layers {
		row, err := figure3Row(name, r, o)
		if err != nil {
			return nil, fmt.Errorf("figure 3, block %d: %w", i+1, err)
		}
		rows = append(rows, row)
	}
	p, err := Sheet("Samples with one unit held at 1", rows...)
	if err != nil {
		return nil, fmt.Errorf("figure 3: %w", err)
	}
	return p, nil
}

// figure3Row is the panels of one layer: means, and samples.
func figure3Row(name string, r *visualize.SampleResult, o FigureOptions) ([]*Panel, error) {
	if r == nil {
		return nil, fmt.Errorf("result is missing (nil)")
	}
	options := o.grid()
	options.Least = FaintInput
	means, err := Rows("mean", r.UnitPatterns().Named("means"), nil, options)
	if err != nil {
		return nil, fmt.Errorf("mean: %w", err)
	}
	samples, err := Rows("", r.SamplePatterns(), nil, options)
	if err != nil {
		return nil, fmt.Errorf("samples: %w", err)
	}
	// The rows are named once, in front of the means.
	block := &samples.Blocks[0]
	block.Rows = nil
	samples.Heading = fmt.Sprintf("%s layer %d: %s, %s of each", name, r.Layer, words.Count(len(r.Units), "unit"), words.Count(block.Columns, "sample"))
	return []*Panel{means, samples}, nil
}
