package report

import (
	"fmt"
	"image"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/visualize"
)

// Comparison draws the patterns of several methods side by side: a row for each
// of the first so many units, a column for each method with its name above. Tiles
// are drawn as in [Grid], so many pixels per component; a missing pattern is a
// cross.
func Comparison(r *visualize.CompareResult, units, scale int) (*image.Gray, error) {
	if r == nil || r.Patterns == nil || r.Patterns.Dims() != 3 {
		return nil, fmt.Errorf("comparison: no patterns [units, methods, components]")
	}
	if units < 1 || scale < 1 {
		return nil, fmt.Errorf("comparison: %d units at scale %d, want at least 1", units, scale)
	}
	methods, components := r.Patterns.Shape()[1], r.Patterns.Shape()[2]
	rows := min(units, r.Patterns.Shape()[0]) * methods
	data, err := dense.Data(r.Patterns)
	if err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	if len(r.Methods) != methods || len(r.Rows) < rows {
		return nil, fmt.Errorf("comparison: %d methods with %d names and %d rows", methods, len(r.Methods), len(r.Rows))
	}
	shown, err := dense.Of(data[:rows*components], rows, components)
	if err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	missing := make([]bool, rows)
	for i := range missing {
		missing[i] = r.Rows[i].Missing
	}
	img, err := headed(shown, missing, r, scale)
	if err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	return img, nil
}

// headed draws columns of tiles, each as wide as its tiles or its heading needs.
func headed(patterns *tensor.Dense, missing []bool, r *visualize.CompareResult, scale int) (*image.Gray, error) {
	t, err := newTiles(patterns, r.Shape, GridOptions{Scale: scale, Dead: missing})
	if err != nil {
		return nil, err
	}
	letters, err := newLetters()
	if err != nil {
		return nil, err
	}
	// All that limits the size of a grid limits this one.
	size, err := t.gridSize(len(r.Methods))
	if err != nil {
		return nil, err
	}
	tile := t.size()
	width := tile.X
	for _, m := range r.Methods {
		width = max(width, letters.width(m))
	}
	width += figureMargin / 2
	whole := image.Pt(figureMargin+width*len(r.Methods), 2*figureMargin+letters.height()+size.Y)
	if whole.Y > maxPixels/whole.X {
		return nil, fmt.Errorf("the picture would be %dx%d, larger than %d pixels; a smaller scale or fewer units may help", whole.X, whole.Y, maxPixels)
	}
	img := image.NewGray(image.Rectangle{Max: whole})
	fill(img, img.Rect, white)
	for m, name := range r.Methods {
		x := figureMargin + m*width
		letters.draw(img, image.Pt(x, figureMargin), name)
		for i := m; i < t.n; i += len(r.Methods) {
			t.drawTile(img, image.Pt(x, figureMargin+letters.height()+i/len(r.Methods)*(tile.Y+1)), i)
		}
	}
	return img, nil
}
