// Package archive reads zip archives that other people made, as PyTorch and Keras
// keep models in. Whatever an archive says of itself, reading it takes no more memory
// than its own size and the limits named here allow.
package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxDirectory is the most bytes of a directory that are read. A file takes about
// 100, and the largest models have some ten thousand.
const maxDirectory = 16 << 20

// Archive is an open archive.
type Archive struct {
	source   io.ReaderAt
	size     int64
	names    []string
	files    map[string]*zip.File
	sections map[string]*io.SectionReader
	left     int64 // bytes that sections may still have
}

// Open reads the directory of an archive of size bytes. source must stay readable
// while its files are read.
func Open(source io.ReaderAt, size int64) (*Archive, error) {
	limited := &limitedReader{source, maxDirectory}
	z, err := zip.NewReader(limited, size)
	if err != nil && limited.left == 0 {
		err = fmt.Errorf("its directory is longer than %d bytes", maxDirectory)
	}
	if err != nil {
		return nil, fmt.Errorf("zip archive: %w", err)
	}
	limited.left = size + maxDirectory // every header again, and every file once
	a := &Archive{source: source, size: size, files: map[string]*zip.File{}, sections: map[string]*io.SectionReader{}, left: size}
	for _, f := range z.File {
		if a.files[f.Name] != nil {
			return nil, fmt.Errorf("zip archive: %.80q is in it twice", f.Name)
		}
		a.names, a.files[f.Name] = append(a.names, f.Name), f
	}
	return a, nil
}

// Names are the files of the archive, in its order.
func (a *Archive) Names() []string { return slices.Clone(a.names) }

// Has says whether there is a file of this name.
func (a *Archive) Has(name string) bool { return a.files[name] != nil }

// Read returns a file of at most limit bytes, stored or compressed.
func (a *Archive) Read(name string, limit int64) ([]byte, error) {
	f := a.files[name]
	if f == nil {
		return nil, fmt.Errorf("%.80q is missing", name)
	}
	long := fmt.Errorf("%.80q is longer than %d bytes", name, limit)
	if f.UncompressedSize64 > uint64(limit) {
		return nil, long
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%.80q: %w", name, err)
	}
	defer r.Close()
	// The buffer grows with what is there, and not by what the directory promises.
	var text bytes.Buffer
	if _, err := io.Copy(&text, io.LimitReader(r, limit+1)); err != nil {
		return nil, fmt.Errorf("%.80q: %w", name, err)
	}
	if int64(text.Len()) > limit {
		return nil, long
	}
	return text.Bytes(), nil
}

// Section returns a file that is stored as it is, to be read where it lies. Its
// checksum is compared once. All sections together are no longer than the archive, so
// that files can't be the same bytes over and over.
func (a *Archive) Section(name string) (*io.SectionReader, error) {
	if s := a.sections[name]; s != nil {
		return s, nil
	}
	f := a.files[name]
	if f == nil {
		return nil, fmt.Errorf("%.80q is missing", name)
	}
	if f.Method != zip.Store {
		return nil, fmt.Errorf("%.80q is compressed, want it stored", name)
	}
	if f.UncompressedSize64 > uint64(max(0, a.left)) {
		return nil, fmt.Errorf("%.80q has %d bytes, and its archive no room for them", name, f.UncompressedSize64)
	}
	at, err := f.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("%.80q: %w", name, err)
	}
	length := int64(f.UncompressedSize64)
	if at < 0 || at > a.size-length {
		return nil, fmt.Errorf("%.80q ends behind the end of its archive", name)
	}
	if err := check(f); err != nil {
		return nil, fmt.Errorf("%.80q: %w", name, err)
	}
	a.left -= length
	a.sections[name] = io.NewSectionReader(a.source, at, length)
	return a.sections[name], nil
}

// check reads a file to its end, where its length and checksum are compared.
func check(f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}

// limitedReader reads a limited number of bytes in all.
type limitedReader struct {
	io.ReaderAt
	left int64
}

func (r *limitedReader) ReadAt(p []byte, at int64) (int, error) {
	if int64(len(p)) > r.left {
		r.left = 0
		return 0, errors.New("too much to read")
	}
	r.left -= int64(len(p))
	return r.ReaderAt.ReadAt(p, at)
}
