package table

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// classes are the cells of the column of the classes.
type classes struct {
	ids   map[string]int32 // of those that differ
	names []string         // by id
	rows  []int32          // ids
}

func (c *classes) add(cell string) {
	id, seen := c.ids[cell]
	if !seen {
		if c.ids == nil {
			c.ids = map[string]int32{}
		}
		id = int32(len(c.names))
		cell = strings.Clone(cell) // the line's other cells need not be kept
		c.ids[cell] = id
		c.names = append(c.names, cell)
	}
	c.rows = append(c.rows, id)
}

// readLabels makes labels of the classes: whole numbers are what they are, names are
// numbered in sorted order.
func (t *reader) readLabels() error {
	at := slices.IndexFunc(t.columns, func(c column) bool { return c.role == label })
	labels := make([]int32, len(t.classes.names))
	words := false
	for id, name := range t.classes.names {
		v, err := decimal(name)
		if err != nil {
			words = true
			break
		}
		if v != math.Trunc(v) || v < math.MinInt32 || v > math.MaxInt32 {
			return fmt.Errorf("%s: class %.40q is no whole number", t.describe(at), name)
		}
		labels[id] = int32(v)
	}
	if words {
		t.numberClasses(at, labels)
	} else {
		t.Remarks = append(t.Remarks, "labels are those of "+t.describe(at))
	}
	t.Labels = make([]int32, t.rows)
	for i, id := range t.classes.rows {
		t.Labels[i] = labels[id]
	}
	return nil
}

const classesShown = 10

func (t *reader) numberClasses(at int, labels []int32) {
	sorted := slices.Sorted(slices.Values(t.classes.names))
	t.Classes = sorted
	var shown []string
	for number, name := range sorted {
		labels[t.classes.ids[name]] = int32(number)
		if number < classesShown {
			shown = append(shown, fmt.Sprintf("%d is %.40q", number, name))
		}
	}
	if len(sorted) > classesShown {
		shown = append(shown, fmt.Sprintf("... %d in all", len(sorted)))
	}
	t.Remarks = append(t.Remarks, fmt.Sprintf("classes of %s in sorted order: %s", t.describe(at), strings.Join(shown, ", ")))
	if len(sorted) == t.rows && t.rows > classesShown {
		t.Warnings = append(t.Warnings, fmt.Sprintf("every class of %s is another: is that the column of the classes?", t.describe(at)))
	}
}

// labelNames are what people call the column of the classes.
var labelNames = []string{"label", "labels", "class", "target", "y", "species", "digit", "variety"}

// smallestSide is that of the smallest pictures that people classify, sklearn's digits.
const smallestSide = 8

// suspect warns of a column that was read as a component and may be none.
func (t *reader) suspect(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if t.Doubt == "" {
		t.Doubt = text
	}
	t.Warnings = append(t.Warnings, text)
}

// suspectLabel warns of a number that names the column of the classes, and may have been
// meant to count the columns.
func (t *reader) suspectLabel(wanted string, at int) {
	number, err := strconv.Atoi(wanted)
	if err != nil || t.columns[at].name != wanted {
		return
	}
	switch counted := number - 1; {
	case number == 0:
		t.suspectNames() // counted from 0, as Python does
	case counted != at && number > 0 && counted < len(t.columns):
		t.suspect("label=%s is the name of %s, and a name goes before a number; if %s is meant, %s", wanted, t.describe(at), t.describe(counted), t.naming(counted))
	}
}

// suspectLabels warns of a column that may be that of the classes, and was read as a
// component because nothing was said of it.
func (t *reader) suspectLabels() {
	components := 0
	for _, c := range t.columns {
		if c.role == component {
			components++
		}
	}
	side := int(math.Sqrt(float64(components)))
	if !t.suspectNames() && side >= smallestSide && side*side == components-1 {
		t.suspect("it has %d components, one more than %dx%d; if one is the class, add label= and the %s of its column", components, side, side, t.namedBy())
	}
}

// suspectNames warns of a component that has a name of classes, and says whether there
// is one.
func (t *reader) suspectNames() bool {
	for i, c := range t.columns {
		if c.role == component && slices.Contains(labelNames, strings.ToLower(c.name)) {
			t.suspect("%s was taken for a component; if it is the class, %s", t.describe(i), t.naming(i))
			return true
		}
	}
	return false
}

// suspectCounts warns of components that count the lines.
func (t *reader) suspectCounts(components int) {
	const few = 3 // lines, whose numbers may well count
	at := 0
	for i, c := range t.columns {
		if c.role != component {
			continue
		}
		counts := t.rows > few
		for row := 1; row < t.rows && counts; row++ {
			counts = t.numbers[row*components+at]-t.numbers[(row-1)*components+at] == 1
		}
		if counts {
			t.suspect("%s counts the lines; if it is no component, leave it out of the file", t.describe(i))
		}
		at++
	}
}
