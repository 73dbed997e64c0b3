package visualize

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/schema"
)

// summarise works out the means over units.
func (c *compareWork) summarise() {
	o, r := c.options, c.result
	b := bootstrap{o.Seed, engine.PurposeUnits, engine.RowKey(o.Layer, 1, 0), o.Resamples, o.Level}
	for m := range r.Methods {
		r.Summary = append(r.Summary, c.methodSummary(b, m))
	}
	all := func(values []float64) []int {
		var known []int
		for i, v := range values {
			if !math.IsNaN(v) {
				known = append(known, i)
			}
		}
		return known
	}
	known := all(r.CombinationLink)
	r.LinkOfSection5 = b.estimate(len(known), 1, func(drawn []int, values []float64) {
		values[0] = meanKnown(drawn, func(i int) float64 { return r.CombinationLink[known[i]] })
	})[0]
	r.LinkOfSection4 = unknown()
	agreement := r.agreement()
	pairs := all(agreement)
	if r.PairsOfSection4 = len(pairs); len(pairs) > 0 {
		r.LinkOfSection4 = b.estimate(len(pairs), 1, func(drawn []int, values []float64) {
			x, y := make([]float64, len(drawn)), make([]float64, len(drawn))
			for i, k := range drawn {
				x[i], y[i] = r.Concentration[pairs[k]], agreement[pairs[k]]
			}
			values[0] = correlation(ranks(x), ranks(y))
		})[0]
	}
}

// agreement [U] is the cosine between the mean of the samples and the pattern of
// the ascent, NaN where one of them or their concentration is unknown; nil
// without samples.
func (r *CompareResult) agreement() []float64 {
	ascent, sampling := slices.Index(r.Methods, MethodAscent), slices.Index(r.Methods, MethodSampling)
	if ascent < 0 || sampling < 0 || r.Concentration == nil {
		return nil
	}
	agreement := make([]float64, len(r.Units))
	for u := range agreement {
		agreement[u] = r.Rows[u*len(r.Methods)+sampling].Cosine[ascent]
		if math.IsNaN(r.Concentration[u]) {
			agreement[u] = math.NaN()
		}
	}
	return agreement
}

// methodSummary is the means over the units that method m has a pattern for.
func (c *compareWork) methodSummary(b bootstrap, m int) MethodSummary {
	methods := len(c.result.Methods)
	var rows []Compared
	for u := range c.result.Units {
		if row := c.result.Rows[u*methods+m]; !row.Missing {
			rows = append(rows, row)
		}
	}
	columns := []func(r Compared) float64{
		func(r Compared) float64 { return r.Activation },
		func(r Compared) float64 { return r.Percentile },
		func(r Compared) float64 { return r.Distance },
		func(r Compared) float64 { return r.Reconstruction },
		func(r Compared) float64 { return r.Selective.Dominance },
		func(r Compared) float64 { return truth(r.Selective.Rank == 1) },
		func(r Compared) float64 { return r.Cosine[0] },
	}
	e := b.estimate(len(rows), len(columns), func(drawn []int, values []float64) {
		for i, column := range columns {
			values[i] = meanKnown(drawn, func(k int) float64 { return column(rows[k]) })
		}
	})
	full := 0
	if isSigmoid(c.model, c.options.Layer) {
		full = saturated(c.all, len(c.options.Units), func(row int) bool { return row%methods != m || c.missing[row] })
	}
	return MethodSummary{
		Saturated: full,
		Units:     len(rows), Activation: e[0], Percentile: e[1], Distance: e[2], Reconstruction: e[3], Dominance: e[4], RankFirst: e[5], CosineFirst: e[6],
	}
}

// ranks replaces numbers by their places in order, from 1, equal ones by the
// mean of their places.
func ranks(x []float64) []float64 {
	order := appendRange(nil, 0, len(x)-1)
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	places := make([]float64, len(x))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && x[order[to]] == x[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			places[i] = float64(from+1+to) / 2
		}
		from = to
	}
	return places
}

// correlation is Pearson's; NaN if one of the two does not vary.
func correlation(x, y []float64) float64 {
	mx, my := mean(x), mean(y)
	var xx, yy, xy float64
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
		xy += (x[i] - mx) * (y[i] - my)
	}
	if xx == 0 || yy == 0 {
		return math.NaN()
	}
	return xy / math.Sqrt(xx*yy)
}

// WriteTable writes compare.csv: a line of names, then a line per unit and
// method with the numbers of [Compared]; cosine_NAME is the cosine to the pattern
// of that method. The last five columns belong to the unit and are the same for
// all of its methods: data_max, combination_link, concentration, data_correlation and
// data_distance. What can't be said is left empty.
func (r *CompareResult) WriteTable(w io.Writer) error {
	var rows [][]string
	for i, c := range r.Rows {
		unit := i / len(r.Methods)
		row := []string{strconv.Itoa(r.Layer), strconv.Itoa(r.Units[unit]), r.Methods[i%len(r.Methods)], strconv.FormatBool(c.Missing), numberText(c.Activation), numberText(c.Percentile)}
		row = append(row, c.Selective.texts()...)
		nearest, concentration := "", math.NaN()
		if c.Nearest >= 0 {
			nearest = strconv.Itoa(c.Nearest)
		}
		if r.Concentration != nil {
			concentration = r.Concentration[unit]
		}
		agreed := Agreement{math.NaN(), math.NaN()}
		if r.Agreement != nil {
			agreed = r.Agreement[unit]
		}
		row = append(row, numberText(c.Distance), nearest, numberText(c.Reconstruction))
		for _, cosine := range c.Cosine {
			row = append(row, numberText(cosine))
		}
		rows = append(rows, append(row, numberText(c.Gradient), numberText(float64(r.DataMax[unit])), numberText(r.CombinationLink[unit]), numberText(concentration),
			numberText(agreed.Correlation), numberText(agreed.Distance)))
	}
	return writeRows(w, "the comparison", schema.Columns(schema.CompareTable, r.Methods...), rows)
}

// WriteArrays writes compare.npz: units [U], methods [M] (text), patterns [U, M,
// D], cosine [U, M, M], and activation, percentile, distance and reconstruction
// [U, M], NaN for what can't be said; combination_link [U], and with samples
// concentration [U].
func (r *CompareResult) WriteArrays(w io.Writer) error {
	units, methods := len(r.Units), len(r.Methods)
	a := newArchive(w)
	a.ints(schema.Units, r.Units, units)
	width := 0
	for _, m := range r.Methods {
		width = max(width, len([]rune(m)))
	}
	a.words(schema.Methods, r.Methods, width, methods)
	a.floats(schema.Patterns, r.Patterns)
	numbers := func(name string, shape []int, at func(row Compared) []float64) error {
		var data []float32
		for _, row := range r.Rows {
			for _, v := range at(row) {
				data = append(data, float32(v))
			}
		}
		t, err := dense.Of(data, shape...)
		if err != nil {
			return fmt.Errorf("write comparison: %s: %w", name, err)
		}
		a.floats(name, t)
		return nil
	}
	for _, array := range []struct {
		name  string
		shape []int
		at    func(c Compared) []float64
	}{
		{schema.Cosine, []int{units, methods, methods}, func(c Compared) []float64 { return c.Cosine }},
		{schema.Activation, []int{units, methods}, func(c Compared) []float64 { return []float64{c.Activation} }},
		{schema.Percentile, []int{units, methods}, func(c Compared) []float64 { return []float64{c.Percentile} }},
		{schema.Distance, []int{units, methods}, func(c Compared) []float64 { return []float64{c.Distance} }},
		{schema.Reconstruction, []int{units, methods}, func(c Compared) []float64 { return []float64{c.Reconstruction} }},
	} {
		if err := numbers(array.name, array.shape, array.at); err != nil {
			return err
		}
	}
	a.floats(schema.CombinationLink, floats32(r.CombinationLink))
	if r.Concentration != nil {
		a.floats(schema.Concentration, floats32(r.Concentration))
	}
	return a.Close()
}

// floats32 is an array of these numbers.
func floats32(x []float64) *tensor.Dense {
	data := make([]float32, len(x))
	for i, v := range x {
		data[i] = float32(v)
	}
	return tensor.New(tensor.WithShape(len(x)), tensor.WithBacking(data))
}
