package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // a format that image.Decode knows
	_ "image/png"  // a format that image.Decode knows
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// Limits of a folder of pictures, all of which are kept in memory, as 16-bit
// greys.
const (
	maxPicture  = 1 << 25 // pixels of one: 8192x4096; decoding it takes up to 512 MiB for a moment
	maxPictures = 1 << 28 // pixels of all: 512 MiB
)

// maxPerByte is more pixels than one byte of a PNG file (8 of one bit, deflated)
// or of a JPEG file (8 blocks of 8x8) can stand for.
const maxPerByte = 8 * array.MaxInflation

// openImages opens a folder of photographs.
func openImages(s spec, seed uint64) (Set, error) {
	epsilon, err := s.epsilon()
	if err != nil {
		return nil, err
	}
	p, err := newPatches(s, seed)
	if err != nil {
		return nil, err
	}
	if epsilon > 0 && p.size > largestZCA {
		return nil, specErrorf("size=%d: want at most %d pixels with whiten=zca", p.size, largestZCA)
	}
	if p.info.Files, err = pictureFiles(s.path); err != nil {
		return nil, err
	}
	pixels := 0
	for _, file := range p.info.Files {
		q, err := readPicture(file, p.size)
		if err != nil {
			return nil, err
		}
		if pixels += len(q.levels); pixels > maxPictures {
			return nil, fmt.Errorf("%s: more than %d pixels in its pictures: use fewer or smaller ones", s.path, maxPictures)
		}
		p.pictures = append(p.pictures, q)
	}
	if err := p.prepare(epsilon); err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	return p, nil
}

// What is added to the eigenvalues of the covariance, in parts of their mean.
const (
	usualEpsilon    = 0.5
	smallestEpsilon = 1e-6 // still far above rounding
	largestEpsilon  = 100  // which whitens nothing any more
)

// epsilon is the value of the options whiten and epsilon, 0 for no whitening.
// The usual one becomes part of the specification.
func (s spec) epsilon() (float64, error) {
	text := s.options["epsilon"]
	switch s.options["whiten"] {
	case "zca":
		if text == "" {
			text = fmt.Sprint(usualEpsilon)
			s.options["epsilon"] = text
		}
		epsilon, err := strconv.ParseFloat(text, 64)
		if err != nil || !(epsilon >= smallestEpsilon && epsilon <= largestEpsilon) {
			return 0, specErrorf("epsilon=%s: want a number from %g to %g", text, smallestEpsilon, float64(largestEpsilon))
		}
		return epsilon, nil
	case "none":
		if text != "" {
			return 0, specErrorf("epsilon=%s is for whiten=zca", text)
		}
		return 0, nil
	}
	return 0, specErrorf("whiten=%s: want zca or none", s.options["whiten"])
}

// pictureFiles are the PNG and JPEG files of a folder by their names' endings,
// sorted. Hidden files, which systems leave in folders, are none.
func pictureFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, pathError(dir, err)
	}
	var files []string
	for _, e := range entries {
		ending := strings.ToLower(filepath.Ext(e.Name()))
		if slices.Contains([]string{".png", ".jpg", ".jpeg"}, ending) && !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if files == nil {
		return nil, fmt.Errorf("%s holds no pictures, files that end in .png, .jpg or .jpeg", dir)
	}
	return files, nil
}

// readPicture reads a picture that holds at least one patch of this size.
func readPicture(file string, size int) (picture, error) {
	var q picture
	err := withFile(file, func(f *os.File, fileSize int64) (err error) {
		q, err = decodePicture(f, fileSize, size)
		return err
	})
	return q, err
}

// decodePicture decodes a file of fileSize bytes. What the picture claims to be
// is checked before.
func decodePicture(r io.ReadSeeker, fileSize int64, size int) (picture, error) {
	config, format, err := image.DecodeConfig(bufio.NewReader(r))
	if err != nil || format != "png" && format != "jpeg" {
		return picture{}, notPicture(err)
	}
	q := picture{rows: config.Height, cols: config.Width}
	if err := q.fits(size); err != nil {
		return picture{}, err
	}
	switch pixels := int64(q.rows) * int64(q.cols); {
	case q.rows > maxPicture || q.cols > maxPicture || pixels > maxPicture:
		return picture{}, fmt.Errorf("a picture of %dx%d pixels, want at most %d in all", q.rows, q.cols, maxPicture)
	case pixels/maxPerByte > fileSize:
		return picture{}, fmt.Errorf("a picture of %dx%d pixels can't be in %d bytes", q.rows, q.cols, fileSize)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return picture{}, err
	}
	decoded, _, err := image.Decode(bufio.NewReader(r))
	if err != nil {
		return picture{}, notPicture(err)
	}
	if got := decoded.Bounds().Size(); got != image.Pt(q.cols, q.rows) {
		return picture{}, errors.New("damaged: its pixels are not as many as it says")
	}
	q.levels = greys(decoded)
	return q, nil
}

func notPicture(err error) error {
	if err == nil || errors.Is(err, image.ErrFormat) {
		return errors.New("not a PNG or JPEG picture")
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("truncated")
	}
	return fmt.Errorf("damaged: %w", err)
}

// greys are the luminances of a picture's pixels (ITU-R BT.601, as in JPEG),
// what is transparent over black, row by row.
func greys(img image.Image) []uint16 {
	b := img.Bounds()
	levels := make([]uint16, 0, b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		switch img := img.(type) {
		case *image.Gray:
			levels = appendBytes(levels, img.Pix[img.PixOffset(b.Min.X, y):][:b.Dx()])
		case *image.YCbCr: // its first plane is the luminance
			levels = appendBytes(levels, img.Y[img.YOffset(b.Min.X, y):][:b.Dx()])
		default:
			levels = appendGreys(levels, img.(image.RGBA64Image), y) // as all of the standard library's are
		}
	}
	return levels
}

func appendBytes(levels []uint16, line []byte) []uint16 {
	for _, v := range line {
		levels = append(levels, uint16(v)*0x101)
	}
	return levels
}

func appendGreys(levels []uint16, img image.RGBA64Image, y int) []uint16 {
	for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
		c := img.RGBA64At(x, y)
		sum := 19595*uint32(c.R) + 38470*uint32(c.G) + 7471*uint32(c.B)
		levels = append(levels, uint16((sum+1<<15)>>16))
	}
	return levels
}
