package idx_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/dataset/internal/idx"
)

// file is an IDX file with this header and body.
func file(code byte, dims []uint32, body ...byte) []byte {
	data := []byte{0, 0, code, byte(len(dims))}
	for _, d := range dims {
		data = binary.BigEndian.AppendUint32(data, d)
	}
	return append(data, body...)
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// read reads a whole file.
func read(r *bytes.Reader, size int64) (*array.Array, error) {
	f, err := idx.Open(r, size)
	if err != nil {
		return nil, err
	}
	return f.Read()
}

func floatBytes(bits ...uint32) (body []byte) {
	for _, b := range bits {
		body = binary.BigEndian.AppendUint32(body, b)
	}
	return body
}

func TestRead(t *testing.T) {
	double := binary.BigEndian.AppendUint64(nil, math.Float64bits(-0.1))
	for _, c := range []struct {
		name string
		file []byte
		want array.Array
	}{
		{"pictures", file(8, []uint32{2, 1, 2}, 1, 2, 254, 255), array.Array{Shape: []int{2, 1, 2}, Bytes: []byte{1, 2, 254, 255}}},
		{"none", file(8, []uint32{0, 28, 28}), array.Array{Shape: []int{0, 28, 28}, Bytes: []byte{}}},
		{"signed bytes", file(9, []uint32{2}, 0x80, 0x7f), array.Array{Shape: []int{2}, Floats: []float32{-128, 127}}},
		{"shorts", file(11, []uint32{2}, 0xff, 0xfe, 0x01, 0x00), array.Array{Shape: []int{2}, Floats: []float32{-2, 256}}},
		{"ints", file(12, []uint32{1}, 0xff, 0xff, 0xff, 0xfd), array.Array{Shape: []int{1}, Floats: []float32{-3}}},
		{"floats", file(13, []uint32{1, 2}, floatBytes(math.Float32bits(1.5), math.Float32bits(-2))...), array.Array{Shape: []int{1, 2}, Floats: []float32{1.5, -2}}},
		{"doubles", file(14, []uint32{1}, double...), array.Array{Shape: []int{1}, Floats: []float32{-0.1}}},
	} {
		for packed, data := range map[string][]byte{"plain": c.file, "gzipped": zipped(c.file)} {
			got, err := read(bytes.NewReader(data), int64(len(data)))
			if err != nil || !sameNumbers(got, &c.want) {
				t.Errorf("%s, %s: %v, %v; want %v", c.name, packed, got, err, c.want)
			}
		}
	}
}

// What gzip(1) takes is read, and what it leaves out is said.
func TestBehindGzip(t *testing.T) {
	packed := zipped(file(8, []uint32{2, 1, 2}, 1, 2, 3, 4))
	for name, c := range map[string]struct {
		behind   string
		warnings []string
	}{
		"nothing": {"", nil},
		"zeros":   {strings.Repeat("\x00", 1000), nil},
		"newline": {"\n", []string{"bytes that are no gzip follow the compressed data and were left out"}},
	} {
		data := append(bytes.Clone(packed), c.behind...)
		f, err := idx.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		a, err := f.Read()
		if err != nil || !bytes.Equal(a.Bytes, []byte{1, 2, 3, 4}) || !slices.Equal(f.Warnings, c.warnings) || f.Remarks != nil {
			t.Errorf("%s: %v, %v; remarks %q, warnings %q", name, a, err, f.Remarks, f.Warnings)
		}
	}
}

// A file larger than one step of reading comes out whole.
func TestReadLarge(t *testing.T) {
	body := make([]byte, 300_001)
	for i := range body {
		body[i] = byte(i * 7 >> 3)
	}
	data := zipped(file(8, []uint32{300_001}, body...))
	got, err := read(bytes.NewReader(data), int64(len(data)))
	if err != nil || !bytes.Equal(got.Bytes, body) {
		t.Fatalf("%v, or other bytes", err)
	}
	if cap(got.Bytes) != len(body) {
		t.Errorf("%d bytes are held for %d", cap(got.Bytes), len(body))
	}
}

// sameNumbers compares arrays, whatever their numbers were stored in.
func sameNumbers(a, b *array.Array) bool {
	return slices.Equal(a.Shape, b.Shape) && slices.Equal(a.Bytes, b.Bytes) && slices.Equal(a.Floats, b.Floats)
}

func TestHostile(t *testing.T) {
	pictures := file(8, []uint32{2, 1, 2}, 1, 2, 3, 4)
	packed := zipped(pictures)
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-6] ^= 1 // within the checksum
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "not an IDX file: it has 0 bytes"},
		{"one byte", []byte{0}, "not an IDX file: it has 1 bytes"},
		{"text", []byte("hello, world"), "not an IDX file: its first bytes are 68 65 6c 6c"},
		{"type", file(7, []uint32{1}, 1), "0x07 is no type"},
		{"no dimensions", file(8, nil), "0 dimensions, want 1 to 8"},
		{"many dimensions", file(8, make([]uint32, 9)), "9 dimensions"},
		{"header cut", pictures[:9], "truncated: it ends within its header"},
		{"magic cut", pictures[:3], "truncated: it ends within its header"},
		{"body cut", pictures[:len(pictures)-1], "its header promises [2 1 2] uint8, 20 bytes, and it can hold 19"},
		{"body long", append(bytes.Clone(pictures), 5), "its header promises [2 1 2] uint8, 20 bytes, and it has 21"},
		{"2^31 images", file(8, []uint32{1 << 31, 28, 28}), "truncated: its header promises [2147483648 28 28]"},
		{"2^31 images, gzipped", zipped(file(8, []uint32{1 << 31, 28, 28})), "truncated: its header promises"},
		{"overflow", file(14, []uint32{math.MaxUint32, math.MaxUint32, math.MaxUint32}), "too large for this machine's address space"},
		{"gzip header cut", packed[:5], "truncated: it ends within its header"},
		{"gzip cut", packed[:len(packed)-16], "truncated: it ends after"},
		{"gzip checksum cut", packed[:len(packed)-3], "truncated"},
		{"gzip checksum", damaged, "damaged: gzip: invalid checksum"},
		{"gzip body cut", zipped(pictures[:len(pictures)-1]), "truncated: it ends after 3 of 4 numbers"},
		{"gzip body long", zipped(append(bytes.Clone(pictures), 5)), "bytes follow"},
		{"gzip bomb", zipped(append(bytes.Clone(pictures), make([]byte, 50<<20)...)), "bytes follow"},
	} {
		before := allocated()
		a, err := read(bytes.NewReader(c.file), int64(len(c.file)))
		if err == nil || a != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v; want an error with %q", c.name, a, err, c.want)
		}
		if used := allocated() - before; used > 1<<20 {
			t.Errorf("%s: took %d bytes", c.name, used)
		}
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// FuzzRead: no panic, memory bounded by the file's size, and a file that is
// read holds what its shape says.
func FuzzRead(f *testing.F) {
	for _, code := range []byte{8, 9, 11, 12, 13, 14} {
		data := file(code, []uint32{1, 2}, make([]byte, 16)...)
		f.Add(data)
		f.Add(zipped(data))
	}
	f.Add(file(8, []uint32{1 << 31, 28, 28}))
	f.Add(file(8, []uint32{2, 1, 2}, 1, 2, 3, 4))
	f.Add(zipped(file(8, []uint32{2, 1, 2}, 1, 2, 3, 4)))
	f.Add(zipped(file(9, []uint32{1 << 16}, make([]byte, 1<<16)...)))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocated()
		a, err := read(bytes.NewReader(data), int64(len(data)))
		// One packed byte can be 1032 bytes, each a float32, in slices that
		// double.
		if used := allocated() - before; used > 4<<20+uint64(len(data))*array.MaxInflation*12 {
			t.Errorf("%d bytes took %d", len(data), used)
		}
		if err != nil {
			return
		}
		count := 1
		for _, n := range a.Shape {
			count *= n
		}
		if len(a.Bytes)+len(a.Floats) != count || (a.Bytes == nil) == (a.Floats == nil) {
			t.Errorf("shape %v, %d bytes, %d floats", a.Shape, len(a.Bytes), len(a.Floats))
		}
	})
}
