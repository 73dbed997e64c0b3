// Package numpy reads numpy's npy files and npz archives: every header that numpy
// reads, of versions 1.0 to 3.0, and numbers of every type that examples can be of.
//
//	x, err := numpy.Read(file, size)                // an npy file
//	archive, err := numpy.OpenArchive(file, size)   // an npz file
//	x, err := archive.Read("x")
//
// An [Array] has its shape, and its numbers row by row: bytes as bytes, all others as
// float32. [Open] and [Archive.With] read one piece by piece.
//
// The header's length, shape and type are checked against the file's size before any
// memory is taken. (Package npyio, which the tests write with, finds the parts of a
// header by the spacing that numpy itself writes, and takes the end of a file for
// zeros.)
package numpy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/dataset/internal/gunzip"
)

type (
	// Array is an array in row-major order: Bytes for unsigned bytes and truth
	// values, else Floats.
	Array = array.Array
	// File is an npy file whose header has been read.
	File = array.File
)

// maxHeader is more than numpy itself reads without being told that a file is
// to be trusted (10,000 bytes).
const maxHeader = 1 << 14

var magic = []byte("\x93NUMPY")

// Open reads the header of an npy file of size bytes: of truth values, or of
// unsigned, signed or float numbers of any size and byte order, in row-major or Fortran
// order. A file may be gzipped. Bytes that follow the numbers are remarked on.
func Open(r io.Reader, size int64) (*File, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	if !gunzip.IsPacked(buffered) {
		return open(&File{Numbers: buffered}, size)
	}
	packed, err := gunzip.NewStream(buffered)
	if err != nil {
		return nil, err
	}
	return open(&File{Numbers: packed, Packed: packed}, array.Unpacked(size))
}

// Read reads an npy file of size bytes, as [Open] describes.
func Read(r io.Reader, size int64) (*Array, error) {
	f, err := Open(r, size)
	if err != nil {
		return nil, err
	}
	return f.Read()
}

// open reads a header, and checks that what it promises is no more than size bytes.
func open(f *File, size int64) (*File, error) {
	text, length, err := headerText(f.Numbers, size)
	if err != nil {
		return nil, err
	}
	descr, err := parseHeader(text, f)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if f.Type, err = numberType(descr); err != nil {
		return nil, err
	}
	count, err := array.Count(f.Shape, f.Type.Size)
	if err != nil {
		return nil, err
	}
	if promised, has := int64(count)*int64(f.Type.Size), size-length; promised > has {
		most := ""
		if f.Packed != nil {
			most = " at most"
		}
		return nil, fmt.Errorf("truncated: its header promises %v %s, %d bytes, and %d follow it%s", f.Shape, f.Type, promised, has, most)
	}
	return f, nil
}

var errCutHeader = errors.New("truncated: it ends within its header")

// headerText reads what numpy wrote of the array, and says how many bytes of the file
// come before the numbers.
func headerText(r io.Reader, size int64) (text string, length int64, err error) {
	var start [12]byte
	if _, err := io.ReadFull(r, start[:10]); err != nil || !bytes.Equal(start[:6], magic) {
		return "", 0, fmt.Errorf("not an npy file%s", otherwise(start[:], size))
	}
	before, long := int64(10), int64(binary.LittleEndian.Uint16(start[8:]))
	switch major, minor := start[6], start[7]; {
	case major < 1 || major > 3 || minor != 0:
		return "", 0, fmt.Errorf("version %d.%d of the npy format, want 1.0, 2.0 or 3.0", major, minor)
	case major > 1:
		if _, err := io.ReadFull(r, start[10:]); err != nil {
			return "", 0, errCutHeader
		}
		before, long = 12, int64(binary.LittleEndian.Uint32(start[8:]))
	}
	if before+long > min(size, maxHeader) {
		return "", 0, fmt.Errorf("a header of %d bytes in a file of %d (at most %d are read)", long, size, maxHeader)
	}
	header := make([]byte, long)
	if _, err := io.ReadFull(r, header); err != nil {
		return "", 0, errCutHeader
	}
	text, err = decode(header, start[6])
	return text, before + long, err
}

// otherwise says what a file is that begins like this and is no npy file, if that is
// known.
func otherwise(start []byte, size int64) string {
	switch {
	case size == 0:
		return ": it is empty"
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return ": it is a zip archive, which npz reads if its arrays are numpy's"
	}
	return ""
}

// decode is the text of a header: Latin-1 before version 3.0, UTF-8 since.
func decode(header []byte, major byte) (string, error) {
	if major >= 3 {
		if !utf8.Valid(header) {
			return "", errors.New("header: it is no UTF-8, as version 3.0 has it")
		}
		return string(header), nil
	}
	runes := make([]rune, len(header))
	for i, b := range header {
		runes[i] = rune(b)
	}
	return string(runes), nil
}

// parseHeader fills in the shape and the order, and is the type of the numbers. The
// header has just the three keys that it needs.
func parseHeader(text string, f *File) (descr any, err error) {
	value, err := parseLiteral(text)
	if err != nil {
		return nil, err
	}
	entries, ok := value.(map[string]any)
	descr, typed := entries["descr"]
	fortran, ordered := entries["fortran_order"]
	shape, shaped := entries["shape"]
	if !ok || !typed || !ordered || !shaped || len(entries) != 3 {
		return nil, errors.New("not a dictionary of descr, fortran_order and shape")
	}
	if f.Fortran, ok = fortran.(bool); !ok {
		return nil, fmt.Errorf("fortran_order is %.40q, want True or False", fmt.Sprint(fortran))
	}
	lengths, ok := shape.(tuple)
	if !ok {
		return nil, fmt.Errorf("shape is %.40q, want a tuple of whole numbers", fmt.Sprint(shape))
	}
	f.Shape = make([]int, len(lengths))
	for i, length := range lengths {
		if f.Shape[i], ok = length.(int); !ok {
			return nil, fmt.Errorf("a length of shape is %.40q, want whole numbers", fmt.Sprint(length))
		}
	}
	return descr, nil
}
