package report

import (
	"fmt"
	"image"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
)

// Range is the values that components can take: the lowest is drawn black and
// the highest white, on this one scale in all tiles. The zero Range is for
// patterns around zero, which are drawn as [Grid] draws them.
type Range struct{ Low, High float32 }

// InputRange is how what a net gives for its inputs is drawn: probabilities from
// black (0) to white (1), so that digits look like digits; real numbers around
// grey.
func InputRange(kind engine.VisibleKind) Range {
	if kind == engine.Bernoulli {
		return Range{0, 1}
	}
	return Range{}
}

// RangeGrid draws patterns [N, D] as tiles, as [Grid] does but on the scale of a
// range. A component beyond an end of it is drawn as that end. With a range, the
// scale is the same for all tiles whatever o.Global says.
func RangeGrid(patterns *tensor.Dense, shape []int, columns int, r Range, o GridOptions) (*image.Gray, error) {
	if columns < 1 {
		return nil, fmt.Errorf("grid: %d columns, want at least 1", columns)
	}
	t, err := newRangeTiles(patterns, shape, r, o)
	if err != nil {
		return nil, fmt.Errorf("grid: %w", err)
	}
	size, err := t.gridSize(columns)
	if err != nil {
		return nil, fmt.Errorf("grid: %w", err)
	}
	img := image.NewGray(image.Rectangle{Max: size})
	fill(img, img.Rect, gapGrey)
	t.draw(img, image.Point{}, columns)
	return img, nil
}

// newRangeTiles moves the middle of the range to zero and its ends to -1 and 1.
func newRangeTiles(patterns *tensor.Dense, shape []int, r Range, o GridOptions) (*tiles, error) {
	t, err := newTiles(patterns, shape, o)
	if err != nil || r == (Range{}) {
		return t, err
	}
	low, high := float64(r.Low), float64(r.High)
	if !(high > low) || high-high != 0 || low-low != 0 {
		return nil, fmt.Errorf("a range from %g to %g, want two finite numbers, the lower one first", low, high)
	}
	middle, half := (low+high)/2, (high-low)/2
	centred := make([]float32, len(t.data))
	for i, v := range t.data {
		centred[i] = float32(min(1, max(-1, (float64(v)-middle)/half)))
	}
	t.data = centred
	for i := range t.largest {
		t.largest[i] = 1
	}
	return t, nil
}
