package dataset

import (
	"fmt"
	"math"
	"strconv"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// pictureScale is what the bytes of pictures are divided by.
const pictureScale = 255

// scale is the value of the option scale, 0 if it was not given.
func (s spec) scale() (float64, error) {
	text, given := s.options["scale"]
	if !given {
		return 0, nil
	}
	scale, err := strconv.ParseFloat(text, 64)
	if err != nil || !(scale > 0) || math.IsInf(scale, 1) {
		return 0, specErrorf("scale=%s: want a number above 0, which stored numbers are divided by", text)
	}
	return scale, nil
}

// usualScale is what numbers are divided by where nothing was asked for. Only
// unsigned bytes are ever divided, and those that are neither grey levels for
// certain nor binary are refused: dividing 0..16 by 255 leaves all but nothing.
func usualScale(a *array.Array, low, high float32) (float64, error) {
	switch {
	case a.Bytes == nil || a.Type.Kind == array.Bool || high <= 1:
		return 1, nil
	case high > pictureScale/2:
		return pictureScale, nil
	}
	return 0, specErrorf("%s from %g to %g, and what that is out of can't be told: add scale=255 for the bytes of pictures, scale=%g to fill 0 to 1, scale=1 to keep them", a.Type, low, high, high)
}

// stored says how numbers were held, from low to high, and what they were divided by.
func stored(t array.Type, low, high float32, scale float64) string {
	text := t.String()
	switch {
	case t.Kind == array.Bool:
		text += ", as 0 and 1"
	default:
		text += fmt.Sprintf(" from %s to %s", shortNumber(low), shortNumber(high))
		if scale == 1 {
			text += ", kept"
		}
	}
	if scale != 1 {
		text += fmt.Sprintf(", divided by %g", scale)
	}
	return text
}

// shortNumber writes whole numbers as such and others with four digits.
func shortNumber(v float32) string {
	if v == float32(math.Trunc(float64(v))) && math.Abs(float64(v)) < 1e7 {
		return strconv.Itoa(int(v))
	}
	return fmt.Sprintf("%.4g", v)
}
