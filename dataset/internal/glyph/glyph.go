// Package glyph holds the shapes of the digits of several faces of the Go
// fonts, as fields of distances: each sample is how far it lies inside
// (positive) or outside (negative) of the ink. A stroke drawn from such a field
// can be made thinner or thicker by a constant, and stays smooth when bent.
package glyph

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomediumitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/gomonobolditalic"
	"golang.org/x/image/font/gofont/gomonoitalic"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"

	"github.com/unitscope/unitscope/dataset/internal/elastic"
)

// Side and Box are the sides, in pixels, of a digit's picture and of the box
// that its ink fills: the larger side of the ink is scaled to Box, and its
// centre of mass is the picture's middle, as MNIST's are. MNIST's box is 20; the
// difference is room for bending, so that ink seldom leaves the picture.
const (
	Side = 28
	Box  = 18
)

// density is samples per pixel; margin is samples around the picture, so that
// what a deformation fetches from outside is still outside of the ink.
const (
	density = 2
	margin  = 6
	side    = Side*density + 2*margin
)

// Face is the digits of one face. Their fields' samples are distances in pixels.
type Face struct {
	Digits [10]elastic.Picture
	Stroke float64 // half the width of its thickest strokes, pixels
}

// Load draws the digits of every face.
func Load() ([]Face, error) {
	fonts := [][]byte{
		goregular.TTF, goitalic.TTF, gomedium.TTF, gomediumitalic.TTF, gobold.TTF, gobolditalic.TTF,
		gomono.TTF, gomonoitalic.TTF, gomonobold.TTF, gomonobolditalic.TTF,
	}
	faces, errs := make([]Face, len(fonts)), make([]error, len(fonts))
	var wait sync.WaitGroup
	for i, ttf := range fonts {
		wait.Go(func() { faces[i], errs[i] = newFace(ttf) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("built-in font: %w", err)
	}
	return faces, nil
}

func newFace(ttf []byte) (Face, error) {
	var face Face
	font, err := opentype.Parse(ttf)
	if err != nil {
		return face, err
	}
	for digit := range face.Digits {
		letter := rune('0' + digit)
		if digit == 0 {
			letter = 'O' // the Go fonts strike their zeros through, few people do
		}
		outline, err := outlineOf(font, letter)
		if err != nil {
			return face, fmt.Errorf("digit %d: %w", digit, err)
		}
		face.Digits[digit] = distances(outline.normalised())
	}
	// A zero has no corners or crossings, where the ink is deeper than a stroke.
	for _, d := range face.Digits[0].Data {
		face.Stroke = max(face.Stroke, float64(d))
	}
	return face, nil
}

// block is how many samples, in both directions, look for their nearest edge
// together; it divides side.
const block = 4

// distances is the field of an outline that is given in pixels about the
// picture's middle. A block's samples are all within reach of its middle, so that
// the nearest edge of each is at most twice that farther from the middle than the
// middle's own; the others need not be looked at.
func distances(o outline) elastic.Picture {
	p := elastic.Picture{Rows: side, Cols: side, Density: density, Margin: margin, Data: make([]float32, side*side)}
	place := func(i float64) float64 { return (i+0.5-margin)/density - Side/2 }
	const middle = (block - 1) / 2.0
	reach := math.Hypot(middle, middle) / density
	var near outline
	var crossed [block]outline
	squares := make([]float64, len(o))
	for top := 0; top < side; top += block {
		for i := range crossed {
			crossed[i] = o.crossing(crossed[i][:0], place(float64(top+i)))
		}
		for left := 0; left < side; left += block {
			near = o.within(near[:0], squares, point{place(float64(left) + middle), place(float64(top) + middle)}, 2*reach)
			for i := range block {
				for col := left; col < left+block; col++ {
					at := point{place(float64(col)), place(float64(top + i))}
					p.Data[(top+i)*side+col] = float32(distance(at, near, crossed[i]))
				}
			}
		}
	}
	return p
}

type point struct{ x, y float64 }

// edge runs from one point by (dx, dy) to the next.
type edge struct {
	from, to point
	dx, dy   float64
	inverse  float64 // 1 over its length squared
}

func newEdge(from, to point) edge {
	dx, dy := to.x-from.x, to.y-from.y
	return edge{from, to, dx, dy, 1 / (dx*dx + dy*dy)}
}

// outline is closed polygons, edge by edge.
type outline []edge

// unitsPerEm is the size at which outlines are read: fine enough that the
// font's own rounding vanishes.
const unitsPerEm = 1000

func outlineOf(font *opentype.Font, r rune) (outline, error) {
	var buffer sfnt.Buffer
	index, err := font.GlyphIndex(&buffer, r)
	if err != nil {
		return nil, err
	}
	segments, err := font.LoadGlyph(&buffer, index, unitsPerEm<<6, nil)
	if err != nil {
		return nil, err
	}
	var o outline
	var start, at point
	for _, s := range segments {
		var p [3]point
		for i, a := range s.Args {
			p[i] = point{float64(a.X) / 64, float64(a.Y) / 64}
		}
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			o = o.line(at, start)
			start, at = p[0], p[0]
		case sfnt.SegmentOpLineTo:
			o = o.line(at, p[0])
			at = p[0]
		case sfnt.SegmentOpQuadTo:
			o = o.curve(at, p[0], p[1])
			at = p[1]
		default: // the Go fonts are TrueType, which has no cubic curves
			return nil, fmt.Errorf("outline has a segment of kind %d", s.Op)
		}
	}
	return o.line(at, start), nil
}

func (o outline) line(from, to point) outline {
	if from == to {
		return o
	}
	return append(o, newEdge(from, to))
}

// curve adds a quadratic Bezier curve as straight pieces, which stay within a
// few hundredths of a pixel of it.
func (o outline) curve(a, b, c point) outline {
	const pieces = 4
	from := a
	for i := 1; i <= pieces; i++ {
		t := float64(i) / pieces
		u := 1 - t
		to := point{u*u*a.x + 2*u*t*b.x + t*t*c.x, u*u*a.y + 2*u*t*b.y + t*t*c.y}
		o = o.line(from, to)
		from = to
	}
	return o
}

// normalised is the outline scaled to Box, its centre of mass at the origin.
func (o outline) normalised() outline {
	low, high := o[0].from, o[0].from
	var area, sumX, sumY float64
	for _, e := range o {
		low = point{math.Min(low.x, e.from.x), math.Min(low.y, e.from.y)}
		high = point{math.Max(high.x, e.from.x), math.Max(high.y, e.from.y)}
		// Green's theorem; the holes, which run the other way, subtract.
		cross := e.from.x*e.to.y - e.to.x*e.from.y
		area += cross / 2
		sumX += (e.from.x + e.to.x) * cross / 6
		sumY += (e.from.y + e.to.y) * cross / 6
	}
	scale := Box / math.Max(high.x-low.x, high.y-low.y)
	move := func(p point) point { return point{(p.x - sumX/area) * scale, (p.y - sumY/area) * scale} }
	result := make(outline, len(o))
	for i, e := range o {
		result[i] = newEdge(move(e.from), move(e.to))
	}
	return result
}

// within appends the edges that are at most so much farther from p than the
// nearest one. squares, of the outline's length, is room to work in.
func (o outline) within(near outline, squares []float64, p point, more float64) outline {
	for i := range o {
		squares[i] = o[i].squaredDistance(p)
	}
	// A little more, for roundings.
	limit := math.Sqrt(slices.Min(squares)) + more + 1e-6
	for i, s := range squares {
		if s <= limit*limit {
			near = append(near, o[i])
		}
	}
	return near
}

// crossing appends the edges that cross the height y.
func (o outline) crossing(crossed outline, y float64) outline {
	for i := range o {
		if (o[i].from.y <= y) != (o[i].to.y <= y) {
			crossed = append(crossed, o[i])
		}
	}
	return crossed
}

// squaredDistance is that of a point from the edge.
func (e *edge) squaredDistance(p point) float64 {
	px, py := p.x-e.from.x, p.y-e.from.y
	along := (px*e.dx + py*e.dy) * e.inverse
	if along < 0 {
		along = 0
	}
	if along > 1 {
		along = 1
	}
	nearX, nearY := px-along*e.dx, py-along*e.dy
	return nearX*nearX + nearY*nearY
}

// distance is how far p lies inside (positive) or outside (negative) of an
// outline, by the nonzero winding rule. The edge nearest to p is among near, and
// crossed are those that cross p's height.
func distance(p point, near, crossed outline) float64 {
	nearest := math.Inf(1)
	for i := range near {
		nearest = min(nearest, near[i].squaredDistance(p))
	}
	winding := 0
	for i := range crossed {
		e := &crossed[i]
		side := e.dx*(p.y-e.from.y) - e.dy*(p.x-e.from.x)
		switch {
		case e.from.y <= p.y && side > 0:
			winding++
		case e.from.y > p.y && side < 0:
			winding--
		}
	}
	if winding == 0 {
		return -math.Sqrt(nearest)
	}
	return math.Sqrt(nearest)
}
