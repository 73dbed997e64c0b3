package dataset

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// emnistSets are the ways in which EMNIST (Cohen, Afshar, Tapson and van Schaik, 2017)
// divides and joins its characters.
var emnistSets = []string{"balanced", "byclass", "bymerge", "digits", "letters", "mnist"}

// emnistFolders are where its own archive and torchvision put the files.
var emnistFolders = []string{"", "raw", "gzip", filepath.Join("EMNIST", "raw"), filepath.Join("EMNIST", "raw", "gzip")}

func emnistRelease(set, split string) release {
	stem := "emnist-" + set + "-" + split
	return release{"EMNIST", []string{stem + "-images-idx3-ubyte"}, []string{stem + "-labels-idx1-ubyte"}}
}

func openEMNIST(s spec, _ uint64) (Set, error) {
	split, sets := s.options["split"], emnistSets
	if split != "train" && split != "test" {
		return nil, specErrorf("split=%s: want train or test", split)
	}
	if set, given := s.options["set"]; given {
		if !slices.Contains(emnistSets, set) {
			return nil, specErrorf("set=%s: want %s", set, strings.Join(emnistSets, ", "))
		}
		sets = []string{set}
	}
	f, set, err := findEMNIST(s.path, sets, split)
	if err != nil {
		return nil, err
	}
	s.options["set"] = set
	c, err := f.read()
	if err != nil {
		return nil, err
	}
	if len(c.labels) > 0 {
		c.remarks = append(c.remarks, fmt.Sprintf("classes are numbered as in the file, %d to %d", slices.Min(c.labels), slices.Max(c.labels)))
	}
	transpose(c.examples)
	return f.set(s, c)
}

// findEMNIST finds the one of these sets that is there. Its files may lie in more than
// one of the folders, packed in one and unpacked in the other: the first counts.
func findEMNIST(dir string, sets []string, split string) (f found, set string, err error) {
	if err := checkFolder(dir); err != nil {
		return found{}, "", err
	}
	var releases []release
	var there []string
	for _, name := range sets {
		r := emnistRelease(name, split)
		releases = append(releases, r)
		all, err := findReleases(dir, emnistFolders, []release{r})
		if err != nil {
			return found{}, "", err
		}
		if len(all) > 0 {
			f, set = all[0], name
			there = append(there, name)
		}
	}
	switch len(there) {
	case 0:
		return found{}, "", missing(dir, releases, emnistFolders)
	case 1:
		return f, set, nil
	}
	return found{}, "", specErrorf("%s holds several sets: say which, set=%s", dir, strings.Join(there, " or set="))
}

// transpose turns pictures [n, cols, rows], which EMNIST stores column by column, to
// [n, rows, cols].
func transpose(a *array.Array) {
	cols, rows := a.Shape[1], a.Shape[2]
	a.Shape[1], a.Shape[2] = rows, cols
	size := rows * cols
	upright := make([]byte, size)
	for from := 0; from+size <= len(a.Bytes) && size > 0; from += size {
		picture := a.Bytes[from : from+size]
		for i := range upright {
			upright[i] = picture[i%cols*rows+i/cols]
		}
		copy(picture, upright)
	}
}
