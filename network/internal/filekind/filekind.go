// Package filekind tells what a file is that somebody gives as a model, by what it
// begins with and not by its name.
package filekind

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/unitscope/unitscope/network/internal/archive"
)

// Kind is what a file is.
type Kind uint8

// The kinds of file that are known.
const (
	Unknown     Kind = iota
	Safetensors      // also a model of this program
	Torch            // what torch.save writes
	TorchLegacy      // what it wrote before version 1.6
	TorchScript      // what torch.jit.save writes
	TorchExport      // what torch.export.save writes
	ONNX
	Keras // a .keras file
	HDF5  // Keras' .h5, and MATLAB's newer files
	Pickle
	Numpy   // .npy
	Numpys  // .npz
	Zip     // any other archive
	Gzip    //
	Pointer // what git keeps in place of a large file
	Text    // csv, json, python, ...
	Empty
)

var looks = [...]string{
	Unknown: "nothing that is known here", Safetensors: "safetensors", Torch: "a PyTorch file (.pt)", TorchLegacy: "a PyTorch file of before version 1.6 (.pt)",
	TorchScript: "a TorchScript archive (torch.jit.save)", TorchExport: "an exported program of PyTorch (torch.export.save)", ONNX: "ONNX", Keras: "a Keras archive (.keras)",
	HDF5: "HDF5 (.h5)", Pickle: "a pickle of Python", Numpy: "an array of numpy (.npy)", Numpys: "arrays of numpy (.npz)", Zip: "a zip archive",
	Gzip: "a gzipped file", Pointer: "what git keeps in place of a large file (git lfs pull gets it)", Text: "text", Empty: "an empty file",
}

// String says what a file of the kind looks like: "a PyTorch file (.pt)".
func (k Kind) String() string {
	if int(k) < len(looks) {
		return looks[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Recognise tells what a file on disk is.
func Recognise(path string) (Kind, error) {
	f, err := Open(path)
	if err != nil {
		return Unknown, err
	}
	if err := f.Close(); err != nil {
		return Unknown, fmt.Errorf("%s: %w", path, err)
	}
	return f.Kind, nil
}

// File is an open file of a kind.
type File struct {
	*os.File
	Kind Kind
	Size int64
}

// Open opens a file on disk and tells what it is.
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
	info, err = f.Stat()
	var kind Kind
	if err == nil {
		kind, err = Of(f, info.Size())
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, f.Close()))
	}
	return &File{f, kind, info.Size()}, nil
}

const (
	beginning = 512 // bytes that are looked at
	// maxHeader is the longest header of safetensors, as the reference
	// implementation has it.
	maxHeader = 100_000_000
)

// legacyMagic is the first number of PyTorch's older files, 0x1950a86a20f9469cfc6c as a
// pickle, which ends within so many bytes.
const (
	legacyMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
	legacyEnd   = 32
)

var magics = []struct {
	begins string
	is     Kind
}{
	{"\x89HDF\r\n\x1a\n", HDF5},
	{"\x93NUMPY", Numpy},
	{"\x1f\x8b\x08", Gzip},
	{"version https://git-lfs", Pointer},
	{"\x80\x02", Pickle},
	{"\x80\x03", Pickle},
	{"\x80\x04", Pickle},
	{"\x80\x05", Pickle},
}

// Of tells what size bytes are. Its errors are those of reading.
func Of(source io.ReaderAt, size int64) (Kind, error) {
	start := make([]byte, min(max(size, 0), beginning))
	if n, err := source.ReadAt(start, 0); n < len(start) {
		return Unknown, fmt.Errorf("read %d bytes: %w", len(start), err)
	}
	if len(start) == 0 {
		return Empty, nil
	}
	// A header of safetensors may be as long as any magic number, so that it comes
	// first.
	if isSafetensors(start, size) {
		return Safetensors, nil
	}
	for _, m := range magics {
		if !strings.HasPrefix(string(start), m.begins) {
			continue
		}
		if m.is == Pickle && strings.Contains(string(start[:min(len(start), legacyEnd)]), legacyMagic) {
			return TorchLegacy, nil
		}
		return m.is, nil
	}
	switch {
	case strings.HasPrefix(string(start), "PK\x03\x04"), strings.HasPrefix(string(start), "PK\x05\x06"):
		return ofZip(source, size), nil
	case isText(start, size):
		return Text, nil
	case isONNX(source, size):
		return ONNX, nil
	}
	return Unknown, nil
}

func isSafetensors(start []byte, size int64) bool {
	if len(start) < 9 || start[8] != '{' {
		return false
	}
	n := binary.LittleEndian.Uint64(start)
	return n <= maxHeader && int64(n) <= size-8
}

// ofZip tells archives apart by the files in them. PyTorch's are in a folder.
func ofZip(source io.ReaderAt, size int64) Kind {
	a, err := archive.Open(source, size)
	if err != nil {
		return Zip
	}
	names := a.Names()
	inFolder := func(file string) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			folder, rest, _ := strings.Cut(name, "/")
			return rest == file && folder != ""
		})
	}
	switch {
	case inFolder("archive_format"), a.Has("archive_format"), a.Has("serialized_exported_program.json"):
		return TorchExport
	case inFolder("constants.pkl"):
		return TorchScript
	case inFolder("data.pkl"), a.Has("data.pkl"):
		return Torch
	case a.Has("config.json") && a.Has("model.weights.h5"), a.Has("config.json") && a.Has("metadata.json"):
		return Keras
	case len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return !strings.HasSuffix(name, ".npy") }):
		return Numpys
	}
	return Zip
}

// isText is true for a beginning in UTF-8 without control characters.
func isText(start []byte, size int64) bool {
	for len(start) > 0 {
		r, n := utf8.DecodeRune(start)
		if r == utf8.RuneError && n == 1 {
			// The last character may be cut off.
			return int64(beginning) < size && len(start) < utf8.UTFMax && !utf8.FullRune(start)
		}
		if !unicode.IsPrint(r) && !strings.ContainsRune("\t\r\n\f\ufeff", r) {
			return false
		}
		start = start[n:]
	}
	return true
}
