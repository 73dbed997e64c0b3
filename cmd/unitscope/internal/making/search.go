package making

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/train"
)

// SearchCommand is `unitscope search`.
func SearchCommand() *cli.Command {
	dbn, sdae := train.SearchDefaults(network.DBN, engine.Bernoulli), train.SearchDefaults(network.SDAE, engine.Bernoulli)
	ranged := func(name string, value train.Range, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, Value: rangeText(value), Usage: usage}
	}
	flags := []cli.Flag{
		&cli.StringFlag{Name: "kind", Required: true, Usage: "`KIND` of model: dbn or sdae"},
		&cli.StringFlag{Name: "data", Value: "digits", Usage: "`DATA` to train on, see above"},
		&cli.IntFlag{Name: "limit", Usage: "use only the first `N` examples, 0 for all"},
		&cli.IntFlag{Name: "validation", Usage: "hold the last `N` examples out of training, to judge trials by, 0 for a sixth of them"},
		&cli.IntFlag{Name: "trials", Value: dbn.Trials, Usage: "`N` draws of the hyper-parameters, at least 1"},
		&cli.StringFlag{Name: "objective", Value: "auto", Usage: "`WHAT` to make small on the examples held out: error (of classification, after fine-tuning), reconstruction (its squared error), or auto: error if there are labels"},
		ranged("layers", dbn.Layers, "`LOW:HIGH` number of layers; a single number fixes it, here and below"),
		ranged("units", dbn.Units, "`LOW:HIGH` units, the same in every layer"),
		ranged("epochs", dbn.Epochs, "`LOW:HIGH` passes over the data for each layer"),
		&cli.StringFlag{Name: "lr", Usage: fmt.Sprintf("`LOW:HIGH` learning rate of every layer, above 0; a twentieth for a layer with gaussian inputs (default: %s for dbn, %s for sdae)", rangeText(dbn.Rate), rangeText(sdae.Rate))},
		&cli.StringFlag{Name: "noise", Usage: fmt.Sprintf("`LOW:HIGH` noise of every layer of an sdae, 0 to 1 (default: %s)", rangeText(sdae.Noise))},
		ranged("finetune-lr", dbn.FineTuneRate, "`LOW:HIGH` first learning rate of fine-tuning, above 0; the last is a 25th of it"),
		&cli.IntFlag{Name: "finetune-epochs", Value: dbn.FineTune.Epochs, Usage: "`N` passes over the data at most for fine-tuning, at least 1"},
		&cli.IntFlag{Name: "patience", Value: dbn.FineTune.Patience, Usage: "`N` epochs without fewer errors on the examples held out that end fine-tuning, 0 for never"},
		&cli.StringFlag{Name: "visible", Value: "bernoulli", Usage: "`KIND` of inputs: bernoulli (0 to 1) or gaussian (real, unit variance)"},
		&cli.IntFlag{Name: "batch", Value: dbn.Train.Batch, Usage: "`N` examples per update in pre-training, at least 1"},
		&cli.Float64Flag{Name: "momentum", Value: dbn.Train.Momentum, Usage: fmt.Sprintf("`X` of pre-training, 0 or more and below 1; at most %g for the first tenth of a layer's updates", train.FirstMomentum)},
		&cli.Float64Flag{Name: "decay", Usage: fmt.Sprintf("`X`, the L2 penalty on weights in pre-training, 0 or more (default: %g for dbn, %g for sdae)", dbn.Train.Decay, sdae.Train.Decay)},
		&cli.BoolFlag{Name: "resume", Usage: "go on with the search in --out, with the same options and data: finished trials are kept, an interrupted one goes on from its checkpoint; a larger --trials adds trials"},
	}
	return &cli.Command{
		Name:  schema.TaskSearch,
		Usage: "random search over hyper-parameters",
		Description: "Draws hyper-parameters and trains a model with each draw: rates, units and epochs uniformly in their logarithm. Every\n" +
			"trial has a run folder of its own in --out (trial-001 and so on); search.csv lists them, the best first.\n\n--data is one of\n\n" + indent(dataset.Kinds()),
		Flags:  append(flags, usage.RunFlags()...),
		Action: searchModels,
	}
}

// rangeText is a range as flags take it.
func rangeText(r train.Range) string {
	if r.Low == r.High {
		return fmt.Sprint(r.Low)
	}
	return fmt.Sprintf("%g:%g", r.Low, r.High)
}

// parseRange reads LOW:HIGH, or a single number.
func parseRange(flag, text string) (r train.Range, err error) {
	low, high, ok := strings.Cut(text, ":")
	if !ok {
		high = low
	}
	var err1, err2 error
	r.Low, err1 = strconv.ParseFloat(strings.TrimSpace(low), 64)
	r.High, err2 = strconv.ParseFloat(strings.TrimSpace(high), 64)
	if err1 != nil || err2 != nil {
		return r, usage.Mistakef("--%s %q: want LOW:HIGH or a number", flag, text)
	}
	return r, nil
}

func searchOptions(ctx *cli.Context) (train.SearchOptions, error) {
	kind := network.Kind(ctx.String("kind"))
	if kind != network.DBN && kind != network.SDAE {
		return train.SearchOptions{}, usage.Mistakef("--kind %q: want %s or %s", kind, network.DBN, network.SDAE)
	}
	visible, err := parseVisible(ctx.String("visible"))
	if err != nil {
		return train.SearchOptions{}, err
	}
	o := train.SearchDefaults(kind, visible)
	o.Trials = ctx.Int("trials")
	o.Train.Batch, o.Train.Momentum, o.Train.Seed = ctx.Int("batch"), ctx.Float64("momentum"), ctx.Uint64("seed")
	o.FineTune.Epochs, o.FineTune.Patience, o.FineTune.Seed = ctx.Int("finetune-epochs"), ctx.Int("patience"), o.Train.Seed
	if ctx.IsSet("decay") {
		o.Train.Decay = ctx.Float64("decay")
	}
	if ctx.IsSet("noise") && kind != network.SDAE {
		return o, usage.Mistakef("--noise: only an sdae is trained with noise, this is a dbn")
	}
	for _, r := range []struct {
		flag string
		to   *train.Range
	}{{"layers", &o.Layers}, {"units", &o.Units}, {"epochs", &o.Epochs}, {"lr", &o.Rate}, {"noise", &o.Noise}, {"finetune-lr", &o.FineTuneRate}} {
		if text := ctx.String(r.flag); text != "" {
			if *r.to, err = parseRange(r.flag, text); err != nil {
				return o, err
			}
		}
	}
	if objective := ctx.String("objective"); objective != "auto" {
		o.Objective = train.Objective(objective)
	}
	if err := o.Check(); err != nil {
		return o, usage.Mistake(err)
	}
	return o, nil
}

// searchModels is `unitscope search`.
func searchModels(ctx *cli.Context) (err error) {
	j, err := job.Begin(ctx, schema.TaskSearch)
	if err != nil {
		return err
	}
	o, err := searchOptions(ctx)
	if err != nil {
		return err
	}
	given := j.Given()
	given.AlwaysHeld = true
	data, err := j.Open(given, nil)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, data)
	if _, ok := data.Set.Label(0); !ok {
		if ctx.String("objective") == string(train.ObjectiveError) {
			return usage.Mistakef("--objective %s: the examples of %s have no labels; use %s", o.Objective, data.Set.Info().Name, train.ObjectiveReconstruction)
		}
		o.Objective = train.ObjectiveReconstruction
	}
	if err := checkData(j.Console, o.Train, data); err != nil {
		return err
	}
	s := &search{Job: j, data: data, options: o, out: ctx.String("out")}
	s.resolve()
	j.GoOn = s.findTrials
	for number := range o.Trials {
		j.Folders = append(j.Folders, trialName(number+1))
	}
	err = j.Compute(o.Train.Seed, nil, func(d engine.Device, f *runfolder.Folder) error {
		s.Folder = f
		return s.run(ctx.Context, d)
	})
	if err != nil {
		return console.GoOn(ctx, err)
	}
	return s.sayBest()
}

// search is a search in progress.
type search struct {
	*job.Job
	data    *job.Data
	options train.SearchOptions
	out     string
	device  engine.Device
	done    []train.Trial // in the order of trials
}

// resolve puts the options that the search works out into its record.
func (s *search) resolve() {
	o := s.options
	s.Resolved["objective"] = string(o.Objective)
	s.Resolved["validation"] = strconv.Itoa(s.data.Held.Len())
	s.Resolved["lr"] = rangeText(o.Rate)
	s.Resolved["noise"] = rangeText(o.Noise)
	s.Resolved["decay"] = fmt.Sprint(o.Train.Decay)
}

func trialName(number int) string { return fmt.Sprintf("trial-%03d", number) }

func (s *search) path(t train.Trial) string { return filepath.Join(s.out, trialName(t.Number)) }

// findTrials reads the trials that an earlier search finished, and makes sure that
// those it left are the same as this one's. A complete search without more trials is
// done.
func (s *search) findTrials(before, now runfolder.Record) (done bool, err error) {
	for number := 1; number <= s.options.Trials; number++ {
		t := s.options.Trial(number)
		record, err := runfolder.ReadRecord(s.path(t))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		if err := job.SameRun(s.path(t), record, s.trialRecord(now, t)); err != nil {
			return false, err
		}
		if record.Status != runfolder.Complete {
			continue
		}
		result, err := readTrial(filepath.Join(s.path(t), schema.TrialTable), t)
		if err == nil {
			err = runfolder.Tidy(s.path(t))
		}
		if err != nil {
			return false, err
		}
		s.done = append(s.done, result)
	}
	beyond := s.path(s.options.Trial(s.options.Trials + 1))
	if _, err := os.Stat(beyond); err == nil {
		return false, usage.Mistakef("--trials %d: the search in %s has more trials, as %s; give at least as many, or they would be missing from its table", s.options.Trials, s.out, beyond)
	}
	if before.Status == runfolder.Complete && len(s.done) == s.options.Trials {
		return true, job.NothingToResume(s.Console, s.out)
	}
	return false, nil
}

// run runs the trials that are left and writes the table.
func (s *search) run(ctx context.Context, d engine.Device) error {
	s.device = d
	if len(s.done) > 0 {
		s.Console.Say("%d of %s are done", len(s.done), words.Count(s.options.Trials, "trial"))
	}
	var now *trialRun
	hooks := train.SearchHooks{
		Start: func(t train.Trial) (train.TrialStart, error) {
			for i := range s.done {
				if s.done[i].Number == t.Number {
					return train.TrialStart{Done: &s.done[i]}, nil
				}
			}
			s.Console.Say("trial %d of %d: %s", t.Number, s.options.Trials, describe(t))
			now = s.newTrialRun(t)
			return now.start()
		},
		Pretrained: func(_ train.Trial, n *network.Network) error { return now.pretrained(n) },
		Finish: func(r train.Trial, n *network.Network) error {
			if err := now.finish(r, n); err != nil {
				return err
			}
			s.done = append(s.done, r)
			s.Console.Say("trial %d of %d: %s", r.Number, s.options.Trials, s.judgement(r))
			return s.Folder.Write(schema.SearchTable, s.writeTable)
		},
	}
	if _, err := train.Search(ctx, d, s.data.Set, s.data.Held, s.options, hooks); err != nil {
		if now != nil {
			now.stop()
			if now.folder != nil {
				err = errors.Join(err, now.folder.Abandon())
			}
		}
		return err
	}
	return s.Folder.Write(schema.SearchTable, s.writeTable)
}

// describe is a trial's hyper-parameters, for people.
func describe(t train.Trial) string {
	text := fmt.Sprintf("layers %s, %s, learning rate %g", unitsText(t.Train.Units), words.Count(t.Train.Epochs[0], "epoch"), t.Train.Rates[len(t.Train.Rates)-1])
	if len(t.Train.Noise) > 0 {
		text += fmt.Sprintf(", noise %g", t.Train.Noise[0])
	}
	return text + fmt.Sprintf(", fine-tuning rate %g", t.FineTune.Rate)
}

func unitsText(units []int) string {
	var texts []string
	for _, u := range units {
		texts = append(texts, strconv.Itoa(u))
	}
	return strings.Join(texts, ",")
}

// judgement says how good a trial is, for people.
func (s *search) judgement(r train.Trial) string {
	switch {
	case r.Diverged():
		return "diverged"
	case s.options.Objective == train.ObjectiveError:
		return fmt.Sprintf("validation error %.2f %%", 100*r.Objective)
	}
	return fmt.Sprintf("reconstruction error %.4g", r.Objective)
}

// sayBest says which trial is the best and how to train it fully.
func (s *search) sayBest() error {
	best := s.sorted()[0]
	if best.Diverged() {
		return fmt.Errorf("every trial has diverged (%d of %d); try lower rates for --lr and --finetune-lr", len(s.done), len(s.done))
	}
	fmt.Fprintf(s.Ctx.App.Writer, "best of %d is trial %d, %s; to train it fully: %s\n", len(s.done), best.Number, s.judgement(best), s.fullCommand(best))
	return nil
}

// fullCommand is the command line that trains a trial's model on all examples
// but those held out. Options that are a command's own defaults are left out.
func (s *search) fullCommand(t train.Trial) string {
	data := []string{"--data", s.Ctx.String("data"), "--validation", strconv.Itoa(s.data.Held.Len())}
	best := job.UnusedName("best")
	words := slices.Concat(strings.Fields(schema.TaskTrain(t.Train.Kind)), data)
	usual := train.Defaults(t.Train.Kind, engine.Bernoulli, t.Train.Units...).Settings()
	settings := t.Train.Settings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if settings[name] != usual[name] || name == "layers" {
			words = append(words, "--"+name, settings[name])
		}
	}
	line := s.Console.CommandLine(append(words, "--out", best)...)
	if f := t.FineTune; s.options.Objective == train.ObjectiveError {
		words := slices.Concat([]string{schema.TaskFineTune, "--model", best}, data, []string{
			"--epochs", fmt.Sprint(f.Epochs), "--batch", fmt.Sprint(f.Batch), "--lr", fmt.Sprint(f.Rate), "--final-lr", fmt.Sprint(f.FinalRate),
			"--patience", fmt.Sprint(f.Patience), "--seed", fmt.Sprint(f.Seed), "--out", job.BesideFolder(best, "finetuned"),
		})
		line += " && " + s.Console.CommandLine(words...)
	}
	return line
}
