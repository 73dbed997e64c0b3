//go:build unix

package safetensors

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestOpenPipe checks that a pipe is refused instead of waited for.
func TestOpenPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("pipes can't be made here: ", err)
	}
	_, err := Open(path)
	checkError(t, err, path+": not a regular file")
}
