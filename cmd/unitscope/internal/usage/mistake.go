// Package usage has the words of the command line: the flags that commands share, how
// their values are read, how the program was called, and mistakes in a command, which
// end it with another exit code than failures.
package usage

import (
	"errors"
	"fmt"
	"strings"
)

// The exit codes of the program.
const (
	ExitFailure = 1
	ExitUsage   = 2
	ExitUnread  = 128 + 13 // as shells call a program that SIGPIPE has ended
)

// usageError is a mistake in the command rather than a failure.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Mistakef is the error of a mistake in the command.
func Mistakef(format string, args ...any) error { return Mistake(fmt.Errorf(format, args...)) }

// Mistake makes an error one of a mistake in the command.
func Mistake(err error) error { return usageError{err} }

// IsMistake says whether an error is one of a mistake in the command.
func IsMistake(err error) bool {
	var m usageError
	return errors.As(err, &m)
}

// OneLine joins the lines of an error, since every error of the program is one.
func OneLine(err error) string {
	return Printable(strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; "))
}
