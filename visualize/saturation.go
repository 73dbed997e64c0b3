package visualize

import (
	"fmt"
	"math"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
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

// OffWarning says in a sentence without a full stop which units are off at the best
// patterns found, so that these turn nothing on: units whose activation is where their
// nonlinearity n puts out next to nothing, and is flat. It is "" if there are none, and of ascents
// that go down, climb objectives, or climb what is after the nonlinearity.
func (r *AscentResult) OffWarning(n *network.Network) (string, error) {
	if r.Direction < 0 || r.After || r.Names != nil {
		return "", nil
	}
	best, err := firstOf(r.Activation, len(r.Units), r.Best)
	if err != nil {
		return "", err
	}
	for i, dead := range r.Dead {
		if dead {
			best[i] = math.NaN() // nothing is known of it
		}
	}
	so := "no pattern of this norm turned them on"
	if r.Constraint.Kind != engine.Sphere || r.Penalty != nil {
		so = "no pattern that climbed under this constraint, or these penalties, turned them on"
	}
	return offWarning(n, r.Layer, r.Units, best, "at the best pattern found", so)
}

// OffWarning says which units no example turns on, as [AscentResult.OffWarning] does.
func (r *ExamplesResult) OffWarning(n *network.Network) (string, error) {
	best, err := firstOf(r.Activation, len(r.Units), make([]int, len(r.Units)))
	if err != nil {
		return "", err
	}
	return offWarning(n, r.Layer, r.Units, best, "for every example", "those shown only come nearest to turning them on")
}

// firstOf is the number of each of so many rows at a place of its own.
func firstOf(t *tensor.Dense, rows int, at []int) ([]float64, error) {
	data, err := dense.Data(t)
	if err != nil {
		return nil, err
	}
	of := make([]float64, rows)
	for i := range of {
		of[i] = float64(data[i*(len(data)/rows)+at[i]])
	}
	return of, nil
}

func offWarning(n *network.Network, layer int, units []int, best []float64, where, so string) (string, error) {
	net, err := n.Upto(layer, units)
	if err != nil {
		return "", err
	}
	f := net.Ops[len(net.Ops)-1].Activation
	var names []string
	most := -1 // the unit with the largest activation of those that are off
	for i, a := range best {
		if !(a <= 0) || !isFlat(f, a, i) {
			continue
		}
		if names = append(names, strconv.Itoa(units[i])); most < 0 || a > best[most] {
			most = i
		}
	}
	if most < 0 {
		return "", nil
	}
	h, _ := f.At(best[most], most)
	return fmt.Sprintf("units of layer %d that stay off %s: %d of %d (%s); their activations reach %.3g, of which %s makes %.2g, and %s",
		layer, where, len(names), len(units), namedUnits(names), best[most], f.Kind, h, so), nil
}
