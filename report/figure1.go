package report

import (
	"fmt"
	"image"
	"math"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/visualize"
)

const (
	figureMargin = 16  // around the whole figure and between its panels, in pixels
	blockGap     = 7   // between the restarts of two units, in pixels
	tileTarget   = 60  // pixels that a tile's longer side is drawn with at most, if one per component allows
	white        = 255 // of the paper
)

// Figure1Model is one row of figure 1.
type Figure1Model struct {
	Name string // the start of the headings: "DBN"
	// Layers are the results for each layer, one panel each: the best patterns
	// of the units. The report shows 36 units of layers 1, 2 and 3.
	Layers []*visualize.AscentResult
	// Restarts are a few units of the top layer with all their restarts
	// (KeepAll), the last panel; nil leaves it out. The report shows 4 units
	// with 9 restarts.
	Restarts *visualize.AscentResult
}

// Figure1Options says how figure 1 is drawn.
type Figure1Options struct {
	// Scale is the pixels per component; 0 chooses one that makes tiles about
	// as large as a thumbnail.
	Scale int
	// Global draws each panel on one scale instead of each tile on its own.
	Global bool
}

// Figure1 draws figure 1 of the report (and figure 2, which is the same for
// natural images): a row of panels for each model, the DBN above and the SDAE
// below. A column for each layer holds a grid of its units' best patterns, as
// nearly square as their number allows; in the last column are some units of
// the top layer with all their restarts, a block of tiles for each unit. A
// model with fewer layers than another leaves the columns after its last layer
// empty. Headings stand above the panels. Tiles are drawn as in [Grid].
func Figure1(models []Figure1Model, o Figure1Options) (*image.Gray, error) {
	if len(models) == 0 {
		return nil, fmt.Errorf("figure 1: no models")
	}
	letters, err := newLetters()
	if err != nil {
		return nil, fmt.Errorf("figure 1: %w", err)
	}
	rows, err := figure1Panels(models, o)
	if err != nil {
		return nil, fmt.Errorf("figure 1: %w", err)
	}
	img, err := layOut(rows, letters)
	if err != nil {
		return nil, fmt.Errorf("figure 1: %w", err)
	}
	return img, nil
}

// panel is a heading with blocks of tiles below it, so many blocks to a row.
type panel struct {
	heading string
	blocks  []block
	columns int
	size    image.Point // of the blocks, without the heading
}

// block is a grid of tiles.
type block struct {
	tiles   *tiles
	columns int
	size    image.Point
}

// figure1Panels returns [models][columns] panels, nil where there is none.
func figure1Panels(models []Figure1Model, o Figure1Options) ([][]*panel, error) {
	layers, last := 0, 0
	for _, m := range models {
		if len(m.Layers) == 0 && m.Restarts == nil {
			return nil, fmt.Errorf("%s: nothing to draw", m.Name)
		}
		layers = max(layers, len(m.Layers))
		if m.Restarts != nil {
			last = 1
		}
	}
	rows := make([][]*panel, len(models))
	for i, m := range models {
		rows[i] = make([]*panel, layers+last)
		for k, r := range m.Layers {
			p, err := layerPanel(m.Name, r, o)
			if err != nil {
				return nil, fmt.Errorf("%s, panel %d: %w", m.Name, k+1, err)
			}
			rows[i][k] = p
		}
		if m.Restarts != nil {
			p, err := restartsPanel(m.Restarts, o)
			if err != nil {
				return nil, fmt.Errorf("%s, restarts: %w", m.Name, err)
			}
			rows[i][layers] = p
		}
	}
	return rows, nil
}

// layerPanel is one grid of the best pattern of each unit.
func layerPanel(name string, r *visualize.AscentResult, o Figure1Options) (*panel, error) {
	if r == nil {
		return nil, fmt.Errorf("result is missing (nil)")
	}
	b, err := newBlock(r.BestPatterns, r.Shape, r.Dead, o)
	if err != nil {
		return nil, err
	}
	return newPanel(fmt.Sprintf("%s layer %d", name, r.Layer), []block{b})
}

// restartsPanel is a block for each unit, with a tile for each restart.
func restartsPanel(r *visualize.AscentResult, o Figure1Options) (*panel, error) {
	if r.Patterns == nil || r.Patterns.Dims() != 3 {
		return nil, fmt.Errorf("patterns are %s, want [units, restarts, components]; the ascent must keep all patterns", describe(r.Patterns))
	}
	units, restarts, components := r.Patterns.Shape()[0], r.Patterns.Shape()[1], r.Patterns.Shape()[2]
	data, err := dense.Data(r.Patterns)
	if err != nil {
		return nil, err
	}
	if r.Dead != nil && len(r.Dead) != units {
		return nil, fmt.Errorf("%d units, %d marks of dead units", units, len(r.Dead))
	}
	var blocks []block
	for u := range units {
		size := restarts * components
		patterns, err := dense.Of(data[u*size:(u+1)*size], restarts, components)
		if err != nil {
			return nil, err
		}
		dead := make([]bool, restarts)
		for k := range dead {
			dead[k] = r.Dead != nil && r.Dead[u]
		}
		b, err := newBlock(patterns, r.Shape, dead, o)
		if err != nil {
			return nil, fmt.Errorf("unit %d of %d: %w", u+1, units, err)
		}
		blocks = append(blocks, b)
	}
	return newPanel(fmt.Sprintf("%s, %s", count(units, "unit"), count(restarts, "restart")), blocks)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func newBlock(patterns *tensor.Dense, shape []int, dead []bool, o Figure1Options) (block, error) {
	t, err := newTiles(patterns, shape, GridOptions{Scale: o.Scale, Global: o.Global, Dead: dead})
	if err != nil {
		return block{}, err
	}
	if o.Scale == 0 {
		t.scale = max(1, tileTarget/max(t.rows, t.cols))
	}
	b := block{tiles: t, columns: squareColumns(t.n)}
	b.size, err = t.gridSize(b.columns)
	return b, err
}

func newPanel(heading string, blocks []block) (*panel, error) {
	p := &panel{heading: heading, blocks: blocks, columns: squareColumns(len(blocks))}
	rows := (len(blocks) + p.columns - 1) / p.columns
	// All blocks of a panel have the same size.
	size, columns := blocks[0].size, min(p.columns, len(blocks))
	if len(blocks) > maxPixels/(size.X+blockGap)/(size.Y+blockGap) {
		return nil, fmt.Errorf("%d units: the picture would be larger than %d pixels; a smaller scale or fewer units may help", len(blocks), maxPixels)
	}
	p.size = image.Pt(columns*size.X+(columns-1)*blockGap, rows*size.Y+(rows-1)*blockGap)
	return p, nil
}

// squareColumns is how many columns lay n things out most nearly as a square.
func squareColumns(n int) int { return int(math.Ceil(math.Sqrt(float64(n)))) }

// layOut draws rows of panels on white paper. Columns and rows are as wide and
// high as what they hold needs.
func layOut(rows [][]*panel, l *letters) (*image.Gray, error) {
	widths, heights := make([]int, len(rows[0])), make([]int, len(rows))
	for i, row := range rows {
		for k, p := range row {
			if p != nil {
				widths[k] = max(widths[k], p.size.X, l.width(p.heading))
				heights[i] = max(heights[i], p.size.Y+l.height())
			}
		}
	}
	size := image.Pt(figureMargin, figureMargin)
	for _, w := range widths {
		size.X += w + figureMargin
	}
	for _, h := range heights {
		size.Y += h + figureMargin
	}
	if size.Y > maxPixels/size.X {
		return nil, fmt.Errorf("the picture would be %dx%d, larger than %d pixels; a smaller scale or fewer units may help", size.X, size.Y, maxPixels)
	}
	img := image.NewGray(image.Rectangle{Max: size})
	fill(img, img.Rect, white)
	y := figureMargin
	for i, row := range rows {
		x := figureMargin
		for k, p := range row {
			if p != nil {
				l.draw(img, image.Pt(x, y), p.heading)
				p.draw(img, image.Pt(x, y+l.height()))
			}
			x += widths[k] + figureMargin
		}
		y += heights[i] + figureMargin
	}
	return img, nil
}

// draw draws the blocks, each on the colour of gaps, with the first one's top
// left corner at the given point.
func (p *panel) draw(img *image.Gray, corner image.Point) {
	for i, b := range p.blocks {
		step := b.size.Add(image.Pt(blockGap, blockGap))
		at := corner.Add(image.Pt(i%p.columns*step.X, i/p.columns*step.Y))
		fill(img, image.Rectangle{Max: b.size}.Add(at), gapGrey)
		b.tiles.draw(img, at, b.columns)
	}
}
