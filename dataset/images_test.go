package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"golang.org/x/image/tiff"
)

// encoded is a picture in a file.
func encoded(t testing.TB, encode func(w io.Writer, img image.Image) error, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func fineJPEG(w io.Writer, img image.Image) error {
	return jpeg.Encode(w, img, &jpeg.Options{Quality: 100})
}

// noisy is a picture of noise whose neighbours are correlated.
func noisy(rows, cols int) *image.Gray {
	img, z := image.NewGray(image.Rect(0, 0, cols, rows)), noise(rows+1, cols+1)
	for y := range rows {
		for x := range cols {
			at := y*(cols+1) + x
			v := z[at] + 0.5*z[at+1] + 0.5*z[at+cols+1]
			img.SetGray(x, y, color.Gray{Y: uint8(max(0, min(255, 128+30*v)))})
		}
	}
	return img
}

// noiseFolder is a folder of two pictures.
func noiseFolder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for i, img := range []image.Image{noisy(150, 120), noisy(90, 200)} {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.png", i)), encoded(t, png.Encode, img), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Patches of a flat folder of PNG files are what they have always been, bit for
// bit: greys and colours, in the order of the names.
func TestImagesStay(t *testing.T) {
	colours := image.NewRGBA(image.Rect(0, 0, 60, 50))
	draw.Draw(colours, colours.Rect, noisy(50, 60), image.Point{}, draw.Src)
	for i := range colours.Pix {
		if i%4 == 1 {
			colours.Pix[i] /= 2
		}
	}
	dir := folder(t, map[string][]byte{
		"b.PNG": encoded(t, png.Encode, noisy(90, 70)), "a.png": encoded(t, png.Encode, colours), "C.jpg": encoded(t, png.Encode, noisy(40, 80)),
	})
	s := open(t, "images:"+dir+",size=6,n=500,whiten=standard", 5)
	hash := fnv.New64a()
	for _, v := range read(t, s, firstExamples(500)...) {
		hash.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
	}
	// Other processors fuse products and sums.
	if got := hash.Sum64(); got != 0xbc71c318e70f4d9c && runtime.GOARCH == "amd64" {
		t.Errorf("patches are others: %x", got)
	}
	info := s.Info()
	if want := "3 pictures of 50x60 to 90x70 pixels as grey levels"; info.Stored != want {
		t.Errorf("stored: %q, want %q", info.Stored, want)
	}
	if want := []string{"pictures in colour, of which the luminance is taken: 1 of 3"}; !slices.Equal(info.Remarks, want) || info.Warnings != nil {
		t.Errorf("remarks %q, warnings %q", info.Remarks, info.Warnings)
	}
}

// Patches of a folder: its pictures only, each as often, whatever their sizes.
func TestImages(t *testing.T) {
	flat := func(rows, cols int, level uint8) *image.Gray {
		img := noisy(rows, cols)
		for i := range img.Pix {
			img.Pix[i] = level + img.Pix[i]/128 // level or one more
		}
		return img
	}
	dir := folder(t, map[string][]byte{
		"a.PNG":     encoded(t, png.Encode, flat(12, 12, 10)),
		"b.jpeg":    encoded(t, png.Encode, flat(40, 60, 200)), // told by its bytes
		"notes.txt": []byte("no picture"),
		".c.png":    []byte("a system's"),
	})
	s := open(t, "images:"+dir+",size=12,n=4000,whiten=standard", 1).(*patches)
	if info := s.Info(); len(info.Files) != 2 || !strings.HasSuffix(info.Files[0], "a.PNG") || info.Name != "images:"+dir+",size=12,n=4000,whiten=standard" {
		t.Errorf("%+v", info)
	}
	// The first picture has room for one patch only.
	whole := read(t, s, firstExamples(4000)...)
	var only []float32
	first := 0
	for i := range 4000 {
		source := engine.NewSource(1, engine.PurposePatch, 0, uint64(i))
		if x := whole[i*144 : (i+1)*144]; source.IntN(2) == 0 {
			if only != nil && !slices.Equal(x, only) {
				t.Fatalf("example %d is not the first picture", i)
			}
			only = x
			first++
		}
	}
	if first < 1850 || first > 2150 {
		t.Errorf("%d of 4000 patches are of the first of two pictures", first)
	}
	if _, deviation := moments(t, s); math.Abs(deviation-1) > 0.03 {
		t.Errorf("deviation %g", deviation)
	}
}

// Examples whitened by a sample of other patches have the identity for
// covariance, but for the direction of a patch's mean, which is not there.
func TestImagesAreWhite(t *testing.T) {
	const side, n = 5, 40000
	s := open(t, fmt.Sprintf("images:%s,size=%d,n=%d,epsilon=0.01", noiseFolder(t), side, n), 3)
	const size = side * side
	if name := open(t, "images:"+noiseFolder(t)+",size=5", 1).Info().Name; !strings.HasSuffix(name, ",size=5,n=100000,whiten=zca,epsilon=0.5") {
		t.Errorf("the usual epsilon is missing in %s", name)
	}
	data := read(t, s, firstExamples(n)...)
	covariance := make([]float64, size*size)
	for i := range n {
		x := data[i*size : (i+1)*size]
		for j, v := range x {
			for k, w := range x {
				covariance[j*size+k] += float64(v) * float64(w) / n
			}
		}
	}
	for j := range size {
		for k := range size {
			want := -1. / (size - 1)
			if j == k {
				want = 1
			}
			if got := covariance[j*size+k]; math.Abs(got-want) > 0.08 {
				t.Errorf("covariance %d, %d is %.3f, want %.3f", j, k, got, want)
			}
		}
	}
}

// A picture that can't be read, or is smaller than a patch, is left out and named;
// a folder of which most are like that is refused.
func TestBadPictures(t *testing.T) {
	good := encoded(t, png.Encode, noisy(40, 40))
	jpg := encoded(t, fineJPEG, noisy(40, 40))
	frame := bytes.Index(jpg, []byte{0xff, 0xc0})
	wide := bytes.Clone(jpg)
	wide[frame+4] = 12 // bits
	files := map[string][]byte{
		"1.png": good, "2.png": good, "3.png": good, "4.png": good,
		"cut.png": good[:len(good)/2], "empty.bmp": nil, "small.gif": encoded(t, writeGIF, noisy(11, 40)), "twelve.jpg": wide,
	}
	dir := folder(t, files)
	s := open(t, "images:"+dir, 1)
	want := []string{"pictures that can't be used and are left out, 4 of 8: cut.png: damaged: png: invalid format: not enough pixel data, " +
		"empty.bmp: not a PNG, JPEG, GIF, BMP, TIFF or WebP picture, small.gif: a picture of 11x40 pixels, smaller than a patch of 12x12, and 1 more"}
	if info := s.Info(); !slices.Equal(info.Warnings, want) || len(info.Files) != 4 || info.Stored != "4 pictures of 40x40 pixels as grey levels, patches of them whitened" {
		t.Errorf("%+v, want warnings %q", info, want)
	}
	files["most.png"] = good[:20]
	dir = folder(t, files)
	want[0] = "5 of 9 pictures can't be used: cut.png: "
	if _, err := Open("images:"+dir, 1); err == nil || !strings.Contains(err.Error(), want[0]) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v, want %s", err, want[0])
	}
}

// A TIFF file of several pages is not silently one picture.
func TestSeveralPages(t *testing.T) {
	stack := encoded(t, func(w io.Writer, img image.Image) error { return tiff.Encode(w, img, nil) }, noisy(40, 40))
	directory := binary.LittleEndian.Uint32(stack[4:])
	next := directory + 2 + 12*uint32(binary.LittleEndian.Uint16(stack[directory:]))
	binary.LittleEndian.PutUint32(stack[next:], directory)
	s := open(t, "images:"+folder(t, map[string][]byte{"a.tif": stack, "b.png": encoded(t, png.Encode, noisy(40, 40))}), 1)
	if want := []string{"TIFF files of several pages, of which the first is taken: 1 of 2 files"}; !slices.Equal(s.Info().Warnings, want) {
		t.Errorf("warnings %q, want %q", s.Info().Warnings, want)
	}
}

func writeGIF(w io.Writer, img image.Image) error { return gif.Encode(w, img, nil) }

func TestImagesErrors(t *testing.T) {
	none := folder(t, map[string][]byte{"notes.txt": nil, "a.heic": nil, "b.heic": nil})
	flat := folder(t, map[string][]byte{"a.png": encoded(t, png.Encode, image.NewGray(image.Rect(0, 0, 20, 20)))})
	for spec, want := range map[string]string{
		"images:" + none:                      "holds no pictures, files that end in .png, .jpg, .jpeg, .jpe, .jfif, .gif, .bmp, .tif, .tiff or .webp; it holds .heic (2), .txt (1)",
		"images:" + none + "/b":               "b: no such file",
		"images:" + none + "/notes.txt":       "notes.txt: not a directory",
		"images:" + flat:                      "whitening: a variance of 0",
		"images:" + flat + ",whiten=standard": "standard deviation 0",
	} {
		if _, err := Open(spec, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", spec, err, want)
		}
	}
}
