package hdf5

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// link is an object's name in its group.
type link struct {
	name string
	at   uint64
}

// newLink checks a name, which becomes a part of a path.
func newLink(name string, at uint64) (link, error) {
	if name == "" || strings.Contains(name, "/") {
		return link{}, fmt.Errorf("a name %.80q", name)
	}
	return link{name, at}, nil
}

// symbolTable is the links of a group as the oldest form has them: a tree of nodes, and
// a heap that holds the names.
func (f *File) symbolTable(m message) ([]link, error) {
	c := &cursor{data: m.data}
	tree, heap := c.number(8), c.number(8)
	if c.err != nil {
		return nil, c.err
	}
	names, err := f.localHeap(heap)
	if err != nil {
		return nil, err
	}
	var links []link
	err = f.tree(tree, 0, 8, -1, func(_ []byte, node uint64) error {
		more, err := f.symbols(node, names)
		links = append(links, more...)
		return err
	})
	return links, err
}

// localHeap is the names of a group: "HEAP", version 1, 0 3, length 8, free 8, address 8.
func (f *File) localHeap(at uint64) ([]byte, error) {
	data, err := f.read(at, 32)
	if err != nil {
		return nil, err
	}
	c := &cursor{data: data}
	if string(c.take(4)) != "HEAP" {
		return nil, fmt.Errorf("at %d is no heap of names", at)
	}
	c.take(4)
	length := c.number(8)
	c.take(8)
	return f.read(c.number(8), length)
}

// tree goes through the leaves of a tree of version 1: "TREE", type 1, level 1, entries
// 2, neighbours 8 8, and for each entry a key and an address. above is the level of
// the node above it, -1 for none.
func (f *File) tree(at uint64, kind byte, key uint64, above int, leaf func(key []byte, child uint64) error) error {
	data, err := f.read(at, 24)
	if err != nil {
		return err
	}
	level, entries := int(data[5]), uint64(data[6])|uint64(data[7])<<8
	if string(data[:4]) != "TREE" || data[4] != kind || above >= 0 && level != above-1 {
		return fmt.Errorf("at %d is no node of the tree that should be there", at)
	}
	if data, err = f.read(at+24, entries*(key+8)); err != nil {
		return err
	}
	c := &cursor{data: data}
	for range entries {
		key1, child := c.take(key), c.number(8)
		if level > 0 {
			err = f.tree(child, kind, key, level, leaf)
		} else {
			err = leaf(key1, child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// symbols are the links of a node: "SNOD", version 1, 0 1, entries 2, and for each the
// place of its name 8, address 8, kind 4, 0 4, and 16 more.
func (f *File) symbols(at uint64, names []byte) (links []link, err error) {
	data, err := f.read(at, 8)
	if err != nil {
		return nil, err
	}
	if string(data[:4]) != "SNOD" {
		return nil, fmt.Errorf("at %d are no names of a group", at)
	}
	entries := uint64(data[6]) | uint64(data[7])<<8
	if data, err = f.read(at+8, entries*40); err != nil {
		return nil, err
	}
	c := &cursor{data: data}
	for range entries {
		place, object, kind := c.number(8), c.number(8), c.number(4)
		c.take(20)
		if place >= uint64(len(names)) {
			return nil, errors.New("a name outside of its heap")
		}
		name, _, ended := bytes.Cut(names[place:], []byte{0})
		if !ended {
			return nil, errors.New("a name without an end")
		}
		if kind == 2 {
			return nil, fmt.Errorf("%.80q is a link by name, and such are not read", name)
		}
		l, err := newLink(string(name), object)
		if err != nil {
			return nil, err
		}
		links = append(links, l)
	}
	return links, nil
}

// link is the message of newer files for one link: version 1, flags 1, then, where the
// flags say so, type 1, order 8 and character set 1, the length of the name, of 1, 2, 4
// or 8 bytes, the name, and the address.
func (m message) link() ([]link, error) {
	c := &cursor{data: m.data}
	c.take(1)
	flags := c.number(1)
	kind := uint64(0)
	if flags&8 != 0 {
		kind = c.number(1)
	}
	if flags&4 != 0 {
		c.take(8)
	}
	if flags&16 != 0 {
		c.take(1)
	}
	name := string(c.take(c.number(1 << (flags & 3))))
	if c.err == nil && kind != 0 {
		return nil, fmt.Errorf("%.80q is a link by name, and such are not read", name)
	}
	at := c.number(8)
	if c.err != nil {
		return nil, c.err
	}
	l, err := newLink(name, at)
	return []link{l}, err
}

// noDenseLinks refuses groups whose links are not in their header: version 1, flags 1,
// order 8 where the flags say so, the address of a heap 8.
func (m message) noDenseLinks() error {
	c := &cursor{data: m.data}
	c.take(1)
	if c.number(1)&1 != 0 {
		c.take(8)
	}
	if heap := c.number(8); c.err == nil && heap != undefined {
		return errors.New("the group is stored as only newer files do: write the file with h5py's usual libver")
	}
	return c.err
}
