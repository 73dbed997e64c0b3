package runfolder

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// partial is part of the name of every file that is being written.
const partial = ".partial-"

// WriteFile writes a file whole that is in no run folder: under a temporary name in
// the same folder, synced, renamed. When write fails, what path held before stays. What
// a write of this file that was killed has left goes first; of two at the same time
// one may therefore fail.
func WriteFile(path string, write func(io.Writer) error) error {
	folder, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(folder))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() && isPartial(e.Name()) && strings.HasPrefix(e.Name(), "."+base+partial) {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("write %s: %w", path, err)
			}
		}
	}
	return writeWhole(path, write)
}

func writeWhole(path string, write func(io.Writer) error) (err error) {
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
