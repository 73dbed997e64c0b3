package report

import (
	"fmt"
	"strconv"
	"strings"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
)

// Units is a panel of one pattern for each unit, in a near square, each tile
// with its unit's number above it.
func Units(heading, what string, patterns *tensor.Dense, shape []int, units []int, o GridOptions) *Panel {
	return &Panel{Heading: heading, What: what, Blocks: []Block{{Patterns: patterns, Shape: shape, Tiles: unitNames(units, ""), GridOptions: o}}}
}

// Rows is a panel of patterns [U, N, D] with a row for each unit; at most so
// many of the units and of their patterns are shown, the first ones. Heads are
// written above the columns.
func Rows(heading, what string, patterns *tensor.Dense, shape []int, units []int, heads []string, mostUnits, mostColumns int, o GridOptions) (*Panel, error) {
	shown, rows, columns, err := firstOf(patterns, mostUnits, mostColumns)
	if err != nil {
		return nil, err
	}
	if len(units) < rows {
		return nil, fmt.Errorf("%d units for patterns of %d", len(units), rows)
	}
	if o.Dead != nil {
		if len(o.Dead) != patterns.Shape()[0] {
			return nil, fmt.Errorf("%d units, %d marks of dead units", patterns.Shape()[0], len(o.Dead))
		}
		dead := make([]bool, rows*columns)
		for i := range dead {
			dead[i] = o.Dead[i/columns]
		}
		o.Dead = dead
	}
	return &Panel{Heading: heading, What: what, Blocks: []Block{{
		Patterns: shown, Shape: shape, Columns: columns, Rows: unitNames(units[:rows], "unit "), Heads: heads, GridOptions: o,
	}}}, nil
}

// firstOf returns the first so many of patterns [U, N, D] as [rows*columns, D].
func firstOf(patterns *tensor.Dense, mostUnits, mostColumns int) (shown *tensor.Dense, rows, columns int, err error) {
	if patterns == nil || patterns.Dims() != 3 {
		return nil, 0, 0, fmt.Errorf("patterns are %s, want [units, patterns of each, components]", describe(patterns))
	}
	all := patterns.Shape()
	rows, columns = min(all[0], mostUnits), min(all[1], mostColumns)
	if rows < 1 || columns < 1 {
		return nil, 0, 0, fmt.Errorf("%d units with %d patterns of each, want at least 1", rows, columns)
	}
	data, err := dense.Data(patterns)
	if err != nil {
		return nil, 0, 0, err
	}
	var kept []float32
	for u := range rows {
		from := u * all[1] * all[2]
		kept = append(kept, data[from:from+columns*all[2]]...)
	}
	shown, err = dense.Of(kept, rows*columns, all[2])
	return shown, rows, columns, err
}

// Shown says how many things a picture shows: "6 units", or "the first 16 of 200
// units" where there are more.
func Shown(shown, all int, noun string) string {
	if shown >= all {
		return words.Count(all, noun)
	}
	return fmt.Sprintf("the first %d of %s", shown, words.Count(all, noun))
}

// layerName starts a heading: "SDAE layer 3", or "layer 3" of a model without a
// name.
func layerName(model string, layer int) string {
	return strings.TrimSpace(fmt.Sprintf("%s layer %d", model, layer))
}

// unitNames are numbers as text.
func unitNames(units []int, before string) []string {
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = before + strconv.Itoa(u)
	}
	return names
}

// Numbered are the heads of n columns: their numbers as arrays and tables count
// them, from 0.
func Numbered(n int) []string {
	heads := make([]string, n)
	for i := range heads {
		heads[i] = strconv.Itoa(i)
	}
	return heads
}

// rowsOfUnits names the rows of a grid of units: the first and the last unit of
// each where they follow on each other, else all of them.
func rowsOfUnits(units []int, columns int) (names []string) {
	for from := 0; from < len(units); from += columns {
		row := units[from:min(from+columns, len(units))]
		name := strconv.Itoa(row[0])
		for i := 1; i < len(row); i++ {
			if row[i] != row[0]+i {
				return nil
			}
		}
		if len(row) > 1 {
			name += "–" + strconv.Itoa(row[len(row)-1])
		}
		names = append(names, name)
	}
	return names
}
