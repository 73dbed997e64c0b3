package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/unitscope/unitscope/engine"
)

// Point is how long an ascent of so many rows took.
type Point struct {
	Rows    int
	Seconds float64
}

// scalingRows are four decades in half steps.
func scalingRows() []int { return []int{10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000} }

// scalingSteps keeps the largest ascent below a second or so.
const scalingSteps = 10

// Scaling times the ascent of 10 to 100,000 rows, ten steps each, on a network
// 144-100-100, layer 2. Time must grow as the rows do. o.Seed and o.Repeats
// apply; the result is checked as that of every workload.
func Scaling(ctx context.Context, d engine.Device, o Options) ([]Point, error) {
	var points []Point
	for _, n := range scalingRows() {
		w := Workload{Name: "scaling", Variant: fmt.Sprint(n), Steps: scalingSteps, prepare: func(k *kit, o Options) (job, error) {
			rows := make([]row, n)
			for i := range rows {
				rows[i] = row{unit: i % 100, restart: i / 100}
			}
			return newAscent(k, o, stack(o.Seed, []int{144, 100, 100}), rows)
		}}
		results, err := Run(ctx, d, w, Options{Seed: o.Seed, Repeats: o.Repeats, Floor: o.Floor})
		if err != nil {
			return nil, err
		}
		points = append(points, Point{Rows: n, Seconds: results[0].Seconds})
	}
	return points, nil
}

// Exponent is e of the power law seconds = c rows^e that fits points of at
// least 1000 rows best (least squares of logarithms): 1 is linear growth. Fewer
// rows do not fill a device.
func Exponent(points []Point) float64 {
	var n, sx, sy, sxx, sxy float64
	for _, p := range points {
		if p.Rows < 1000 {
			continue
		}
		x, y := math.Log(float64(p.Rows)), math.Log(p.Seconds)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// Plot draws time against rows, both logarithmic, beside a line of linear
// growth through the last point. format is "png" or "svg"; title says what
// device it was.
func Plot(w io.Writer, format, title string, points []Point) error {
	if format != "png" && format != "svg" {
		return fmt.Errorf("plot: format %q, want png or svg", format)
	}
	if len(points) == 0 {
		return errors.New("plot: no points")
	}
	measured, linear := make(plotter.XYs, len(points)), make(plotter.XYs, len(points))
	last := points[len(points)-1]
	for i, p := range points {
		if p.Rows < 1 || !(p.Seconds > 0) || math.IsInf(p.Seconds, 0) {
			return fmt.Errorf("plot: %d rows in %g seconds: want both above 0", p.Rows, p.Seconds)
		}
		x := float64(p.Rows)
		measured[i] = plotter.XY{X: x, Y: p.Seconds}
		linear[i] = plotter.XY{X: x, Y: last.Seconds * x / float64(last.Rows)}
	}
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, "rows", "seconds"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	line, dots, err := plotter.NewLinePoints(measured)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	proportional, err := plotter.NewLine(linear)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	proportional.Dashes = []vg.Length{vg.Points(3), vg.Points(3)}
	p.Add(plotter.NewGrid(), proportional, line, dots)
	p.Legend.Left, p.Legend.Top = true, true
	p.Legend.Add("ascent, measured", line, dots)
	p.Legend.Add("proportional to rows", proportional)
	picture, err := p.WriterTo(16*vg.Centimeter, 11*vg.Centimeter, format)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	if _, err := picture.WriteTo(w); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}
