package report

import (
	"fmt"
	"image"
	"image/color"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
)

const (
	heatTarget  = 420 // pixels that a matrix's side is drawn with, if one per element allows
	smallTarget = 200 // the same where more than two stand side by side
	heatBar     = 20  // width of the colour bar, in pixels
	tickLength  = 5   // of an axis' marks, in pixels
	maxTicks    = 12  // marks of an axis
	treeWidth   = 120 // of a dendrogram, in pixels, without the stems
	treeStem    = 10  // of each leaf before its first join, and of the root, in pixels
)

// HeatMap is a square matrix that is drawn in colour, rows downwards.
type HeatMap struct {
	Title  string
	Matrix *tensor.Dense // [N, N]; NaN is drawn grey
	Units  []int         // [N] the numbers of rows and columns
	// Tree is drawn at the right of the matrix, nil for none. Its leaves are the
	// rows in their order.
	Tree *Tree
}

// Tree is a dendrogram of N leaves: the joins of groups, from the most similar
// ones on.
type Tree struct {
	Joins []Join
	// Cut is a similarity that a line is drawn at: groups joined at the right of
	// it stay apart.
	Cut float64
}

// Join joins two groups. A group is known by a number: leaf k by k, and what
// the j-th join makes by N+j.
type Join struct {
	A, B       int
	Similarity float64
}

// HeatOptions says what matrices are about, and how they are drawn.
type HeatOptions struct {
	Title         string  // the picture in a few words, not drawn
	Heading       string  // above everything; may be empty
	Rows, Columns string  // what rows and columns are
	What          string  // what the colours are
	Note          string  // below everything; may be empty
	Low, High     float64 // the numbers of the first and the last colour
}

// HeatMaps draws matrices in rows and columns, with a colour bar at the right.
// The colours are those of viridis: their lightness rises evenly, so that equal
// steps look equal, also to the colour-blind and in print; numbers beyond an end
// are drawn as that end. Each element takes a square of pixels. A nil entry
// leaves its place empty.
func HeatMaps(rows [][]*HeatMap, o HeatOptions) (*Picture, error) {
	p, err := heatMaps(rows, o)
	if err != nil {
		return nil, fmt.Errorf("heat map: %w", err)
	}
	return p, nil
}

func heatMaps(rows [][]*HeatMap, o HeatOptions) (*Picture, error) {
	if !(o.High > o.Low) || o.High-o.Low > 1e30 {
		return nil, fmt.Errorf("colours from %g to %g, want two finite numbers, the lower one first", o.Low, o.High)
	}
	l, err := newLetters()
	if err != nil {
		return nil, err
	}
	panels, widths, heights, err := heatPanels(rows, o, l)
	if err != nil {
		return nil, err
	}
	top := margin
	if o.Heading != "" {
		top += l.line(headingSize) + labelGap
	}
	size := image.Pt(margin, top)
	for _, w := range widths {
		size.X += w + margin
	}
	for _, h := range heights {
		size.Y += h + margin
	}
	bar := image.Rect(size.X, top+l.line(headingSize), size.X+heatBar, top+l.line(headingSize)+min(heatTarget, max(60, heights[0]-l.line(headingSize)-3*l.line(labelSize))))
	size.X += heatBar + 2*tickLength + l.widest(barNumbers(o), labelSize) + l.line(labelSize) + margin
	size.X = max(size.X, l.width(o.Heading, headingSize)+2*margin)
	size.Y = max(size.Y, bar.Max.Y+margin, bar.Min.Y+l.width(o.What, labelSize)+margin)
	note := l.wrap(o.Note, labelSize, size.X-2*margin)
	noteAt := image.Pt(margin, size.Y+l.ascent(labelSize))
	if o.Note != "" {
		size.Y += len(note)*l.line(labelSize) + margin
	}
	p, err := newPicture(o.Title, size, l)
	if err != nil {
		return nil, err
	}
	p.write(o.Heading, headingSize, image.Pt(margin, margin+l.ascent(headingSize)), start)
	y := top
	for i, row := range panels {
		x := margin
		for k, panel := range row {
			if panel != nil {
				panel.draw(p, image.Pt(x, y))
			}
			x += widths[k] + margin
		}
		y += heights[i] + margin
	}
	drawBar(p, bar, o)
	for i, line := range note {
		p.write(line, labelSize, noteAt.Add(image.Pt(0, i*l.line(labelSize))), start)
	}
	p.about = fmt.Sprintf("Rows: %s. Columns: %s. Colours: %s, from %g (dark) to %g (bright); grey is unknown. %s", o.Rows, o.Columns, o.What, o.Low, o.High, o.Note)
	p.about = strings.TrimSpace(p.about)
	return p, nil
}

// heatPanel is a matrix ready to draw.
type heatPanel struct {
	*HeatMap
	options HeatOptions
	n       int
	data    []float32
	scale   int         // pixels per element
	most    int         // marks of an axis
	corner  image.Point // of the matrix within the panel: what stands left of and above it
	size    image.Point // of the whole panel
}

// heatPanels measures all panels, columns and rows.
func heatPanels(rows [][]*HeatMap, o HeatOptions, l *letters) (panels [][]*heatPanel, widths, heights []int, err error) {
	heights = make([]int, len(rows))
	for _, row := range rows {
		for len(widths) < len(row) {
			widths = append(widths, 0)
		}
	}
	target := heatTarget
	if len(widths) > 2 {
		target = smallTarget
	}
	any := false
	for i, row := range rows {
		panels = append(panels, make([]*heatPanel, len(row)))
		for k, m := range row {
			if m == nil {
				continue
			}
			p, err := newHeatPanel(m, o, target, l)
			if err != nil {
				return nil, nil, nil, fmt.Errorf("%s: %w", m.Title, err)
			}
			panels[i][k], any = p, true
			widths[k], heights[i] = max(widths[k], p.size.X), max(heights[i], p.size.Y)
		}
	}
	if !any {
		return nil, nil, nil, fmt.Errorf("no matrices")
	}
	return panels, widths, heights, nil
}

func newHeatPanel(m *HeatMap, o HeatOptions, target int, l *letters) (*heatPanel, error) {
	if m.Matrix == nil {
		return nil, fmt.Errorf("matrix is missing (nil)")
	}
	if m.Matrix.Dims() != 2 || m.Matrix.Shape()[0] != m.Matrix.Shape()[1] || m.Matrix.Shape()[0] < 1 {
		return nil, fmt.Errorf("matrix is %v, want a square one", []int(m.Matrix.Shape()))
	}
	n := m.Matrix.Shape()[0]
	if len(m.Units) != n {
		return nil, fmt.Errorf("%d units for a matrix of %d", len(m.Units), n)
	}
	if n > maxPixels/n {
		return nil, fmt.Errorf("%d units: the picture would be larger than %d pixels; fewer units may help", n, maxPixels)
	}
	data, err := dense.Data(m.Matrix)
	if err != nil {
		return nil, err
	}
	if err := m.Tree.check(n); err != nil {
		return nil, err
	}
	ticks := l.widest(unitNames(m.Units, ""), labelSize)
	p := &heatPanel{HeatMap: m, options: o, n: n, data: data, scale: max(1, target/n), most: max(2, min(maxTicks, target/(ticks+labelGap)))}
	p.corner = image.Pt(l.line(labelSize)+ticks+2*tickLength, l.line(headingSize))
	side := n * p.scale
	right := side + ticks/2 // a last number may stick out
	if m.Tree != nil {
		right = side + labelGap + 2*treeStem + treeWidth
	}
	// The title and the names of the axes may be longer than the matrix.
	p.size = image.Pt(
		max(p.corner.X+max(right, l.width(o.Columns, labelSize)), l.width(m.Title, headingSize)),
		p.corner.Y+max(side+tickLength+2*l.line(labelSize), l.width(o.Rows, labelSize)))
	return p, nil
}

// ticks are the places of an axis that are marked: as many as there is room for,
// evenly spaced, from the first one on.
func (p *heatPanel) ticks() (places []int) {
	step := 1
	for factors, k := []int{2, 5, 10}, 0; (p.n-1)/step >= p.most; k++ {
		decade := 1
		for range k / 3 {
			decade *= 10
		}
		step = factors[k%3] * decade
	}
	for i := 0; i < p.n; i += step {
		places = append(places, i)
	}
	return places
}

func (p *heatPanel) draw(img *Picture, at image.Point) {
	l, corner, side := img.letters, at.Add(p.corner), p.n*p.scale
	img.write(p.Title, headingSize, at.Add(image.Pt(0, l.ascent(headingSize))), start)
	img.place(p.image(), corner, image.Pt(p.scale, p.scale))
	for _, i := range p.ticks() {
		text, center := strconv.Itoa(p.Units[i]), i*p.scale+p.scale/2
		img.fill(image.Rect(-tickLength, 0, 0, 1).Add(corner).Add(image.Pt(0, center)), color.Gray{})
		img.write(text, labelSize, corner.Add(image.Pt(-2*tickLength, center+labelSize*2/5)), end)
		img.fill(image.Rect(0, 0, 1, tickLength).Add(corner).Add(image.Pt(center, side)), color.Gray{})
		img.write(text, labelSize, corner.Add(image.Pt(center, side+tickLength+l.ascent(labelSize))), middle)
	}
	below := side + tickLength + l.line(labelSize) + l.ascent(labelSize)
	if wide := l.width(p.options.Columns, labelSize); wide <= side {
		img.write(p.options.Columns, labelSize, corner.Add(image.Pt(side/2, below)), middle)
	} else {
		img.write(p.options.Columns, labelSize, corner.Add(image.Pt(0, below)), start)
	}
	left := at.X + l.ascent(labelSize)
	if wide := l.width(p.options.Rows, labelSize); wide <= side {
		img.writeUpwards(p.options.Rows, labelSize, image.Pt(left, corner.Y+side/2), middle)
	} else {
		img.writeUpwards(p.options.Rows, labelSize, image.Pt(left, corner.Y), end)
	}
	if p.Tree != nil {
		tree := corner.Add(image.Pt(side+labelGap, 0))
		p.drawTree(img, tree)
		img.write("joined at", labelSize, tree.Add(image.Pt(treeStem+treeWidth/2, below)), middle)
	}
}

// image is the matrix in colour, one pixel per element.
func (p *heatPanel) image() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, p.n, p.n))
	for i, v := range p.data {
		img.SetRGBA(i%p.n, i/p.n, viridis((float64(v)-p.options.Low)/(p.options.High-p.options.Low)))
	}
	return img
}

// check makes sure that a tree joins n leaves, each group once.
func (t *Tree) check(n int) error {
	if t == nil {
		return nil
	}
	if len(t.Joins) != n-1 {
		return fmt.Errorf("a tree of %d joins for %d rows, want %d", len(t.Joins), n, n-1)
	}
	joined := make([]bool, 2*n)
	for j, join := range t.Joins {
		for _, g := range []int{join.A, join.B} {
			if g < 0 || g >= n+j || joined[g] {
				return fmt.Errorf("join %d of the tree joins group %d, which there is not (any more)", j, g)
			}
			joined[g] = true
		}
		if join.Similarity-join.Similarity != 0 {
			return fmt.Errorf("join %d of the tree has the similarity %g", j, join.Similarity)
		}
	}
	return nil
}

// drawTree draws a dendrogram: the leaves at the left, each with a stem, so that
// one that is joined at once is seen too, the most similar groups joined first,
// and a stem for the root. Its axis is that of the colours, from the high end on,
// and has its ends written below.
func (p *heatPanel) drawTree(img *Picture, at image.Point) {
	ink := color.Gray{}
	across := func(similarity float64) int {
		share := (p.options.High - similarity) / (p.options.High - p.options.Low)
		return treeStem + int(float64(treeWidth-1)*min(1, max(0, share)))
	}
	if cut := p.Tree.Cut; cut > p.options.Low && cut < p.options.High {
		img.fill(image.Rect(0, 0, 1, p.n*p.scale).Add(at).Add(image.Pt(across(cut), 0)), color.RGBA{0xD5, 0x5E, 0x00, 255})
	}
	places := make([]image.Point, 0, 2*p.n)
	for i := range p.n {
		places = append(places, image.Pt(0, i*p.scale+p.scale/2))
	}
	below := p.n*p.scale + tickLength + img.letters.ascent(labelSize)
	img.fill(image.Rect(across(p.options.High), p.n*p.scale, across(p.options.Low)+1, p.n*p.scale+1).Add(at), ink)
	for _, end := range []float64{p.options.High, p.options.Low} {
		x := across(end)
		img.fill(image.Rect(x, p.n*p.scale, x+1, p.n*p.scale+tickLength).Add(at), ink)
		img.write(number(float32(end)), labelSize, at.Add(image.Pt(x, below)), middle)
	}
	for _, j := range p.Tree.Joins {
		a, b, x := places[j.A], places[j.B], across(j.Similarity)
		if a.Y > b.Y {
			a, b = b, a
		}
		// Of a tree whose similarities do not fall, no line runs backwards.
		x = max(x, a.X, b.X)
		img.fill(image.Rect(a.X, a.Y, x, a.Y+1).Add(at), ink)
		img.fill(image.Rect(b.X, b.Y, x, b.Y+1).Add(at), ink)
		img.fill(image.Rect(x, a.Y, x+1, b.Y+1).Add(at), ink)
		places = append(places, image.Pt(x, (a.Y+b.Y)/2))
	}
	root := places[len(places)-1]
	img.fill(image.Rect(root.X, root.Y, root.X+treeStem, root.Y+1).Add(at), ink)
}

// barNumbers are those beside the colour bar, from the lowest one on.
func barNumbers(o HeatOptions) (texts []string) {
	for i := range 5 {
		texts = append(texts, number(float32(o.Low+float64(i)/4*(o.High-o.Low))))
	}
	return texts
}

// drawBar draws the colour bar, the high end at its top.
func drawBar(p *Picture, r image.Rectangle, o HeatOptions) {
	ramp := image.NewRGBA(image.Rect(0, 0, 1, r.Dy()))
	for y := range r.Dy() {
		ramp.SetRGBA(0, y, viridis(1-float64(y)/float64(r.Dy()-1)))
	}
	p.place(ramp, r.Min, image.Pt(r.Dx(), 1))
	numbers := barNumbers(o)
	for i, text := range numbers {
		y := r.Max.Y - 1 - i*(r.Dy()-1)/4
		p.fill(image.Rect(r.Max.X, y, r.Max.X+tickLength, y+1), color.Gray{})
		p.write(text, labelSize, image.Pt(r.Max.X+2*tickLength, y+labelSize*2/5), start)
	}
	right := r.Max.X + 2*tickLength + p.letters.widest(numbers, labelSize) + p.letters.line(labelSize)
	p.writeUpwards(o.What, labelSize, image.Pt(right, r.Min.Y), end)
}

// noNumber is the colour of NaN.
var noNumber = color.RGBA{190, 190, 190, 255}

// viridis is the colour of v from 0 to 1 in the colour map viridis (Smith and
// van der Walt, 2015, in the public domain), interpolated between its colours at
// each ninth.
func viridis(v float64) color.RGBA {
	points := [...]color.RGBA{
		{0x44, 0x01, 0x54, 255}, {0x48, 0x28, 0x78, 255}, {0x3e, 0x49, 0x89, 255}, {0x31, 0x68, 0x8e, 255}, {0x26, 0x82, 0x8e, 255},
		{0x1f, 0x9e, 0x89, 255}, {0x35, 0xb7, 0x79, 255}, {0x6e, 0xce, 0x58, 255}, {0xb5, 0xde, 0x2b, 255}, {0xfd, 0xe7, 0x25, 255},
	}
	if v != v {
		return noNumber
	}
	at := max(0, min(1, v)) * float64(len(points)-1)
	i := min(int(at), len(points)-2)
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (at-float64(i))*(float64(b)-float64(a)) + 0.5) }
	a, b := points[i], points[i+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}
