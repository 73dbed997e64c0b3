package dataset

import (
	_ "embed" // this package's documentation
	"strings"

	"github.com/unitscope/unitscope/engine/words"
)

//go:embed open.go
var openSource []byte

// Manual says what every kind of data is, and what its options do: the documentation
// of [Open], as text for a program's help, with paragraphs of one line each.
func Manual() (string, error) {
	text, err := words.Documentation(openSource, "Open")
	// What Open returns, commands say.
	return strings.NewReplacer(
		"Open opens a data set by its specification, --data of the program:", "A data set is named by",
		"Open opens a data set by its specification, `--data` of the program:", "A data set is named by",
		"Info's Remarks", "Remarks", "Info's Warnings", "Warnings", "Info's Stored", "The line about the data", "Info's Low and High", "the range",
		" ([Deform])", "", "; those that are mistakes in the specification itself wrap ErrSpecification", "",
	).Replace(text), err
}
