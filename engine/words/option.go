package words

import "fmt"

// OptionError says what is wrong with an option of a library. Its message calls the
// option by its field; a program that has another name for it, such as a flag, finds
// the error with [errors.As] and asks for [OptionError.Called].
type OptionError struct {
	// Field is the option's name in its type, "Patience", or with that of the options
	// that hold it, "FineTune.Patience"; or an argument's: "set".
	Field string
	// Value is what was given, as text; "" where that does not help.
	Value string
	Err   error // what is wrong with it: "want at least 1"
}

// BadOption makes an [OptionError]; value may be nil.
func BadOption(field string, value any, problem string, args ...any) error {
	e := &OptionError{Field: field, Err: fmt.Errorf(problem, args...)}
	if value != nil {
		e.Value = fmt.Sprint(value)
	}
	return e
}

// Error is the message: "Patience 0: want at least 1".
func (e *OptionError) Error() string { return e.Called(e.Field) }

// Called is the message with another name for the option: "--patience 0: want at
// least 1".
func (e *OptionError) Called(name string) string {
	if e.Value != "" {
		name += " " + e.Value
	}
	return name + ": " + e.Err.Error()
}

// Unwrap is what is wrong.
func (e *OptionError) Unwrap() error { return e.Err }

// Within is the error of an option that is held by other options, in this field.
func (e *OptionError) Within(field string) *OptionError {
	return &OptionError{Field: field + "." + e.Field, Value: e.Value, Err: e.Err}
}
