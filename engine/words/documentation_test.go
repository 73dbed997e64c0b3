package words_test

import (
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine/words"
)

const source = `// Package shapes draws
// shapes.
//
// # Colours
//
// There are
//
//	red    a colour
//	green  another
package shapes

// Draw draws a [Shape],
// in colour.
func Draw() {}

func (Shape) Hide() {}

func Undocumented() {}
`

func TestDocumentation(t *testing.T) {
	for function, want := range map[string]string{
		"":     "Package shapes draws shapes.\n\nColours:\n\nThere are\n\n  red    a colour\n  green  another",
		"Draw": "Draw draws a Shape, in colour.",
	} {
		got, err := words.Documentation([]byte(source), function)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", function, got, err, want)
		}
	}
	for _, function := range []string{"Hide", "Undocumented", "None"} {
		if _, err := words.Documentation([]byte(source), function); err == nil || !strings.Contains(err.Error(), function) {
			t.Errorf("%q: %v", function, err)
		}
	}
	if _, err := words.Documentation([]byte("no Go"), ""); err == nil {
		t.Error("what is no Go has documentation")
	}
}
