package numpy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// Archive is an npz file: a zip archive of npy files.
type Archive struct{ files []*zip.File }

// OpenArchive reads the directory of an npz file of size bytes.
func OpenArchive(r io.ReaderAt, size int64) (*Archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("not an npz file: %w", err)
	}
	return &Archive{z.File}, nil
}

// Only is the name of the one array besides the one named other.
func (a *Archive) Only(other string) (string, error) {
	only := ""
	for _, f := range a.files {
		switch name := arrayName(f); {
		case name == arrayOf(other):
		case only != "":
			return "", fmt.Errorf("several arrays, %s: say which are the examples, x=NAME", a.names())
		default:
			only = name
		}
	}
	if only == "" {
		return "", errors.New("no array of examples in it")
	}
	return only, nil
}

// Bytes is how long the array of this name is when it is unpacked, as the archive's
// directory says; 0 if there is none.
func (a *Archive) Bytes(name string) uint64 {
	for _, f := range a.files {
		if arrayName(f) == arrayOf(name) {
			return f.UncompressedSize64
		}
	}
	return 0
}

// Read reads the array of this name, with or without the ending .npy.
func (a *Archive) Read(name string) (result *Array, err error) {
	err = a.with(name, func(r io.Reader, size int64) error {
		result, err = Read(r, size)
		return err
	})
	return result, err
}

// ReadLabels reads the array of this name, one whole number per example.
func (a *Archive) ReadLabels(name string) (labels []int32, err error) {
	err = a.with(name, func(r io.Reader, size int64) error {
		labels, err = readLabels(r, size)
		return err
	})
	return labels, err
}

// with opens one array. Its size is what the archive's directory says, refused
// if the packed bytes can't hold that much; reading stops where the array's own
// header says, one byte further at most.
func (a *Archive) with(name string, use func(r io.Reader, size int64) error) error {
	for _, f := range a.files {
		if arrayName(f) != arrayOf(name) {
			continue
		}
		if f.UncompressedSize64/array.MaxInflation > f.CompressedSize64 {
			return fmt.Errorf("array %.40q: %d bytes can't hold the %d that are promised", name, f.CompressedSize64, f.UncompressedSize64)
		}
		r, err := f.Open()
		if err != nil {
			return fmt.Errorf("array %.40q: %w", name, err)
		}
		defer r.Close()
		if err := use(r, int64(f.UncompressedSize64)); err != nil {
			return fmt.Errorf("array %.40q: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("no array %.40q in it: it has %s", name, a.names())
}

const maxNames = 20 // shown in a message

func (a *Archive) names() string {
	var names []string
	for i, f := range a.files {
		if i == maxNames {
			names = append(names, "...")
			break
		}
		names = append(names, fmt.Sprintf("%.40q", arrayName(f)))
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

func arrayName(f *zip.File) string { return arrayOf(f.Name) }

func arrayOf(name string) string { return strings.TrimSuffix(name, ".npy") }
