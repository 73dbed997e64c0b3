package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// withFile opens a regular file for use; errors name it.
func withFile(path string, use func(f *os.File, size int64) error) error {
	info, err := os.Stat(path)
	if err != nil {
		return pathError(path, err)
	}
	// Anything else has no size to check a header against, and opening a pipe
	// could wait for ever.
	if !info.Mode().IsRegular() {
		what := "no regular file"
		if info.IsDir() {
			what = "a folder"
		}
		return fmt.Errorf("%s is %s, want a file", path, what)
	}
	f, err := os.Open(path)
	if err != nil {
		return pathError(path, err)
	}
	defer f.Close()
	if err := use(f, info.Size()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// pathError says once which path is meant and what is wrong with it.
func pathError(path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	if strings.HasPrefix(path, "~") && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w (shells leave a ~ behind a colon as it is: write $HOME)", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}
