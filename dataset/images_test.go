package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
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

// Every kind of picture comes out as the same greys.
func TestGreys(t *testing.T) {
	bounds := image.Rect(3, 5, 7, 8) // not at the origin
	grey := image.NewGray(bounds)
	for i := range grey.Pix {
		grey.Pix[i] = uint8(20 * i)
	}
	converted := func(to draw.Image) image.Image {
		draw.Draw(to, bounds, grey, bounds.Min, draw.Src)
		return to
	}
	var palette color.Palette
	for i := range 12 {
		palette = append(palette, color.Gray{Y: uint8(20 * i)})
	}
	want := make([]uint16, 12)
	for i := range want {
		want[i] = uint16(20*i) * 0x101
	}
	for _, c := range []struct {
		name   string
		img    image.Image
		encode func(w io.Writer, img image.Image) error
		off    float64
	}{
		{"grey", grey, png.Encode, 0},
		{"16 bits", converted(image.NewGray16(bounds)), png.Encode, 0},
		{"colour", converted(image.NewRGBA(bounds)), png.Encode, 0},
		{"colour with alpha", converted(image.NewNRGBA(bounds)), png.Encode, 0},
		{"16 bits of colour", converted(image.NewRGBA64(bounds)), png.Encode, 0},
		{"palette", converted(image.NewPaletted(bounds, palette)), png.Encode, 0},
		{"grey JPEG", grey, fineJPEG, 3 * 0x101},
		{"colour JPEG", converted(image.NewRGBA(bounds)), fineJPEG, 3 * 0x101},
	} {
		data := encoded(t, c.encode, c.img)
		q, err := decodePicture(bytes.NewReader(data), int64(len(data)), 3)
		if err != nil || q.rows != 3 || q.cols != 4 || len(q.levels) != 12 {
			t.Errorf("%s: %d rows, %d columns, %v", c.name, q.rows, q.cols, err)
			continue
		}
		for i, v := range q.levels {
			if math.Abs(float64(v)-float64(want[i])) > c.off {
				t.Errorf("%s: pixel %d is %d, want %d", c.name, i, v, want[i])
			}
		}
	}
	colours := image.NewNRGBA(image.Rect(0, 0, 4, 1))
	for x, c := range []color.NRGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 0}} {
		colours.SetNRGBA(x, 0, c)
	}
	if got := greys(colours); !slices.Equal(got, []uint16{19595, 38469, 7471, 0}) {
		t.Errorf("red, green, blue and transparent are %v", got)
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
	s := open(t, "images:"+dir+",size=12,n=4000,whiten=none", 1).(*patches)
	if info := s.Info(); len(info.Files) != 2 || !strings.HasSuffix(info.Files[0], "a.PNG") || info.Name != "images:"+dir+",size=12,n=4000,whiten=none" {
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

// claiming is the beginning of a PNG file of this size.
func claiming(t testing.TB, width, height uint32) []byte {
	t.Helper()
	data := encoded(t, png.Encode, image.NewGray(image.Rect(0, 0, 1, 1)))
	header := data[12:29] // type and body of the first chunk
	binary.BigEndian.PutUint32(header[4:], width)
	binary.BigEndian.PutUint32(header[8:], height)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(header))
	return data
}

func TestImagesErrors(t *testing.T) {
	good := encoded(t, png.Encode, noisy(40, 40))
	damaged := bytes.Clone(good)
	damaged[len(damaged)/2] ^= 0xff
	cutJPEG := encoded(t, fineJPEG, noisy(40, 40))
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"no picture", []byte("no picture"), "bad.png: not a PNG or JPEG picture"},
		{"empty", nil, "bad.png: not a PNG or JPEG picture"},
		{"GIF", encoded(t, func(w io.Writer, img image.Image) error { return gif.Encode(w, img, nil) }, noisy(40, 40)), "bad.png: not a PNG or JPEG picture"},
		{"cut", good[:len(good)/2], "bad.png: damaged: png: invalid format: not enough pixel data"},
		{"header cut", good[:20], "bad.png: truncated"},
		{"JPEG cut", cutJPEG[:len(cutJPEG)/2], "bad.png: damaged: invalid JPEG format: short Huffman data"},
		{"damaged", damaged, "bad.png: damaged: png: invalid format"},
		{"small", encoded(t, png.Encode, noisy(11, 40)), "bad.png: a picture of 11x40 pixels, smaller than a patch of 12x12"},
		{"huge", claiming(t, 1<<17, 1<<17), "bad.png: a picture of 131072x131072 pixels, want at most 33554432 in all"},
		{"long", claiming(t, 1<<30, 12), "bad.png: a picture of 12x1073741824 pixels, want at most"},
		{"a lie", claiming(t, 4000, 4000), "bad.png: a picture of 4000x4000 pixels can't be in 71 bytes"},
	} {
		dir := folder(t, map[string][]byte{"bad.png": c.data, "good.png": good})
		before := allocated()
		_, err := Open("images:"+dir, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
		if used := allocated() - before; used > 2<<20 {
			t.Errorf("%s: took %d bytes", c.name, used)
		}
	}
	none := folder(t, map[string][]byte{"notes.txt": nil})
	flat := folder(t, map[string][]byte{"a.png": encoded(t, png.Encode, image.NewGray(image.Rect(0, 0, 20, 20)))})
	for spec, want := range map[string]string{
		"images:" + none:                  "holds no pictures, files that end in .png, .jpg or .jpeg",
		"images:" + none + "/b":           "b: no such file",
		"images:" + flat:                  "whitening: a variance of 0",
		"images:" + flat + ",whiten=none": "standard deviation 0",
	} {
		if _, err := Open(spec, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", spec, err, want)
		}
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// FuzzPicture: no panic, memory bounded by what the file's bytes can stand for,
// and a picture that is read has as many pixels as it says.
func FuzzPicture(f *testing.F) {
	f.Add(encoded(f, png.Encode, noisy(5, 7)))
	f.Add(encoded(f, fineJPEG, noisy(16, 9)))
	f.Add(claiming(f, 4000, 4000))
	f.Add(claiming(f, 700, 700))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocated()
		q, err := decodePicture(bytes.NewReader(data), int64(len(data)), 4)
		if used := allocated() - before; used > 4<<20+uint64(len(data))*maxPerByte*32 {
			t.Errorf("%d bytes took %d", len(data), used)
		}
		if err == nil && (len(q.levels) != q.rows*q.cols || q.rows < 4 || q.cols < 4) {
			t.Errorf("%d pixels of %dx%d", len(q.levels), q.rows, q.cols)
		}
	})
}
