package words_test

import (
	"testing"

	"github.com/unitscope/unitscope/engine/words"
)

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"0 units":      words.Count(0, "unit"),
		"1 unit":       words.Count(1, "unit"),
		"2 units":      words.Count(int64(2), "unit"),
		"1 class":      words.Count(1, "class"),
		"10 classes":   words.Count(10, "class"),
		"3 matches":    words.Count(3, "match"),
		"1 epoch":      words.Count(1, "epoch"),
		"2 epochs":     words.Count(2, "epoch"),
		"5 trials":     words.Count(5, "trial"),
		"1000 numbers": words.Count(1000, "number"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
