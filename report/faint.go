package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/visualize"
)

// FaintInput is the Least of [GridOptions] for what a net gives for its real inputs, a
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

// BesideOthers is how patterns are drawn whose norms are as weights make them: each on
// its own scale, but not below a hundredth of the median one's.
func BesideOthers(p visualize.Patterns) (GridOptions, error) {
	if err := p.Check(); err != nil {
		return GridOptions{}, err
	}
	data, err := dense.Data(p.Data)
	if err != nil {
		return GridOptions{}, err
	}
	_, _, components := p.Size()
	return GridOptions{Least: LeastBeside(data, components)}, nil
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
		if largest < least && !t.patterns.IsMissing(i) {
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
