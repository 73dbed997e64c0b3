package visualize

import (
	"fmt"

	"github.com/unitscope/unitscope/engine/words"
)

// nearlyAll is the share of the patterns that a unit is on for, at least, if its
// responses are to be called saturated.
const nearlyAll = 0.9

// saturated counts the units whose sigmoid is 1, or next to it, for nearly every
// pattern, by the activations [_, U] of the rows that are not left out. Of a unit's
// response to one pattern nothing follows.
func saturated(activation []float32, units int, out func(row int) bool) (count int) {
	on, rows := make([]int, units), 0
	for row := range len(activation) / units {
		if out(row) {
			continue
		}
		rows++
		for unit, a := range activation[row*units : (row+1)*units] {
			if sigmoid64(float64(a)) >= 1-stuckOff {
				on[unit]++
			}
		}
	}
	for _, n := range on {
		if rows > 1 && float64(n) >= nearlyAll*float64(rows) {
			count++
		}
	}
	return count
}

// saturationWarning says so where it is more than half of the units; "" else.
func saturationWarning(patterns string, saturated, units int) string {
	if saturated <= units/2 {
		return ""
	}
	return fmt.Sprintf("%d of %s are at 1 (saturated) for nearly every pattern%s, so that these all count as their units' strongest: "+
		"selectivity says next to nothing of them; the activations, before the sigmoid, may differ", saturated, words.Count(units, "unit"), patterns)
}

// Warning says in a sentence without a full stop that the sigmoids of more than
// half of the units are saturated, so that the matrix says nothing of them; "" if they are not.
func (r *SelectivityResult) Warning() string {
	return saturationWarning("", r.Summary.Saturated, len(r.Units))
}

// Warnings are, for each method that they concern, what [SelectivityResult.Warning] is:
// shares and ranks of its patterns say nothing then.
func (r *CompareResult) Warnings() (texts []string) {
	for m, s := range r.Summary {
		if text := saturationWarning(" of the method "+r.Methods[m], s.Saturated, len(r.Units)); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}
