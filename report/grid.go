// Package report draws what visualize finds: grids of patterns, the figures of
// the report (Erhan, Bengio, Courville and Vincent, Technical Report 1341, 2009),
// and the numbers behind them. Pictures of patterns and of matrices are a
// [Picture], curves and bars a [chart.Figure]; both can be written as PNG and as
// SVG. The same results give the same bytes.
package report

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
)

// The greys of pictures. A component v of a tile whose scale is m becomes
// zeroGrey + round(127 v/m): zero is 128, m is white (255), -m is black (1),
// and v and -v lie equally far from grey. In colour pictures these are how bright
// red, green and blue are, on one scale: zero is grey there too.
const (
	zeroGrey = 128
	gapGrey  = 0   // of the lines around tiles
	paper    = 255 // where there is nothing
	deadGrey = 64  // of the cross on the tile of a dead unit
)

// Range is the values that components can take: the lowest is drawn black and
// the highest white, on this one scale in all tiles. The zero Range is for
// patterns around zero.
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

// GridOptions says how tiles are drawn. The zero value draws every tile on its
// own scale: grey is zero, white positive and black negative, and each tile's
// largest absolute component is white or black.
type GridOptions struct {
	// Scale is the pixels per component along each side, at least 1; 0 chooses
	// one (1 in a bare [Grid]).
	Scale int
	// Range draws all tiles on the scale of a range instead. A component beyond
	// an end of it is drawn as that end.
	Range Range
	// Global draws all tiles on one scale, the largest absolute component of
	// any tile that is not dead, so that their contrasts compare. With a Range
	// it changes nothing.
	Global bool
	// Least is the least that white and black stand for in tiles on their own
	// scale: those that are fainter are not stretched to full contrast. 0 stretches
	// all.
	Least float64
	// Dead [N] marks the tiles of units that nothing was found for: they are
	// drawn flat grey with a dark diagonal cross, whatever their pattern. Nil
	// means none.
	Dead []bool
}

// Grid draws patterns [N, D] as bare tiles, so many columns to a row, with lines
// of one pixel between them; where the last row has no tiles it is white. The
// lines are black, or grey where tiles are on a range and may be black all over.
//
// shape is that of one pattern, which [Tile] lays out. What comes back is an
// *image.Gray, or an *image.RGBA where the shape is of a colour picture. NaN and Inf
// are refused, except on dead tiles.
func Grid(patterns *tensor.Dense, shape []int, columns int, o GridOptions) (image.Image, error) {
	tiles, err := newTiles(patterns, shape, o)
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
	data    []float32 // [n, components]
	n       int
	scale   int       // pixels per component along each side
	middle  float64   // the value that is grey
	largest []float64 // [n] the distance from it that is white or black; 0 for a tile of zeros
	dead    []bool    // [n]
	ranged  bool      // on the scale of a range
	faint   float64   // the scale of tiles that are next to nothing; 0 if there are none
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
	tile, err := NewTile(shape, components)
	if err != nil {
		return nil, err
	}
	if o.Scale < 0 {
		return nil, fmt.Errorf("scale %d, want at least 1 pixel per component", o.Scale)
	}
	if o.Dead != nil && len(o.Dead) != n {
		return nil, fmt.Errorf("%d patterns, %d marks of dead units", n, len(o.Dead))
	}
	t := &tiles{Tile: tile, data: data, n: n, scale: max(1, o.Scale), dead: o.Dead}
	if err := t.measure(o.Global); err != nil {
		return nil, err
	}
	if !o.Global {
		if err := t.raise(o.Least); err != nil {
			return nil, err
		}
	}
	return t, t.onRange(o.Range)
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

// onRange puts all tiles on the scale of a range, if there is one.
func (t *tiles) onRange(r Range) error {
	low, high := float64(r.Low), float64(r.High)
	switch {
	case r == Range{}:
		return nil
	case !(high > low) || high-high != 0 || low-low != 0:
		return fmt.Errorf("a range from %g to %g, want two finite numbers, the lower one first", low, high)
	}
	t.middle, t.ranged, t.faint = (low+high)/2, true, 0
	for i := range t.largest {
		t.largest[i] = (high - low) / 2
	}
	return nil
}

func (t *tiles) isDead(i int) bool { return t.dead != nil && t.dead[i] }

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
	if !t.isDead(i) {
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
	case t.isDead(i) || component == Empty || t.largest[i] == 0 && component != Gap:
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
