package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"

	"github.com/unitscope/unitscope/engine/memory"

	"github.com/unitscope/unitscope/engine/half"
)

// File is an open file. Its tensors are read when they are asked for.
type File struct {
	// Metadata holds the file's strings by name; nil if it has none.
	Metadata map[string]string

	source  io.ReaderAt
	data    int64 // where the data section begins
	entries map[string]Entry
	closer  io.Closer
}

// Open opens a file on disk. Every error names it.
func Open(path string) (*File, error) {
	// Stat comes first because opening a named pipe would wait for a writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	file, err := Read(f, info.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file.closer = f
	return file, nil
}

// Read reads the header of a file of size bytes and checks all of it against
// that size. source must stay readable while tensors are read from the File.
func Read(source io.ReaderAt, size int64) (*File, error) {
	if size < lengthSize {
		return nil, fmt.Errorf("safetensors: %d bytes are too short for a header", max(size, 0))
	}
	var length [lengthSize]byte
	if err := readFull(source, length[:], 0); err != nil {
		return nil, err
	}
	if other := otherFormat(length[:]); other != "" {
		return nil, fmt.Errorf("safetensors: not a safetensors file: %s", other)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return nil, fmt.Errorf("safetensors: a header of %d bytes is above the limit of %d (not a safetensors file?)", n, maxHeader)
	}
	if int64(n) > size-lengthSize {
		return nil, fmt.Errorf("safetensors: a header of %d bytes in a file of %d (truncated?)", n, size)
	}
	if err := memory.Check(headerCost * n); err != nil {
		return nil, fmt.Errorf("safetensors: a header of %d bytes: %w", n, err)
	}
	text := make([]byte, n)
	if err := readFull(source, text, lengthSize); err != nil {
		return nil, err
	}
	data := lengthSize + int64(n)
	h, err := parseHeader(text, size-data)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	return &File{Metadata: h.metadata, source: source, data: data, entries: h.entries}, nil
}

// otherFormat says what begins like this and is no safetensors file, "" if nothing
// known does. As the length of a header they would be 64 MiB and more.
func otherFormat(start []byte) string {
	for _, f := range []struct{ magic, is string }{
		{"PK\x03\x04", "it is a zip archive, as PyTorch's .pt and numpy's .npz are; write the tensors with safetensors' save_file"},
		{"\x89HDF\r\n\x1a\n", "it is HDF5, as Keras' .h5 is; write the tensors with safetensors' save_file"},
		{"\x93NUMPY", "it is an array of numpy; write the tensors with safetensors' save_file"},
		{"version ", "it is what git keeps in place of a large file; get that with git lfs pull"},
	} {
		if bytes.HasPrefix(start, []byte(f.magic)) {
			return f.is
		}
	}
	return ""
}

// Close closes a file that [Open] opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Names lists the tensors, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.entries)) }

// Entry describes a tensor without reading it; ok is false if there is none of
// that name.
func (f *File) Entry(name string) (e Entry, ok bool) {
	e, ok = f.entries[name]
	e.Shape = slices.Clone(e.Shape)
	return e, ok
}

// Tensor reads a tensor. F32, F16 and BF16 are exact; F64 is rounded to
// float32, and a finite number beyond float32's range is an error, as is any
// other type, and a tensor that there is no memory for (which wraps
// [engine.ErrOutOfMemory]).
func (f *File) Tensor(name string) (Tensor, error) {
	e, ok := f.Entry(name)
	if !ok {
		return Tensor{}, fmt.Errorf("tensor %.200q is missing", name)
	}
	decode, err := Decoder(e.Type)
	if err != nil {
		return Tensor{}, fmt.Errorf("tensor %.200q: %w", name, err)
	}
	if err := memory.CheckFloats(e.Size(), 1); err != nil {
		return Tensor{}, fmt.Errorf("tensor %.200q: %w", name, err)
	}
	t := Tensor{Name: name, Shape: e.Shape, Data: make([]float32, e.Size())}
	if len(t.Data) == 0 {
		return t, nil
	}
	size := int(e.to-e.from) / len(t.Data)
	buffer := make([]byte, min(e.to-e.from, 1<<16))
	for done := 0; done < len(t.Data); {
		part := t.Data[done:min(done+len(buffer)/size, len(t.Data))]
		raw := buffer[:len(part)*size]
		if err := readFull(f.source, raw, f.data+e.from+int64(done*size)); err != nil {
			return Tensor{}, fmt.Errorf("tensor %.200q: %w", name, err)
		}
		for i := range part {
			if part[i], err = decode(raw[i*size:]); err != nil {
				return Tensor{}, fmt.Errorf("tensor %.200q, index %d: %w", name, done+i, err)
			}
		}
		done += len(part)
	}
	return t, nil
}

func readFull(source io.ReaderAt, p []byte, at int64) error {
	n, err := source.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("safetensors: read %d bytes at %d: %w", len(p), at, err)
}

// Decoder returns how to read one little-endian number of a type that [File.Tensor]
// reads; raw holds at least its bytes.
func Decoder(dtype string) (func(raw []byte) (float32, error), error) {
	switch dtype {
	case "F32":
		return func(raw []byte) (float32, error) {
			return math.Float32frombits(binary.LittleEndian.Uint32(raw)), nil
		}, nil
	case "BF16":
		return func(raw []byte) (float32, error) {
			return math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw)) << 16), nil
		}, nil
	case "F16":
		return func(raw []byte) (float32, error) {
			return half.Float32(binary.LittleEndian.Uint16(raw)), nil
		}, nil
	case "F64":
		return func(raw []byte) (float32, error) {
			x := math.Float64frombits(binary.LittleEndian.Uint64(raw))
			y := float32(x)
			if math.IsInf(float64(y), 0) && !math.IsInf(x, 0) {
				return 0, fmt.Errorf("%g is beyond the range of float32", x)
			}
			return y, nil
		}, nil
	}
	return nil, fmt.Errorf("numbers of type %s can't be read as float32, want F32, F64, F16 or BF16", dtype)
}
