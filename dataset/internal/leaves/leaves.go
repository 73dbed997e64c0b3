// Package leaves draws dead-leaves pictures (Matheron, 1968; Lee, Mumford and
// Huang, 2001): shapes of all sizes that lie on one another as leaves do on the
// ground. They have what matters in pictures of nature, edges where one thing
// hides another, at every scale, and a spectrum that falls about as theirs.
package leaves

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

// The leaves. Radii (of a rectangle: half its length) have density r^-3, with
// which pictures look the same from any distance, within these bounds in pixels;
// the upper one is a share of the picture's side.
const (
	smallest    = 4.0
	largestPart = 0.25
	slimmest    = 0.25 // width over length; up to 1, uniform
	rectangles  = 0.5  // share of the leaves; the others are ellipses
)

// through is the share of a pixel that may be left open before the next leaf
// fills it.
const through = 1.0 / 512

// leaf is one shape.
type leaf struct {
	x, y          float64 // centre
	a, b          float64 // half its length and width
	cos, sin      float64 // of its direction
	grey          float32
	rectangle     bool
	across, along float64 // half the sides of the box around it, [rows, cols]
}

// Draw draws a picture [side, side] of greys between 0 and 1. Leaves fall from
// the nearest to the farthest, each seen where the earlier ones leave room, until
// no ground is left, so that the picture is one of infinitely many leaves. Edges
// are anti-aliased. The picture goes on at its borders: what leaves it on the
// right comes back on the left.
func Draw(side int, source *engine.Source) []float32 {
	picture, open := make([]float32, side*side), make([]float32, side*side)
	for i := range open {
		open[i] = 1
	}
	for left := len(open); left > 0; {
		l := fall(side, source)
		left -= l.draw(picture, open, side)
	}
	return picture
}

// fall draws a leaf's random numbers.
func fall(side int, source *engine.Source) leaf {
	var l leaf
	l.x, l.y = float64(side)*source.Uniform(), float64(side)*source.Uniform()
	ratio := smallest / (largestPart * float64(side))
	l.a = smallest / math.Sqrt(1-source.Uniform()*(1-ratio*ratio))
	l.b = l.a * (slimmest + (1-slimmest)*source.Uniform())
	angle := math.Pi * source.Uniform()
	l.grey = float32(source.Uniform())
	l.rectangle = source.Uniform() < rectangles
	l.turn(angle)
	return l
}

// turn gives a leaf its direction and finds the box around it.
func (l *leaf) turn(angle float64) {
	l.sin, l.cos = math.Sincos(angle)
	if l.rectangle {
		l.along = math.Abs(l.a*l.cos) + math.Abs(l.b*l.sin)
		l.across = math.Abs(l.a*l.sin) + math.Abs(l.b*l.cos)
		return
	}
	l.along = math.Hypot(l.a*l.cos, l.b*l.sin)
	l.across = math.Hypot(l.a*l.sin, l.b*l.cos)
}

// draw adds what is seen of a leaf and returns how many pixels it closes.
func (l *leaf) draw(picture, open []float32, side int) (closed int) {
	for y := int(math.Floor(l.y - l.across)); float64(y) <= l.y+l.across; y++ {
		row := (y + side) % side * side
		for x := int(math.Floor(l.x - l.along)); float64(x) <= l.x+l.along; x++ {
			at := row + (x+side)%side
			if open[at] == 0 {
				continue
			}
			covered := l.covers(float64(x)+0.5-l.x, float64(y)+0.5-l.y)
			if covered <= 0 {
				continue
			}
			rest := open[at] * (1 - covered)
			if rest < through {
				rest = 0
				closed++
			}
			picture[at] += (open[at] - rest) * l.grey
			open[at] = rest
		}
	}
	return closed
}

// covers is the share of a pixel at this place from the centre that the leaf
// covers, by its distance from the edge.
func (l *leaf) covers(x, y float64) float32 {
	u, v := x*l.cos+y*l.sin, y*l.cos-x*l.sin
	if l.rectangle {
		return float32(overlap(u, l.a) * overlap(v, l.b))
	}
	p, q := u/l.a, v/l.b
	square := p*p + q*q
	if square == 0 {
		return 1
	}
	// Distance from the edge to first order: (|f|-1)/|grad |f||, f = (p, q).
	p, q = p/l.a, q/l.b
	radius := math.Sqrt(square)
	distance := radius * (radius - 1) / math.Sqrt(p*p+q*q)
	return float32(max(0, min(1, 0.5-distance)))
}

// overlap is the length that a pixel at u shares with the interval -a..a.
func overlap(u, a float64) float64 {
	return max(0, min(u+0.5, a)-max(u-0.5, -a))
}
