package reporting

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/train"
)

// PaperCommand is `unitscope paper`, which calls other commands of a program.
func PaperCommand(program Program) *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "digits", Value: "digits:n=60000", Usage: "`DATA` of digits, as train takes it; Erhan et al. (2009) used infmnist:DIR,n=2500000"},
		&cli.StringFlag{Name: "digit-layers", Value: "500,500,500", Usage: "`N,N,N` units of each layer of the models of digits, at least 3 layers"},
		&cli.StringFlag{Name: "digit-epochs", Value: "10", Usage: "`N` passes over the digits"},
		&cli.StringFlag{Name: "patches", Value: "leaves", Usage: "`SOURCE` of natural images: leaves, patches:FILE.mat or images:DIR, without size and n"},
		&cli.IntFlag{Name: "patch-count", Value: 100000, Usage: "`N` patches of each size, at least 1"},
		&cli.StringFlag{Name: "patch-layers", Value: "400,400,400", Usage: "`N,N,N` units of each layer of the models of patches, at least 3 layers"},
		&cli.StringFlag{Name: "patch-epochs", Value: "10", Usage: "`N` passes over the patches"},
		&cli.IntFlag{Name: "units", Value: 100, Usage: "`N` first units of each layer that are analysed, at least 2"},
		&cli.BoolFlag{Name: "quick", Usage: "small data, small models and few units: the whole way in a few minutes, to see that it works"},
		&cli.BoolFlag{Name: "resume", Usage: "go on with the run in --out, with the same options and data; stages that are complete are kept"},
	}
	return &cli.Command{
		Name:  schema.TaskPaper,
		Usage: "do everything that Erhan et al. (2009) did, from data to figures",
		Description: "Trains a DBN and an SDAE on digits and on patches of natural images, shows their units by every method,\n" +
			"draws all figures, makes all analyses, and repeats the restarts on 20x20 patches (section 6.5 there).\n" +
			"Every stage is a command of this program with a run folder of its own under --out; summary.md lists them\n" +
			"with what they found.",
		Flags:  append(flags, usage.RunFlags()...),
		Action: func(ctx *cli.Context) error { return paper(ctx, program) },
	}
}

// paperPlan is what the stages of a paper are made from.
type paperPlan struct {
	digits, patches              string // data; patches still lack size and number
	patchCount                   int
	digitLayers, patchLayers     []int
	digitEpochs, patchEpochs     string
	units                        int
	out                          string
	common                       []string // flags of every stage
	ascent, sampling, resampling []string // flags that shorten a quick paper
}

// paper is `unitscope paper`.
func paper(ctx *cli.Context, program Program) error {
	j, err := job.Begin(ctx, schema.TaskPaper)
	if err != nil {
		return err
	}
	plan, err := newPaperPlan(ctx)
	if err != nil {
		return err
	}
	if err := plan.checkData(j); err != nil {
		return err
	}
	stages := plan.stages()
	for _, s := range stages {
		j.Folders = append(j.Folders, filepath.ToSlash(s.folder))
	}
	// What is complete of it, it finds stage by stage.
	j.GoOn = func(_, _ runfolder.Record) (bool, error) { return false, nil }
	err = j.Compute(ctx.Uint64("seed"), nil, func(_ engine.Device, f *runfolder.Folder) error {
		all := &stagesRun{program: program, job: j, folder: f, out: plan.out, title: "What the units have learned"}
		return all.run(stages)
	})
	if err != nil {
		return console.GoOn(ctx, err)
	}
	fmt.Fprintln(ctx.App.Writer, j.Folder.Path(schema.Summary))
	fmt.Fprintln(ctx.App.Writer, j.Folder.Path(schema.IndexPage))
	return nil
}

func newPaperPlan(ctx *cli.Context) (*paperPlan, error) {
	p := &paperPlan{
		digits: ctx.String("digits"), digitEpochs: ctx.String("digit-epochs"),
		patches: ctx.String("patches"), patchEpochs: ctx.String("patch-epochs"), patchCount: ctx.Int("patch-count"),
		units: ctx.Int("units"), out: ctx.String("out"),
	}
	digitLayers, patchLayers := ctx.String("digit-layers"), ctx.String("patch-layers")
	if ctx.Bool("quick") {
		quick := map[string]func(){
			"digits":       func() { p.digits = "digits:n=4000" },
			"digit-layers": func() { digitLayers = "100,100,100" },
			"digit-epochs": func() { p.digitEpochs = "4" },
			"patch-layers": func() { patchLayers = "100,64,64" },
			"patch-epochs": func() { p.patchEpochs = "4" },
			"patch-count":  func() { p.patchCount = 8000 },
			"units":        func() { p.units = 16 },
		}
		for name, shorten := range quick {
			if !ctx.IsSet(name) {
				shorten()
			}
		}
		p.ascent = []string{"--steps", "200"}
		p.sampling = []string{"--samples", "20", "--burn-in", "100", "--every", "20"}
		p.resampling = []string{"--resamples", "200"}
	}
	var err error
	if p.digitLayers, err = paperLayers("digit-layers", digitLayers); err != nil {
		return nil, err
	}
	if p.patchLayers, err = paperLayers("patch-layers", patchLayers); err != nil {
		return nil, err
	}
	for _, of := range []struct {
		flag, epochs string
		layers       []int
	}{{"digit-epochs", p.digitEpochs, p.digitLayers}, {"patch-epochs", p.patchEpochs, p.patchLayers}} {
		epochs, err := usage.ParseInts(of.flag, of.epochs)
		if err != nil {
			return nil, err
		}
		if err := paperModel(of.flag, of.layers, epochs); err != nil {
			return nil, err
		}
	}
	switch {
	case slices.ContainsFunc(strings.FieldsFunc(p.patches, func(r rune) bool { return r == ':' || r == ',' }), func(part string) bool {
		return strings.HasPrefix(part, "size=") || strings.HasPrefix(part, "n=")
	}):
		return nil, usage.Mistakef("--patches %q: leave size and n out; paper takes 12x12 and 20x20, --patch-count of each", p.patches)
	case p.patchCount < 1:
		return nil, usage.Mistakef("--patch-count %d: want at least 1", p.patchCount)
	case p.units < 2:
		return nil, usage.Mistakef("--units %d: want at least 2", p.units)
	}
	p.common = []string{"--seed", fmt.Sprint(ctx.Uint64("seed")), "--device", ctx.String("device"), "--log", ctx.String("log")}
	if ctx.Bool("quiet") {
		p.common = append(p.common, "--quiet")
	}
	return p, nil
}

// checkData opens all data once, so that a mistake in them is found before hours
// of work on others.
func (p *paperPlan) checkData(j *job.Job) error {
	for _, source := range []struct{ flag, data string }{
		{"digits", p.digits}, {"patches", p.patchData(12)}, {"patches", p.patchData(20)},
	} {
		data, err := j.Open(job.DataChoice{Flag: source.flag, Spec: source.data, Seed: j.Ctx.Uint64("seed")}, nil)
		if err != nil {
			return err
		}
		info := data.Set.Info()
		err = data.Close()
		if err == nil && source.flag == "digits" && !(info.Low >= 0 && info.High <= 1) {
			err = usage.Mistakef("--digits %s: its numbers lie between %g and %g, want 0 to 1", source.data, info.Low, info.High)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// paperLayers reads layer sizes; the paper's figures show three layers.
func paperLayers(flag, text string) ([]int, error) {
	sizes, err := usage.ParseInts(flag, text)
	if err != nil {
		return nil, err
	}
	if len(sizes) < 3 {
		return nil, usage.Mistakef("--%s %q: the figures show three layers, want at least 3", flag, text)
	}
	return sizes, paperModel(flag, sizes, []int{1})
}

// paperModel makes sure that layers can be trained for so many epochs. What can't be
// is what flag says.
func paperModel(flag string, layers, epochs []int) error {
	o := train.Defaults(network.DBN, engine.Bernoulli, layers...)
	o.Epochs = epochs
	err := o.Check()
	var option *words.OptionError
	if errors.As(err, &option) {
		return usage.Mistakef("%s", option.Called("--"+flag))
	}
	return err
}

// stages lists all there is to do, in the order of the paper.
func (p *paperPlan) stages() []stage {
	digits := models{paper: p, name: "digits", data: p.digits, layers: p.digitLayers, epochs: p.digitEpochs, figure: "1"}
	patches := models{paper: p, name: "patches", data: p.patchData(12), layers: p.patchLayers, epochs: p.patchEpochs, figure: "2", gaussian: true}
	large := models{paper: p, name: "large-patches", data: p.patchData(20), layers: p.patchLayers, epochs: p.patchEpochs, gaussian: true}

	var all []stage
	for _, m := range []models{digits, patches} {
		all = append(all, m.training()...)
		all = append(all, m.figures()...)
		all = append(all, m.methods()...)
		all = append(all, m.analyses()...)
	}
	all = append(all, large.training()...)
	return append(all, large.restarts()...)
}

// patchData is the data of square patches.
func (p *paperPlan) patchData(size int) string {
	separator := ":"
	if strings.Contains(p.patches, ":") {
		separator = ","
	}
	return fmt.Sprintf("%s%ssize=%d,n=%d", p.patches, separator, size, p.patchCount)
}

// models are a DBN and an SDAE on one data set, and the stages that need them.
type models struct {
	paper    *paperPlan
	name     string // their folder
	data     string
	layers   []int
	epochs   string
	figure   string // the number of the figure of their units
	gaussian bool
}

var families = []network.Kind{network.DBN, network.SDAE}

// stage makes one command, with a folder of its own beside the models.
func (m *models) stage(folder, command string, flags ...[]string) stage {
	return stage{
		folder: filepath.Join(m.name, folder),
		args:   slices.Concat(strings.Fields(command), slices.Concat(flags...), m.paper.common),
		aside:  isAside(command),
	}
}

func (m *models) training() (all []stage) {
	for _, kind := range families {
		flags := []string{"--data", m.data, "--layers", usage.JoinInts(m.layers), "--epochs", m.epochs}
		switch {
		case m.gaussian:
			flags = append(flags, "--visible", "gaussian")
		case kind == network.DBN:
			// Chains of an RBM trained by plain contrastive divergence leave the
			// digits within a hundred sweeps; figure 3 is of such chains.
			flags = append(flags, "--persistent")
		}
		s := m.stage(string(kind), schema.TaskTrain(kind), flags)
		s.resumable = true
		all = append(all, s)
	}
	return all
}

// of names the run folder of a model to a flag of a later stage.
func (m *models) of(flag string, kind network.Kind) []string {
	return []string{"--" + flag, filepath.Join(m.paper.out, m.name, string(kind))}
}

func (m *models) pair() []string {
	return slices.Concat(m.of("dbn", network.DBN), m.of("sdae", network.SDAE))
}

// units are the first units of a layer, those that are looked at.
func (m *models) units(layers ...int) []string {
	fewest := m.paper.units
	for _, n := range layers {
		fewest = min(fewest, n)
	}
	return []string{"--units", fmt.Sprintf("0-%d", fewest-1)}
}

func (m *models) figures() []stage {
	p := m.paper
	return []stage{
		m.stage("figure"+m.figure, schema.TaskFigure(m.figure), m.pair(), p.ascent),
		m.stage("figure3", schema.TaskFigure("3"), m.of("dbn", network.DBN), p.sampling),
		m.stage("figure4", schema.TaskFigure("4"), m.of("dbn", network.DBN), p.sampling, p.ascent, []string{"--top", "all"}),
		m.stage("figure-selectivity", schema.TaskFigureSelectivity, m.pair(), m.units(m.layers...), p.ascent),
	}
}

// layerStages makes stages for every layer of both models.
func (m *models) layerStages(make func(kind network.Kind, prefix string, of []string) []stage) (all []stage) {
	for _, kind := range families {
		for i, units := range m.layers {
			of := slices.Concat(m.of("model", kind), []string{"--layer", fmt.Sprint(i + 1)}, m.units(units))
			all = append(all, make(kind, fmt.Sprintf("%s-layer%d-", kind, i+1), of)...)
		}
	}
	return all
}

// methods shows the units of every layer by every method of sections 3 to 5, what they
// do over the data, and how they are connected.
func (m *models) methods() []stage {
	return m.layerStages(func(kind network.Kind, prefix string, of []string) []stage {
		all := []stage{
			m.stage(prefix+"ascent", schema.TaskAscent, of, m.paper.ascent),
			m.stage(prefix+"combine", schema.TaskCombine, of, []string{"--top", "all"}),
			m.stage(prefix+"examples", schema.TaskExamples, of, []string{"--data", m.data}),
		}
		if kind == network.DBN {
			all = append(all, m.stage(prefix+"sample", schema.TaskSample, of, m.paper.sampling))
		}
		return append(all,
			m.stage(prefix+"tuning", schema.TaskTuning, of, []string{"--data", m.data}),
			m.stage(prefix+"connections", schema.TaskConnections, of))
	})
}

// analyses asks how selective units are, and what the methods are worth. Both
// take the patterns that the ascent of methods has found.
func (m *models) analyses() []stage {
	p := m.paper
	return append(m.restarts(), m.layerStages(func(kind network.Kind, prefix string, _ []string) []stage {
		found := slices.Concat(m.of("model", kind), []string{"--ascent", filepath.Join(p.out, m.name, prefix+"ascent")})
		compare := []string{"--data", m.data, "--top", "all"}
		if kind == network.DBN {
			compare = append(compare, p.sampling...)
		}
		return []stage{
			m.stage(prefix+"selectivity", schema.TaskSelectivity, found),
			m.stage(prefix+"compare", schema.TaskCompare, found, compare, p.resampling),
		}
	})...)
}

// restarts asks how many modes units have, and an untrained network beside them.
func (m *models) restarts() (all []stage) {
	for _, kind := range families {
		all = append(all, m.stage(string(kind)+"-restarts", schema.TaskRestarts, m.of("model", kind), m.units(m.layers...), []string{"--control"}, m.paper.ascent, m.paper.resampling))
	}
	return all
}
