package console

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Results is standard output. It keeps the first error, so that results which get
// lost are noticed whatever command wrote them.
type Results struct {
	io.Writer
	err error
}

// Write writes results, as an [io.Writer].
func (r *Results) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	if r.err == nil {
		r.err = err
	}
	return n, err
}

// Failed is the error that ends the program if a result could not be written, in
// place of err, which may be the same one.
func (r *Results) Failed(err error) error {
	var of *fs.PathError
	switch {
	case r.err == nil || err != nil && !errors.Is(err, r.err):
		return err
	case errors.As(r.err, &of):
		return fmt.Errorf("results could not be written to standard output: %w", of.Err)
	}
	return fmt.Errorf("results could not be written to standard output: %w", r.err)
}

// Unread is true if nobody reads standard output any more, as after `| head`: what was
// asked for was got, and there is nothing to say.
func (r *Results) Unread(err error) bool {
	return r.err != nil && errors.Is(err, syscall.EPIPE)
}

// fileOf is the file that a writer writes to, nil if it is none.
func fileOf(w io.Writer) *os.File {
	if r, ok := w.(*Results); ok {
		w = r.Writer
	}
	f, _ := w.(*os.File)
	return f
}
