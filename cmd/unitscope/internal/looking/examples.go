package looking

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

func examplesCommand() *cli.Command {
	flags := append(usage.ModelFlags(),
		job.DataFlag("to look through, as train takes it, see `unitscope help data`; any size will do"),
		&cli.IntFlag{Name: "top", Value: visualize.DefaultExamples, Usage: "`N` examples of each unit, from 1 to the size of the data set"})
	return &cli.Command{
		Name:  "examples",
		Usage: "the examples of a data set that excite a unit most (section 3 of Erhan et al., 2009)",
		Description: "Looks through the data set once and writes to --out: examples.npz (the examples with the largest activation of\n" +
			"each unit, their indices, activations and labels), examples.png (a row for each of the first units, the most\n" +
			"exciting example at the left) and .svg, and run.json.",
		Flags:  append(flags, usage.PictureFlags()...),
		Action: examples,
	}
}

// examples is `unitscope visualize examples`.
func examples(ctx *cli.Context) (err error) {
	j, err := job.Begin(ctx, schema.TaskExamples)
	if err != nil {
		return err
	}
	o, err := checked(visualize.ExamplesOptions{Top: ctx.Int("top")})
	if err != nil {
		return err
	}
	of, units, err := LoadUnits(j)
	if err != nil {
		return err
	}
	n := of.Network
	o.Layer, o.Units = of.Layers[0], units
	data, err := j.OpenFor(n, of.File)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, data)
	of.Set = data.Set
	if err := o.CheckData(of.Set); err != nil {
		return usage.Mistake(err)
	}
	err = j.Compute(ctx.Uint64("seed"), []string{of.File}, func(d engine.Device, f *runfolder.Folder) error {
		j.WarnOfLayers(d, of)
		p := j.Console.Progress(fmt.Sprintf("%s layer %d, %s", n.Kind, o.Layer, words.Count(len(o.Units), "unit")), "example", int64(of.Set.Len()))
		result, err := visualize.Examples(ctx.Context, d, n, of.Set, o, func(done, total int) { p.Set(int64(done), "") })
		if err != nil {
			p.Stop()
			return err
		}
		p.Finish("")
		off, err := result.OffWarning(n)
		if err != nil {
			return err
		}
		if off != "" {
			j.Console.Warn("units", "%s", off)
		}
		return writeExamples(f, n, result)
	})
	if err != nil {
		return err
	}
	next := OnUnits(j, schema.TaskCompare)
	if data := ctx.String("data"); data != "" {
		next = append(next, "--data", data)
	}
	j.Wrote(schema.ExamplesPicture, next...)
	return nil
}

func writeExamples(f *runfolder.Folder, n *network.Network, r *visualize.ExamplesResult) error {
	heading := fmt.Sprintf("%s: %s that excite a unit most, of %s", picture.LayerHeading(n, r.Layer), picture.ShownColumns(r.Top, "example"), picture.ShownRows(len(r.Units), "unit"))
	img, err := picture.Rows(heading, r.ExamplePatterns(), ranks(r.Top), report.GridOptions{})
	if err != nil {
		return err
	}
	if err := f.Write(schema.ExamplesArrays, r.WriteArrays); err != nil {
		return err
	}
	return picture.Write(f, schema.ExamplesPicture, img, r.Layer)
}

// ranks are heads of columns that nobody takes for digits: #1, #2, ...
func ranks(n int) (heads []string) {
	for i := range n {
		heads = append(heads, fmt.Sprintf("#%d", i+1))
	}
	return heads
}
