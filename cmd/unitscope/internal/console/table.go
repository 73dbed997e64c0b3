package console

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteTable writes rows of cells in columns, the first row being the header:
// columns of numbers at the right, others at the left. A row with fewer cells than
// the header ends in a remark, which may be of any length.
func WriteTable(w io.Writer, rows [][]string) error {
	widths, right := make([]int, len(rows[0])), make([]bool, len(rows[0]))
	for i := range widths {
		right[i] = true
		for r, row := range rows {
			if i >= len(row) || i == len(row)-1 && len(row) < len(widths) {
				continue
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
			right[i] = right[i] && (r == 0 || isAmount(row[i]))
		}
	}
	var b bytes.Buffer
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			width := widths[i]
			if !right[i] || len(row) < len(widths) && i == len(row)-1 {
				width = -width
			}
			fmt.Fprintf(&line, "%*s  ", width, cell)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

// isAmount is true for numbers, with or without a unit, and for what stands for one
// that is not known.
func isAmount(cell string) bool {
	return strings.Trim(cell[:min(1, len(cell))], "0123456789-+.?") == "" || cell == "NaN"
}
