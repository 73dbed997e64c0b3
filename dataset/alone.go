package dataset

import (
	"fmt"
	"os"
	"strings"

	"github.com/unitscope/unitscope/dataset/numpy"
)

// OpenFile opens a file by its name alone, of examples of size numbers each: a picture,
// as grey levels from 0 to 1, or an array of numpy, .npy, that is one example, of any
// shape, or has a row of one or more dimensions for each. Numbers are what
// specifications of data make of them: bytes are divided by 255. The set has no name
// that [Open] takes. Errors name the file.
func OpenFile(path string, size int) (Set, error) {
	open := openPicture
	if strings.HasSuffix(strings.TrimSuffix(strings.ToLower(path), ".gz"), ".npy") {
		open = openNumpy
	}
	set, err := open(path, size)
	if err != nil {
		return nil, err
	}
	if info := set.Info(); info.Size() != size {
		return nil, fmt.Errorf("%s: %v are %d numbers, want %d", path, info.Shape, info.Size(), size)
	}
	return set, nil
}

// openNumpy opens an array of one example, or of several.
func openNumpy(path string, size int) (Set, error) {
	c := &contents{files: []string{path}}
	err := withFile(path, func(file *os.File, bytes int64) error {
		f, err := numpy.Open(file, bytes)
		if err != nil {
			return err
		}
		if isOne(f.Shape, size) {
			f.Shape = append([]int{1}, f.Shape...)
		}
		return c.readExamples(path, f)
	})
	if err != nil {
		return nil, err
	}
	set, err := newMemory(path, c.files, c.examples, nil, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	set.info.Remarks, set.info.Warnings = c.remarks, c.warnings
	return set, nil
}

// isOne is true for the shape of a single example.
func isOne(shape []int, size int) bool {
	return len(shape) > 0 && Info{Shape: shape}.Size() == size && (len(shape) == 1 || shape[0] != 1)
}

// openPicture opens a picture as a set of one.
func openPicture(path string, _ int) (Set, error) {
	q, err := readPhoto(path, 1)
	if err != nil {
		return nil, err
	}
	p := &patches{info: Info{Name: path, Files: []string{path}, Shape: []int{q.Rows, q.Cols}}, whitening: whitening{method: untouched}, size: 1, count: 1}
	p.pictures = []picture{{rows: q.Rows, cols: q.Cols, levels: q.Levels}}
	var seen sights
	seen.add(q)
	seen.describe(&p.info)
	p.info.Stored = p.sizes() + " as grey levels"
	return whole{p}, p.prepare()
}
