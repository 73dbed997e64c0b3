// Package making has the commands that make models, train, finetune and search; other
// commands make one by [Train].
package making

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/train"
)

// TrainCommand is `unitscope train`.
func TrainCommand() *cli.Command {
	return &cli.Command{
		Name:  "train",
		Usage: "train a model layer by layer (section 2 of Erhan et al., 2009)",
		Subcommands: []*cli.Command{
			trainFamily(network.DBN, "train a Deep Belief Net: Restricted Boltzmann Machines by contrastive divergence",
				&cli.IntFlag{Name: "k", Value: 1, Usage: "`N` Gibbs steps of contrastive divergence, at least 1"},
				&cli.BoolFlag{Name: "persistent", Usage: "persistent contrastive divergence: chains go on from update to update"},
				&cli.IntFlag{Name: "chains", Usage: "`N` persistent chains, 0 for 100"},
				&cli.StringFlag{Name: "sparsity", Usage: "`X`, the share of examples that a hidden unit should be on for, above 0 and below 1, 0 for no target; one value, or one per layer (default: 0, and 0.02 for gaussian inputs)"},
				&cli.Float64Flag{Name: "sparsity-cost", Usage: "`X`, how strongly units are pushed to --sparsity, above 0; 0 for 1 with gaussian inputs and 0.1 with bernoulli ones"},
				&cli.BoolFlag{Name: "centered", Usage: "train by the gradient of centered RBMs"},
				&cli.StringFlag{Name: "gradient-limit", Value: autoLimit, Usage: "`X`, the longest step of a unit's weights that one batch may cause; 0 for none, auto for none with bernoulli inputs and one by the data with gaussian ones"},
				&cli.StringFlag{Name: "upper", Value: "means", Usage: "`INPUTS` of the layers above the first: means (mean activations of the layer below) or samples (states drawn from it)"},
			),
			trainFamily(network.SDAE, "train a Stacked Denoising Auto-Encoder",
				&cli.StringFlag{Name: "corruption", Usage: "`KIND` of noise: mask (components become 0), saltpepper (the data's minimum or maximum) or gauss", DefaultText: either(engine.CorruptionMask, engine.CorruptionGaussian)},
				&cli.StringFlag{Name: "noise", Usage: "`X`, the share of components that mask and saltpepper change, 0 to 1, or the deviation of gauss; one value, or one per layer (default: 0.4; for gaussian inputs 0.8 for mask, 0.2 for saltpepper, 2.5 for gauss and 0.1 in the layers above)"},
			),
		},
	}
}

func trainFamily(kind network.Kind, about string, own ...cli.Flag) *cli.Command {
	defaults, gaussian := train.Defaults(kind, engine.Bernoulli), train.Defaults(kind, engine.Gaussian)
	flags := []cli.Flag{
		&cli.StringFlag{Name: "data", Value: "digits", Usage: "`DATA` to train on, see above"},
		&cli.StringFlag{Name: "layers", Value: "500,500,500", Usage: "`N,N,...` units of each layer from the first one up, 1 to 16777215 each"},
		&cli.StringFlag{Name: "visible", Value: "bernoulli", Usage: "`KIND` of inputs: bernoulli (0 to 1) or gaussian (real, mean 0 and variance 1)"},
		&cli.StringFlag{Name: "epochs", Value: fmt.Sprint(defaults.Epochs[0]), Usage: "`N` passes over the data, at least 1; one value, or one per layer"},
		&cli.IntFlag{Name: "batch", Usage: "`N` examples per update, at least 1", DefaultText: either(defaults.Batch, gaussian.Batch)},
		&cli.StringFlag{Name: "lr", Aliases: []string{"layer-lr"}, Usage: fmt.Sprintf("`X`, the learning rate of the first epoch, above 0; one value, or one per layer (default: %g; less for gaussian inputs with small batches, many gaussian inputs of an sdae, persistent chains and salt and pepper)", defaults.Rate(1))},
		&cli.StringFlag{Name: "final-lr", Usage: "`X`, the learning rate of the last epoch, above 0, reached by the same factor from epoch to epoch; one value, or one per layer (default: that of --lr, and a tenth of it for gaussian inputs)"},
		&cli.Float64Flag{Name: "momentum", Usage: fmt.Sprintf("`X`, 0 or more and below 1; at most %g for the first tenth of a layer's updates", train.FirstMomentum), DefaultText: either(defaults.Momentum, gaussian.Momentum)},
		&cli.Float64Flag{Name: "decay", Value: defaults.Decay, Usage: "`X`, the L2 penalty on weights, 0 or more"},
		&cli.IntFlag{Name: "limit", Usage: "use only the first `N` examples, 0 for all"},
		&cli.IntFlag{Name: "validation", Usage: "hold the last `N` examples out of training, for the monitors; 0 for none, and fewer than there are"},
		&cli.IntFlag{Name: "checkpoint-every", Usage: "`N` updates from one checkpoint to the next, 0 for the end of every epoch"},
		&cli.BoolFlag{Name: "resume", Usage: "go on with the run in --out from its last checkpoint, with the same options and data; the model is that of an uninterrupted run, bit for bit"},
	}
	flags = append(flags, own...)
	flags = append(flags, usage.OutFlag(""), usage.ForceFlag(), usage.SeedFlag(), usage.DeviceFlag())
	return &cli.Command{
		Name:  string(kind),
		Usage: about,
		Description: "Writes model.safetensors, log.csv, learning.csv (what each layer does over 1,000 examples; layers that have learned nothing are\n" +
			"warned of), filters.png and run.json to --out, and a checkpoint while it trains.\n" +
			"--visible gaussian is for data of mean 0 and variance 1 over all components, as patches are without whiten=none: other data are warned of,\n" +
			"or refused if they are far from it (a variance below 1/100 or above 100, a mean below -10 or above 10). Training that\n" +
			"reconstructs its data more than ten times worse than a layer that has learned nothing ends with an error.\n\n--data is one of these, which `unitscope help data` explains:\n\n" + indent(dataset.Kinds()),
		Flags:  append(flags, usage.SpeakFlags()...),
		Action: func(ctx *cli.Context) error { return trainModel(ctx, kind) },
	}
}

// either is the text of a default that depends on --visible.
func either[T any](bernoulli, gaussian T) string {
	return fmt.Sprintf("%v; %v for gaussian inputs", bernoulli, gaussian)
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// trainModel is `unitscope train dbn` and `train sdae`.
func trainModel(ctx *cli.Context, kind network.Kind) (err error) {
	j, err := job.Begin(ctx, schema.TaskTrain(kind))
	if err != nil {
		return err
	}
	o, err := trainOptions(ctx, kind)
	if err != nil {
		return err
	}
	data, err := j.Open(j.Given(), nil)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, data)
	o.Inputs = data.Set.Info().Size()
	if err := checkData(j.Console, o, data); err != nil {
		return err
	}
	j.Resolve(o.Settings())
	t := newTraining(j.Console, data, o)
	j.GoOn = func(before, _ runfolder.Record) (bool, error) { return t.findCheckpoint(ctx.String("out"), before) }
	var n *network.Network
	err = j.Compute(o.Seed, nil, func(d engine.Device, f *runfolder.Folder) (err error) {
		if o.Momentum > train.FirstMomentum && ctx.IsSet("momentum") {
			j.Console.Say("momentum is %g for the first tenth of each layer's updates, then %g", train.FirstMomentum, o.Momentum)
		}
		n, err = t.run(ctx.Context, d, f)
		return err
	})
	if err != nil {
		return console.GoOn(ctx, err)
	}
	wroteModel(j, n)
	return nil
}

// wroteModel names a new model's file and says what to look at next; nothing where there
// was nothing to do.
func wroteModel(j *job.Job, n *network.Network) {
	if j.Folder == nil {
		return
	}
	j.Console.Wrote(j.Folder.Path(schema.Model))
	j.Console.Next(ascendTop(j.Console, n, j.Ctx.String("out"))...)
}

// unitsHinted is how many units a hint of what to do next climbs: seconds of work.
const unitsHinted = 36

// ascendTop is the ascent of the first units of a new model's highest layer that has
// learned; nothing if none has.
func ascendTop(c *console.Console, n *network.Network, out string) []string {
	layer := len(n.Layers)
	for layer > 0 && c.WarnedOf(job.AboutLayer("", layer)) {
		layer--
	}
	if layer == 0 {
		return nil
	}
	last := min(unitsHinted, n.Sizes()[layer]) - 1
	return append(strings.Fields(schema.TaskAscent), "--model", out, "--layer", fmt.Sprint(layer), "--units", fmt.Sprintf("0-%d", last), "--out", job.BesideFolder(out, fmt.Sprintf("layer%d", layer)))
}

// checkData refuses data that can't be trained on with the options, and warns of
// those that hardly suit --visible gaussian.
func checkData(c *console.Console, o train.Options, data *job.Data) error {
	if err := o.CheckData(data.Set, data.Held); err != nil {
		return usage.Mistake(err)
	}
	warning, err := o.CheckScale(data.Set)
	if err != nil {
		return usage.Mistake(err)
	}
	if warning != "" {
		c.Warn("data", "--visible %s: %s", o.Visible, warning)
	}
	return nil
}

// trainOptions are the options of a command: those of its flags, and for flags
// that are not given the defaults for the kind of model and inputs.
func trainOptions(ctx *cli.Context, kind network.Kind) (train.Options, error) {
	visible, err := parseVisible(ctx.String("visible"))
	if err != nil {
		return train.Options{}, err
	}
	o := train.Defaults(kind, visible)
	o.Seed, o.CheckpointEvery = ctx.Uint64("seed"), ctx.Int("checkpoint-every")
	if o.Units, err = usage.ParseInts("layers", ctx.String("layers")); err != nil {
		return o, err
	}
	if o.Epochs, err = usage.ParseInts("epochs", ctx.String("epochs")); err != nil {
		return o, err
	}
	if o.Rates, err = usage.ParseFloats("lr", ctx.String("lr")); err != nil {
		return o, err
	}
	if o.FinalRates, err = usage.ParseFloats("final-lr", ctx.String("final-lr")); err != nil {
		return o, err
	}
	given(ctx, "batch", &o.Batch, ctx.Int)
	given(ctx, "momentum", &o.Momentum, ctx.Float64)
	given(ctx, "decay", &o.Decay, ctx.Float64)
	if kind == network.DBN {
		err = divergenceOptions(ctx, &o)
	} else {
		err = denoisingOptions(ctx, &o)
	}
	if err != nil {
		return o, err
	}
	if err := o.Check(); err != nil {
		return o, usage.Mistake(err)
	}
	return o, nil
}

// given sets an option to its flag's value if the flag is given.
func given[T any](ctx *cli.Context, flag string, option *T, value func(string) T) {
	if ctx.IsSet(flag) {
		*option = value(flag)
	}
}

func divergenceOptions(ctx *cli.Context, o *train.Options) (err error) {
	o.GibbsSteps, o.Persistent, o.Chains = ctx.Int("k"), ctx.Bool("persistent"), ctx.Int("chains")
	o.Centered = ctx.Bool("centered")
	if o.Sparsity, err = usage.ParseFloats("sparsity", ctx.String("sparsity")); err != nil {
		return err
	}
	o.SparsityCost = ctx.Float64("sparsity-cost")
	switch upper := ctx.String("upper"); upper {
	case "means", "samples":
		o.UpperSamples = upper == "samples"
	default:
		return usage.Mistakef("--upper %q: want means or samples", upper)
	}
	o.GradientLimit, err = parseGradientLimit(ctx.String("gradient-limit"))
	return err
}

func denoisingOptions(ctx *cli.Context, o *train.Options) (err error) {
	if ctx.IsSet("corruption") {
		if o.Corruption, err = parseCorruption(ctx.String("corruption")); err != nil {
			return err
		}
	}
	o.Noise, err = usage.ParseFloats("noise", ctx.String("noise"))
	return err
}

const autoLimit = "auto"

func parseGradientLimit(text string) (float64, error) {
	if text == autoLimit {
		return train.AutoLimit, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x >= 0) || math.IsInf(x, 0) {
		return 0, usage.Mistakef("--gradient-limit %q: want auto, or a finite number, 0 or more", text)
	}
	return x, nil
}

func parseVisible(text string) (engine.VisibleKind, error) {
	for _, k := range []engine.VisibleKind{engine.Bernoulli, engine.Gaussian} {
		if k.String() == text {
			return k, nil
		}
	}
	return 0, usage.Mistakef("--visible %q: want bernoulli or gaussian", text)
}

func parseCorruption(text string) (engine.CorruptionKind, error) {
	for k := range engine.CorruptionGaussian + 1 {
		if k.String() == text {
			return k, nil
		}
	}
	return 0, usage.Mistakef("--corruption %q: want mask, saltpepper or gauss", text)
}
