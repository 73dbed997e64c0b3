// Package gunzip reads files that may be gzipped as gzip(1) does: members one after
// the other are one file, zeros behind them (the padding of tapes and of block
// devices) are nothing, and anything else behind them is garbage that is left out
// and must be said. compress/gzip alone takes both for a further member that is
// damaged.
package gunzip

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// magic is how a gzipped file begins.
var magic = []byte{0x1f, 0x8b}

// Stream is the unpacked contents of a gzipped file.
type Stream struct {
	packed  *bufio.Reader
	member  *gzip.Reader
	garbage bool
	end     error // what follows the last byte, once that was read
}

// IsPacked is true of a file that begins as a gzipped one does.
func IsPacked(r *bufio.Reader) bool {
	start, err := r.Peek(len(magic))
	return err == nil && bytes.Equal(start, magic)
}

// NewStream reads the first header of a gzipped file.
func NewStream(packed *bufio.Reader) (*Stream, error) {
	member, err := gzip.NewReader(packed)
	if err := inside(err); errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.New("truncated: it ends within its header")
	} else if err != nil {
		return nil, damaged(err)
	}
	member.Multistream(false)
	return &Stream{packed: packed, member: member}, nil
}

// Garbage is true if bytes that are no gzip follow the compressed data. It is known
// when all has been read.
func (s *Stream) Garbage() bool { return s.garbage }

func (s *Stream) Read(p []byte) (int, error) {
	for s.end == nil && len(p) > 0 {
		n, err := s.member.Read(p)
		if err == io.EOF {
			err = s.next()
		}
		s.end = damaged(err)
		if n > 0 {
			return n, nil
		}
	}
	return 0, s.end
}

// next goes on to the next member. Where there is none it is io.EOF.
func (s *Stream) next() error {
	padded := false
	for {
		start, err := s.packed.Peek(1)
		if err != nil {
			return err
		}
		if start[0] != 0 {
			break
		}
		padded = true
		if _, err := s.packed.Discard(1); err != nil {
			return err
		}
	}
	if padded || !IsPacked(s.packed) {
		s.garbage = true
		return io.EOF
	}
	if err := s.member.Reset(s.packed); err != nil {
		return damaged(inside(err))
	}
	s.member.Multistream(false)
	return nil
}

// inside tells the end of a file within a header from the end of the data.
func inside(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// damaged names what is wrong with compressed data; the errors of reading, and the
// end of a file that is cut short, are others.
func damaged(err error) error {
	var corrupt flate.CorruptInputError
	var internal flate.InternalError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) || errors.As(err, &internal) {
		return fmt.Errorf("damaged: %w", err)
	}
	return err
}
