package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/visualize"
)

// learningName is the file of a model's run that says what its layers have learned.
const learningName = "learning.csv"

// aboutLayer is what warnings of a layer are about; of is the model's kind where a
// command looks at two, else "".
func aboutLayer(of string, layer int) string {
	return strings.TrimSpace(fmt.Sprintf("%s layer %d", of, layer))
}

// keepLearning looks at what the layers of a new model have learned, writes it to
// the folder, and warns of those that have learned nothing. That it can't be found
// out does not make the model a worse one. persistent says whether its chains went on
// from update to update, which holds some layers down.
func (c *console) keepLearning(ctx context.Context, d engine.Device, f *runfolder.Folder, n *network.Network, set dataset.Set, persistent bool) error {
	all, err := visualize.Learn(ctx, d, n, set)
	switch {
	case err != nil && ctx.Err() != nil:
		return err // an interruption: the run goes on with --resume
	case err != nil:
		c.warn("model", "%v", err)
		return nil
	}
	for _, l := range all {
		if text := l.Warning(); text != "" {
			c.warn(aboutLayer("", l.Layer), "%s", text)
		}
	}
	for _, text := range remedies(all, persistent) {
		c.say("%s", text)
	}
	return f.Write(learningName, func(w io.Writer) error { return visualize.WriteLearning(w, all) })
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

// hasWarned is true if something was found to be wrong with a layer.
func (c *console) hasWarned(layer int) bool {
	return slices.ContainsFunc(c.warnings, func(w runfolder.Warning) bool { return w.About == aboutLayer("", layer) })
}

// keepLearning is that of a trial's model; the search says which trial it was.
func (r *trialRun) keepLearning(n *network.Network) error {
	c := &console{err: io.Discard}
	c.keepWarnings(r.folder)
	if err := c.keepLearning(r.search.ctx.Context, r.search.device, r.folder, n, r.search.set, false); err != nil {
		return err
	}
	for _, w := range c.warnings {
		r.search.console.warn(fmt.Sprintf("trial %d", r.trial.Number), "trial %d: %s", r.trial.Number, w.Text)
	}
	return nil
}

// forPart is the console of a run within a run: what it warns of stays out of the
// records of the others.
func (c *console) forPart() *console {
	own := *c
	own.warnings = slices.Clip(own.warnings)
	return &own
}

// lookedAt is a model with the layers of it that a command looks at.
type lookedAt struct {
	network *network.Network
	file    string
	set     dataset.Set // to see what they do; nil for none
	of      string      // the model's kind where there is another one, else ""
	layers  []int
}

// every are all layers of a network.
func every(n *network.Network) (layers []int) {
	for i := range n.Layers {
		layers = append(layers, i+1)
	}
	return layers
}

// warnOfLayers warns of layers that have learned nothing, and returns what it says:
// what the run that made the model has found, else what the data show, else the weights
// alone.
func (j *job) warnOfLayers(d engine.Device, m lookedAt) (said []string) {
	found, known := foundInTraining(m.file)
	if !known {
		found = j.look(d, m)
	}
	for _, layer := range m.layers {
		for _, w := range found {
			if w.About != aboutLayer("", layer) {
				continue
			}
			text := w.Text
			if m.of != "" {
				text = m.of + ": " + text
			}
			j.console.warn(aboutLayer(m.of, layer), "%s", text)
			said = append(said, text)
		}
	}
	return said
}

// warnOfFamilies warns of all layers of models that a command compares.
func (j *job) warnOfFamilies(d engine.Device, models []*network.Network, files []string) (said []string) {
	for i, n := range models {
		said = append(said, j.warnOfLayers(d, lookedAt{network: n, file: files[i], of: familyName(n), layers: every(n)})...)
	}
	return said
}

// foundInTraining is what the run that made a model has warned of. known is false
// where no such run has looked at it.
func foundInTraining(file string) (found []runfolder.Warning, known bool) {
	folder := filepath.Dir(file)
	if filepath.Base(file) != runfolder.ModelName || runfolder.Verify(folder, runfolder.ModelName, learningName) != nil {
		return nil, false
	}
	r, err := runfolder.ReadRecord(folder)
	return r.Warnings, err == nil
}

// look finds out what layers have learned.
func (j *job) look(d engine.Device, m lookedAt) (found []runfolder.Warning) {
	var all []visualize.Learning
	var err error
	if m.set != nil {
		all, err = visualize.Learn(j.ctx.Context, d, m.network, m.set)
	}
	for i := 0; m.set == nil && i < len(m.layers) && err == nil; i++ {
		var l visualize.Learning
		l, err = visualize.LearnOfWeights(d, m.network, m.layers[i])
		all = append(all, l)
	}
	if err != nil {
		// The work itself says why, if it can't be done either.
		return nil
	}
	for _, l := range all {
		if text := l.Warning(); text != "" {
			found = append(found, runfolder.Warning{About: aboutLayer("", l.Layer), Text: text})
		}
	}
	return found
}

// warnAsAscent repeats what the run of an ascent was warned of about its layer, for
// analyses that have no model.
func (j *job) warnAsAscent(s *storedAscent) (said []string) {
	about := aboutLayer("", s.result.Layer)
	for _, w := range s.record.Warnings {
		if w.About == about {
			j.console.warn(about, "%s", w.Text)
			said = append(said, w.Text)
		}
	}
	return said
}

// layerNotes are short sentences about those of the layers that warnings say nothing
// is to be seen of: "DBN layer 2 has learned nothing."
func layerNotes(warnings []runfolder.Warning, layers []int) (notes []string) {
	for _, w := range warnings {
		of, layer, found := strings.Cut(w.About, "layer ")
		number, err := strconv.Atoi(layer)
		_, wrong, said := strings.Cut(w.Text, "layer "+layer+" ")
		if !found || err != nil || !said || !slices.Contains(layers, number) {
			continue
		}
		if end := strings.IndexAny(wrong, ":;"); end >= 0 {
			wrong = wrong[:end]
		}
		name := "Layer"
		if of != "" {
			name = of + "layer"
		}
		notes = append(notes, fmt.Sprintf("%s %d %s.", name, number, wrong))
	}
	return notes
}

// beware is what a summary is to be read with: a line for each of what was said.
func beware(said []string) (lines string) {
	for _, text := range said {
		lines += "Beware: " + text + ".\n"
	}
	return lines
}
