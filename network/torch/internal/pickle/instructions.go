package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// stop ends a pickle.
const stop = '.'

// instructions are those of protocols 2 to 5 that data need, by their codes.
var instructions = [256]func(*reader) error{
	0x80: func(r *reader) error { // PROTO
		version, err := r.byte()
		if version > 5 {
			return fmt.Errorf("protocol %d, want at most 5", version)
		}
		return err
	},
	0x95: func(r *reader) error { _, err := r.bytes(8); return err }, // FRAME

	'N':  func(r *reader) error { r.push(nil); return nil },
	0x88: func(r *reader) error { r.push(true); return nil },
	0x89: func(r *reader) error { r.push(false); return nil },
	'K':  whole(1),
	'M':  whole(2),
	'J':  whole(4),
	0x8a: long,
	'G':  float,
	'X':  text(4),  // BINUNICODE
	0x8c: text(1),  // SHORT_BINUNICODE
	0x8d: text(8),  // BINUNICODE8
	'U':  text(1),  // SHORT_BINSTRING, the text of Python 2
	'T':  text(4),  // BINSTRING
	'C':  bytes(1), // SHORT_BINBYTES
	'B':  bytes(4), // BINBYTES

	'(':  func(r *reader) error { r.marks = append(r.marks, len(r.stack)); return nil },
	')':  func(r *reader) error { r.push(Tuple{}); return nil },
	']':  func(r *reader) error { r.push(&List{}); return nil },
	'}':  func(r *reader) error { r.push(&Dict{}); return nil },
	't':  func(r *reader) error { return r.tuple(r.marked()) },
	0x85: func(r *reader) error { return r.tuple(r.last(1)) },
	0x86: func(r *reader) error { return r.tuple(r.last(2)) },
	0x87: func(r *reader) error { return r.tuple(r.last(3)) },
	'a':  func(r *reader) error { return r.add(r.last(1)) },  // APPEND
	'e':  func(r *reader) error { return r.add(r.marked()) }, // APPENDS
	's':  func(r *reader) error { return r.set(r.last(2)) },  // SETITEM
	'u':  func(r *reader) error { return r.set(r.marked()) }, // SETITEMS
	'0':  func(r *reader) error { _, err := r.pop(); return err },
	'1':  func(r *reader) error { _, err := r.marked(); return err },

	'q':  put(1),
	'r':  put(4),
	0x94: func(r *reader) error { return r.put(uint64(len(r.memo))) }, // MEMOIZE
	'h':  get(1),
	'j':  get(4),

	'c':  global,
	0x93: stackGlobal,
	'R':  reduce,
	'b':  build,
	'Q':  persistent,
}

// whole pushes a number of so many bytes; one of four has a sign.
func whole(size uint64) func(*reader) error {
	return func(r *reader) error {
		x, err := r.number(size)
		if size == 4 {
			x = uint64(int64(int32(x)))
		}
		r.push(int64(x))
		return err
	}
}

// long pushes a number with a sign and a length.
func long(r *reader) error {
	size, err := r.byte()
	if err != nil {
		return err
	}
	if size > 8 {
		b, err := r.bytes(uint64(size))
		r.push(Long(b))
		return err
	}
	x, err := r.number(uint64(size))
	if shift := 64 - 8*uint(size); size > 0 {
		x = uint64(int64(x<<shift) >> shift)
	}
	r.push(int64(x))
	return err
}

func float(r *reader) error {
	b, err := r.bytes(8)
	if err != nil {
		return err
	}
	r.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	return nil
}

// counted is what comes after its length, which has so many bytes.
func (r *reader) counted(size uint64) ([]byte, error) {
	n, err := r.number(size)
	if err != nil {
		return nil, err
	}
	return r.bytes(n)
}

func text(size uint64) func(*reader) error {
	return func(r *reader) error {
		b, err := r.counted(size)
		if err == nil && !utf8.Valid(b) {
			err = errors.New("text that is not UTF-8")
		}
		r.push(string(b))
		return err
	}
}

func bytes(size uint64) func(*reader) error {
	return func(r *reader) error {
		_, err := r.counted(size)
		r.push(Opaque{"bytes"})
		return err
	}
}

func (r *reader) tuple(t Tuple, err error) error {
	if err == nil {
		r.push(t)
	}
	return err
}

// add adds values to the list below them.
func (r *reader) add(values Tuple, err error) error {
	if err != nil {
		return err
	}
	v, err := r.top()
	if err != nil {
		return err
	}
	l, ok := v.(*List)
	if !ok {
		return fmt.Errorf("it adds to %s as to a list", Describe(v))
	}
	l.Items = append(l.Items, values...)
	return nil
}

// set puts keys and values into the dictionary below them.
func (r *reader) set(values Tuple, err error) error {
	if err != nil {
		return err
	}
	v, err := r.top()
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
	if !ok || len(values)%2 != 0 {
		return fmt.Errorf("it puts %d keys and values into %s", len(values), Describe(v))
	}
	for i := 0; i < len(values); i += 2 {
		d.Entries = append(d.Entries, Entry{values[i], values[i+1]})
	}
	return nil
}

func put(size uint64) func(*reader) error {
	return func(r *reader) error {
		key, err := r.number(size)
		if err != nil {
			return err
		}
		return r.put(key)
	}
}

// put remembers the value on top.
func (r *reader) put(key uint64) error {
	v, err := r.top()
	if err == nil {
		r.memo[uint32(key)] = v
	}
	return err
}

func get(size uint64) func(*reader) error {
	return func(r *reader) error {
		key, err := r.number(size)
		if err != nil {
			return err
		}
		v, ok := r.memo[uint32(key)]
		if !ok {
			return fmt.Errorf("it asks for value %d, which was not kept", key)
		}
		r.push(v)
		return nil
	}
}

func global(r *reader) error {
	module, err := r.line()
	if err != nil {
		return err
	}
	name, err := r.line()
	if err != nil {
		return err
	}
	return r.name(Global{module, name})
}

func stackGlobal(r *reader) error {
	parts, err := r.last(2)
	if err != nil {
		return err
	}
	module, ok := parts[0].(string)
	name, too := parts[1].(string)
	if !ok || !too {
		return fmt.Errorf("%s and %s where a name's module and name are", Describe(parts[0]), Describe(parts[1]))
	}
	return r.name(Global{module, name})
}

func (r *reader) name(g Global) error {
	if !utf8.ValidString(g.Module) || !utf8.ValidString(g.Name) {
		return errors.New("a name that is not UTF-8")
	}
	r.push(g)
	return r.host.Known(g)
}

// reduce has the host call a name.
func reduce(r *reader) error {
	of, err := r.last(2)
	if err != nil {
		return err
	}
	f, ok := of[0].(Global)
	arguments, too := of[1].(Tuple)
	if !ok || !too {
		return fmt.Errorf("it calls %s with %s", Describe(of[0]), Describe(of[1]))
	}
	v, err := r.host.Call(f, arguments)
	r.push(v)
	return err
}

// build gives a dictionary attributes, which are left out; nothing else may have
// any.
func build(r *reader) error {
	of, err := r.last(2)
	if err != nil {
		return err
	}
	if _, ok := of[0].(*Dict); !ok {
		return fmt.Errorf("it gives attributes to %s", Describe(of[0]))
	}
	r.push(of[0])
	return nil
}

func persistent(r *reader) error {
	id, err := r.pop()
	if err != nil {
		return err
	}
	v, err := r.host.Persistent(id)
	r.push(v)
	return err
}
