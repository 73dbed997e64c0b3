package report

import (
	"fmt"

	"github.com/unitscope/unitscope/visualize"
)

// Comparison draws the patterns of several methods side by side: a row for each
// of the first so many units, a column for each method with its name above, every
// tile on its own scale. A missing pattern is a cross. layer is what the layer
// is called: "DBN layer 2".
func Comparison(layer string, r *visualize.CompareResult, units int, o GridOptions) (*Picture, error) {
	if r == nil {
		return nil, fmt.Errorf("comparison: no result")
	}
	all := r.MethodPatterns()
	shown, err := all.First(units, len(r.Methods))
	if err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	if _, methods, _ := all.Size(); methods != len(r.Methods) {
		return nil, fmt.Errorf("comparison: %d methods with %d names", methods, len(r.Methods))
	}
	heading := fmt.Sprintf("%s: %s by each method", layer, Shown(min(units, len(r.Units)), len(r.Units), "unit"))
	p, err := Rows(heading, shown, r.Methods, o)
	if err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	picture, err := Sheet(heading, []*Panel{p})
	if err != nil {
		return nil, fmt.Errorf("comparison: %w", err)
	}
	return picture, nil
}
