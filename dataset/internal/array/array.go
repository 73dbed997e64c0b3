// Package array reads the numbers of an array from a stream whose header may
// lie about their count. Memory grows with the bytes that really arrive, so a
// false header costs no more than a true one of the file's own size.
package array

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Array is an array in row-major order. Unsigned bytes and truth values are bytes,
// all other numbers become float32; exactly one of Bytes and Floats is set.
type Array struct {
	Shape  []int
	Type   Type // in which its numbers were stored
	Bytes  []byte
	Floats []float32
}

// Kind is what the bits of a number mean.
type Kind byte

// The kinds, by the letter that numpy gives them.
const (
	Unsigned Kind = 'u'
	Signed   Kind = 'i'
	Float    Kind = 'f'
	Bool     Kind = 'b' // a byte, 0 or 1
)

// Type is how a number is stored.
type Type struct {
	Kind  Kind
	Size  int // bytes
	Order binary.ByteOrder
}

func (t Type) String() string {
	if t.Kind == Bool {
		return "bool"
	}
	name := map[Kind]string{Unsigned: "uint", Signed: "int", Float: "float"}[t.Kind]
	return fmt.Sprintf("%s%d", name, 8*t.Size)
}

// MaxDimensions is far more than a data set has, and keeps headers and messages
// short.
const MaxDimensions = 8

// Count is the number of elements of a shape. A negative length, and a count
// whose bytes an int can't hold, are errors.
func Count(shape []int, itemSize int) (int, error) {
	if len(shape) > MaxDimensions {
		return 0, fmt.Errorf("%d dimensions, want at most %d", len(shape), MaxDimensions)
	}
	count := 1
	for _, n := range shape {
		if n < 0 {
			return 0, fmt.Errorf("shape %v has a negative length", shape)
		}
		if n > 0 && count > math.MaxInt/itemSize/n {
			return 0, fmt.Errorf("shape %v is too large for this machine's address space", shape)
		}
		count *= n
	}
	return count, nil
}

// MaxInflation is the most bytes that one byte of a deflate stream can stand
// for (zlib's documentation: 1032:1). A header that promises more than the
// compressed size times this is false without reading further.
const MaxInflation = 1032

// Read reads an array of this shape from r, which must end right after it.
func Read(r io.Reader, shape []int, t Type) (*Array, error) {
	count, err := Count(shape, t.Size)
	if err != nil {
		return nil, err
	}
	a := &Array{Shape: shape, Type: t}
	switch {
	case t.Kind == Bool:
		a.Bytes, err = read(r, count, 1, truths)
	case t.Kind == Unsigned && t.Size == 1:
		a.Bytes, err = read(r, count, 1, func(dst, src []byte) { copy(dst, src) })
	default:
		a.Floats, err = read(r, count, t.Size, t.floats)
	}
	if err == nil {
		err = checkEnd(r)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// ReadLabels reads count whole numbers from r, which must end right after them.
// Labels outside -2^31..2^31-1 are refused.
func ReadLabels(r io.Reader, count int, t Type) ([]int32, error) {
	if t.Kind == Float {
		return nil, fmt.Errorf("labels are %s, want whole numbers", t)
	}
	if _, err := Count([]int{count}, t.Size); err != nil {
		return nil, err
	}
	wide, err := read(r, count, t.Size, t.integers)
	if err == nil {
		err = checkEnd(r)
	}
	if err != nil {
		return nil, err
	}
	labels := make([]int32, len(wide))
	for i, l := range wide {
		if l < math.MinInt32 || l > math.MaxInt32 {
			return nil, fmt.Errorf("label %d is out of range", i)
		}
		labels[i] = int32(l)
	}
	return labels, nil
}

const (
	chunkBytes = 1 << 16 // read at a time; a multiple of every number's size
	firstItems = 1 << 16 // room made before anything was read
)

// read reads count numbers of size bytes, chunk by chunk.
func read[T any](r io.Reader, count, size int, decode func(dst []T, src []byte)) ([]T, error) {
	data := make([]T, 0, min(count, firstItems))
	var buffer [chunkBytes]byte
	for len(data) < count {
		items := min(count-len(data), chunkBytes/size)
		got, err := io.ReadFull(r, buffer[:items*size])
		if err != nil {
			return nil, cut(err, len(data)+got/size, count)
		}
		data = grow(data, items, count)
		decode(data[len(data)-items:], buffer[:items*size])
	}
	return data, nil
}

// grow lengthens data by items, doubling its room but never beyond count.
func grow[T any](data []T, items, count int) []T {
	length := len(data) + items
	if length > cap(data) {
		more := make([]T, len(data), min(count, max(length, 2*cap(data))))
		copy(more, data)
		data = more
	}
	return data[:length]
}

func cut(err error, got, count int) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("truncated: it ends after %d of %d numbers", got, count)
	}
	return err
}

func checkEnd(r io.Reader) error {
	var extra [1]byte
	switch _, err := io.ReadFull(r, extra[:]); {
	case err == nil:
		return errors.New("bytes follow the last number that the header promises")
	case err == io.EOF:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("truncated: its last bytes are missing")
	default:
		return err
	}
}
