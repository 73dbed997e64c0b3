package job

import (
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// resumeRun finds out whether the run in a folder can go on as the record now
// describes it, before anything is written. GoOn finds what there is to go on from;
// it is not called if there is nothing. done is true if nothing is left to do.
func resumeRun(c *console.Console, out string, now runfolder.Record, goOn func(before runfolder.Record) (done bool, err error)) (done bool, err error) {
	before, err := runfolder.ReadRecord(out)
	if errors.Is(err, fs.ErrNotExist) {
		c.Say("%s holds no run yet; starting one", out)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := SameRun(out, before, now); err != nil {
		return false, err
	}
	if before.Status == runfolder.Clearing {
		c.Say("the run in %s has not begun yet; starting it", out)
		return false, nil
	}
	if done, err := goOn(before); done || err != nil {
		return done, err
	}
	sayOtherDevice(c, out, before.Device, now.Device)
	return false, nil
}

// SameRun makes sure that a run is gone on with as it began, whether it is complete
// or not: by the options that its results depend on, as they were resolved, and by the
// content of the files that it reads.
func SameRun(out string, before, now runfolder.Record) error {
	for _, name := range comparedOptions(now) {
		was, known := before.Options[name]
		if is := now.Options[name]; known && is != was && dataFromAnywhere(before, name) != dataFromAnywhere(now, name) {
			return usage.Mistakef("--resume: --%s is %.80q, the run in %s was made with %.80q; give the same options, or start anew with --force", name, is, out, was)
		}
	}
	had, has := readData(before), readData(now)
	for i, is := range has {
		if i == len(had) {
			return usage.Mistakef("--resume: it reads %s, which the run in %s did not; give what it read, or start anew with --force", is.Name, out)
		}
		if was := had[i]; is.SHA256 != was.SHA256 {
			return usage.Mistakef("--resume: %s is not as the run in %s read it%s: its SHA-256 was %.12s..., now it is %.12s...; bring it back, or start anew with --force", is.Name, out, insteadOf(is.Name, was.Name), was.SHA256, is.SHA256)
		}
	}
	if len(had) > len(has) {
		return usage.Mistakef("--resume: the run in %s read %s, which is missing now; bring it back, or start anew with --force", out, had[len(has)].Name)
	}
	return nil
}

// dataFromAnywhere is an option, as it would be given from any folder if it names data:
// a run may be gone on with from another one than it was begun in.
func dataFromAnywhere(r runfolder.Record, name string) string {
	value := r.Options[name]
	if name != "data" && name != "test" || r.WorkingFolder == "" {
		return value
	}
	if at, err := dataset.At(value, r.WorkingFolder); err == nil {
		return at
	}
	return value
}

// readData are the inputs of a run but for records of other runs: what these name is
// compared itself, and they hold times.
func readData(r runfolder.Record) []runfolder.FileDigest {
	return slices.DeleteFunc(slices.Clone(r.Inputs), func(in runfolder.FileDigest) bool { return filepath.Base(in.Name) == schema.Record })
}

// insteadOf names what a file has taken the place of, if that has another name.
func insteadOf(now, before string) string {
	if now == before {
		return ""
	}
	return ", in place of " + before
}

// freeOptions change no result: where and how a run computes and speaks, how often it
// saves, and what may grow. What is named by --model is compared by its content.
func freeOptions() []string {
	return []string{"out", "force", "resume", "device", "quiet", "log", "preview", "checkpoint-every", "trials", "model"}
}

// comparedOptions are the options of a run that its results depend on, those first
// that others take their defaults from.
func comparedOptions(r runfolder.Record) []string {
	first := []string{"kind", "visible", "data", "layers", "persistent", "lr"}
	names := append(first, slices.Sorted(maps.Keys(r.Options))...)
	return slices.DeleteFunc(names, func(name string) bool {
		_, ok := r.Options[name]
		return !ok || slices.Contains(freeOptions(), name)
	})
}

// NothingToResume says that a run is complete, and cleans up after it where it was
// killed at that very moment.
func NothingToResume(c *console.Console, out string) error {
	c.Say("the run in %s is complete; there is nothing to resume", out)
	return runfolder.Tidy(out)
}

// OpenCheckpoint opens the checkpoint of the run in a folder; it is nil if there is
// none, and done is true if the run needs none.
func OpenCheckpoint(c *console.Console, out string, before runfolder.Record) (checkpoint *safetensors.File, done bool, err error) {
	if before.Status == runfolder.Complete {
		return nil, true, NothingToResume(c, out)
	}
	checkpoint, err = safetensors.Open(CheckpointPath(out))
	if errors.Is(err, fs.ErrNotExist) {
		c.Say("the run in %s has no checkpoint yet; starting it again", out)
		return nil, false, nil
	}
	return checkpoint, false, err
}

// CheckpointPath is the checkpoint of the run in a folder.
func CheckpointPath(out string) string { return filepath.Join(out, schema.Checkpoint) }

// LogPath is the log of the training in a folder.
func LogPath(out string) string { return filepath.Join(out, schema.Log) }
