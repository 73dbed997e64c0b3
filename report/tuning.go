package report

import (
	"fmt"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/report/chart"
	"github.com/unitscope/unitscope/visualize"
)

// How much a picture of tuning shows: units, and classes of each.
const tunedUnits, tunedClasses = 8, 60

// TuningChart draws for each of the first 8 units the histogram of what it does over the
// data and, where these have 2 to 60 classes, beside it the unit's mean for each of them. heading
// is what the layer is called.
func TuningChart(heading string, r *visualize.TuningResult) (*chart.Figure, error) {
	what := "output"
	if r.Before {
		what = "activation"
	}
	shown := min(len(r.Units), tunedUnits)
	figure := &chart.Figure{
		Title:   fmt.Sprintf("%s: %s of %s over %s", heading, what, Shown(shown, len(r.Units), "unit"), words.Count(r.Examples, "example")),
		Columns: min(shown, 4),
	}
	var names []string
	if len(r.Classes) > 1 && len(r.Classes) <= tunedClasses {
		figure.Columns = min(2*shown, 4)
		for c := range r.Classes {
			names = append(names, r.ClassTitle(c))
		}
	}
	axes := chart.Axes{Width: 0.8 * panelWidth, Height: 0.7 * panelHeight}
	for _, u := range r.Units[:shown] {
		axes.Title, axes.X, axes.Y = fmt.Sprintf("Unit %d", u.Unit), what, "examples"
		if u.Doubt != "" {
			axes.Title += ", " + u.Doubt
		}
		p, err := chart.NewHistogram(axes, u.Edges, u.Counts)
		if err != nil {
			return nil, fmt.Errorf("chart of tuning: unit %d: %w", u.Unit, err)
		}
		figure.Plots = append(figure.Plots, p)
		if names == nil {
			continue
		}
		axes.X, axes.Y = "class", "mean "+what
		if p, err = chart.NewBars(axes, names, []chart.Series{{Y: u.ClassMean}}); err != nil {
			return nil, fmt.Errorf("chart of tuning: unit %d: %w", u.Unit, err)
		}
		figure.Plots = append(figure.Plots, p)
	}
	return figure, nil
}
