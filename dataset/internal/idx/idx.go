// Package idx reads the IDX format of the MNIST database (described on Yann
// LeCun's MNIST page): two zero bytes, a byte for the type of the numbers, a
// byte for the number of dimensions, the dimensions as 32-bit big-endian
// integers, then the numbers, row-major and big-endian. A file may be gzipped.
package idx

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/dataset/internal/gunzip"
)

// Open reads the header of an IDX file of size bytes from r, gzipped or not, which is
// told by its first bytes. The header is checked against size before memory is
// taken, and a gzip stream is read no further than the header promises.
func Open(r io.Reader, size int64) (*array.File, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	if _, err := buffered.Peek(2); err != nil {
		return nil, fmt.Errorf("not an IDX file: it has %d bytes", size)
	}
	if !gunzip.IsPacked(buffered) {
		return open(&array.File{Numbers: buffered, Alone: true}, size)
	}
	packed, err := gunzip.NewStream(buffered)
	if err != nil {
		return nil, err
	}
	return open(&array.File{Numbers: packed, Alone: true, Packed: packed}, array.Unpacked(size))
}

// open reads the header of an unpacked file of exactly, or at most, size bytes.
func open(f *array.File, size int64) (*array.File, error) {
	if err := readHeader(f); err != nil {
		return nil, err
	}
	count, err := array.Count(f.Shape, f.Type.Size)
	if err != nil {
		return nil, err
	}
	promised := int64(4+4*len(f.Shape)) + int64(count)*int64(f.Type.Size)
	switch {
	case promised > size:
		return nil, fmt.Errorf("truncated: its header promises %v %s, %d bytes, and it can hold %d at most", f.Shape, f.Type, promised, size)
	case f.Packed == nil && promised < size:
		return nil, fmt.Errorf("its header promises %v %s, %d bytes, and it has %d", f.Shape, f.Type, promised, size)
	}
	return f, nil
}

func readHeader(f *array.File) error {
	var magic [4]byte
	if _, err := io.ReadFull(f.Numbers, magic[:]); err != nil {
		return headerError(err)
	}
	if magic[0] != 0 || magic[1] != 0 {
		return fmt.Errorf("not an IDX file: its first bytes are % x", magic)
	}
	var ok bool
	if f.Type, ok = numberType(magic[2]); !ok {
		return fmt.Errorf("not an IDX file: 0x%02x is no type of number", magic[2])
	}
	dimensions := int(magic[3])
	if dimensions == 0 || dimensions > array.MaxDimensions {
		return fmt.Errorf("%d dimensions, want 1 to %d", dimensions, array.MaxDimensions)
	}
	var raw [4 * array.MaxDimensions]byte
	if _, err := io.ReadFull(f.Numbers, raw[:4*dimensions]); err != nil {
		return headerError(err)
	}
	f.Shape = make([]int, dimensions)
	for i := range f.Shape {
		n := binary.BigEndian.Uint32(raw[4*i:])
		if uint64(n) > math.MaxInt {
			return fmt.Errorf("dimension %d is %d: too large for this machine's address space", i, n)
		}
		f.Shape[i] = int(n)
	}
	return nil
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
