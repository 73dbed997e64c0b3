//go:build unix

package runfolder

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A named pipe where the lock belongs would keep whoever opens it waiting.
func TestLockIsPipe(t *testing.T) {
	f := &Folder{path: t.TempDir()}
	if err := syscall.Mkfifo(filepath.Join(f.path, lockName), 0o600); err != nil {
		t.Skip(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.lockFile() }()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), ".lock in it is no regular file") {
			t.Errorf("error %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the lock waits for the pipe")
	}
}

// A folder itself can be locked here, so that a run that is killed leaves no lock.
func TestLockLeavesNothing(t *testing.T) {
	f, err := Create(filepath.Join(t.TempDir(), "run"), Fresh, newRecord(t, "task"))
	if err != nil {
		t.Fatal(err)
	}
	if f.heldFile {
		t.Skip("this file system does not lock folders")
	}
	if got := names(t, f.path); got != "run.json" {
		t.Errorf("the folder of a run that goes on holds %q", got)
	}
}
