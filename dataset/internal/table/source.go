package table

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/gunzip"
)

// source is the text of a file, unpacked, without what comes before its lines.
type source struct {
	text       *bufio.Reader
	packed     *gunzip.Stream // nil if the file is not gzipped
	size, read int64          // bytes of the file, and those read of them
	recordLeft int            // bytes that a line may still have
	skipped    int            // lines of comment before the first of cells
	comment    string         // the last of them
	separator  rune
}

const (
	peeked    = 1 << 16  // bytes, in which the first line shows how cells are separated
	maxRecord = 16 << 20 // bytes of a line; a short gzipped file can hold one that fills memory
)

// counted counts what is read of a file.
type counted struct {
	io.Reader
	n *int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += int64(n)
	return n, err
}

func newSource(r io.Reader, size int64) (*source, error) {
	s := &source{size: size}
	raw := bufio.NewReaderSize(counted{r, &s.read}, peeked)
	s.text = raw
	if gunzip.IsPacked(raw) {
		packed, err := gunzip.NewStream(raw)
		if err != nil {
			return nil, err
		}
		s.packed, s.text = packed, bufio.NewReaderSize(packed, peeked)
	}
	start, err := s.text.Peek(4)
	if err != nil && err != io.EOF {
		return nil, cutShort(err)
	}
	if bytes.Equal(start, []byte("PK\x03\x04")) {
		return nil, errors.New("no text but a zip archive, as a spreadsheet is: save it as CSV")
	}
	if bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff}) {
		return nil, errors.New("text in UTF-16, want UTF-8: save it as that")
	}
	if mark := []byte("\ufeff"); bytes.HasPrefix(start, mark) {
		if _, err := s.text.Discard(len(mark)); err != nil {
			return nil, err
		}
	}
	if err := s.skipComments(); err != nil {
		return nil, err
	}
	return s, s.findSeparator()
}

// skipComments takes the lines before the first of cells that begin with #, as
// numpy.savetxt writes the names of columns, and empty ones.
func (s *source) skipComments() error {
	for {
		start, err := s.text.Peek(1)
		if err == io.EOF {
			return errors.New("no line of cells in it")
		}
		if err != nil {
			return err
		}
		if !strings.ContainsRune("#\n\r", rune(start[0])) {
			return nil
		}
		line, err := s.text.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("line %d is a comment of more than %d bytes", s.skipped+1, peeked)
		}
		if err != nil && err != io.EOF {
			return err
		}
		if start[0] == '#' {
			s.comment = strings.TrimSpace(strings.TrimLeft(string(line), "#"))
		}
		s.skipped++
	}
}

// findSeparator looks at the first line of cells.
func (s *source) findSeparator() error {
	start, err := s.text.Peek(peeked)
	if err != nil && err != io.EOF {
		return cutShort(err)
	}
	line, _, _ := bytes.Cut(start, []byte("\n"))
	line = bytes.TrimSpace(line)
	if bytes.IndexByte(line, 0) >= 0 {
		return errors.New("no text in UTF-8: a byte of its first line is 0")
	}
	quoted := false
	seen := map[rune]bool{}
	for _, c := range string(line) {
		if c == '"' {
			quoted = !quoted
		}
		seen[c] = seen[c] || !quoted
	}
	s.separator = ','
	for _, c := range "\t;, " {
		if seen[c] {
			s.separator = c
			break
		}
	}
	return nil
}

func cutShort(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("truncated: its last bytes are missing")
	}
	return err
}

// records reads the lines.
func (s *source) records() *csv.Reader {
	r := csv.NewReader(limited{s})
	r.Comma = s.separator
	r.ReuseRecord = true
	r.TrimLeadingSpace = s.separator != '\t' // a tab is white space too
	r.FieldsPerRecord = -1
	return r
}

// limited reads no more of a source than a line may have.
type limited struct{ s *source }

func (l limited) Read(p []byte) (int, error) {
	if l.s.recordLeft <= 0 {
		return 0, fmt.Errorf("a line of more than %d MiB", maxRecord>>20)
	}
	n, err := l.s.text.Read(p[:min(len(p), l.s.recordLeft)])
	l.s.recordLeft -= n
	return n, err
}

// share is how much of the file has been read.
func (s *source) share() float64 { return float64(s.read) / float64(max(s.size, 1)) }
