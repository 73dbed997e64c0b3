package site

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/unitscope/unitscope/dataset/numpy"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/schema"
)

// array is one array of an npz file with a row for each unit.
type array struct {
	units []int
	shape []int     // of one unit's row
	data  []float32 // [len(units), ...shape]
}

// size is how many numbers a unit has.
func (a *array) size() int {
	n := 1
	for _, side := range a.shape {
		n *= side
	}
	return n
}

// of is the row of a unit by its place.
func (a *array) of(place int) []float32 {
	n := a.size()
	return a.data[place*n : (place+1)*n]
}

// place is where a unit is, -1 if it is not there.
func (a *array) place(unit int) int { return slices.Index(a.units, unit) }

// readArray reads an array whose rows belong to the array units of the same file.
func readArray(path, name string) (a *array, err error) {
	err = withArchive(path, func(file *numpy.Archive) error {
		if a, err = unitsIn(file); err != nil {
			return err
		}
		if err := atMost(file, name, maxArray); err != nil {
			return err
		}
		read, err := file.Read(name)
		if err != nil {
			return err
		}
		if len(read.Shape) < 1 || read.Shape[0] != len(a.units) {
			return fmt.Errorf("%s has shape %v for %d units", name, read.Shape, len(a.units))
		}
		a.shape = read.Shape[1:]
		a.data, err = floats(read)
		return err
	})
	return a, err
}

// readUnits reads the array units alone.
func readUnits(path string) (units []int, err error) {
	err = withArchive(path, func(file *numpy.Archive) error {
		a, err := unitsIn(file)
		if err == nil {
			units = a.units
		}
		return err
	})
	return units, err
}

// Bounds of what a layer's page holds. Every file is no longer than its bytes are,
// but one may have many units, and another many numbers of each.
const (
	maxUnits   = 1 << 17 // of a layer
	maxNumbers = 1 << 24 // of all units together, of one kind
	maxArray   = 1 << 29 // bytes, unpacked: a file of zeros may be a thousand times shorter
	maxLabels  = 1 << 24 // bytes of units, or of steps
)

// atMost is an error where an array is longer than bytes when it is unpacked.
func atMost(file *numpy.Archive, name string, bytes uint64) error {
	if n := file.Bytes(name); n > bytes {
		return fmt.Errorf("%s has %d bytes, more than a report shows (%d)", name, n, bytes)
	}
	return nil
}

// hasArray is true if an npz file has an array of this name.
func hasArray(path, name string) (has bool, err error) {
	err = withArchive(path, func(file *numpy.Archive) error {
		has = file.Bytes(name) > 0
		return nil
	})
	return has, err
}

// unitsIn is an array that has its units only.
func unitsIn(file *numpy.Archive) (*array, error) {
	if err := atMost(file, schema.Units, maxLabels); err != nil {
		return nil, err
	}
	labels, err := file.ReadLabels(schema.Units)
	if err != nil {
		return nil, err
	}
	if len(labels) < 1 {
		return nil, errors.New("it has no units")
	}
	if len(labels) > maxUnits {
		return nil, fmt.Errorf("it has %d units, more than a report shows (%d)", len(labels), maxUnits)
	}
	a := &array{}
	for _, unit := range labels {
		if unit < 0 {
			return nil, fmt.Errorf("there is a unit %d", unit)
		}
		a.units = append(a.units, int(unit))
	}
	if twice := firstTwice(a.units); twice >= 0 {
		return nil, fmt.Errorf("unit %d is there twice", twice)
	}
	return a, nil
}

// readVector reads whole numbers [n] that belong to no units.
func readVector(path, name string) (numbers []int, err error) {
	err = withArchive(path, func(file *numpy.Archive) error {
		if err := atMost(file, name, maxLabels); err != nil {
			return err
		}
		labels, err := file.ReadLabels(name)
		for _, n := range labels {
			numbers = append(numbers, int(n))
		}
		return err
	})
	return numbers, err
}

// withArchive opens an npz file. Its reader checks every length against the file's
// size before it takes memory.
func withArchive(path string, use func(*numpy.Archive) error) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	file, err := numpy.OpenArchive(f, info.Size())
	if err == nil {
		err = use(file)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}

// floats are the numbers of an array, whatever they are in the file.
func floats(a *numpy.Array) ([]float32, error) {
	if a.Bytes == nil {
		return a.Floats, nil
	}
	if err := memory.CheckFloats(len(a.Bytes), 1); err != nil {
		return nil, err
	}
	all := make([]float32, len(a.Bytes))
	for i, b := range a.Bytes {
		all[i] = float32(b)
	}
	return all, nil
}

// firstTwice is a number that comes more than once, -1 if none does.
func firstTwice(numbers []int) int {
	seen := map[int]bool{}
	for _, n := range numbers {
		if seen[n] {
			return n
		}
		seen[n] = true
	}
	return -1
}

// table is a csv file: names, and rows of as many cells.
type table struct {
	names []string
	rows  [][]string
}

const (
	maxTable = 256 << 20 // bytes
	cellCost = 10        // bytes of memory for each: a cell of one letter is a string
)

func readTable(path string) (t *table, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > maxTable {
		return nil, errors.Join(fmt.Errorf("%s: larger than any table that unitscope writes", path), err)
	}
	if err := memory.Check(cellCost * uint64(info.Size())); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	rows, err := csv.NewReader(io.LimitReader(f, maxTable)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: an empty table", path)
	}
	return &table{rows[0], rows[1:]}, nil
}

// column is where a name is, -1 if there is none.
func (t *table) column(name string) int { return slices.Index(t.names, name) }

// text is a cell, "" where there is no such column.
func (t *table) text(row int, name string) string {
	if c := t.column(name); c >= 0 {
		return t.rows[row][c]
	}
	return ""
}

// number is a cell as a number, NaN where it is none.
func (t *table) number(row int, name string) float64 {
	if x, err := strconv.ParseFloat(t.text(row, name), 64); err == nil {
		return x
	}
	return math.NaN()
}

// whole is a cell as a whole number, -1 where it is none.
func (t *table) whole(row int, name string) int {
	if n, err := strconv.Atoi(t.text(row, name)); err == nil {
		return n
	}
	return -1
}
