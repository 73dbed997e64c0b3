package making

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/train"
)

// trialRun is one trial in its run folder.
type trialRun struct {
	search *search
	trial  train.Trial
	folder *runfolder.Folder
	before *training
	after  *fineTuning
	shown  *trainingProgress
}

func (s *search) newTrialRun(t train.Trial) *trialRun {
	return &trialRun{
		search: s, trial: t,
		before: newTraining(s.Console, s.data, t.Train),
		after:  &fineTuning{console: s.Console, data: s.data, options: t.FineTune, logName: schema.FineTuneTable},
		shown:  &trainingProgress{console: s.Console, kind: t.Train.Kind},
	}
}

// trialOptionNames are the options of a trial that tell it from others.
func trialOptionNames() []string {
	return []string{"kind", "data", "limit", "validation", "objective", "seed", "visible", "batch", "momentum", "decay", "finetune-epochs", "patience",
		"layers", "epochs", "lr", "noise", "finetune-lr"}
}

// trialOptions are the options in a trial's record: those of the search, with
// what the trial has drawn.
func (s *search) trialOptions(t train.Trial) map[string]string {
	all := map[string]string{}
	for _, name := range trialOptionNames() {
		all[name] = s.Resolved[name]
	}
	drawn := t.Train.Settings()
	for _, name := range []string{"layers", "epochs", "lr", "noise"} {
		all[name] = drawn[name]
	}
	all["finetune-lr"] = fmt.Sprint(t.FineTune.Rate)
	return all
}

// trialRecord is the record of a trial of the search that has this one.
func (s *search) trialRecord(of runfolder.Record, t train.Trial) runfolder.Record {
	return job.PartOf(of, schema.TaskTrial, s.trialOptions(t), t.Train.Seed)
}

// start opens the trial's folder and finds out where it goes on.
func (r *trialRun) start() (train.TrialStart, error) {
	s := r.search
	path := s.path(r.trial)
	var err error
	if r.folder, err = runfolder.Create(path, s.Start, s.trialRecord(s.Record, r.trial)); err != nil {
		return train.TrialStart{}, err
	}
	r.before.folder, r.after.folder = r.folder, r.folder
	start := train.TrialStart{Hooks: r.before.hooks(r.shown), FineTuneHooks: r.after.hooks()}
	if s.Start == runfolder.Resume {
		if err := r.resume(path, &start); err != nil {
			return start, err
		}
	}
	if start.Resume == nil && start.ResumeFineTune == nil {
		r.before.log.since, r.after.log.since = time.Now(), time.Now()
	}
	return start, nil
}

// resume finds what an interrupted trial has left.
func (r *trialRun) resume(path string, start *train.TrialStart) error {
	n, err := network.Load(filepath.Join(path, schema.PretrainedModel))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	start.Pretrained = n
	f, err := safetensors.Open(job.CheckpointPath(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if f != nil {
		err = r.readCheckpoint(f, start)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", job.CheckpointPath(path), err)
		}
	}
	if n != nil {
		// Written again, to be among this run's outputs.
		return r.relist(path, n)
	}
	if start.Resume != nil {
		return r.before.log.read(job.LogPath(path), start.Resume)
	}
	return nil
}

func (r *trialRun) readCheckpoint(f *safetensors.File, start *train.TrialStart) (err error) {
	if start.Pretrained == nil {
		start.Resume, err = train.ReadCheckpoint(f)
		return err
	}
	start.ResumeFineTune, err = train.ReadFineTuneCheckpoint(f)
	if errors.Is(err, train.ErrNotFineTune) {
		// The last one of pre-training: fine-tuning has not written any yet.
		return nil
	}
	if err == nil {
		err = r.after.log.read(filepath.Join(r.search.path(r.trial), schema.FineTuneTable), start.ResumeFineTune)
	}
	return err
}

// relist writes what a finished pre-training left.
func (r *trialRun) relist(path string, n *network.Network) (err error) {
	r.before.log.rows, err = readLog(job.LogPath(path), schema.Columns(schema.Log), laterColumns(), func([]string) (bool, error) { return true, nil })
	if err != nil {
		return err
	}
	return r.writePretrained(n)
}

func (r *trialRun) writePretrained(n *network.Network) error {
	return errors.Join(
		r.folder.Write(schema.Log, r.before.log.write),
		r.folder.Write(schema.PretrainedModel, n.Write))
}

// pretrained keeps the model before fine-tuning.
func (r *trialRun) pretrained(n *network.Network) error {
	r.shown.finish()
	r.after.log.since = time.Now()
	return r.writePretrained(n)
}

// stop ends the display without a word, before an error speaks.
func (r *trialRun) stop() {
	r.shown.stop()
	r.after.stop()
}

// finish writes a trial's model, which is nil if it diverged, and its result.
func (r *trialRun) finish(result train.Trial, n *network.Network) error {
	if n == nil {
		r.stop()
	} else {
		r.after.finish(result.Outcome)
		if err := r.folder.Write(schema.Model, n.Write); err != nil {
			return err
		}
		if err := r.keepLearning(n); err != nil {
			return err
		}
	}
	if len(r.after.log.rows) > 0 {
		if err := r.folder.Write(schema.FineTuneTable, r.after.log.write); err != nil {
			return err
		}
	}
	err := r.folder.Write(schema.TrialTable, func(w io.Writer) error {
		return csv.NewWriter(w).WriteAll([][]string{schema.Columns(schema.TrialTable), trialRow(result)})
	})
	if err != nil {
		return err
	}
	return r.folder.Finish()
}

// trialRow is a row of search.csv, and of the trial.csv with one row that each trial's
// folder has.
func trialRow(r train.Trial) []string {
	o := r.Train
	noise := ""
	if len(o.Noise) > 0 {
		noise = exact(o.Noise[0])
	}
	return []string{
		strconv.Itoa(r.Number), exact(r.Objective), strconv.Itoa(len(o.Units)), strconv.Itoa(o.Units[0]), strconv.Itoa(o.Epochs[0]), exact(o.Rates[len(o.Rates)-1]), noise, exact(r.FineTune.Rate),
		strconv.Itoa(r.Outcome.Held.Examples), strconv.Itoa(r.Outcome.Held.Errors), exact(r.Outcome.Held.Loss), strconv.Itoa(r.Outcome.Epoch), strconv.Itoa(r.Outcome.Epochs),
	}
}

// exact is a number that reads back as it was; NaN is left empty.
func exact(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// readTrial reads the result of a finished trial.
func readTrial(path string, t train.Trial) (train.Trial, error) {
	rows, err := readLog(path, schema.Columns(schema.TrialTable), nil, func(row []string) (bool, error) { return true, parseTrial(row, &t) })
	if err == nil && len(rows) != 1 {
		err = fmt.Errorf("%s: %s, want 1: %w", path, words.Count(len(rows), "row"), os.ErrInvalid)
	}
	return t, err
}

func parseTrial(row []string, r *train.Trial) error {
	at := map[string]string{}
	for i, name := range schema.Columns(schema.TrialTable) {
		at[name] = row[i]
	}
	var failed error
	float := func(name string, empty float64) float64 {
		if at[name] == "" {
			return empty
		}
		x, err := strconv.ParseFloat(at[name], 64)
		if err != nil || !(x >= 0 && x <= math.MaxFloat64) {
			failed = fmt.Errorf("%s is %.40q, want a finite number, 0 or more", name, at[name])
		}
		return x
	}
	whole := func(name string) int {
		n, err := strconv.ParseInt(at[name], 10, 32)
		if err != nil || n < 0 {
			failed = fmt.Errorf("%s is %.40q, want a whole number, 0 or more", name, at[name])
		}
		return int(n)
	}
	if number := whole(schema.TrialNumber); number != r.Number {
		failed = fmt.Errorf("it is of trial %d, want %d", number, r.Number)
	}
	r.Objective = float(schema.Objective, math.NaN())
	r.Outcome.Held = train.Score{Examples: whole(schema.ValidationExamples), Errors: whole(schema.ValidationErrors), Loss: float(schema.ValidationLoss, 0)}
	r.Outcome.Epoch, r.Outcome.Epochs = whole(schema.FineTuneEpoch), whole(schema.FineTuneEpochs)
	return failed
}

// sorted are the results so far, the best first; those that diverged are last.
func (s *search) sorted() []train.Trial {
	return slices.SortedStableFunc(slices.Values(s.done), func(a, b train.Trial) int {
		if a.Diverged() != b.Diverged() {
			if a.Diverged() {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.Objective, b.Objective), cmp.Compare(a.Number, b.Number))
	})
}

// writeTable writes search.csv.
func (s *search) writeTable(w io.Writer) error {
	rows := [][]string{schema.Columns(schema.SearchTable)}
	for _, r := range s.sorted() {
		rows = append(rows, trialRow(r))
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// keepLearning is that of a trial's model; the search says which trial it was.
func (r *trialRun) keepLearning(n *network.Network) error {
	c := console.Plain(io.Discard)
	c.KeepWarnings(r.folder)
	if err := keepLearning(r.search.Ctx.Context, c, r.search.device, r.folder, n, r.search.data.Set, false); err != nil {
		return err
	}
	for _, w := range c.Warnings() {
		r.search.Console.Warn(fmt.Sprintf("trial %d", r.trial.Number), "trial %d: %s", r.trial.Number, w.Text)
	}
	return nil
}
