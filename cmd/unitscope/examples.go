package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/visualize"
)

func examplesCommand() *cli.Command {
	flags := append(modelFlags(),
		dataFlag("to look through, as train takes it, see `unitscope help data`; any size will do"),
		&cli.IntFlag{Name: "top", Value: visualize.DefaultExamples, Usage: "`N` examples of each unit, from 1 to the size of the data set"})
	return &cli.Command{
		Name:  "examples",
		Usage: "the examples of a data set that excite a unit most (section 3 of Erhan et al., 2009)",
		Description: "Looks through the data set once and writes to --out: examples.npz (the examples with the largest activation of\n" +
			"each unit, their indices, activations and labels), examples.png (a row for each of the first units, the most\n" +
			"exciting example at the left) and .svg, and run.json.",
		Flags:  append(flags, pictureFlags()...),
		Action: examples,
	}
}

// examples is `unitscope visualize examples`.
func examples(ctx *cli.Context) (err error) {
	j, err := begin(ctx, "visualize examples")
	if err != nil {
		return err
	}
	o := visualize.ExamplesOptions{Top: ctx.Int("top")}
	if o.Top < 1 {
		return usagef("--top %d: want at least 1", o.Top)
	}
	n, file, err := loadModel(j.console, "model", ctx.String("model"))
	if err != nil {
		return err
	}
	j.describe(n)
	if o.Layer, o.Units, err = chooseUnits(n, ctx.Int("layer"), ctx.String("units")); err != nil {
		return err
	}
	set, _, _, err := j.openFor(n, file)
	if err != nil {
		return err
	}
	defer closeInto(&err, set)
	if o.Top > set.Len() {
		return usagef("--top %d: %s has only %s", o.Top, set.Info().Name, words.Count(set.Len(), "example"))
	}
	err = j.compute(ctx.Uint64("seed"), []string{file}, func(d engine.Device, f *runfolder.Folder) error {
		j.warnOfLayers(d, lookedAt{network: n, file: file, set: set, layers: []int{o.Layer}})
		p := j.console.progress(fmt.Sprintf("%s layer %d, %s", n.Kind, o.Layer, words.Count(len(o.Units), "unit")), "example", int64(set.Len()))
		result, err := visualize.Examples(ctx.Context, d, n, set, o, func(done, total int) { p.set(int64(done), "") })
		if err != nil {
			p.stop()
			return err
		}
		p.finish("")
		return writeExamples(f, n, result)
	})
	if err != nil {
		return err
	}
	next := j.onUnits("analyze compare")
	if data := ctx.String("data"); data != "" {
		next = append(next, "--data", data)
	}
	j.wrote("examples.png", next...)
	return nil
}

func writeExamples(f *runfolder.Folder, n *network.Network, r *visualize.ExamplesResult) error {
	heading := fmt.Sprintf("%s: %s that excite a unit most, of %s", layerHeading(n, r.Layer), shownColumns(r.Top, "example"), shownUnits(r.Units))
	img, err := rowsPicture(heading, r.ExamplePatterns(), ranks(r.Top), report.GridOptions{})
	if err != nil {
		return err
	}
	if err := f.Write("examples.npz", r.WriteArrays); err != nil {
		return err
	}
	return writePicture(f, "examples.png", img, r.Layer)
}

// ranks are heads of columns that nobody takes for digits: #1, #2, ...
func ranks(n int) (heads []string) {
	for i := range n {
		heads = append(heads, fmt.Sprintf("#%d", i+1))
	}
	return heads
}
