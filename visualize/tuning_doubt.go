package visualize

import (
	"fmt"
	"strings"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
)

// nearEnd is how near to an end of what a nonlinearity can put out a unit is saturated,
// as a share of that range.
const nearEnd = 0.01

// widestRange is how far apart the ends of a clip may be: the bins of one that only keeps
// numbers from overflow would hold little.
const widestRange = 100

// ends is the range of the numbers where it has two ends.
func (r *TuningResult) ends() (low, high float64, ends bool) {
	if r.Before {
		return 0, 0, false
	}
	switch f := r.nonlinearity; f.Kind {
	case engine.Sigmoid, engine.HardSigmoid:
		return 0, 1, true
	case engine.Tanh:
		return -1, 1, true
	case engine.Clip:
		low, high = float64(f.Low), float64(f.High)
		return low, high, low < high && high-low <= widestRange
	}
	return 0, 0, false
}

// rectifies is true for nonlinearities that let little or nothing through below 0.
func rectifies(f engine.Activation) bool {
	switch f.Kind {
	case engine.Identity, engine.Sigmoid, engine.Tanh, engine.HardSigmoid:
		return false
	case engine.Clip:
		return f.Low == 0
	}
	return true
}

// doubt says what is wrong with a unit, "" for nothing.
func (r *TuningResult) doubt(u UnitTuning) string {
	low, high, ends := r.ends()
	near := nearEnd * (high - low)
	switch {
	case u.On == 0 && rectifies(r.nonlinearity):
		return neverOn
	case ends && (u.Largest <= low+near || u.Least >= high-near):
		return saturatedUnit
	case u.Least == u.Largest:
		return constantUnit
	}
	return ""
}

// The words of [UnitTuning.Doubt].
const neverOn, saturatedUnit, constantUnit = "never on", "saturated", "constant"

// maxNamed is how many units a warning names.
const maxNamed = 12

// Warnings say which units tell nothing of their inputs, a sentence without a full stop
// for each reason: those that are never on, though their nonlinearity lets through what
// is above 0; those that stay within 1 % of an end of what theirs can put out; and
// others that are constant.
func (r *TuningResult) Warnings() (texts []string) {
	for _, reason := range [][2]string{
		{neverOn, "never on: no activation is above 0"},
		{saturatedUnit, "saturated: all they put out is within 1 % of an end of their range"},
		{constantUnit, "constant"},
	} {
		var named []string
		for _, u := range r.Units {
			if u.Doubt == reason[0] {
				named = append(named, fmt.Sprint(u.Unit))
			}
		}
		if len(named) == 0 {
			continue
		}
		texts = append(texts, fmt.Sprintf("over %s, %d of %s %s %s (%s)", words.Count(r.Examples, "example"), len(named), words.Count(len(r.Units), "unit"), isOrAre(len(named)), reason[1], namedUnits(named)))
	}
	return texts
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// namedUnits are "unit 3" or "units 3, 5, 8 and 12 more".
func namedUnits(names []string) string {
	text, more := "unit ", ""
	if len(names) > 1 {
		text = "units "
	}
	if len(names) > maxNamed {
		more = fmt.Sprintf(" and %d more", len(names)-maxNamed)
		names = names[:maxNamed]
	}
	return text + strings.Join(names, ", ") + more
}
