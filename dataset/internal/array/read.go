package array

import (
	"errors"
	"fmt"
	"io"

	"github.com/unitscope/unitscope/engine/memory"
)

// Read reads an array of this shape from r, which may go on after it. What it takes
// must fit into memory, which is checked first.
func Read(r io.Reader, shape []int, t Type) (*Array, error) {
	count, err := Count(shape, t.Size)
	if err != nil {
		return nil, err
	}
	a := &Array{Shape: shape, Type: t}
	switch {
	case t.Kind == Bool:
		a.Bytes, err = read(r, count, 1, noError(truths))
	case t.isBytes():
		a.Bytes, err = read(r, count, 1, noError(func(dst, src []byte) { copy(dst, src) }))
	default:
		a.Floats, err = read(r, count, t.Size, noError(t.floats))
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// ReadLabels reads count labels from r: whole numbers from -2^31 to 2^31-1 of any
// type, floating point and truth values included.
func ReadLabels(r io.Reader, count int, t Type) ([]int32, error) {
	if _, err := Count([]int{count}, t.Size); err != nil {
		return nil, err
	}
	from := 0
	return read(r, count, t.Size, func(dst []int32, src []byte) error {
		err := t.labels(dst, src, from)
		from += len(dst)
		return err
	})
}

func noError[T any](decode func(dst []T, src []byte)) func([]T, []byte) error {
	return func(dst []T, src []byte) error {
		decode(dst, src)
		return nil
	}
}

const (
	chunkBytes = 1 << 16 // read at a time; a multiple of every number's size
	firstItems = 1 << 16 // room made before anything was read
)

// read reads count numbers of size bytes, chunk by chunk.
func read[T any](r io.Reader, count, size int, decode func(dst []T, src []byte) error) ([]T, error) {
	if err := checkRoom[T](count); err != nil {
		return nil, err
	}
	data := make([]T, 0, min(count, firstItems))
	var buffer [chunkBytes]byte
	for len(data) < count {
		items := min(count-len(data), chunkBytes/size)
		got, err := io.ReadFull(r, buffer[:items*size])
		if err != nil {
			return nil, cut(err, len(data)+got/size, count)
		}
		data = grow(data, items, count)
		if err := decode(data[len(data)-items:], buffer[:items*size]); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// trusted is how many times what has arrived a header may promise for all its room to
// be made at once. Before, room doubles; so a false header takes no more than this, and
// a true one its own length and a sixteenth for a moment.
const trusted = 16

// grow lengthens data by items, making more room if need be.
func grow[T any](data []T, items, count int) []T {
	length := len(data) + items
	if length > cap(data) {
		room := min(count, max(length, 2*cap(data)))
		if length >= count/trusted {
			room = count
		}
		more := make([]T, len(data), room)
		copy(more, data)
		data = more
	}
	return data[:length]
}

// checkRoom checks that count numbers of type T fit into memory.
func checkRoom[T any](count int) error {
	var number T
	size := uint64(1)
	switch any(number).(type) {
	case float32, int32:
		size = 4
	}
	return CheckRoom(size * uint64(count))
}

const (
	smallRoom = 1 << 20 // bytes not worth asking the system for
	gibibyte  = 1 << 30
)

// CheckRoom checks that there is memory for so many bytes.
func CheckRoom(bytes uint64) error {
	if bytes < smallRoom {
		return nil
	}
	if available, ok := memory.Available(); ok && bytes > available {
		return fmt.Errorf("its numbers take %.1f GiB of memory, there are %.1f GiB", float64(bytes)/gibibyte, float64(available)/gibibyte)
	}
	return nil
}

func cut(err error, got, count int) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("truncated: it ends after %d of %d numbers", got, count)
	}
	return err
}
