// Package elastic deforms pictures: a random affine map and a random smooth
// displacement field, as Simard, Steinkraus and Platt, "Best Practices for
// Convolutional Neural Networks Applied to Visual Document Analysis" (ICDAR
// 2003), deform digits.
//
// Their field is one uniform random number per pixel, smoothed by a Gaussian of
// sigma 4 pixels and multiplied by alpha 34 (in pictures of 28x28). Here it is
// a cubic B-spline with uniform random coefficients, one every 7 pixels. That
// is the same thing made cheap: the B-spline is its own smoothing kernel,
// nearly a Gaussian of sigma 7 sqrt(1/3) = 4.04 pixels, and the size of the
// coefficients gives the displacement the variance of theirs. A picture needs
// 98 random numbers instead of 1568 and no filter. Cubic B-splines also
// reproduce straight lines, so the affine map costs nothing: it is added to the
// coefficients.
package elastic

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

const (
	cells  = 4         // of the spline, along each side of a picture
	points = cells + 3 // coefficients along each side
)

// Simard is the size of the coefficients, in pixels of a picture of 28x28, that
// gives the displacements of sigma 4 and alpha 34: uniform numbers in [-1, 1]
// come out of the Gaussian with deviation sqrt(1/3)/(2 sqrt(pi) sigma), and out
// of the spline, averaged over a cell, with sqrt(1/3) 151/315.
const Simard = 34 / (2 * math.SqrtPi * 4) / (151.0 / 315)

// Ranges says how far a picture is deformed. Each number is drawn uniformly
// from minus to plus its range.
type Ranges struct {
	Rotation float64 // radians
	Slant    float64 // horizontal shear, pixels per pixel
	Scale    float64 // logarithm of the size
	Aspect   float64 // logarithm of width over height
	Shift    float64 // pixels of a 28x28 picture, along each axis
	Elastic  float64 // coefficients of the field, pixels of a 28x28 picture
}

// Warp is one deformation: for every pixel of the result, where it comes from.
// It is the coefficients of two splines, in pixels of the source.
type Warp struct{ x, y [points][points]float32 }

// Draw takes a deformation's random numbers from s, always equally many.
func (g *Grid) Draw(w *Warp, r Ranges, s *engine.Source) {
	g.affine(w, r, s)
	addField(&w.x, float32(r.Elastic)*g.unitX, s)
	addField(&w.y, float32(r.Elastic)*g.unitY, s)
}

// addField adds uniform random coefficients to a spline's.
func addField(w *[points][points]float32, amplitude float32, s *engine.Source) {
	for a := range points {
		for b := range points {
			w[a][b] += amplitude * (2*engine.UniformFromBits(s.Uint32()) - 1)
		}
	}
}

// affine sets the coefficients to those of a random affine map about the
// picture's middle.
func (g *Grid) affine(w *Warp, r Ranges, s *engine.Source) {
	symmetric := func(limit float64) float64 { return limit * (2*s.Uniform() - 1) }
	sin, cos := math.Sincos(symmetric(r.Rotation))
	slant := symmetric(r.Slant)
	size, aspect := symmetric(r.Scale), symmetric(r.Aspect)
	width, height := math.Exp(-size-aspect/2), math.Exp(-size+aspect/2)
	shiftX, shiftY := symmetric(r.Shift)*float64(g.unitX), symmetric(r.Shift)*float64(g.unitY)
	// The map goes from the result back to the source: first undo the rotation,
	// then the slant, then the size.
	for a := range points {
		y := (float64(a-1)/cells-0.5)*float64(g.rows) - shiftY
		for b := range points {
			x := (float64(b-1)/cells-0.5)*float64(g.cols) - shiftX
			turnedX, turnedY := cos*x+sin*y, cos*y-sin*x
			w.x[a][b] = float32(width*(turnedX+slant*turnedY) + float64(g.cols-1)/2)
			w.y[a][b] = float32(height*turnedY + float64(g.rows-1)/2)
		}
	}
}
