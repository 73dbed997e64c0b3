package making

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

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

// FinetuneCommand is `unitscope finetune`.
func FinetuneCommand() *cli.Command {
	o := train.FineTuneDefaults()
	flags := []cli.Flag{
		&cli.StringFlag{Name: "model", Required: true, Usage: "`FILE` of a model, or its run folder"},
		&cli.StringFlag{Name: "data", Usage: "`DATA` with labels to train on, see above " + job.RunDataUsage},
		&cli.IntFlag{Name: "limit", Usage: "use only the first `N` examples, 0 for all" + job.RunLimitUsage},
		&cli.IntFlag{Name: "validation", Usage: "hold the last `N` examples out of training; the epoch with the fewest errors on them is the result, 0 for the last epoch" + job.RunLimitUsage},
		&cli.StringFlag{Name: "test", Usage: "`DATA` that the result is tested on at the end; nothing depends on it"},
		&cli.IntFlag{Name: "epochs", Value: o.Epochs, Usage: "`N` passes over the data at most, at least 1"},
		&cli.IntFlag{Name: "patience", Value: o.Patience, Usage: "`N` epochs without fewer errors on the examples held out that end training, 0 for never"},
	}
	flags = append(flags, fineTuneRateFlags(o)...)
	flags = append(flags,
		&cli.StringFlag{Name: "noise", Usage: "`X,X,...`, the shares that are masked of the inputs, of what layer 2 takes, and so on, the classifier last; 0 or more and below 1, 0 where none is given"},
		&cli.IntFlag{Name: "checkpoint-every", Usage: "`N` updates from one checkpoint to the next, 0 for the end of every epoch"},
		&cli.BoolFlag{Name: "resume", Usage: "go on with the run in --out from its last checkpoint, with the same options and data; the model is that of an uninterrupted run, bit for bit"})
	return &cli.Command{
		Name:  schema.TaskFineTune,
		Usage: "put a classifier on a model and train the whole stack on labels",
		Description: "Back-propagates the cross-entropy of a softmax on top through all layers. Writes model.safetensors, log.csv,\n" +
			"scores.csv (errors on the examples held out and on --test), learning.csv (what each layer does, as in training) and run.json\n" +
			"to --out, and a checkpoint while it trains.\n" +
			"The result can be visualized as the model before; sampling needs the model before.\n\n--data and --test are one of\n\n" + indent(dataset.Kinds()),
		Flags:  append(flags, usage.RunFlags()...),
		Action: fineTune,
	}
}

// fineTuneRateFlags are those of the learning rule.
func fineTuneRateFlags(o train.FineTuneOptions) []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "batch", Value: o.Batch, Usage: "`N` examples per update, at least 1"},
		&cli.Float64Flag{Name: "lr", Value: o.Rate, Usage: "`X`, the learning rate of the first epoch, above 0"},
		&cli.Float64Flag{Name: "final-lr", Value: o.FinalRate, Usage: "`X`, the learning rate of the last of --epochs, above 0, reached by the same factor from epoch to epoch; 0 for that of --lr"},
		&cli.Float64Flag{Name: "momentum", Value: o.Momentum, Usage: "`X`, 0 or more and below 1"},
		&cli.Float64Flag{Name: "decay", Value: o.Decay, Usage: "`X`, the L2 penalty on weights, 0 or more"},
	}
}

func fineTuneOptions(ctx *cli.Context, layers int) (train.FineTuneOptions, error) {
	o := train.FineTuneOptions{
		Epochs: ctx.Int("epochs"), Batch: ctx.Int("batch"), Rate: ctx.Float64("lr"), FinalRate: ctx.Float64("final-lr"),
		Momentum: ctx.Float64("momentum"), Decay: ctx.Float64("decay"), Patience: ctx.Int("patience"),
		Seed: ctx.Uint64("seed"), CheckpointEvery: ctx.Int("checkpoint-every"),
	}
	var err error
	if o.Noise, err = usage.ParseFloats("noise", ctx.String("noise")); err != nil {
		return o, err
	}
	if err := o.Check(layers); err != nil {
		return o, usage.Mistake(err)
	}
	return o, nil
}

// fineTune is `unitscope finetune`.
func fineTune(ctx *cli.Context) (err error) {
	j, err := job.Begin(ctx, schema.TaskFineTune)
	if err != nil {
		return err
	}
	n, file, err := j.LoadModel("model")
	if err != nil {
		return err
	}
	if err := n.CheckStack(); err != nil {
		return usage.Mistakef("--model %s: %w, and only those can be fine-tuned; to look at others, `unitscope look`", ctx.String("model"), err)
	}
	o, err := fineTuneOptions(ctx, len(n.Layers))
	if err != nil {
		return err
	}
	data, err := j.OpenFor(n, file)
	if err != nil {
		return err
	}
	defer job.CloseInto(&err, data)
	test, err := j.OpenTest(n, data)
	if err != nil {
		return err
	}
	if test != nil {
		defer job.CloseInto(&err, test)
		if err := train.CheckTestLabels(data.Set, test); err != nil {
			return usage.Mistake(err)
		}
	}
	if n.Output != nil {
		j.Console.Say("the model has a classifier already, of %d classes; fine-tuning goes on with it", n.Output.Weight.Shape()[0])
	}
	t := &fineTuning{console: j.Console, network: n, data: data, options: o, logName: schema.Log}
	j.GoOn = func(before, _ runfolder.Record) (bool, error) { return t.findCheckpoint(ctx.String("out"), before) }
	err = j.Compute(o.Seed, []string{file}, func(d engine.Device, f *runfolder.Folder) error {
		t.folder = f
		j.WarnOfLayers(d, job.LookedAt{Network: n, File: file, Set: data.Set, Of: "before fine-tuning", Layers: job.AllLayers(n)})
		return t.run(ctx, d, test)
	})
	if err != nil {
		return console.GoOn(ctx, err)
	}
	wroteModel(j, n)
	return nil
}

// fineTuning is one model in fine-tuning into a run folder.
type fineTuning struct {
	console *console.Console
	network *network.Network
	data    *job.Data
	options train.FineTuneOptions
	resume  *train.FineTuneCheckpoint // nil to start anew
	log     fineTuneLog
	logName string // of its file
	folder  *runfolder.Folder
	bar     *console.Progress // nil before the first chunk
	monitor string
}

// findCheckpoint looks for where the run in a folder can go on. done is true
// if there is nothing left to do.
func (t *fineTuning) findCheckpoint(out string, before runfolder.Record) (done bool, err error) {
	f, done, err := job.OpenCheckpoint(t.console, out, before)
	if f == nil {
		return done, err
	}
	t.resume, err = train.ReadFineTuneCheckpoint(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return false, fmt.Errorf("%s: %w", job.CheckpointPath(out), err)
	}
	if err := t.resume.Fits(t.network, t.data.Set, t.data.Held, t.options); err != nil {
		return false, usage.Mistake(err)
	}
	t.console.Say("resuming after %s", words.Count(t.resume.Updates, "update"))
	return false, t.log.read(job.LogPath(out), t.resume)
}

// run trains, tests, and writes everything to the folder.
func (t *fineTuning) run(ctx *cli.Context, d engine.Device, test dataset.Set) error {
	n, outcome, err := t.train(ctx, d)
	if err != nil {
		return err
	}
	// Before the test, which may fail where training did not.
	if err := t.folder.Write(schema.Model, n.Write); err != nil {
		return err
	}
	if err := keepLearning(ctx.Context, t.console, d, t.folder, n, t.data.Set, false); err != nil {
		return err
	}
	var scores []namedScore
	if outcome.Held.Examples > 0 {
		scores = append(scores, namedScore{"validation", outcome.Held})
	}
	if test != nil {
		s, err := train.Classify(ctx.Context, d, n, test)
		if err != nil {
			return fmt.Errorf("--test: %w", err)
		}
		scores = append(scores, namedScore{"test", s})
	}
	if err := t.folder.Write(schema.ScoresTable, func(w io.Writer) error { return writeScores(w, scores) }); err != nil {
		return err
	}
	for _, s := range scores {
		fmt.Fprintf(ctx.App.Writer, "%s error %.2f %% (%d of %d), epoch %d\n", s.name, 100*s.ErrorRate(), s.Errors, s.Examples, outcome.Epoch)
	}
	return nil
}

func (t *fineTuning) train(ctx *cli.Context, d engine.Device) (*network.Network, train.FineTuneOutcome, error) {
	if t.resume == nil {
		// After a break the first rate would count what others did.
		t.log.since = time.Now()
	}
	n, outcome, err := train.FineTune(ctx.Context, d, t.network, t.data.Set, t.data.Held, t.options, t.hooks(), t.resume)
	if err != nil {
		t.stop()
		return nil, outcome, err
	}
	t.finish(outcome)
	return n, outcome, t.folder.Write(t.logName, t.log.write)
}

// hooks show progress, keep the log and write checkpoints.
func (t *fineTuning) hooks() train.FineTuneHooks {
	return train.FineTuneHooks{
		Progress: func(p train.Progress) {
			if t.bar == nil {
				t.bar = t.console.Progress("fine-tuning", "example", p.AllExamples)
			}
			t.bar.Set(p.Examples, console.Join(fmt.Sprintf("epoch %d of %d", p.Epoch, p.Epochs), t.monitor))
		},
		Epoch: func(r train.FineTuneEpoch) {
			t.monitor = fineTuneMonitor(r)
			t.log.add(r)
		},
		Checkpoint: t.checkpoint,
	}
}

// stop ends the display without a word, before an error speaks.
func (t *fineTuning) stop() {
	if t.bar != nil {
		t.bar.Stop()
	}
}

// finish ends the display and says how it went.
func (t *fineTuning) finish(o train.FineTuneOutcome) {
	if t.bar == nil {
		return
	}
	note := console.Join(words.Count(o.Epochs, "epoch"), t.monitor)
	if o.Held.Examples > 0 {
		note = fmt.Sprintf("validation error %.2f %% after %d of %s", 100*o.Held.ErrorRate(), o.Epoch, words.Count(o.Epochs, "epoch"))
	}
	t.bar.Finish(note)
}

func fineTuneMonitor(r train.FineTuneEpoch) string {
	text := fmt.Sprintf("loss %.3g, training error %.2f %%", r.Train.MeanLoss(), 100*r.Train.ErrorRate())
	if r.Held.Examples > 0 {
		text += fmt.Sprintf(", validation error %.2f %%", 100*r.Held.ErrorRate())
	}
	return text
}

// checkpoint writes a checkpoint after the log that belongs to it, see
// [training.checkpoint].
func (t *fineTuning) checkpoint(write func(io.Writer) error) error {
	if err := t.folder.Write(t.logName, t.log.write); err != nil {
		return err
	}
	return t.folder.WriteTemporary(schema.Checkpoint, write)
}

// fineTuneLog is log.csv: a row per epoch.
type fineTuneLog struct {
	rows     [][]string
	examples int64
	since    time.Time
}

func (l *fineTuneLog) add(r train.FineTuneEpoch) {
	rate := math.NaN()
	if !l.since.IsZero() {
		rate = float64(r.Examples-l.examples) / time.Since(l.since).Seconds()
	}
	l.examples, l.since = r.Examples, time.Now()
	row := []string{strconv.Itoa(r.Epoch)}
	for _, x := range []float64{r.Rate, r.Train.MeanLoss(), r.Train.ErrorRate(), r.Held.MeanLoss(), r.Held.ErrorRate(), rate} {
		row = append(row, cell(x))
	}
	l.rows = append(l.rows, row)
}

// cell is a number of a table; what is not known is left empty.
func cell(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 8, 64)
}

func (l *fineTuneLog) write(w io.Writer) error {
	return csv.NewWriter(w).WriteAll(append([][]string{schema.Columns(schema.FineTuneTable)}, l.rows...))
}

// read takes over the lines of an interrupted run up to its checkpoint.
func (l *fineTuneLog) read(path string, c *train.FineTuneCheckpoint) (err error) {
	l.rows, err = readLog(path, schema.Columns(schema.FineTuneTable), nil, func(row []string) (bool, error) {
		epoch, err := strconv.Atoi(row[0])
		if err != nil {
			return false, fmt.Errorf("epoch %.20q: want a whole number", row[0])
		}
		return epoch <= c.Epochs(), nil
	})
	return err
}

// namedScore is a line of scores.csv.
type namedScore struct {
	name string
	train.Score
}

func writeScores(w io.Writer, scores []namedScore) error {
	rows := [][]string{schema.Columns(schema.ScoresTable)}
	for _, s := range scores {
		rows = append(rows, []string{s.name, strconv.Itoa(s.Examples), strconv.Itoa(s.Errors), cell(s.ErrorRate()), cell(s.MeanLoss())})
	}
	return csv.NewWriter(w).WriteAll(rows)
}
