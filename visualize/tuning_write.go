package visualize

import (
	"fmt"
	"io"
	"strconv"

	"github.com/unitscope/unitscope/schema"
)

// WriteArrays writes tuning.npz: units [U], edges [U, B+1] (float64), histogram [U, B],
// percents [Q] and quantiles [U, Q], and where there are labels classes and class_examples [C]
// and class_mean [U, C]. Whole numbers are int64, others float32. The same result gives the same
// bytes.
func (r *TuningResult) WriteArrays(w io.Writer) error {
	var units, counts []int
	var edges []float64
	var quantiles, means []float32
	for _, u := range r.Units {
		units, edges, counts = append(units, u.Unit), append(edges, u.Edges...), append(counts, u.Counts...)
		quantiles, means = appendFloats(quantiles, u.Quantiles), appendFloats(means, u.ClassMean)
	}
	n := len(units)
	a := newArchive(w)
	a.ints(schema.Units, units, n)
	addArray(a, schema.Edges, "<f8", []int{n, TuningBins + 1}, edges)
	a.ints(schema.Histogram, counts, n, TuningBins)
	a.ints(schema.Percents, r.Percents, len(r.Percents))
	addArray(a, schema.Quantiles, "<f4", []int{n, len(r.Percents)}, quantiles)
	if classes := len(r.Classes); classes > 0 {
		a.ints(schema.Classes, r.Classes, classes)
		a.ints(schema.ClassExamples, r.ClassExamples, classes)
		addArray(a, schema.ClassMean, "<f4", []int{n, classes}, means)
	}
	return a.Close()
}

func appendFloats(to []float32, numbers []float64) []float32 {
	for _, x := range numbers {
		to = append(to, float32(x))
	}
	return to
}

// WriteTable writes tuning.csv: a row per unit with the numbers of [UnitTuning]. What
// can't be said is left empty.
func (r *TuningResult) WriteTable(w io.Writer) error {
	var rows [][]string
	for _, u := range r.Units {
		row := []string{strconv.Itoa(r.Layer), strconv.Itoa(u.Unit)}
		for _, x := range []float64{u.Mean, u.Deviation, u.Least, u.Largest, u.On} {
			row = append(row, numberText(x))
		}
		for _, x := range u.Quantiles {
			row = append(row, numberText(x))
		}
		best := ""
		if u.BestClass >= 0 {
			best = strconv.Itoa(r.Classes[u.BestClass])
		}
		rows = append(rows, append(row, best, numberText(u.ClassSelectivity), numberText(u.Explained), u.Doubt))
	}
	return writeRows(w, "tuning", schema.Columns(schema.TuningTable), rows)
}

// WriteClasses writes classes.csv: a row per label, what it is called, and how many
// examples have it.
func (r *TuningResult) WriteClasses(w io.Writer) error {
	var rows [][]string
	for c, label := range r.Classes {
		rows = append(rows, []string{strconv.Itoa(label), r.className(c), strconv.Itoa(r.ClassExamples[c])})
	}
	return writeRows(w, "classes", schema.Columns(schema.ClassesTable), rows)
}

// className is what a class is called, "" if it has no name.
func (r *TuningResult) className(place int) string {
	if r.Names == nil {
		return ""
	}
	return r.Names[place]
}

// ClassTitle names the class at a place in Classes for people: by its name, else its label.
func (r *TuningResult) ClassTitle(place int) string {
	if name := r.className(place); name != "" {
		return name
	}
	return fmt.Sprint(r.Classes[place])
}
