package chart

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Plot is a chart that can stand alone or among others in a [Figure].
type Plot struct {
	axes   Axes
	about  string // what it shows, in words
	plot   *plot.Plot
	grid   *plotter.Grid
	legend []entry
}

// entry is one of the legend.
type entry struct {
	name string
	look int
	line bool // a line, else a block
}

// newPlot has everything but data.
func newPlot(a Axes, x, y span) *Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, axis := range []struct {
		of    *plot.Axis
		label string
		log   bool
		span  span
	}{{&p.X, a.X, a.LogX, x}, {&p.Y, a.Y, a.LogY, y}} {
		axis.of.Label.Text = axis.label
		axis.of.Label.TextStyle = textStyle(labelSize, axis.of.Label.TextStyle)
		axis.of.Tick.Label = textStyle(tickSize, axis.of.Tick.Label)
		axis.of.Tick.Length = vg.Points(4)
		axis.of.Tick.Marker = linearTicks{}
		axis.of.Min, axis.of.Max = axis.span.low, axis.span.high
		axis.of.Padding = vg.Points(2)
		if axis.log {
			axis.of.Scale, axis.of.Tick.Marker = plot.LogScale{}, logTicks{}
		}
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = faint, faint
	p.Add(grid)
	return &Plot{axes: a, plot: p, grid: grid}
}

// NewCurves makes the chart of [Curves].
func NewCurves(a Axes, series []Series) (*Plot, error) {
	a, err := a.resolve()
	if err != nil {
		return nil, a.named("curves", err)
	}
	var x, y span
	for i, s := range series {
		if len(s.X) != len(s.Y) {
			return nil, a.named("curves", fmt.Errorf("series %d of %d, %.60q: %d values of x, %d of y", i+1, len(series), s.Name, len(s.X), len(s.Y)))
		}
		for k := range s.X {
			if shown(s.X[k], a.LogX) && shown(s.Y[k], a.LogY) {
				x.add(s.X[k])
				y.add(s.Y[k])
			}
		}
	}
	if !x.any {
		return nil, a.named("curves", fmt.Errorf("none of %d series has a point to show", len(series)))
	}
	a.reach(&y)
	p := newPlot(a, x.wide(0.01, a.LogX), y.wide(0.04, a.LogY))
	if x.counts() {
		p.wholeTicks(&p.plot.X, a.LogX)
	}
	about := []string{fmt.Sprintf("%s against %s.", orElse(a.Y, "y"), orElse(a.X, "x"))}
	for i, s := range series {
		runs := a.runs(s)
		if err := p.addRuns(s.look(i), runs); err != nil {
			return nil, a.named("curves", err)
		}
		if s.Name != "" {
			p.legend = append(p.legend, entry{line(s.Name), s.look(i), true})
		}
		about = append(about, describe(s.Name, runs))
	}
	p.about = shorten(about)
	return p, nil
}

// wholeTicks marks an axis at whole numbers only, because it counts something.
func (p *Plot) wholeTicks(axis *plot.Axis, log bool) {
	axis.Tick.Marker = linearTicks{whole: true}
	if log {
		axis.Tick.Marker = logTicks{whole: true}
	}
}

// runs are the points of a series between its gaps.
func (a Axes) runs(s Series) (runs []plotter.XYs) {
	var run plotter.XYs
	for k := range s.X {
		if shown(s.X[k], a.LogX) && shown(s.Y[k], a.LogY) {
			run = append(run, plotter.XY{X: s.X[k], Y: s.Y[k]})
		} else if len(run) > 0 {
			runs, run = append(runs, run), nil
		}
	}
	if len(run) > 0 {
		runs = append(runs, run)
	}
	return runs
}

func (p *Plot) addRuns(look int, runs []plotter.XYs) error {
	for _, run := range runs {
		if len(run) == 1 {
			dot, err := plotter.NewScatter(run)
			if err != nil {
				return err
			}
			dot.GlyphStyle = draw.GlyphStyle{Color: colour(look), Radius: vg.Points(1.5), Shape: draw.CircleGlyph{}}
			p.plot.Add(dot)
			continue
		}
		curve, err := plotter.NewLine(thin(run))
		if err != nil {
			return err
		}
		curve.LineStyle = lineStyle(look)
		p.plot.Add(curve)
	}
	return nil
}

// maxPoints is how many points of a run are drawn as they are.
const maxPoints = 4000

// thin leaves out points that can't be seen: of equally many points in a row it
// keeps the first, the lowest, the highest and the last one.
func thin(run plotter.XYs) plotter.XYs {
	if len(run) <= maxPoints {
		return run
	}
	var kept plotter.XYs
	per := (len(run) + maxPoints/4 - 1) / (maxPoints / 4)
	for from := 0; from < len(run); from += per {
		low, high, to := from, from, min(from+per, len(run))
		for k := from; k < to; k++ {
			if run[k].Y < run[low].Y {
				low = k
			}
			if run[k].Y > run[high].Y {
				high = k
			}
		}
		last := -1
		for _, k := range []int{from, min(low, high), max(low, high), to - 1} {
			if k != last {
				kept, last = append(kept, run[k]), k
			}
		}
	}
	return kept
}

// describe says in words where a curve runs.
func describe(name string, runs []plotter.XYs) string {
	points, low, high := 0, math.Inf(1), math.Inf(-1)
	for _, run := range runs {
		points += len(run)
		for _, at := range run {
			low, high = min(low, at.Y), max(high, at.Y)
		}
	}
	if points == 0 {
		return orElse(line(name), "a curve") + ": no points."
	}
	last := runs[len(runs)-1]
	return fmt.Sprintf("%s: %d points from %.4g to %.4g, lowest %.4g, highest %.4g.", orElse(line(name), "a curve"), points, runs[0][0].Y, last[len(last)-1].Y, low, high)
}

// maxSentences is how much a description says.
const maxSentences = 12

func shorten(sentences []string) string {
	if n := len(sentences); n > maxSentences {
		sentences = append(sentences[:maxSentences:maxSentences], fmt.Sprintf("And %d more.", n-maxSentences))
	}
	return strings.Join(sentences, " ")
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// line is text as one line of characters that XML can hold.
func line(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r == 0xFFFE || r == 0xFFFF:
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
