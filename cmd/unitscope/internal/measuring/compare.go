package measuring

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/looking"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/train"
	"github.com/unitscope/unitscope/visualize"
)

func analyzeCompareCommand() *cli.Command {
	flags := append(usage.ModelFlags(),
		ascentFlag("whose best patterns to take instead of climbing"),
		job.DataFlag("to compare with, as train takes it, see `unitscope help data`; any size will do"),
		&cli.IntFlag{Name: "limit", Usage: "use only the first `N` examples, 0 for all (default: 0, or without --data those that the model was trained on)"},
		looking.CombineFlag())
	flags = append(flags, looking.AscentFlags()...)
	flags = append(flags, looking.RhoFlag())
	flags = append(flags, looking.SampleFlags()...)
	flags = append(flags, bootstrapFlag())
	return &cli.Command{
		Name:  "compare",
		Usage: "the methods measured against each other and against the data",
		Description: "Shows every unit by activation maximization, by the mean of samples (a DBN only), by the linear combination of filters\n" +
			"and by the example of --data that excites it most, all at norm rho, and measures each: the activation it reaches and its\n" +
			"percentile among the examples, its selectivity, the distance to the nearest example, the reconstruction error, and the\n" +
			"cosines between the methods. Writes to --out: compare.csv (a row per unit and method), compare.npz (patterns and\n" +
			"numbers), compare.png (the patterns side by side), activations.png, both as .svg too, and run.json. Standard output gets a summary.",
		Flags:  append(flags, usage.PictureFlags()...),
		Action: analyzeCompare,
	}
}

// analyzeCompare is `unitscope analyze compare`.
func analyzeCompare(ctx *cli.Context) (err error) {
	j, err := job.Begin(ctx, schema.TaskCompare)
	if err != nil {
		return err
	}
	n, file, err := j.LoadModel("model")
	if err != nil {
		return err
	}
	a := &methodsAnalysis{Job: j, model: n, file: file, compare: visualize.DefaultCompare()}
	a.compare.Seed, a.compare.Resamples = ctx.Uint64("seed"), ctx.Int("resamples")
	if err := a.compare.Check(); err != nil {
		return usage.Mistake(err)
	}
	data, err := j.OpenFor(n, file)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, data)
	a.set, a.look = data.Set, data.Look
	if err := a.choose(ctx); err != nil {
		return err
	}
	if err := j.Compute(a.compare.Seed, append([]string{file}, a.best.files...), a.run); err != nil {
		return err
	}
	fmt.Fprint(ctx.App.Writer, a.summary())
	j.Wrote(schema.ComparePicture, j.ReportOn()...)
	return nil
}

// methodsAnalysis is `analyze compare` at work.
type methodsAnalysis struct {
	*job.Job
	model   *network.Network
	file    string // of the model
	set     dataset.Set
	look    train.Look // at set
	best    *bestOf
	sample  *visualize.SampleOptions // nil for a model that can't be sampled from
	combine visualize.CombineOptions
	compare visualize.CompareOptions
	result  *visualize.CompareResult
	agreed  string   // samples and data, "" without samples
	said    []string // of the layer, that the summary is to be read with
}

// choose finds out what to do by each method.
func (a *methodsAnalysis) choose(ctx *cli.Context) (err error) {
	if a.compare.Radius, err = a.radius(ctx); err != nil {
		return err
	}
	if a.best, err = chooseBest(a.Job, a.model, func() (float64, error) { return a.compare.Radius, nil }); err != nil {
		return err
	}
	if stored := a.best.stored; stored != nil && stored.Constraint.Kind == engine.Box {
		return usage.Mistakef("--ascent %s: its patterns are in a box, and patterns are compared at one norm; climb on the sphere or in a ball", ctx.String("ascent"))
	}
	layer, units := a.best.layer()
	a.compare.Layer, a.compare.Units = layer, units
	a.combine.Layer, a.combine.Units = layer, units
	if a.combine.Top, err = a.top(ctx, layer); err != nil {
		return err
	}
	if a.model.CheckGenerative(layer) != nil {
		for _, f := range looking.SampleFlags() {
			if name := f.Names()[0]; ctx.IsSet(name) {
				return usage.Mistakef("--%s: only a DBN that has not been fine-tuned can be sampled from", name)
			}
		}
		return nil
	}
	o, err := looking.SampleOptions(ctx)
	o.Layer, o.Units = layer, units
	a.sample = &o
	return err
}

// radius finds rho: --rho, else the model's own, else that of --data.
func (a *methodsAnalysis) radius(ctx *cli.Context) (radius float64, err error) {
	switch rho := ctx.String("rho"); {
	case rho != "":
		radius, err = usage.ParsePositive("rho", rho)
	case a.model.Radius > 0:
		radius = a.model.Radius
	default:
		radius = a.look.Rho
	}
	a.Resolved["rho"] = fmt.Sprint(radius)
	return radius, err
}

// top is --top; where nobody says, no more than the layers below have.
func (a *methodsAnalysis) top(ctx *cli.Context, layer int) (int, error) {
	top, err := looking.ChooseTop(ctx, a.model, layer)
	if err == nil && !ctx.IsSet("top") {
		a.Resolved["top"] = strconv.Itoa(top)
	}
	return top, err
}

func (a *methodsAnalysis) run(d engine.Device, f *runfolder.Folder) error {
	a.said = a.WarnOfLayers(d, job.LookedAt{Network: a.model, File: a.file, Set: a.set, Layers: []int{a.compare.Layer}})
	methods, err := a.methods(d)
	if err != nil {
		return err
	}
	p := a.Console.Progress("comparison", "example", int64(a.set.Len()))
	a.result, err = visualize.Compare(a.Ctx.Context, d, a.model, a.set, methods, a.compare, func(done, total int) { p.Set(int64(done), "") })
	if err != nil {
		p.Stop()
		return err
	}
	p.Finish("")
	about := job.AboutLayer("", a.compare.Layer)
	for _, text := range a.result.Warnings() {
		a.Console.Warn(about, "%s: %s", about, text)
		a.said = append(a.said, about+": "+text)
	}
	return a.write(f)
}

// methods shows the units by every method that the model allows.
func (a *methodsAnalysis) methods(d engine.Device) ([]visualize.Patterns, error) {
	ctx := a.Ctx.Context
	// The combination goes first: it takes no time, and refuses a --top that
	// the layers don't have.
	combination, err := visualize.Combine(ctx, d, a.model, a.combine)
	if err != nil {
		return nil, err
	}
	ascent, err := a.best.patterns(ctx, a.Job, d)
	if err != nil {
		return nil, err
	}
	methods := []visualize.Patterns{ascent.UnitPatterns().Named(visualize.MethodAscent)}
	if a.sample != nil {
		r, err := looking.Draw(ctx, a.Console, d, a.model, *a.sample)
		if err != nil {
			return nil, err
		}
		if text := looking.Disagreement(a.model, r); text != "" {
			a.said = append(a.said, text)
		}
		if err := looking.Hold(ctx, a.Console, d, a.model, a.set, r); err != nil {
			return nil, err
		}
		a.compare.Samples, a.compare.Agreement = r.Samples, r.Agreement
		a.agreed = looking.AgreementText(r)
		methods = append(methods, r.UnitPatterns().Named(visualize.MethodSampling))
	}
	examples, err := a.examples(d)
	if err != nil {
		return nil, err
	}
	return append(methods, combination.UnitPatterns().Named(visualize.MethodCombination), examples.Named(visualize.MethodExample)), nil
}

// examples are the examples that excite the units most, as the model sees them.
func (a *methodsAnalysis) examples(d engine.Device) (visualize.Patterns, error) {
	p := a.Console.Progress("examples that excite the units most", "example", int64(a.set.Len()))
	o := visualize.ExamplesOptions{Layer: a.compare.Layer, Units: a.compare.Units, Top: 1}
	r, err := visualize.Examples(a.Ctx.Context, d, a.model, a.set, o, func(done, total int) { p.Set(int64(done), "") })
	if err != nil {
		p.Stop()
		return visualize.Patterns{}, err
	}
	p.Finish("")
	return r.UnitPatterns(a.model)
}

func (a *methodsAnalysis) write(f *runfolder.Folder) error {
	r := a.result
	layer := picture.LayerHeading(a.model, r.Layer)
	patterns, err := report.Comparison(layer, r, picture.UnitsShown, report.GridOptions{})
	if err != nil {
		return err
	}
	activations, err := report.ActivationPlot(layer, r)
	if err != nil {
		return err
	}
	if err := f.Write(schema.CompareTable, r.WriteTable); err != nil {
		return err
	}
	if err := f.Write(schema.CompareArrays, r.WriteArrays); err != nil {
		return err
	}
	if err := picture.Write(f, schema.ComparePicture, patterns, r.Layer); err != nil {
		return err
	}
	if activations == nil {
		// No unit has a pattern by any method: there is nothing to plot.
		return nil
	}
	return picture.Write(f, schema.ActivationsPicture, activations)
}

// ofFew is what is said of a rank correlation of so many units that hardly any order of
// them would surprise.
func ofFew(units int) string {
	const few = 10
	if units == 0 || units >= few {
		return ""
	}
	return fmt.Sprintf(", of only %s, which is too few to tell", words.Count(units, "unit"))
}

// summary is a table of the methods, and the two links between them.
func (a *methodsAnalysis) summary() string {
	r := a.result
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s, %s at norm %.3g against %s; means over the units, with intervals of 95 %%:\n",
		picture.LayerHeading(a.model, r.Layer), words.Count(len(r.Units), "unit"), r.Radius, words.Count(r.Examples, "example"))
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "method\tunits\tactivation\tpercentile\town share\town first\tto nearest\treconstruction\tcosine to %s\n", r.Methods[0])
	for m, s := range r.Summary {
		reconstruction := "none"
		if !math.IsNaN(s.Reconstruction.Value) {
			reconstruction = estimateText(s.Reconstruction, "%.2f", 1)
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Methods[m], s.Units,
			estimateText(s.Activation, "%.2f", 1), estimateText(s.Percentile, "%.1f", 1), estimateText(s.Dominance, "%.3f", 1), estimateText(s.RankFirst, "%.2f", 1),
			estimateText(s.Distance, "%.2f", 1), reconstruction, estimateText(s.CosineFirst, "%.2f", 1))
	}
	// A buffer takes everything.
	_ = table.Flush()
	fmt.Fprintln(&text, "Own first is the share of patterns that excite their own unit most of all (or as much as any).")
	fmt.Fprintf(&text, "Section 5: the cosine between the first gradient at small x and the combination of all units below is %s.\n", estimateText(r.LinkOfSection5, "%.3f", 1))
	if r.Concentration != nil {
		fmt.Fprintf(&text, "Section 4: the rank correlation between how concentrated a unit's samples are and how near their mean is to the ascent's pattern is %s%s.\n", estimateText(r.LinkOfSection4, "%.2f", 1), ofFew(r.PairsOfSection4))
	}
	if a.agreed != "" {
		fmt.Fprintf(&text, "%s%s.\n", strings.ToUpper(a.agreed[:1]), a.agreed[1:])
	}
	return text.String() + job.Beware(a.said)
}
