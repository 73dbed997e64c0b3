package figures

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

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

// Figures 3 and 4 look at the same units of a DBN in several of its layers.

// figure3Samples are as many as a row shows on a screen; each is a tile of it.
const figure3Samples = 20

func figure3Command() *cli.Command {
	defaults := visualize.DefaultSample()
	defaults.Samples = figure3Samples
	flags := append(layersFlags(6), looking.SamplingFlags(defaults)...)
	return &cli.Command{
		Name:  "3",
		Usage: "rows of samples of a DBN with one unit held at 1, the mean of each unit in front",
		Description: "Samples from units of the DBN and writes figure3.png and .svg, the arrays and numbers behind it (layer2-samples.npz,\n" +
			"layer2-mixing.csv, ...) and run.json to --out. --samples is how many tiles a row has beside its mean: 100, as visualize sample takes, are a picture 3000 pixels wide.",
		Flags:  append(flags, usage.PictureFlags()...),
		Action: figure3,
	}
}

func figure4Command() *cli.Command {
	flags := append(layersFlags(36), looking.SampleFlags()...)
	flags = append(flags, looking.CombineFlag())
	flags = append(flags, looking.DirectedAscentFlags()...)
	return &cli.Command{
		Name:  "4",
		Usage: "the methods side by side: mean of samples, linear combination, activation maximization",
		Description: "Shows units of the DBN with the three methods and writes figure4.png and .svg, the arrays and numbers behind it\n" +
			"(layer2-samples.npz, layer2-mixing.csv, layer2-combine.npz, layer2-ascent.npz, ...) and run.json to --out.",
		Flags:  append(flags, usage.PictureFlags()...),
		Action: figure4,
	}
}

// layersFlags choose the first units of some layers of a DBN.
func layersFlags(units int) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dbn", Required: true, Usage: "`DIR`, the run folder of a Deep Belief Net, or its model file"},
		&cli.StringFlag{Name: "layer", Value: "2,3", Usage: "`N,N`, the layers shown, 1 is the first hidden one; without it those of 2 and 3 that the model has, or its only one"},
		&cli.StringFlag{Name: "units", Usage: fmt.Sprintf("`UNITS` of each layer, counted from 0: all, 7, 0-35, or several with commas (default: the first %d)", units)},
	}
}

// layersOfDBN is what layersFlags choose.
type layersOfDBN struct {
	model  *network.Network
	file   string
	layers []int
	units  [][]int // of each of the layers
}

// chooseLayers loads --dbn and chooses --layer and --units; without --units, the
// first ones of each layer.
func chooseLayers(j *job.Job, first int) (*layersOfDBN, error) {
	ctx := j.Ctx
	n, file, err := j.LoadModel("dbn")
	if err != nil {
		return nil, err
	}
	if err := n.CheckGenerative(n.Depth()); err != nil {
		return nil, usage.Mistakef("--dbn %s: %w", ctx.String("dbn"), err)
	}
	c := &layersOfDBN{model: n, file: file}
	if !ctx.IsSet("layer") {
		j.Resolved["layer"] = upperLayers(len(n.Layers))
	}
	if c.layers, err = usage.ParseInts("layer", j.Resolved["layer"]); err != nil {
		return nil, err
	}
	for _, layer := range c.layers {
		if err := n.CheckLayer(layer); err != nil {
			return nil, usage.Mistake(err)
		}
		text := ctx.String("units")
		if text == "" {
			text = fmt.Sprintf("0-%d", min(first, n.Sizes()[layer])-1)
		}
		units, err := looking.ParseUnits(text, n, layer)
		if err != nil {
			return nil, err
		}
		c.units = append(c.units, units)
	}
	return c, nil
}

// upperLayers are those that are shown of so many where nobody says: 2 and 3, as in the
// paper, as far as there are any.
func upperLayers(layers int) string {
	switch layers {
	case 1:
		return "1"
	case 2:
		return "2"
	}
	return "2,3"
}

// figure3 is `unitscope figure 3`.
func figure3(ctx *cli.Context) error {
	j, err := job.Begin(ctx, schema.TaskFigure("3"))
	if err != nil {
		return err
	}
	o, err := looking.SampleOptions(ctx)
	if err != nil {
		return err
	}
	c, err := chooseLayers(j, 6)
	if err != nil {
		return err
	}
	name := schema.FigurePicture("3")
	err = j.Compute(o.Seed, []string{c.file}, func(d engine.Device, f *runfolder.Folder) error {
		j.WarnOfLayers(d, job.LookedAt{Network: c.model, File: c.file, Layers: c.layers})
		var results []*visualize.SampleResult
		for i, layer := range c.layers {
			o.Layer, o.Units = layer, c.units[i]
			r, err := looking.Draw(ctx.Context, j.Console, d, c.model, o)
			if err != nil {
				return err
			}
			if err := writeLayerSamples(f, r); err != nil {
				return err
			}
			results = append(results, r)
		}
		img, err := report.Figure3(strings.ToUpper(string(c.model.Kind)), results, report.FigureOptions{})
		if err != nil {
			return err
		}
		return picture.Write(f, name, img, c.layers...)
	})
	if err != nil {
		return err
	}
	j.Wrote(name, j.ReportOn()...)
	return nil
}

// writeLayerSamples writes what is behind the samples of one layer of a figure.
func writeLayerSamples(f *runfolder.Folder, r *visualize.SampleResult) error {
	if err := f.Write(schema.LayerFile(r.Layer, schema.SamplesArrays), r.WriteArrays); err != nil {
		return err
	}
	return f.Write(schema.LayerFile(r.Layer, schema.MixingTable), r.WriteTable)
}

// comparison is figure 4 in the making.
type comparison struct {
	*layersOfDBN
	job     *job.Job
	sample  visualize.SampleOptions
	combine visualize.CombineOptions
	tops    []int // of the combination, for each of the layers
	ascent  visualize.AscentOptions
}

// figure4 is `unitscope figure 4`.
func figure4(ctx *cli.Context) error {
	j, err := job.Begin(ctx, schema.TaskFigure("4"))
	if err != nil {
		return err
	}
	c := comparison{job: j}
	if c.sample, err = looking.SampleOptions(ctx); err != nil {
		return err
	}
	if _, err := looking.ParseTop(ctx.String("top")); err != nil {
		return err
	}
	if c.ascent, err = looking.DirectedAscentOptions(ctx); err != nil {
		return err
	}
	if c.layersOfDBN, err = chooseLayers(j, 36); err != nil {
		return err
	}
	for _, layer := range c.layers {
		top, err := looking.ChooseTop(ctx, c.model, layer)
		if err != nil {
			return err
		}
		c.tops = append(c.tops, top)
	}
	if !ctx.IsSet("top") {
		j.Resolved["top"] = usage.JoinInts(c.tops)
	}
	if c.model.Radius == 0 {
		return usage.Mistakef("--dbn %s: the model does not say rho, the mean norm of its data; add it to the file as metadata `rho`, see docs/formats.md", ctx.String("dbn"))
	}
	name := schema.FigurePicture("4")
	err = j.Compute(c.ascent.Seed, []string{c.file}, func(d engine.Device, f *runfolder.Folder) error {
		j.WarnOfLayers(d, job.LookedAt{Network: c.model, File: c.file, Layers: c.layers})
		img, err := c.draw(d, f)
		if err != nil {
			return err
		}
		return picture.Write(f, name, img, c.layers...)
	})
	if err != nil {
		return err
	}
	j.Wrote(name, j.ReportOn()...)
	return nil
}

// Draw applies the methods to each layer, writes what they found, and returns
// the figure.
func (c *comparison) draw(d engine.Device, f *runfolder.Folder) (*report.Picture, error) {
	var rows []report.Figure4Layer
	for i, layer := range c.layers {
		row, err := c.layer(d, f, layer, c.units[i], c.tops[i])
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return report.Figure4(rows, report.FigureOptions{})
}

func (c *comparison) layer(d engine.Device, f *runfolder.Folder, layer int, units []int, top int) (row report.Figure4Layer, err error) {
	row.Name = strings.ToUpper(string(c.model.Kind))
	c.sample.Layer, c.sample.Units = layer, units
	c.combine.Layer, c.combine.Units, c.combine.Top = layer, units, top
	c.ascent.Layer, c.ascent.Units = layer, units
	ctx := c.job.Ctx.Context
	if row.Combination, err = visualize.Combine(ctx, d, c.model, c.combine); err != nil {
		return row, err
	}
	if row.Sampling, err = looking.Draw(ctx, c.job.Console, d, c.model, c.sample); err != nil {
		return row, err
	}
	if row.Ascent, err = looking.Ascend(ctx, c.job.Console, d, c.model, c.ascent); err != nil {
		return row, err
	}
	if err = writeLayerSamples(f, row.Sampling); err != nil {
		return row, err
	}
	if err = f.Write(schema.LayerFile(layer, schema.CombineArrays), row.Combination.WriteArrays); err != nil {
		return row, err
	}
	return row, f.Write(schema.LayerFile(layer, schema.AscentArrays), row.Ascent.WriteArrays)
}
