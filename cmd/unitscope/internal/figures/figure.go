// Package figures has the commands that draw the figures of Erhan et al. (2009) from
// trained models. Others draw figure 1 by [AscendUnits] and [WriteUnits].
package figures

import (
	"context"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/looking"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// FigureCommand is `unitscope figure`.
func FigureCommand() *cli.Command {
	return &cli.Command{
		Name:  "figure",
		Usage: "draw a figure of Erhan et al. (2009) from trained models",
		Subcommands: []*cli.Command{
			unitsFigureCommand("1", "digits"), unitsFigureCommand("2", "natural images"),
			figure3Command(), figure4Command(), figureSelectivityCommand(),
		},
	}
}

// unitsFigureCommand is figure 1 or figure 2: the same picture of models that
// have seen different data.
func unitsFigureCommand(number, data string) *cli.Command {
	flags := append(modelsFlags(),
		&cli.IntFlag{Name: "columns", Value: 6, Usage: "`N`: each layer shows its first N x N units, 1 to 100"},
		&cli.IntFlag{Name: "restart-units", Value: 4, Usage: "`N` units of the top layer shown with all their restarts, 1 to 100"})
	flags = append(flags, looking.DirectedAscentFlags()...)
	return &cli.Command{
		Name:  number,
		Usage: "units by layer, a row for each model, and a few units with all their restarts; for models of " + data,
		Description: "Climbs the first units of every layer of one model or several, such as a DBN and an SDAE, and writes figure" + number + ".png and .svg,\n" +
			"the arrays behind it (dbn-layer1.npz, ...; those of --model by the name of its file or folder) and run.json to --out.",
		Flags:  slices.Concat(flags, usage.PictureFlags(), usage.FileFlags()),
		Action: func(ctx *cli.Context) error { return unitsFigure(ctx, number) },
	}
}

// unitsFigure is `unitscope figure 1` and `figure 2`.
func unitsFigure(ctx *cli.Context, number string) error {
	j, err := job.Begin(ctx, schema.TaskFigure(number))
	if err != nil {
		return err
	}
	o := UnitsOptions{Columns: ctx.Int("columns"), RestartUnits: ctx.Int("restart-units")}
	if o.Ascent, err = looking.DirectedAscentOptions(ctx); err != nil {
		return err
	}
	if o.Columns < 1 || o.Columns > 100 {
		return usage.Mistakef("--columns %d: want 1 to 100", o.Columns)
	}
	if o.RestartUnits < 1 || o.RestartUnits > 100 {
		return usage.Mistakef("--restart-units %d: want 1 to 100", o.RestartUnits)
	}
	models, err := loadModels(j)
	if err != nil {
		return err
	}
	name := schema.FigurePicture(number)
	err = j.Compute(o.Ascent.Seed, files(models), func(d engine.Device, f *runfolder.Folder) error {
		warn(j, d, models)
		rows, err := AscendUnits(ctx.Context, j.Console, d, models, o)
		if err != nil {
			return err
		}
		for i, row := range rows {
			for _, r := range row.Layers {
				j.Resolved[fmt.Sprintf("lr of %s layer %d", models[i].InFiles, r.Layer)] = fmt.Sprint(r.Rate)
			}
		}
		return WriteUnits(f, name, models, rows)
	})
	if err != nil {
		return err
	}
	j.Wrote(name, j.ReportOn()...)
	return nil
}

// UnitsOptions are how much figures 1 and 2 show.
type UnitsOptions struct {
	Ascent       visualize.AscentOptions // layer, units and radius are left to fill in
	Columns      int                     // a panel has the first Columns^2 units of a layer
	RestartUnits int                     // of the top layer, shown with all their restarts
}

// AscendUnits runs the ascents of all that figure 1 or 2 shows: a row of layers for each model.
func AscendUnits(ctx context.Context, c *console.Console, d engine.Device, models []Model, o UnitsOptions) (rows []report.Figure1Model, err error) {
	for _, m := range models {
		n := m.Network
		row := report.Figure1Model{Name: m.Name}
		for _, layer := range job.AllLayers(n) {
			r, err := looking.Ascend(ctx, c, d, n, o.firstUnits(m, layer, o.Columns*o.Columns))
			if err != nil {
				return nil, err
			}
			row.Layers, row.Headings = append(row.Layers, r), append(row.Headings, m.heading(layer))
		}
		restarts := o.firstUnits(m, n.Depth(), o.RestartUnits)
		restarts.KeepAll = true
		if row.Restarts, err = looking.Ascend(ctx, c, d, n, restarts); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// firstUnits are the options for the first units of a layer.
func (o UnitsOptions) firstUnits(m Model, layer, units int) visualize.AscentOptions {
	first := o.Ascent
	first.Layer, first.Radius = layer, m.Radius
	for u := range min(units, m.Network.Sizes()[layer]) {
		first.Units = append(first.Units, u)
	}
	return first
}

// WriteUnits draws figure 1 or 2 of models, and writes it and the arrays behind it.
func WriteUnits(f *runfolder.Folder, name string, models []Model, rows []report.Figure1Model) error {
	img, err := report.Figure1(rows, report.FigureOptions{})
	if err != nil {
		return err
	}
	var layers []int
	for _, row := range rows {
		for _, r := range row.Layers {
			layers = append(layers, r.Layer)
		}
	}
	if err := picture.Write(f, name, img, layers...); err != nil {
		return err
	}
	for i, row := range rows {
		for _, r := range row.Layers {
			if err := f.Write(schema.FamilyFile(models[i].InFiles, r.Layer), r.WriteArrays); err != nil {
				return err
			}
		}
		if err := f.Write(schema.FamilyRestarts(models[i].InFiles), row.Restarts.WriteArrays); err != nil {
			return err
		}
	}
	return nil
}
