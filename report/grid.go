// Package report draws what visualize finds: grids of patterns, the figures of
// the paper (Erhan, Bengio, Courville and Vincent, Technical Report 1341, 2009),
// and the numbers behind them. Pictures of patterns and of matrices are a
// [Picture], curves and bars a [chart.Figure]; both can be written as PNG and as
// SVG. The same results give the same bytes.
//
// Patterns become a [Panel] by [Units], a tile for each unit, or by [Rows], a row for
// each, and panels a Picture by [Sheet], which says below them how they are to be read:
//
//	panel := report.Units("DBN layer 2", result.UnitPatterns(), report.GridOptions{})
//	picture, err := report.Sheet("Units of layer 2", []*report.Panel{panel})
//	err = picture.WritePNG(file)
//
// [Figure1], [Figure3], [Figure4], [Comparison], [HeatMaps] and [Similarities] are
// pictures of results at once. [Grid] is bare tiles.
package report

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/visualize"
)

// The greys of pictures. A component v of a tile whose scale is m becomes
// zeroGrey + round(127 v/m): zero is 128, m is white (255), -m is black (1),
// and v and -v lie equally far from grey. In colour pictures these are how bright
// red, green and blue are, on one scale: zero is grey there too.
const (
	zeroGrey = 128
	gapGrey  = 0   // of the lines around tiles
	paper    = 255 // where there is nothing
	deadGrey = 64  // of the cross on the tile of a missing pattern
)

// GridOptions says how the tiles of patterns around zero are drawn. The zero value
// draws every tile on its own scale: grey is zero, white positive and black
// negative, and each tile's largest absolute component is white or black.
type GridOptions struct {
	// Scale is the pixels per component along each side, at least 1; 0 chooses
	// one (1 in a bare [Grid]).
	Scale int
	// Global draws all tiles on one scale, the largest absolute component of
	// any tile that is not missing, so that their contrasts compare.
	Global bool
	// Least is the least that white and black stand for in tiles on their own
	// scale: those that are fainter are not stretched to full contrast. 0 stretches
	// all.
	Least float64
}

// Grid draws patterns as bare tiles, so many columns to a row, with lines of one
// pixel between them; where the last row has no tiles it is white. [Tile] lays out
// their shape. What comes back is an *image.Gray, or an *image.RGBA where the shape
// is of a colour picture.
//
// Patterns whose components have a lowest and a highest value are all drawn on that
// scale, whatever the options say; a component beyond an end of it is drawn as that
// end. The lines between tiles are black, or grey on such a scale, where tiles may be
// black all over. Missing patterns are drawn flat grey with a dark diagonal cross,
// whatever their components. Otherwise NaN and Inf are refused.
func Grid(p visualize.Patterns, columns int, o GridOptions) (image.Image, error) {
	tiles, err := newTiles(p, o)
	if err != nil {
		return nil, fmt.Errorf("grid: %w", err)
	}
	if columns < 1 {
		return nil, fmt.Errorf("grid: %d columns, want at least 1", columns)
	}
	columns = min(columns, tiles.n)
	size, err := tiles.gridSize(columns)
	if err != nil {
		return nil, fmt.Errorf("grid: %w", err)
	}
	img := tiles.Canvas(size)
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	gap := image.NewUniform(color.Gray{tiles.gap()})
	step := tiles.size().Add(image.Pt(1, 1))
	for i := range tiles.n {
		corner := image.Pt(i%columns*step.X, i/columns*step.Y)
		frame := image.Rectangle{Max: tiles.size()}.Add(corner).Inset(-1)
		draw.Draw(img, frame, gap, image.Point{}, draw.Src)
	}
	for i := range tiles.n {
		placed{tiles.image(i), image.Pt(i%columns*step.X, i/columns*step.Y), image.Pt(tiles.scale, tiles.scale)}.draw(img)
	}
	return img, nil
}

// tiles are patterns ready to draw.
type tiles struct {
	Tile
	patterns visualize.Patterns
	data     []float32 // [n, components]
	n        int
	scale    int       // pixels per component along each side
	middle   float64   // the value that is grey
	largest  []float64 // [n] the distance from it that is white or black; 0 for a tile of zeros
	ranged   bool      // on the scale of a range
	faint    float64   // the scale of tiles that are next to nothing; 0 if there are none
}

func newTiles(p visualize.Patterns, o GridOptions) (*tiles, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	data, err := dense.Data(p.Data)
	if err != nil {
		return nil, err
	}
	units, each, components := p.Size()
	tile, err := NewTile(p.Shape, components)
	if err != nil {
		return nil, err
	}
	if o.Scale < 0 {
		return nil, fmt.Errorf("scale %d, want at least 1 pixel per component", o.Scale)
	}
	t := &tiles{Tile: tile, patterns: p, data: data, n: units * each, scale: max(1, o.Scale)}
	if err := t.measure(o.Global); err != nil {
		return nil, err
	}
	if !o.Global {
		if err := t.raise(o.Least); err != nil {
			return nil, err
		}
	}
	t.onRange()
	return t, nil
}

// measure finds the scale of every tile.
func (t *tiles) measure(global bool) error {
	t.largest = make([]float64, t.n)
	overall := 0.0
	for i := range t.largest {
		if t.patterns.IsMissing(i) {
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

// onRange puts all tiles on the scale of what components can be, if that has ends.
func (t *tiles) onRange() {
	low, high := float64(t.patterns.Low), float64(t.patterns.High)
	if low == high {
		return
	}
	t.middle, t.ranged, t.faint = (low+high)/2, true, 0
	for i := range t.largest {
		t.largest[i] = (high - low) / 2
	}
}

func (t *tiles) pattern(i int) []float32 { return t.data[i*t.components : (i+1)*t.components] }

// gap is the grey of the lines around tiles.
func (t *tiles) gap() uint8 {
	if t.ranged {
		return zeroGrey
	}
	return gapGrey
}

// size is of one tile, in pixels.
func (t *tiles) size() image.Point { return image.Pt(t.Cols*t.scale, t.Rows*t.scale) }

// gridSize is of all tiles with lines between them, in pixels.
func (t *tiles) gridSize(columns int) (image.Point, error) {
	columns = min(columns, t.n)
	rows := (t.n + columns - 1) / columns
	width, errW := length(columns, t.Cols, t.scale)
	height, errH := length(rows, t.Rows, t.scale)
	if errW != nil || errH != nil || height > maxPixels/width {
		return image.Point{}, fmt.Errorf("%d tiles of %dx%d at scale %d: the picture would be larger than %d pixels; a smaller scale or fewer units may help", t.n, t.Rows, t.Cols, t.scale, maxPixels)
	}
	return image.Pt(width, height), nil
}

// length is of count tiles in a line, with lines between them, in pixels.
func length(count, components, scale int) (int, error) {
	if components > maxPixels || scale > maxPixels/components || count > maxPixels/(components*scale+1) {
		return 0, fmt.Errorf("too large")
	}
	return count*components*scale + count - 1, nil
}

// image is tile i in its smallest size.
func (t *tiles) image(i int) image.Image {
	img := t.Canvas(image.Pt(t.Cols, t.Rows))
	t.Draw(img, image.Point{}, func(component int) uint8 { return t.tone(i, component) })
	if !t.patterns.IsMissing(i) {
		return img
	}
	for y := range t.Rows {
		for x := range t.Cols {
			if t.onCross(y, x) {
				img.Set(x, y, color.Gray{deadGrey})
			}
		}
	}
	return img
}

// tone is how bright a component of tile i is.
func (t *tiles) tone(i, component int) uint8 {
	switch {
	case t.patterns.IsMissing(i) || component == Empty || t.largest[i] == 0 && component != Gap:
		return zeroGrey
	case component == Gap:
		return t.gap()
	}
	v := (float64(t.pattern(i)[component]) - t.middle) / t.largest[i]
	return uint8(zeroGrey + math.Round(127*min(1, max(-1, v))))
}

// onCross is true on the two diagonals of a tile.
func (t *tiles) onCross(y, x int) bool {
	long := max(t.Rows, t.Cols)
	// Walk along the longer side, so that the lines have no holes.
	along, across, side := x, y, t.Rows
	if t.Rows > t.Cols {
		along, across, side = y, x, t.Cols
	}
	diagonal := along * side / long
	return across == diagonal || across == side-1-diagonal
}
