// Package idx reads the IDX format of the MNIST database (described on Yann
// LeCun's MNIST page): two zero bytes, a byte for the type of the numbers, a
// byte for the number of dimensions, the dimensions as 32-bit big-endian
// integers, then the numbers, row-major and big-endian. A file may be gzipped.
package idx

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// Read reads a whole IDX file of size bytes from r, gzipped or not, which is
// told by its first bytes. The header is checked against size before memory is
// taken, and a gzip stream is read no further than the header promises.
func Read(r io.Reader, size int64) (*array.Array, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	start, err := buffered.Peek(2)
	if err != nil {
		return nil, fmt.Errorf("not an IDX file: it has %d bytes", size)
	}
	if start[0] != 0x1f || start[1] != 0x8b {
		return decode(buffered, size, true)
	}
	unzipped, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, fmt.Errorf("damaged: %w", err)
	}
	most := int64(math.MaxInt64)
	if size < most/array.MaxInflation {
		most = size * array.MaxInflation
	}
	a, err := decode(unzipped, most, false)
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return nil, fmt.Errorf("damaged: %w", err)
	}
	return a, err
}

// decode reads an unpacked file of exactly, or at most, size bytes.
func decode(r io.Reader, size int64, exact bool) (*array.Array, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	count, err := array.Count(h.shape, h.number.Size)
	if err != nil {
		return nil, err
	}
	promised := int64(4+4*len(h.shape)) + int64(count)*int64(h.number.Size)
	switch {
	case promised > size:
		return nil, fmt.Errorf("truncated: its header promises %v %s, %d bytes, and it can hold %d at most", h.shape, h.number, promised, size)
	case exact && promised < size:
		return nil, fmt.Errorf("its header promises %v %s, %d bytes, and it has %d", h.shape, h.number, promised, size)
	}
	return array.Read(r, h.shape, h.number)
}

type header struct {
	number array.Type
	shape  []int
}

func readHeader(r io.Reader) (header, error) {
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return header{}, headerError(err)
	}
	if magic[0] != 0 || magic[1] != 0 {
		return header{}, fmt.Errorf("not an IDX file: its first bytes are % x", magic)
	}
	number, ok := numberType(magic[2])
	if !ok {
		return header{}, fmt.Errorf("not an IDX file: 0x%02x is no type of number", magic[2])
	}
	dimensions := int(magic[3])
	if dimensions == 0 || dimensions > array.MaxDimensions {
		return header{}, fmt.Errorf("%d dimensions, want 1 to %d", dimensions, array.MaxDimensions)
	}
	var raw [4 * array.MaxDimensions]byte
	if _, err := io.ReadFull(r, raw[:4*dimensions]); err != nil {
		return header{}, headerError(err)
	}
	h := header{number: number, shape: make([]int, dimensions)}
	for i := range h.shape {
		n := binary.BigEndian.Uint32(raw[4*i:])
		if uint64(n) > math.MaxInt {
			return header{}, fmt.Errorf("dimension %d is %d: too large for this machine's address space", i, n)
		}
		h.shape[i] = int(n)
	}
	return h, nil
}

func headerError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("truncated: it ends within its header")
	}
	return err
}

func numberType(code byte) (array.Type, bool) {
	t, ok := map[byte]array.Type{
		0x08: {Kind: array.Unsigned, Size: 1},
		0x09: {Kind: array.Signed, Size: 1},
		0x0B: {Kind: array.Signed, Size: 2},
		0x0C: {Kind: array.Signed, Size: 4},
		0x0D: {Kind: array.Float, Size: 4},
		0x0E: {Kind: array.Float, Size: 8},
	}[code]
	t.Order = binary.BigEndian
	return t, ok
}
