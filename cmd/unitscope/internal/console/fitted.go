package console

import (
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// fitted writes lines that are drawn over one another, by carriage returns, to a
// terminal, and shortens each to the terminal's width as it is then: a line that wraps
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
		lines[i] = fitLine(line, columns-1)
	}
	if _, err := io.WriteString(f.to, strings.Join(lines, "\r")); err != nil {
		return 0, err
	}
	return len(p), nil
}

// barLine is a line of a bar: what is done, how much of it, the bar, how many, how fast
// and the times.
var barLine = regexp.MustCompile(`^(.*?)( +\d+%)( +\|[^|]*\|) \(([^,)]*)(, [^)]*)?\)( \[[^\]]*\])? *$`)

// fitLine is a line that takes so many columns at most. Of a bar's, parts are left out
// whole, so that no number is half of another: the rate first, then the bar, the times,
// how many, and what is said beside the work's name.
func fitLine(line string, columns int) string {
	part := barLine.FindStringSubmatch(line)
	if part == nil || uniseg.StringWidth(line) <= columns {
		return cutText(line, columns)
	}
	label, share, bar, count, times := part[1], part[2], part[3], " ("+part[4]+")", part[6]
	shorter := []string{label + share + bar + count + times, label + share + count + times, label + share + count, label + share}
	for at := strings.LastIndex(label, ", "); at >= 0; at = strings.LastIndex(label, ", ") {
		label = label[:at]
		shorter = append(shorter, label+share)
	}
	for _, text := range append(shorter, strings.TrimSpace(share)) {
		if uniseg.StringWidth(text) <= columns {
			return text
		}
	}
	return ""
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
