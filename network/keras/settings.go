package keras

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// settings are the arguments that a layer was made with.
type settings map[string]json.RawMessage

// has says whether there is an argument, and it is not None.
func (s settings) has(name string) bool { return s[name] != nil && string(s[name]) != "null" }

// text is an argument that is one; usual if there is none.
func (s settings) text(name, usual string) string {
	var text string
	if !s.has(name) || json.Unmarshal(s[name], &text) != nil {
		return usual
	}
	return text
}

// read reads an argument, where there is one.
func (s settings) read(name string, to any) error {
	if !s.has(name) {
		return nil
	}
	if err := json.Unmarshal(s[name], to); err != nil {
		return fmt.Errorf("its %s is %.80q", name, s[name])
	}
	return nil
}

// number is an argument, or what is taken without it.
func (s settings) number(name string, usual float64) (float64, error) {
	return usual, s.read(name, &usual)
}

// flag is an argument, or what is taken without it.
func (s settings) flag(name string, usual bool) (bool, error) {
	return usual, s.read(name, &usual)
}

// whole is one whole number or a list of them; nothing where there is none.
func (s settings) whole(name string) (all []int, err error) {
	if !s.has(name) || bytes.HasPrefix(s[name], []byte("[")) {
		return all, s.read(name, &all)
	}
	all = make([]int, 1)
	return all, s.read(name, &all[0])
}

// tensor is a number or a list of them, which must be there.
func (s settings) tensor(name string) (tensor, error) {
	var one float32
	var all []float32
	if !s.has(name) {
		return tensor{}, fmt.Errorf("it has no %s", name)
	}
	if bytes.HasPrefix(s[name], []byte("[")) {
		err := s.read(name, &all)
		return tensor{[]int{len(all)}, all}, err
	}
	err := s.read(name, &one)
	return tensor{nil, []float32{one}}, err
}

// shown is a name of the file as text for people, however long or strange it is.
func shown(name string) string { return fmt.Sprintf("%.120q", name) }
