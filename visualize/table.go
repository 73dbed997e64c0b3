package visualize

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
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
