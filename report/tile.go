package report

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
)

// Tile is how the components of a pattern become the pixels of its tile. What draws
// patterns asks it, so that all pictures show a shape alike. The shapes are
//
//	[rows, cols]        a grey picture, a pixel for each component
//	[3, rows, cols]     a colour picture: red, green and blue, in this order
//	[rows, cols, 3]     the same, as most image files are
//	[n, rows, cols]     n grey pictures, the channels, side by side
//	[rows, cols, n]     the same
//	[n, m, rows, cols]  n*m grey pictures, and so on
//	[d], or none        no layout of its own, see below
//
// Sides of 1 at either end are dropped while more than two are left, so that
// [1, 28, 28] and [28, 28, 1] are pictures. [3, rows, 3] is taken for the former
// kind of colour picture. Of n grey pictures, the channels come first where rows
// and cols are equal then, or last where they are equal then; else the smaller one
// of the outer sides is n. The pictures of a tile are laid out as nearly in a
// square as their number allows, row by row, with lines of one pixel between them.
//
// A pattern without a layout is filled row by row into the nearest square:
// ceil(sqrt(components)) columns, as many rows as that needs, and the pixels left
// over empty.
type Tile struct {
	Rows, Cols int  // of the tile, in pixels
	Colour     bool // a pixel takes three components

	components int
	rows, cols int  // of each plane
	planes     int  // side by side, or on top of each other where there is colour
	across     int  // planes next to each other
	last       bool // the components of a pixel follow on each other
}

// What a pixel shows where it shows no component.
const (
	Empty = -1 // no component is left
	Gap   = -2 // the line between two planes
)

// NewTile lays out patterns of so many components. A shape that does not hold
// exactly these is an error.
func NewTile(shape []int, components int) (Tile, error) {
	if components < 1 {
		return Tile{}, fmt.Errorf("tile: patterns of %d components", components)
	}
	if shape != nil {
		left := components
		for _, side := range shape {
			if side < 1 || left%side != 0 {
				return Tile{}, fmt.Errorf("tile: shape %v does not hold %d components", shape, components)
			}
			left /= side
		}
		if left != 1 {
			return Tile{}, fmt.Errorf("tile: shape %v does not hold %d components", shape, components)
		}
	}
	for len(shape) > 2 && shape[0] == 1 {
		shape = shape[1:]
	}
	for len(shape) > 2 && shape[len(shape)-1] == 1 {
		shape = shape[:len(shape)-1]
	}
	t := Tile{components: components, planes: 1, across: 1}
	switch {
	case len(shape) < 2:
		t.cols = int(math.Ceil(math.Sqrt(float64(components))))
		t.rows = (components + t.cols - 1) / t.cols
	case len(shape) == 3 && channelsLast(shape):
		t.rows, t.cols, t.planes, t.last = shape[0], shape[1], shape[2], true
	default:
		t.rows, t.cols = shape[len(shape)-2], shape[len(shape)-1]
		t.planes = components / (t.rows * t.cols)
	}
	if t.Colour = len(shape) == 3 && t.planes == 3; !t.Colour {
		t.across = squareColumns(t.planes)
	}
	t.Rows, t.Cols = t.rows, t.cols
	if !t.Colour {
		down := (t.planes + t.across - 1) / t.across
		t.Rows, t.Cols = down*(t.rows+1)-1, t.across*(t.cols+1)-1
	}
	return t, nil
}

// channelsLast tells which of three sides counts the channels.
func channelsLast(shape []int) bool {
	first, middle, last := shape[0], shape[1], shape[2]
	switch {
	case first == 3 || last == 3:
		return first != 3
	case middle == last || first == middle:
		return middle != last
	}
	return last < first
}

// component is which one a pixel shows, in one of its channels where there is
// colour (0 to 2); or Empty, or Gap.
func (t Tile) component(x, y, channel int) int {
	plane := channel
	if !t.Colour {
		if x%(t.cols+1) == t.cols || y%(t.rows+1) == t.rows {
			return Gap
		}
		plane = y/(t.rows+1)*t.across + x/(t.cols+1)
		x, y = x%(t.cols+1), y%(t.rows+1)
	}
	k := (plane*t.rows+y)*t.cols + x
	if t.last {
		k = (y*t.cols+x)*t.planes + plane
	}
	if plane >= t.planes || k >= t.components {
		return Empty
	}
	return k
}

// Canvas is a black picture of so many pixels that tiles can be drawn on, grey or
// with colours.
func (t Tile) Canvas(size image.Point) draw.Image {
	if t.Colour {
		img := image.NewRGBA(image.Rectangle{Max: size})
		draw.Draw(img, img.Rect, image.Black, image.Point{}, draw.Src)
		return img
	}
	return image.NewGray(image.Rectangle{Max: size})
}

// Draw draws a tile on what [Tile.Canvas] made. tone is how bright a component is,
// from 0 to 255, and Empty and Gap.
func (t Tile) Draw(on draw.Image, at image.Point, tone func(component int) uint8) {
	for y := range t.Rows {
		for x := range t.Cols {
			switch img := on.(type) {
			case *image.Gray:
				img.Pix[img.PixOffset(at.X+x, at.Y+y)] = tone(t.component(x, y, 0))
			default:
				red, green, blue := t.component(x, y, 0), t.component(x, y, 1), t.component(x, y, 2)
				on.Set(at.X+x, at.Y+y, color.RGBA{tone(red), tone(green), tone(blue), 255})
			}
		}
	}
}

// About says what is particular in reading the tile; "" for a grey picture, and
// for what has no layout of its own.
func (t Tile) About() string {
	switch {
	case t.Colour:
		return "Three channels are drawn as red, green and blue."
	case t.planes > 1:
		return fmt.Sprintf("Each tile has %d channels of %dx%d side by side, row by row.", t.planes, t.rows, t.cols)
	}
	return ""
}
