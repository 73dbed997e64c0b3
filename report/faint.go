package report

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
)

// FaintInput is the least that white stands for in tiles of a net's real inputs, a
// quarter of the standard deviation that data have there, which is 1. What a net
// gives for them where nothing excites it is its visible bias, and the mean of
// many samples differs from that by chance: drawn from black to white on
// a scale of its own, either is a texture that looks like a finding. Samples of nets that
// have learned reach 0.8 and more, visible biases up to 0.06 (patches of
// natural pictures and dead leaves).
const FaintInput = 0.25

// faintShare of the median tile's contrast is a tile that is next to nothing beside
// the others: that of a unit whose weights have vanished.
const faintShare = 0.01

// InputGreys is how what a net gives for its inputs is drawn: probabilities on their
// [InputRange], and real numbers each on its own scale, but not below [FaintInput].
func InputGreys(kind engine.VisibleKind) GridOptions {
	o := GridOptions{Range: InputRange(kind)}
	if o.Range == (Range{}) {
		o.Least = FaintInput
	}
	return o
}

// BesideOthers is how patterns [N, D] are drawn whose norms are as weights make them: each on
// its own scale, but not below a hundredth of the median one's.
func BesideOthers(patterns *tensor.Dense) (GridOptions, error) {
	if patterns == nil || patterns.Dims() != 2 {
		return GridOptions{}, fmt.Errorf("patterns are %s, want [patterns, components]", describe(patterns))
	}
	data, err := dense.Data(patterns)
	if err != nil {
		return GridOptions{}, err
	}
	return GridOptions{Least: LeastBeside(data, patterns.Shape()[1])}, nil
}

// LeastBeside is a hundredth of the median of the largest absolute components of
// patterns, each of so many numbers; 0 for none. What is not finite is not looked at.
func LeastBeside(data []float32, components int) float64 {
	var all []float64
	for pattern := range slices.Chunk(data, max(1, components)) {
		largest := 0.0
		for _, v := range pattern {
			if v-v == 0 {
				largest = max(largest, math.Abs(float64(v)))
			}
		}
		all = append(all, largest)
	}
	if len(all) == 0 {
		return 0
	}
	return faintShare * quantile(all, 0.5)
}

// raise puts tiles on their own scale that are fainter than that on a scale of least.
func (t *tiles) raise(least float64) error {
	if !(least >= 0) || math.IsInf(least, 0) {
		return fmt.Errorf("a least scale of %g, want a finite number, 0 or more", least)
	}
	for i, largest := range t.largest {
		if largest < least && !t.isDead(i) {
			t.largest[i], t.faint = least, least
		}
	}
	return nil
}

// faintText says how faint tiles are drawn, after the note on their scale; "" if there are
// none.
func (k scaleKind) faintText() string {
	if k.faint == 0 {
		return ""
	}
	return fmt.Sprintf(" In tiles that are next to nothing m is %.3g.", k.faint)
}
