// Package photo reads pictures as grey levels: PNG, JPEG, GIF (its first
// frame), BMP, TIFF (its first page) and WebP (no animation), told by their first
// bytes. What a file claims is checked against its size before anything is
// decoded, so that memory is bounded by the bytes that are there.
//
// A picture comes out as a viewer shows it: turned as its EXIF orientation says,
// and what is transparent laid on white, as a browser or a printed page does. (To
// drop the transparency, as PIL's convert("L") does, would show the colours that
// a program left under it, which nobody has seen.)
package photo

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"io"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// maxPixels is the most pixels of one picture: 8192x4096. Decoding it takes up to
// 512 MiB for a moment.
const maxPixels = 1 << 25

// The most pixels that one byte of a file can stand for: plain, 8 of one bit; and
// packed, as many deflated, which is more than the 8 blocks of 8x8 of a JPEG and
// more than any other format has unless the picture is blank.
const (
	plainPerByte  = 8
	packedPerByte = plainPerByte * array.MaxInflation
)

// Picture is a picture's grey levels, 0 to 65535, row by row [Rows, Cols].
type Picture struct {
	Rows, Cols  int
	Levels      []uint16
	Coloured    bool // it has colours, of which the levels are the luminance
	Transparent bool // parts were transparent and lie on white
	Turned      bool // it was turned or mirrored, as its orientation says
	More        bool // it is the first of several pages of a TIFF file
	unseen      int  // pixels that are wholly transparent
}

// Decode decodes a file of size bytes. A picture that has no room for a square of
// side pixels is refused before it is decoded.
func Decode(r io.ReaderAt, size int64, side int) (Picture, error) {
	kind, err := formatOf(r)
	if err != nil {
		return Picture{}, err
	}
	file := func() io.Reader { return kind.reader(io.NewSectionReader(r, 0, size)) }
	config, err := kind.config(file())
	if err != nil {
		return Picture{}, damaged(err)
	}
	p := Picture{Rows: config.Height, Cols: config.Width}
	if err := p.check(size, kind, side); err != nil {
		return Picture{}, err
	}
	decoded, err := kind.decode(file())
	if err != nil {
		return Picture{}, damaged(err)
	}
	if decoded, err = p.whole(decoded, kind); err != nil {
		return Picture{}, err
	}
	p.read(decoded, kind)
	if p.unseen == len(p.Levels) {
		return Picture{}, errors.New("nothing of it is seen: it is transparent all over")
	}
	if err := p.finish(kind.tags(io.NewSectionReader(r, 0, size)), kind); err != nil {
		return Picture{}, err
	}
	p.More = kind.name == "TIFF" && morePages(r)
	return p, nil
}

// check checks what a picture claims to be.
func (p *Picture) check(size int64, kind format, side int) error {
	pixels := int64(p.Rows) * int64(p.Cols)
	switch {
	case p.Rows < side || p.Cols < side:
		return fmt.Errorf("a picture of %dx%d pixels, smaller than a patch of %dx%d", p.Rows, p.Cols, side, side)
	case p.Rows > maxPixels || p.Cols > maxPixels || pixels > maxPixels:
		return fmt.Errorf("a picture of %dx%d pixels, want at most %d in all", p.Rows, p.Cols, maxPixels)
	case pixels/kind.perByte > size:
		return fmt.Errorf("a picture of %dx%d pixels can't be in %d bytes", p.Rows, p.Cols, size)
	}
	return nil
}

// whole is the decoded picture in its full size. The first frame of a GIF may
// cover a part of it; the rest is transparent.
func (p *Picture) whole(decoded image.Image, kind format) (image.Image, error) {
	full := image.Rect(0, 0, p.Cols, p.Rows)
	switch got := decoded.Bounds(); {
	case got.Size() == full.Size():
		return decoded, nil
	case kind.name == "GIF" && got.In(full):
		screen := image.NewNRGBA(full)
		draw.Draw(screen, got, decoded, got.Min, draw.Src)
		return screen, nil
	}
	return nil, errors.New("damaged: its pixels are not as many as it says")
}

func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("truncated")
	}
	if unsupported(err) {
		return err // says what
	}
	return fmt.Errorf("damaged: %w", err)
}

// reader is what a format's decoder reads from: TIFF's jumps about in the file,
// and would hold all of it otherwise.
func (f format) reader(section *io.SectionReader) io.Reader {
	if f.name == "TIFF" {
		return section
	}
	return bufio.NewReader(section)
}
