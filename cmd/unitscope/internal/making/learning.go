package making

import (
	"context"
	"io"
	"slices"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// keepLearning looks at what the layers of a new model have learned, writes it to
// the folder, and warns of those that have learned nothing. That it can't be found
// out does not make the model a worse one. persistent says whether its chains went on
// from update to update, which holds some layers down.
func keepLearning(ctx context.Context, c *console.Console, d engine.Device, f *runfolder.Folder, n *network.Network, set dataset.Set, persistent bool) error {
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
			c.Warn(job.AboutLayer("", l.Layer), "%s", text)
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
