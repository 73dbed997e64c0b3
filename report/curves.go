package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/report/chart"
	"github.com/unitscope/unitscope/visualize"
)

const (
	// curvePanels is how many units have a panel of their own; more are drawn as
	// one summary.
	curvePanels = 16
	// curvesShown is how many restarts of a unit have a line, the best one and
	// the first of the others.
	curvesShown = 50
)

// Looks of lines: the first colour for what is to be seen first, grey for what
// is around it.
const lookFirst, lookAround = 1, 5

// AscentCurves draws how activations grew while patterns climbed: for up to 16
// units a panel each, with a line for each restart (at most 50), of more units
// the quantiles over all restarts of what share of its gain a restart had made.
// Restarts that gained next to nothing have no share of it: those whose gain is lost in
// the rounding of their activation, or in how far they strayed from their start on the way.
// They are left out, and the title counts them. The result must hold curves. Where no restart gained anything, there is no
// figure and no error. heading is what the layer is called: "DBN layer 2".
func AscentCurves(heading string, r *visualize.AscentResult) (*chart.Figure, error) {
	if r == nil || r.Curves == nil {
		return nil, fmt.Errorf("curves: the ascent has recorded none")
	}
	data, err := dense.Data(r.Curves.Activation)
	if err != nil {
		return nil, fmt.Errorf("curves: %w", err)
	}
	rows := len(r.Units) * r.Restarts
	if len(data) != rows*len(r.Curves.Steps) || len(r.Steps) != rows || len(r.Best) != len(r.Units) || rows == 0 {
		return nil, fmt.Errorf("curves: %d units with %d restarts, %d steps, %d numbers of curves", len(r.Units), r.Restarts, len(r.Steps), len(data))
	}
	c := &curves{AscentResult: r, of: heading, data: data, points: curvePoints(r)}
	draw := c.panels
	if len(r.Units) > curvePanels {
		draw = c.summary
	}
	figure, err := draw()
	if err != nil {
		return nil, fmt.Errorf("curves: %w", err)
	}
	return figure, nil
}

// curves are an ascent's, ready to draw.
type curves struct {
	*visualize.AscentResult
	of     string    // the layer with its model
	data   []float32 // [U, R, T]
	points int       // that are drawn
}

// curvePoints is how many numbers of steps there are up to that at which the last
// restart has stopped.
func curvePoints(r *visualize.AscentResult) int {
	last, _ := slices.BinarySearch(r.Curves.Steps, slices.Max(r.Steps))
	return min(last+1, len(r.Curves.Steps))
}

// row is the curve of a restart.
func (c *curves) row(i int) []float64 {
	n := len(c.Curves.Steps)
	y := make([]float64, c.points)
	for t, a := range c.data[i*n : i*n+c.points] {
		y[t] = float64(a)
	}
	return y
}

// x is where the points stand: the start, after no steps, is at 1 of a
// logarithmic axis.
func (c *curves) x() []float64 {
	x := make([]float64, c.points)
	for t := range x {
		x[t] = float64(1 + c.Curves.Steps[t])
	}
	return x
}

// stepAxis names it.
const stepAxis = "1 + steps"

func (c *curves) panels() (*chart.Figure, error) {
	title := fmt.Sprintf("%s while they climb", Shown(min(c.Restarts, curvesShown), c.Restarts, "restart"))
	figure := &chart.Figure{Title: fmt.Sprintf("%s: activation of %s, of each %s", c.of, title, Noun(c.Names)), Columns: squareColumns(len(c.Units))}
	width, height := 220., 150.
	if len(c.Units) == 1 {
		// One plot has the figure's title for its own.
		figure.Title = fmt.Sprintf("%s, %s: activation of %s", c.of, shortened(c.NameOf(0)), title)
		width, height = chart.DefaultWidth, chart.DefaultHeight
	}
	x := c.x()
	for u := range c.Units {
		var series []chart.Series
		for k := range c.Restarts {
			if k != c.Best[u] && len(series) < curvesShown-1 {
				series = append(series, chart.Series{Name: "other restarts", X: x, Y: c.row(u*c.Restarts + k), Look: lookAround})
			}
		}
		// The last one is drawn above the others.
		series = append(series, chart.Series{Name: "best restart", X: x, Y: c.row(u*c.Restarts + c.Best[u]), Look: lookFirst})
		p, err := chart.NewCurves(chart.Axes{
			Title: shortened(c.NameOf(u)), X: stepAxis, Y: "activation", LogX: true, Width: width, Height: height,
		}, series)
		if err != nil {
			return nil, err
		}
		figure.Plots = append(figure.Plots, p)
	}
	return figure, nil
}

// summary is the quantiles over all restarts.
func (c *curves) summary() (*chart.Figure, error) {
	shares := make([][]float64, c.points) // [T][restarts]
	n := 0
	for i := range len(c.Units) * c.Restarts {
		y := c.row(i)
		first, gain := y[0], y[len(y)-1]-y[0]
		if !tells(y) {
			continue
		}
		n++
		for t := range y {
			shares[t] = append(shares[t], (y[t]-first)/gain)
		}
	}
	if n == 0 {
		return nil, nil
	}
	var series []chart.Series
	for i, q := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
		s := chart.Series{Name: fmt.Sprintf("%g %%", 100*q), X: c.x(), Look: []int{2, 4, lookFirst, 3, lookAround}[i]}
		for t := range shares {
			s.Y = append(s.Y, quantile(shares[t], q))
		}
		series = append(series, s)
	}
	left := ""
	if all := len(c.Units) * c.Restarts; n < all {
		left = fmt.Sprintf(" of %d", all)
	}
	p, err := chart.NewCurves(chart.Axes{
		Title: fmt.Sprintf("%s: gain of %d%s restarts of %s, quantiles", c.of, n, left, words.Count(len(c.Units), Noun(c.Names))),
		X:     stepAxis, Y: "share of a restart's final gain", LogX: true,
	}, series)
	if err != nil {
		return nil, err
	}
	return &chart.Figure{Plots: []*chart.Plot{p}}, nil
}

// tells is true for the curve of a restart whose gain is one: more than a few
// roundings of float32 at its activations, and more than a hundredth of how far it was
// from its start at any time. A share of anything less is noise of any size.
func tells(y []float64) bool {
	const roundings, strayed = 0x1p-20, 0.01
	first, gain := y[0], math.Abs(y[len(y)-1]-y[0])
	farthest, largest := 0.0, 0.0
	for _, a := range y {
		farthest, largest = max(farthest, math.Abs(a-first)), max(largest, math.Abs(a))
	}
	return gain > strayed*farthest && gain > roundings*largest
}

// quantile sorts the numbers, and interpolates between the two nearest.
func quantile(numbers []float64, q float64) float64 {
	slices.Sort(numbers)
	at := q * float64(len(numbers)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(numbers)-1)
	return numbers[low] + (at-float64(low))*(numbers[high]-numbers[low])
}
