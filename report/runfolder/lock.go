package runfolder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// lockName is the file that stands for a folder where the system locks files only.
const lockName = ".lock"

// ErrBusy is wrapped by the error about a folder that a run is writing to now.
var ErrBusy = errors.New("another run is writing to the folder now")

// lock keeps other runs out of the folder until unlock. The lock is on the folder
// itself, so that a run that is killed leaves nothing behind: the system lets go of
// the lock when the program ends, however it ends.
func (f *Folder) lock() error {
	held := flock.New(f.path, flock.SetFlag(os.O_RDONLY))
	ok, err := held.TryLock()
	switch {
	case err != nil: // Windows, and some network file systems
		return f.lockFile()
	case !ok:
		return busy(f.path)
	}
	return f.hold(held, f.path)
}

// lockFile locks a file in the folder in its place.
func (f *Folder) lockFile() error {
	// Opening a named pipe would wait for somebody at its other end, and a link or a
	// device is nothing that a run has made.
	if at, err := os.Lstat(f.Path(lockName)); err == nil && !at.Mode().IsRegular() {
		return fmt.Errorf("run folder %s: %s in it is no regular file, so it can't be locked; remove it, or choose another folder", f.path, lockName)
	}
	held := flock.New(f.Path(lockName))
	ok, err := held.TryLock()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil // then people must take care themselves
	case err != nil:
		return fmt.Errorf("run folder %s: lock it: %w", f.path, err)
	case !ok:
		return busy(f.path)
	}
	f.heldFile = true
	return f.hold(held, f.Path(lockName))
}

// hold keeps a lock that was got on what is at path. A run that has just ended may
// have removed that between its being opened and locked here: then the lock keeps
// nobody out.
func (f *Folder) hold(held *flock.Flock, path string) error {
	if at, err := os.Stat(path); err == nil {
		if mine, err := held.Stat(); err == nil && os.SameFile(at, mine) {
			f.held = held
			return nil
		}
	}
	f.heldFile = false
	return errors.Join(busy(f.path), held.Close())
}

func busy(path string) error {
	return fmt.Errorf("run folder %s: %w; wait until it is done, or choose another folder", path, ErrBusy)
}

// isLocked is true if a run holds the folder at path, false if that is not known. The
// lock that finds out is shared: two who look don't take each other for runs.
func isLocked(path string) bool {
	for _, name := range []string{path, filepath.Join(path, lockName)} {
		if at, err := os.Stat(name); err != nil || !at.IsDir() && !at.Mode().IsRegular() {
			continue
		}
		look := flock.New(name, flock.SetFlag(os.O_RDONLY))
		free, err := look.TryRLock()
		// The end of the program would let go of it too.
		_ = look.Close()
		if err == nil && !free {
			return true
		}
	}
	return false
}

// unlock lets other runs in. A file that was locked goes first, as long as nobody
// else can hold it; where an open file can't be removed, it goes afterwards.
func (f *Folder) unlock() error {
	if f.held == nil {
		return nil
	}
	var removed error
	if f.heldFile {
		removed = os.Remove(f.Path(lockName))
	}
	err := f.held.Close()
	if removed != nil {
		_ = os.Remove(f.Path(lockName))
	}
	f.held, f.heldFile = nil, false
	if err != nil {
		return fmt.Errorf("run folder %s: unlock it: %w", f.path, err)
	}
	return nil
}
