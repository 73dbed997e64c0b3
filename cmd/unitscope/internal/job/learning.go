package job

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// AboutLayer is what warnings of a layer are about; of is the model's name where a
// command looks at several, else "".
func AboutLayer(of string, layer int) string {
	return strings.TrimSpace(fmt.Sprintf("%s layer %d", of, layer))
}

// LookedAt is a model with the layers of it that a command looks at.
type LookedAt struct {
	Network *network.Network
	File    string      // of the model
	Set     dataset.Set // to see what they do; nil for none
	Of      string      // the model's name where there may be others, else ""
	Layers  []int       // counted from 1
}

// AllLayers are all layers of a network.
func AllLayers(n *network.Network) (layers []int) {
	for i := range n.Depth() {
		layers = append(layers, i+1)
	}
	return layers
}

// WarnOfLayers warns of layers that have learned nothing, and returns what it says:
// what the run that made the model has found, else what the data show, else the weights
// alone.
func (j *Job) WarnOfLayers(d engine.Device, m LookedAt) (said []string) {
	found, known := foundInTraining(m.File)
	if !known {
		found = j.look(d, m)
	}
	for _, layer := range m.Layers {
		for _, w := range found {
			if w.About != AboutLayer("", layer) {
				continue
			}
			text := w.Text
			if m.Of != "" {
				text = m.Of + ": " + text
			}
			j.Console.Warn(AboutLayer(m.Of, layer), "%s", text)
			said = append(said, text)
		}
	}
	return said
}

// foundInTraining is what the run that made a model has warned of. known is false
// where no such run has looked at it.
func foundInTraining(file string) (found []runfolder.Warning, known bool) {
	folder := filepath.Dir(file)
	if filepath.Base(file) != schema.Model || runfolder.Verify(folder, schema.Model, schema.LearningTable) != nil {
		return nil, false
	}
	r, err := runfolder.ReadRecord(folder)
	return r.Warnings, err == nil
}

// look finds out what layers have learned.
func (j *Job) look(d engine.Device, m LookedAt) (found []runfolder.Warning) {
	var all []visualize.Learning
	var err error
	// Over a single example nothing changes, whatever the layer has learned.
	seen := m.Set != nil && m.Set.Len() > 1
	if seen {
		all, err = visualize.Learn(j.Ctx.Context, d, m.Network, m.Set)
	}
	for i := 0; !seen && i < len(m.Layers) && err == nil; i++ {
		var l visualize.Learning
		l, err = visualize.LearnOfWeights(d, m.Network, m.Layers[i])
		all = append(all, l)
	}
	if err != nil {
		// The work itself says why, if it can't be done either.
		return nil
	}
	for _, l := range all {
		if text := l.Warning(); text != "" {
			found = append(found, runfolder.Warning{About: AboutLayer("", l.Layer), Text: text})
		}
	}
	return found
}

// Beware is what a summary is to be read with: a line for each of what was said.
func Beware(said []string) (lines string) {
	for _, text := range said {
		lines += "Beware: " + text + ".\n"
	}
	return lines
}
