package report

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/unitscope/unitscope/visualize"
)

// Panel is a heading with blocks of tiles below it, as nearly in a square as
// their number allows.
type Panel struct {
	Heading string
	Blocks  []Block
}

// Block is a grid of tiles with labels outside of them. Each tile has a frame of
// one pixel, with white between the frames: patterns that reach the edges of their
// tiles, as those of patches do, must not run into each other.
type Block struct {
	Label string // above the block
	// Patterns are drawn as [Grid] does. Their names stand where the scale is
	// explained; those on the same scale share an explanation.
	Patterns visualize.Patterns
	Columns  int // of tiles; 0 makes a near square
	// Tiles are written above the tiles, Rows at the left of the rows and
	// Heads above the columns. Any may be nil, and shorter than there are.
	Tiles, Rows, Heads []string
	GridOptions
}

const (
	margin       = 16   // around a picture and between its panels, in pixels
	blockGap     = 14   // between the blocks of a panel
	labelGap     = 5    // between labels and what they name
	tileGap      = 4    // between tiles: two frames and two pixels of white
	tileTarget   = 84   // pixels that a tile's longer side is drawn with at most, if one per component allows
	pictureWidth = 1400 // that tiles without a scale of their own should not exceed together, if one per component allows
	noteWidth    = 480  // that notes have at least
)

// Sheet draws rows of panels on white paper, with a note below that says what
// black, grey and white are. Columns and rows are as wide and high as what they
// hold needs; a nil panel leaves its place empty. title says in a few words what
// the picture is.
func Sheet(title string, rows ...[]*Panel) (*Picture, error) {
	l, err := newLetters()
	if err != nil {
		return nil, err
	}
	s := &sheet{letters: l}
	for _, row := range rows {
		var laid []*laidPanel
		for _, p := range row {
			made, err := s.panel(p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.Heading, err)
			}
			laid = append(laid, made)
		}
		s.rows = append(s.rows, laid)
	}
	if len(s.notes) == 0 {
		return nil, fmt.Errorf("nothing to draw")
	}
	s.chooseScales()
	if err := s.measure(); err != nil {
		return nil, err
	}
	return s.draw(title)
}

// sheet is panels in their places.
type sheet struct {
	letters         *letters
	rows            [][]*laidPanel
	widths, heights []int
	notes           []note
	dead            bool // there is a cross
}

type laidPanel struct {
	*Panel
	blocks  []*laidBlock
	columns int
	step    image.Point // from block to block
	size    image.Point // with the heading
}

type laidBlock struct {
	*Block
	tiles   *tiles
	columns int
	corner  image.Point // of the first tile
	step    image.Point // from tile to tile
	size    image.Point
}

// panel takes in a panel; its places are worked out later.
func (s *sheet) panel(p *Panel) (*laidPanel, error) {
	if p == nil {
		return nil, nil
	}
	laid := &laidPanel{Panel: p, columns: squareColumns(len(p.Blocks))}
	for i := range p.Blocks {
		b := &p.Blocks[i]
		t, err := newTiles(b.Patterns, b.GridOptions)
		if err != nil {
			if b.Label != "" {
				err = fmt.Errorf("%s: %w", b.Label, err)
			}
			return nil, err
		}
		columns := b.Columns
		if columns < 1 {
			columns = squareColumns(t.n)
		}
		laid.blocks = append(laid.blocks, &laidBlock{Block: b, tiles: t, columns: min(columns, t.n)})
		s.note(b, t)
	}
	return laid, nil
}

// squareColumns is how many columns lay n things out most nearly as a square.
func squareColumns(n int) int { return max(1, int(math.Ceil(math.Sqrt(float64(n))))) }

// chooseScales makes tiles without a scale of their own about as large as a
// thumbnail, or smaller where a row would become too wide for a screen.
func (s *sheet) chooseScales() {
	widest := 1
	for _, row := range s.rows {
		components := 0
		for _, p := range row {
			if p != nil {
				for _, b := range p.blocks[:min(p.columns, len(p.blocks))] {
					components += b.columns * b.tiles.Cols
				}
			}
		}
		widest = max(widest, components)
	}
	for _, row := range s.rows {
		for _, p := range row {
			if p == nil {
				continue
			}
			for _, b := range p.blocks {
				if b.Scale == 0 {
					// Channels side by side are thumbnails each.
					target := tileTarget * b.tiles.across
					b.tiles.scale = max(1, min(target/max(b.tiles.Rows, b.tiles.Cols), pictureWidth/widest))
				}
			}
		}
	}
}

// measure works out all places.
func (s *sheet) measure() error {
	s.heights = make([]int, len(s.rows))
	for i, row := range s.rows {
		for len(s.widths) < len(row) {
			s.widths = append(s.widths, 0)
		}
		for k, p := range row {
			if p == nil {
				continue
			}
			if err := s.measurePanel(p); err != nil {
				return err
			}
			s.widths[k], s.heights[i] = max(s.widths[k], p.size.X), max(s.heights[i], p.size.Y)
		}
	}
	return nil
}

func (s *sheet) measurePanel(p *laidPanel) error {
	for _, b := range p.blocks {
		if err := s.measureBlock(b); err != nil {
			return err
		}
		p.step.X, p.step.Y = max(p.step.X, b.size.X), max(p.step.Y, b.size.Y)
	}
	p.step = p.step.Add(image.Pt(blockGap, blockGap))
	rows := (len(p.blocks) + p.columns - 1) / p.columns
	if rows > maxPixels/p.step.Y || p.columns > maxPixels/p.step.X {
		return fmt.Errorf("%d blocks: the picture would be larger than %d pixels; a smaller scale or fewer units may help", len(p.blocks), maxPixels)
	}
	p.size = image.Pt(p.columns*p.step.X-blockGap, rows*p.step.Y-blockGap)
	if p.Heading != "" {
		p.size.X = max(p.size.X, s.letters.width(p.Heading, headingSize))
		p.size.Y += s.letters.line(headingSize)
	}
	return nil
}

func (s *sheet) measureBlock(b *laidBlock) error {
	if _, err := b.tiles.gridSize(b.columns); err != nil {
		return err
	}
	line, tile := s.letters.line(labelSize), b.tiles.size()
	b.step = tile.Add(image.Pt(tileGap, tileGap))
	b.corner = image.Pt(1, 1)
	if len(b.Tiles) > 0 {
		b.step.X = max(b.step.X, s.letters.widest(b.Tiles, labelSize)+labelGap)
		b.step.Y += line
		b.corner.Y += line
	}
	if len(b.Heads) > 0 {
		b.step.X = max(b.step.X, s.letters.widest(b.Heads, labelSize)+labelGap)
		b.corner.Y += line
	}
	if len(b.Rows) > 0 {
		b.step.Y = max(b.step.Y, line)
		b.corner.X += s.letters.widest(b.Rows, labelSize) + labelGap
	}
	if b.Label != "" {
		b.corner.Y += line
	}
	rows := (b.tiles.n + b.columns - 1) / b.columns
	if rows > maxPixels/b.step.Y || b.columns > maxPixels/b.step.X {
		return fmt.Errorf("%d tiles: the picture would be larger than %d pixels; a smaller scale or fewer units may help", b.tiles.n, maxPixels)
	}
	b.size = b.corner.Add(image.Pt((b.columns-1)*b.step.X+tile.X+1, (rows-1)*b.step.Y+tile.Y+1))
	b.size.X = max(b.size.X, s.letters.width(b.Label, labelSize))
	return nil
}

// draw draws panels and notes.
func (s *sheet) draw(title string) (*Picture, error) {
	size := image.Pt(margin, margin)
	for _, w := range s.widths {
		size.X += w + margin
	}
	size.X = max(size.X, noteWidth+2*margin)
	for _, h := range s.heights {
		size.Y += h + margin
	}
	notes := s.notesText(size.X - 2*margin)
	notesAt := size.Y
	size.Y += notes.height + margin
	p, err := newPicture(title, size, s.letters)
	if err != nil {
		return nil, err
	}
	y := margin
	for i, row := range s.rows {
		x := margin
		for k, panel := range row {
			if panel != nil {
				s.drawPanel(p, panel, image.Pt(x, y))
			}
			x += s.widths[k] + margin
		}
		y += s.heights[i] + margin
	}
	notes.draw(p, image.Pt(margin, notesAt))
	return p, nil
}

func (s *sheet) drawPanel(p *Picture, panel *laidPanel, at image.Point) {
	if panel.Heading != "" {
		p.write(panel.Heading, headingSize, at.Add(image.Pt(0, s.letters.ascent(headingSize))), start)
		at.Y += s.letters.line(headingSize)
	}
	for i, b := range panel.blocks {
		s.drawBlock(p, b, at.Add(image.Pt(i%panel.columns*panel.step.X, i/panel.columns*panel.step.Y)))
	}
}

// drawBlock draws frames, tiles and labels of a block whose top left corner is
// given.
func (s *sheet) drawBlock(p *Picture, b *laidBlock, at image.Point) {
	first, tile := at.Add(b.corner), b.tiles.size()
	above := labelGap - 1 // from a baseline to what is below it
	place := func(i int) image.Point {
		return first.Add(image.Pt(i%b.columns*b.step.X, i/b.columns*b.step.Y))
	}
	for i := range b.tiles.n {
		p.fill(image.Rectangle{Max: tile}.Add(place(i)).Inset(-1), color.Gray{b.tiles.gap()})
		p.place(b.tiles.image(i), place(i), image.Pt(b.tiles.scale, b.tiles.scale))
	}
	for i, text := range b.Tiles[:min(len(b.Tiles), b.tiles.n)] {
		p.write(text, labelSize, place(i).Add(image.Pt(tile.X/2, -above)), middle)
	}
	for k, text := range b.Heads[:min(len(b.Heads), b.columns)] {
		p.write(text, labelSize, place(k).Add(image.Pt(tile.X/2, -above)), middle)
	}
	rows := (b.tiles.n + b.columns - 1) / b.columns
	for k, text := range b.Rows[:min(len(b.Rows), rows)] {
		p.write(text, labelSize, place(k*b.columns).Add(image.Pt(-labelGap, tile.Y/2+labelSize*2/5)), end)
	}
	if b.Label != "" {
		p.write(b.Label, labelSize, at.Add(image.Pt(b.corner.X, s.letters.ascent(labelSize))), start)
	}
}
