package torch

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
)

// leftOut is what a map says of tensors that the network can do without.
const leftOut = "-"

// What a map says of tensors of a layer, after its number.
const (
	asNorm       = "after"
	asWeight     = "weight"
	asBias       = "bias"
	asTransposed = "weight.T"
)

// maxLayers is the highest number of a layer.
const maxLayers = 1 << 12

// placed says whether a map places anything; one that only leaves out does not.
func placed(names map[string]string) bool {
	for _, what := range names {
		if what != leftOut {
			return true
		}
	}
	return false
}

// unwrapped is a map with the names as they are without a wrapper's.
func (s *state) unwrapped(names map[string]string) map[string]string {
	out := map[string]string{}
	for name, what := range names {
		out[strings.TrimPrefix(name, s.wrapped)] = what
	}
	return out
}

// within says whether a tensor is of the name: called so, or of a module called so.
func within(t Tensor, name string) bool {
	return t.Name == name || strings.HasPrefix(t.Name, name+".")
}

// leaveOut drops the tensors that a map leaves out, and refuses names that nothing is
// called.
func (s *state) leaveOut(names map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !slices.ContainsFunc(s.tensors, func(t Tensor) bool { return within(t, name) }) {
			return words.BadOption("Map", fmt.Sprintf("%.80s=%.40s", name, names[name]), "nothing is called so; it holds %s", list(s.tensors))
		}
	}
	var kept []Tensor
	for _, t := range s.tensors {
		if name, ok := longest(names, t); ok && names[name] == leftOut {
			s.remark("%s is left out, as stated", t)
			continue
		}
		kept = append(kept, t)
	}
	s.tensors = kept
	return nil
}

// longest is the name of a map that says most of a tensor.
func longest(names map[string]string, t Tensor) (name string, ok bool) {
	for n := range names {
		if within(t, n) && (!ok || len(n) > len(name)) {
			name, ok = n, true
		}
	}
	return name, ok
}

// mapped makes layers of tensors as a map says.
func (s *state) mapped(names map[string]string) ([]*layer, error) {
	byName := map[string][]Tensor{}
	var rest []Tensor
	for _, t := range s.tensors {
		if name, ok := longest(names, t); ok {
			byName[name] = append(byName[name], t)
		} else {
			rest = append(rest, t)
		}
	}
	if len(rest) > 0 {
		return nil, words.BadOption("Map", nil, "it says nothing of %s: say of which layer it is, or NAME=- to leave it out", list(rest))
	}
	layers := map[int]*layer{}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		if err := s.put(layers, name, names[name], byName[name]); err != nil {
			return nil, words.BadOption("Map", fmt.Sprintf("%.80s=%.40s", name, names[name]), "%w", err)
		}
	}
	var all []*layer
	for number := 1; number <= len(layers); number++ {
		l := layers[number]
		if l == nil || l.weight.Read == nil {
			return nil, words.BadOption("Map", nil, "layer %d has no weights, want layers 1 to %d with weights", number, slices.Max(slices.Collect(maps.Keys(layers))))
		}
		if err := l.check(); err != nil {
			return nil, words.BadOption("Map", nil, "%w", err)
		}
		all = append(all, l)
	}
	if at := misfit(all); at > 0 {
		return nil, words.BadOption("Map", nil, "%s has %d units and %s after it %d inputs", all[at-1].name, all[at-1].units(), all[at].name, all[at].inputs())
	}
	return all, checkNorms(all)
}

// put puts what a name stands for into its layer.
func (s *state) put(layers map[int]*layer, name, what string, tensors []Tensor) error {
	digits, as, _ := strings.Cut(what, ".")
	number, err := strconv.Atoi(digits)
	if err != nil || number < 1 || number > maxLayers {
		return fmt.Errorf("want the number of a layer, as in 1, 1.after, 1.weight, 1.weight.T or 1.bias, or - to leave it out")
	}
	if layers[number] == nil {
		layers[number] = &layer{}
	}
	l := layers[number]
	switch as {
	case "", asNorm:
		return l.putModule(name, as == asNorm, tensors)
	case asWeight, asTransposed, asBias:
		if len(tensors) != 1 || tensors[0].Name != name {
			return fmt.Errorf("want the name of a tensor; so begin %s", list(tensors))
		}
	default:
		return fmt.Errorf("%.40q is no part of a layer, want %s, %s, %s or %s", as, asNorm, asWeight, asTransposed, asBias)
	}
	if as == asBias {
		if l.bias != nil {
			return fmt.Errorf("the layer has biases already, %s", *l.bias)
		}
		l.bias = &tensors[0]
		return nil
	}
	return l.putLinear(linear{name: strings.TrimSuffix(name, "."+weightPart), weight: tensors[0], transposed: as == asTransposed})
}

// putModule puts a module into the layer, as what its tensors say.
func (l *layer) putModule(name string, behind bool, tensors []Tensor) error {
	all := modules(tensors)
	if len(all) != 1 || all[0].name != name {
		return fmt.Errorf("want the name of a module with weights of its own; so begin %s", list(tensors))
	}
	if foreign := all[0].foreign(); len(foreign) > 0 {
		return fmt.Errorf("it is neither a Linear nor a BatchNorm: there is no use for %s", list(foreign))
	}
	of, n, err := all[0].known()
	switch {
	case err != nil:
		return err
	case n != nil && behind:
		l.behind = append(l.behind, *n)
	case n != nil:
		l.norms = append(l.norms, *n)
	case behind:
		return fmt.Errorf("it is no BatchNorm: %s", list(tensors))
	default:
		return l.putLinear(*of)
	}
	return nil
}

func (l *layer) putLinear(of linear) error {
	if l.weight.Read != nil {
		return fmt.Errorf("the layer has weights already, %s", l.weight)
	}
	if of.bias == nil {
		of.bias = l.bias
	} else if l.bias != nil {
		return fmt.Errorf("the layer has biases already, %s", *l.bias)
	}
	l.linear = of
	return nil
}
