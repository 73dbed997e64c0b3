package site

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// layersShown is how many layers of a model of another framework its card has a line for.
const layersShown = 16

// takeModel takes what a run's record says of the model of another framework that it
// read, and of its file.
func (m *Model) takeModel(run *runFolder) {
	is := run.record.Model
	if is == nil || m.Facts != nil {
		return
	}
	fact := func(name, text string) {
		if text != "" {
			m.Facts = append(m.Facts, [2]string{name, text})
		}
	}
	for _, in := range run.record.Inputs {
		if schema.IsModel(in.Name) {
			fact("file", in.Name)
			fact("kind", is.Format)
			fact("SHA-256", in.SHA256)
		}
	}
	fact("inputs", is.Inputs)
	fact("normalised", is.Normalised)
	if m.names == nil {
		m.names = map[int]string{}
	}
	m.sizes = []int{0} // of inputs, of which their shape is said
	for i, l := range is.Layers {
		m.sizes = append(m.sizes, l.Units)
		if l.Name != "" {
			m.names[i+1] = l.Name
		}
		if i < layersShown {
			fact(network.LayerTitle(i+1, l.Name), strings.TrimSuffix(words.Count(l.Units, "unit")+", "+l.Activation, ", "+runfolder.NoActivation))
		}
	}
	if more := len(is.Layers) - layersShown; more > 0 {
		fact("and", words.Count(more, "more layer"))
	}
	if is.Operations > len(is.Layers) {
		fact("operations", fmt.Sprintf("%d, with sums, rows and scales", is.Operations))
	}
	fact("parameters", strconv.Itoa(is.Parameters))
	for _, name := range []string{"activation", "map"} {
		if text := run.record.Options[name]; text != "" {
			fact("--"+name, text)
		}
	}
}
