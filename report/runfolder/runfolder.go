// Package runfolder keeps what one run of the program leaves behind: a folder
// with results and a record of how they were made.
//
// Files are written whole: under a temporary name, synced, renamed. A reader
// never sees half a file, and a run that is killed leaves the last good version
// of each. The record, run.json, is there from the first moment with the status
// "running" and says "complete" only when everything else is on disk.
package runfolder

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// The files that more than one command writes or reads.
const (
	RecordName     = "run.json"
	ModelName      = "model.safetensors"
	CheckpointName = "checkpoint.safetensors"
	LogName        = "log.csv"
)

// Mode says what to do with a folder that holds a run already.
type Mode uint8

// The modes.
const (
	Fresh  Mode = iota // refuse it
	Resume             // go on with it; a folder that does not exist is created
	Force              // remove the files of that run and start anew
)

// ErrTaken is wrapped by the error about a folder that holds a run already.
var ErrTaken = errors.New("the folder holds another run")

// Folder is an open run folder. It is used by one goroutine at a time.
type Folder struct {
	path    string
	record  Record
	created bool // by Create, so that Abandon may remove it
	held    *flock.Flock
}

// Check finds out whether Create would refuse the folder to a run of the command
// task, without changing anything. Commands call it before long work.
func Check(path string, mode Mode, task string) error {
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
	if mode != Fresh {
		return checkTask(path, mode, task)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == lockName })
	for _, e := range entries {
		if e.Name() == RecordName {
			return fmt.Errorf("run folder %s: %w; choose another, or start it anew with --force", path, ErrTaken)
		}
	}
	if len(entries) > 0 {
		return fmt.Errorf("run folder %s: it is not empty (it has %s) and no run made it; choose another, or write into it with --force", path, entries[0].Name())
	}
	return nil
}

// checkTask makes sure that a run goes on with one of its own kind only.
func checkTask(path string, mode Mode, task string) error {
	if mode != Resume {
		return nil
	}
	before, err := ReadRecord(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Check(path, Fresh, task)
	}
	if err != nil {
		return err
	}
	if before.Task != task {
		return fmt.Errorf("run folder %s: %w, of %q, which %q can't go on with", path, ErrTaken, before.Task, task)
	}
	return nil
}

// Create opens path as the folder of the run that r describes, making it where
// it does not exist, and writes the record with the status "running". With
// Force it first removes the files that an earlier run left there; files that
// no run made stay. Until Finish or Abandon no other run is let into the folder:
// Create's error then wraps [ErrBusy].
func Create(path string, mode Mode, r Record) (*Folder, error) {
	if err := Check(path, mode, r.Task); err != nil {
		return nil, err
	}
	f := &Folder{path: filepath.Clean(path), record: r}
	if mode == Force {
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
	// Another run may have come and gone since the first look.
	if err := Check(path, mode, r.Task); err != nil {
		return nil, errors.Join(err, f.unlock())
	}
	if err := f.prepare(mode); err != nil {
		return nil, errors.Join(err, f.Abandon())
	}
	return f, nil
}

func (f *Folder) prepare(mode Mode) error {
	if err := f.sweep(); err != nil {
		return err
	}
	if mode == Force {
		if err := f.clear(); err != nil {
			return err
		}
	}
	if before, err := ReadRecord(f.path); mode == Resume && err == nil {
		// What the first part of the run was warned of is true of the whole.
		now := f.record.Warnings
		f.record.Warnings = before.Warnings
		for _, w := range now {
			f.Warn(w)
		}
	}
	f.record.Status = Running
	f.record.Outputs = nil
	return f.writeRecord()
}

// sweep removes what writes that were cut short left behind: regular files
// with the names that WriteFile gives, nothing else of the user's.
func (f *Folder) sweep() error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !isPartial(e.Name()) {
			continue
		}
		if err := os.Remove(f.Path(e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("run folder: %w", err)
		}
	}
	return nil
}

// isPartial is true for the temporary names of WriteFile.
func isPartial(name string) bool {
	base, number, ok := strings.Cut(name, partial)
	return ok && strings.HasPrefix(base, ".") && number != "" && strings.Trim(number, "0123456789") == ""
}

// spareInputs refuses to clear a folder that holds an input of the run to come.
func (f *Folder) spareInputs() error {
	folder, err := os.Stat(f.path)
	if err != nil {
		return nil // there is nothing to clear
	}
	for _, in := range f.record.Inputs {
		resolved, err := filepath.EvalSymlinks(in.Name)
		if err != nil {
			return fmt.Errorf("run folder: %w", err)
		}
		if parent, err := os.Stat(filepath.Dir(resolved)); err == nil && os.SameFile(parent, folder) {
			return fmt.Errorf("run folder %s: it holds %s, which this run reads; choose another folder", f.path, in.Name)
		}
	}
	return nil
}

// clear removes the files of an earlier run: those its record lists, and those
// it may not have had the time to list.
func (f *Folder) clear() error {
	names := []string{RecordName, ModelName, CheckpointName, LogName}
	if before, err := ReadRecord(f.path); err == nil {
		for _, o := range before.Outputs {
			if isFileName(o.Name) {
				names = append(names, o.Name)
			}
		}
	}
	for _, name := range names {
		if err := os.Remove(f.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("run folder: %w", err)
		}
	}
	return nil
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
		if e.Name() != RecordName {
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
// the run's outputs. Writing a name again replaces the file.
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
	if !isFileName(name) {
		return fmt.Errorf("run folder %s: %q is not the name of a file", f.path, name)
	}
	return WriteFile(f.Path(name), write)
}

// Warn adds to the record's warnings, which Finish writes; one that is there
// already is not added again.
func (f *Folder) Warn(w Warning) {
	if !slices.Contains(f.record.Warnings, w) {
		f.record.Warnings = append(f.record.Warnings, w)
	}
}

// Finish removes the checkpoint, if there is one, marks the run complete, and
// lets other runs in.
func (f *Folder) Finish() error {
	return errors.Join(f.finish(), f.unlock())
}

func (f *Folder) finish() error {
	if err := os.Remove(f.Path(CheckpointName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("run folder: %w", err)
	}
	f.record.Status = Complete
	f.record.Finished = time.Now().UTC().Truncate(time.Second)
	f.record.Seconds = f.record.Finished.Sub(f.record.Started).Seconds()
	return f.writeRecord()
}

// isFileName is true for the name of a file directly in a folder.
func isFileName(name string) bool {
	return filepath.IsLocal(name) && name == filepath.Base(name) && name != "."
}

// partial is part of the name of every file that is being written.
const partial = ".partial-"

// WriteFile writes a file whole: under a temporary name in the same folder,
// synced, renamed. When write fails, what path held before stays.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	t, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+partial+"*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			t.Close()
			os.Remove(t.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if err := write(t); err != nil {
		return err
	}
	// CreateTemp makes files that only their owner reads; a result is for
	// everyone the folder is for.
	if err := t.Chmod(0o644); err != nil {
		return err
	}
	if err := t.Sync(); err != nil {
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	if err := os.Rename(t.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename durable where the system can.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems, and Windows, can't sync a folder; then the rename is as
	// durable as it gets.
	_ = d.Sync()
	return nil
}

// digest computes the SHA-256 and length of what is written to it.
type digest struct {
	sum   hash.Hash
	bytes int64
}

func (d *digest) Write(p []byte) (int, error) {
	d.bytes += int64(len(p))
	return d.sum.Write(p)
}

func (d *digest) file(name string) FileDigest {
	return FileDigest{Name: name, Bytes: d.bytes, SHA256: hex.EncodeToString(d.sum.Sum(nil))}
}
