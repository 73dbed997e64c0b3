package report

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/unitscope/unitscope/visualize"
)

// The size of one panel of a plot.
const panelWidth, panelHeight = 10 * vg.Centimeter, 7 * vg.Centimeter

// seriesColours tell two or more series apart, also for the colour-blind: blue,
// orange, green and purple of Okabe and Ito's palette.
func seriesColour(i int) color.RGBA {
	colours := [...]color.RGBA{{0x00, 0x72, 0xB2, 255}, {0xE6, 0x9F, 0x00, 255}, {0x00, 0x9E, 0x73, 255}, {0xCC, 0x79, 0xA7, 255}}
	return colours[i%len(colours)]
}

// maxBars is how many numbers of modes have a bar of their own.
const maxBars = 40

// ModesHistogram draws how many modes the units of each layer have: a panel for
// each layer, in which a bar says what share of its units that are not dead has
// so many modes, the last one of 40 so many or more. The networks, such as the
// trained one and its control, stand side by side.
func ModesHistogram(results []visualize.ModesOf) (image.Image, error) {
	var layers []int
	var networks []string
	most := 1
	for _, r := range results {
		if !slices.Contains(layers, r.Layer) {
			layers = append(layers, r.Layer)
		}
		if !slices.Contains(networks, r.Network) {
			networks = append(networks, r.Network)
		}
		for _, m := range r.Units {
			most = max(most, bar(m))
		}
	}
	if len(layers) == 0 {
		return nil, fmt.Errorf("histogram of modes: no layers")
	}
	row := make([]*plot.Plot, len(layers))
	for _, r := range results {
		at := slices.Index(layers, r.Layer)
		if row[at] == nil {
			row[at] = modesPanel(r.Layer, most)
		}
		if err := addBars(row[at], r, networks, most); err != nil {
			return nil, fmt.Errorf("histogram of modes: layer %d: %w", r.Layer, err)
		}
	}
	return plotRow(row), nil
}

// bar is the bar that a unit counts for, 0 for none.
func bar(m visualize.UnitModes) int {
	if m.Dead {
		return 0
	}
	return min(int(m.Modes.Value), maxBars)
}

func modesPanel(layer, most int) *plot.Plot {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("layer %d", layer)
	p.X.Label.Text, p.Y.Label.Text = "modes of a unit", "share of units"
	// Above the bars there is room for the legend.
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0.4, float64(most)+0.6, 0, 1.3
	p.X.Tick.Marker = plot.ConstantTicks(wholeTicks(most))
	p.Y.Tick.Marker = plot.ConstantTicks([]plot.Tick{{Value: 0, Label: "0"}, {Value: 0.25}, {Value: 0.5, Label: "0.5"}, {Value: 0.75}, {Value: 1, Label: "1"}})
	p.Legend.Top = true
	return p
}

// wholeTicks marks 1 and so on to n, every one or every few.
func wholeTicks(n int) (ticks []plot.Tick) {
	step := (n + 9) / 10
	for i := 1; i <= n; i += step {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: strconv.Itoa(i)})
	}
	if n == maxBars {
		ticks = append(ticks, plot.Tick{Value: maxBars, Label: strconv.Itoa(maxBars) + "+"})
	}
	return ticks
}

// addBars adds the bars of one network to its layer's panel. Bars are thin
// rectangles, so that their width is in modes and not in points.
func addBars(p *plot.Plot, r visualize.ModesOf, networks []string, most int) error {
	count := make([]int, most+1)
	for _, m := range r.Units {
		count[bar(m)]++
	}
	alive := len(r.Units) - count[0]
	series := slices.Index(networks, r.Network)
	width := 0.8 / float64(len(networks))
	label := r.Network
	if count[0] > 0 {
		label += fmt.Sprintf(" (%d dead)", count[0])
	}
	for modes, n := range count {
		if modes == 0 || n == 0 {
			continue
		}
		left := float64(modes) - 0.4 + float64(series)*width
		top := float64(n) / float64(alive)
		rectangle, err := plotter.NewPolygon(plotter.XYs{{X: left, Y: 0}, {X: left + width, Y: 0}, {X: left + width, Y: top}, {X: left, Y: top}})
		if err != nil {
			return err
		}
		rectangle.Color = seriesColour(series)
		rectangle.LineStyle.Width = 0
		p.Add(rectangle)
		if label != "" {
			p.Legend.Add(label, rectangle)
			label = ""
		}
	}
	return nil
}

// plotRow draws plots side by side.
func plotRow(row []*plot.Plot) image.Image {
	canvas := vgimg.New(panelWidth*vg.Length(len(row)), panelHeight)
	tiles := draw.Tiles{Rows: 1, Cols: len(row), PadX: vg.Points(8), PadTop: vg.Points(4), PadBottom: vg.Points(4), PadLeft: vg.Points(4), PadRight: vg.Points(8)}
	aligned := plot.Align([][]*plot.Plot{row}, tiles, draw.New(canvas))
	for i, p := range row {
		p.Draw(aligned[0][i])
	}
	return canvas.Image()
}

// ActivationPlot draws what the methods' patterns reach: in the left panel the
// activation of each unit (the dots, one above the other by unit) as a share of
// what the first method reaches, in the right one its percentile among the
// examples of the data. The line is the median of the units. Units whose first
// method has no pattern, or no positive activation, are left out of the left
// panel.
func ActivationPlot(r *visualize.CompareResult) (image.Image, error) {
	if len(r.Methods) == 0 {
		return nil, fmt.Errorf("plot of activations: no methods")
	}
	share, percentile := plot.New(), plot.New()
	share.Title.Text, percentile.Title.Text = "activation, relative to "+r.Methods[0], fmt.Sprintf("percentile among %d examples", r.Examples)
	// A little more than what can be, so that dots at the ends are whole.
	share.Y.Min, share.Y.Max, percentile.Y.Min, percentile.Y.Max = -0.05, 1.05, -3, 103
	percentile.Y.Tick.Marker = plot.ConstantTicks([]plot.Tick{{Value: 0, Label: "0"}, {Value: 25, Label: "25"}, {Value: 50, Label: "50"}, {Value: 75, Label: "75"}, {Value: 100, Label: "100"}})
	for m := range r.Methods {
		var shares, percentiles []float64
		for u := range r.Units {
			first, row := r.Rows[u*len(r.Methods)], r.Rows[u*len(r.Methods)+m]
			if row.Missing {
				continue
			}
			percentiles = append(percentiles, row.Percentile)
			if first.Activation > 0 {
				shares = append(shares, row.Activation/first.Activation)
			}
		}
		if err := addDots(share, m, shares); err != nil {
			return nil, fmt.Errorf("plot of activations: %w", err)
		}
		if err := addDots(percentile, m, percentiles); err != nil {
			return nil, fmt.Errorf("plot of activations: %w", err)
		}
	}
	row := []*plot.Plot{share, percentile}
	for _, p := range row {
		p.NominalX(r.Methods...)
		p.X.Min, p.X.Max = -0.6, float64(len(r.Methods))-0.4
		p.Add(plotter.NewGrid())
	}
	return plotRow(row), nil
}

// addDots adds the numbers of one method, spread a little in the order in which
// they come, and their median.
func addDots(p *plot.Plot, method int, numbers []float64) error {
	if len(numbers) == 0 {
		return nil
	}
	dots := make(plotter.XYs, len(numbers))
	for i, v := range numbers {
		// The golden ratio spreads any number of dots evenly.
		_, place := math.Modf(float64(i) * (math.Sqrt(5) - 1) / 2)
		dots[i] = plotter.XY{X: float64(method) + 0.6*(place-0.5), Y: v}
	}
	scatter, err := plotter.NewScatter(dots)
	if err != nil {
		return err
	}
	scatter.GlyphStyle = draw.GlyphStyle{Color: seriesColour(method), Radius: vg.Points(1.5), Shape: draw.CircleGlyph{}}
	sorted := slices.Sorted(slices.Values(numbers))
	median := (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
	line, err := plotter.NewLine(plotter.XYs{{X: float64(method) - 0.35, Y: median}, {X: float64(method) + 0.35, Y: median}})
	if err != nil {
		return err
	}
	line.Width = vg.Points(1.5)
	p.Add(scatter, line)
	return nil
}
