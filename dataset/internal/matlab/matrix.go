package matlab

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// matrix is a variable that is being read: its beginning has been, and r stands
// at its numbers.
type matrix struct {
	r       *io.LimitedReader // of the element's body
	order   binary.ByteOrder
	end     io.Reader // what a zlib stream holds beyond the matrix, or nil
	class   class
	complex bool
	logical bool // its numbers are truth values
	dims    []int
	name    string
}

// The flags of a matrix that matter here.
const (
	flagComplex = 0x0800 // imaginary parts follow
	flagLogical = 0x0200
)

// newMatrix reads the beginning of a matrix whose body is size bytes of r.
func newMatrix(r io.Reader, size int64, order binary.ByteOrder) (*matrix, error) {
	m := &matrix{r: &io.LimitedReader{R: r, N: size}, order: order}
	flags, err := m.small("flags", 8, miUint32)
	if err != nil {
		return nil, err
	}
	if len(flags) != 8 {
		return nil, fmt.Errorf("damaged: %d bytes of flags, want 8", len(flags))
	}
	word := order.Uint32(flags)
	m.class, m.complex, m.logical = class(word), word&flagComplex != 0, word&flagLogical != 0
	if m.class == 0 || m.class >= classOpaque {
		return m, nil // MATLAB's own, and anything newer: what follows the flags differs
	}
	if err := m.readDims(); err != nil {
		return nil, err
	}
	name, err := m.small("name", maxName, miInt8, miUint8, miUTF8)
	if err != nil {
		return nil, err
	}
	m.name = string(name)
	return m, nil
}

// readDims reads the dimensions, which MATLAB stores as int32 and some programs as
// uint32.
func (m *matrix) readDims() error {
	raw, err := m.small("dimensions", 4*array.MaxDimensions, miInt32, miUint32)
	if err != nil {
		return err
	}
	if len(raw) < 8 || len(raw)%4 != 0 {
		return fmt.Errorf("damaged: %d bytes of dimensions, want 8, 12, ... or %d", len(raw), 4*array.MaxDimensions)
	}
	m.dims = make([]int, len(raw)/4)
	for i := range m.dims {
		m.dims[i] = int(int32(m.order.Uint32(raw[4*i:])))
	}
	return nil
}

// small reads a whole element of one of these types and at most so many bytes.
func (m *matrix) small(what string, most int64, kinds ...kind) ([]byte, error) {
	t, body, err := m.next()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if !slices.Contains(kinds, t.kind) {
		return nil, fmt.Errorf("damaged: its %s are %s", what, t.kind)
	}
	if t.size > most {
		return nil, fmt.Errorf("%d bytes of %s, want at most %d", t.size, what, most)
	}
	data := make([]byte, t.size)
	if _, err := io.ReadFull(body, data); err != nil {
		return nil, fmt.Errorf("%s: %w", what, ended(err))
	}
	return data, m.pad(t)
}

// next reads the tag of the next element and returns its body.
func (m *matrix) next() (tag, io.Reader, error) {
	var t tag
	if err := t.read(m.r, m.order); err != nil {
		return t, nil, err
	}
	if t.body != nil {
		return t, t.body, nil
	}
	if t.size > m.r.N {
		return t, nil, fmt.Errorf("damaged: %s of %d bytes where %d are left of the variable", t.kind, t.size, m.r.N)
	}
	return t, io.LimitReader(m.r, t.size), nil
}

// pad steps over the bytes between an element and the next. The last element of
// a variable may do without.
func (m *matrix) pad(t tag) error {
	if t.body != nil {
		return nil
	}
	_, err := io.CopyN(io.Discard, m.r, min(padding(t.size), m.r.N))
	if err != nil {
		return ended(err)
	}
	return nil
}

// numbers reads the numbers of a real, full array.
func (m *matrix) numbers() (*array.Array, error) {
	t, body, err := m.next()
	if err != nil {
		return nil, err
	}
	stored, err := m.stored(t)
	if err != nil {
		return nil, err
	}
	a, err := array.Read(body, m.dims, stored)
	if err != nil {
		return nil, err
	}
	if stored.Kind != array.Bool {
		if a.Bytes != nil && m.class != classUint8 { // small whole numbers of a wider class
			a = widened(a)
		}
		a.Type = m.class.numbers()
	}
	return a, m.finish(t)
}

// labels reads the numbers of a real, full array of one number per example.
func (m *matrix) labels() ([]int32, error) {
	t, body, err := m.next()
	if err != nil {
		return nil, err
	}
	stored, err := m.stored(t)
	if err != nil {
		return nil, err
	}
	count, err := array.Count(m.dims, stored.Size)
	if err != nil {
		return nil, err
	}
	if slices.Max(m.dims) != count {
		return nil, fmt.Errorf("labels have dimensions %v, want one number per example", m.dims)
	}
	labels, err := array.ReadLabels(body, count, stored)
	if err != nil {
		return nil, err
	}
	return labels, m.finish(t)
}

// stored is the type in which the element t holds the numbers, if there are as many
// as the dimensions say.
func (m *matrix) stored(t tag) (array.Type, error) {
	stored, ok := t.kind.stored()
	if !ok {
		return stored, fmt.Errorf("damaged: its numbers are %s", t.kind)
	}
	stored.Order = m.order
	count, err := array.Count(m.dims, stored.Size)
	if err != nil {
		return stored, err
	}
	if promised := int64(count) * int64(stored.Size); promised != t.size {
		return stored, fmt.Errorf("damaged: dimensions %v of %s are %d bytes, and it has %d", m.dims, stored, promised, t.size)
	}
	if t.size > MaxBytes {
		return stored, fmt.Errorf("dimensions %v of %s are %d bytes, want at most %d", m.dims, stored, t.size, MaxBytes)
	}
	switch {
	case m.logical && stored.Size == 1:
		stored.Kind = array.Bool
	case m.class == classUint8 && (stored.Kind != array.Unsigned || stored.Size != 1):
		return stored, fmt.Errorf("damaged: bytes stored as %s", stored)
	}
	return stored, nil
}

func widened(a *array.Array) *array.Array {
	floats := make([]float32, len(a.Bytes))
	for i, b := range a.Bytes {
		floats[i] = float32(b)
	}
	return &array.Array{Shape: a.Shape, Floats: floats}
}

// finish reads what is left of a variable behind its numbers, the element t.
func (m *matrix) finish(t tag) error {
	if err := m.pad(t); err != nil {
		return err
	}
	return m.checkEnd()
}

// checkEnd checks that nothing follows the numbers, and with that the checksum
// of a compressed variable.
func (m *matrix) checkEnd() error {
	if m.r.N > 0 {
		return fmt.Errorf("damaged: %d bytes follow its numbers", m.r.N)
	}
	if m.end == nil {
		return nil
	}
	switch n, err := io.CopyN(io.Discard, m.end, tagSize); {
	case n == tagSize:
		return errors.New("damaged: more than one variable in a compressed element")
	case errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("truncated: the last bytes of its compressed element are missing")
	default:
		return fmt.Errorf("damaged: %w", err)
	}
}

// unpack reads the beginning of a matrix out of a zlib stream of size bytes.
// The matrix can't be longer than so many bytes can stand for, and the stream is
// read no further than its matrix.
func unpack(r io.Reader, size int64, order binary.ByteOrder) (*matrix, error) {
	stream, err := zlib.NewReader(bufio.NewReader(r))
	if err != nil {
		return nil, packedError(err)
	}
	var t tag
	if err := t.read(stream, order); err != nil {
		return nil, packedError(err)
	}
	if t.kind != miMatrix || t.body != nil {
		return nil, fmt.Errorf("damaged: %s in a compressed element, want a matrix", t.kind)
	}
	if t.size > size*array.MaxInflation {
		return nil, fmt.Errorf("damaged: %d compressed bytes can't hold the %d that are promised", size, t.size)
	}
	m, err := newMatrix(stream, t.size, order)
	if err != nil {
		return nil, packedError(err)
	}
	m.end = stream
	return m, nil
}

func packedError(err error) error {
	if errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary) {
		return fmt.Errorf("damaged: %w", err)
	}
	return ended(err)
}
