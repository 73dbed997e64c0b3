package table

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// begin finds out what the columns are, and is the first line of examples.
func (t *reader) begin(o Options) ([]string, error) {
	record, err := t.next()
	if err == io.EOF {
		return nil, errors.New("no line of cells in it")
	}
	if err != nil {
		return nil, err
	}
	var names []string
	switch {
	case o.Header == "yes", o.Header == "" && t.isHeader(record):
		names = trimmed(record)
		if record, err = t.next(); err == io.EOF {
			return nil, errors.New("its only line names the columns: no examples")
		}
		if err != nil {
			return nil, err
		}
	case o.Header == "":
		names = t.commented(len(record))
	}
	t.csv.FieldsPerRecord = len(record)
	if len(names) == len(record)-1 && len(names) > 0 {
		names = slices.Insert(names, 0, "") // R does not name the column of its rows
	}
	if names != nil && len(names) != len(record) {
		return nil, fmt.Errorf("its first line names %d columns, and the next has %d cells", len(names), len(record))
	}
	t.columns = make([]column, len(record))
	for i := range names {
		t.columns[i].name = names[i]
	}
	return record, t.assign(o.Label, names)
}

func trimmed(record []string) []string {
	names := make([]string, len(record))
	for i, cell := range record {
		names[i] = strings.TrimSpace(cell)
	}
	return names
}

// enumerated is from how many cells on that count up a line is taken for the numbers of
// columns, which pandas writes where they have no names.
const enumerated = 4

// isHeader is true of a line without a number, and of one whose numbers count its
// columns.
func (t *reader) isHeader(record []string) bool {
	count, first := 0, 0
	for _, cell := range record {
		cell = strings.TrimSpace(cell)
		if t.separator != ',' {
			cell = strings.Replace(cell, ",", ".", 1) // a number that will be refused as such
		}
		v, err := decimal(cell)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			continue
		}
		if count == 0 {
			first = int(math.Max(0, math.Min(v, 2)))
		}
		if first > 1 || v != float64(first+count) {
			return false
		}
		count++
	}
	if count > 0 && count < enumerated {
		return false
	}
	if count > 0 {
		t.Remarks = append(t.Remarks, fmt.Sprintf("its first line counts the columns, %d to %d, and was taken for their names; header=no takes it for an example", first, first+count-1))
	}
	return true
}

// commented are the names of so many columns in the comment before the lines, nil if
// those are no names.
func (t *reader) commented(columns int) []string {
	names := csv.NewReader(strings.NewReader(t.comment))
	names.Comma, names.TrimLeadingSpace = t.csv.Comma, t.csv.TrimLeadingSpace
	record, err := names.Read()
	if err != nil || len(record) != columns {
		return nil
	}
	return trimmed(record)
}

// assign finds the column of the classes, and leaves out that of the names of rows.
func (t *reader) assign(wanted string, names []string) error {
	if wanted != "" {
		i, err := find(wanted, names, len(t.columns))
		if err != nil {
			return err
		}
		t.columns[i].role = label
		t.suspectLabel(wanted, i)
	}
	if names == nil || t.columns[0].role == label || len(t.columns) < 2 {
		return nil
	}
	if names[0] == "" || names[0] == "Unnamed: 0" {
		t.columns[0].role = leftOut
		t.Remarks = append(t.Remarks, "its first column has no name and was left out, as the names of rows that pandas and R write")
	}
	return nil
}

// naming says how the option label names a column, by whose name and number others may
// go as well.
func (t *reader) naming(i int) string {
	called := func(name string) (count int) {
		for _, c := range t.columns {
			if c.name == name {
				count++
			}
		}
		return count
	}
	const longest = 40
	// The options of a specification end at a comma.
	if name := t.columns[i].name; name != "" && len(name) <= longest && called(name) == 1 && !strings.ContainsAny(name, ",\n\r") {
		return "add label=" + name
	}
	if number := strconv.Itoa(i + 1); called(number) == 0 {
		return "add label=" + number
	}
	return "give it a name of its own, and add label= and that name"
}

// namedBy is by what the columns are best told from one another.
func (t *reader) namedBy() string {
	if slices.ContainsFunc(t.columns, func(c column) bool { return c.name != "" }) {
		return "name"
	}
	return "number"
}

const namesShown = 8

// find is the column of a name or, counted from 1, of a number.
func find(wanted string, names []string, columns int) (int, error) {
	if i := slices.Index(names, wanted); i >= 0 {
		if slices.Contains(names[i+1:], wanted) {
			return 0, array.Askedf("label=%s: several columns have that name; give the number of one", wanted)
		}
		return i, nil
	}
	if i, err := strconv.Atoi(wanted); err == nil && i >= 1 && i <= columns {
		return i - 1, nil
	}
	if len(names) == 0 {
		return 0, array.Askedf("label=%s: it names no columns, want a number from 1 to %d", wanted, columns)
	}
	shown := ""
	for i, name := range names {
		if i == namesShown {
			shown += ", ..."
			break
		}
		shown += fmt.Sprintf(", %.40q", name)
	}
	return 0, array.Askedf("label=%s: it has no such column, want a number from 1 to %d or one of %s", wanted, columns, strings.TrimPrefix(shown, ", "))
}
