package reporting

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/looking"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// lookedUnits are as many units of a layer as --units auto takes.
const lookedUnits = 36

// LookCommand is `unitscope look`.
func LookCommand(program Program) *cli.Command {
	o := visualize.DefaultAscent()
	flags := []cli.Flag{
		&cli.StringFlag{Name: "data", Usage: "`DATA` that the model is for: their mean norm is that of the patterns, and the examples that excite a unit most are among them"},
		&cli.StringFlag{Name: "rho", Usage: "`X`, the norm of the patterns, above 0 (default: that of --data, else the model's own)"},
		usage.LayersFlag(),
		&cli.StringFlag{Name: "units", Value: "auto", Usage: fmt.Sprintf("`UNITS` of each layer, counted from 0: all, 7, 0-35, several with commas, or auto: all of up to %d, or as many spread over the layer", lookedUnits)},
		&cli.IntFlag{Name: "restarts", Value: o.Restarts, Usage: "`N` random starts for each unit, at least 1"},
		&cli.IntFlag{Name: "steps", Value: o.MaxSteps, Usage: "`N` steps of a restart at most, 0 or more"},
		&cli.StringFlag{Name: "check", Usage: "`FILE.npz` with inputs x and what the model's own framework makes of them, before activations: y of the last layer, and arrays that are called as layers; the look begins only if this program makes the same of them"},
		&cli.BoolFlag{Name: "resume", Usage: "go on with the run in --out, with the same options and data; what is complete is kept"},
	}
	flags = append(flags, looking.AfterFlag())
	flags = append(flags, looking.ConstraintFlags()...)
	flags = append(flags, usage.FileFlags()...)
	return &cli.Command{
		Name:      schema.TaskLook,
		ArgsUsage: "MODEL",
		Usage:     "look at the units of a model by every method that fits, in one HTML report",
		Description: "MODEL is a run folder of this program, an ONNX file, a PyTorch state dict, or a file of Keras; see `unitscope help model`.\n" +
			"Says what it has found in it, then calls for every layer, class units too, the commands that people would call, each with a\n" +
			"run folder of its own below --out, and puts all of it into index.html. summary.md lists the commands with what they found.",
		Flags:  append(flags, usage.RunFlags()...),
		Action: func(ctx *cli.Context) error { return look(ctx, program) },
	}
}

// look is `unitscope look`.
func look(ctx *cli.Context, program Program) error {
	j, err := job.Begin(ctx, schema.TaskLook)
	if err != nil {
		return err
	}
	if ctx.NArg() != 1 {
		return usage.Mistakef("look: it takes one model, and was given %s; see `unitscope look --help`", words.Count(ctx.NArg(), "name"))
	}
	if err := checkLook(ctx); err != nil {
		return err
	}
	path := ctx.Args().First()
	n, file, err := j.LoadFrom("MODEL", path)
	if err != nil {
		return err
	}
	l := looker{job: j, model: path, network: n}
	if err := l.choose(); err != nil {
		return err
	}
	if err := l.checkData(); err != nil {
		return err
	}
	// Lines that can not be printed are noticed at the end.
	_ = console.WriteTable(ctx.App.Writer, layerTable(n))
	inputs := []string{file}
	var saved *savedNumbers
	if path := ctx.String("check"); path != "" {
		if saved, err = readCheck(path, n); err != nil {
			return err
		}
		inputs = append(inputs, path)
	}
	stages := l.stages()
	for _, s := range stages {
		j.Folders = append(j.Folders, filepath.ToSlash(s.folder))
	}
	j.Resolved["model"] = path
	j.GoOn = func(_, _ runfolder.Record) (bool, error) { return false, nil }
	err = j.Compute(ctx.Uint64("seed"), inputs, func(d engine.Device, f *runfolder.Folder) error {
		if saved != nil {
			if err := saved.compare(j, d, n); err != nil {
				return err
			}
		}
		all := &stagesRun{program: program, job: j, folder: f, out: ctx.String("out"), title: "What the units of " + filepath.Base(filepath.Clean(path)) + " have learned"}
		return all.run(stages)
	})
	if err != nil {
		return console.GoOn(ctx, err)
	}
	fmt.Fprintln(ctx.App.Writer, j.Folder.Path(schema.IndexPage))
	return nil
}

// checkLook finds what is wrong with options that are for stages, before any of these.
func checkLook(ctx *cli.Context) error {
	o := visualize.DefaultAscent()
	o.Restarts, o.MaxSteps = ctx.Int("restarts"), ctx.Int("steps")
	if err := o.Check(); err != nil {
		return usage.Mistake(err)
	}
	rho := ctx.String("rho")
	if rho == "" {
		return nil
	}
	_, err := usage.ParsePositive("rho", rho)
	return err
}

// layerTable lists the layers of a model.
func layerTable(n *network.Network) [][]string {
	rows := [][]string{{"layer", "name", "units", "activation"}}
	m, err := job.ModelOf(n)
	if err != nil {
		return rows
	}
	for i, l := range m.Layers {
		activation := l.Activation
		switch {
		case activation != runfolder.NoActivation || i < len(m.Layers)-1:
		case n.Output != nil:
			activation += ": class units"
		default:
			activation += ": class units, or what else the model ends in"
		}
		rows = append(rows, []string{strconv.Itoa(i + 1), n.LayerLabel(i + 1), strconv.Itoa(l.Units), activation})
	}
	return rows
}

// looker is what `look` looks at.
type looker struct {
	job     *job.Job
	model   string // as it was given
	network *network.Network
	layers  []int
	units   map[int]string // of each layer, for --units
	top     []string       // --top, for data of fewer examples than are shown by default
}

// choose finds out the layers and units, and that the patterns' norm is known.
func (l *looker) choose() (err error) {
	ctx := l.job.Ctx
	if l.layers, err = looking.ChosenLayers(l.job, l.network); err != nil {
		return err
	}
	o := visualize.DefaultAscent()
	if err := looking.ParseBounds(ctx, &o); err != nil {
		return err
	}
	if o.Constraint.Kind != engine.Box && ctx.String("rho") == "" && ctx.String("data") == "" && l.network.Radius == 0 {
		return usage.Mistakef("look: the model does not say rho, the mean norm of its data; give --data, or --rho")
	}
	l.units = map[int]string{}
	for _, layer := range l.layers {
		text := ctx.String("units")
		size := l.network.Sizes()[layer]
		if text == "auto" {
			text = spreadUnits(size)
			if size > lookedUnits {
				l.job.Console.Say("%s has %d units: %d of them are looked at, spread over the layer; --units all takes all", l.network.LayerTitle(layer), size, lookedUnits)
			}
		}
		if _, err := looking.ParseUnits(text, l.network, layer); err != nil {
			return err
		}
		l.units[layer] = text
	}
	return nil
}

// checkData opens --data once: a mistake in them is found before hours of work without
// them.
func (l *looker) checkData() error {
	ctx := l.job.Ctx
	if ctx.String("data") == "" {
		return nil
	}
	data, err := l.job.Open(job.DataChoice{Flag: "data", Spec: ctx.String("data"), Seed: ctx.Uint64("seed")}, l.network)
	if err != nil {
		return err
	}
	if n := data.Set.Len(); n < visualize.DefaultExamples {
		l.top = []string{"--top", strconv.Itoa(n)}
	}
	return data.Close()
}

// spreadUnits are up to lookedUnits of so many units, evenly spaced.
func spreadUnits(size int) string {
	if size <= lookedUnits {
		return "all"
	}
	var units []string
	for _, u := range dataset.Spread(size, lookedUnits) {
		units = append(units, strconv.Itoa(u))
	}
	return strings.Join(units, ",")
}

// stages are the commands in their order.
func (l *looker) stages() (all []stage) {
	ctx := l.job.Ctx
	common := []string{"--seed", fmt.Sprint(ctx.Uint64("seed")), "--device", ctx.String("device"), "--quiet"}
	methods := layerMethods{
		model: append([]string{"--model", l.model}, usage.Given(ctx, usage.FileFlags())...), common: common, out: ctx.String("out"),
		ascent: []string{"--restarts", fmt.Sprint(ctx.Int("restarts")), "--steps", fmt.Sprint(ctx.Int("steps"))},
	}
	methods.ascent = append(methods.ascent, usage.Given(ctx, looking.ConstraintFlags())...)
	if ctx.Bool("after") {
		methods.ascent = append(methods.ascent, "--after")
	}
	data := ctx.String("data")
	if rho := ctx.String("rho"); rho != "" {
		methods.ascent = append(methods.ascent, "--rho", rho)
	} else if data != "" {
		methods.ascent = append(methods.ascent, "--data", data)
	}
	if data != "" {
		methods.tuning = []string{"--data", data}
		methods.examples = slices.Concat(methods.tuning, l.top)
	}
	for _, layer := range l.layers {
		m := methods
		_, err := l.network.Chain(layer)
		m.combines = err == nil
		if l.network.CheckGenerative(layer) == nil {
			m.sampling = []string{}
		}
		all = append(all, m.stages(fmt.Sprintf("layer%d-", layer), layer, l.units[layer])...)
	}
	return all
}

// layerMethods are the commands that look at one layer of a model by every method.
type layerMethods struct {
	model    []string // --model, and what is said of its file
	common   []string // of every command
	out      string   // the folder above their run folders
	ascent   []string // flags of the ascent
	combines bool     // filters can be combined
	examples []string // flags; nil without --data
	tuning   []string // flags, the data's
	sampling []string // flags; nil for a model that can't be sampled from
	analysis []string // flags of analyze restarts
}

// stages are the commands in their order: analyses need the ascent.
func (m layerMethods) stages(prefix string, layer int, units string) (all []stage) {
	of := slices.Concat(m.model, []string{"--layer", fmt.Sprint(layer), "--units", units})
	found := []string{"--ascent", filepath.Join(m.out, prefix+"ascent")}
	add := func(name, command string, flags ...[]string) {
		all = append(all, stage{folder: prefix + name, args: slices.Concat(strings.Fields(command), slices.Concat(flags...), m.common), aside: isAside(command)})
	}
	add("ascent", schema.TaskAscent, of, m.ascent)
	if m.combines {
		add("combine", schema.TaskCombine, of, []string{"--top", "all"})
	}
	add("connections", schema.TaskConnections, of)
	if m.examples != nil {
		add("examples", schema.TaskExamples, of, m.examples)
		add("tuning", schema.TaskTuning, of, m.tuning)
	}
	if m.sampling != nil {
		add("sample", schema.TaskSample, of, m.sampling)
	}
	add("selectivity", schema.TaskSelectivity, m.model, found)
	add("restarts", schema.TaskRestarts, found, m.analysis)
	return all
}
