// Package numpy reads numpy's npy files and npz archives. The header of an
// array is parsed by github.com/sbinet/npyio; its length, shape and type are
// checked against the file's size here, before any memory is taken, and the
// numbers are read here too, because npyio asks for them one at a time and
// takes the end of the file for zeros.
package numpy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/sbinet/npyio/npy"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// Array is an array in row-major order: Bytes for unsigned bytes, else Floats.
type Array = array.Array

// maxHeader is more than numpy itself reads without being told that a file is
// to be trusted (10,000 bytes).
const maxHeader = 1 << 14

// header describes the numbers that follow it.
type header struct {
	number  array.Type
	shape   []int
	fortran bool // the first dimension runs fastest
	count   int
}

// Read reads an npy file of size bytes: unsigned, signed or float numbers of
// any size and byte order, in row-major or Fortran order, which comes out
// row-major.
func Read(r io.Reader, size int64) (*Array, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	a, err := array.Read(r, h.shape, h.number)
	if err != nil {
		return nil, err
	}
	if h.fortran {
		a.Bytes, a.Floats = rowMajor(a.Bytes, h.shape), rowMajor(a.Floats, h.shape)
	}
	return a, nil
}

// readLabels reads an npy file of size bytes that holds one whole number per
// example, of shape [n] or [n, 1].
func readLabels(r io.Reader, size int64) ([]int32, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	if len(h.shape) == 0 || h.shape[0] != h.count {
		return nil, fmt.Errorf("labels have shape %v, want one per example", h.shape)
	}
	return array.ReadLabels(r, h.count, h.number)
}

// readHeader reads a header and checks that what it promises is size bytes.
func readHeader(r io.Reader, size int64) (header, error) {
	text, err := headerBytes(r, size)
	if err != nil {
		return header{}, err
	}
	parsed, err := parse(text)
	if err != nil {
		return header{}, err
	}
	h := header{shape: parsed.Descr.Shape, fortran: parsed.Descr.Fortran}
	if h.number, err = numberType(parsed.Descr.Type); err != nil {
		return header{}, err
	}
	if h.count, err = array.Count(h.shape, h.number.Size); err != nil {
		return header{}, err
	}
	if promised, has := int64(h.count)*int64(h.number.Size), size-int64(len(text)); promised != has {
		return header{}, fmt.Errorf("its header promises %v %s, %d bytes, and %d follow it", h.shape, h.number, promised, has)
	}
	return h, nil
}

// headerBytes reads the header, from the magic bytes to its last newline.
func headerBytes(r io.Reader, size int64) ([]byte, error) {
	start := make([]byte, 12, maxHeader)
	if _, err := io.ReadFull(r, start[:10]); err != nil || !bytes.Equal(start[:6], npy.Magic[:]) {
		return nil, errors.New("not an npy file")
	}
	length := int64(binary.LittleEndian.Uint16(start[8:]))
	before := int64(10)
	if start[6] >= 2 {
		if _, err := io.ReadFull(r, start[10:12]); err != nil {
			return nil, errors.New("truncated: it ends within its header")
		}
		length, before = int64(binary.LittleEndian.Uint32(start[8:])), 12
	}
	if before+length > min(size, maxHeader) {
		return nil, fmt.Errorf("a header of %d bytes in a file of %d (at most %d are read)", length, size, maxHeader)
	}
	text := start[:before+length]
	if _, err := io.ReadFull(r, text[before:]); err != nil {
		return nil, errors.New("truncated: it ends within its header")
	}
	return text, nil
}

// parse has npyio parse a header. npyio slices without looking, so a header
// that lacks what it expects makes it panic, which is the file's fault.
func parse(text []byte) (h npy.Header, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("its header is not a dictionary of descr, fortran_order and shape")
		}
	}()
	r, err := npy.NewReader(bytes.NewReader(text))
	if err != nil {
		return npy.Header{}, fmt.Errorf("header: %w", err)
	}
	return r.Header, nil
}

// numberType understands numpy's "<f4": byte order, kind and size.
func numberType(text string) (array.Type, error) {
	t := array.Type{Order: binary.LittleEndian}
	if text == "|b1" {
		return array.Type{Kind: array.Bool, Size: 1}, nil
	}
	if len(text) != 3 {
		return t, fmt.Errorf("numbers of type %.40q: want whole or floating-point ones", text)
	}
	if text[0] == '>' {
		t.Order = binary.BigEndian
	}
	t.Kind = array.Kind(text[1])
	t.Size, _ = strconv.Atoi(text[2:])
	var ok bool
	switch t.Kind {
	case array.Unsigned, array.Signed:
		ok = t.Size == 1 || t.Size == 2 || t.Size == 4 || t.Size == 8
	case array.Float:
		ok = t.Size == 4 || t.Size == 8
	}
	if !ok {
		return t, fmt.Errorf("numbers of type %q: want u1, u2, u4, u8, i1, i2, i4, i8, f4 or f8", text)
	}
	return t, nil
}

// rowMajor reorders numbers of this shape from Fortran order.
func rowMajor[T any](data []T, shape []int) []T {
	if data == nil {
		return nil
	}
	strides := make([]int, len(shape)) // in the result
	stride := 1
	for d := len(shape) - 1; d >= 0; d-- {
		strides[d] = stride
		stride *= shape[d]
	}
	result := make([]T, len(data))
	at := make([]int, len(shape))
	to := 0
	for _, v := range data {
		result[to] = v
		for d := range shape {
			at[d]++
			to += strides[d]
			if at[d] < shape[d] {
				break
			}
			to -= strides[d] * shape[d]
			at[d] = 0
		}
	}
	return result
}
