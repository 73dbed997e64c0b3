// Package report draws what visualize finds: grids of patterns, and the
// figures of the report (Erhan, Bengio, Courville and Vincent, Technical Report
// 1341, 2009). The same patterns give the same bytes of PNG.
package report

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
)

// The greys of pictures. A component v of a tile whose scale is m becomes
// zeroGrey + round(127 v/m): zero is 128, m is white (255), -m is black (1),
// and v and -v lie equally far from grey.
const (
	zeroGrey = 128
	gapGrey  = 0  // between tiles, and where the last row of tiles has none
	deadGrey = 64 // of the cross on the tile of a dead unit
)

// maxPixels is the largest picture that is drawn: 256 million pixels.
const maxPixels = 1 << 28

// GridOptions says how a grid of tiles is drawn. The zero value draws one
// pixel per component and every tile on its own scale.
type GridOptions struct {
	// Scale is the pixels per component along each side, at least 1; 0 means 1.
	Scale int
	// Global draws all tiles on one scale, the largest absolute component of
	// any tile that is not dead, so that their contrasts compare.
	Global bool
	// Dead [N] marks the tiles of units that nothing was found for: they are
	// drawn flat grey with a dark diagonal cross, whatever their pattern. Nil
	// means none.
	Dead []bool
}

// Grid draws patterns [N, D] as tiles, so many columns to a row, with gaps of
// one pixel. Grey is zero, white positive and black negative, on a symmetric
// scale: each tile's largest absolute component is white or black.
//
// shape is that of one pattern. A picture [rows, cols] is drawn as it is;
// anything else, and a nil shape, as [TileShape] lays it out. NaN and Inf are
// refused, except on dead tiles.
func Grid(patterns *tensor.Dense, shape []int, columns int, o GridOptions) (*image.Gray, error) {
	tiles, err := newTiles(patterns, shape, o)
	if err != nil {
		return nil, fmt.Errorf("grid: %w", err)
	}
	if columns < 1 {
		return nil, fmt.Errorf("grid: %d columns, want at least 1", columns)
	}
	size, err := tiles.gridSize(columns)
	if err != nil {
		return nil, fmt.Errorf("grid: %w", err)
	}
	img := image.NewGray(image.Rectangle{Max: size})
	fill(img, img.Rect, gapGrey)
	tiles.draw(img, image.Point{}, columns)
	return img, nil
}

// TileShape returns the rows and columns in which a pattern of components with
// this shape is drawn. A shape of two dimensions is drawn as it is. Any other
// has no layout of its own and is filled row by row into the nearest square:
// ceil(sqrt(components)) columns, as many rows as that needs, and the cells left
// over at zero. So is a nil shape. A shape that does not hold exactly the
// components is an error.
func TileShape(shape []int, components int) (rows, cols int, err error) {
	if components < 1 {
		return 0, 0, fmt.Errorf("tile: patterns of %d components", components)
	}
	if shape != nil {
		left := components
		for _, side := range shape {
			if side < 1 || left%side != 0 {
				return 0, 0, fmt.Errorf("tile: shape %v does not hold %d components", shape, components)
			}
			left /= side
		}
		if left != 1 {
			return 0, 0, fmt.Errorf("tile: shape %v does not hold %d components", shape, components)
		}
	}
	if len(shape) == 2 {
		return shape[0], shape[1], nil
	}
	cols = int(math.Ceil(math.Sqrt(float64(components))))
	return (components + cols - 1) / cols, cols, nil
}

// WritePNG writes a picture as PNG, as small as the format makes it.
func WritePNG(w io.Writer, img image.Image) error {
	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&file, img); err != nil {
		return fmt.Errorf("write picture: %w", err)
	}
	if _, err := file.WriteTo(w); err != nil {
		return fmt.Errorf("write picture: %w", err)
	}
	return nil
}

// tiles are patterns ready to draw.
type tiles struct {
	data       []float32 // [n, components]
	n          int
	components int
	rows, cols int       // of components in a tile
	scale      int       // pixels per component
	largest    []float64 // [n] the component that is white or black; 0 for a tile of zeros
	dead       []bool    // [n]
}

func newTiles(patterns *tensor.Dense, shape []int, o GridOptions) (*tiles, error) {
	if patterns == nil || patterns.Dims() != 2 || patterns.Shape()[0] < 1 {
		return nil, fmt.Errorf("patterns are %s, want [patterns, components]", describe(patterns))
	}
	n, components := patterns.Shape()[0], patterns.Shape()[1]
	data, err := dense.Data(patterns)
	if err != nil {
		return nil, err
	}
	rows, cols, err := TileShape(shape, components)
	if err != nil {
		return nil, err
	}
	if o.Scale < 0 {
		return nil, fmt.Errorf("scale %d, want at least 1 pixel per component", o.Scale)
	}
	if o.Dead != nil && len(o.Dead) != n {
		return nil, fmt.Errorf("%d patterns, %d marks of dead units", n, len(o.Dead))
	}
	t := &tiles{data: data, n: n, components: components, rows: rows, cols: cols, scale: max(1, o.Scale), dead: o.Dead}
	return t, t.measure(o.Global)
}

func describe(t *tensor.Dense) string {
	if t == nil {
		return "missing (nil)"
	}
	return fmt.Sprint([]int(t.Shape()))
}

// measure finds the scale of every tile.
func (t *tiles) measure(global bool) error {
	t.largest = make([]float64, t.n)
	overall := 0.0
	for i := range t.largest {
		if t.isDead(i) {
			continue
		}
		for j, v := range t.pattern(i) {
			if v-v != 0 {
				return fmt.Errorf("pattern %d, component %d is %g", i, j, v)
			}
			t.largest[i] = max(t.largest[i], math.Abs(float64(v)))
		}
		overall = max(overall, t.largest[i])
	}
	if global {
		for i := range t.largest {
			t.largest[i] = overall
		}
	}
	return nil
}

func (t *tiles) isDead(i int) bool { return t.dead != nil && t.dead[i] }

func (t *tiles) pattern(i int) []float32 { return t.data[i*t.components : (i+1)*t.components] }

// size is of one tile, in pixels.
func (t *tiles) size() image.Point { return image.Pt(t.cols*t.scale, t.rows*t.scale) }

// gridSize is of all tiles with their gaps, in pixels.
func (t *tiles) gridSize(columns int) (image.Point, error) {
	columns = min(columns, t.n)
	rows := (t.n + columns - 1) / columns
	width, errW := length(columns, t.cols, t.scale)
	height, errH := length(rows, t.rows, t.scale)
	if errW != nil || errH != nil || height > maxPixels/width {
		return image.Point{}, fmt.Errorf("%d tiles of %dx%d at scale %d: the picture would be larger than %d pixels; a smaller scale or fewer units may help", t.n, t.rows, t.cols, t.scale, maxPixels)
	}
	return image.Pt(width, height), nil
}

// length is of count tiles in a line, with gaps between them, in pixels.
func length(count, components, scale int) (int, error) {
	if components > maxPixels || scale > maxPixels/components || count > maxPixels/(components*scale+1) {
		return 0, fmt.Errorf("too large")
	}
	return count*components*scale + count - 1, nil
}

// draw draws the grid with its top left corner at the given point.
func (t *tiles) draw(img *image.Gray, corner image.Point, columns int) {
	step := t.size().Add(image.Pt(1, 1))
	for i := range t.n {
		t.drawTile(img, corner.Add(image.Pt(i%columns*step.X, i/columns*step.Y)), i)
	}
}

func (t *tiles) drawTile(img *image.Gray, corner image.Point, i int) {
	for y := range t.rows {
		for x := range t.cols {
			cell := image.Rectangle{Max: image.Pt(t.scale, t.scale)}.Add(corner).Add(image.Pt(x*t.scale, y*t.scale))
			fill(img, cell, t.grey(i, y, x))
		}
	}
}

// grey is of row y and column x of tile i.
func (t *tiles) grey(i, y, x int) uint8 {
	k := y*t.cols + x
	switch {
	case t.isDead(i) && t.onCross(y, x):
		return deadGrey
	case t.isDead(i) || k >= t.components || t.largest[i] == 0:
		return zeroGrey
	}
	return uint8(zeroGrey + math.Round(127*float64(t.pattern(i)[k])/t.largest[i]))
}

// onCross is true on the two diagonals of a tile.
func (t *tiles) onCross(y, x int) bool {
	long := max(t.rows, t.cols)
	// Walk along the longer side, so that the lines have no holes.
	along, across, side := x, y, t.rows
	if t.rows > t.cols {
		along, across, side = y, x, t.cols
	}
	diagonal := along * side / long
	return across == diagonal || across == side-1-diagonal
}

func fill(img *image.Gray, r image.Rectangle, grey uint8) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		line := img.Pix[img.PixOffset(r.Min.X, y):img.PixOffset(r.Max.X, y)]
		for i := range line {
			line[i] = grey
		}
	}
}
