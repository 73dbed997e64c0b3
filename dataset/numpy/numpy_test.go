package numpy_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npy"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/dataset/numpy"
)

// file is an npy file as numpy writes it: header padded with spaces to a
// multiple of 64, a newline last.
func file(descr, order, shape string, body ...byte) []byte {
	dictionary := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, shape)
	dictionary += strings.Repeat(" ", 63-(10+len(dictionary))%64) + "\n"
	data := append([]byte("\x93NUMPY\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(data[8:], uint16(len(dictionary)))
	return append(append(data, dictionary...), body...)
}

type entry struct {
	name string
	file []byte
}

func archive(entries ...entry) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.Create(e.name)
		if err == nil {
			_, err = f.Write(e.file)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func little(size int, numbers ...uint64) (body []byte) {
	for _, n := range numbers {
		body = append(body, binary.LittleEndian.AppendUint64(nil, n)[:size]...)
	}
	return body
}

func TestRead(t *testing.T) {
	var written bytes.Buffer // by npyio, whose header is of version 2
	if err := npy.Write(&written, []float64{0.5, -3}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		file []byte
		want array.Array
	}{
		{"bytes", file("|u1", "False", "(2, 1, 2)", 1, 2, 3, 255), array.Array{Shape: []int{2, 1, 2}, Bytes: []byte{1, 2, 3, 255}}},
		{"floats", file("<f4", "False", "(1, 2)", little(4, uint64(math.Float32bits(1.5)), uint64(math.Float32bits(-2)))...), array.Array{Shape: []int{1, 2}, Floats: []float32{1.5, -2}}},
		{"big-endian floats", file(">f4", "False", "(1,)", 0x3f, 0x80, 0, 0), array.Array{Shape: []int{1}, Floats: []float32{1}}},
		{"doubles", file("<f8", "False", "(1, 1)", little(8, math.Float64bits(-0.1))...), array.Array{Shape: []int{1, 1}, Floats: []float32{-0.1}}},
		{"npyio's", written.Bytes(), array.Array{Shape: []int{2}, Floats: []float32{0.5, -3}}},
		{"whole numbers", file("<i2", "False", "(2,)", 0xfe, 0xff, 1, 1), array.Array{Shape: []int{2}, Floats: []float32{-2, 257}}},
		{"none", file("|u1", "False", "(0, 3)"), array.Array{Shape: []int{0, 3}, Bytes: []byte{}}},
		// np.asfortranarray([[0, 1, 2], [3, 4, 5]])
		{"Fortran, two dimensions", file("|u1", "True", "(2, 3)", 0, 3, 1, 4, 2, 5), array.Array{Shape: []int{2, 3}, Bytes: []byte{0, 1, 2, 3, 4, 5}}},
		// np.arange(12).reshape(2, 3, 2) in Fortran order
		{"Fortran, three dimensions", file("|u1", "True", "(2, 3, 2)", 0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11), array.Array{Shape: []int{2, 3, 2}, Bytes: []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}},
	} {
		got, err := numpy.Read(bytes.NewReader(c.file), int64(len(c.file)))
		if err != nil || !sameNumbers(got, &c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}

// sameNumbers compares arrays, whatever their numbers were stored in.
func sameNumbers(a, b *array.Array) bool {
	return slices.Equal(a.Shape, b.Shape) && slices.Equal(a.Bytes, b.Bytes) && slices.Equal(a.Floats, b.Floats)
}

func TestHostile(t *testing.T) {
	good := file("|u1", "False", "(2, 2)", 1, 2, 3, 4)
	longHeader := append([]byte("\x93NUMPY\x02\x00"), 0xff, 0xff, 0xff, 0xff)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "not an npy file"},
		{"text", []byte("hello, world, and more"), "not an npy file"},
		{"version", append([]byte("\x93NUMPY\x09\x00"), 2, 0, 0, 0, ' ', '\n'), "version 9.0 of the npy format, want 1.0, 2.0 or 3.0"},
		{"header of 4 GiB", longHeader, "a header of 4294967295 bytes in a file of 12"},
		{"header cut", good[:40], "a header of 118 bytes in a file of 40"},
		{"body cut", good[:len(good)-1], "its header promises [2 2] uint8, 4 bytes, and 3 follow it"},
		{"2^40 numbers", file("<f4", "False", "(1048576, 1048576)"), "4398046511104 bytes, and 0 follow it"},
		{"overflow", file("<f8", "False", "(4611686018427387904, 9, 9)"), "too large for this machine's address space"},
		{"beyond int", file("<f8", "False", "(99999999999999999999,)"), "99999999999999999999 is too large for this machine's address space"},
		{"negative", file("<f4", "False", "(-1, 4)"), "negative length"},
		{"dimensions", file("|u1", "False", "("+strings.Repeat("1, ", 40)+")", 1), "40 dimensions, want at most 8"},
		{"complex", file("<c8", "False", "(1,)", make([]byte, 8)...), `numbers of type "<c8"`},
		{"text type", file("<U12", "False", "(1,)", make([]byte, 48)...), `numbers of type "<U12"`},
		{"objects", file("|O", "False", "(1,)", make([]byte, 8)...), `numbers of type "|O"`},
		{"long double", file("<f16", "False", "(1,)", make([]byte, 16)...), `numbers of type "<f16" (long double, which differs from machine to machine; save it as float64)`},
		{"odd size", file("<i3", "False", "(1,)", 0, 0, 0), `numbers of type "<i3"`},
		{"order", file("<f4", "Maybe", "(1,)", 0, 0, 0, 0), `"Maybe, 'shape': (1,)" is no value`},
		{"no dictionary", append([]byte("\x93NUMPY\x01\x00"), 2, 0, ' ', '\n'), "header: it ends too early"},
		{"no newline", append([]byte("\x93NUMPY\x01\x00"), 2, 0, '{', '}'), "not a dictionary of descr, fortran_order and shape"},
	} {
		before := allocated()
		a, err := numpy.Read(bytes.NewReader(c.file), int64(len(c.file)))
		if err == nil || a != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, %v; want an error with %q", c.name, a, err, c.want)
		}
		if used := allocated() - before; used > 1<<20 {
			t.Errorf("%s: took %d bytes", c.name, used)
		}
	}
}

// What follows the numbers is left out, as numpy does, and said.
func TestBytesBehind(t *testing.T) {
	good := file("|u1", "False", "(2, 2)", 1, 2, 3, 4)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(append(bytes.Clone(good), "more"...)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	const remark, warning = "4 bytes follow the numbers that the header promises and were left out", "bytes that are no gzip follow the compressed data and were left out"
	for _, c := range []struct {
		name              string
		file              []byte
		remarks, warnings []string
	}{
		{"nothing", good, nil, nil},
		{"four bytes", append(bytes.Clone(good), "more"...), []string{remark}, nil},
		{"gzipped", packed.Bytes(), []string{remark}, nil},
		{"behind gzip", append(bytes.Clone(packed.Bytes()), '\n'), []string{remark}, []string{warning}},
	} {
		f, err := numpy.Open(bytes.NewReader(c.file), int64(len(c.file)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		a, err := f.Read()
		if err != nil || !bytes.Equal(a.Bytes, []byte{1, 2, 3, 4}) || !slices.Equal(f.Remarks, c.remarks) || !slices.Equal(f.Warnings, c.warnings) {
			t.Errorf("%s: %v, %v; remarks %q, warnings %q", c.name, a, err, f.Remarks, f.Warnings)
		}
	}
}

// altered is an archive with another byte in the entry of its directory for the first
// file.
func altered(archive []byte, at int, value byte) []byte {
	data := bytes.Clone(archive)
	data[bytes.Index(data, []byte("PK\x01\x02"))+at] = value
	return data
}

func TestArchive(t *testing.T) {
	x := file("|u1", "False", "(2, 2)", 1, 2, 3, 4)
	labels := file("<i8", "False", "(2,)", little(8, 7, math.MaxUint64)...)
	read := func(data []byte, name string) (any, error) {
		a, err := numpy.OpenArchive(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return nil, err
		}
		if name == "labels" {
			return a.ReadLabels(name)
		}
		result, err := a.Read(name)
		if result == nil {
			return nil, err
		}
		return result.Bytes, err
	}
	both := archive(entry{"images.npy", x}, entry{"labels.npy", labels})
	for _, c := range []struct {
		name  string
		file  []byte
		array string
		want  any
		err   string
	}{
		{"images", both, "images", []byte{1, 2, 3, 4}, ""},
		{"images.npy", both, "images.npy", []byte{1, 2, 3, 4}, ""},
		{"labels", both, "labels", []int32{7, -1}, ""},
		{"column of labels", archive(entry{"labels.npy", file("|u1", "False", "(2, 1)", 3, 4)}), "labels", []int32{3, 4}, ""},
		{"other", both, "other", nil, `no array "other" in it: it has "images", "labels"`},
		{"empty archive", archive(), "images", nil, "it has none"},
		{"no archive", x, "images", nil, "not an npz file"},
		{"no array", archive(entry{"images.npy", []byte("hello, world")}), "images", nil, `array "images": not an npy file`},
		{"float labels", archive(entry{"labels.npy", file("<f4", "False", "(1,)", 0, 0, 0x80, 0x3f)}), "labels", []int32{1}, ""},
		{"broken labels", archive(entry{"labels.npy", file("<f4", "False", "(1,)", 0, 0, 0, 0x3f)}), "labels", nil, "label 0 is 0.5, want whole numbers"},
		{"label that is no number", archive(entry{"labels.npy", file("<f2", "False", "(1,)", 0, 0x7e)}), "labels", nil, "label 0 is NaN, want whole numbers"},
		{"true labels", archive(entry{"labels.npy", file("|b1", "False", "(2,)", 1, 0)}), "labels", []int32{1, 0}, ""},
		{"negative uint64", archive(entry{"labels.npy", file("<u8", "False", "(1,)", little(8, math.MaxUint64)...)}), "labels", nil, "label 0 is 1.8446744073709552e+19: out of range"},
		{"single label", archive(entry{"labels.npy", file("<i8", "False", "()", little(8, 1)...)}), "labels", nil, "labels have shape [], want one per example"},
		{"wide labels", archive(entry{"labels.npy", file("<u1", "False", "(2, 2)", 1, 2, 3, 4)}), "labels", nil, "labels have shape [2 2], want one per example; if each row has a 1 in the column of its class, save the columns instead: y.argmax(axis=1)"},
		{"huge label", archive(entry{"labels.npy", file("<i8", "False", "(1,)", little(8, 1<<40)...)}), "labels", nil, "label 0 is 1.099511627776e+12: out of range"},
		{"bomb", archive(entry{"images.npy", append(bytes.Clone(x), make([]byte, 50<<20)...)}), "images", []byte{1, 2, 3, 4}, ""},
		{"encrypted", altered(both, 8, 1), "images", nil, `array "images": it is encrypted`},
		{"another compression", altered(both, 10, 12), "images", nil, "save it with numpy.savez_compressed"},
		{"twice", archive(entry{"images.npy", file("|u1", "False", "(1, 1)", 9)}, entry{"images.npy", x}), "images", []byte{1, 2, 3, 4}, ""},
	} {
		before := allocated()
		got, err := read(c.file, c.array)
		if c.err == "" && (err != nil || !reflect.DeepEqual(got, c.want)) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v, %v; want an error with %q", c.name, got, err, c.err)
		}
		if used := allocated() - before; used > 2<<20 {
			t.Errorf("%s: took %d bytes", c.name, used)
		}
	}
}

// A byte that has changed is told by the archive's checksum, behind more bytes too.
func TestArchiveChecksum(t *testing.T) {
	for name, behind := range map[string]string{"alone": "", "bytes behind": "more"} {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, err := w.CreateHeader(&zip.FileHeader{Name: "x.npy", Method: zip.Store})
		if err == nil {
			_, err = f.Write(append(file("|u1", "False", "(2, 2)", 1, 2, 3, 44), behind...))
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		data := b.Bytes()
		data[bytes.Index(data, []byte{1, 2, 3, 44})] = 9
		a, err := numpy.OpenArchive(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Read("x"); !errors.Is(err, zip.ErrChecksum) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// An archive whose directory promises more than its packed bytes can hold.
func TestArchiveLies(t *testing.T) {
	data := archive(entry{"images.npy", file("|u1", "False", "(2, 2)", 1, 2, 3, 4)})
	directory := bytes.Index(data, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(data[directory+24:], 3<<30)
	a, err := numpy.OpenArchive(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Read("images"); err == nil || !strings.Contains(err.Error(), "can't hold the 3221225472 that are promised") {
		t.Errorf("error %v", err)
	}
}

func TestOnly(t *testing.T) {
	x := file("|u1", "False", "(1,)", 1)
	for _, c := range []struct {
		names []string
		other string
		want  string
		err   string
	}{
		{[]string{"arr_0.npy"}, "", "arr_0", ""},
		{[]string{"x.npy", "y.npy"}, "y", "x", ""},
		{[]string{"x.npy", "y.npy"}, "y.npy", "x", ""},
		{[]string{"x.npy", "y.npy"}, "", "", `several arrays, "x", "y": say which are the examples, x=NAME, and which the labels if there are any, y=NAME`},
		{[]string{"y.npy"}, "y", "", "no array of examples in it"},
	} {
		var entries []entry
		for _, name := range c.names {
			entries = append(entries, entry{name, x})
		}
		data := archive(entries...)
		a, err := numpy.OpenArchive(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.Only(c.other)
		if got != c.want || (c.err != "") != (err != nil) || err != nil && err.Error() != c.err {
			t.Errorf("%v besides %q: %q, %v; want %q, %s", c.names, c.other, got, err, c.want, c.err)
		}
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func checkArray(t *testing.T, a *array.Array) {
	count := 1
	for _, n := range a.Shape {
		count *= n
	}
	if len(a.Bytes)+len(a.Floats) != count || (a.Bytes == nil) == (a.Floats == nil) {
		t.Errorf("shape %v, %d bytes, %d floats", a.Shape, len(a.Bytes), len(a.Floats))
	}
}

// FuzzNPY: no panic, memory bounded by the file's size.
func FuzzNPY(f *testing.F) {
	f.Add(file("|u1", "False", "(2, 2)", 1, 2, 3, 4))
	f.Add(file("<f8", "True", "(2, 1)", make([]byte, 16)...))
	f.Add(file(">i4", "False", "(1, 1, 1)", 0, 0, 0, 9))
	f.Add(file("<f4", "False", "(1048576, 1048576)"))
	f.Add(append([]byte("\x93NUMPY\x02\x00"), 0xff, 0xff, 0xff, 0xff))
	f.Add(append([]byte("\x93NUMPY\x01\x00"), 2, 0, '{', '}'))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocated()
		a, err := numpy.Read(bytes.NewReader(data), int64(len(data)))
		if err == nil {
			checkArray(t, a)
		}
		if used := allocated() - before; used > 4<<20+16*uint64(len(data)) {
			t.Errorf("%d bytes took %d", len(data), used)
		}
		if f, err := numpy.Open(bytes.NewReader(data), int64(len(data))); err == nil {
			_, _ = f.Labels()
		}
	})
}

// FuzzNPZ: no panic, memory bounded by what the packed bytes can hold.
func FuzzNPZ(f *testing.F) {
	x := file("|u1", "False", "(2, 2)", 1, 2, 3, 4)
	f.Add(archive(entry{"x.npy", x}, entry{"y.npy", file("<i8", "False", "(2,)", make([]byte, 16)...)}))
	f.Add(archive(entry{"x.npy", x}))
	f.Add(archive())
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocated()
		a, err := numpy.OpenArchive(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		if name, err := a.Only("y"); err == nil {
			if result, err := a.Read(name); err == nil {
				checkArray(t, result)
			}
		}
		_, _ = a.ReadLabels("y")
		if used := allocated() - before; used > 8<<20+uint64(len(data))*array.MaxInflation*32 {
			t.Errorf("%d bytes took %d", len(data), used)
		}
	})
}

func TestBytes(t *testing.T) {
	content := archive(entry{"x.npy", file("<f4", "False", "(2,)", make([]byte, 8)...)})
	a, err := numpy.OpenArchive(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.Bytes("x"), uint64(len(file("<f4", "False", "(2,)", make([]byte, 8)...))); got != want {
		t.Errorf("x has %d bytes, want %d", got, want)
	}
	if got := a.Bytes("y"); got != 0 {
		t.Errorf("an array that is not there has %d bytes", got)
	}
}
