package looking

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
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

func ascentCommand() *cli.Command {
	flags := append(usage.ModelFlags(),
		&cli.StringFlag{Name: "keep", Value: "all", Usage: "`WHICH` patterns go into ascent.npz: all, or only the best of each unit"},
		&cli.StringFlag{Name: "curves", Value: "auto", Usage: fmt.Sprintf("`WHETHER` to record the activation of every restart against its steps: yes, no, or auto: up to %s of all units together", words.Count(curvesRows, "restart"))})
	flags = append(flags, AscentFlags()...)
	flags = append(flags, ObjectiveFlags()...)
	flags = append(flags, ConstraintFlags()...)
	flags = append(flags, RadiusFlags()...)
	return &cli.Command{
		Name:  "ascent",
		Usage: "activation maximization (section 3 of Erhan et al., 2009): the inputs of norm rho that excite a unit most",
		Description: "Climbs the activation of every unit, or what else it is told to, from several random starts and writes to --out:\n" +
			"ascent.npz (patterns and numbers of every restart), restarts.csv (the numbers, a row per restart),\n" +
			"units.png (the best pattern of each unit), restarts.png (restarts of the first units, a row each), curves.npz and curves.png\n" +
			"(activations against steps: of each unit, or of more than 16 a summary), run.json, and each picture as .svg too.",
		Flags:  append(flags, usage.PictureFlags()...),
		Action: ascent,
	}
}

// DirectedAscentFlags are for every command that climbs, up or down.
func DirectedAscentFlags() []cli.Flag {
	direction := &cli.IntFlag{Name: "direction", Value: visualize.DefaultAscent().Direction, Usage: "`N`: 1 to maximise the activation, -1 to minimise it"}
	return append(AscentFlags(), direction)
}

// AscentFlags are for every command that maximises activations.
func AscentFlags() []cli.Flag {
	o := visualize.DefaultAscent()
	return []cli.Flag{
		&cli.IntFlag{Name: "restarts", Value: o.Restarts, Usage: "`N` random starts for each unit, at least 1"},
		&cli.IntFlag{Name: "steps", Value: o.MaxSteps, Usage: "`N` steps of a restart at most, those taken back among them, 0 or more; with 0 its pattern is its start"},
		&cli.StringFlag{Name: "lr", Value: fmt.Sprint(o.Rate), Usage: "`X`, the first exploring step relative to the radius, above 0"},
		&cli.Float64Flag{Name: "tol", Value: o.Tolerance, Usage: "`X`, what may be left to gain, to first order and relative to the activation, where a restart has converged, 0 or more"},
		&cli.IntFlag{Name: "patience", Value: o.Patience, Usage: "`N` steps in a row that gain next to nothing of what the gradient promises, after which a restart stops, at least 1"},
	}
}

// DirectedAscentOptions translates DirectedAscentFlags; layer, units and radius are left to fill in.
func DirectedAscentOptions(ctx *cli.Context) (visualize.AscentOptions, error) {
	o, err := AscentOptions(ctx)
	if err != nil {
		return o, err
	}
	o.Direction = ctx.Int("direction")
	return checked(o)
}

// AscentOptions translates AscentFlags.
func AscentOptions(ctx *cli.Context) (visualize.AscentOptions, error) {
	o := visualize.DefaultAscent()
	o.Restarts, o.MaxSteps, o.Patience = ctx.Int("restarts"), ctx.Int("steps"), ctx.Int("patience")
	o.Tolerance, o.Seed = ctx.Float64("tol"), ctx.Uint64("seed")
	var err error
	if o.Rate, err = usage.ParsePositive("lr", ctx.String("lr")); err != nil {
		return o, err
	}
	return checked(o)
}

// ascent is `unitscope visualize ascent`.
func ascent(ctx *cli.Context) error {
	j, err := job.Begin(ctx, schema.TaskAscent)
	if err != nil {
		return err
	}
	o, err := AscentOptions(ctx)
	if err != nil {
		return err
	}
	n, file, err := j.LoadModel("model")
	if err != nil {
		return err
	}
	j.Describe(n)
	if err := ChooseBounds(j, n, &o); err != nil {
		return err
	}
	all, files, err := Ascents(j, n, o, func() ([]int, error) {
		layer, err := ChosenLayer(j, n)
		return []int{layer}, err
	})
	if err != nil {
		return err
	}
	o = all[0]
	if o.KeepAll, err = parseKeep(ctx.String("keep")); err != nil {
		return err
	}
	if o.Curves, err = parseCurves(ctx.String("curves"), climbing(o)*o.Restarts); err != nil {
		return err
	}
	err = j.Compute(o.Seed, append(files, file), func(d engine.Device, f *runfolder.Folder) error {
		j.WarnOfLayers(d, job.LookedAt{Network: n, File: file, Layers: []int{o.Layer}})
		result, err := Ascend(ctx.Context, j.Console, d, n, o)
		if err != nil {
			return err
		}
		j.Resolved["lr"] = fmt.Sprint(result.Rate)
		return writeAscent(f, n, result)
	})
	if err != nil {
		return err
	}
	j.Wrote(schema.UnitsPicture, afterAscent(j, o)...)
	return nil
}

func parseKeep(text string) (all bool, err error) {
	switch text {
	case "all":
		return true, nil
	case "best":
		return false, nil
	}
	return false, usage.Mistakef("--keep %q: want all or best", text)
}

// curvesRows is how many restarts have their curves recorded without being asked
// for.
const curvesRows = 100000

// parseCurves reads --curves for so many restarts in all.
func parseCurves(text string, rows int) (record bool, err error) {
	switch text {
	case "auto":
		return rows <= curvesRows, nil
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return false, usage.Mistakef("--curves %q: want auto, yes or no", text)
}

// climbing is how many units, or goals, climb.
func climbing(o visualize.AscentOptions) int { return len(o.Units) + len(o.Objectives) }

// noun is what they are.
func noun(o visualize.AscentOptions) string {
	if o.Objectives != nil {
		return report.Noun([]string{})
	}
	return report.Noun(nil)
}

// Ascend runs an ascent and shows its progress.
func Ascend(ctx context.Context, c *console.Console, d engine.Device, n *network.Network, o visualize.AscentOptions) (*visualize.AscentResult, error) {
	p := c.Progress(fmt.Sprintf("%s layer %d, %s", n.Kind, o.Layer, words.Count(climbing(o), noun(o))), "restart", int64(climbing(o)*o.Restarts))
	result, err := visualize.Ascend(ctx, d, n, o, func(done, total int) { p.Set(int64(done), "") })
	if err != nil {
		p.Stop()
		return nil, err
	}
	p.Finish(result.Ended())
	if late := Unfinished(result); late != "" {
		c.Warn("restarts", "%s", late)
	}
	if dead := deadUnits(result); dead > 0 {
		why := ""
		if o.After {
			why = "; they begin where their nonlinearity is flat, and without --after they climb from there"
		}
		c.Warn("units", "dead %s, whose gradient vanishes from every start and which are drawn as a cross: %d of %d%s", words.Plural(noun(o)), dead, len(result.Units), why)
	}
	if light := result.Outweighed(); o.Start == nil && 2*light > len(result.Units) {
		c.Warn("penalties", "penalties outweigh the activation of %d of %s, whose patterns only have less to penalise than their starts; try a smaller --l2 or --total-variation", light, words.Count(len(result.Units), noun(o)))
	}
	off, err := result.OffWarning(n)
	if off != "" && o.MaxSteps > 0 { // starts are not what was found
		c.Warn("units", "%s", off)
	}
	return result, err
}

// Unfinished warns of restarts that were on their way when they had had their steps, or
// that ended on flat ground: they may be of one optimum, and count as several modes. It is
// "" where there are few.
func Unfinished(r *visualize.AscentResult) string {
	var why []string
	if n := r.Count(engine.StopSteps); n > len(r.Stop)/20 {
		why = append(why, fmt.Sprintf("%d had had their --steps before they converged", n))
	}
	if n := r.Count(engine.StopFlat); n > len(r.Stop)/20 {
		why = append(why, fmt.Sprintf("%d ended where there is next to nothing to gain, and not at an optimum", n))
	}
	if why == nil {
		return ""
	}
	return fmt.Sprintf("of %s of layer %d, %s: such patterns may not be of what excites a unit most, and one optimum may count as several modes; gain_left says how far they are", words.Count(len(r.Stop), "restart"), r.Layer, strings.Join(why, ", and "))
}

func deadUnits(r *visualize.AscentResult) (n int) {
	for _, dead := range r.Dead {
		if dead {
			n++
		}
	}
	return n
}

func writeAscent(f *runfolder.Folder, n *network.Network, r *visualize.AscentResult) error {
	units, err := picture.Units(fmt.Sprintf("%s: %s", picture.LayerHeading(n, r.Layer), ascentName(r)), r.UnitPatterns(), report.GridOptions{})
	if err != nil {
		return err
	}
	err = errors.Join(
		f.Write(schema.AscentArrays, r.WriteArrays),
		f.Write(schema.RestartsTable, r.WriteTable),
		picture.Write(f, schema.UnitsPicture, units, r.Layer),
	)
	if err == nil && r.Patterns != nil {
		err = writeRestarts(f, n, r)
	}
	if err == nil && r.Curves != nil {
		err = writeCurves(f, n, r)
	}
	return err
}

// writeCurves writes how activations grew, and draws it.
func writeCurves(f *runfolder.Folder, n *network.Network, r *visualize.AscentResult) error {
	if err := f.Write(schema.CurvesArrays, r.Curves.WriteArrays); err != nil {
		return err
	}
	figure, err := report.AscentCurves(picture.LayerHeading(n, r.Layer), r)
	if err != nil || figure == nil {
		return err
	}
	return picture.Write(f, schema.CurvesPicture, figure)
}

// ascentName says what the patterns of an ascent are.
func ascentName(r *visualize.AscentResult) string {
	name := "patterns of maximal activation"
	if r.Direction < 0 {
		name = "patterns of minimal activation"
	}
	if r.Constraint.Kind != engine.Sphere {
		name += " in a " + r.Constraint.Kind.String()
	}
	switch {
	case r.Names != nil:
		return strings.Replace(name, "activation", "value of "+words.Count(len(r.Names), report.Noun(r.Names)), 1)
	case r.After:
		return name + " after the nonlinearity"
	}
	return name
}

// writeRestarts draws the first units, a row of restarts for each.
func writeRestarts(f *runfolder.Folder, n *network.Network, r *visualize.AscentResult) error {
	heading := fmt.Sprintf("%s: %s of %s", picture.LayerHeading(n, r.Layer), picture.ShownColumns(r.Restarts, "restart"), picture.ShownRows(len(r.Units), report.Noun(r.Names)))
	img, err := picture.Rows(heading, r.RestartPatterns(), report.Numbered(r.Restarts), report.GridOptions{})
	if err != nil {
		return err
	}
	return picture.Write(f, schema.RestartsPicture, img, r.Layer)
}
