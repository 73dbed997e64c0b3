// Package figures has the commands that draw the figures of Erhan et al. (2009) from
// trained models. Others draw figure 1 by [AscendUnits] and [WriteUnits].
package figures

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/looking"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
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
	flags := append(familyFlags(),
		&cli.IntFlag{Name: "columns", Value: 6, Usage: "`N`: each layer shows its first N x N units, 1 to 100"},
		&cli.IntFlag{Name: "restart-units", Value: 4, Usage: "`N` units of the top layer shown with all their restarts, 1 to 100"})
	flags = append(flags, looking.DirectedAscentFlags()...)
	return &cli.Command{
		Name:  number,
		Usage: "units by layer, the DBN above and the SDAE below, and a few units with all their restarts; for models of " + data,
		Description: "Climbs the first units of every layer of both models and writes figure" + number + ".png and .svg, the arrays behind it\n" +
			"(dbn-layer1.npz, ...) and run.json to --out.",
		Flags:  append(flags, usage.PictureFlags()...),
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
	models, files, err := loadFamilies(j)
	if err != nil {
		return err
	}
	name := schema.FigurePicture(number)
	err = j.Compute(o.Ascent.Seed, files, func(d engine.Device, f *runfolder.Folder) error {
		j.WarnOfFamilies(d, models, files)
		rows, err := AscendUnits(ctx.Context, j.Console, d, models, o)
		if err != nil {
			return err
		}
		for _, row := range rows {
			for _, r := range row.Layers {
				j.Resolved[fmt.Sprintf("lr of %s layer %d", strings.ToLower(row.Name), r.Layer)] = fmt.Sprint(r.Rate)
			}
		}
		return WriteUnits(f, name, rows)
	})
	if err != nil {
		return err
	}
	j.Wrote(name, j.ReportOn()...)
	return nil
}

// loadFamilies loads --dbn and --sdae, the two runs that a figure compares.
func loadFamilies(j *job.Job) (models []*network.Network, files []string, err error) {
	for _, family := range []network.Kind{network.DBN, network.SDAE} {
		n, file, err := j.LoadModel(string(family))
		if err != nil {
			return nil, nil, err
		}
		if n.Kind != family {
			return nil, nil, usage.Mistakef("--%s %s: the model is of kind %s", family, j.Ctx.String(string(family)), n.Kind)
		}
		if n.Radius == 0 {
			return nil, nil, usage.Mistakef("--%s %s: the model does not say rho, the mean norm of its data; add it to the file as metadata `rho`, see docs/formats.md", family, j.Ctx.String(string(family)))
		}
		models, files = append(models, n), append(files, file)
	}
	return models, files, nil
}

// familyFlags are for figures that compare two models.
func familyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dbn", Required: true, Usage: "`DIR`, the run folder of a Deep Belief Net, or its model file"},
		&cli.StringFlag{Name: "sdae", Required: true, Usage: "`DIR`, the run folder of a Stacked Denoising Auto-Encoder, or its model file"},
	}
}

// UnitsOptions are how much figures 1 and 2 show.
type UnitsOptions struct {
	Ascent       visualize.AscentOptions // layer and units are left to fill in
	Columns      int                     // a panel has the first Columns^2 units of a layer
	RestartUnits int                     // of the top layer, shown with all their restarts
}

// AscendUnits runs the ascents of all that figure 1 or 2 shows: a row of layers for each model.
func AscendUnits(ctx context.Context, c *console.Console, d engine.Device, models []*network.Network, o UnitsOptions) (rows []report.Figure1Model, err error) {
	for _, n := range models {
		row := report.Figure1Model{Name: picture.FamilyName(n)}
		for _, layer := range job.AllLayers(n) {
			r, err := looking.Ascend(ctx, c, d, n, o.firstUnits(n, layer, o.Columns*o.Columns))
			if err != nil {
				return nil, err
			}
			row.Layers = append(row.Layers, r)
		}
		restarts := o.firstUnits(n, len(n.Layers), o.RestartUnits)
		// The step size belongs to the layer, so that of the layer's panel serves.
		restarts.Rate, restarts.KeepAll = row.Layers[restarts.Layer-1].Rate, true
		if row.Restarts, err = looking.Ascend(ctx, c, d, n, restarts); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// firstUnits are the options for the first units of a layer.
func (o UnitsOptions) firstUnits(n *network.Network, layer, units int) visualize.AscentOptions {
	first := o.Ascent
	first.Layer = layer
	for u := range min(units, n.Sizes()[layer]) {
		first.Units = append(first.Units, u)
	}
	return first
}

// WriteUnits draws figure 1 or 2, and writes it and the arrays behind it.
func WriteUnits(f *runfolder.Folder, name string, rows []report.Figure1Model) error {
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
	for _, row := range rows {
		family := strings.ToLower(row.Name)
		for _, r := range row.Layers {
			if err := f.Write(schema.FamilyFile(family, r.Layer), r.WriteArrays); err != nil {
				return err
			}
		}
		if err := f.Write(schema.FamilyRestarts(family), row.Restarts.WriteArrays); err != nil {
			return err
		}
	}
	return nil
}
