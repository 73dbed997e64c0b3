package photo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/bep/imagemeta"
)

// The EXIF tags that change what a picture looks like. Those of a TIFF file are
// its own.
const (
	tagOrientation = "Orientation"
	tagCompression = "Compression"
	tagPhotometric = "PhotometricInterpretation"
	tagFillOrder   = "FillOrder"
)

// upright is the orientation of a picture that is stored as it is shown.
const upright = 1

// tags are the values of a file's tags that are whole numbers. There are none
// where a format has none, or what holds them is damaged, which hurts no pixel.
func (f format) tags(r io.ReadSeeker) map[string]int {
	found := map[string]int{}
	source, metadata := f.tagsOf(r)
	if metadata == 0 {
		return found
	}
	_, err := imagemeta.Decode(imagemeta.Options{
		R: source, ImageFormat: metadata, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool {
			return tag.Namespace == "IFD0" && slices.Contains([]string{tagOrientation, tagCompression, tagPhotometric, tagFillOrder}, tag.Tag)
		},
		HandleTag: func(tag imagemeta.TagInfo) error {
			// They should be of 16 bits, and some programs write 32.
			if value, err := strconv.Atoi(fmt.Sprint(tag.Value)); err == nil {
				found[tag.Tag] = value
			}
			return nil
		},
	})
	if err != nil {
		return map[string]int{}
	}
	return found
}

// finish makes a decoded picture what its file's tags say that it looks like.
func (p *Picture) finish(tags map[string]int, kind format) error {
	if kind.name == "TIFF" {
		if err := p.finishTIFF(tags); err != nil {
			return err
		}
	}
	if o := tags[tagOrientation]; o > upright && o <= 8 {
		p.turn(o)
	}
	return nil
}

// finishTIFF does what TIFF's decoder overlooks.
func (p *Picture) finishTIFF(tags map[string]int) error {
	const group3, group4, blackIsZero, lowBitFirst = 3, 4, 1, 2
	compression := tags[tagCompression]
	switch fax := compression == group3 || compression == group4; {
	case fax && tags[tagPhotometric] == blackIsZero:
		// A fax stores runs of white as 0, so that one whose 0 is black is shown
		// reversed (TIFF 6.0, page 37).
		for i, v := range p.Levels {
			p.Levels[i] = white - v
		}
	case !fax && tags[tagFillOrder] == lowBitFirst:
		return errors.New("a TIFF whose bytes have their bits in reverse order, which can't be read")
	}
	return nil
}

// morePages says whether a TIFF file has more than one page: behind the directory of
// the first, a number of tags of 12 bytes each, is where the next is, or 0.
func morePages(r io.ReaderAt) bool {
	var order binary.ByteOrder = binary.LittleEndian
	number := func(at int64, size int) uint32 {
		var raw [4]byte
		if _, err := r.ReadAt(raw[:size], at); err != nil {
			return 0
		}
		if size == 2 {
			return uint32(order.Uint16(raw[:]))
		}
		return order.Uint32(raw[:])
	}
	if number(0, 2) == 'M'<<8|'M' {
		order = binary.BigEndian
	}
	directory := int64(number(4, 4))
	return number(directory+2+12*int64(number(directory, 2)), 4) != 0
}

// turn turns a stored picture to how it is shown. Orientations 2 to 4 mirror it
// and turn it by half a turn; those from 5 on exchange rows and columns as well.
func (p *Picture) turn(orientation int) {
	rows, cols := p.Rows, p.Cols // as stored
	exchanged := orientation >= 5
	if exchanged {
		p.Rows, p.Cols = cols, rows
	}
	levels := make([]uint16, 0, len(p.Levels))
	for row := range p.Rows {
		for col := range p.Cols {
			r, c := row, col
			if exchanged {
				r, c = col, row
			}
			switch orientation {
			case 3, 4, 6, 7:
				r = rows - 1 - r
			}
			switch orientation {
			case 2, 3, 7, 8:
				c = cols - 1 - c
			}
			levels = append(levels, p.Levels[r*cols+c])
		}
	}
	p.Levels, p.Turned = levels, true
}
