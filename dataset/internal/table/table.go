// Package table reads examples from text: lines of cells that are separated by commas,
// semicolons, tabs or spaces, as pandas, numpy.savetxt, R and spreadsheets write them.
// What is left out or guessed is remarked on, and a cell that is no number is an error.
package table

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// Options say how a file is to be read.
type Options struct {
	Label  string // the column of the classes, by name or by number from 1; "" for none
	Header string // "yes" or "no": whether the first line names the columns; "" to find out
}

// Table is what a file holds.
type Table struct {
	Array             *array.Array // [n, columns that are components]
	Labels            []int32      // [n], nil if there are none
	Classes           []string     // names of the labels from 0 on, nil if they are numbers
	Remarks, Warnings []string
	Doubt             string // the first of Warnings of a component that may be none
}

// reader reads the lines of a file.
type reader struct {
	*source
	csv     *csv.Reader
	columns []column
	numbers []float32
	rows    int
	classes classes
	Table
}

// column is one of the columns of a file.
type column struct {
	name string // "" if there is none
	role role
}

// role is what a column is read as.
type role int

const (
	component role = iota
	label
	leftOut
)

// Read reads a file of size bytes, gzipped or not. Memory grows with what was read, and
// must be there.
func Read(r io.Reader, size int64, o Options) (*Table, error) {
	s, err := newSource(r, size)
	if err != nil {
		return nil, err
	}
	t := &reader{source: s, csv: s.records()}
	first, err := t.begin(o)
	if err != nil {
		return nil, err
	}
	for record := first; ; {
		if err := t.add(record); err != nil {
			return nil, err
		}
		if record, err = t.next(); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return t.end(o)
}

// next is the next line that is not empty. It holds until the one after it is read.
func (t *reader) next() ([]string, error) {
	t.recordLeft = maxRecord
	record, err := t.csv.Read()
	var parse *csv.ParseError
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		line, _ := t.csv.FieldPos(0)
		return nil, fmt.Errorf("line %d has %d cells, and those before it have %d", t.skipped+line, len(record), t.csv.FieldsPerRecord)
	case errors.As(err, &parse):
		return nil, fmt.Errorf("line %d: %w", t.skipped+parse.Line, parse.Err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("truncated: its last bytes are missing")
	}
	return record, err
}

// add reads a line of examples.
func (t *reader) add(record []string) error {
	if err := t.makeRoom(len(record)); err != nil {
		return err
	}
	for i, cell := range record {
		cell = strings.TrimSpace(cell)
		switch t.columns[i].role {
		case component:
			v, err := number(cell)
			if err != nil {
				return fmt.Errorf("%s: %w%s", t.where(i), err, t.advice(cell, i))
			}
			t.numbers = append(t.numbers, v)
		case label:
			if cell == "" {
				return fmt.Errorf("%s: no class is there", t.where(i))
			}
			t.classes.add(cell)
		}
	}
	t.rows++
	return nil
}

// where is the place of a cell.
func (t *reader) where(i int) string {
	line, _ := t.csv.FieldPos(i)
	return fmt.Sprintf("line %d, %s", t.skipped+line, t.describe(i))
}

// describe names a column.
func (t *reader) describe(i int) string {
	if name := t.columns[i].name; name != "" {
		return fmt.Sprintf("column %d (%.40q)", i+1, name)
	}
	return fmt.Sprintf("column %d", i+1)
}

// advice is what may be meant by a cell that is no number.
func (t *reader) advice(cell string, i int) string {
	switch _, err := number(strings.Replace(cell, ",", ".", 1)); {
	case cell == "" || strings.EqualFold(cell, "nan") || strings.EqualFold(cell, "inf"):
		return ""
	case err == nil:
		return ", decimals want a point"
	case !slices.ContainsFunc(t.columns, func(c column) bool { return c.role == label }):
		return "; if this column is the class, " + t.naming(i)
	}
	return ""
}

// number is what a cell holds, rounded to float64 and then to float32: so the same
// numbers in an array of numpy's are the same.
func number(cell string) (float32, error) {
	double, err := decimal(cell)
	v := float32(double)
	switch {
	case cell == "":
		return 0, errors.New("a number is missing")
	case errors.Is(err, strconv.ErrRange) || err == nil && v-v != 0:
		return 0, fmt.Errorf("%.40q is no finite number", cell)
	case err != nil:
		return 0, fmt.Errorf("%.40q is no number", cell)
	}
	return v, nil
}

// decimal reads a number as every writer of tables writes it: not as Go's programs may,
// where 1_0 is 10 and 0x1p3 is 8.
func decimal(cell string) (float64, error) {
	if strings.ContainsAny(cell, "_xX") {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(cell, 64)
}

// startRoom is how many numbers there is room for before any line was read.
const startRoom = 1 << 16

// makeRoom makes room for a line: for all that is to come, going by how much of the file
// has been read, but for no more than sixteen times of what was there.
func (t *reader) makeRoom(cells int) error {
	need := len(t.numbers) + cells
	if need <= cap(t.numbers) {
		return nil
	}
	all := int(float64(len(t.numbers)) * 1.02 / max(t.share(), 1e-9))
	room := max(need, startRoom, len(t.numbers)+len(t.numbers)/4, min(all, 16*len(t.numbers)))
	if err := array.CheckRoom(4 * uint64(room)); err != nil {
		return err
	}
	t.numbers = append(make([]float32, 0, room), t.numbers...)
	return nil
}

// end makes a table of what was read.
func (t *reader) end(o Options) (*Table, error) {
	components := len(t.numbers) / t.rows
	if components == 0 {
		return nil, errors.New("it has no columns but that of the classes")
	}
	t.Array = &array.Array{Shape: []int{t.rows, components}, Type: array.Type{Kind: array.Text}, Floats: t.numbers}
	if o.Label == "" {
		t.suspectLabels()
	} else if err := t.readLabels(); err != nil {
		return nil, err
	}
	t.suspectCounts(components)
	if t.packed != nil && t.packed.Garbage() {
		t.Warnings = append(t.Warnings, array.GarbageWarning)
	}
	return &t.Table, nil
}
