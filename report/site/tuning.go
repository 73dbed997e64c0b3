package site

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/unitscope/unitscope/schema"
)

// shownClasses is how many classes of a unit a page shows; where there are more, those with
// the largest means.
const shownClasses = 40

// tuningData is what the layer's units do over data; a unit that was not looked at has
// counts of -1.
type tuningData struct {
	What      string  `json:"what"`  // output or activation
	Range     numbers `json:"range"` // [U, 2] of the bins
	Counts    []int   `json:"counts"`
	Percents  []int   `json:"percents"`
	Quantiles numbers `json:"quantiles"` // [U, Q]
	// Classes [C] are called so, Best [U, S] are the places of those that are shown, and
	// Means [U, S] the unit's means for them.
	Classes []string `json:"classes,omitempty"`
	Best    []int    `json:"best,omitempty"`
	Means   numbers  `json:"means,omitempty"`
	Doubts  []string `json:"doubts"` // [U]
	labels  []int
}

func (b *builder) tuning(r *runFolder) error {
	t := &tuningData{What: "output", Doubts: make([]string, len(b.Units))}
	if r.record.Options["before"] == "true" {
		t.What = "activation"
	}
	path := r.file(schema.TuningArrays)
	edges, errE := readArray(path, schema.Edges)
	counts, errC := readArray(path, schema.Histogram)
	quantiles, errQ := readArray(path, schema.Quantiles)
	if err := errors.Join(errE, errC, errQ); err != nil {
		return err
	}
	var err error
	if t.Percents, err = readVector(path, schema.Percents); err != nil {
		return err
	}
	bins := counts.size()
	if len(counts.shape) != 1 || bins < 1 || edges.size() != bins+1 || quantiles.size() != len(t.Percents) {
		return fmt.Errorf("%s: %d edges of %d bins, %d quantiles of %d", schema.TuningArrays, edges.size(), bins, quantiles.size(), len(t.Percents))
	}
	if err := b.room(max(bins, len(t.Percents))); err != nil {
		return err
	}
	var ends []float32
	for i := range edges.units {
		row := edges.of(i)
		ends = append(ends, row[0], row[bins])
	}
	t.Range, t.Counts = b.spread(edges.units, ends, 2), b.spread(counts.units, counts.data, bins).whole()
	t.Quantiles = b.spread(quantiles.units, quantiles.data, len(t.Percents))
	if err := b.classes(r, t); err != nil {
		return err
	}
	b.Tuning = t
	return b.tuned(r, t)
}

// classes takes in the units' means for each class, if there are some.
func (b *builder) classes(r *runFolder, t *tuningData) error {
	path := r.file(schema.TuningArrays)
	has, err := hasArray(path, schema.ClassMean)
	if !has || err != nil {
		return err
	}
	means, err := readArray(path, schema.ClassMean)
	if err != nil {
		return err
	}
	labels, err := readVector(path, schema.Classes)
	if err != nil {
		return err
	}
	t.labels = labels
	count := means.size()
	if len(means.shape) != 1 || count != len(labels) {
		return fmt.Errorf("%s: means for %d classes, of which there are %d", schema.TuningArrays, count, len(labels))
	}
	called := map[int]string{}
	if table := r.file(schema.ClassesTable); table != "" {
		rows, err := readTable(table)
		if err != nil {
			return err
		}
		for i := range rows.rows {
			called[rows.whole(i, schema.Class)] = rows.text(i, schema.ClassName)
		}
	}
	for _, label := range labels {
		t.Classes = append(t.Classes, shortened(cmp.Or(called[label], strconv.Itoa(label))))
	}
	shown := min(count, shownClasses)
	if err := b.room(shown); err != nil {
		return err
	}
	var best, of []float32
	for i := range means.units {
		row := means.of(i)
		places := make([]int, count)
		for c := range places {
			places[c] = c
		}
		if count > shown {
			slices.SortStableFunc(places, func(x, y int) int { return cmp.Compare(row[y], row[x]) })
		}
		for _, c := range places[:shown] {
			best, of = append(best, float32(c)), append(of, row[c])
		}
	}
	t.Best, t.Means = b.spread(means.units, best, shown).whole(), b.spread(means.units, of, shown)
	return nil
}

// tuned takes in tuning.csv.
func (b *builder) tuned(r *runFolder, t *tuningData) error {
	path := r.file(schema.TuningTable)
	if path == "" {
		return nil
	}
	table, err := readTable(path)
	if err != nil {
		return err
	}
	facts := []fact{
		{Key: schema.On, Name: "on (share of examples)", About: "those at which its activation is above 0"},
		{Key: schema.Mean, Name: "mean " + t.What, About: "over the examples"},
		{Key: schema.ClassSelectivity, Name: "selectivity for a class", About: "(a - b)/(a + b), a its mean for the best class, b that for the others: 1 if it answers to one class alone"},
		{Key: schema.Explained, Name: "variance between classes", About: "share of its variance over the examples"},
	}
	if err := b.column(r, schema.TuningTable, facts, nil); err != nil {
		return err
	}
	var units []int
	var best []float32
	for i := range table.rows {
		units = append(units, table.whole(i, schema.Unit))
		best = append(best, float32(math.NaN()))
		if place := slices.Index(t.labels, table.whole(i, schema.BestClass)); place >= 0 && table.text(i, schema.BestClass) != "" {
			best[i] = float32(place)
		}
	}
	if firstTwice(units) >= 0 {
		return nil
	}
	for i, row := range b.places(units) {
		if row >= 0 {
			t.Doubts[i] = shortened(table.text(row, schema.Doubt))
		}
	}
	b.fact(schema.BestClass, "best class", "the one with its largest mean", b.spread(units, best, 1))
	if last := len(b.Facts) - 1; last >= 0 && b.Facts[last].Key == schema.BestClass {
		b.Facts[last].Words = t.Classes
	}
	return nil
}

// shortened is a text that is not longer than a page has room for.
func shortened(text string) string {
	letters := []rune(text)
	return string(letters[:min(len(letters), longestName)])
}
