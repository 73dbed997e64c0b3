package runfolder

import (
	"errors"
	"fmt"
	"os"

	"github.com/gofrs/flock"
)

// lockName is the file that a run holds a lock on while it is under way. The
// system lets go of the lock when the program ends, however it ends.
const lockName = ".lock"

// ErrBusy is wrapped by the error about a folder that a run is writing to now.
var ErrBusy = errors.New("another run is writing to the folder now")

// lock keeps other runs out of the folder until unlock.
func (f *Folder) lock() error {
	// Opening a named pipe would wait for somebody at its other end, and a link or a
	// device is nothing that a run has made.
	if at, err := os.Lstat(f.Path(lockName)); err == nil && !at.Mode().IsRegular() {
		return fmt.Errorf("run folder %s: %s in it is no regular file, so it can't be locked; remove it, or choose another folder", f.path, lockName)
	}
	f.held = flock.New(f.Path(lockName))
	ok, err := f.held.TryLock()
	if errors.Is(err, errors.ErrUnsupported) {
		return nil // some network file systems; then people must take care themselves
	}
	if err != nil {
		return fmt.Errorf("run folder %s: lock it: %w", f.path, err)
	}
	if !ok {
		return f.busy()
	}
	// A run that has just ended may have removed the file between its being
	// opened and locked here: then this lock keeps nobody out.
	if at, err := os.Stat(f.Path(lockName)); err == nil {
		if mine, err := f.held.Stat(); err == nil && os.SameFile(at, mine) {
			return nil
		}
	}
	return errors.Join(f.busy(), f.held.Close())
}

func (f *Folder) busy() error {
	return fmt.Errorf("run folder %s: %w; wait until it is done, or choose another folder", f.path, ErrBusy)
}

// unlock lets other runs in. The file goes first, as long as nobody else can
// hold it; where an open file can't be removed, it goes afterwards.
func (f *Folder) unlock() error {
	if f.held == nil {
		return nil
	}
	removed := os.Remove(f.Path(lockName))
	err := f.held.Close()
	f.held = nil
	if removed != nil {
		_ = os.Remove(f.Path(lockName))
	}
	if err != nil {
		return fmt.Errorf("run folder %s: unlock it: %w", f.path, err)
	}
	return nil
}
