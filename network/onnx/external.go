package onnx

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// folder is where a model file is. Files that hold tensors for it are read in there,
// whatever the model says of where they are.
type folder struct {
	path  string
	root  *os.Root
	taken map[string]int64 // how many bytes of each file tensors have been read from
}

// read returns the bytes of a tensor that is in a file of its own; the names of the
// fields are ONNX's.
func (f *folder) read(fields []*pb.StringStringEntryProto, bytes int64) ([]byte, error) {
	location, offset, length := "", int64(0), bytes
	for _, e := range fields {
		var err error
		switch e.GetKey() {
		case "location":
			location = e.GetValue()
		case "offset":
			offset, err = strconv.ParseInt(e.GetValue(), 10, 64)
		case "length":
			length, err = strconv.ParseInt(e.GetValue(), 10, 64)
		}
		if err != nil {
			return nil, fmt.Errorf("its %s is %s, want a whole number", e.GetKey(), shown(e.GetValue()))
		}
	}
	if length != bytes {
		return nil, fmt.Errorf("its shape needs %d bytes, and it is said to have %d in %s", bytes, length, shown(location))
	}
	file, size, err := f.open(location)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if offset < 0 || offset > size || bytes > size-offset {
		return nil, fmt.Errorf("it is said to be %d bytes from byte %d of %s, which has %d: is that file complete?", bytes, offset, shown(location), size)
	}
	// Otherwise a small file could be many large tensors.
	name := filepath.Clean(location)
	if f.taken[name] += bytes; f.taken[name] > size {
		return nil, fmt.Errorf("the tensors in %s have more bytes than it: they overlap", shown(location))
	}
	if err := memory.Check(uint64(bytes)); err != nil {
		return nil, err
	}
	data := make([]byte, bytes)
	if _, err := io.ReadFull(io.NewSectionReader(file, offset, bytes), data); err != nil {
		return nil, fmt.Errorf("read %s: %w", shown(location), err)
	}
	return data, nil
}

// open opens a file inside the folder and returns its size.
func (f *folder) open(location string) (*os.File, int64, error) {
	name := filepath.FromSlash(location)
	if location == "" {
		return nil, 0, errors.New("it is in a file of its own, and the model doesn't say in which")
	}
	if !filepath.IsLocal(name) {
		return nil, 0, fmt.Errorf("its file %s is outside the model's folder, and files there are not read: export model and weights to one folder", shown(location))
	}
	if f.root == nil {
		root, err := os.OpenRoot(f.path)
		if err != nil {
			return nil, 0, err
		}
		f.root, f.taken = root, map[string]int64{}
	}
	// A link that leaves the folder is an error, and a named pipe would wait for a
	// writer.
	info, err := f.root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, fmt.Errorf("its file %s is missing: put it beside the model", shown(location))
	case err != nil:
		return nil, 0, fmt.Errorf("its file %s can't be read inside the model's folder: %w: put it beside the model itself", shown(location), cause(err))
	case !info.Mode().IsRegular():
		return nil, 0, fmt.Errorf("its file %s is not a regular file", shown(location))
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("its file %s: %w", shown(location), cause(err))
	}
	if info, err = file.Stat(); err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// cause is an error about a file without the file's name, which may be anything.
func cause(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

func (f *folder) close() error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}
