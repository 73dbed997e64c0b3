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
	flags := append(familyFlags(),
		&cli.StringFlag{Name: "layer", Value: "all", Usage: "`N` of the layer, 1 is the first hidden one, or all; a layer takes a row of the picture"},
		&cli.StringFlag{Name: "units", Value: "all", Usage: "`UNITS` of each layer, counted from 0: all, 7, 0-35, or several with commas"})
	flags = append(flags, looking.AscentFlags()...)
	return &cli.Command{
		Name:  "selectivity",
		Usage: "how units respond to each other's patterns, the DBN at the left and the SDAE at the right",
		Description: "Climbs the units of both models and writes selectivity.png and .svg, the matrices behind it (dbn-layer1.npz, ...) and\n" +
			"run.json to --out. Responses are those of `unitscope help analyze selectivity`. Standard output gets a line for each matrix.",
		Flags:  append(flags, usage.PictureFlags()...),
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
	var files []string
	if s.models, files, err = loadFamilies(j); err != nil {
		return err
	}
	for _, n := range s.models {
		// Each model shows the layers that it has, up to the deeper one's.
		layers, err := looking.ChosenLayers(j, n)
		if err != nil {
			return fmt.Errorf("--%s: %w", n.Kind, err)
		}
		var chosen []visualize.AscentOptions
		for _, layer := range layers {
			o := s.ascent
			o.Layer = layer
			if o.Units, err = looking.UnitsOf(j, n, layer); err != nil {
				return fmt.Errorf("--%s: %w", n.Kind, err)
			}
			chosen = append(chosen, o)
		}
		s.chosen = append(s.chosen, chosen)
	}
	s.files = files
	if err := j.Compute(s.ascent.Seed, files, s.run); err != nil {
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
	models    []*network.Network
	files     []string                    // of the models
	said      []string                    // of layers, that the summaries are to be read with
	chosen    [][]visualize.AscentOptions // [models][layers]
	summaries []string
}

func (s *selectivityFigure) run(d engine.Device, f *runfolder.Folder) error {
	s.said = s.WarnOfFamilies(d, s.models, s.files)
	var rows [][]*report.HeatMap // [layers][models]
	for m, n := range s.models {
		for k, o := range s.chosen[m] {
			r, err := s.measure(d, n, o)
			if err != nil {
				return err
			}
			if err := f.Write(schema.FamilyFile(string(n.Kind), o.Layer), r.WriteArrays); err != nil {
				return err
			}
			if k == len(rows) {
				rows = append(rows, make([]*report.HeatMap, len(s.models)))
			}
			rows[k][m] = measuring.HeatMap(n, r)
			s.said = append(s.said, measuring.WarnOfSaturation(s.Job, picture.FamilyName(n), r)...)
			s.summaries = append(s.summaries, measuring.SelectivitySummary(n, r))
		}
	}
	img, err := report.HeatMaps(rows, measuring.Responses())
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
