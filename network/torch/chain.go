package torch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
)

// layer is a layer of the chain: a Linear module and what belongs to it.
type layer struct {
	linear
	ahead  []norm // of its inputs
	norms  []norm // of what it computes, before the activation
	behind []norm // after the activation
	plain  bool   // no activation follows
}

// chain takes modules in their order for the layers of a network.
func (s *state) chain() ([]*layer, error) {
	all := modules(s.tensors)
	if err := checkKnown(all); err != nil {
		return nil, err
	}
	var layers []*layer
	var ahead []norm
	var guessed, of []string // normalisations, and their layers
	for i, m := range all {
		l, n, err := m.known()
		if err != nil {
			return nil, err
		}
		switch {
		case l != nil:
			layers = append(layers, &layer{linear: *l, ahead: ahead})
			ahead = nil
		case len(layers) == 0:
			ahead = append(ahead, *n)
		case follows(all, i):
			l := layers[len(layers)-1]
			l.behind = append(l.behind, *n)
			s.warn("%s normalises after the activation of %s, by their numbers", called(n.name), called(l.name))
		default:
			l := layers[len(layers)-1]
			l.norms = append(l.norms, *n)
			guessed, of = append(guessed, n.name), append(of, l.name)
		}
	}
	if len(layers) == 0 {
		return nil, fmt.Errorf("it has no weights of a Linear module; it holds %s", list(s.tensors))
	}
	switch len(guessed) {
	case 0:
	case 1:
		s.warn("%s is taken to normalise before the activation of %s", enumerate(guessed), enumerate(of))
	default:
		s.warn("%s are taken to normalise before the activations of %s", enumerate(guessed), enumerate(of))
	}
	s.markPlain(all, layers)
	return s.order(layers)
}

// follows says whether normalisation i of a Sequential comes after an activation: by
// the numbers there is something between the module before and it, and nothing
// between it and the one after.
func follows(all []*module, i int) bool {
	if i == 0 || i+1 >= len(all) {
		return false
	}
	parent, at, ok := place(all[i].name)
	above, before, numbered := place(all[i-1].name)
	below, after, too := place(all[i+1].name)
	return ok && numbered && too && parent == above && parent == below && at > before+1 && after == at+1
}

// markPlain finds layers that nothing follows. In a Sequential what has no parameters
// has a number too: where some numbers are missing, and none between two Linear
// modules, there is no activation between these. A ModuleList without such modules
// has no missing numbers.
func (s *state) markPlain(all []*module, layers []*layer) {
	counts := map[string]bool{} // parents with missing numbers
	for i := 1; i < len(all); i++ {
		above, before, ok := place(all[i-1].name)
		parent, at, too := place(all[i].name)
		if ok && too && above == parent && at > before+1 {
			counts[parent] = true
		}
	}
	for i := range len(layers) - 1 {
		l, next := layers[i], layers[i+1]
		above, before, ok := place(l.name)
		parent, at, too := place(next.name)
		if ok && too && above == parent && counts[parent] && at == before+1+len(l.norms)+len(l.behind) {
			l.plain = true
			s.warn("nothing is between %s and %s, by their numbers: no activation follows %s", called(l.name), called(next.name), called(l.name))
		}
	}
}

// misfit is the first layer that does not fit the one before it, 0 if all do.
func misfit(layers []*layer) int {
	for i := 1; i < len(layers); i++ {
		if layers[i].inputs() != layers[i-1].units() {
			return i
		}
	}
	return 0
}

// checkNorms makes sure that normalisations are as wide as what they normalise.
func checkNorms(layers []*layer) error {
	for _, l := range layers {
		for _, n := range slices.Concat(l.norms, l.behind) {
			if n.width() != l.units() {
				return words.BadOption("Map", nil, "%s normalises %d units, and %s before it has %d: say which tensors are of which layer", n.name, n.width(), l.name, l.units())
			}
		}
		for _, n := range l.ahead {
			if n.width() != l.inputs() {
				return words.BadOption("Map", nil, "%s normalises %d numbers, and %s after it has %d inputs: say which tensors are of which layer", n.name, n.width(), l.name, l.inputs())
			}
		}
	}
	return nil
}

// order returns layers in an order in which each has as many inputs as the one before
// has units: that of the file, or the only other one.
func (s *state) order(layers []*layer) ([]*layer, error) {
	if err := checkNorms(layers); err != nil {
		return nil, err
	}
	by := "the file's order"
	if s.sorted {
		by = "the order of their names"
	}
	if at := misfit(layers); at > 0 {
		only := onlyOrder(layers)
		if only == nil {
			return nil, words.BadOption("Map", nil, "in %s its Linear modules don't fit, %s has %d units and %s %d inputs: say which tensors are of which layer, or export it as ONNX if it branches; it holds %s",
				by, called(layers[at-1].name), layers[at-1].units(), called(layers[at].name), layers[at].inputs(), list(s.tensors))
		}
		layers, by = only, "the only order in which they fit"
	}
	switch {
	case len(layers) < 2:
	case s.sorted && onlyOrder(layers) == nil:
		s.warn("the layers are taken in %s: %s; another order may fit too", by, titles(layers))
	default:
		s.remark("the layers are taken in %s: %s", by, titles(layers))
	}
	return layers, nil
}

func titles(layers []*layer) string {
	var names []string
	for _, l := range layers {
		names = append(names, l.name)
	}
	return enumerate(names)
}

// enumerate is names one after another, as many as an error lists.
func enumerate(names []string) string {
	var all []string
	for _, name := range names[:min(len(names), listed)] {
		all = append(all, called(name))
	}
	if len(names) > listed {
		all = append(all, fmt.Sprintf("and %d more", len(names)-listed))
	}
	return strings.Join(all, ", ")
}

// called is a module's name in a sentence: those of a Sequential are numbers, which
// would be read as something else without quotes.
func called(name string) string {
	if _, err := strconv.Atoi(name); err == nil {
		return strconv.Quote(name)
	}
	return name
}

// maxTries is how many beginnings of orders are looked at.
const maxTries = 10000

// onlyOrder finds the one order in which layers fit; nil if there are several, none,
// or too many to look at. Normalisations are known by the order of the file alone.
func onlyOrder(layers []*layer) (only []*layer) {
	for _, l := range layers {
		if l.plain || len(l.ahead)+len(l.norms)+len(l.behind) > 0 {
			return nil
		}
	}
	found, tries := 0, 0
	var taken []*layer
	var extend func()
	extend = func() {
		if tries++; tries > maxTries || found > 1 {
			return
		}
		if len(taken) == len(layers) {
			found, only = found+1, slices.Clone(taken)
			return
		}
		for _, l := range layers {
			if len(taken) > 0 && l.inputs() != taken[len(taken)-1].units() || slices.Contains(taken, l) {
				continue
			}
			taken = append(taken, l)
			extend()
			taken = taken[:len(taken)-1]
		}
	}
	extend()
	if found != 1 || tries > maxTries {
		return nil
	}
	return only
}
