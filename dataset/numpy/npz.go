package numpy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// Archive is an npz file: a zip archive of npy files. Of arrays of one name it has the
// last, as numpy does.
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
	only, labels := "", ", and which the labels if there are any, y=NAME"
	if other != "" {
		labels = ""
	}
	for _, f := range a.files {
		switch name := arrayName(f); {
		case name == arrayOf(other) || name == only:
		case only != "":
			return "", array.Askedf("several arrays, %s: say which are the examples, x=NAME%s", a.names(), labels)
		default:
			only = name
		}
	}
	if only == "" {
		return "", errors.New("no array of examples in it")
	}
	return only, nil
}

// find is the last file of this name, nil if there is none, and how many there are.
func (a *Archive) find(name string) (last *zip.File, count int) {
	for _, f := range a.files {
		if arrayName(f) == arrayOf(name) {
			last = f
			count++
		}
	}
	return last, count
}

// Count is how many arrays of this name the archive holds: more than one is a
// mistake of the program that wrote it.
func (a *Archive) Count(name string) int {
	_, count := a.find(name)
	return count
}

// Names are the arrays, in the archive's order, each one once.
func (a *Archive) Names() (names []string) {
	for _, f := range a.files {
		if name := arrayName(f); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Bytes is how long the array of this name is when it is unpacked, as the archive's
// directory says; 0 if there is none.
func (a *Archive) Bytes(name string) uint64 {
	if f, _ := a.find(name); f != nil {
		return f.UncompressedSize64
	}
	return 0
}

// Read reads the array of this name, with or without the ending .npy.
func (a *Archive) Read(name string) (result *Array, err error) {
	err = a.With(name, func(f *File) error {
		result, err = f.Read()
		return err
	})
	return result, err
}

// ReadLabels reads the array of this name, one whole number per example.
func (a *Archive) ReadLabels(name string) (labels []int32, err error) {
	err = a.With(name, func(f *File) error {
		labels, err = f.Labels()
		return err
	})
	return labels, err
}

// With opens the array of this name for use; errors name it. Its size is what the
// archive's directory says, refused if the packed bytes can't hold that much.
func (a *Archive) With(name string, use func(f *File) error) error {
	packed, _ := a.find(name)
	if packed == nil {
		return array.Askedf("no array %.40q in it: it has %s", name, a.names())
	}
	if err := with(packed, use); err != nil {
		return fmt.Errorf("array %.40q: %w", name, err)
	}
	return nil
}

func with(packed *zip.File, use func(f *File) error) error {
	const encrypted = 1 // of the flags
	switch {
	case packed.Flags&encrypted != 0:
		return errors.New("it is encrypted")
	case packed.Method != zip.Store && packed.Method != zip.Deflate:
		return errors.New("it is compressed by another method than numpy's: save it with numpy.savez_compressed")
	}
	if packed.UncompressedSize64/array.MaxInflation > packed.CompressedSize64 {
		return fmt.Errorf("%d bytes can't hold the %d that are promised", packed.CompressedSize64, packed.UncompressedSize64)
	}
	r, err := packed.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := open(&File{Numbers: r}, int64(packed.UncompressedSize64))
	if err != nil {
		return err
	}
	return use(f)
}

const maxNames = 20 // shown in a message

func (a *Archive) names() string {
	var names []string
	for _, f := range a.files {
		if name := fmt.Sprintf("%.40q", arrayName(f)); !slices.Contains(names, name) {
			if len(names) == maxNames {
				names = append(names, "...")
				break
			}
			names = append(names, name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

func arrayName(f *zip.File) string { return arrayOf(f.Name) }

func arrayOf(name string) string { return strings.TrimSuffix(name, ".npy") }
