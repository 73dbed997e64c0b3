package visualize

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/unitscope/unitscope/schema"
)

// writeRows writes a table: a line of names, then a line for each row. what is
// the table's name in errors.
func writeRows(w io.Writer, what string, names []string, rows [][]string) error {
	out := csv.NewWriter(w)
	err := out.Write(names)
	if err == nil {
		err = out.WriteAll(rows)
	}
	out.Flush()
	if err = errors.Join(err, out.Error()); err != nil {
		return fmt.Errorf("write table of %s: %w", what, err)
	}
	return nil
}

// columnsOf are a table's columns: those for penalties and for names of objectives are
// there where there are some.
func columnsOf(table string, measured, penalised, named bool) []string {
	return slices.DeleteFunc(schema.Columns(table), func(column string) bool {
		if column == schema.GainLeft || column == schema.Evaluations {
			return !measured
		}
		return column == schema.Penalty && !penalised || column == schema.GoalName && !named
	})
}

// nameIn is what a row has in the column for names.
func nameIn(names []string, place int) []string {
	if names == nil {
		return nil
	}
	return names[place : place+1]
}

// numberText is a number in a table, empty for NaN: what can't be said.
func numberText(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// texts are the three numbers of an estimate in a table.
func (e Estimate) texts() []string {
	return []string{numberText(e.Value), numberText(e.Low), numberText(e.High)}
}
