package console

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

func TestCutText(t *testing.T) {
	for _, c := range []struct {
		text    string
		columns int
		want    string
	}{
		{"unit", 4, "unit"},
		{"unit", 3, "uni"},
		{"unit", 0, ""},
		{"unit", -1, ""},
		{"", 0, ""},
		{"数字の学習", 5, "数字"}, // two columns each
		{"数字の学習", 10, "数字の学習"},
		{"café", 4, "café"},
		{"cafe\u0301!", 4, "cafe\u0301"}, // an accent of its own takes no column
	} {
		if got := cutText(c.text, c.columns); got != c.want {
			t.Errorf("%q in %d columns is %q, want %q", c.text, c.columns, got, c.want)
		}
	}
	var out bytes.Buffer
	n, err := fitted{to: &out, columns: func() int { return 5 }}.Write([]byte("\r123456789\rab\r数字数字"))
	if err != nil || n != 26 || out.String() != "\r1234\rab\r数字" {
		t.Errorf("%d, %v: %q", n, err, &out)
	}
}

// What does not fit of a bar is left out whole.
func TestFitLine(t *testing.T) {
	const line = "dbn layer 1 of 2, epoch 3 of 8, error 12.5   5% |███       | (20000/80000, 7352 examples/s) [2s:8s]"
	for columns, want := range map[int]string{
		200:                          line,
		uniseg.StringWidth(line):     line,
		uniseg.StringWidth(line) - 1: "dbn layer 1 of 2, epoch 3 of 8, error 12.5   5% |███       | (20000/80000) [2s:8s]",
		79:                           "dbn layer 1 of 2, epoch 3 of 8, error 12.5   5% (20000/80000) [2s:8s]",
		68:                           "dbn layer 1 of 2, epoch 3 of 8, error 12.5   5% (20000/80000)",
		50:                           "dbn layer 1 of 2, epoch 3 of 8, error 12.5   5%",
		46:                           "dbn layer 1 of 2, epoch 3 of 8   5%",
		34:                           "dbn layer 1 of 2   5%",
		20:                           "5%",
		1:                            "",
		0:                            "",
	} {
		if got := fitLine(line, columns); got != want {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
	}
	const begins = "ascent   0% || (0/800) "
	if got := fitLine(begins, 18); got != "ascent   0%" {
		t.Errorf("a bar that begins is %q", got)
	}
	if got := fitLine(strings.Repeat(" ", 90), 79); len(got) != 79 {
		t.Errorf("blanks that draw over a bar are %d", len(got))
	}
}
