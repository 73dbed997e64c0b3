package site

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/chart"
	"github.com/unitscope/unitscope/schema"
)

// kindText says what a model is: its family, and that it has been fine-tuned as a
// classifier, which has other weights than the family's training gave.
func kindText(d network.Description) string {
	kind := strings.ToUpper(d.Kind)
	if d.Classes > 0 {
		return fmt.Sprintf("classifier of %d classes on a fine-tuned %s", d.Classes, kind)
	}
	return kind
}

// scores are the errors of a classifier on examples that it was not trained on.
func (r *Report) scores(run *runFolder) (facts [][2]string) {
	path := run.file(schema.ScoresTable)
	if path == "" {
		return nil
	}
	t, err := readTable(path)
	if err != nil {
		return nil // the table of scores says so
	}
	for i := range t.rows {
		if share := t.number(i, schema.Error); share == share {
			facts = append(facts, [2]string{t.text(i, schema.Set) + " error", fmt.Sprintf("%.2f %% (%s of %s)", 100*share, t.text(i, schema.Errors), t.text(i, schema.Examples))})
		}
	}
	return facts
}

// fineTuning draws the errors of a classifier against epochs: those on examples
// held out first, by which a model is judged.
func (r *Report) fineTuning(m *Model, t *table) {
	var series []chart.Series
	for _, of := range []struct{ column, name string }{{schema.ValidationError, "validation"}, {schema.TrainError, "training"}} {
		s := chart.Series{Name: of.name}
		for i := range t.rows {
			if y := t.number(i, of.column); y == y {
				s.X, s.Y = append(s.X, t.number(i, schema.Epoch)), append(s.Y, y)
			}
		}
		if len(s.X) > 0 {
			series = append(series, s)
		}
	}
	about := "Share of examples that the classifier gets wrong, by epoch: of those held out (validation), and of those it trains on, which is lower where it learns them by heart."
	if len(series) == 1 {
		about = "Share of the training examples that the classifier gets wrong, by epoch. None were held out (--validation), so nothing says how it does on others."
	}
	r.chart(m.run, fmt.Sprintf("Training of %s", m.Name), about, func(b *bytes.Buffer) error {
		return chart.Curves(b, chart.Axes{Title: m.Name, X: "epoch", Y: "share of errors"}, series)
	})
}
