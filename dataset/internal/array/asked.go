package array

import (
	"errors"
	"fmt"
)

// ErrAsked is wrapped by the errors of what was asked of a file and is not in it, or has
// to be said: the name of an array or of a column. The file itself is not to blame.
var ErrAsked = errors.New("not in the file")

// askedError is such an error, told in its own words.
type askedError struct{ error }

func (askedError) Is(target error) bool { return target == ErrAsked }

// Askedf is an error that wraps [ErrAsked], in these words.
func Askedf(format string, args ...any) error { return askedError{fmt.Errorf(format, args...)} }
