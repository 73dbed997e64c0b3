// Package chart draws curves, histograms, bars and dots. [Curves] and [Bars] write one as
// SVG, for a page; [NewCurves], [NewHistogram] and their like are plots, which stand side
// by side in a [Figure] and are written as a file, SVG or PNG. The same data give the same
// bytes.
//
// As SVG for inlining, which is what a chart is by default, text and axes have
// the colour of the text around them (currentColor) and there is no background,
// so that a page's dark mode is a chart's too. The colours of data are five of
// the palette of Okabe and Ito (Color Universal Design, 2008), which the
// colour-blind tell apart, or between them; each has a contrast of 3:1 or more
// to white and to the dark grey #1e1e1e. From the sixth series on the colours
// come again with dashes.
//
// A chart has a <title> and a <desc> that says in words what it shows, and it
// has no ids, styles or scripts, so that any number of them can stand in one
// page, under any content security policy.
package chart

import (
	"fmt"
	"io"
	"math"
)

// Series are numbers to draw, with a name for the legend; one without a name is
// not in the legend.
type Series struct {
	Name string
	X, Y []float64 // of the same length; NaN and Inf are gaps
	// Look is the number of the colour and dashes, from 1 on; 0 takes the number
	// of the series. Series of one look and name share a place in the legend.
	Look int
}

// look is that of series i of several.
func (s Series) look(i int) int {
	if s.Look > 0 {
		return s.Look - 1
	}
	return i
}

// Axes says what a chart's axes are and how large it is. The zero value is
// without any text, linear and of the usual size.
type Axes struct {
	Title string // above the chart; may be empty
	X, Y  string // labels; may be empty
	// LogX and LogY make axes logarithmic. What is not above 0 is a gap then.
	LogX, LogY bool
	// The axis of Y reaches from YLow to YHigh at least, if YLow < YHigh, so that
	// charts compare.
	YLow, YHigh float64
	// Width and Height are in points (1/72 inch), with everything; 0 takes
	// [DefaultWidth] and [DefaultHeight].
	Width, Height float64
	// Format is the kind of file; the zero value is an SVG element for a page.
	Format Format
}

// The size of a chart whose axes do not say it, in points.
const DefaultWidth, DefaultHeight = 400, 260

// The smallest and the largest side of a chart, in points.
const minSide, maxSide = 80, 10000

// Curves draws a line for each series through its points in their order, with a
// legend above. A point between two gaps is a dot. X and Y of different lengths,
// and series without any point, are errors.
func Curves(w io.Writer, a Axes, series []Series) error {
	p, err := NewCurves(a, series)
	if err != nil {
		return err
	}
	return (&Figure{Plots: []*Plot{p}}).Write(w, a.Format)
}

// Bars draws groups of bars, a group for each name and in it a bar for each
// series: Y has a number for each name, X is not used. A gap has no bar. Bars
// start at 0, or if LogY at the bottom. LogX is an error: names have no order of
// magnitude.
func Bars(w io.Writer, a Axes, names []string, series []Series) error {
	p, err := NewBars(a, names, series)
	if err != nil {
		return err
	}
	return (&Figure{Plots: []*Plot{p}}).Write(w, a.Format)
}

// resolve checks the axes and fills in the size.
func (a Axes) resolve() (Axes, error) {
	if a.Width == 0 {
		a.Width = DefaultWidth
	}
	if a.Height == 0 {
		a.Height = DefaultHeight
	}
	for _, side := range []float64{a.Width, a.Height} {
		if !(side >= minSide && side <= maxSide) {
			return a, fmt.Errorf("%g by %g points, want sides of %d to %d", a.Width, a.Height, minSide, maxSide)
		}
	}
	if a.YLow < a.YHigh && !(shown(a.YLow, a.LogY) && shown(a.YHigh, a.LogY)) {
		return a, fmt.Errorf("an axis from %g to %g, which it can't show", a.YLow, a.YHigh)
	}
	a.Title, a.X, a.Y = line(a.Title), line(a.X), line(a.Y)
	return a, nil
}

// named is the start of an error about a chart.
func (a Axes) named(kind string, err error) error {
	if a.Title != "" {
		kind = fmt.Sprintf("%s %.60q", kind, a.Title)
	}
	return fmt.Errorf("%s: %w", kind, err)
}

// shown is true for a number that an axis can show.
func shown(v float64, log bool) bool {
	return v-v == 0 && math.Abs(v) <= maxNumber && (!log || v >= 1/maxNumber)
}

// maxNumber keeps the arithmetic of axes far from overflow.
const maxNumber = 1e150
