package visualize

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/schema"
)

// Learning is what a layer's units do over some examples, or, where Examples is
// 0, what their weights alone tell. [Learning.Warning] says what is wrong, if
// anything is.
//
// The limits were set by measuring models: DBNs and SDAEs of 2 to 1000 units on
// digits of 64, 400 and 784 components, patches of natural pictures and dead
// leaves, see below. They are far from those of layers that
// have learned, so a layer that is warned of is no matter of taste; one that
// has learned a little may pass.
type Learning struct {
	Layer    int // 1 is the first hidden layer
	Units    int // that were looked at: all, or 1,024 evenly spaced ones
	Examples int // 0 for none: Stuck is unknown then

	// Deviation is the median over the units of the standard deviation of their
	// activation, before the sigmoid, over the examples. Initial is what it would be
	// with the weights that training begins with; 0 for a model of another kind
	// than this program trains. Of weights alone both are the root mean squares of
	// weights.
	Deviation, Initial float64
	Still              int // units that deviate too little to tell anything of their input
	Stuck              int // units that are on for every example, or off for every one
	// Scaleless is true where activations have no scale of their own, as before a
	// rectifier: then only what deviates by rounding is still. OneSided is true where
	// units that are on are never as on as they can be, as a rectifier's.
	Scaleless, OneSided bool
	// Random is how far from 0 the weights reach if they are spread evenly, as the
	// random ones that other frameworks' training begins with; 0 if they are not.
	Random float64
	// Kinds is how many units differ: two are of one kind if their activations over
	// the examples, or of weights alone these, are proportional, and all that are
	// constant are of one. It is 0, unknown,
	// where all that a unit sees comes through fewer than 8 numbers: of what
	// sees few numbers, much must be alike.
	Kinds int
}

// The limits of [Learning], with what was measured on November 30th, 2026: on
// layers that have learned, and on those that have not, because their rate was a
// hundredth or less of what it should be or thirty times as much, persistent chains held
// their weights down, they decayed, or there were twenty updates in all.
const (
	// stillDeviation is of an activation. A unit with it tells at most its square
	// by 8, 0.0003 nats, of its input by a state that is drawn, of the 0.69 that
	// there is room for. Medians of layers that have learned: 0.18 (a thousand units,
	// 180 updates) to 8; of the others: 4e-11 to 0.055.
	stillDeviation = 0.05
	// stillInitial times what initial weights give is as little, whatever the
	// scale of the inputs. Layers that have learned: 8 to 230 times; others: 0.0002
	// to 2.6.
	stillInitial = 2
	// stillShare is of an activation that deviates by rounding.
	stillShare = 1e-6
	// smallWeights times the initial ones are weights that training has not made
	// any larger. Medians: 1.3 to 50 times; others: 0.0004 to 1.37.
	smallWeights = 1.25
	// stuckOff is the sigmoid of a unit that is off; of one that is on it is 1 less
	// that. Half of a layer's units, if it is to be called saturated: at most 1 in 40
	// of layers that have learned, all in those that diverged.
	stuckOff = 0.01
	// alikeActivations and alikeWeights are the cosines between centred activations, or
	// weights, of units of one kind, and fewKinds is how many units there are
	// for each kind, at least, in a layer of duplicates. It was 1.8 or less (20
	// units, on top of 30) in layers that have learned, and 50 to 100 in those whose
	// units all do the same.
	alikeActivations, alikeWeights = 0.999, 0.99
	fewKinds                       = 4
	// narrow is how many numbers leave room for few different units.
	narrow = 8
)

// The look at a model is to take a fraction of a second.
const (
	maxLearningExamples, maxLearningUnits = 1000, 1024
	maxLearningNumbers                    = 1 << 24 // of the examples, or the weights, together
)

// Warning says in a sentence without a full stop what is wrong with the layer; ""
// if nothing is.
func (l Learning) Warning() string {
	nothing := fmt.Sprintf("layer %d has learned nothing: ", l.Layer)
	examples, units := words.Count(l.Examples, "example"), words.Count(l.Units, "unit")
	switch {
	case l.Random > 0:
		return nothing + fmt.Sprintf("its weights are spread evenly from %.3g to %.3g, as the random ones are that training begins with, and what methods show of its units is noise%s", -l.Random, l.Random, l.alike())
	case l.Nothing() && l.Examples == 0 && l.Deviation == 0:
		return nothing + fmt.Sprintf("the weights of %d of its %s are all 0%s", l.Still, units, l.alike())
	case l.Nothing() && l.Examples == 0:
		return nothing + fmt.Sprintf("its weights, %.2g in root mean square, are no larger than the random ones that training begins with (%.2g), and what methods show of its units is noise%s", l.Deviation, l.Initial, l.alike())
	case l.Nothing() && (l.Deviation < stillDeviation || l.Scaleless):
		return nothing + fmt.Sprintf("its output hardly depends on its input, and what methods show of its units is noise: over %s the activations of half of its %s %s%s", examples, units, l.deviating(), l.alike())
	case l.Nothing():
		return nothing + fmt.Sprintf("over %s the activations of half of its %s deviate by %.2g or less, and that is less than %d times the %.2g of the random weights that training begins with%s", examples, units, l.Deviation, stillInitial, l.Initial, l.alike())
	case l.Saturated() && l.OneSided:
		return fmt.Sprintf("layer %d is dead: %d of its %s are off for each of %s%s", l.Layer, l.Stuck, units, examples, l.alike())
	case l.Saturated():
		return fmt.Sprintf("layer %d is saturated: %d of its %s are off for each of %s, or on for each%s", l.Layer, l.Stuck, units, examples, l.alike())
	case l.duplicates():
		return fmt.Sprintf("layer %d is made of duplicates%s", l.Layer, strings.Replace(l.alike(), ";", ":", 1))
	}
	return ""
}

// deviating says how little the activations of half of the units do.
func (l Learning) deviating() string {
	switch {
	case l.Deviation == 0:
		return "are the same for each"
	case l.Scaleless:
		return "are the same for each, but for rounding"
	}
	return fmt.Sprintf("deviate by %.2g or less (a layer that has learned: by more than %g)", l.Deviation, stillDeviation)
}

// Nothing is true of a layer that has learned nothing: most of its units are still, or
// its weights are as random as when training began.
func (l Learning) Nothing() bool { return l.Still > l.Units/2 || l.Random > 0 }

// Saturated is true of a layer that has learned, but half of whose units are stuck: on
// for every example, or off, which a rectifier's units can't be and be of any use.
func (l Learning) Saturated() bool { return !l.Nothing() && l.Stuck >= (l.Units+1)/2 }

// duplicates is true if few of the units differ.
func (l Learning) duplicates() bool { return l.Kinds > 0 && l.Kinds <= l.Units/fewKinds }

// alike says so; "" if they differ.
func (l Learning) alike() string {
	switch {
	case !l.duplicates():
		return ""
	case l.Kinds == 1:
		return fmt.Sprintf("; its %s all do the same", words.Count(l.Units, "unit"))
	}
	return fmt.Sprintf("; its %s do only %d different things", words.Count(l.Units, "unit"), l.Kinds)
}

// WriteLearning writes learning.csv: a row per layer with the fields of [Learning],
// and its warning. What is unknown is left empty.
func WriteLearning(w io.Writer, all []Learning) error {
	known := func(n int, is bool) string {
		if !is {
			return ""
		}
		return strconv.Itoa(n)
	}
	var rows [][]string
	for _, l := range all {
		initial := l.Initial
		if initial == 0 {
			initial = math.NaN()
		}
		rows = append(rows, []string{
			strconv.Itoa(l.Layer), strconv.Itoa(l.Units), strconv.Itoa(l.Examples), numberText(l.Deviation), numberText(initial),
			strconv.Itoa(l.Still), known(l.Stuck, l.Examples > 0), known(l.Kinds, l.Kinds > 0), l.Warning(),
		})
	}
	return writeRows(w, "what layers have learned", schema.Columns(schema.LearningTable), rows)
}
