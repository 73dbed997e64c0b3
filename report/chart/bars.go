package chart

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// maxBins is how many bins a histogram can have.
const maxBins = 10000

// NewHistogram makes a chart of counts, each of which is of the numbers in one bin. The
// edges of the bins, one more, are ascending. If LogY, empty bins have no bar. LogX is an
// error.
func NewHistogram(a Axes, edges []float64, counts []int) (*Plot, error) {
	a, err := a.resolve()
	if err != nil {
		return nil, a.named("histogram", err)
	}
	n, most, err := a.checkBins(edges, counts)
	if err != nil {
		return nil, a.named("histogram", err)
	}
	y := span{low: 0, high: 1.04 * float64(most)}
	if a.LogY {
		y = span{low: 0.7, high: 1.3 * float64(most)}
	}
	if a.YLow < a.YHigh {
		y.low, y.high = min(y.low, a.YLow), max(y.high, a.YHigh)
	}
	p := newPlot(a, span{low: edges[0], high: edges[len(counts)]}, y)
	p.about = fmt.Sprintf("Histogram of %d values of %s, in bins from %.4g to %.4g.", n, orElse(a.X, "x"), edges[0], edges[len(counts)])
	p.plot.X.Padding = 0
	p.wholeTicks(&p.plot.Y, a.LogY)
	b := blocks{color: colour(0)}
	for i, c := range counts {
		if c > 0 {
			b.rectangles = append(b.rectangles, rectangle{edges[i], edges[i+1], y.base(), float64(c)})
		}
	}
	p.plot.Add(b)
	return p, nil
}

// checkBins refuses bins that can't be drawn, and counts what is in all and in the fullest.
func (a Axes) checkBins(edges []float64, counts []int) (n, most int, err error) {
	if a.LogX {
		return 0, 0, fmt.Errorf("the axis of bins can't be logarithmic")
	}
	if len(counts) < 1 || len(counts) > maxBins || len(edges) != len(counts)+1 {
		return 0, 0, fmt.Errorf("%d bins with %d edges, want 1 to %d, and one edge more", len(counts), len(edges), maxBins)
	}
	for i, c := range counts {
		if !shown(edges[i], false) || !(edges[i] < edges[i+1]) {
			return 0, 0, fmt.Errorf("bin %d from %g to %g", i, edges[i], edges[i+1])
		}
		if c < 0 {
			return 0, 0, fmt.Errorf("bin %d has %d values", i, c)
		}
		n, most = n+c, max(most, c)
	}
	if !shown(edges[len(counts)], false) || n == 0 {
		return 0, 0, fmt.Errorf("%d values in bins up to %g", n, edges[len(counts)])
	}
	return n, most, nil
}

// maxCategories is how many groups of bars there can be.
const maxCategories = 1000

// NewBars makes the chart of [Bars].
func NewBars(a Axes, names []string, series []Series) (*Plot, error) {
	a, err := a.resolve()
	if err != nil {
		return nil, a.named("bars", err)
	}
	y, err := barRange(a, names, series)
	if err != nil {
		return nil, a.named("bars", err)
	}
	p := newPlot(a, span{low: -0.5, high: float64(len(names)) - 0.5}, y)
	p.plot.X.Padding = 0
	p.nameGroups(names)
	width := 0.8 / float64(len(series))
	about := []string{fmt.Sprintf("Bars of %s.", orElse(a.Y, "numbers"))}
	for i, s := range series {
		b := blocks{color: colour(s.look(i))}
		for k, v := range s.Y {
			if shown(v, a.LogY) {
				left := float64(k) - 0.4 + float64(i)*width
				b.rectangles = append(b.rectangles, rectangle{left, left + width, y.base(), v})
				about = append(about, sentence(line(names[k]), line(s.Name), v))
			}
		}
		p.plot.Add(b)
		if s.Name != "" {
			p.legend = append(p.legend, entry{line(s.Name), s.look(i), false})
		}
	}
	p.about = shorten(about)
	return p, nil
}

func sentence(name, series string, v float64) string {
	if series == "" {
		return fmt.Sprintf("%s: %.4g.", name, v)
	}
	return fmt.Sprintf("%s, %s: %.4g.", name, series, v)
}

// barRange checks the data and finds the range of the bars.
func barRange(a Axes, names []string, series []Series) (y span, err error) {
	if a.LogX {
		return y, fmt.Errorf("the axis of names can't be logarithmic")
	}
	if len(names) < 1 || len(names) > maxCategories {
		return y, fmt.Errorf("%d names, want 1 to %d", len(names), maxCategories)
	}
	for i, s := range series {
		if len(s.Y) != len(names) {
			return y, fmt.Errorf("series %d of %d, %.60q: %d numbers for %d names", i+1, len(series), s.Name, len(s.Y), len(names))
		}
		for _, v := range s.Y {
			if shown(v, a.LogY) {
				y.add(v)
			}
		}
	}
	if !y.any {
		return y, fmt.Errorf("none of %d series has a number to show", len(series))
	}
	a.reach(&y)
	if a.LogY {
		return y.wide(0.1, true), nil
	}
	low, high := y.low < 0, y.high > 0
	y.add(0)
	wide := y.wide(0.04, false)
	// A bar begins at the very edge.
	if !low {
		wide.low = 0
	}
	if low && !high {
		wide.high = 0
	}
	return wide, nil
}

// nameGroups writes the names below their groups, aslant if they are long.
func (p *Plot) nameGroups(names []string) {
	style := &p.plot.X.Tick.Label
	var ticks []plot.Tick
	widest := vg.Length(0)
	for k, name := range names {
		text := fit(line(name), *style, vg.Points(p.axes.Height/3))
		widest = max(widest, style.Width(text))
		ticks = append(ticks, plot.Tick{Value: float64(k), Label: text})
	}
	room := vg.Points(0.85*p.axes.Width) / vg.Length(len(names))
	if numbers(names) {
		// Some are enough.
		every := int(math.Ceil(float64((widest + vg.Points(3)) / room)))
		for k := range ticks {
			if k%every != 0 {
				ticks[k].Label = ""
			}
		}
	} else if widest > room-vg.Points(3) {
		style.Rotation, style.XAlign, style.YAlign = math.Pi/4, draw.XRight, draw.YTop
		if room < vg.Points(tickSize) {
			style.Rotation, style.YAlign = math.Pi/2, draw.YCenter
		}
	}
	p.plot.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.plot.X.Tick.Length = 0
	p.grid.Vertical.Color = nil
}

// numbers is true if all names are numbers.
func numbers(names []string) bool {
	for _, name := range names {
		if _, err := strconv.ParseFloat(name, 64); err != nil {
			return false
		}
	}
	return true
}

// blocks are bars of one colour.
type blocks struct {
	color      color.Color
	rectangles []rectangle
}

type rectangle struct{ left, right, from, to float64 }

// Plot draws the bars, with a hair of a gap beside each that is wide enough.
func (b blocks) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	for _, r := range b.rectangles {
		left, right, from, to := toX(r.left), toX(r.right), toY(r.from), toY(r.to)
		if right-left > vg.Points(3) {
			left, right = left+vg.Points(0.4), right-vg.Points(0.4)
		}
		c.FillPolygon(b.color, []vg.Point{{X: left, Y: from}, {X: right, Y: from}, {X: right, Y: to}, {X: left, Y: to}})
	}
}

var _ plot.Plotter = blocks{}
