package site

import (
	"math"

	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// maxRHat is shown of what is larger.
const maxRHat = 1e6

// mixing takes in how well the chains of a unit's samples agree: the largest R-hat of
// mixing.csv.
func (b *builder) mixing(r *runFolder) error {
	path := r.file(schema.MixingTable)
	if path == "" {
		return nil
	}
	t, err := readTable(path)
	if err != nil {
		return err
	}
	var units []int
	var values []float32
	for i := range t.rows {
		largest := math.NaN()
		for _, column := range []string{schema.RHatTotal, schema.RHatFirst, schema.RHatSecond} {
			if x := t.number(i, column); x == x && !(x <= largest) {
				largest = x
			}
		}
		// Chains that each stand still at a place of their own are infinitely far apart.
		units, values = append(units, t.whole(i, schema.Unit)), append(values, float32(min(largest, maxRHat)))
	}
	if firstTwice(units) >= 0 {
		return nil
	}
	b.Samples.RHat, b.Samples.Limit = b.spread(units, values, 1), visualize.MixedRHat
	b.fact("rhat", "R-hat of samples", "how far the unit's chains disagree: 1 if they agree, above 1.1 they do not", b.Samples.RHat)
	return nil
}
