package main

import (
	"io"
	"os"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// fitted writes lines that are drawn over one another, by carriage returns, to a
// terminal, and cuts each to the terminal's width as it is then: a line that wraps
// is not drawn over.
type fitted struct {
	to      io.Writer
	columns func() int // 0 if unknown
}

func (f fitted) Write(p []byte) (int, error) {
	columns := f.columns()
	if columns < 1 {
		return f.to.Write(p)
	}
	lines := strings.Split(string(p), "\r")
	for i, line := range lines {
		// Some terminals wrap after their last column, others before the next.
		lines[i] = cutText(line, columns-1)
	}
	if _, err := io.WriteString(f.to, strings.Join(lines, "\r")); err != nil {
		return 0, err
	}
	return len(p), nil
}

// cutText is the beginning of a text that takes so many columns at most.
func cutText(text string, columns int) string {
	rest, state := text, -1
	for rest != "" {
		cluster, after, width, next := uniseg.FirstGraphemeClusterInString(rest, state)
		if columns -= width; columns < 0 {
			return text[:len(text)-len(rest)]
		}
		_, rest, state = cluster, after, next
	}
	return text
}

// columnsOf asks how wide a terminal is; 0 if it does not say.
func columnsOf(f *os.File) int {
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
