package figures

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/looking"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/measuring"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

func figureSelectivityCommand() *cli.Command {
	flags := append(modelsFlags(),
		usage.LayersFlag(),
		&cli.StringFlag{Name: "units", Value: "all", Usage: "`UNITS` of each layer, counted from 0: all, 7, 0-35, or several with commas"})
	flags = append(flags, looking.AscentFlags()...)
	return &cli.Command{
		Name:  "selectivity",
		Usage: "how units respond to each other's patterns, a column for each model",
		Description: "Climbs the units of one model or several, such as a DBN and an SDAE, and writes selectivity.png and .svg, the matrices behind it\n" +
			"(dbn-layer1.npz, ...; those of --model by the name of its file or folder) and run.json to --out. Responses are those of `unitscope help analyze selectivity`. Standard output gets a line for each matrix.",
		Flags:  slices.Concat(flags, usage.PictureFlags(), usage.FileFlags()),
		Action: figureSelectivity,
	}
}

// figureSelectivity is `unitscope figure selectivity`.
func figureSelectivity(ctx *cli.Context) error {
	j, err := job.Begin(ctx, schema.TaskFigureSelectivity)
	if err != nil {
		return err
	}
	s := &selectivityFigure{Job: j}
	if s.ascent, err = looking.AscentOptions(ctx); err != nil {
		return err
	}
	if s.models, err = loadModels(j); err != nil {
		return err
	}
	for _, m := range s.models {
		if err := s.choose(m); err != nil {
			return fmt.Errorf("%s: %w", m.given, err)
		}
	}
	if err := j.Compute(s.ascent.Seed, files(s.models), s.run); err != nil {
		return err
	}
	for _, text := range s.summaries {
		fmt.Fprintln(ctx.App.Writer, text)
	}
	fmt.Fprint(ctx.App.Writer, job.Beware(s.said))
	j.Wrote(schema.SelectivityPicture, j.ReportOn()...)
	return nil
}

// selectivityFigure is the figure in the making.
type selectivityFigure struct {
	*job.Job
	ascent    visualize.AscentOptions
	models    []Model
	said      []string                    // of layers, that the summaries are to be read with
	chosen    [][]visualize.AscentOptions // [models][layers]
	summaries []string
}

// choose finds out what of a model to show: the layers that it has, up to the deepest
// one's.
func (s *selectivityFigure) choose(m Model) error {
	layers, err := looking.ChosenLayers(s.Job, m.Network)
	if err != nil {
		return err
	}
	if len(s.models) > 1 {
		// A name may be of another layer in each model.
		s.Resolved["layer"] = s.Ctx.String("layer")
		delete(s.Resolved, "layer_name")
	}
	var chosen []visualize.AscentOptions
	for _, layer := range layers {
		o := s.ascent
		o.Layer, o.Radius = layer, m.Radius
		if o.Units, err = looking.UnitsOf(s.Job, m.Network, layer); err != nil {
			return err
		}
		chosen = append(chosen, o)
	}
	s.chosen = append(s.chosen, chosen)
	return nil
}

func (s *selectivityFigure) run(d engine.Device, f *runfolder.Folder) error {
	s.said = warn(s.Job, d, s.models)
	var rows [][]*report.HeatMap // [layers][models]
	var nonlinearities []engine.Activation
	for i, m := range s.models {
		for k, o := range s.chosen[i] {
			r, err := s.measure(d, m.Network, o)
			if err != nil {
				return err
			}
			if err := f.Write(schema.FamilyFile(m.InFiles, o.Layer), r.WriteArrays); err != nil {
				return err
			}
			if k == len(rows) {
				rows = append(rows, make([]*report.HeatMap, len(s.models)))
			}
			rows[k][i] = measuring.HeatMap(m.heading(r.Layer), r)
			nonlinearities = append(nonlinearities, m.Network.Activation(r.Layer))
			s.said = append(s.said, measuring.WarnOfSaturation(s.Job, m.of, r)...)
			s.summaries = append(s.summaries, measuring.SelectivitySummary(m.heading(r.Layer), r))
		}
	}
	img, err := report.HeatMaps(rows, measuring.Responses(nonlinearities...))
	if err != nil {
		return err
	}
	var layers []int
	for _, o := range slices.Concat(s.chosen...) {
		layers = append(layers, o.Layer)
	}
	return picture.Write(f, schema.SelectivityPicture, img, layers...)
}

// measure climbs one layer and works out its matrix.
func (s *selectivityFigure) measure(d engine.Device, n *network.Network, o visualize.AscentOptions) (*visualize.SelectivityResult, error) {
	a, err := looking.Ascend(s.Ctx.Context, s.Console, d, n, o)
	if err != nil {
		return nil, err
	}
	return visualize.Selectivity(s.Ctx.Context, d, n, a.Layer, a.UnitPatterns())
}
