package report

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
)

const (
	heatTarget = 420 // pixels that a matrix's longer side is drawn with, if one per element allows
	heatBar    = 20  // width of the colour bar, in pixels
	tickLength = 5   // of an axis' marks, in pixels
	maxTicks   = 6   // marks of an axis
)

// HeatMap is a square matrix that is drawn in colour, rows downwards.
type HeatMap struct {
	Title  string
	Matrix *tensor.Dense // [U, U], from 0 to 1; NaN is drawn grey
	Units  []int         // [U] the numbers of rows and columns
}

// HeatMaps draws matrices of responses, in rows and columns, with a colour bar
// from 0 (dark) to 1 (bright) at the right. The colours are those of viridis:
// their brightness rises evenly, so that equal steps look equal, also to the
// colour-blind and in print. Each element takes a square of pixels. A nil entry
// leaves its place empty.
func HeatMaps(rows [][]*HeatMap) (*image.RGBA, error) {
	letters, err := newLetters()
	if err != nil {
		return nil, fmt.Errorf("heat map: %w", err)
	}
	panels, widths, heights, err := heatPanels(rows, letters)
	if err != nil {
		return nil, fmt.Errorf("heat map: %w", err)
	}
	bar := heatBar + tickLength + letters.width("0.5 ")
	size := image.Pt(2*figureMargin+bar, figureMargin)
	for _, w := range widths {
		size.X += w + figureMargin
	}
	for _, h := range heights {
		size.Y += h + figureMargin
	}
	if size.Y > maxPixels/size.X {
		return nil, fmt.Errorf("heat map: the picture would be %dx%d, larger than %d pixels; fewer units may help", size.X, size.Y, maxPixels)
	}
	img := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	y := figureMargin
	for i, row := range panels {
		x := figureMargin
		for k, p := range row {
			if p != nil {
				p.draw(img, image.Pt(x, y), letters)
			}
			x += widths[k] + figureMargin
		}
		y += heights[i] + figureMargin
	}
	drawBar(img, image.Rect(size.X-figureMargin-bar, figureMargin+letters.height(), size.X-figureMargin-bar+heatBar, figureMargin+letters.height()+min(heatTarget, size.Y/2)), letters)
	return img, nil
}

// heatPanel is a matrix ready to draw.
type heatPanel struct {
	*HeatMap
	n      int
	data   []float32
	scale  int         // pixels per element
	corner image.Point // of the matrix within the panel: what stands left of and above it
	size   image.Point // of the whole panel
}

// The names of the axes.
const (
	columnAxis = "unit that responds"
	rowAxis    = "unit whose pattern is shown"
)

// heatPanels measures all panels, columns and rows.
func heatPanels(rows [][]*HeatMap, l *letters) (panels [][]*heatPanel, widths, heights []int, err error) {
	heights = make([]int, len(rows))
	for i, row := range rows {
		panels = append(panels, make([]*heatPanel, len(row)))
		for len(widths) < len(row) {
			widths = append(widths, 0)
		}
		for k, m := range row {
			if m == nil {
				continue
			}
			p, err := newHeatPanel(m, l)
			if err != nil {
				return nil, nil, nil, fmt.Errorf("%s: %w", m.Title, err)
			}
			panels[i][k] = p
			widths[k], heights[i] = max(widths[k], p.size.X), max(heights[i], p.size.Y)
		}
	}
	if len(widths) == 0 {
		return nil, nil, nil, fmt.Errorf("no matrices")
	}
	return panels, widths, heights, nil
}

func newHeatPanel(m *HeatMap, l *letters) (*heatPanel, error) {
	if m.Matrix == nil || m.Matrix.Dims() != 2 || m.Matrix.Shape()[0] != m.Matrix.Shape()[1] {
		return nil, fmt.Errorf("matrix is %s, want a square one", describe(m.Matrix))
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
	p := &heatPanel{HeatMap: m, n: n, data: data, scale: max(1, heatTarget/n)}
	ticks := 0
	for _, i := range p.ticks() {
		ticks = max(ticks, l.width(strconv.Itoa(m.Units[i])))
	}
	p.corner = image.Pt(l.height()+ticks+2*tickLength, l.height())
	side := n * p.scale
	// The title may be wider than the matrix, and a last number stick out.
	p.size = image.Pt(max(p.corner.X+side+ticks/2, l.width(m.Title), p.corner.X+l.width(columnAxis)), p.corner.Y+max(side, l.width(rowAxis))+2*tickLength+2*l.height())
	return p, nil
}

// ticks are the places of an axis that are marked: at most maxTicks, evenly
// spaced, from the first one on.
func (p *heatPanel) ticks() (places []int) {
	step := 1
	for factors, k := []int{2, 5, 10}, 0; (p.n-1)/step >= maxTicks; k++ {
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

// draw draws the panel with its top left corner at a point.
func (p *heatPanel) draw(img *image.RGBA, at image.Point, l *letters) {
	corner := at.Add(p.corner)
	side := p.n * p.scale
	l.draw(img, image.Pt(corner.X, at.Y), p.Title)
	for i := range p.n {
		for j := range p.n {
			cell := image.Rect(0, 0, p.scale, p.scale).Add(corner).Add(image.Pt(j*p.scale, i*p.scale))
			paint(img, cell, viridis(p.data[i*p.n+j]))
		}
	}
	for _, i := range p.ticks() {
		middle, text := i*p.scale+p.scale/2, strconv.Itoa(p.Units[i])
		paint(img, image.Rect(-tickLength, 0, 0, 1).Add(corner).Add(image.Pt(0, middle)), color.RGBA{A: 255})
		l.draw(img, corner.Add(image.Pt(-2*tickLength-l.width(text), middle-l.height()/2)), text)
		paint(img, image.Rect(0, 0, 1, tickLength).Add(corner).Add(image.Pt(middle, side)), color.RGBA{A: 255})
		l.draw(img, corner.Add(image.Pt(middle-l.width(text)/2, side+tickLength)), text)
	}
	l.draw(img, corner.Add(image.Pt(max(0, (side-l.width(columnAxis))/2), side+2*tickLength+l.height())), columnAxis)
	l.drawUpwards(img, image.Pt(at.X, corner.Y+max(0, (side-l.width(rowAxis))/2)), rowAxis)
}

// drawBar draws the colour bar, 1 at its top.
func drawBar(img *image.RGBA, r image.Rectangle, l *letters) {
	for y := range r.Dy() {
		paint(img, image.Rect(r.Min.X, r.Min.Y+y, r.Max.X, r.Min.Y+y+1), viridis(1-float32(y)/float32(r.Dy()-1)))
	}
	for _, v := range []float64{0, 0.5, 1} {
		y := r.Max.Y - 1 - int(v*float64(r.Dy()-1))
		paint(img, image.Rect(r.Max.X, y, r.Max.X+tickLength, y+1), color.RGBA{A: 255})
		l.draw(img, image.Pt(r.Max.X+2*tickLength, y-l.height()/2), strconv.FormatFloat(v, 'g', -1, 64))
	}
}

func paint(img *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(img, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// drawUpwards writes a heading from below to above, with its upper end at the
// top left corner given.
func (l *letters) drawUpwards(img *image.RGBA, corner image.Point, text string) {
	flat := image.NewGray(image.Rect(0, 0, l.width(text), l.height()))
	fill(flat, flat.Rect, white)
	l.draw(flat, image.Point{}, text)
	for y := range flat.Rect.Dy() {
		for x := range flat.Rect.Dx() {
			img.Set(corner.X+y, corner.Y+flat.Rect.Dx()-1-x, flat.GrayAt(x, y))
		}
	}
}

// noResponse is the colour of NaN.
var noResponse = color.RGBA{190, 190, 190, 255}

// viridis is the colour of v from 0 to 1 in the colour map viridis (Smith and
// van der Walt, 2015, in the public domain), interpolated between its colours at
// each ninth.
func viridis(v float32) color.RGBA {
	points := [...]color.RGBA{
		{0x44, 0x01, 0x54, 255}, {0x48, 0x28, 0x78, 255}, {0x3e, 0x49, 0x89, 255}, {0x31, 0x68, 0x8e, 255}, {0x26, 0x82, 0x8e, 255},
		{0x1f, 0x9e, 0x89, 255}, {0x35, 0xb7, 0x79, 255}, {0x6e, 0xce, 0x58, 255}, {0xb5, 0xde, 0x2b, 255}, {0xfd, 0xe7, 0x25, 255},
	}
	if v != v {
		return noResponse
	}
	at := max(0, min(1, v)) * float32(len(points)-1)
	i := min(int(at), len(points)-2)
	mix := func(a, b uint8) uint8 { return uint8(float32(a) + (at-float32(i))*(float32(b)-float32(a)) + 0.5) }
	a, b := points[i], points[i+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}
