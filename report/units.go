package report

import (
	"fmt"
	"strconv"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/visualize"
)

// Units is a panel of one pattern for each unit, in a near square, each tile
// with its unit's number above it, or the name of what it is of where it is no unit.
func Units(heading string, p visualize.Patterns, o GridOptions) *Panel {
	return &Panel{Heading: heading, Blocks: []Block{{Patterns: p, Tiles: namesOf(p, ""), GridOptions: o}}}
}

// Rows is a panel with a row of patterns for each unit. Heads are written above the
// columns; nil means none.
func Rows(heading string, p visualize.Patterns, heads []string, o GridOptions) (*Panel, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	_, each, _ := p.Size()
	return &Panel{Heading: heading, Blocks: []Block{{Patterns: p, Columns: each, Rows: namesOf(p, "unit "), Heads: heads, GridOptions: o}}}, nil
}

// Shown says how many things a picture shows: "6 units", or "the first 16 of 200
// units" where there are more.
func Shown(shown, all int, noun string) string {
	if shown >= all {
		return words.Count(all, noun)
	}
	return fmt.Sprintf("the first %d of %s", shown, words.Count(all, noun))
}

// Noun is what results are of that have these names: a goal, or where there are none, a
// unit.
func Noun(names []string) string {
	if names == nil {
		return "unit"
	}
	return "goal"
}

// namesOf is what is written for patterns: the numbers of units, or other names.
func namesOf(p visualize.Patterns, before string) []string {
	if p.Names == nil {
		return unitNames(p.Units, before)
	}
	names := make([]string, len(p.Names))
	for i, name := range p.Names {
		names[i] = shortened(name)
	}
	return names
}

// shortened is a name that has room beside a tile.
func shortened(name string) string {
	const longest = 32
	if runes := []rune(name); len(runes) > longest {
		return string(runes[:longest-3]) + "..."
	}
	return name
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
