package making

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/picture"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/train"
)

// Train trains a model as `unitscope train` does, and writes it and what belongs to it
// into a run folder, which the caller finishes or abandons.
func Train(ctx context.Context, c *console.Console, d engine.Device, f *runfolder.Folder, data *job.Data, o train.Options) (*network.Network, error) {
	return newTraining(c, data, o).run(ctx, d, f)
}

// training is one model in training into a run folder.
type training struct {
	console *console.Console
	data    *job.Data
	options train.Options
	resume  *train.Checkpoint // nil to start anew
	log     trainingLog
	folder  *runfolder.Folder
}

func newTraining(c *console.Console, data *job.Data, o train.Options) *training {
	return &training{console: c, data: data, options: o}
}

// findCheckpoint looks for where the run in a folder can go on. done is true
// if there is nothing left to do.
func (t *training) findCheckpoint(out string, before runfolder.Record) (done bool, err error) {
	f, done, err := job.OpenCheckpoint(t.console, out, before)
	if f == nil {
		return done, err
	}
	t.resume, err = train.ReadCheckpoint(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return false, fmt.Errorf("%s: %w", job.CheckpointPath(out), err)
	}
	t.console.Say("resuming layer %d after %s", t.resume.Layer, words.Count(t.resume.Updates, "update"))
	if err := t.log.read(job.LogPath(out), t.resume); err != nil {
		return false, err
	}
	if err := t.resume.Fits(t.data.Set, t.data.Held, t.options); err != nil {
		return false, usage.Mistake(err)
	}
	return false, nil
}

// run trains, writes the model and what belongs to it, and returns the model.
func (t *training) run(ctx context.Context, d engine.Device, f *runfolder.Folder) (*network.Network, error) {
	t.folder = f
	n, err := t.train(ctx, d)
	if err == nil {
		err = f.Write(schema.Model, n.Write)
	}
	if err == nil {
		err = keepLearning(ctx, t.console, d, f, n, t.data.Set, t.options.Persistent)
	}
	if err == nil {
		err = picture.WriteFilters(f, n)
	}
	return n, err
}

func (t *training) train(ctx context.Context, d engine.Device) (*network.Network, error) {
	if t.resume == nil {
		// After a break the first rate would count what others did.
		t.log.since = time.Now()
	}
	shown := &trainingProgress{console: t.console, kind: t.options.Kind}
	n, err := train.Train(ctx, d, t.data.Set, t.data.Held, t.options, t.hooks(shown), t.resume)
	if err != nil {
		shown.stop()
		return nil, err
	}
	shown.finish()
	return n, t.folder.Write(schema.Log, t.log.write)
}

// hooks show progress, keep the log and write checkpoints.
func (t *training) hooks(shown *trainingProgress) train.Hooks {
	return train.Hooks{
		Progress: shown.set,
		Measured: func(r train.Measurement) {
			shown.note(r)
			t.log.add(r)
		},
		Checkpoint: t.checkpoint,
	}
}

// checkpoint writes a checkpoint, after the log that belongs to it: a log that
// is ahead of the checkpoint can be cut, one that is behind has a hole.
func (t *training) checkpoint(write func(io.Writer) error) error {
	if err := t.folder.Write(schema.Log, t.log.write); err != nil {
		return err
	}
	return t.folder.WriteTemporary(schema.Checkpoint, write)
}
