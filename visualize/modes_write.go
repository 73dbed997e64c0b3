package visualize

import (
	"fmt"
	"io"
	"strconv"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/schema"
)

// WriteModesTable writes modes.csv: a line of names, then a line per network,
// layer and unit with the numbers of [UnitModes]. Estimates take three columns,
// NAME, NAME_low and NAME_high. What can't be said is left empty. Of objectives, the
// last column is their names; all results are then of such.
func WriteModesTable(w io.Writer, results []*ModesResult) error {
	var rows [][]string
	var names []string
	for _, r := range results {
		names = r.Names
		for u, m := range r.Units {
			row := []string{r.Network, strconv.Itoa(r.Layer), strconv.Itoa(m.Unit), strconv.FormatBool(m.Dead), strconv.Itoa(r.Restarts), strconv.Itoa(m.Found)}
			for _, e := range []Estimate{m.Modes, m.MainShare, m.Effective, m.Spread, m.RelativeSpread, m.Gap} {
				row = append(row, e.texts()...)
			}
			row = append(row, numberText(m.SecondCosine), numberText(m.Unseen))
			rows = append(rows, append(row, nameIn(names, u)...))
		}
	}
	return writeRows(w, "modes", columnsOf(schema.ModesTable, false, names != nil), rows)
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
// ModesResult.Mode), cosines [U, R, R], and modes, main_share, effective,
// spread, relative_spread and gap [U, 3]: the value and both ends of its
// interval, NaN for what can't be said; of objectives, their names [U] too.
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
		of   func(m UnitModes) Estimate
	}{
		{schema.Modes, func(m UnitModes) Estimate { return m.Modes }},
		{schema.MainShare, func(m UnitModes) Estimate { return m.MainShare }},
		{schema.Effective, func(m UnitModes) Estimate { return m.Effective }},
		{schema.Spread, func(m UnitModes) Estimate { return m.Spread }},
		{schema.RelativeSpread, func(m UnitModes) Estimate { return m.RelativeSpread }},
		{schema.Gap, func(m UnitModes) Estimate { return m.Gap }},
	} {
		var numbers []float32
		for _, m := range r.Units {
			e := column.of(m)
			numbers = append(numbers, float32(e.Value), float32(e.Low), float32(e.High))
		}
		t, err := dense.Of(numbers, len(units), 3)
		if err != nil {
			return fmt.Errorf("write modes: %w", err)
		}
		a.floats(column.name, t)
	}
	a.names(r.Names)
	return a.Close()
}
