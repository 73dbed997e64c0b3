// Package hdf5 reads the part of HDF5 that h5py and Keras write models in: groups,
// arrays of numbers that lie in one piece or in chunks, and attributes that are text.
//
//	f, err := hdf5.Read(source, size)
//	version, ok, err := f.Attribute("", "keras_version")
//	for _, d := range f.Datasets() {
//		numbers, err := d.Numbers()
//	}
//
// Files are not trusted: nothing is read outside of them, all that is read together is
// no more than a few times their size, and nothing is allocated by a number that is
// not checked against it. Compressed arrays, links to other places, and the ways in
// which only newer files store very large groups are refused by name.
//
// Other readers in Go take a file's word for the sizes of its heaps and arrays and
// follow its groups by recursion, which nobody can recover from; hence this one.
// What is said here of bytes is from the HDF5 File Format Specification, version 3.
package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Magic is what files begin with.
const Magic = "\x89HDF\r\n\x1a\n"

// undefined is the address of what is not there.
const undefined = 1<<64 - 1

// maxDepth is how many groups may be in one another.
const maxDepth = 64

// File is a file whose groups have been gone through.
type File struct {
	source     io.ReaderAt
	size       int64
	left       int64 // bytes that may still be read
	datasets   []*Dataset
	attributes map[string][]message // of groups and datasets, by their paths
}

// Read goes through the groups of a file of size bytes. source must stay readable
// while arrays and attributes are.
func Read(source io.ReaderAt, size int64) (*File, error) {
	f := &File{source: source, size: size, left: 4*size + 1<<16, attributes: map[string][]message{}}
	root, err := f.root()
	if err == nil {
		err = f.walk(root)
	}
	if err != nil {
		return nil, fmt.Errorf("hdf5: %w", err)
	}
	return f, nil
}

// Datasets are the arrays of the file.
func (f *File) Datasets() []*Dataset { return f.datasets }

// read returns n bytes of the file.
func (f *File) read(at, n uint64) ([]byte, error) {
	if at > uint64(f.size) || n > uint64(f.size)-at {
		return nil, fmt.Errorf("%d bytes at %d of a file of %d", n, at, f.size)
	}
	if f.left -= int64(n); f.left < 0 {
		return nil, errors.New("its parts lie in one another: more is to be read than there is")
	}
	data := make([]byte, n)
	if got, err := f.source.ReadAt(data, int64(at)); got < len(data) {
		return nil, fmt.Errorf("the file ends too early: %w", err)
	}
	return data, nil
}

// root is the address of the root group, from the superblock.
func (f *File) root() (uint64, error) {
	start, err := f.read(0, uint64(min(f.size, 96)))
	if err != nil {
		return 0, err
	}
	c := &cursor{data: start}
	if string(c.take(8)) != Magic {
		return 0, errors.New("it does not begin as HDF5 does")
	}
	version := c.number(1)
	switch version {
	case 0, 1:
		c.take(4) // versions of other parts
	case 2, 3:
	default:
		return 0, fmt.Errorf("superblock version %d, want 0 to 3", version)
	}
	if offsets, lengths := c.number(1), c.number(1); c.err == nil && (offsets != 8 || lengths != 8) {
		return 0, fmt.Errorf("addresses of %d bytes and lengths of %d, want 8", offsets, lengths)
	}
	switch version {
	case 0:
		c.take(1 + 4 + 4) // sizes of nodes, flags
	case 1:
		c.take(1 + 4 + 4 + 4)
	default:
		c.take(1)
	}
	if base := c.number(8); c.err == nil && base != 0 {
		return 0, fmt.Errorf("its addresses begin at %d, want 0", base)
	}
	c.take(8) // of what is free, or of more of this
	if end := c.number(8); c.err == nil && end > uint64(f.size) {
		return 0, fmt.Errorf("the file has %d bytes of %d: is it complete?", f.size, end)
	}
	if version < 2 {
		c.take(8 + 8) // of a driver, and of the name of the root group, which has none
	}
	return c.number(8), c.err
}

// walk finds all datasets below the root group.
func (f *File) walk(root uint64) error {
	type place struct {
		path string
		at   uint64
	}
	seen := map[uint64]bool{}
	for todo := []place{{"", root}}; len(todo) > 0; {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[p.at] {
			return fmt.Errorf("%.80q is there under another name too, and such links are not read", p.path)
		}
		seen[p.at] = true
		links, err := f.object(p.path, p.at)
		if err != nil {
			return fmt.Errorf("%.80q: %w", p.path, err)
		}
		if len(links) > 0 && strings.Count(p.path, "/") > maxDepth {
			return fmt.Errorf("%.80q: more than %d groups in one another", p.path, maxDepth)
		}
		for _, l := range links {
			todo = append(todo, place{strings.TrimPrefix(p.path+"/"+l.name, "/"), l.at})
		}
	}
	return nil
}

// object keeps a dataset, or returns the links of a group.
func (f *File) object(path string, at uint64) ([]link, error) {
	messages, err := f.header(at)
	if err != nil {
		return nil, err
	}
	group := path == ""
	var links []link
	for _, m := range messages {
		var more []link
		switch m.kind {
		case attributeMessage:
			f.attributes[path] = append(f.attributes[path], m)
		case symbolTableMessage:
			more, err = f.symbolTable(m)
		case linkInfoMessage:
			err = m.noDenseLinks()
		case linkMessage:
			more, err = m.link()
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		group = group || m.kind != attributeMessage
		links = append(links, more...)
	}
	if group {
		return links, nil
	}
	d, err := f.dataset(path, messages)
	if err != nil {
		return nil, err
	}
	f.datasets = append(f.datasets, d)
	return nil, nil
}

// cursor takes numbers from bytes, and remembers if they end too early.
type cursor struct {
	data []byte
	err  error
}

// take is the next n bytes; n zeros, but not many, where they end too early.
func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.data)) {
		c.data, c.err = nil, errors.New("a part of it ends too early")
		return make([]byte, min(n, 8))
	}
	taken := c.data[:n]
	c.data = c.data[n:]
	return taken
}

// number is the next n bytes, at most 8, as a number.
func (c *cursor) number(n int) uint64 {
	var bytes [8]byte
	copy(bytes[:], c.take(uint64(n)))
	return binary.LittleEndian.Uint64(bytes[:])
}
