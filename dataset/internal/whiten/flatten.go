package whiten

import (
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// cutoff is f0 of [Flatten] in cycles per pixel; 0.5 is the highest frequency
// that pixels can show.
const cutoff = 0.4

// Flatten filters a square picture [side, side] in place, as Olshausen and Field
// did theirs (1997, Vision Research 37, 3311): an amplitude at f cycles per pixel
// is multiplied by
//
//	f exp(-(f/f0)^4), f0 = 0.4
//
// Pictures whose amplitudes fall as 1/f, which those of nature do, come out with
// all frequencies alike but the highest, which hold noise and the errors of a
// square grid; the mean becomes 0. The transform takes the picture for one that
// goes on where it ends; where it does not, its borders are false.
func Flatten(picture []float32, side int) {
	waves := make([]complex128, side*side)
	for i, v := range picture {
		waves[i] = complex(float64(v), 0)
	}
	plan := fourier.NewCmplxFFT(side)
	alongBoth(waves, side, plan.Coefficients)
	for i := range side {
		for j := range side {
			f := math.Hypot(plan.Freq(i), plan.Freq(j))
			square := (f / cutoff) * (f / cutoff)
			waves[i*side+j] *= complex(f*math.Exp(-square*square)/float64(side*side), 0)
		}
	}
	alongBoth(waves, side, plan.Sequence)
	for i, v := range waves {
		picture[i] = float32(real(v))
	}
}

// alongBoth transforms the rows, then the columns.
func alongBoth(waves []complex128, side int, transform func(dst, src []complex128) []complex128) {
	for i := range side {
		row := waves[i*side : (i+1)*side]
		transform(row, row)
	}
	column := make([]complex128, side)
	for j := range side {
		for i := range column {
			column[i] = waves[i*side+j]
		}
		transform(column, column)
		for i, v := range column {
			waves[i*side+j] = v
		}
	}
}
