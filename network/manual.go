package network

import (
	_ "embed" // this package's documentation
	"strings"

	"github.com/unitscope/unitscope/engine/words"
)

//go:embed network.go
var source []byte

// Manual says what a model file is: the documentation of this package, as text for a
// program's help, with paragraphs of one line each.
func Manual() (string, error) {
	text, err := words.Documentation(source, "")
	_, file, _ := strings.Cut(text, "The model file:\n\n")
	return strings.NewReplacer(
		" (Load, Network.Write)", "", ", see Network.Mean", ": x = (data - mean) * scale", ", see Network.Radius", ", the mean norm of the examples",
		"is in Network.Warnings", "is said when the file is read", "Load also reads", "--model also takes", "activation of engine.Activation", "of fourteen activations",
	).Replace(file), err
}
