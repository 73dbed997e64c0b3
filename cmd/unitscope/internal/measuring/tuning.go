package measuring

import (
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/looking"
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

func analyzeTuningCommand() *cli.Command {
	flags := append(usage.ModelFlags(),
		job.DataFlag("to look through, as train takes it, see `unitscope help data`; any size will do, and labels are used where there are some"),
		&cli.BoolFlag{Name: "before", Usage: "look at activations, before the nonlinearity, instead of what units put out"})
	return &cli.Command{
		Name:  "tuning",
		Usage: "what units do over a data set: histograms and quantiles, and their mean for each class",
		Description: "Looks through the data set once and writes to --out: tuning.npz (each unit's histogram, quantiles, and mean for every\n" +
			"class), tuning.csv (a row per unit: mean, deviation, range and quantiles, at how many examples it is on, the class with the\n" +
			"largest mean and how selective for it the unit is), classes.csv (the classes), tuning.png and .svg (the first units) and\n" +
			"run.json. Standard output gets a table. Units that are never on, saturated or constant are warned of by their numbers.",
		Flags:  append(flags, usage.PictureFlags()...),
		Action: analyzeTuning,
	}
}

// analyzeTuning is `unitscope analyze tuning`.
func analyzeTuning(ctx *cli.Context) (err error) {
	j, err := job.Begin(ctx, schema.TaskTuning)
	if err != nil {
		return err
	}
	of, units, err := looking.LoadUnits(j)
	if err != nil {
		return err
	}
	n := of.Network
	o := visualize.TuningOptions{Layer: of.Layers[0], Units: units, Before: ctx.Bool("before")}
	data, err := j.OpenFor(n, of.File)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, data)
	of.Set = data.Set
	var result *visualize.TuningResult
	err = j.Compute(ctx.Uint64("seed"), []string{of.File}, func(d engine.Device, f *runfolder.Folder) error {
		j.WarnOfLayers(d, of)
		p := j.Console.Progress(fmt.Sprintf("%s, tuning of %s", n.LayerTitle(o.Layer), words.Count(len(o.Units), "unit")), "example", int64(of.Set.Len()))
		if result, err = visualize.Tuning(ctx.Context, d, n, of.Set, o, func(done, total int) { p.Set(int64(done), "") }); err != nil {
			p.Stop()
			return err
		}
		p.Finish("")
		for _, text := range result.Warnings() {
			about := job.AboutLayer("", o.Layer)
			j.Console.Warn(about, "%s: %s", n.LayerTitle(o.Layer), text)
		}
		return writeTuning(f, n, result)
	})
	if err != nil {
		return err
	}
	// Lines that can not be printed are noticed at the end.
	fmt.Fprintf(ctx.App.Writer, "%s over %s:\n", picture.LayerHeading(n, result.Layer), words.Count(result.Examples, "example"))
	_ = console.WriteTable(ctx.App.Writer, tuningTable(result))
	next := looking.OnUnits(j, schema.TaskExamples)
	if data := ctx.String("data"); data != "" {
		next = append(next, "--data", data)
	}
	j.Wrote(schema.TuningPicture, next...)
	return nil
}

func writeTuning(f *runfolder.Folder, n *network.Network, r *visualize.TuningResult) error {
	img, err := report.TuningChart(picture.LayerHeading(n, r.Layer), r)
	if err != nil {
		return err
	}
	if err := f.Write(schema.TuningArrays, r.WriteArrays); err != nil {
		return err
	}
	if err := f.Write(schema.TuningTable, r.WriteTable); err != nil {
		return err
	}
	if len(r.Classes) > 0 {
		if err := f.Write(schema.ClassesTable, r.WriteClasses); err != nil {
			return err
		}
	}
	return picture.Write(f, schema.TuningPicture, img, r.Layer)
}

// listedUnits are as many units as a table on the terminal has.
const listedUnits = 20

// tuningTable is a line about each of the first units.
func tuningTable(r *visualize.TuningResult) [][]string {
	header := []string{"unit", "mean", "deviation", "median", "largest", "on"}
	classes := len(r.Classes) > 1
	if classes {
		header = append(header, "best class", "selectivity", "explained")
	}
	rows := [][]string{append(header, "")}
	for _, u := range r.Units[:min(len(r.Units), listedUnits)] {
		row := []string{strconv.Itoa(u.Unit), fourDigits(u.Mean), fourDigits(u.Deviation), fourDigits(u.Quantiles[len(u.Quantiles)/2]), fourDigits(u.Largest), fmt.Sprintf("%.1f %%", 100*u.On)}
		if classes {
			best := "-"
			if u.BestClass >= 0 {
				best = r.ClassTitle(u.BestClass)
			}
			row = append(row, best, fourDigits(u.ClassSelectivity), fourDigits(u.Explained))
		}
		rows = append(rows, append(row, u.Doubt))
	}
	if more := len(r.Units) - listedUnits; more > 0 {
		rows = append(rows, []string{fmt.Sprintf("and %s, see %s", words.Count(more, "more unit"), schema.TuningTable)})
	}
	return rows
}

// fourDigits is a number as tables on the terminal have it, "-" where it is not known.
func fourDigits(x float64) string {
	if x != x {
		return "-"
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}
