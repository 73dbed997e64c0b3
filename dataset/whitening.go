package dataset

import (
	"fmt"
	"slices"
	"strconv"
)

// The values of the option whiten: what becomes of the numbers of a patch.
const (
	byZCA        = "zca"      // whitened
	standardised = "standard" // less the patch's mean, all patches scaled to variance 1
	untouched    = "none"     // as the picture has them
)

// What is added to the eigenvalues of the covariance, in parts of their mean.
const (
	usualEpsilon    = 0.5
	smallestEpsilon = 1e-6 // still far above rounding
	largestEpsilon  = 100  // which whitens nothing any more
)

// whitening is what the options whiten and epsilon ask for.
type whitening struct {
	method  string
	epsilon float64 // of byZCA
}

// setUsual makes a value part of the specification where none was given.
func (s spec) setUsual(option, value string) {
	if s.options[option] == "" {
		s.options[option] = value
	}
}

// whitening is the value of the options whiten and epsilon. The usual epsilon becomes
// part of the specification. Kinds without epsilon can't whiten: standard is their
// usual, which isn't written.
func (s spec) whitening() (whitening, error) {
	method, text := s.options["whiten"], s.options["epsilon"]
	whitens := slices.Contains(s.kind.optionNames(), "epsilon")
	switch {
	case method == byZCA && whitens:
		return s.zca()
	case text != "":
		return whitening{}, specErrorf("epsilon=%s is for whiten=zca", text)
	case method == "" && !whitens, method == standardised:
		if !whitens {
			delete(s.options, "whiten")
		}
		return whitening{method: standardised}, nil
	case method == untouched:
		return whitening{method: untouched}, nil
	case whitens:
		return whitening{}, specErrorf("whiten=%s: want zca, standard or none", method)
	}
	return whitening{}, specErrorf("whiten=%s: want standard or none", method)
}

func (s spec) zca() (whitening, error) {
	s.setUsual("epsilon", fmt.Sprint(usualEpsilon))
	text := s.options["epsilon"]
	epsilon, err := strconv.ParseFloat(text, 64)
	if err != nil || !(epsilon >= smallestEpsilon && epsilon <= largestEpsilon) {
		return whitening{}, specErrorf("epsilon=%s: want a number from %g to %g", text, smallestEpsilon, float64(largestEpsilon))
	}
	return whitening{method: byZCA, epsilon: epsilon}, nil
}
