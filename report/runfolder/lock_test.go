package runfolder

import (
	"errors"
	"os"
	"testing"
)

// Where folders can't be locked, a file in them stands for them; it goes with the lock.
func TestLockFile(t *testing.T) {
	path := t.TempDir()
	first, second := &Folder{path: path}, &Folder{path: path}
	if err := first.lockFile(); err != nil {
		t.Fatal(err)
	}
	if first.held == nil {
		t.Skip("this file system locks nothing")
	}
	if err := second.lockFile(); !errors.Is(err, ErrBusy) {
		t.Errorf("locked twice: error %v, want %v", err, ErrBusy)
	}
	if !isLocked(path) {
		t.Error("the folder does not look locked")
	}
	// What removes debris spares the lock that it holds.
	if err := first.removeDebris(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); got != lockName {
		t.Errorf("the folder holds %q, want the lock", got)
	}
	if err := first.unlock(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); got != "" {
		t.Errorf("the folder holds %q after the lock", got)
	}
	// What a killed run leaves behind keeps nobody out.
	if err := os.WriteFile(first.Path(lockName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if isLocked(path) {
		t.Error("a file that was left behind looks like a lock")
	}
	if err := errors.Join(second.lockFile(), second.unlock()); err != nil {
		t.Error(err)
	}
}
