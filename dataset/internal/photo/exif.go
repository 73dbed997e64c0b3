package photo

import (
	"bytes"
	"io"

	"github.com/bep/imagemeta"
	"golang.org/x/image/riff"
)

// exifPrefix is what some programs write before the tags of a WebP, as JPEG has it.
var exifPrefix = []byte("Exif\x00\x00")

// maxEXIF is the most bytes of tags that are looked at, those of a JPEG.
const maxEXIF = 1 << 16

// tagsOf finds what holds a file's tags, and the format that it is in. Of a WebP it is
// one of its chunks, which is a TIFF file of its own: imagemeta overlooks those behind a
// chunk of an odd length.
func (f format) tagsOf(r io.ReadSeeker) (io.ReadSeeker, imagemeta.ImageFormat) {
	if f.name != "WebP" {
		return r, f.metadata
	}
	_, chunks, err := riff.NewReader(r)
	for err == nil {
		var id riff.FourCC
		var data io.Reader
		if id, _, data, err = chunks.Next(); err != nil || id != (riff.FourCC{'E', 'X', 'I', 'F'}) {
			continue
		}
		// What is cut off or damaged is seen by who reads the tags.
		tags, _ := io.ReadAll(io.LimitReader(data, maxEXIF))
		return bytes.NewReader(bytes.TrimPrefix(tags, exifPrefix)), imagemeta.TIFF
	}
	return nil, 0
}
