package visualize

import (
	"fmt"
	"io"
	"strconv"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/schema"
)

// WriteModesTable writes modes.csv: a line of names, then a line per network,
// layer and unit with the numbers of [UnitModes]. Those with an interval take three columns,
// NAME, NAME_low and NAME_high. What can't be said is left empty. Of objectives, the
// last column is their names; all results are then of such.
func WriteModesTable(w io.Writer, results []*ModesResult) error {
	var rows [][]string
	var names []string
	for _, r := range results {
		names = r.Names
		for u, m := range r.Units {
			row := []string{r.Network, strconv.Itoa(r.Layer), strconv.Itoa(m.Unit), strconv.FormatBool(m.Dead), strconv.Itoa(r.Restarts), strconv.Itoa(m.Found)}
			row = append(row, numberText(m.Modes), numberText(m.Expected))
			row = append(row, m.MainShare.texts()...)
			for _, x := range []float64{m.Effective, m.Spread, m.RelativeSpread, m.Gap, m.SecondCosine} {
				row = append(row, numberText(x))
			}
			row = append(row, m.Unseen.texts()...)
			rows = append(rows, append(row, nameIn(names, u)...))
		}
	}
	return writeRows(w, "modes", columnsOf(schema.ModesTable, false, false, names != nil), rows)
}

// WriteThresholdTable writes modes-sweep.csv: a line of names, then a line per
// network, layer and threshold with the means over the units that are not dead.
func WriteThresholdTable(w io.Writer, results []*ModesResult) error {
	var rows [][]string
	for _, r := range results {
		for _, m := range r.ByThreshold {
			rows = append(rows, []string{
				r.Network, strconv.Itoa(r.Layer), numberText(m.Threshold),
				numberText(m.Modes), numberText(m.Effective), numberText(m.MainShare), numberText(m.Single),
			})
		}
	}
	return writeRows(w, "modes by threshold", schema.Columns(schema.ThresholdTable), rows)
}

// WriteArrays writes an .npz file: units [U], mode [U, R] (int64, see
// ModesResult.Mode), cosines [U, R, R], main_share and unseen [U, 3], the value and both
// ends of its interval, and modes, modes_expected, effective, spread, relative_spread and
// gap [U]; NaN for what can't be said; of objectives, their names [U] too.
func (r *ModesResult) WriteArrays(w io.Writer) error {
	units := make([]int, len(r.Units))
	for i, m := range r.Units {
		units[i] = m.Unit
	}
	a := newArchive(w)
	a.ints(schema.Units, units, len(units))
	a.ints(schema.Mode, r.Mode, len(units), r.Restarts)
	a.floats(schema.Cosines, r.Cosines)
	for _, column := range []struct {
		name string
		of   func(m UnitModes) []float64
	}{
		{schema.Modes, func(m UnitModes) []float64 { return []float64{m.Modes} }},
		{schema.ModesExpected, func(m UnitModes) []float64 { return []float64{m.Expected} }},
		{schema.MainShare, func(m UnitModes) []float64 { return []float64{m.MainShare.Value, m.MainShare.Low, m.MainShare.High} }},
		{schema.Effective, func(m UnitModes) []float64 { return []float64{m.Effective} }},
		{schema.Spread, func(m UnitModes) []float64 { return []float64{m.Spread} }},
		{schema.RelativeSpread, func(m UnitModes) []float64 { return []float64{m.RelativeSpread} }},
		{schema.Gap, func(m UnitModes) []float64 { return []float64{m.Gap} }},
		{schema.Unseen, func(m UnitModes) []float64 { return []float64{m.Unseen.Value, m.Unseen.Low, m.Unseen.High} }},
	} {
		var numbers []float32
		for _, m := range r.Units {
			for _, x := range column.of(m) {
				numbers = append(numbers, float32(x))
			}
		}
		shape := []int{len(units)}
		if len(numbers) > len(units) {
			shape = append(shape, len(numbers)/len(units))
		}
		t, err := dense.Of(numbers, shape...)
		if err != nil {
			return fmt.Errorf("write modes: %w", err)
		}
		a.floats(column.name, t)
	}
	a.names(r.Names)
	return a.Close()
}
