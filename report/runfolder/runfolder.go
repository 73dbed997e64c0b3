// Package runfolder keeps what one run of the program leaves behind: a folder
// with results and a record of how they were made. A run opens its folder by [Create],
// writes each file by [Folder.Write] and ends with [Folder.Finish]; who reads what
// another run has left begins with [ReadRecord] or [Require].
//
// Files are written whole: under a temporary name, synced, renamed. A reader
// never sees half a file, and a run that is killed leaves the last good version
// of each. The record, run.json, is there from the first moment with the status
// "running" and says "complete" only when everything else is on disk.
//
// # Whose a file is
//
// [Force] removes what an earlier run of the folder made, all of it, and nothing
// else. A record therefore says from the first moment which files its run is going to
// write, and in which folders below: the files of a run that was killed are known,
// whatever it was doing. A complete run lists what it wrote with its SHA-256; a file
// that is no longer that is not the run's. A file that no run made stays, and a run
// that would replace it is refused before it begins. While files go, the status is
// "clearing"; if that is cut short, the next run finishes it.
//
// Names like .log.csv.partial-123 are this package's own. A folder with nothing else
// in it counts as empty.
package runfolder

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"

	"github.com/unitscope/unitscope/schema"
)

// Start says how a run starts where the folder holds one already.
type Start uint8

// The ways to start.
const (
	Fresh  Start = iota // refuse it
	Resume              // go on with it; a folder that does not exist is created
	Force               // remove what that run made, and nothing else, and start anew
)

// ErrTaken is wrapped by the error about a folder that holds a complete run, or one of
// another command.
var ErrTaken = errors.New("the folder holds another run")

// Folder is an open run folder. It is used by one goroutine at a time.
type Folder struct {
	path     string
	record   Record
	created  bool // by Create, so that Abandon may remove it
	held     *flock.Flock
	heldFile bool // held is a lock on a file in the folder
}

// Check finds out whether Create would refuse the folder to a run of the command
// task, without changing anything. Commands call it before long work.
func Check(path string, start Start, task string) error {
	return check(path, start, task, isLocked)
}

// check is Check where locked says whether a run is writing to a folder.
func check(path string, start Start, task string, locked func(path string) bool) error {
	if path == "" {
		return errors.New("run folder: its path is empty")
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("run folder %s: it is a file, want a folder", path)
	}
	if start != Fresh {
		return checkTask(path, start, task)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	entries = slices.DeleteFunc(entries, isDebris)
	for _, e := range entries {
		if e.Name() == schema.Record {
			return taken(path, task, locked)
		}
	}
	if len(entries) > 0 {
		return fmt.Errorf("run folder %s: it is not empty (it has %s) and no run made it; choose another, or write into it with --force", path, entries[0].Name())
	}
	return nil
}

// taken is the error about a folder that holds a run already: one that was killed may
// be what a run of the command task means to go on with.
func taken(path, task string, locked func(path string) bool) error {
	before, err := ReadRecord(path)
	switch {
	case err != nil || before.Status == Complete:
		return fmt.Errorf("run folder %s: %w; choose another, or start it anew with --force", path, ErrTaken)
	case locked(path):
		return busy(path)
	case before.Task != task:
		return fmt.Errorf("%w, or choose another folder", notComplete(path, before))
	}
	return notComplete(path, before)
}

// checkTask makes sure that a run goes on with one of its own kind only, and that
// what it replaces is known.
func checkTask(path string, start Start, task string) error {
	before, err := ReadRecord(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && start == Resume:
		return Check(path, Fresh, task)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return unreadable(err)
	}
	if start == Resume && before.Task != task {
		return fmt.Errorf("run folder %s: %w, of %q, which %q can't go on with", path, ErrTaken, before.Task, task)
	}
	return nil
}

// Create opens path as the folder of the run that r describes, making it where
// it does not exist, and writes the record with the status "running". With
// Force it first removes what an earlier run made there; what no run made stays, and
// is an error if the run would replace it, by r's Planned and Folders. Until Finish or
// Abandon no other run is let into the folder: Create's error then wraps [ErrBusy].
func Create(path string, start Start, r Record) (*Folder, error) {
	if err := Check(path, start, r.Task); err != nil {
		return nil, err
	}
	f := &Folder{path: filepath.Clean(path), record: r}
	if start == Force {
		if err := f.spareInputs(); err != nil {
			return nil, err
		}
	}
	path = f.path
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		f.created = true
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	if err := f.lock(); err != nil {
		return nil, err
	}
	// Another run may have come and gone since the first look. The lock is now this one's.
	if err := check(path, start, r.Task, func(string) bool { return false }); err != nil {
		return nil, errors.Join(err, f.unlock())
	}
	if err := f.prepare(start); err != nil {
		return nil, errors.Join(err, f.Abandon())
	}
	return f, nil
}

func (f *Folder) prepare(start Start) error {
	before, err := ReadRecord(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unreadable(err)
	}
	if err := f.removeDebris(); err != nil {
		return err
	}
	switch {
	case start == Force || before.Status == Clearing:
		if err := f.replace(before); err != nil {
			return err
		}
	case start == Resume:
		f.goOn(before)
	}
	f.record.Status = Running
	f.record.Outputs = nil
	return f.writeRecord(f.record)
}

// goOn takes over what the record of the first part of a run says of the whole.
func (f *Folder) goOn(before Record) {
	// What the first part was warned of is true of the whole.
	now := f.record.Warnings
	f.record.Warnings = before.Warnings
	for _, w := range now {
		f.Warn(w)
	}
	f.record.Planned = merged(f.record.Planned, before.Planned, before.Temporary)
	for _, o := range before.Outputs {
		f.record.Planned = merged(f.record.Planned, []string{o.Name})
	}
	f.record.Folders = merged(f.record.Folders, before.Folders)
}

// merged is all names of several lists, each once.
func merged(lists ...[]string) (all []string) {
	for _, name := range slices.Concat(lists...) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// Abandon takes back a folder that Create made, as long as nothing but the
// record is in it, and lets other runs in. Commands call it when they fail.
func (f *Folder) Abandon() error {
	if err := f.unlock(); err != nil || !f.created {
		return err
	}
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	for _, e := range entries {
		if e.Name() != schema.Record && !isDebris(e) {
			return nil
		}
	}
	if err := os.RemoveAll(f.path); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	return nil
}

// Path is where a file of the folder is.
func (f *Folder) Path(name string) string { return filepath.Join(f.path, name) }

// Write writes a file of the folder whole and lists it, with its SHA-256, among
// the run's outputs. Writing a name again replaces the file. A name that was not
// planned is added to the record first; a file that is there by that name is then
// somebody else's, and an error.
func (f *Folder) Write(name string, write func(io.Writer) error) error {
	return f.write(name, func(w io.Writer) error {
		counted := &digest{sum: sha256.New()}
		if err := write(io.MultiWriter(w, counted)); err != nil {
			return err
		}
		f.record.Outputs = slices.DeleteFunc(f.record.Outputs, func(o FileDigest) bool { return o.Name == name })
		f.record.Outputs = append(f.record.Outputs, counted.file(name))
		return nil
	})
}

// WriteTemporary writes a file whole that does not outlive the run and is not
// listed: a checkpoint.
func (f *Folder) WriteTemporary(name string, write func(io.Writer) error) error {
	return f.write(name, write)
}

func (f *Folder) write(name string, write func(io.Writer) error) error {
	if !isFileName(name) || name == schema.Record {
		return fmt.Errorf("run folder %s: %q is not the name of a file", f.path, name)
	}
	if !isPlanned(f.record.Planned, name) {
		if _, err := os.Lstat(f.Path(name)); err == nil {
			return fmt.Errorf("run folder %s: %s in it is not as a run made it, and %q would replace it; move it away, or choose another folder", f.path, name, f.record.Task)
		}
		f.record.Planned = append(slices.Clone(f.record.Planned), name)
		if err := f.writeRecord(f.record); err != nil {
			return err
		}
	}
	return writeWhole(f.Path(name), write)
}

// Warn adds to the record's warnings, which Finish writes; one that is there
// already is not added again.
func (f *Folder) Warn(w Warning) {
	if !slices.Contains(f.record.Warnings, w) {
		f.record.Warnings = append(f.record.Warnings, w)
	}
}

// Warnings are those that the record has so far.
func (f *Folder) Warnings() []Warning { return slices.Clone(f.record.Warnings) }

// Finish marks the run complete, removes what it wrote and does not list, such as
// its checkpoint, and lets other runs in.
func (f *Folder) Finish() error {
	return errors.Join(f.finish(), f.unlock())
}

func (f *Folder) finish() error {
	left, err := f.planned(f.record.Planned)
	if err != nil {
		return err
	}
	left = slices.DeleteFunc(left, func(name string) bool {
		return slices.ContainsFunc(f.record.Outputs, func(o FileDigest) bool { return o.Name == name })
	})
	f.record.finish()
	f.record.Planned, f.record.Temporary = nil, left
	// The checkpoint goes last: without it, a run that is killed here would have to be
	// done again.
	if err := f.writeRecord(f.record); err != nil {
		return err
	}
	return f.discard(left)
}

// isFileName is true for the name of a file directly in a folder.
func isFileName(name string) bool {
	return filepath.IsLocal(name) && name == filepath.Base(name) && name != "."
}
