package hdf5

import (
	"errors"
	"fmt"
)

// The kinds of message in object headers that are read.
const (
	dataspaceMessage    = 0x01
	linkInfoMessage     = 0x02
	datatypeMessage     = 0x03
	linkMessage         = 0x06
	externalMessage     = 0x07
	layoutMessage       = 0x08
	filterMessage       = 0x0b
	attributeMessage    = 0x0c
	continuationMessage = 0x10
	symbolTableMessage  = 0x11
)

// maxMessages is how many messages an object may have.
const maxMessages = 1 << 16

// message is one of the things that an object's header says of it.
type message struct {
	kind uint64
	data []byte
}

// header returns the messages of the object at an address.
func (f *File) header(at uint64) ([]message, error) {
	start, err := f.read(at, 6)
	if err != nil {
		return nil, err
	}
	if string(start[:4]) == "OHDR" {
		return f.newHeader(at, start[4], start[5])
	}
	if start[0] != 1 {
		return nil, fmt.Errorf("at %d is no object's header", at)
	}
	// version 1, 0, messages 2, references 4, length 4, 0 4
	if start, err = f.read(at, 16); err != nil {
		return nil, err
	}
	c := &cursor{data: start[8:]}
	return f.messages(at+16, c.number(4), headerForm{first: 0})
}

// newHeader is the header as newer files have it: "OHDR", version, flags, times 16 and
// limits 4 where the flags say so, length of 1, 2, 4 or 8 bytes, messages, checksum 4.
func (f *File) newHeader(at uint64, version, flags byte) ([]message, error) {
	if version != 2 {
		return nil, fmt.Errorf("an object's header of version %d, want 1 or 2", version)
	}
	skip := uint64(6)
	if flags&0x20 != 0 {
		skip += 16
	}
	if flags&0x10 != 0 {
		skip += 4
	}
	width := 1 << (flags & 3)
	start, err := f.read(at+skip, uint64(width))
	if err != nil {
		return nil, err
	}
	length := (&cursor{data: start}).number(width)
	return f.messages(at+skip+uint64(width), length, headerForm{newer: true, ordered: flags&4 != 0})
}

// headerForm is how messages are written.
type headerForm struct {
	first   uint64 // bytes before the messages of a block, and 4 behind them if it is not 0
	newer   bool   // kind 1, length 2, flags 1; else kind 2, length 2, flags 1, 0 3
	ordered bool   // and then 2 bytes about their order
}

// block is a piece of a header.
type block struct {
	at, length uint64
	form       headerForm
}

// messages are those of a block and of those that continue it.
func (f *File) messages(at, length uint64, form headerForm) (all []message, err error) {
	for blocks := []block{{at, length, form}}; len(blocks) > 0; blocks = blocks[1:] {
		b := blocks[0]
		data, err := f.read(b.at, b.length)
		if err != nil {
			return nil, err
		}
		if b.form.first > 0 {
			if len(data) < 8 || string(data[:4]) != "OCHK" {
				return nil, fmt.Errorf("at %d no object's header goes on", b.at)
			}
			data = data[4 : len(data)-4]
		}
		found, err := b.form.split(data)
		if err != nil {
			return nil, err
		}
		for _, m := range found {
			if m.kind != continuationMessage {
				all = append(all, m)
				continue
			}
			c, next := &cursor{data: m.data}, form
			if form.newer {
				next.first = 4
			}
			blocks = append(blocks, block{c.number(8), c.number(8), next})
			if c.err != nil {
				return nil, c.err
			}
		}
		if len(all)+len(blocks) > maxMessages {
			return nil, errors.New("its header has too many messages")
		}
	}
	return all, nil
}

// split divides a block into messages.
func (form headerForm) split(data []byte) (all []message, err error) {
	kind, zeros := 2, uint64(3)
	if form.newer {
		kind, zeros = 1, 0
	}
	if form.ordered {
		zeros += 2
	}
	// What is shorter than a message's beginning is a gap.
	for c := (&cursor{data: data}); uint64(len(c.data)) >= uint64(kind)+3+zeros; {
		m := message{kind: c.number(kind)}
		length, flags := c.number(2), c.number(1)
		c.take(zeros)
		m.data = c.take(length)
		if c.err != nil {
			return nil, c.err
		}
		if flags&2 != 0 && m.kind != 0 {
			return nil, errors.New("a part of its header is shared with other objects, and can't be read")
		}
		if len(all) > maxMessages {
			return nil, errors.New("its header has too many messages")
		}
		all = append(all, m)
	}
	return all, nil
}
