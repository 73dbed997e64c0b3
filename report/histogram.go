package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/report/chart"
	"github.com/unitscope/unitscope/visualize"
)

// The size of one panel of a figure, in points.
const panelWidth, panelHeight = 290, 200

// maxBars is how many numbers of modes have a bar of their own.
const maxBars = 40

// ModesHistogram draws how many modes the units of each layer have: a panel for
// each layer, in which a bar says what share of its units that are not dead has
// so many modes, the last one of 40 so many or more. The networks, such as the
// trained one and its control, stand side by side. name is the start of the title:
// "DBN"; it may be empty. title is what a layer is called: "layer 2".
func ModesHistogram(name string, title func(layer int) string, results []*visualize.ModesResult) (*chart.Figure, error) {
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
	figure := &chart.Figure{Columns: min(len(layers), 3)}
	noun := Noun(results[0].Names)
	axes := chart.Axes{X: "modes of a " + noun, Y: "share of " + words.Plural(noun), YHigh: 1, Width: panelWidth, Height: panelHeight}
	for _, layer := range layers {
		axes.Title = strings.Replace(title(layer), "layer", "Layer", 1)
		if len(layers) == 1 {
			// One plot has no title beside the figure's.
			axes.Title = modesTitle(strings.TrimSpace(name+" "+title(layer)), results[0])
			axes.Width, axes.Height = chart.DefaultWidth, chart.DefaultHeight
		} else {
			figure.Title = modesTitle(name, results[0])
		}
		p, err := modesPanel(axes, layer, results, networks, most)
		if err != nil {
			return nil, fmt.Errorf("histogram of modes: layer %d: %w", layer, err)
		}
		figure.Plots = append(figure.Plots, p)
	}
	return figure, nil
}

// modesTitle says what the bars count, and at which threshold.
func modesTitle(name string, r *visualize.ModesResult) string {
	title := fmt.Sprintf("modes among %s of a %s, at cosine %g", words.Count(r.Restarts, "restart"), Noun(r.Names), r.Threshold)
	if name == "" {
		return strings.ToUpper(title[:1]) + title[1:]
	}
	return name + ": " + title
}

// bar is the bar that a unit counts for, 0 for none.
func bar(m visualize.UnitModes) int {
	if m.Dead {
		return 0
	}
	return min(int(m.Modes), maxBars)
}

// modesPanel is the bars of one layer.
func modesPanel(axes chart.Axes, layer int, results []*visualize.ModesResult, networks []string, most int) (*chart.Plot, error) {
	names := make([]string, most)
	for i := range names {
		names[i] = strconv.Itoa(i + 1)
	}
	if most == maxBars {
		names[most-1] += "+"
	}
	var series []chart.Series
	for _, network := range networks {
		// A network without this layer has its colour in the other panels.
		s := chart.Series{Name: network, Y: make([]float64, most)}
		for _, r := range results {
			if r.Layer == layer && r.Network == network {
				dead := 0
				s.Y, dead = shares(r, most)
				if dead > 0 {
					axes.Title += fmt.Sprintf(", %s: %d dead", network, dead)
				}
			}
		}
		series = append(series, s)
	}
	return chart.NewBars(axes, names, series)
}

// shares is of the units that are not dead, how many have 1, 2, ... modes.
func shares(r *visualize.ModesResult, most int) (shares []float64, dead int) {
	count := make([]int, most+1)
	for _, m := range r.Units {
		count[bar(m)]++
	}
	shares = make([]float64, most)
	for i := range shares {
		if alive := len(r.Units) - count[0]; alive > 0 {
			shares[i] = float64(count[i+1]) / float64(alive)
		}
	}
	return shares, count[0]
}

// ActivationPlot draws what the methods' patterns reach: in the left panel the
// activation of each unit (the dots) as a share of what the first method
// reaches, in the right one its percentile among the examples of the data. The
// line is the median of the units. Units whose first method has no pattern, or an
// activation that is not positive or less than a hundredth of another method's, of which a
// share says nothing, are left out of the left panel, and its title counts the others. A panel without a dot is
// left out; without any, there is no figure and no error. layer is what the layer is
// called: "DBN layer 2".
func ActivationPlot(layer string, r *visualize.CompareResult) (*chart.Figure, error) {
	if len(r.Methods) == 0 {
		return nil, fmt.Errorf("plot of activations: no methods")
	}
	shares, percentiles := make([][]float64, len(r.Methods)), make([][]float64, len(r.Methods))
	related := 0 // units that shares are of
	for u := range r.Units {
		if relates(r.Rows[u*len(r.Methods) : (u+1)*len(r.Methods)]) {
			related++
		}
	}
	for m := range r.Methods {
		for u := range r.Units {
			first, row := r.Rows[u*len(r.Methods)], r.Rows[u*len(r.Methods)+m]
			if row.Missing {
				continue
			}
			percentiles[m] = append(percentiles[m], row.Percentile)
			if relates(r.Rows[u*len(r.Methods) : (u+1)*len(r.Methods)]) {
				shares[m] = append(shares[m], row.Activation/first.Activation)
			}
		}
	}
	left := "Activation relative to " + r.Methods[0]
	if related < len(r.Units) {
		left += fmt.Sprintf(", of %d", related)
	}
	figure := &chart.Figure{Title: fmt.Sprintf("%s: what the patterns of %s reach", layer, words.Count(len(r.Units), "unit"))}
	for _, panel := range []struct {
		title, y string
		groups   [][]float64
	}{
		{left, "share of the activation by " + r.Methods[0], shares},
		{fmt.Sprintf("Percentile among %d examples", r.Examples), "percentile of the activation", percentiles},
	} {
		if !slices.ContainsFunc(panel.groups, func(g []float64) bool {
			return slices.ContainsFunc(g, func(v float64) bool { return !math.IsNaN(v) })
		}) {
			continue
		}
		p, err := chart.NewDots(chart.Axes{Title: panel.title, Y: panel.y, Width: 1.2 * panelWidth, Height: 1.2 * panelHeight}, r.Methods, panel.groups)
		if err != nil {
			return nil, fmt.Errorf("plot of activations: %w", err)
		}
		figure.Plots = append(figure.Plots, p)
	}
	if len(figure.Plots) == 0 {
		return nil, nil
	}
	return figure, nil
}

// relates is true for a unit whose activations by all methods can be shares of that by
// the first.
func relates(methods []visualize.Compared) bool {
	first := methods[0]
	return !first.Missing && first.Activation > 0 && !slices.ContainsFunc(methods, func(c visualize.Compared) bool {
		return !c.Missing && math.Abs(c.Activation) > 100*first.Activation
	})
}
