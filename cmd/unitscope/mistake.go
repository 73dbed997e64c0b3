package main

import (
	"errors"
	"fmt"
	"strings"
)

// The exit codes of the program.
const (
	exitFailure = 1
	exitUsage   = 2
	exitUnread  = 128 + 13 // as shells call a program that SIGPIPE has ended
)

// usageError is a mistake in the command rather than a failure.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usagef is the error of a mistake in the command.
func usagef(format string, args ...any) error { return mistake(fmt.Errorf(format, args...)) }

// mistake makes an error one of a mistake in the command.
func mistake(err error) error { return usageError{err} }

// isMistake says whether an error is one of a mistake in the command.
func isMistake(err error) bool {
	var m usageError
	return errors.As(err, &m)
}

// oneLine joins the lines of an error, since every error of the program is one.
func oneLine(err error) string {
	return printable(strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; "))
}
