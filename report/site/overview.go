package site

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/report/chart"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// figure is a picture that a run has written.
type figure struct {
	Title   string
	Caption string
	Folder  string
	Data    template.URL
	Width   int
	Height  int
	Open    bool // shown at once, rather than when it is asked for
}

// htmlTable is a table of results. Its cells are texts; those of Right are
// numbers.
type htmlTable struct {
	Title   string
	Caption string
	Folder  string
	Names   []string
	Rows    [][]string
	Right   []bool
	More    int // rows that are not shown
	// Warnings are what it has to be read with.
	Warnings []string
}

// chartHTML is an SVG element.
type chartHTML struct {
	Title   string
	Caption string
	SVG     template.HTML
}

// captions say how to read the pictures, by their names.
var captions = map[string]string{
	schema.FigurePicture("1"): "As figure 1 of Erhan et al. (2009): for units of each layer, what excites them most (activation maximization, section 3), and at the right what nine random starts find for some. Grey is zero, white positive, black negative; every tile has its own scale.",
	schema.FigurePicture("2"): "As figure 2 of Erhan et al. (2009): activation maximization of models of patches of natural images, a block for each layer. Every tile has its own scale.",
	schema.FigurePicture("3"): "As figure 3 of Erhan et al. (2009): samples of the net with one unit held at 1 (section 4), a row for each unit, the mean of its samples in front.",
	schema.FigurePicture("4"): "As figure 4 of Erhan et al. (2009): the same units by three methods: the mean of samples (section 4), the linear combination of the filters below (section 5), activation maximization (section 3).",
	schema.SelectivityPicture: "Selectivity: a row is a unit's pattern, a column what each unit answers to it, as a share of its own strongest answer. A bright diagonal alone means that every unit answers to its own pattern only.",
	schema.ModesPicture:       "How many units have how many modes: clusters of the patterns that restarts ended in.",
	schema.FiltersPicture:     "The weights of the first layer's units, in input space.",
	schema.CurvesPicture:      "Activation against the steps of the ascent, for the restarts of units.",
	schema.ComparePicture:     "The patterns of each method for the same units, side by side.",
}

// maxPicture is how many bytes of a picture a report takes in. Larger ones, such as
// the selectivity of a thousand units, are in their folders, and what they show is
// on the units' pages.
const maxPicture = 2 << 20

// overview collects what is not about one unit.
func (r *Report) overview() {
	for _, run := range r.Runs {
		r.pictures(run)
	}
	slices.SortStableFunc(r.Figures, func(a, b figure) int { return rank(a) - rank(b) })
	for i := range r.Figures {
		r.Figures[i].Open = i < 2 && rank(r.Figures[i]) < 2
	}
	for _, m := range r.Models {
		r.training(m)
		r.modesByLayer(m)
	}
	r.comparison()
	r.results()
}

// Introduction says what the report is about, for pages.
func (r *Report) Introduction() string {
	layers := 0
	for _, m := range r.Models {
		layers += len(m.Layers)
	}
	about := "Pictures and tables from " + words.Count(len(r.Runs), "run folder") + "."
	if len(r.Models) > 0 {
		about = "What single units answer to, of " + words.Count(len(r.Models), "model") + ", from " + words.Count(len(r.Runs), "run folder") + "."
	}
	if layers > 0 {
		about += " A layer, above, opens a grid of its units; a unit there opens everything that is known about it."
	}
	return about
}

// titleOf is what a picture is called.
func titleOf(picture string) string { return strings.TrimSuffix(picture, filepath.Ext(picture)) }

// rank brings the paper's figures to the front.
func rank(f figure) int {
	for i, name := range []string{
		schema.FigurePicture("1"), schema.FigurePicture("2"), schema.FigurePicture("3"), schema.FigurePicture("4"), schema.SelectivityPicture, schema.ModesPicture,
	} {
		if f.Title == titleOf(name) {
			return i
		}
	}
	return 9
}

// pictures takes in those pictures of a run that captions knows.
func (r *Report) pictures(of *runFolder) {
	for _, o := range of.record.Outputs {
		caption, ok := captions[o.Name]
		if !ok || o.Bytes > maxPicture {
			continue
		}
		file, err := os.ReadFile(filepath.Join(of.path, o.Name))
		if err != nil {
			r.problem(of, "%v", err)
			continue
		}
		size, ok := pngSize(file)
		if !ok || len(file) > maxPicture {
			r.problem(of, "%s is no picture", o.Name)
			continue
		}
		r.Figures = append(r.Figures, figure{
			Title: titleOf(o.Name), Caption: caption, Folder: of.name,
			Data:  template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(file)),
			Width: size.Width, Height: size.Height,
		})
	}
}

// training draws a model's monitors against its updates.
func (r *Report) training(m *Model) {
	if m.run == nil || m.run.file(schema.Log) == "" {
		return
	}
	t, err := readTable(m.run.file(schema.Log))
	if err != nil {
		r.problem(m.run, "%v", err)
		return
	}
	if t.column(schema.ValidationError) >= 0 {
		r.fineTuning(m, t)
		return
	}
	about := "Mean reconstruction error of the training examples since the point before; a curve for each layer."
	var series []chart.Series
	for i := range t.rows {
		name := "training"
		if l := t.text(i, schema.Layer); l != "" {
			name = "layer " + l
		}
		if len(series) == 0 || series[len(series)-1].Name != name {
			series = append(series, chart.Series{Name: name})
		}
		s := &series[len(series)-1]
		s.X, s.Y = append(s.X, t.number(i, schema.Epoch)), append(s.Y, t.number(i, schema.Error))
	}
	r.chart(m.run, fmt.Sprintf("Training of %s", m.Name), about, func(b *bytes.Buffer) error {
		return chart.Curves(b, chart.Axes{Title: m.Name, X: "epoch", Y: "reconstruction error"}, series)
	})
}

func (r *Report) chart(of *runFolder, title, caption string, draw func(*bytes.Buffer) error) {
	var b bytes.Buffer
	if err := draw(&b); err != nil {
		r.problem(of, "%s: %v", title, err)
		return
	}
	r.Charts = append(r.Charts, chartHTML{title, caption, template.HTML(b.String())})
}

// ChartsTitle says what the charts are about.
func (r *Report) ChartsTitle() string {
	if slices.ContainsFunc(r.Charts, func(c chartHTML) bool { return strings.HasPrefix(c.Title, "Training of ") }) {
		return "Training and modes"
	}
	return "Modes"
}

// modesByLayer draws the mean number of modes of each layer.
func (r *Report) modesByLayer(m *Model) {
	t := r.modes(m)
	if t == nil {
		return
	}
	type key struct {
		network string
		layer   int
	}
	sum, count := map[key]float64{}, map[key]int{}
	layers, networks := map[int]bool{}, map[string]bool{}
	for i := range t.rows {
		k := key{t.text(i, schema.Network), t.whole(i, schema.Layer)}
		if x := t.number(i, schema.Modes); x == x && k.layer > 0 {
			sum[k] += x
			count[k]++
			layers[k.layer], networks[k.network] = true, true
		}
	}
	var names []string
	numbers := sortedKeys(layers)
	for _, l := range numbers {
		names = append(names, m.title(l))
	}
	var series []chart.Series
	for _, network := range []string{schema.Trained, schema.Untrained} {
		if !networks[network] {
			continue
		}
		s := chart.Series{Name: network}
		for i, l := range numbers {
			k := key{network, l}
			s.X = append(s.X, float64(i))
			s.Y = append(s.Y, sum[k]/float64(count[k]))
		}
		series = append(series, s)
	}
	if len(series) == 0 {
		return
	}
	r.chart(m.latest(schema.TaskRestarts), "Modes of "+m.Name, "Mean number of modes of a unit: how many different patterns its restarts find. Dead units are left out.", func(b *bytes.Buffer) error {
		return chart.Bars(b, chart.Axes{Title: m.Name, Y: "modes"}, names, series)
	})
}

// compared are the columns of the comparison, with what they are called.
var compared = [][2]string{
	{schema.Activation, "activation"}, {schema.Percentile, "percentile among data"}, {schema.Dominance, "selectivity"},
	{schema.Distance, "distance to nearest example"}, {schema.Reconstruction, "reconstruction error"},
	{schema.CosineTo(visualize.MethodAscent), "cosine to ascent"},
}

// comparison is the means of analyze compare over units, a row for each model,
// layer and method.
func (r *Report) comparison() {
	out := htmlTable{
		Title:   "Comparison of methods",
		Caption: "Means over the units that a method has a pattern of. The percentile is where a pattern's activation lies among those of the data; selectivity is the unit's own share of all responses to its pattern.",
		Names:   []string{"model", "layer", "method", "units"},
	}
	for _, c := range compared {
		out.Names = append(out.Names, c[1])
	}
	for _, m := range r.Models {
		for _, run := range m.others {
			if run.record.Task != schema.TaskCompare || run.file(schema.CompareTable) == "" {
				continue
			}
			t, err := readTable(run.file(schema.CompareTable))
			if err != nil {
				r.problem(run, "%v", err)
				continue
			}
			out.Rows = append(out.Rows, meansOf(m.Name, t)...)
			for _, text := range r.learning(m, layerOf(run)) {
				out.Warnings = append(out.Warnings, m.Name+": "+text)
			}
		}
	}
	if len(out.Rows) > 0 {
		out.Right = make([]bool, len(out.Names))
		for i := range out.Right {
			out.Right[i] = i == 1 || i > 2
		}
		r.Tables = append(r.Tables, out)
	}
}

func meansOf(model string, t *table) (rows [][]string) {
	var order []string
	of := map[string][]int{}
	for i := range t.rows {
		method := t.text(i, schema.Method)
		if of[method] == nil {
			order = append(order, method)
		}
		if t.text(i, schema.Missing) != "true" {
			of[method] = append(of[method], i)
		}
	}
	for _, method := range order {
		if len(of[method]) == 0 {
			continue
		}
		row := []string{model, t.text(of[method][0], schema.Layer), method, strconv.Itoa(len(of[method]))}
		for _, c := range compared {
			sum, n := 0.0, 0
			for _, i := range of[method] {
				if x := t.number(i, c[0]); x == x {
					sum, n = sum+x, n+1
				}
			}
			row = append(row, short(sum/float64(n)))
		}
		rows = append(rows, row)
	}
	return rows
}

// short is a number with four digits, "" for none.
func short(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

const maxRows = 50 // of a table that is shown as it is

// results are the tables that are shown as they are.
func (r *Report) results() {
	for _, run := range r.Runs {
		for _, shown := range []struct{ file, title, caption string }{
			{schema.ScoresTable, "Classification", "Share of errors and mean cross-entropy of the fine-tuned model."},
			{schema.LikelihoodTable, "Log-likelihood", "Mean log-likelihood of data under one RBM, in nats, with the interval from low to high that the estimate of its partition function leaves; reverse (in older files conservative) is by reverse annealing, which is too low on average if its chains had mixed; deviation is that of the mean by the choice of examples; the free energy gap is that to the training data."},
			{schema.SearchTable, "Search", "The trials of a search over hyper-parameters, the best first."},
		} {
			path := run.file(shown.file)
			if path == "" {
				continue
			}
			t, err := readTable(path)
			if err != nil {
				r.problem(run, "%v", err)
				continue
			}
			r.Tables = append(r.Tables, plainTable(shown.title, shown.caption, run.name, t))
		}
	}
}

func plainTable(title, caption, folder string, t *table) htmlTable {
	out := htmlTable{Title: title, Caption: caption, Folder: folder, Rows: t.rows[:min(len(t.rows), maxRows)], Right: make([]bool, len(t.names))}
	out.More = len(t.rows) - len(out.Rows)
	for c, name := range t.names {
		out.Names = append(out.Names, strings.ReplaceAll(name, "_", " "))
		out.Right[c] = len(out.Rows) > 0
		for _, row := range out.Rows {
			if _, err := strconv.ParseFloat(row[c], 64); err != nil && row[c] != "" {
				out.Right[c] = false
			}
		}
	}
	out.Rows = slices.Clone(out.Rows)
	for i, row := range out.Rows {
		out.Rows[i] = slices.Clone(row)
		for c, text := range row {
			if x, err := strconv.ParseFloat(text, 64); err == nil && out.Right[c] && strings.ContainsAny(text, ".e") {
				out.Rows[i][c] = strconv.FormatFloat(x, 'g', 6, 64) // enough for an interval to have two ends
			}
		}
	}
	return out
}
