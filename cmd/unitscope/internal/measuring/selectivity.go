package measuring

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/urfave/cli/v2"

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

func analyzeSelectivityCommand() *cli.Command {
	flags := append(usage.ModelFlags(), ascentFlag("whose best patterns to take instead of climbing"))
	flags = append(flags, looking.AscentFlags()...)
	flags = append(flags, looking.RadiusFlags()...)
	return &cli.Command{
		Name:  "selectivity",
		Usage: "whether units respond to each other's patterns (section 6 of Erhan et al., 2009)",
		Description: "Shows every unit's best pattern to all units. A unit's response to a pattern is what it puts out, the sigmoid\n" +
			"of its activation in models trained here, divided by the largest such number that it has over the patterns shown, so\n" +
			"that it is 1 for the pattern that excites it most. What is negative, in networks of other frameworks, counts as 0.\n" +
			"Writes to --out: selectivity.npz (the matrix of responses, a row for each pattern and a column for each unit, and the\n" +
			"activations behind it), selectivity.csv (a row per unit: how much of the response to its pattern is its own),\n" +
			"selectivity.png and .svg (the matrix) and run.json. Standard output gets a summary.",
		Flags:  append(flags, usage.PictureFlags()...),
		Action: analyzeSelectivity,
	}
}

// analyzeSelectivity is `unitscope analyze selectivity`.
func analyzeSelectivity(ctx *cli.Context) error {
	j, err := job.Begin(ctx, schema.TaskSelectivity)
	if err != nil {
		return err
	}
	n, file, err := j.LoadModel("model")
	if err != nil {
		return err
	}
	if ctx.String("ascent") != "" {
		if err := alone(ctx, "ascent", looking.RadiusFlags()); err != nil {
			return err
		}
	}
	b, err := chooseBest(j, n, func() (float64, error) { return looking.ChooseRadius(j, n) })
	if err != nil {
		return err
	}
	var result *visualize.SelectivityResult
	var said []string
	err = j.Compute(ctx.Uint64("seed"), append(b.files, file), func(d engine.Device, f *runfolder.Folder) error {
		layer, _ := b.layer()
		said = j.WarnOfLayers(d, job.LookedAt{Network: n, File: file, Layers: []int{layer}})
		ascent, err := b.patterns(ctx.Context, j, d)
		if err != nil {
			return err
		}
		result, err = visualize.Selectivity(ctx.Context, d, n, ascent.Layer, ascent.UnitPatterns())
		if err != nil {
			return err
		}
		said = append(said, WarnOfSaturation(j, "", result)...)
		return writeSelectivity(f, n, result)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(ctx.App.Writer, "%s\n%s", SelectivitySummary(picture.LayerHeading(n, result.Layer), result), job.Beware(said))
	j.Wrote(schema.SelectivityPicture, j.ReportOn()...)
	return nil
}

// bestOf is where the best patterns of units come from: an ascent that is there
// already, or one that is still to be made.
type bestOf struct {
	model  *network.Network
	stored *visualize.AscentResult // nil if there is none
	ascent visualize.AscentOptions
	files  []string // that were read
}

// chooseBest finds out from --ascent, or from --layer, --units and the flags of an
// ascent.
func chooseBest(j *job.Job, n *network.Network, radius func() (float64, error)) (*bestOf, error) {
	ctx := j.Ctx
	if ctx.String("ascent") != "" {
		s, err := storedBest(ctx, n)
		if err != nil {
			return nil, err
		}
		return &bestOf{model: n, stored: s.result, files: s.files}, nil
	}
	o, err := looking.AscentOptions(ctx)
	if err != nil {
		return nil, err
	}
	if o.Layer, o.Units, err = looking.ChosenUnits(j, n); err != nil {
		return nil, err
	}
	if o.Radius, err = radius(); err != nil {
		return nil, err
	}
	return &bestOf{model: n, ascent: o}, nil
}

// layer and units are those that the patterns are of.
func (b *bestOf) layer() (int, []int) {
	if b.stored != nil {
		return b.stored.Layer, b.stored.Units
	}
	return b.ascent.Layer, b.ascent.Units
}

// patterns climbs, unless that has been done.
func (b *bestOf) patterns(ctx context.Context, j *job.Job, d engine.Device) (*visualize.AscentResult, error) {
	if b.stored != nil {
		return b.stored, nil
	}
	r, err := looking.Ascend(ctx, j.Console, d, b.model, b.ascent)
	if err == nil {
		j.Resolved["lr"], j.Resolved["rho"] = fmt.Sprint(r.Rate), fmt.Sprint(r.Radius)
	}
	return r, err
}

// WarnOfSaturation warns where a matrix says nothing of its units; of is the model's
// name where a command looks at several, else "".
func WarnOfSaturation(j *job.Job, of string, r *visualize.SelectivityResult) (said []string) {
	text := r.Warning()
	if text == "" {
		return nil
	}
	about := job.AboutLayer(of, r.Layer)
	j.Console.Warn(about, "%s: %s", about, text)
	return []string{about + ": " + text}
}

func writeSelectivity(f *runfolder.Folder, n *network.Network, r *visualize.SelectivityResult) error {
	img, err := report.HeatMaps([][]*report.HeatMap{{HeatMap(picture.LayerHeading(n, r.Layer), r)}}, Responses(n.Activation(r.Layer)))
	if err != nil {
		return err
	}
	if err := f.Write(schema.SelectivityArrays, r.WriteArrays); err != nil {
		return err
	}
	if err := f.Write(schema.SelectivityTable, r.WriteTable); err != nil {
		return err
	}
	return picture.Write(f, schema.SelectivityPicture, img, r.Layer)
}

// Responses is what the pictures of selectivity of layers with these nonlinearities are
// about.
func Responses(of ...engine.Activation) report.HeatOptions {
	response := "sigmoid(activation)"
	if slices.ContainsFunc(of, func(a engine.Activation) bool { return a.Kind != engine.Sigmoid }) {
		response = "output, 0 if negative,"
	}
	return report.HeatOptions{
		Title: "How units respond to each other's patterns", Rows: "unit whose pattern is shown", Columns: "unit that responds",
		What: "response: " + response + " / its largest over the patterns", High: 1,
	}
}

// HeatMap is the matrix of a layer that is called as a heading, to be drawn with [Responses].
func HeatMap(heading string, r *visualize.SelectivityResult) *report.HeatMap {
	return &report.HeatMap{Title: heading, Matrix: r.Matrix, Units: r.Units}
}

// SelectivitySummary is one paragraph about a layer that is called as a heading.
func SelectivitySummary(heading string, r *visualize.SelectivityResult) string {
	s := r.Summary
	text := fmt.Sprintf("%s, selectivity of %s:", heading, words.Count(len(r.Units), "unit"))
	switch {
	case s.Rows == 0:
		return text + " all are dead, there is no pattern to respond to."
	case len(r.Units) == 1:
		return text + " one unit has no others to be selective against; ask for more with --units."
	}
	text += fmt.Sprintf(" to its own pattern a unit responds with %.2f of its largest response, to another's with %.2f on average;", s.Own, s.Others)
	text += fmt.Sprintf(" %.0f %% of patterns excite their own unit most of all (or as much as any), %.0f %% of units are excited by none more than by their own.", 100*s.First, 100*s.Best)
	text += fmt.Sprintf(" A unit's own share of the response to its pattern is %.1f %% (%.1f %% if all responded alike), the entropy of the shares %.2f nats of at most %.2f.",
		100*s.Dominance, 100/float64(len(r.Units)), s.Entropy, math.Log(float64(len(r.Units))))
	if dead := len(r.Units) - s.Rows; dead > 0 {
		text += fmt.Sprintf(" %s dead and left out.", map[bool]string{true: "1 unit is", false: fmt.Sprintf("%d units are", dead)}[dead == 1])
	}
	return text
}
