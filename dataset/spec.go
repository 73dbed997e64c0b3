package dataset

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A specification is KIND[:PATH][,NAME=VALUE...], or KIND:NAME=VALUE,... for a
// kind without a path. The options are the last comma-separated parts that
// look like NAME=VALUE with NAME in small letters; everything before them is
// the path, so a path may hold colons, spaces and commas.
type spec struct {
	kind    kind
	path    string
	options map[string]string
}

// ErrSpecification is wrapped by the errors of [Open] that no file is to blame for:
// an unknown kind or option, a value that an option can't have, or the name of an array
// or a column that the file doesn't have or that has to be said.
var ErrSpecification = errors.New("mistake in a specification of data")

// specError is such an error, told in its own words.
type specError struct{ error }

func (specError) Is(target error) bool { return target == ErrSpecification }

func specErrorf(format string, args ...any) error { return specError{fmt.Errorf(format, args...)} }

// kind is one kind of data set: its name, its options in canonical order with
// the default values that the canonical specification spells out, and how it
// is opened.
type kind struct {
	name    string
	path    string // what the path is called in messages; "" if there is none
	options []option
	open    func(s spec, seed uint64) (Set, error)
}

// option is an option's name and its default. One without a default may be left
// out; shown stands for its value in messages.
type option struct{ name, value, shown string }

// aFile is what stands for the value of an option that is the path of a file.
const aFile = "FILE"

func (k kind) optionNames() []string {
	var names []string
	for _, o := range k.options {
		names = append(names, o.name)
	}
	return names
}

// usage is what messages show as the right way to write the kind.
func (k kind) usage() string {
	var b strings.Builder
	b.WriteString(k.name)
	separator := ":"
	if k.path != "" {
		b.WriteString(":" + k.path)
		separator = ","
	}
	for _, o := range k.options {
		b.WriteString("[" + separator + o.name + "=" + o.value + o.shown + "]")
		separator = ","
	}
	return b.String()
}

func parseSpec(text string) (spec, error) {
	name, rest, colon := strings.Cut(text, ":")
	i := slices.IndexFunc(kinds(), func(k kind) bool { return k.name == name })
	if i < 0 {
		return spec{}, unknownKind(text, name)
	}
	s := spec{kind: kinds()[i], options: map[string]string{}}
	path, options := cutOptions(rest)
	switch {
	case s.kind.path == "" && path != "":
		return spec{}, specErrorf("%q is no option: write %s", path, s.kind.usage())
	case s.kind.path == "" && colon && len(options) == 0:
		return spec{}, specErrorf("nothing follows the colon: write %s", s.kind.usage())
	case s.kind.path != "" && path == "":
		return spec{}, specErrorf("no path: write %s", s.kind.usage())
	}
	s.path = path
	return s, s.setOptions(options)
}

func (s *spec) setOptions(options []option) error {
	for _, o := range options {
		if !slices.Contains(s.kind.optionNames(), o.name) {
			return specErrorf("unknown option %q of %s: known are %s", o.name, s.kind.name, strings.Join(s.kind.optionNames(), ", "))
		}
		if _, twice := s.options[o.name]; twice {
			return specErrorf("option %s is given twice", o.name)
		}
		if o.value == "" {
			return specErrorf("option %s has no value: write %s", o.name, s.kind.usage())
		}
		s.options[o.name] = o.value
	}
	for _, o := range s.kind.options {
		if _, given := s.options[o.name]; !given && o.value != "" {
			s.options[o.name] = o.value
		}
	}
	return nil
}

// cutOptions takes the options off the end of what follows the kind.
func cutOptions(text string) (path string, options []option) {
	parts := strings.Split(text, ",")
	for len(parts) > 0 {
		name, value, ok := strings.Cut(parts[len(parts)-1], "=")
		if !ok || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
			break
		}
		options = append(options, option{name: name, value: value})
		parts = parts[:len(parts)-1]
	}
	slices.Reverse(options)
	return strings.Join(parts, ","), options
}

// String is the canonical specification: the path as it was given, then the
// options in the kind's own order, defaults included.
func (s spec) String() string {
	text, separator := s.kind.name, ":"
	if s.path != "" {
		text, separator = text+":"+s.path, ","
	}
	for _, o := range s.kind.options {
		if value, ok := s.options[o.name]; ok {
			text, separator = text+separator+o.name+"="+value, ","
		}
	}
	return text
}

// maxExamples keeps indices within the 32 bits that orders of examples have.
const maxExamples = math.MaxInt32

// count is the value of the option n.
func (s spec) count() (int, error) {
	n, err := strconv.Atoi(s.options["n"])
	if err != nil {
		return 0, specErrorf("n=%s: want a whole number", s.options["n"])
	}
	return n, checkCount(n)
}

func checkCount(n int) error {
	if n < 1 || n > maxExamples {
		return specErrorf("n=%d: want 1 to %d examples", n, maxExamples)
	}
	return nil
}
