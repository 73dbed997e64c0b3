package dataset

import (
	"fmt"
	"strings"
)

// Open opens a data set by its specification, `--data` of the program:
//
//	digits[:n=60000]                          built-in digits, see below
//	mnist:DIR[,split=train|test]              MNIST's IDX files, gzipped or not
//	infmnist:DIR[,n=2500000][,split=train]    MNIST's digits, deformed ([Deform])
//	idx:FILE                                  one IDX file, gzipped or not
//	npy:FILE                                  a numpy array
//	npz:FILE[,x=NAME][,y=NAME]                arrays of a numpy archive; y are labels
//
// A path may hold colons, spaces and commas; the options are the last parts
// that look like name=value. Examples of numpy arrays are [n, d] or
// [n, rows, cols]. Unsigned bytes are divided by 255, so that they lie between
// 0 and 1. All other numbers are kept, rounded to float32, and [Info]'s Low and
// High are the smallest and the largest; NaN and infinities are refused. The
// name x can be left out where an archive has one array besides y.
//
// The digits are drawn from the faces of the Go fonts, 28x28, white on black,
// each with its own stroke width, slant, rotation, size and elastic
// deformation, and look like hand-written ones at a glance. They are made while
// reading: example i, its digit included, depends on seed and i only. The seed
// matters for digits and infmnist.
//
// Errors name the specification, and the file if one is at fault.
func Open(specification string, seed uint64) (Set, error) {
	s, err := parseSpec(specification)
	if err == nil {
		var set Set
		if set, err = s.kind.open(s, seed); err == nil {
			return set, nil
		}
	}
	return nil, fmt.Errorf("data %q: %w", specification, err)
}

// kinds are all kinds of data, in the order of the manual.
func kinds() []kind {
	return []kind{
		{"digits", "", []option{{"n", "60000"}}, openDigits},
		{"mnist", "DIR", []option{{"split", "train"}}, openMNIST},
		{"infmnist", "DIR", []option{{"n", "2500000"}, {"split", "train"}}, openDeformedMNIST},
		{"idx", "FILE", nil, openIDX},
		{"npy", "FILE", nil, openNPY},
		{"npz", "FILE", []option{{"x", ""}, {"y", ""}}, openNPZ},
	}
}

func kindNames() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// Kinds lists how every kind of data is written, for a program's help.
func Kinds() string {
	var lines []string
	for _, k := range kinds() {
		lines = append(lines, k.usage())
	}
	return strings.Join(lines, "\n")
}
