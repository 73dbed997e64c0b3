package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/schema"
)

// isDebris is true for what only this package makes, and leaves behind where it is
// killed: files that are being written, and the lock of file systems that need one.
func isDebris(e fs.DirEntry) bool {
	if !e.Type().IsRegular() {
		return false
	}
	if e.Name() == lockName {
		info, err := e.Info()
		return err == nil && info.Size() == 0
	}
	return isPartial(e.Name())
}

// isPartial is true for the temporary names of writeWhole.
func isPartial(name string) bool {
	base, number, ok := strings.Cut(name, partial)
	return ok && strings.HasPrefix(base, ".") && number != "" && strings.Trim(number, "0123456789") == ""
}

// removeDebris removes debris, nothing else of the user's. The folder is locked, so that
// nobody is writing these files now.
func (f *Folder) removeDebris() error {
	names, err := f.debris()
	return errors.Join(err, f.discard(names))
}

// debris are the names of the folder's debris, but for the lock that is held on it.
func (f *Folder) debris() (names []string, err error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	for _, e := range entries {
		if isDebris(e) && !(e.Name() == lockName && f.heldFile) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// discard removes files of the folder; one that is not there is no error.
func (f *Folder) discard(names []string) error {
	for _, name := range names {
		if err := os.Remove(f.Path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("run folder: %w", err)
		}
	}
	return nil
}

// isPlanned is true for a file that a run is going to write: planned are names, or
// patterns of names as those of [path.Match].
func isPlanned(planned []string, name string) bool {
	return isFileName(name) && name != schema.Record && slices.ContainsFunc(planned, func(p string) bool {
		// A pattern that is none matches nothing.
		ok, err := path.Match(p, name)
		return p == name || err == nil && ok
	})
}

// made are the files of the folder that the run of a record made. Of a complete run
// they are those that are still what it wrote: a file that somebody has changed since
// is theirs. Of a run that was cut short they are all that it was going to write.
func (f *Folder) made(r Record) ([]string, error) {
	if r.Status != Complete {
		return f.planned(r.Planned)
	}
	var names []string
	for _, o := range r.Outputs {
		if isFileName(o.Name) && o.Name != schema.Record && checkFile(f.Path(o.Name), o) == nil {
			names = append(names, o.Name)
		}
	}
	left, err := f.planned(r.Temporary)
	return append(names, left...), err
}

// planned are the regular files of the folder that are among those planned.
func (f *Folder) planned(planned []string) (names []string, err error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() && isPlanned(planned, e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// replace removes what the run before made, after it has made sure that the run to
// come replaces nothing else.
func (f *Folder) replace(before Record) error {
	own, err := f.made(before)
	if err != nil {
		return err
	}
	if err := f.spareOthers(own, before.Folders); err != nil {
		return err
	}
	return f.clear(own, before.Folders)
}

// spareOthers makes sure that the run to come replaces nothing but the files and
// folders of the run before.
func (f *Folder) spareOthers(files, folders []string) error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	for _, e := range entries {
		if isPlanned(f.record.Planned, e.Name()) && !slices.Contains(files, e.Name()) {
			return fmt.Errorf("run folder %s: %s in it is not as a run made it, and %q would replace it; move it away, or choose another folder", f.path, e.Name(), f.record.Task)
		}
	}
	for _, name := range f.record.Folders {
		if slices.Contains(folders, name) {
			continue
		}
		if err := Check(f.below(name), Fresh, ""); err != nil {
			return fmt.Errorf("run folder %s: %s in it was not made by a run of %q there, and this one would write to it; move it away, or choose another folder", f.path, name, f.record.Task)
		}
	}
	return nil
}

// clear removes files of the folder and run folders below it. Until all of them are
// gone, the record says so, and that whatever is left of them can go: a clearing that
// is cut short is finished by the next run.
func (f *Folder) clear(files, folders []string) error {
	if len(files) == 0 && len(folders) == 0 {
		return nil
	}
	now := f.record
	now.Status, now.Planned, now.Folders, now.Outputs = Clearing, files, folders, nil
	if err := f.writeRecord(now); err != nil {
		return err
	}
	if err := f.discard(files); err != nil {
		return err
	}
	for _, name := range folders {
		if err := f.removeRun(name); err != nil {
			return err
		}
	}
	return nil
}

// below is where a run folder below this one is.
func (f *Folder) below(name string) string { return filepath.Join(f.path, filepath.FromSlash(name)) }

// removeRun removes a run folder below this one, with all that its run made. Files
// that no run made stay, and with them their folders.
func (f *Folder) removeRun(name string) error {
	if !f.isInside(name) {
		return nil
	}
	run := &Folder{path: f.below(name)}
	if err := run.lock(); err != nil {
		return err
	}
	if err := run.empty(); err != nil {
		return errors.Join(err, run.unlock())
	}
	if err := run.unlock(); err != nil {
		return err
	}
	for ; name != "."; name = path.Dir(name) {
		// One that holds anything is not removed, as it should be.
		_ = os.Remove(f.below(name))
	}
	return nil
}

// empty removes all that the run of a folder made, its record last.
func (f *Folder) empty() (err error) {
	f.record, err = ReadRecord(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.removeDebris()
	case err != nil:
		return unreadable(err)
	}
	own, err := f.made(f.record)
	if err != nil {
		return err
	}
	if err := f.clear(own, f.record.Folders); err != nil {
		return err
	}
	if err := f.discard([]string{schema.Record}); err != nil {
		return err
	}
	return f.removeDebris()
}

// isInside is true for the name of a folder that lies below this one, without a link
// on the way.
func (f *Folder) isInside(name string) bool {
	if !filepath.IsLocal(filepath.FromSlash(name)) || path.Clean(name) != name || name == "." {
		return false
	}
	for ; name != "."; name = path.Dir(name) {
		if info, err := os.Lstat(f.below(name)); err != nil || !info.IsDir() {
			return false
		}
	}
	return true
}

// spareInputs refuses to clear folders that hold an input of the run to come.
func (f *Folder) spareInputs() error {
	cleared := []string{f.path}
	if before, err := ReadRecord(f.path); err == nil {
		for _, name := range before.Folders {
			cleared = append(cleared, f.below(name))
		}
	}
	for _, folder := range cleared {
		at, err := os.Stat(folder)
		if err != nil {
			continue // there is nothing to clear
		}
		for _, in := range f.record.Inputs {
			resolved, err := filepath.EvalSymlinks(in.Name)
			if err != nil {
				return fmt.Errorf("run folder: %w", err)
			}
			if parent, err := os.Stat(filepath.Dir(resolved)); err == nil && os.SameFile(parent, at) {
				return fmt.Errorf("run folder %s: it holds %s, which this run reads; choose another folder", f.path, in.Name)
			}
		}
	}
	return nil
}

// unreadable is the error about a record that does not say which files its run made.
func unreadable(err error) error {
	return fmt.Errorf("%w; which files beside it a run made can't be known: move them away, or choose another folder", err)
}

// Tidy removes what a run that was killed when it was complete has left in its folder
// beside its results: a checkpoint, and files that were being written. A folder that
// another run is writing to is left alone, and so is one where there is nothing to do,
// which may be on a medium that can't be written to.
func Tidy(path string) error {
	f := &Folder{path: filepath.Clean(path)}
	if left, err := f.leftovers(); err != nil || len(left) == 0 {
		return err
	}
	if err := f.lock(); errors.Is(err, ErrBusy) {
		return nil
	} else if err != nil {
		return err
	}
	// The run may have ended by itself since the first look.
	left, err := f.leftovers()
	return errors.Join(err, f.discard(left), f.unlock())
}

// leftovers are the files of a complete run that are none of its results.
func (f *Folder) leftovers() ([]string, error) {
	r, err := ReadRecord(f.path)
	if err != nil || r.Status != Complete {
		return nil, err
	}
	left, err := f.planned(r.Temporary)
	if err != nil {
		return nil, err
	}
	debris, err := f.debris()
	return append(left, debris...), err
}
