// Package pickle reads pickles of Python that hold data: dictionaries, lists, numbers,
// text, and what a [Host] makes of the few names that it knows. A pickle is a little
// program, which in Python may call anything; here a name that the host does not know
// ends the reading, and nothing of it is run.
//
// Protocols 2 to 5 are read, as far as such data need them. Reading takes no more
// memory than some hundred bytes for each byte of a pickle, and nothing in it is
// followed into itself.
//
// There is github.com/nlpodyssey/gopickle. It allocates by lengths that the pickle
// claims before it looks whether they are there, ends the program on keys and
// arguments of the wrong type, and prints values in its errors that may hold
// themselves.
package pickle

import (
	"errors"
	"fmt"
)

const (
	// MaxSize is the longest pickle that is read. One of ten thousand tensors has
	// 2 MiB; their numbers are kept outside of it.
	MaxSize = 16 << 20
	// maxSteps is the most instructions; ten thousand tensors have 400,000.
	maxSteps = 1 << 21
)

// The values are nil, bool, int64, float64, string and
type (
	// Tuple is a tuple.
	Tuple []any
	// List is a list.
	List struct{ Items []any }
	// Dict is a dictionary in the order of its file.
	Dict struct{ Entries []Entry }
	// Entry is a key and its value. A key may be there more than once; in Python
	// the last one counts.
	Entry struct{ Key, Value any }
	// Global is a name of a module of Python.
	Global struct{ Module, Name string }
	// Long is a whole number of more than 64 bits, as its bytes, the lowest first.
	Long string
	// Opaque is a value that nobody here has a use for, such as bytes.
	Opaque struct{ What string }
)

// String is "torch.nn.modules.linear.Linear".
func (g Global) String() string { return fmt.Sprintf("%.80s.%.80s", g.Module, g.Name) }

// Host knows the names that a pickle may use.
type Host interface {
	// Known returns an error for names that may not be used.
	Known(Global) error
	// Call does what Python does when it calls a name that is known.
	Call(Global, Tuple) (any, error)
	// Persistent finds what is kept outside of the pickle.
	Persistent(id any) (any, error)
}

// Describe says what a value is, without what is in it: "a list".
func Describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "None"
	case bool:
		return "a truth value"
	case int64, float64, Long:
		return "a number"
	case string:
		return "text"
	case Tuple:
		return "a tuple"
	case *List:
		return "a list"
	case *Dict:
		return "a dictionary"
	case Global:
		return v.String()
	case Opaque:
		return v.What
	}
	return "an object"
}

// Load reads the pickle that text begins with, and returns its value and how long it
// is.
func Load(text []byte, host Host) (value any, length int, err error) {
	if len(text) > MaxSize {
		text = text[:MaxSize]
	}
	r := &reader{text: text, host: host, memo: map[uint32]any{}}
	for range maxSteps {
		op, err := r.byte()
		if err != nil {
			return nil, 0, err
		}
		if op == stop {
			value, err := r.pop()
			return value, r.at, err
		}
		at := r.at - 1
		do := instructions[op]
		if do == nil {
			return nil, 0, fmt.Errorf("pickle: byte %d: instruction 0x%02x is none that data need", at, op)
		}
		if err := do(r); err != nil {
			return nil, 0, fmt.Errorf("pickle: byte %d: %w", at, err)
		}
	}
	return nil, 0, fmt.Errorf("pickle: more than %d instructions", maxSteps)
}

// reader is a pickle that is read: a machine with a stack.
type reader struct {
	text  []byte
	at    int
	host  Host
	stack []any
	marks []int // heights of the stack
	memo  map[uint32]any
}

var errShort = errors.New("pickle: it ends too early")

func (r *reader) byte() (byte, error) {
	b, err := r.bytes(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// bytes is the next n bytes, which are not copied.
func (r *reader) bytes(n uint64) ([]byte, error) {
	if n > uint64(len(r.text)-r.at) {
		return nil, errShort
	}
	b := r.text[r.at : r.at+int(n)]
	r.at += int(n)
	return b, nil
}

// number is the next n bytes as a number, the lowest first.
func (r *reader) number(n uint64) (x uint64, err error) {
	b, err := r.bytes(n)
	for i := range b {
		x |= uint64(b[i]) << (8 * i)
	}
	return x, err
}

// line is the text up to the end of the line.
func (r *reader) line() (string, error) {
	for end := r.at; end < len(r.text); end++ {
		if r.text[end] == '\n' {
			line := string(r.text[r.at:end])
			r.at = end + 1
			return line, nil
		}
	}
	return "", errShort
}

func (r *reader) push(v any) { r.stack = append(r.stack, v) }

var errEmpty = errors.New("its stack is empty")

// floor is where values end that may be taken.
func (r *reader) floor() int {
	if len(r.marks) > 0 {
		return r.marks[len(r.marks)-1]
	}
	return 0
}

func (r *reader) pop() (any, error) {
	v, err := r.top()
	if err == nil {
		r.stack = r.stack[:len(r.stack)-1]
	}
	return v, err
}

func (r *reader) top() (any, error) {
	if len(r.stack) <= r.floor() {
		return nil, errEmpty
	}
	return r.stack[len(r.stack)-1], nil
}

// last takes the last n values.
func (r *reader) last(n int) (Tuple, error) {
	if len(r.stack)-r.floor() < n {
		return nil, errEmpty
	}
	return r.cut(len(r.stack) - n), nil
}

// marked takes the values since the last mark, and that.
func (r *reader) marked() (Tuple, error) {
	if len(r.marks) == 0 {
		return nil, errors.New("there is no mark on its stack")
	}
	from := r.floor()
	r.marks = r.marks[:len(r.marks)-1]
	return r.cut(from), nil
}

func (r *reader) cut(from int) Tuple {
	values := append(Tuple(nil), r.stack[from:]...)
	r.stack = r.stack[:from]
	return values
}
