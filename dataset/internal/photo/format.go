package photo

import (
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bep/imagemeta"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// format is a format of files.
type format struct {
	name     string
	magic    string // its first bytes; ? is any
	config   func(io.Reader) (image.Config, error)
	decode   func(io.Reader) (image.Image, error)
	perByte  int64                 // pixels at most
	metadata imagemeta.ImageFormat // 0 where nothing says an orientation
}

// formats are all formats.
func formats() []format {
	return []format{
		{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode, packedPerByte, imagemeta.PNG},
		{"JPEG", "\xff\xd8", jpeg.DecodeConfig, jpeg.Decode, packedPerByte, imagemeta.JPEG},
		{"GIF", "GIF8?a", gif.DecodeConfig, gif.Decode, packedPerByte, 0},
		{"BMP", "BM", bmp.DecodeConfig, bmp.Decode, plainPerByte, 0},
		{"TIFF", "II*\x00", tiff.DecodeConfig, tiff.Decode, packedPerByte, imagemeta.TIFF},
		{"TIFF", "MM\x00*", tiff.DecodeConfig, tiff.Decode, packedPerByte, imagemeta.TIFF},
		{"WebP", "RIFF????WEBP", webp.DecodeConfig, webp.Decode, packedPerByte, imagemeta.WebP},
	}
}

// beginningSize is that of what formats are told by, and WebP's animations: the
// flags of the chunk VP8X at its start.
const (
	beginningSize = 21
	animatedFlag  = 2
)

// formatOf tells a file's format by its first bytes.
func formatOf(r io.ReaderAt) (format, error) {
	beginning := make([]byte, beginningSize)
	n, err := r.ReadAt(beginning, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return format{}, err
	}
	for _, f := range formats() {
		if !f.begins(beginning[:n]) {
			continue
		}
		if f.name == "WebP" && string(beginning[12:16]) == "VP8X" && beginning[20]&animatedFlag != 0 {
			return format{}, errors.New("an animated WebP, which can't be read: save a frame of it")
		}
		return f, nil
	}
	return format{}, errors.New("not a PNG, JPEG, GIF, BMP, TIFF or WebP picture")
}

func (f format) begins(beginning []byte) bool {
	if len(beginning) < len(f.magic) {
		return false
	}
	for i, b := range []byte(f.magic) {
		if b != '?' && b != beginning[i] {
			return false
		}
	}
	return true
}

// unsupported says whether a decoder refused a file that it holds for sound.
func unsupported(err error) bool {
	var ofJPEG jpeg.UnsupportedError
	var ofPNG png.UnsupportedError
	var ofTIFF tiff.UnsupportedError
	return errors.As(err, &ofJPEG) || errors.As(err, &ofPNG) || errors.As(err, &ofTIFF) || errors.Is(err, bmp.ErrUnsupported)
}

// Endings are those of the names of files that Decode is for.
func Endings() []string {
	return []string{".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp"}
}

// Named tells by a file's ending, in small or capital letters, whether it is a
// picture that can be read, or else one of a format that can't.
func Named(name string) (readable, other bool) {
	ending := strings.ToLower(filepath.Ext(name))
	switch ending {
	case ".apng", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jpx", ".jxl", ".svg", ".psd", ".xcf", ".tga", ".ico", ".exr", ".hdr",
		".pbm", ".pgm", ".ppm", ".pnm", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf":
		return false, true
	}
	return slices.Contains(Endings(), ending), false
}
