// Package job is what every command goes through that computes something: [Begin] looks
// at its flags and its run folder, [Job.LoadModel] and [Job.Open] read what it is given
// and warn of it, [Job.Compute] opens the device, goes on with an interrupted run, and
// leaves either a complete run folder or none, and [Job.Wrote] says what to do next.
package job

import (
	"errors"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// Job is what every command goes through that computes results into a run
// folder: it speaks on a console, looks at --out before anything else, computes
// on --device and leaves either a complete folder or none.
type Job struct {
	Ctx     *cli.Context // the command, as it was called
	Console *console.Console
	Start   runfolder.Start // by --force and --resume
	task    string          // the command's name, for run.json: "visualize ascent"
	// Resolved are the options for run.json. What a command works out by itself,
	// such as a step size, it sets here before its work ends.
	Resolved map[string]string
	inputs   []string         // files that were read, for the record; Compute is given more
	data     []runfolder.Data // that were read, for the record
	model    *runfolder.Model // of another framework, for the record
	Several  bool             // models are loaded by the same flags
	taken    map[string]bool  // which of these flags any of the models has a use for
	Folders  []string         // run folders below --out that belong to the run, with slashes
	// GoOn finds what the run before has left, and done is true if nothing is left to do.
	// Commands that take --resume set it.
	GoOn func(before, now runfolder.Record) (done bool, err error)
	// Record is that of the run, and Folder its folder; Compute sets them. Folder is nil
	// if there was nothing to do.
	Record runfolder.Record
	Folder *runfolder.Folder
}

// Begin starts a job: mistakes in --log, --force, --resume and --out are found
// before inputs are read.
func Begin(ctx *cli.Context, task string) (*Job, error) {
	c, err := console.New(ctx)
	if err != nil {
		return nil, err
	}
	start, err := usage.FolderStart(ctx)
	if err != nil {
		return nil, err
	}
	if err := runfolder.Check(ctx.String("out"), start, task); err != nil {
		return nil, err
	}
	return &Job{Ctx: ctx, Console: c, task: task, Start: start, Resolved: usage.Options(ctx)}, nil
}

// Describe records what a report needs to know of the model, which may not be among
// the files it is made of.
func (j *Job) Describe(n *network.Network) {
	j.Resolved["kind"], j.Resolved["input_shape"] = string(n.Kind), network.FormatShape(n.InputShape)
}

// Resolve sets those of the options that the command has.
func (j *Job) Resolve(options map[string]string) {
	for name, value := range options {
		if _, flag := j.Resolved[name]; flag {
			j.Resolved[name] = value
		}
	}
}

// Compute opens the device and the folder, does the work, and marks the folder
// complete. The record takes the SHA-256 of inputs and of the job's own. A folder
// that this job made goes again if the work fails before it has written anything.
func (j *Job) Compute(seed uint64, inputs []string, work func(engine.Device, *runfolder.Folder) error) (err error) {
	device, err := OpenDevice(j.Ctx, j.Console)
	if err != nil {
		return err
	}
	defer CloseInto(&err, device)
	if j.Record, err = j.NewRecord(seed, device.Info(), inputs); err != nil {
		return err
	}
	out := j.Ctx.String("out")
	if j.Start == runfolder.Resume {
		done, err := resumeRun(j.Console, out, j.Record, func(before runfolder.Record) (bool, error) { return j.GoOn(before, j.Record) })
		if done || err != nil {
			return err
		}
	}
	// The folder comes before the work, so that one that can't be written to is
	// found out at once.
	if j.Folder, err = runfolder.Create(out, j.Start, j.Record); err != nil {
		return err
	}
	j.Console.KeepWarnings(j.Folder)
	if err := work(device, j.Folder); err != nil {
		return errors.Join(err, j.Folder.Abandon())
	}
	return j.Folder.Finish()
}

// NewRecord is the record of a run that starts now, which has read inputs and the job's
// own data. Compute makes one itself.
func (j *Job) NewRecord(seed uint64, d engine.Info, inputs []string) (runfolder.Record, error) {
	r, err := runfolder.NewRecord(j.task, usage.CommandLine(j.Ctx), j.Resolved, seed, d, j.read(inputs))
	r.Planned, r.Data, r.Folders, r.Model = schema.Planned(j.task), j.data, j.Folders, j.model
	return r, err
}

// PartOf is the record of a run that a larger one makes in a folder below its own.
func PartOf(whole runfolder.Record, task string, resolved map[string]string, seed uint64) runfolder.Record {
	r := whole
	r.Task, r.Options, r.Seed = task, resolved, seed
	r.Planned, r.Folders, r.Warnings = schema.Planned(task), nil, nil
	r.Start()
	return r
}

// read are files that a job has read, each once.
func (j *Job) read(inputs []string) (files []string) {
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
func sayOtherDevice(c *console.Console, out string, before, now runfolder.Device) {
	if before.Name == now.Name && slices.Equal(before.Features, now.Features) {
		return
	}
	c.Warn("device", "the run in %s began on %s and goes on with %s: its results may differ in their last bits from an uninterrupted run's", out, arithmetic(before), arithmetic(now))
}

func arithmetic(d runfolder.Device) string {
	return d.Name + " (" + strings.Join(d.Features, ", ") + ")"
}
