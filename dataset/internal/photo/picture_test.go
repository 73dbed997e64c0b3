package photo

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

func decode(data []byte, side int) (Picture, error) {
	return Decode(bytes.NewReader(data), int64(len(data)), side)
}

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

// writeGIF writes a picture from the origin on, of which img is the only frame.
func writeGIF(w io.Writer, img image.Image) error {
	frame, ok := img.(*image.Paletted)
	if !ok {
		return gif.Encode(w, img, nil)
	}
	config := image.Config{ColorModel: frame.Palette, Width: frame.Rect.Max.X, Height: frame.Rect.Max.Y}
	return gif.EncodeAll(w, &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}, Config: config})
}

func writeTIFF(w io.Writer, img image.Image) error {
	return tiff.Encode(w, img, &tiff.Options{Compression: tiff.Deflate})
}

// slope is a picture of greys that rise from the left to the right and downwards.
func slope(rows, cols int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, cols, rows))
	for i := range img.Pix {
		img.Pix[i] = uint8((i%cols*3 + i/cols*5) % 256)
	}
	return img
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
		{"GIF", converted(image.NewPaletted(bounds, palette)), writeGIF, 0},
		{"BMP", grey, bmp.Encode, 0},
		{"TIFF", converted(image.NewRGBA(bounds)), writeTIFF, 0},
	} {
		p, err := decode(encoded(t, c.encode, c.img), 3)
		if err != nil || len(p.Levels) != p.Rows*p.Cols || p.Transparent != (c.name == "GIF") || p.Turned || p.Coloured && c.off == 0 {
			t.Errorf("%s: %+v, %v", c.name, p, err)
			continue
		}
		// The frame of the GIF is a part of its picture.
		top, left := p.Rows-3, p.Cols-4
		for i := range 12 {
			got, want := float64(p.Levels[(top+i/4)*p.Cols+left+i%4]), float64(20*i*0x101)
			if math.Abs(got-want) > c.off {
				t.Errorf("%s: pixel %d is %g, want %g", c.name, i, got, want)
			}
		}
		if left > 0 && p.Levels[0] != white {
			t.Errorf("%s: outside of its frame it is %d", c.name, p.Levels[0])
		}
	}
}

// Colours come out as their luminance, and on white as far as they are
// transparent.
func TestColours(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 6, 1))
	for x, c := range []color.NRGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 0}, {0, 0, 0, 0}, {0, 0, 0, 51}} {
		img.SetNRGBA(x, 0, c)
	}
	p, err := decode(encoded(t, png.Encode, img), 1)
	if want := []uint16{19595, 38469, 7471, white, white, white - 51*0x101}; err != nil || !slices.Equal(p.Levels, want) || !p.Coloured || !p.Transparent {
		t.Errorf("%+v, %v; want %v", p, err, want)
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

// changed is data with other bytes at an offset behind the first occurrence of a
// marker.
func changed(t testing.TB, data, marker []byte, offset int, replacement ...byte) []byte {
	t.Helper()
	at := bytes.Index(data, marker)
	if at < 0 {
		t.Fatalf("no % x in it", marker)
	}
	data = bytes.Clone(data)
	copy(data[at+offset:], replacement)
	return data
}

// Damage, false claims and what no decoder here knows are named, and cost no
// memory.
func TestErrors(t *testing.T) {
	good, fine := encoded(t, png.Encode, slope(40, 40)), encoded(t, fineJPEG, slope(40, 40))
	coloured := image.NewRGBA(image.Rect(0, 0, 40, 40))
	colours := encoded(t, fineJPEG, coloured) // of three components
	damaged := bytes.Clone(good)
	damaged[len(damaged)/2] ^= 0xff
	frame := []byte{0xff, 0xc0} // the marker of a JPEG's size: FF C0, length, bits, rows, columns, components
	wide := encoded(t, bmp.Encode, slope(40, 40))
	binary.LittleEndian.PutUint32(wide[18:], 4000)
	binary.LittleEndian.PutUint32(wide[22:], 4000)
	animated := append([]byte("RIFF\x40\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02"), make([]byte, 9)...)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"no picture", []byte("no picture"), "not a PNG, JPEG, GIF, BMP, TIFF or WebP picture"},
		{"empty", nil, "not a PNG, JPEG, GIF, BMP, TIFF or WebP picture"},
		{"cut", good[:len(good)/2], "damaged: png: invalid format: not enough pixel data"},
		{"header cut", good[:20], "truncated"},
		{"JPEG cut", fine[:len(fine)/2], "damaged: invalid JPEG format: short Huffman data"},
		{"GIF cut", encoded(t, writeGIF, slope(40, 40))[:1000], "damaged: gif: "},
		{"BMP cut", encoded(t, bmp.Encode, slope(40, 40))[:1500], "truncated"},
		{"TIFF cut", encoded(t, writeTIFF, slope(40, 40))[:200], "truncated"},
		{"damaged", damaged, "damaged: "},
		{"small", encoded(t, png.Encode, slope(11, 40)), "a picture of 11x40 pixels, smaller than a patch of 12x12"},
		{"huge", claiming(t, 1<<17, 1<<17), "a picture of 131072x131072 pixels, want at most 33554432 in all"},
		{"long", claiming(t, 1<<30, 12), "a picture of 12x1073741824 pixels, want at most"},
		{"a lie", claiming(t, 4000, 4000), "a picture of 4000x4000 pixels can't be in 71 bytes"},
		{"a lie of a BMP", wide, "a picture of 4000x4000 pixels can't be in 2678 bytes"},
		{"a lie of a JPEG", changed(t, fine, frame, 5, 0x13, 0x88, 0x13, 0x88), "a picture of 5000x5000 pixels can't be in"},
		{"12 bits", changed(t, fine, frame, 4, 12), "unsupported JPEG feature: precision"},
		{"arithmetic coding", changed(t, fine, frame, 1, 0xc9), "unsupported JPEG feature: unknown marker"},
		{"2x2,1x1,1x2", changed(t, colours, frame, 10, 1, 0x22, 0, 2, 0x11, 1, 3, 0x12), "unsupported JPEG feature: luma/chroma subsampling ratio"},
		{"nothing to be seen", encoded(t, png.Encode, image.NewNRGBA(image.Rect(0, 0, 40, 40))), "nothing of it is seen: it is transparent all over"},
		{"an animation", animated, "an animated WebP, which can't be read"},
	} {
		before := allocated()
		_, err := decode(c.data, 12)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
		if used := allocated() - before; used > 1<<20 {
			t.Errorf("%s: took %d bytes", c.name, used)
		}
	}
}

func TestNamed(t *testing.T) {
	for name, want := range map[string][2]bool{
		"a.PNG": {true, false}, "b.jfif": {true, false}, "c.Tif": {true, false}, "d.HEIC": {false, true},
		"e.txt": {false, false}, "png": {false, false}, "f.png.txt": {false, false},
	} {
		if readable, other := Named(name); readable != want[0] || other != want[1] {
			t.Errorf("%s: %t, %t", name, readable, other)
		}
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// turned is a JPEG file with an EXIF orientation, in one of the byte orders.
func turned(t testing.TB, order binary.AppendByteOrder, orientation uint16) []byte {
	t.Helper()
	exif := []byte("Exif\x00\x00II")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		exif = []byte("Exif\x00\x00MM")
	}
	exif = order.AppendUint32(order.AppendUint16(exif, 42), 8)    // the first directory follows
	exif = order.AppendUint16(exif, 1)                            // of one tag
	exif = order.AppendUint16(order.AppendUint16(exif, 0x112), 3) // a number of 16 bits
	exif = order.AppendUint16(order.AppendUint32(exif, 1), orientation)
	exif = append(exif, make([]byte, 6)...)
	data := encoded(t, fineJPEG, slope(8, 16))
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
	return slices.Concat(data[:2], segment, exif, data[2:])
}

// Both byte orders of EXIF are read, and values that are no orientation turn
// nothing.
func TestOrientation(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for orientation := range uint16(11) {
			p, err := decode(turned(t, order, orientation), 8)
			turns := orientation >= 2 && orientation <= 8
			if exchanged := turns && orientation >= 5; err != nil || p.Turned != turns || (p.Rows == 16) != exchanged || len(p.Levels) != 8*16 {
				t.Errorf("orientation %d in %s: %dx%d, %t, %v", orientation, order, p.Rows, p.Cols, p.Turned, err)
			}
		}
	}
}

// That a TIFF file has more pages is noticed.
func TestMorePages(t *testing.T) {
	data := encoded(t, writeTIFF, slope(8, 8))
	if p, err := decode(data, 8); err != nil || p.More {
		t.Errorf("one page: more %t, %v", p.More, err)
	}
	directory := binary.LittleEndian.Uint32(data[4:])
	next := directory + 2 + 12*uint32(binary.LittleEndian.Uint16(data[directory:]))
	binary.LittleEndian.PutUint32(data[next:], directory)
	if p, err := decode(data, 8); err != nil || !p.More {
		t.Errorf("more pages: more %t, %v", p.More, err)
	}
}

// FuzzPicture: no panic, memory bounded by what the file's bytes can stand for,
// and a picture that is read has as many pixels as it says.
func FuzzPicture(f *testing.F) {
	small := slope(5, 7)
	f.Add(encoded(f, png.Encode, small))
	f.Add(encoded(f, fineJPEG, slope(16, 9)))
	f.Add(encoded(f, writeGIF, small))
	f.Add(encoded(f, bmp.Encode, small))
	f.Add(encoded(f, writeTIFF, small))
	f.Add(turned(f, binary.LittleEndian, 6))
	f.Add(turned(f, binary.BigEndian, 3))
	// WebP of 4x4 white pixels, lossless.
	f.Add([]byte("RIFF\x1c\x00\x00\x00WEBPVP8L\x0f\x00\x00\x00\x2f\x03\xc0\x00\x00\x07\xd0\xff\xfe\xf7\xbf\xff\x81\x88\xe8\x00"))
	f.Add(claiming(f, 4000, 4000))
	f.Add(claiming(f, 700, 700))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocated()
		p, err := decode(data, 4)
		if used := allocated() - before; used > 8<<20+uint64(len(data))*packedPerByte*32 {
			t.Errorf("%d bytes took %d", len(data), used)
		}
		if err == nil && (len(p.Levels) != p.Rows*p.Cols || p.Rows < 4 || p.Cols < 4) {
			t.Errorf("%d pixels of %dx%d", len(p.Levels), p.Rows, p.Cols)
		}
	})
}
