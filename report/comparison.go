package report

import (
	"fmt"

	"github.com/unitscope/unitscope/visualize"
)

// Comparison draws the patterns of several methods side by side: a row for each
// of the first so many units, a column for each method with its name above, every
// tile on its own scale. A missing pattern is a cross. name is the start of the
// heading: "DBN". The options' Dead and Range are not used.
func Comparison(name string, r *visualize.CompareResult, units int, o GridOptions) (*Picture, error) {
	if r == nil {
		return nil, fmt.Errorf("comparison: no result")
	}
	if units < 1 {
		return nil, fmt.Errorf("comparison: %d units, want at least 1", units)
	}
	o.Dead, o.Range = nil, Range{}
	heading := fmt.Sprintf("%s: %s by each method", layerName(name, r.Layer), Shown(min(units, len(r.Units)), len(r.Units), "unit"))
	p, err := Rows(heading, "patterns", r.Patterns, r.Shape, r.Units, r.Methods, units, len(r.Methods), o)
	if err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	p.Radius = r.Radius
	b := &p.Blocks[0]
	n := b.Patterns.Shape()[0]
	if r.Patterns.Shape()[1] != len(r.Methods) || len(r.Rows) < n {
		return nil, fmt.Errorf("comparison: %d methods with %d names and %d rows", r.Patterns.Shape()[1], len(r.Methods), len(r.Rows))
	}
	b.Dead = make([]bool, n)
	for i := range b.Dead {
		b.Dead[i] = r.Rows[i].Missing
	}
	picture, err := Sheet(heading, []*Panel{p})
	if err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	return picture, nil
}
