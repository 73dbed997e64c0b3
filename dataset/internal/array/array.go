// Package array reads the numbers of an array from a stream whose header may
// lie about their count. Memory grows with the bytes that really arrive, so a
// false header costs no more than a true one of sixteen times the bytes.
package array

import (
	"encoding/binary"
	"fmt"
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
	Text     Kind = 't' // written in digits
)

// Type is how a number is stored.
type Type struct {
	Kind  Kind
	Size  int // bytes
	Order binary.ByteOrder
}

func (t Type) String() string {
	switch t.Kind {
	case Bool:
		return "bool"
	case Text:
		return "text"
	}
	name := map[Kind]string{Unsigned: "uint", Signed: "int", Float: "float"}[t.Kind]
	return fmt.Sprintf("%s%d", name, 8*t.Size)
}

// isBytes is true of numbers that stay bytes.
func (t Type) isBytes() bool { return t.Kind == Bool || t.Kind == Unsigned && t.Size == 1 }

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

// Unpacked is the most bytes that so many bytes of deflate streams can stand for.
func Unpacked(size int64) int64 {
	if size > math.MaxInt64/MaxInflation {
		return math.MaxInt64
	}
	return size * MaxInflation
}
