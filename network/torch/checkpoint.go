package torch

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/unitscope/unitscope/network/torch/internal/pickle"
)

// state is the parameters of a network, and what a file says beside them.
type state struct {
	tensors    []Tensor
	activation string // "" if the file does not say it
	sorted     bool   // the tensors' order is that of their names
	wrapped    string // what all names began with
	remarks    []string
	warnings   []string // of what was guessed
	scaled     []string // normalisations that have been read
}

func (s *state) remark(format string, arguments ...any) {
	s.remarks = append(s.remarks, fmt.Sprintf(format, arguments...))
}

func (s *state) warn(format string, arguments ...any) {
	s.warnings = append(s.warnings, fmt.Sprintf(format, arguments...))
}

// quoted is keys one after another.
func quoted(keys []string) string {
	if len(keys) == 0 {
		return "nothing"
	}
	var all []string
	for _, key := range keys {
		all = append(all, strconv.Quote(key))
	}
	return strings.Join(all, ", ")
}

// checkpointKeys are where people's checkpoints hold the state dict.
var checkpointKeys = []string{"state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "params", "weights"}

// stateDict finds the state dict in what was saved: that itself, or a dictionary that
// holds one beside an optimizer's and other things.
func stateDict(value any) (*state, error) {
	s := &state{}
	d, ok := value.(*pickle.Dict)
	if !ok {
		what := pickle.Describe(value)
		if _, tensor := value.(*view); tensor {
			what = "a single tensor"
		}
		return nil, fmt.Errorf("it holds %s, want a state dict: save model.state_dict() instead", what)
	}
	for range maxDepth {
		inner, err := s.unwrap(d)
		if err != nil {
			return nil, err
		}
		if inner == nil {
			break
		}
		d = inner
	}
	if !slices.ContainsFunc(d.Entries, func(e pickle.Entry) bool { _, ok := e.Value.(*view); return ok }) {
		return nil, fmt.Errorf("it holds %s and no state dict that is known by its name: save model.state_dict() instead", quoted(keys(d)))
	}
	if err := s.take(d); err != nil {
		return nil, err
	}
	s.strip()
	return s, nil
}

// maxDepth is how many dictionaries may be around a state dict.
const maxDepth = 3

// keys are the first names in a dictionary.
func keys(d *pickle.Dict) (names []string) {
	for _, e := range d.Entries[:min(len(d.Entries), listed)] {
		if key, ok := e.Key.(string); ok {
			names = append(names, fmt.Sprintf("%.40s", key))
		}
	}
	return names
}

// unwrap returns the one state dict of a checkpoint, nil if it has none.
func (s *state) unwrap(d *pickle.Dict) (*pickle.Dict, error) {
	var found []string
	var inner *pickle.Dict
	for _, e := range d.Entries {
		key, _ := e.Key.(string)
		if of, ok := e.Value.(*pickle.Dict); ok && slices.Contains(checkpointKeys, key) && len(of.Entries) > 0 {
			found, inner = append(found, key), of
		}
	}
	if len(found) > 1 {
		return nil, fmt.Errorf("it holds several state dicts, %s: save the one that is meant", quoted(found[:min(len(found), listed)]))
	}
	if inner != nil {
		left := slices.DeleteFunc(keys(d), func(key string) bool { return key == found[0] })
		if len(left) > 0 {
			s.remark("the file is a checkpoint: its %q is the network, left out: %s", found[0], quoted(left))
		} else {
			s.remark("the network is what the file holds as %q", found[0])
		}
	}
	return inner, nil
}

// take takes the tensors of a state dict. Numbers and words beside them are left
// out.
func (s *state) take(d *pickle.Dict) error {
	seen := map[string]bool{}
	for _, e := range d.Entries {
		name, ok := e.Key.(string)
		if !ok {
			return fmt.Errorf("a tensor is called %s, want a name", pickle.Describe(e.Key))
		}
		if seen[name] || len(seen) == maxTensors {
			return fmt.Errorf("tensor %.80q is there twice, or more than %d tensors", name, maxTensors)
		}
		seen[name] = true
		switch v := e.Value.(type) {
		case *view:
			s.tensors = append(s.tensors, Tensor{name, v.shape, v.storage.of.name, v.read})
		case nil, bool, int64, float64, string:
			s.remark("%.80q is %s and no tensor: it is left out", name, pickle.Describe(v))
		default:
			return fmt.Errorf("%.80q is %s, want a tensor: save model.state_dict() alone", name, pickle.Describe(v))
		}
	}
	return nil
}

// maxName is the longest name of a tensor, in bytes.
const maxName = 256

// checkNames refuses names that would do something to a terminal, or fill it.
func (s *state) checkNames() error {
	for _, t := range s.tensors {
		if len(t.Name) > maxName || strings.ContainsFunc(t.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("a tensor is called %.80q, want at most %d bytes of characters that can be shown", t.Name, maxName)
		}
	}
	return nil
}

// wrappers are what names begin with when a model was wrapped before it was saved.
var wrappers = []struct{ prefix, by string }{
	{"module.", "DataParallel"}, {"_orig_mod.", "torch.compile"}, {"model.", "a module that holds it"},
}

// strip takes from all names what they have from a wrapper.
func (s *state) strip() {
	for i := 0; i < len(wrappers); i++ {
		w := wrappers[i]
		all, within := true, false
		for _, t := range s.tensors {
			rest, ok := strings.CutPrefix(t.Name, w.prefix)
			all, within = all && ok, within || strings.Contains(rest, ".")
		}
		// A network may well be a single module called "model".
		if len(s.tensors) == 0 || !all || !within && w.prefix == "model." {
			continue
		}
		s.tensors = slices.Clone(s.tensors)
		for k := range s.tensors {
			s.tensors[k].Name = strings.TrimPrefix(s.tensors[k].Name, w.prefix)
		}
		s.wrapped += w.prefix
		s.remark("all names begin with %q, of %s: they are shown without it", w.prefix, w.by)
		i = -1
	}
}

// sortByName sorts by names, numbers in them as numbers.
func sortByName(tensors []Tensor) {
	slices.SortStableFunc(tensors, func(a, b Tensor) int { return compareNames(a.Name, b.Name) })
}

func compareNames(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x > 0 && y > 0 {
			m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
			if c := cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n)); c != 0 {
				return c
			}
			a, b = a[x:], b[y:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits a name begins with.
func digits(name string) int {
	return len(name) - len(strings.TrimLeft(name, "0123456789"))
}
