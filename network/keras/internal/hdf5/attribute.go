package hdf5

import (
	"bytes"
	"fmt"
	"strings"
)

// Attribute is an attribute of a group or dataset that is one text; ok says whether
// there is one of this name. The root group's path is "".
func (f *File) Attribute(path, name string) (text string, ok bool, err error) {
	for _, m := range f.attributes[path] {
		a, err := newAttribute(m.data)
		if err == nil && a.name != name {
			continue
		}
		if err == nil {
			text, err = f.text(a)
		}
		if err != nil {
			return "", false, fmt.Errorf("hdf5: %.80q, attribute %.80q: %w", path, name, err)
		}
		return text, true, nil
	}
	return "", false, nil
}

type attribute struct {
	name        string
	kind, space []byte
	data        []byte
}

// newAttribute reads version 1, flags 1, the lengths of name, type and shape 2 2 2, in
// version 3 a character set 1, and those; in version 1 each is followed by zeros up to
// a multiple of 8.
func newAttribute(data []byte) (attribute, error) {
	c := &cursor{data: data}
	version, flags := c.number(1), c.number(1)
	var lengths [3]uint64
	for i := range lengths {
		lengths[i] = c.number(2)
	}
	switch {
	case version < 1 || version > 3:
		return attribute{}, fmt.Errorf("version %d", version)
	case version > 1 && flags != 0:
		return attribute{}, fmt.Errorf("its type is shared with others, and can't be read")
	case version == 3:
		c.take(1)
	}
	var parts [3][]byte
	for i, n := range lengths {
		parts[i] = c.take(n)
		if version == 1 {
			c.take((8 - n%8) % 8)
		}
	}
	name, _, _ := bytes.Cut(parts[0], []byte{0})
	return attribute{string(name), parts[1], parts[2], c.data}, c.err
}

// text is the text that an attribute is: of a fixed length, or of any, which the file
// keeps in a heap.
func (f *File) text(a attribute) (string, error) {
	kind, err := newDatatype(a.kind)
	if err != nil {
		return "", err
	}
	_, size, err := dimensions(a.space)
	if err != nil {
		return "", err
	}
	c := &cursor{data: a.data}
	switch {
	case size != 1:
		return "", fmt.Errorf("%d elements, want one text", size)
	case kind.class == textClass:
		text, _, _ := bytes.Cut(c.take(kind.bytes), []byte{0})
		return strings.TrimRight(string(text), " "), c.err
	case kind.class == listClass && kind.flags&15 == 1:
		length, heap, index := c.number(4), c.number(8), c.number(4)
		if c.err != nil || length == 0 {
			return "", c.err
		}
		return f.heapText(heap, index, length)
	}
	return "", fmt.Errorf("its type is %s, want text", kind.name)
}

// heapText is an object of a heap: "GCOL", version 1, 0 3, length of all 8, and for each
// object its number 2, references 2, 0 4, length 8 and that many bytes, with zeros up
// to a multiple of 8.
func (f *File) heapText(heap, index, length uint64) (string, error) {
	data, err := f.read(heap, 16)
	if err != nil {
		return "", err
	}
	c := &cursor{data: data}
	if string(c.take(4)) != "GCOL" {
		return "", fmt.Errorf("at %d is no heap of texts", heap)
	}
	c.take(4)
	if data, err = f.read(heap, c.number(8)); err != nil {
		return "", err
	}
	c = &cursor{data: data}
	for c.take(16); len(c.data) > 0 && c.err == nil; {
		number := c.number(2)
		c.take(6)
		n := c.number(8)
		if number == 0 {
			break // what is left is free
		}
		text := c.take(n)
		if number == index && c.err == nil {
			if length > n {
				return "", fmt.Errorf("%d bytes of %d are there", n, length)
			}
			return string(text[:length]), nil
		}
		c.take((8 - n%8) % 8)
	}
	return "", fmt.Errorf("text %d is not in its heap", index)
}
