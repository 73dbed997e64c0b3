package looking

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

func sampleCommand() *cli.Command {
	return &cli.Command{
		Name:  "sample",
		Usage: "sampling from a unit (section 4 of Erhan et al., 2009): inputs that a Deep Belief Net draws while the unit is held at 1",
		Description: "Samples from every unit in several chains and writes to --out: samples.npz (samples, the mean of each unit, and\n" +
			"that of the net with no unit held), mixing.csv (how well the chains agree and how many modes the samples have,\n" +
			"a row per unit), means.png (the mean of each unit), deviations.png (by how much it differs from the mean of the net with\n" +
			"no unit held), samples.png (a row for each of the first units, its mean at the left), all as .svg too, and run.json.\n" +
			"With --data, what samples show of a unit is held against what the data say: the mean of the examples, each as much as it is\n" +
			"likely to turn the unit on, less the mean of all. For a model at the optimum of its likelihood the two are the same.\n" +
			"Chains that stay in the mode where they began have others at --temperatures change places with them: auto finds how many are\n" +
			"needed; mixing.csv then says how often they did, and what the samples are worth.\n" +
			"Only a DBN has the generative half that this needs, and one trained with --persistent has\n" +
			"by far the better one: long chains leave the data of a net that was trained with chains of one step.",
		Flags: append(append(append(usage.ModelFlags(), SampleFlags()...),
			&cli.StringFlag{Name: "data", Usage: "`DATA` to hold the samples against, as train takes it, see `unitscope help data`; any size will do (default: none)"},
			&cli.IntFlag{Name: "limit", Usage: "use only the first `N` examples of --data, 0 for all"}), usage.PictureFlags()...),
		Action: sample,
	}
}

// SampleFlags are for every command that samples from units.
func SampleFlags() []cli.Flag { return SamplingFlags(visualize.DefaultSample()) }

// SamplingFlags have the defaults of o.
func SamplingFlags(o visualize.SampleOptions) []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "samples", Value: o.Samples, Usage: "`N` samples of each unit, at least 1"},
		&cli.IntFlag{Name: "chains", Value: o.Chains, Usage: "`N` chains of each unit, which take turns to give a sample, at least 1"},
		&cli.IntFlag{Name: "burn-in", Value: o.BurnIn, Usage: "`N` sweeps of a chain before those that samples are taken from, 0 or more"},
		&cli.IntFlag{Name: "every", Value: o.Every, Usage: "`N` sweeps from one sample of a chain to the next, at least 1"},
		&cli.StringFlag{Name: "temperatures", Value: temperaturesText(o.Temperatures), Usage: "`N` temperatures of each chain, whose replicas change places: 1 for plain chains, more for those that must get from one mode to another, or auto for as many as they need; each costs as much as a plain chain"},
		&cli.Float64Flag{Name: "mode-cosine", Value: o.Cosine, Usage: "`X`, the cosine between samples at or above which they count as one mode, -1 to 1"},
	}
}

// SampleOptions translates SampleFlags; layer and units are left to fill in.
func SampleOptions(ctx *cli.Context) (visualize.SampleOptions, error) {
	temperatures, err := parseTemperatures(ctx.String("temperatures"))
	if err != nil {
		return visualize.SampleOptions{}, err
	}
	return checked(visualize.SampleOptions{
		Samples: ctx.Int("samples"), Chains: ctx.Int("chains"), BurnIn: ctx.Int("burn-in"), Every: ctx.Int("every"),
		Cosine: ctx.Float64("mode-cosine"), Seed: ctx.Uint64("seed"), Temperatures: temperatures,
	})
}

// temperaturesText is a number of temperatures as --temperatures has it.
func temperaturesText(n int) string {
	if n == visualize.AutoTemperatures {
		return "auto"
	}
	return strconv.Itoa(max(1, n))
}

// parseTemperatures reads --temperatures.
func parseTemperatures(text string) (int, error) {
	if text == "auto" {
		return visualize.AutoTemperatures, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, usage.Mistakef("--temperatures %q: want a number, 1 for plain chains, or auto", text)
	}
	return n, nil
}

// sample is `unitscope visualize sample`.
func sample(ctx *cli.Context) (err error) {
	j, err := job.Begin(ctx, schema.TaskSample)
	if err != nil {
		return err
	}
	o, err := SampleOptions(ctx)
	if err != nil {
		return err
	}
	of, units, err := LoadUnits(j)
	if err != nil {
		return err
	}
	n := of.Network
	o.Layer, o.Units = of.Layers[0], units
	if err := n.CheckGenerative(o.Layer); err != nil {
		return usage.Mistakef("--model %s: %w", ctx.String("model"), err)
	}
	if ctx.String("data") != "" {
		data, err := j.Open(j.Given(), n)
		if err != nil {
			return err
		}
		defer job.CloseInto(&err, data)
		of.Set = data.Set
	} else if ctx.IsSet("limit") {
		return usage.Mistakef("--limit is of --data, which is not given")
	}
	err = j.Compute(o.Seed, []string{of.File}, func(d engine.Device, f *runfolder.Folder) error {
		j.WarnOfLayers(d, of)
		result, err := Draw(ctx.Context, j.Console, d, n, o)
		if err != nil {
			return err
		}
		if of.Set != nil {
			if err := Hold(ctx.Context, j.Console, d, n, of.Set, result); err != nil {
				return err
			}
			j.Console.Say("%s", AgreementText(result))
		}
		return writeSamples(f, n, result)
	})
	if err != nil {
		return err
	}
	j.Wrote(schema.SamplesPicture, AscentOnUnits(j, n)...)
	return nil
}

// Draw samples from units and shows its progress.
func Draw(ctx context.Context, c *console.Console, d engine.Device, n *network.Network, o visualize.SampleOptions) (*visualize.SampleResult, error) {
	p := c.Progress(fmt.Sprintf("%s layer %d, samples of %s", n.Kind, o.Layer, words.Count(len(o.Units), "unit")), "sweep", 0)
	began := time.Now()
	result, err := visualize.Sample(ctx, d, n, o, func(done, total int) {
		p.Of(int64(total)).Set(int64(done), "")
	})
	if err != nil {
		p.Stop()
		return nil, err
	}
	p.Finish("")
	if result.Temperatures != nil {
		c.Say("%s", temperingText(result, time.Since(began)))
	}
	if text := Disagreement(n, result); text != "" {
		c.Warn("chains", "%s", text)
	}
	if untold := result.Untold(); untold > 0 {
		c.Warn("units", "the mean of the samples of %d of %s can't be told from that of samples with no unit held: they show what the net produces anyway", untold, words.Count(len(o.Units), "unit"))
	}
	return result, nil
}

// Hold holds samples against data and shows its progress.
func Hold(ctx context.Context, c *console.Console, d engine.Device, n *network.Network, set dataset.Set, r *visualize.SampleResult) error {
	p := c.Progress(fmt.Sprintf("%s layer %d, what the data say of %s", n.Kind, r.Layer, words.Count(len(r.Units), "unit")), "example", int64(set.Len()))
	data, err := visualize.MeansOfData(ctx, d, n, set, visualize.DataMeansOptions{Layer: r.Layer, Units: r.Units}, func(done, total int) { p.Set(int64(done), "") })
	if err == nil {
		err = r.Hold(data)
	}
	if err != nil {
		p.Stop()
		return err
	}
	p.Finish("")
	return nil
}

// AgreementText says how well samples agree with data, in the middle of the units.
func AgreementText(r *visualize.SampleResult) string {
	correlation, distance := r.MedianAgreement()
	if math.IsNaN(correlation) {
		return "samples and data: no unit deviates in either, there is nothing to compare"
	}
	return fmt.Sprintf("samples and data: over the components of the input, by how much a unit's mean deviates from the free one correlates by %.2f, in the median over units, and is %.2f of its length away: 1 and 0 if samples show what units stand for", correlation, distance)
}

// temperingText says how tempered chains have done, in the middle of the units.
func temperingText(r *visualize.SampleResult, took time.Duration) string {
	var acceptance, trips, worth []float64
	for _, m := range r.Mixing {
		trips = append(trips, m.RoundTrips)
		if !math.IsNaN(m.Acceptance) {
			acceptance = append(acceptance, m.Acceptance)
		}
		if !math.IsNaN(m.Effective) {
			worth = append(worth, m.Effective)
		}
	}
	text := words.Count(len(r.Temperatures), "temperature") + ": "
	if len(acceptance) == 0 {
		return text + "too few sweeps for exchanges between all of them"
	}
	text += fmt.Sprintf("in the median over units, neighbours change places by a chance of %.2f where it is the least, and %.1f replicas of a chain came from the highest to the model", median(acceptance), median(trips))
	if len(worth) > 0 {
		each := median(worth)
		text += fmt.Sprintf("; a unit's samples are worth %.0f independent ones, %.3g a second for all units", each, each*float64(len(worth))/took.Seconds())
	}
	return text
}

// median is of some numbers, which it sorts.
func median(x []float64) float64 {
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// Disagreement says that chains have not mixed, and why that may be; "" if they have.
func Disagreement(n *network.Network, r *visualize.SampleResult) string {
	slow := unmixed(r)
	if slow == 0 {
		return ""
	}
	text := fmt.Sprintf("the chains of %d of %s disagree (R-hat above %g): their means depend on the starts; ", slow, words.Count(len(r.Units), "unit"), visualize.MixedRHat)
	if n.Training["persistent"] == strconv.FormatBool(false) {
		return text + "the model was trained without --persistent, and long chains leave the data of such a net: training with it helps, more sweeps may not"
	}
	if r.Temperatures == nil {
		return text + "more sweeps or --temperatures auto may help"
	}
	return text + "more sweeps may help"
}

func unmixed(r *visualize.SampleResult) (n int) {
	for _, m := range r.Mixing {
		if m.Total.RHat > visualize.MixedRHat || m.First.RHat > visualize.MixedRHat || m.Second.RHat > visualize.MixedRHat {
			n++
		}
	}
	return n
}

func writeSamples(f *runfolder.Folder, n *network.Network, r *visualize.SampleResult) error {
	greys := report.GridOptions{Least: report.FaintInput}
	means, err := picture.Units(picture.LayerHeading(n, r.Layer)+": means of samples with one unit held at 1", r.UnitPatterns(), greys)
	if err != nil {
		return err
	}
	rows, err := sampleRows(r)
	if err != nil {
		return err
	}
	_, columns, _ := rows.Size()
	_, each, _ := r.SamplePatterns().Size()
	heading := fmt.Sprintf("%s: mean and %s with one unit held at 1, of %s", picture.LayerHeading(n, r.Layer), report.Shown(columns-1, each, "sample"), picture.ShownRows(len(r.Units), "unit"))
	samples, err := picture.Rows(heading, rows, append([]string{"mean"}, report.Numbered(columns-1)...), greys)
	if err != nil {
		return err
	}
	deviations, err := deviationPicture(n, r)
	if err != nil {
		return err
	}
	return errors.Join(
		picture.Write(f, schema.DeviationsPicture, deviations, r.Layer),
		f.Write(schema.SamplesArrays, r.WriteArrays),
		f.Write(schema.MixingTable, r.WriteTable),
		picture.Write(f, schema.MeansPicture, means, r.Layer),
		picture.Write(f, schema.SamplesPicture, samples, r.Layer),
	)
}

// deviationPicture shows by how much the mean of each unit's samples differs from the
// free one and, beside it, what the data say of that.
func deviationPicture(n *network.Network, r *visualize.SampleResult) (*report.Picture, error) {
	drawn, err := r.DeviationPatterns()
	if err != nil {
		return nil, err
	}
	heading := picture.LayerHeading(n, r.Layer) + ": means of samples less that with no unit held"
	greys, err := report.BesideOthers(drawn)
	if err != nil {
		return nil, err
	}
	title := heading
	if r.Data != nil {
		title = picture.LayerHeading(n, r.Layer) + ", by samples"
	}
	panels := []*report.Panel{report.Units(title, drawn, greys)}
	if r.Data != nil {
		given, err := r.Data.UnitPatterns()
		if err != nil {
			return nil, err
		}
		if greys, err = report.BesideOthers(given); err != nil {
			return nil, err
		}
		panels = append(panels, report.Units("by the data", given, greys))
	}
	img, err := report.Sheet(heading, panels)
	if err == nil && r.Untold() > 0 {
		img.Note("Question mark: the mean can't be told from that with no unit held.")
	}
	return img, err
}

// sampleRows are a row for each of the first units, its mean and the first samples.
func sampleRows(r *visualize.SampleResult) (visualize.Patterns, error) {
	means, err := r.UnitPatterns().First(picture.UnitsShown, 1)
	if err != nil {
		return means, err
	}
	samples, err := r.SamplePatterns().First(picture.UnitsShown, picture.ColumnsShown-1)
	if err != nil {
		return means, err
	}
	return means.Named("samples and their means").Before(samples)
}
