package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
)

// job is what every command goes through that computes results into a run
// folder: it speaks on a console, looks at --out before anything else, computes
// on --device and leaves either a complete folder or none.
type job struct {
	ctx     *cli.Context
	console *console
	task    string // the command's name, for run.json: "visualize ascent"
	mode    runfolder.Mode
	// resolved are the options for run.json. What a command works out by itself,
	// such as a step size, it sets here before its work ends.
	resolved map[string]string
	inputs   []string // files that were read, for the record; compute is given more
	folders  []string // run folders below --out that belong to the run, with slashes
	// goOn finds what the run before has left, see [resumeRun]. Commands that take
	// --resume set it.
	goOn func(before, now runfolder.Record) (done bool, err error)
	// record is that of the run, and folder its folder; compute sets them. Folder is nil
	// if there was nothing to do.
	record runfolder.Record
	folder *runfolder.Folder
}

// begin starts a job: mistakes in --log, --force, --resume and --out are found
// before inputs are read.
func begin(ctx *cli.Context, task string) (*job, error) {
	c, err := newConsole(ctx)
	if err != nil {
		return nil, err
	}
	mode, err := folderMode(ctx)
	if err != nil {
		return nil, err
	}
	if err := runfolder.Check(ctx.String("out"), mode, task); err != nil {
		return nil, err
	}
	return &job{ctx: ctx, console: c, task: task, mode: mode, resolved: options(ctx)}, nil
}

// describe records what a report needs to know of the model, which may not be among
// the files it is made of.
func (j *job) describe(n *network.Network) {
	j.resolved["kind"], j.resolved["input_shape"] = string(n.Kind), network.FormatShape(n.InputShape)
}

// compute opens the device and the folder, does the work, and marks the folder
// complete. The record takes the SHA-256 of inputs and of the job's own. A folder
// that this job made goes again if the work fails before it has written anything.
func (j *job) compute(seed uint64, inputs []string, work func(engine.Device, *runfolder.Folder) error) (err error) {
	device, err := openDevice(j.ctx, j.console)
	if err != nil {
		return err
	}
	defer closeInto(&err, device)
	if j.record, err = newRecord(j.ctx, j.task, j.resolved, seed, device.Info(), j.read(inputs)); err != nil {
		return err
	}
	j.record.Data, j.record.Folders = j.console.data, j.folders
	out := j.ctx.String("out")
	if j.mode == runfolder.Resume {
		done, err := resumeRun(j.console, out, j.record, func(before runfolder.Record) (bool, error) { return j.goOn(before, j.record) })
		if done || err != nil {
			return err
		}
	}
	// The folder comes before the work, so that one that can't be written to is
	// found out at once.
	if j.folder, err = runfolder.Create(out, j.mode, j.record); err != nil {
		return err
	}
	j.console.keepWarnings(j.folder)
	if err := work(device, j.folder); err != nil {
		return errors.Join(err, j.folder.Abandon())
	}
	return j.folder.Finish()
}

// newRecord is the record of a run of the command task that starts now.
func newRecord(ctx *cli.Context, task string, resolved map[string]string, seed uint64, d engine.Info, inputs []string) (runfolder.Record, error) {
	r, err := runfolder.NewRecord(task, args(ctx), resolved, seed, d, inputs)
	r.Planned = planned(task)
	return r, err
}

// partOf is the record of a run that a larger one makes in a folder below its own.
func partOf(whole runfolder.Record, task string, resolved map[string]string, seed uint64) runfolder.Record {
	r := whole
	r.Task, r.Options, r.Seed = task, resolved, seed
	r.Planned, r.Folders, r.Warnings = planned(task), nil, nil
	r.Start()
	return r
}

// read are files that a job has read, each once.
func (j *job) read(inputs []string) (files []string) {
	seen := map[string]bool{}
	for _, file := range append(inputs, j.inputs...) {
		if !seen[file] {
			files, seen[file] = append(files, file), true
		}
	}
	return files
}

// sayOtherDevice warns where a run goes on with other arithmetic than it began
// with: its results are then not those of an uninterrupted run to the bit.
func sayOtherDevice(c *console, out string, before, now runfolder.Device) {
	if before.Name == now.Name && slices.Equal(before.Features, now.Features) {
		return
	}
	c.warn("device", "the run in %s began on %s and goes on with %s: its results may differ in their last bits from an uninterrupted run's", out, arithmetic(before), arithmetic(now))
}

func arithmetic(d runfolder.Device) string {
	return d.Name + " (" + strings.Join(d.Features, ", ") + ")"
}
