package train

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
)

// The settings that a difference is looked for in first.
const (
	settingKind       = "kind"
	settingVisible    = "visible"
	settingLayers     = "layers"
	settingData       = "data"
	settingExamples   = "examples"
	settingSample     = "data-sample"
	settingPersistent = "persistent"
	settingRate       = "lr"
)

// Settings lists every option that changes the result, by the name of the program's
// flag and as the flag takes it, with what [Train] makes of values that are left
// to it: what a model file records and what a checkpoint is compared by.
func (o Options) Settings() map[string]string {
	layers := len(o.Units)
	s := map[string]string{
		settingKind:    string(o.Kind),
		settingVisible: o.Visible.String(),
		settingLayers:  list(layers, func(l int) string { return strconv.Itoa(o.Units[l-1]) }),
		"epochs":       list(layers, func(l int) string { return strconv.Itoa(of(o.Epochs, l)) }),
		settingRate:    list(layers, func(l int) string { return number(o.Rate(l)) }),
		"final-lr":     list(layers, func(l int) string { return number(o.FinalRate(l)) }),
		"batch":        strconv.Itoa(o.Batch),
		"momentum":     number(o.Momentum),
		"decay":        number(o.Decay),
		"seed":         strconv.FormatUint(o.Seed, 10),
	}
	if o.Kind == network.SDAE {
		s["corruption"] = o.Corruption.String()
		s["noise"] = list(layers, func(l int) string { return number(o.NoiseLevel(l)) })
		return s
	}
	s["k"] = strconv.Itoa(o.GibbsSteps)
	s[settingPersistent] = strconv.FormatBool(o.Persistent)
	s["chains"] = strconv.Itoa(o.chains())
	s["sparsity"] = list(layers, func(l int) string { return number(o.Target(l)) })
	s["sparsity-cost"] = number(o.SparsityCost)
	s["centered"] = strconv.FormatBool(o.Centered)
	s["gradient-limit"] = o.gradientLimitText()
	s["upper"] = "means"
	if o.UpperSamples {
		s["upper"] = "samples"
	}
	return s
}

// gradientLimitText is the limit as the flag takes it.
func (o Options) gradientLimitText() string {
	if o.GradientLimit == AutoLimit {
		return "auto"
	}
	return number(o.GradientLimit)
}

func list(layers int, text func(layer int) string) string {
	var texts []string
	for layer := 1; layer <= layers; layer++ {
		texts = append(texts, text(layer))
	}
	return strings.Join(texts, ",")
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// compareSettings returns an error that names the first setting in which a
// checkpoint differs from what it is to be resumed with.
func compareSettings(now, checkpoint map[string]string) error {
	both := maps.Clone(now)
	maps.Copy(both, checkpoint)
	for _, name := range slices.SortedFunc(maps.Keys(both), tellingFirst) {
		a, b := now[name], checkpoint[name]
		if a == b {
			continue
		}
		switch name {
		case settingKind:
			return fmt.Errorf("resume: this is a %s, the checkpoint is of a %s", a, b)
		case settingExamples:
			return resumeError("data", nil, "there are %s examples, the checkpoint's data had %s", a, b)
		case settingSample:
			return resumeError("data", nil, "its examples are not those of the checkpoint: their checksum is %s, it was %s", a, b)
		}
		return resumeError(name, strconv.Quote(a), "the checkpoint was made with %q; give the same, or start anew", b)
	}
	return nil
}

// resumeError is about a setting, which it calls by its name.
func resumeError(setting string, value any, problem string, args ...any) error {
	return fmt.Errorf("resume: %w", words.BadOption(setting, value, problem, args...))
}

// tellingFirst orders settings so that a difference that brings others with it
// comes before them.
func tellingFirst(a, b string) int {
	order := []string{settingKind, settingVisible, settingLayers, settingData, settingExamples, settingSample, settingPersistent, settingRate}
	rank := func(name string) int {
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}
