package measuring

import (
	"context"
	"fmt"
	"io"
	"strings"

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

func analyzeRestartsCommand() *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "model", Usage: "`FILE` of a model, or its run folder, whose units to climb; or give --ascent"},
		ascentFlag("which has kept all patterns (--keep all); or give --model"),
	}
	flags = append(flags, restartsAscentFlags()...)
	flags = append(flags,
		&cli.Float64Flag{Name: "threshold", Value: visualize.DefaultModes().Threshold, Usage: "`X`, the smallest cosine between two restarts of one mode, -1 to 1"},
		bootstrapFlag())
	flags = append(flags, usage.FileFlags()...)
	return &cli.Command{
		Name:  "restarts",
		Usage: "how many optima units have: restarts that arrive at the same pattern are one mode",
		Description: "Sorts the restarts of every unit into modes by complete linkage: any two of a mode have a cosine of --threshold or more.\n" +
			"Writes to --out: modes.csv (a row per unit), modes-sweep.csv (thresholds from 0.5 to 0.99), trained-layer1.npz, ... (arrays;\n" +
			"and untrained-layer1.npz, ... with --control), modes.png and .svg (how many units have how many modes), trained-layer1-similarity.png and\n" +
			".svg, ... (cosines between the restarts of the first 9 units, in the order of their dendrogram) and run.json.\n" +
			"Standard output gets a summary. Intervals of a unit's shares are those of Clopper and Pearson, in the summary from units drawn again.",
		Flags:  append(flags, usage.PictureFlags()...),
		Action: analyzeRestarts,
	}
}

// restartsAscentFlags are those that mean nothing beside --ascent.
func restartsAscentFlags() []cli.Flag {
	flags := []cli.Flag{
		usage.LayersFlag(),
		&cli.StringFlag{Name: "units", Value: "all", Usage: "`UNITS` of each layer, counted from 0: all, 7, 0-35, or several with commas"},
		&cli.BoolFlag{Name: "control", Usage: "also climb an untrained network of the same shape, to compare with"},
	}
	flags = append(append(flags, looking.RadiusFlags()...), looking.AscentFlags()...)
	flags = append(flags, looking.ObjectiveFlags()...)
	return append(flags, looking.ConstraintFlags()...)
}

// analyzeRestarts is `unitscope analyze restarts`.
func analyzeRestarts(ctx *cli.Context) error {
	j, err := job.Begin(ctx, schema.TaskRestarts)
	if err != nil {
		return err
	}
	a := &restartsAnalysis{Job: j, modes: visualize.DefaultModes()}
	a.modes.Seed, a.modes.Threshold = ctx.Uint64("seed"), ctx.Float64("threshold")
	a.modes.Resamples = ctx.Int("resamples")
	if err := a.modes.Check(); err != nil {
		return usage.Mistake(err)
	}
	var files []string
	switch model, ascent := ctx.String("model"), ctx.String("ascent"); {
	case (model == "") == (ascent == ""):
		return usage.Mistakef("--model and --ascent: give one of them, the units to climb or an ascent that is there already")
	case ascent != "":
		files, err = a.open(ctx)
	default:
		files, err = a.choose(ctx)
	}
	if err != nil {
		return err
	}
	if err := j.Compute(a.modes.Seed, files, func(d engine.Device, f *runfolder.Folder) error { return a.run(d, f) }); err != nil {
		return err
	}
	fmt.Fprintf(ctx.App.Writer, "%s\n%s", a.summary(), job.Beware(a.said))
	j.Wrote(schema.ModesPicture, j.ReportOn()...)
	return nil
}

// restartsAnalysis is `analyze restarts` at work.
type restartsAnalysis struct {
	*job.Job
	modes   visualize.ModesOptions
	of      string                      // what is analysed, for the summary
	family  string                      // of the model, for the pictures; "" where --ascent does not say
	stored  *visualize.AscentResult     // of --ascent, else nil
	ascents []visualize.AscentOptions   // of --model, for each layer
	network map[string]*network.Network // of --model, by the names of results
	results []*visualize.ModesResult
	ascent  *storedAscent // of --ascent, else nil
	file    string        // of --model
	said    []string      // of the layers, that the summary is to be read with
}

// open reads --ascent.
func (a *restartsAnalysis) open(ctx *cli.Context) ([]string, error) {
	if err := alone(ctx, "ascent", restartsAscentFlags()); err != nil {
		return nil, err
	}
	s, err := openAscent(ctx.String("ascent"))
	if err == nil {
		err = s.patterns()
	}
	if err != nil {
		return nil, err
	}
	a.ascent = s
	a.stored, a.of, a.family = s.result, "ascent in "+s.folder, s.family()
	return s.files, nil
}

// choose finds out what of --model to climb.
func (a *restartsAnalysis) choose(ctx *cli.Context) ([]string, error) {
	o, err := looking.AscentOptions(ctx)
	if err != nil {
		return nil, err
	}
	n, file, err := a.LoadModel("model")
	if err != nil {
		return nil, err
	}
	if err := looking.ChooseBounds(a.Job, n, &o); err != nil {
		return nil, err
	}
	o.KeepAll = true
	ascents, files, err := looking.Ascents(a.Job, n, o, func() ([]int, error) { return looking.ChosenLayers(a.Job, n) })
	if err != nil {
		return nil, err
	}
	a.ascents = ascents
	a.of, a.family, a.network = picture.FamilyName(n), picture.FamilyName(n), map[string]*network.Network{schema.Trained: n}
	if ctx.Bool("control") {
		if a.network[schema.Untrained], err = visualize.Control(n, o.Seed); err != nil {
			return nil, err
		}
	}
	a.file = file
	return append(files, file), nil
}

func (a *restartsAnalysis) run(d engine.Device, f *runfolder.Folder) error {
	ctx := a.Ctx.Context
	if a.stored != nil {
		a.said = warnAsAscent(a.Job, a.ascent)
		if late := looking.Unfinished(a.stored); late != "" {
			a.Console.Warn("restarts", "%s", late)
		}
		if err := a.analyze(ctx, d, f, schema.Trained, a.stored); err != nil {
			return err
		}
		return a.write(f)
	}
	looked := job.LookedAt{Network: a.network[schema.Trained], File: a.file}
	for _, o := range a.ascents {
		looked.Layers = append(looked.Layers, o.Layer)
	}
	a.said = a.WarnOfLayers(d, looked)
	for _, name := range []string{schema.Trained, schema.Untrained} {
		n := a.network[name]
		if n == nil {
			continue
		}
		for _, o := range a.ascents {
			r, err := looking.Ascend(ctx, a.Console, d, n, o)
			if err != nil {
				return err
			}
			a.Resolved[fmt.Sprintf("lr of %s layer %d", name, o.Layer)] = fmt.Sprint(r.Rate)
			if err := a.analyze(ctx, d, f, name, r); err != nil {
				return err
			}
		}
	}
	return a.write(f)
}

// analyze sorts the restarts of one layer into modes and writes its arrays.
func (a *restartsAnalysis) analyze(ctx context.Context, d engine.Device, f *runfolder.Folder, name string, r *visualize.AscentResult) error {
	p := a.Console.Progress(fmt.Sprintf("modes of %s layer %d", name, r.Layer), report.Noun(r.Names), int64(len(r.Units)))
	m, err := visualize.Modes(ctx, d, r, a.modes, func(done, total int) { p.Set(int64(done), "") })
	if err != nil {
		p.Stop()
		return err
	}
	p.Finish("")
	m.Network = name
	a.results = append(a.results, m)
	if err := f.Write(schema.FamilyFile(name, r.Layer), m.WriteArrays); err != nil {
		return err
	}
	similarities, err := report.Similarities(strings.TrimSpace(a.pictureName(name)+" "+a.title(r.Layer)), m, similaritiesShown)
	if err != nil || similarities == nil {
		return err
	}
	var layers []int // that the model's warnings are of
	if name == schema.Trained {
		layers = []int{r.Layer}
	}
	return picture.Write(f, schema.SimilarityPicture(name, r.Layer), similarities, layers...)
}

// title is what a layer of the model is called.
func (a *restartsAnalysis) title(layer int) string {
	if a.ascent != nil {
		return network.LayerTitle(layer, a.ascent.record.Options["layer_name"])
	}
	return a.network[schema.Trained].LayerTitle(layer)
}

// pictureName is what a picture of one network calls it.
func (a *restartsAnalysis) pictureName(network string) string {
	if network == schema.Untrained {
		return strings.TrimSpace("untrained " + a.family)
	}
	return a.family
}

// similaritiesShown is how many units have their restarts compared in a picture.
const similaritiesShown = 9

func (a *restartsAnalysis) write(f *runfolder.Folder) error {
	if err := f.Write(schema.ModesTable, func(w io.Writer) error { return visualize.WriteModesTable(w, a.results) }); err != nil {
		return err
	}
	if err := f.Write(schema.ThresholdTable, func(w io.Writer) error { return visualize.WriteThresholdTable(w, a.results) }); err != nil {
		return err
	}
	img, err := report.ModesHistogram(a.family, a.title, a.results)
	if err != nil {
		return err
	}
	return picture.Write(f, schema.ModesPicture, img)
}

// summary is a line about each layer, beside its control.
func (a *restartsAnalysis) summary() string {
	noun := report.Noun(a.results[0].Names)
	texts := []string{fmt.Sprintf("%s, %s per %s, modes at cosine %g, means over %s with intervals of 95 %%.", a.of, words.Count(a.results[0].Restarts, "restart"), noun, a.modes.Threshold, words.Plural(noun))}
	for _, r := range a.results {
		if r.Network == schema.Trained {
			texts = append(texts, layerSummary(a.title(r.Layer), r, a.control(r.Layer)))
		}
	}
	return strings.Join(texts, "\n")
}

// control is the summary of the untrained network's layer, nil if there is none.
func (a *restartsAnalysis) control(layer int) *visualize.ModesSummary {
	for _, r := range a.results {
		if r.Network == schema.Untrained && r.Layer == layer {
			return &r.Summary
		}
	}
	return nil
}

// layerSummary is a sentence or two about a layer that is called so.
func layerSummary(layer string, r *visualize.ModesResult, control *visualize.ModesSummary) string {
	s := r.Summary
	name, noun := strings.Replace(layer, "layer", "Layer", 1), report.Noun(r.Names)
	if s.Dead == s.Units {
		return name + ": every " + noun + " asked for is dead, its gradient vanishes from every start."
	}
	number := func(of func(s visualize.ModesSummary) visualize.Estimate, format string, factor float64) string {
		text := estimateText(of(s), format, factor)
		if control != nil {
			text += ", untrained " + estimateText(of(*control), format, factor)
		}
		return text
	}
	texts := []string{
		"modes per " + noun + " " + number(func(s visualize.ModesSummary) visualize.Estimate { return s.Modes }, "%.2f", 1),
		words.Plural(noun) + " with one mode " + number(func(s visualize.ModesSummary) visualize.Estimate { return s.Single }, "%.0f %%", 100),
		"share of the main mode " + number(func(s visualize.ModesSummary) visualize.Estimate { return s.MainShare }, "%.0f %%", 100),
		"effective number of modes " + number(func(s visualize.ModesSummary) visualize.Estimate { return s.Effective }, "%.2f", 1),
	}
	if r.Restarts > 1 {
		texts = append(texts,
			"spread of final activations relative to the gain "+number(func(s visualize.ModesSummary) visualize.Estimate { return s.RelativeSpread }, "%.2f %%", 100),
			"chance that another restart finds a new mode "+number(func(s visualize.ModesSummary) visualize.Estimate { return s.Unseen }, "%.0f %%", 100))
	}
	text := fmt.Sprintf("%s, %s: %s.", name, words.Count(s.Units-s.Dead, noun), strings.Join(texts, "; "))
	if r.Restarts == 1 {
		text += " One restart says nothing about agreement; ask for more with --restarts."
	}
	if s.Dead > 0 {
		text += fmt.Sprintf(" Dead and left out: %s.", words.Count(s.Dead, noun))
	}
	if s.Stuck > 0 {
		text += fmt.Sprintf(" Without a gradient at their start, and in no mode: %s.", words.Count(s.Stuck, "restart"))
	}
	return text
}

// warnAsAscent repeats what the run of an ascent was warned of about its layer, for
// analyses that have no model.
func warnAsAscent(j *job.Job, s *storedAscent) (said []string) {
	about := job.AboutLayer("", s.result.Layer)
	for _, w := range s.record.Warnings {
		if w.About == about {
			j.Console.Warn(about, "%s", w.Text)
			said = append(said, w.Text)
		}
	}
	return said
}
