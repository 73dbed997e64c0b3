package report

import (
	"fmt"
	"image"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/visualize"
)

// Figure3Options says how figure 3 is drawn.
type Figure3Options struct {
	Name string // the start of the headings: "DBN"
	// Scale is the pixels per component; 0 chooses one that makes tiles about
	// as large as a thumbnail.
	Scale int
}

// Figure3 draws figure 3 of the report: samples of a Deep Belief Net with one
// unit held at 1, a row of tiles for each unit, with the mean of the unit's
// samples in front. There is one block for each layer, from top to bottom.
// Probabilities are drawn from black (0) to white (1), real inputs as in [Grid].
func Figure3(layers []*visualize.SampleResult, o Figure3Options) (*image.Gray, error) {
	if len(layers) == 0 {
		return nil, fmt.Errorf("figure 3: no samples")
	}
	letters, err := newLetters()
	if err != nil {
		return nil, fmt.Errorf("figure 3: %w", err)
	}
	var rows [][]*panel
	for i, r := range layers {
		row, err := figure3Row(r, o)
		if err != nil {
			return nil, fmt.Errorf("figure 3, block %d: %w", i+1, err)
		}
		rows = append(rows, row)
	}
	img, err := layOut(rows, letters)
	if err != nil {
		return nil, fmt.Errorf("figure 3: %w", err)
	}
	return img, nil
}

// figure3Row is the panels of one layer: means, and samples.
func figure3Row(r *visualize.SampleResult, o Figure3Options) ([]*panel, error) {
	if r == nil {
		return nil, fmt.Errorf("result is missing (nil)")
	}
	samples, n, err := flatSamples(r)
	if err != nil {
		return nil, err
	}
	means, err := tilePanel("mean", r.Mean, r.Shape, InputRange(r.Visible), 1, GridOptions{Scale: o.Scale})
	if err != nil {
		return nil, fmt.Errorf("means: %w", err)
	}
	heading := fmt.Sprintf("%s layer %d: %s, %s of each", o.Name, r.Layer, count(len(r.Units), "unit"), count(n, "sample"))
	shown, err := tilePanel(heading, samples, r.Shape, InputRange(r.Visible), n, GridOptions{Scale: o.Scale})
	if err != nil {
		return nil, fmt.Errorf("samples: %w", err)
	}
	return []*panel{means, shown}, nil
}

// flatSamples returns samples [U, N, D] as [U*N, D], with N.
func flatSamples(r *visualize.SampleResult) (*tensor.Dense, int, error) {
	if r.Samples == nil || r.Samples.Dims() != 3 {
		return nil, 0, fmt.Errorf("samples are %s, want [units, samples, components]", describe(r.Samples))
	}
	data, err := dense.Data(r.Samples)
	if err != nil {
		return nil, 0, err
	}
	shape := r.Samples.Shape()
	flat, err := dense.Of(data, shape[0]*shape[1], shape[2])
	return flat, shape[1], err
}

// tilePanel is a panel of one grid with so many columns.
func tilePanel(heading string, patterns *tensor.Dense, shape []int, r Range, columns int, o GridOptions) (*panel, error) {
	t, err := newRangeTiles(patterns, shape, r, o)
	if err != nil {
		return nil, err
	}
	if o.Scale == 0 {
		t.scale = max(1, tileTarget/max(t.rows, t.cols))
	}
	b := block{tiles: t, columns: columns}
	if b.size, err = t.gridSize(columns); err != nil {
		return nil, err
	}
	return newPanel(heading, []block{b})
}
