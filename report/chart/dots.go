package chart

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/unitscope/unitscope/engine/words"
)

// NewDots makes a chart with a dot for each number of a group, above the group's name and spread
// a little sideways in the order in which they come, with a line at their median.
// Each group has a colour. LogX is an error, as in [Bars].
func NewDots(a Axes, names []string, groups [][]float64) (*Plot, error) {
	a, err := a.resolve()
	if err != nil {
		return nil, a.named("dots", err)
	}
	if a.LogX {
		return nil, a.named("dots", fmt.Errorf("the axis of names can't be logarithmic"))
	}
	if len(names) != len(groups) || len(names) > maxCategories {
		return nil, a.named("dots", fmt.Errorf("%d names for %d groups, want as many and at most %d", len(names), len(groups), maxCategories))
	}
	var y span
	kept := make([][]float64, len(groups))
	for k, numbers := range groups {
		for _, v := range numbers {
			if shown(v, a.LogY) {
				y.add(v)
				kept[k] = append(kept[k], v)
			}
		}
	}
	if !y.any {
		return nil, a.named("dots", fmt.Errorf("none of %d groups has a number to show", len(groups)))
	}
	a.reach(&y)
	p := newPlot(a, span{low: -0.6, high: float64(len(names)) - 0.4}, y.wide(0.05, a.LogY))
	p.nameGroups(names)
	about := []string{fmt.Sprintf("Dots of %s.", orElse(a.Y, "numbers"))}
	for k, numbers := range kept {
		if len(numbers) == 0 {
			continue
		}
		median, err := p.addDots(k, numbers)
		if err != nil {
			return nil, a.named("dots", err)
		}
		about = append(about, fmt.Sprintf("%s: %s, median %.4g.", line(names[k]), words.Count(len(numbers), "number"), median))
	}
	p.about = shorten(about)
	return p, nil
}

// addDots adds the numbers of a group and their median.
func (p *Plot) addDots(group int, numbers []float64) (median float64, err error) {
	dots := make(plotter.XYs, len(numbers))
	for i, v := range numbers {
		// The golden ratio spreads any number of dots evenly.
		_, place := math.Modf(float64(i) * (math.Sqrt(5) - 1) / 2)
		dots[i] = plotter.XY{X: float64(group) + 0.6*(place-0.5), Y: v}
	}
	scatter, err := plotter.NewScatter(dots)
	if err != nil {
		return 0, err
	}
	scatter.GlyphStyle = draw.GlyphStyle{Color: colour(group), Radius: vg.Points(1.5), Shape: draw.CircleGlyph{}}
	sorted := slices.Sorted(slices.Values(numbers))
	low, high := sorted[(len(sorted)-1)/2], sorted[len(sorted)/2]
	median = low + (high-low)/2
	line, err := plotter.NewLine(plotter.XYs{{X: float64(group) - 0.35, Y: median}, {X: float64(group) + 0.35, Y: median}})
	if err != nil {
		return 0, err
	}
	line.Width = vg.Points(1.5)
	p.plot.Add(scatter, line)
	return median, nil
}
