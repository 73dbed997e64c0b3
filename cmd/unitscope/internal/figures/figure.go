// Package figures has the commands that draw the figures of Erhan et al. (2009) from
// trained models.
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
	o, err := looking.DirectedAscentOptions(ctx)
	if err != nil {
		return err
	}
	fig := Figure{Console: j.Console, Name: schema.FigurePicture(number), Ascent: o, Columns: ctx.Int("columns"), RestartUnits: ctx.Int("restart-units")}
	if fig.Columns < 1 || fig.Columns > 100 {
		return usage.Mistakef("--columns %d: want 1 to 100", fig.Columns)
	}
	if fig.RestartUnits < 1 || fig.RestartUnits > 100 {
		return usage.Mistakef("--restart-units %d: want 1 to 100", fig.RestartUnits)
	}
	var files []string
	if fig.Models, files, err = loadFamilies(j); err != nil {
		return err
	}
	err = j.Compute(o.Seed, files, func(d engine.Device, f *runfolder.Folder) error {
		j.WarnOfFamilies(d, fig.Models, files)
		img, err := fig.Draw(ctx.Context, d)
		if err != nil {
			return err
		}
		for _, row := range fig.rows {
			for _, r := range row.Layers {
				j.Resolved[fmt.Sprintf("lr of %s layer %d", strings.ToLower(row.Name), r.Layer)] = fmt.Sprint(r.Rate)
			}
		}
		return fig.WriteFiles(f, img)
	})
	if err != nil {
		return err
	}
	j.Wrote(fig.Name, j.ReportOn()...)
	return nil
}

// loadFamilies loads --dbn and --sdae, the two runs that a figure compares.
func loadFamilies(j *job.Job) (models []*network.Network, files []string, err error) {
	for _, family := range []network.Kind{network.DBN, network.SDAE} {
		n, file, err := job.LoadModel(j.Console, string(family), j.Ctx.String(string(family)))
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

// Figure is figure 1 or 2 in the making.
type Figure struct {
	Console      *console.Console
	Name         string // of the picture
	Ascent       visualize.AscentOptions
	Columns      int
	RestartUnits int
	Models       []*network.Network
	rows         []report.Figure1Model
}

// Draw climbs everything that the figure shows.
func (f *Figure) Draw(ctx context.Context, d engine.Device) (*report.Picture, error) {
	for _, n := range f.Models {
		row := report.Figure1Model{Name: strings.ToUpper(string(n.Kind))}
		for layer := 1; layer <= len(n.Layers); layer++ {
			o := f.options(n, layer, f.Columns*f.Columns)
			r, err := looking.Ascend(ctx, f.Console, d, n, o)
			if err != nil {
				return nil, err
			}
			row.Layers = append(row.Layers, r)
		}
		o := f.options(n, len(n.Layers), f.RestartUnits)
		// The step size belongs to the layer, so that of the layer's panel serves.
		o.Rate, o.KeepAll = row.Layers[o.Layer-1].Rate, true
		var err error
		if row.Restarts, err = looking.Ascend(ctx, f.Console, d, n, o); err != nil {
			return nil, err
		}
		f.rows = append(f.rows, row)
	}
	return report.Figure1(f.rows, report.FigureOptions{})
}

// options are those for the first units of a layer.
func (f *Figure) options(n *network.Network, layer, units int) visualize.AscentOptions {
	o := f.Ascent
	o.Layer = layer
	for u := range min(units, n.Sizes()[layer]) {
		o.Units = append(o.Units, u)
	}
	return o
}

func (f *Figure) WriteFiles(folder *runfolder.Folder, img *report.Picture) error {
	var layers []int
	for _, n := range f.Models {
		layers = append(layers, job.AllLayers(n)...)
	}
	if err := picture.Write(folder, f.Name, img, layers...); err != nil {
		return err
	}
	for _, row := range f.rows {
		family := strings.ToLower(row.Name)
		for _, r := range row.Layers {
			if err := folder.Write(schema.FamilyFile(family, r.Layer), r.WriteArrays); err != nil {
				return err
			}
		}
		if err := folder.Write(schema.FamilyRestarts(family), row.Restarts.WriteArrays); err != nil {
			return err
		}
	}
	return nil
}
