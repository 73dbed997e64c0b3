package job

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// AboutLayer is what warnings of a layer are about; of is the model's kind where a
// command looks at two, else "".
func AboutLayer(of string, layer int) string {
	return strings.TrimSpace(fmt.Sprintf("%s layer %d", of, layer))
}

// KeepLearning looks at what the layers of a new model have learned, writes it to
// the folder, and warns of those that have learned nothing. That it can't be found
// out does not make the model a worse one. persistent says whether its chains went on
// from update to update, which holds some layers down.
func KeepLearning(ctx context.Context, c *console.Console, d engine.Device, f *runfolder.Folder, n *network.Network, set dataset.Set, persistent bool) error {
	all, err := visualize.Learn(ctx, d, n, set)
	switch {
	case err != nil && ctx.Err() != nil:
		return err // an interruption: the run goes on with --resume
	case err != nil:
		c.Warn("model", "%v", err)
		return nil
	}
	for _, l := range all {
		if text := l.Warning(); text != "" {
			c.Warn(AboutLayer("", l.Layer), "%s", text)
		}
	}
	for _, text := range remedies(all, persistent) {
		c.Say("%s", text)
	}
	return f.Write(schema.LearningTable, func(w io.Writer) error { return visualize.WriteLearning(w, all) })
}

// remedies are what may help layers that something is wrong with: what to change of
// their training, of the lowest ones first.
func remedies(all []visualize.Learning, persistent bool) (texts []string) {
	say := func(text string) {
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	below := false // a layer that has learned nothing
	for _, l := range all {
		switch {
		case l.Warning() == "":
			continue
		case below:
			say("a layer on top of one that has learned nothing can't learn either")
		case l.Nothing() && persistent:
			say("training without --persistent may help, or more --epochs or a larger --lr")
		case l.Nothing():
			say("more --epochs or a larger --lr may help")
		case l.Saturated():
			say("a smaller --lr may help a layer that is saturated")
		default:
			say("another --lr may help a layer of duplicates")
		}
		below = below || l.Nothing()
	}
	return texts
}

// LookedAt is a model with the layers of it that a command looks at.
type LookedAt struct {
	Network *network.Network
	File    string
	Set     dataset.Set // to see what they do; nil for none
	Of      string      // the model's kind where there is another one, else ""
	Layers  []int
}

// AllLayers are all layers of a network.
func AllLayers(n *network.Network) (layers []int) {
	for i := range n.Layers {
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

// WarnOfFamilies warns of all layers of models that a command compares.
func (j *Job) WarnOfFamilies(d engine.Device, models []*network.Network, files []string) (said []string) {
	for i, n := range models {
		said = append(said, j.WarnOfLayers(d, LookedAt{Network: n, File: files[i], Of: picture.FamilyName(n), Layers: AllLayers(n)})...)
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
	if m.Set != nil {
		all, err = visualize.Learn(j.Ctx.Context, d, m.Network, m.Set)
	}
	for i := 0; m.Set == nil && i < len(m.Layers) && err == nil; i++ {
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
