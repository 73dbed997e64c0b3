// Package matlab reads the arrays of numbers in MATLAB's version 5 files, which
// MATLAB's save -v6 and -v7, GNU Octave and SciPy write (MathWorks, "MAT-File
// Format"): a header of 128 bytes, then elements, each a tag of 8 bytes (type
// and size) and its body, padded to 8 bytes. A variable is an element miMATRIX,
// whose body is elements again (flags, dimensions, name, numbers), or one
// miCOMPRESSED, whose body is the zlib stream of a miMATRIX. Either byte order
// is read.
//
// Cells, structures, text and sparse arrays are stepped over, never entered, so
// that elements can't nest deeper than a compressed array. Sizes are checked
// against those of what holds them before anything is read or taken, and
// memory grows with the bytes that really arrive.
package matlab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// Limits, far above what a data set of patches has.
const (
	// MaxBytes is the most that the numbers of one array may take in the file,
	// unpacked: 1 GiB, 512 pictures of 512x512 doubles.
	MaxBytes     = 1 << 30
	maxVariables = 1 << 12 // in a file
	maxName      = 1 << 10 // bytes; MATLAB's own limit is 63
)

// headerSize is that of the header; its last four bytes are the version and,
// written as a 16-bit number, the letters MI, which tell the byte order.
const headerSize = 128

// File is the directory of a MATLAB file.
type File struct {
	r         io.ReaderAt
	order     binary.ByteOrder
	variables []variable
}

// variable is one variable: where its element is, and what it holds.
type variable struct {
	offset  int64 // of the element's body
	size    int64 // of the element's body
	packed  bool  // miCOMPRESSED
	name    string
	dims    []int
	class   class
	complex bool
}

// Open reads the directory of a file of size bytes: the beginning of every
// variable, not its numbers.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r}
	if err := f.readHeader(size); err != nil {
		return nil, err
	}
	for offset := int64(headerSize); offset < size; {
		var t tag
		if err := t.read(io.NewSectionReader(r, offset, size-offset), f.order); err != nil {
			return nil, fmt.Errorf("element at byte %d: %w", offset, err)
		}
		if t.body != nil {
			return nil, fmt.Errorf("element at byte %d: %s, want a variable", offset, t.kind)
		}
		v := variable{offset: offset + tagSize, size: t.size, packed: t.kind == miCompressed}
		if left := size - v.offset; v.size > left {
			return nil, fmt.Errorf("truncated: the element at byte %d promises %d bytes, and %d follow", offset, v.size, left)
		}
		if err := f.add(v, t.kind); err != nil {
			return nil, fmt.Errorf("element at byte %d: %w", offset, err)
		}
		offset = v.offset + v.size
		if !v.packed { // compressed elements are not padded
			offset += padding(v.size)
		}
	}
	return f, nil
}

func (f *File) readHeader(size int64) error {
	var header [headerSize]byte
	if n, err := f.r.ReadAt(header[:], 0); n < headerSize {
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return fmt.Errorf("not a MATLAB version 5 file: it has %d bytes, its header alone would have %d (a version 4 file? save it with -v7)", size, headerSize)
	}
	switch string(header[126:]) {
	case "IM":
		f.order = binary.LittleEndian
	case "MI":
		f.order = binary.BigEndian
	default:
		if strings.HasPrefix(string(header[:]), "\x89HDF\r\n\x1a\n") {
			return errors.New("an HDF5 file, as those of MATLAB version 7.3 are: save it with -v7")
		}
		return errors.New("not a MATLAB version 5 file: it doesn't say its byte order (a version 4 file? save it with -v7)")
	}
	switch version := f.order.Uint16(header[124:]); version {
	case 0x0100:
		return nil
	case 0x0200:
		return errors.New("a MATLAB version 7.3 file, which is HDF5: save it with -v7")
	default:
		return fmt.Errorf("MATLAB version 0x%04x, want 0x0100 (save it with -v7)", version)
	}
}

// add reads the beginning of a variable and keeps it. Elements without a name
// are MATLAB's own.
func (f *File) add(v variable, t kind) error {
	if t != miMatrix && t != miCompressed {
		return fmt.Errorf("%s, want a variable", t)
	}
	if v.size == 0 {
		return nil
	}
	m, err := f.open(v)
	if err != nil {
		return err
	}
	if m.name == "" {
		return nil
	}
	for _, other := range f.variables {
		if other.name == m.name {
			return fmt.Errorf("a second variable %.40q", m.name)
		}
	}
	if len(f.variables) == maxVariables {
		return fmt.Errorf("more than %d variables", maxVariables)
	}
	v.name, v.dims, v.class, v.complex = m.name, m.dims, m.class, m.complex
	f.variables = append(f.variables, v)
	return nil
}

// open starts to read a variable's matrix, unpacking it as it is read.
func (f *File) open(v variable) (*matrix, error) {
	var body io.Reader = io.NewSectionReader(f.r, v.offset, v.size)
	if !v.packed {
		return newMatrix(body, v.size, f.order)
	}
	return unpack(body, v.size, f.order)
}

// Listed is an array of real numbers that a file holds.
type Listed struct {
	Name string
	Dims []int
}

// Arrays lists the arrays of real numbers, in the order of the file.
func (f *File) Arrays() []Listed {
	var listed []Listed
	for _, v := range f.variables {
		if v.real() {
			listed = append(listed, Listed{v.name, slices.Clone(v.dims)})
		}
	}
	return listed
}

// Only is the name of the one array of real numbers that is fit.
func (f *File) Only(fit func(a Listed) bool) (string, error) {
	only := ""
	for _, a := range f.Arrays() {
		if !fit(a) {
			continue
		}
		if only != "" {
			return "", array.Askedf("several arrays that could be meant: say which, x=NAME; it has %s", f.names())
		}
		only = a.Name
	}
	if only == "" {
		return "", fmt.Errorf("no array that could be meant: it has %s", f.names())
	}
	return only, nil
}

// Dims are the dimensions of the array of this name.
func (f *File) Dims(name string) ([]int, error) {
	v, err := f.find(name)
	return slices.Clone(v.dims), err
}

// Read reads the array of this name. Its Shape is the variable's dimensions and
// its numbers are in MATLAB's order, the first dimension running fastest. They
// become float32, except unsigned bytes of a uint8 array and truth values, which
// stay bytes. What is no array of real numbers, and one of more than [MaxBytes], is
// an error.
func (f *File) Read(name string) (a *array.Array, err error) {
	err = f.with(name, func(m *matrix) error {
		a, err = m.numbers()
		return err
	})
	return a, err
}

// ReadLabels reads the array of this name, of which all dimensions but one are 1, as
// labels: whole numbers, of any type.
func (f *File) ReadLabels(name string) (labels []int32, err error) {
	err = f.with(name, func(m *matrix) error {
		labels, err = m.labels()
		return err
	})
	return labels, err
}

// with starts to read the array of this name for use; errors name it.
func (f *File) with(name string, use func(m *matrix) error) error {
	v, err := f.find(name)
	if err != nil {
		return err
	}
	m, err := f.open(v)
	if err == nil {
		err = use(m)
	}
	if err != nil {
		return fmt.Errorf("array %.40q: %w", name, err)
	}
	return nil
}

// find finds the array of real numbers of this name.
func (f *File) find(name string) (variable, error) {
	for _, v := range f.variables {
		switch {
		case v.name != name:
		case !v.real():
			return variable{}, fmt.Errorf("array %.40q: %s, want real numbers", name, v.what())
		default:
			return v, nil
		}
	}
	return variable{}, array.Askedf("no array %.40q in it: it has %s", name, f.names())
}

// real says whether a variable is a full array of real numbers.
func (v variable) real() bool { return v.class.numeric() && !v.complex }

func (v variable) what() string {
	if v.complex {
		return "complex " + v.class.String()
	}
	return v.class.String()
}

const maxNames = 20 // shown in a message

func (f *File) names() string {
	var names []string
	for i, v := range f.variables {
		if i == maxNames {
			names = append(names, "...")
			break
		}
		size := strings.ReplaceAll(strings.Trim(fmt.Sprint(v.dims), "[]"), " ", "x")
		names = append(names, fmt.Sprintf("%.40q (%s %s)", v.name, size, v.what()))
	}
	if names == nil {
		return "no variables"
	}
	return strings.Join(names, ", ")
}

// tagSize is the size of an element's tag; all elements start at a multiple.
const tagSize = 8

// tag is an element's tag. Elements of up to four bytes can hold their body in
// the second half of the tag.
type tag struct {
	kind kind
	size int64
	body *bytes.Reader // of a small element, or nil
}

func (t *tag) read(r io.Reader, order binary.ByteOrder) error {
	var raw [tagSize]byte
	if _, err := io.ReadFull(r, raw[:]); err != nil {
		return ended(err)
	}
	first := order.Uint32(raw[:])
	if size := first >> 16; size != 0 {
		if size > 4 {
			return fmt.Errorf("damaged: a small element of %d bytes, want at most 4", size)
		}
		t.kind, t.size = kind(first&0xffff), int64(size)
		t.body = bytes.NewReader(raw[4 : 4+size])
	} else {
		t.kind, t.size, t.body = kind(first), int64(order.Uint32(raw[4:])), nil
	}
	if !t.kind.known() {
		return fmt.Errorf("damaged: %s", t.kind)
	}
	return nil
}

func padding(size int64) int64 { return -size & (tagSize - 1) }

// ended names the end of a file or of a zlib stream for what it is here.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("truncated: it ends within an element")
	}
	return err
}
