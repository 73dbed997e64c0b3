package matlab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

func open(data []byte) (*File, error) { return Open(bytes.NewReader(data), int64(len(data))) }

// floats are an array's numbers, whatever they are kept as.
func floats(a *array.Array) []float32 {
	if a.Bytes != nil {
		a = widened(a)
	}
	return a.Floats
}

// Every class, stored as itself or as something smaller, packed or not, in both
// byte orders, comes out as it was written.
func TestRoundTrip(t *testing.T) {
	whole, odd := []float64{0, 1, 2, 100, 7, 127}, []float64{-1.5, 0.25, 1e30, -0, 3, math.Pi}
	cases := []struct {
		name    string
		class   class
		kind    kind
		numbers []float64
		dims    []int
	}{
		{"double", classDouble, 9, odd, []int{2, 3}},
		{"double as uint8", classDouble, miUint8, whole, []int{3, 2}},
		{"double as int16", classDouble, 3, []float64{-300, 5, 30000, 0, 1, 2}, []int{1, 2, 3}},
		{"single", 7, 7, odd, []int{6, 1}},
		{"int8", 8, miInt8, []float64{-128, 127, 3}, []int{3, 1}},
		{"uint8", classUint8, miUint8, []float64{0, 255, 128}, []int{1, 3}},
		{"int16", 10, 3, []float64{-32768, 32767}, []int{2, 1}},
		{"uint16", 11, 4, []float64{65535, 1, 2}, []int{3, 1}},
		{"int32", 12, miInt32, []float64{-5, 1 << 20}, []int{2, 1}},
		{"uint32", 13, miUint32, []float64{1 << 31}, []int{1, 1}},
		{"int64", 14, 12, []float64{-(1 << 40), 9}, []int{2, 1}},
		{"uint64", classUint64, 13, []float64{1 << 63, 9}, []int{2, 1}},
		{"scalar", classDouble, 9, []float64{4}, []int{1, 1}},
		{"empty", classDouble, 9, nil, []int{0, 5}},
		{"many dimensions", classDouble, 9, whole, []int{1, 1, 2, 1, 3, 1, 1, 1}},
	}
	for _, w := range []writer{little(), big()} {
		var elements [][]byte
		for i, c := range cases {
			e := w.array(c.name, c.class, c.kind, c.numbers, c.dims...)
			if i%2 == 1 {
				e = w.compressed(e)
			}
			elements = append(elements, e)
		}
		f, err := open(w.file(elements...))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			a, err := f.Read(c.name)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			want := []float32{}
			for _, v := range c.numbers {
				want = append(want, float32(v))
			}
			if !slices.Equal(floats(a), want) || !slices.Equal(a.Shape, c.dims) {
				t.Errorf("%s in %s: %v of %v, want %v of %v", c.name, w.order, floats(a), a.Shape, want, c.dims)
			}
			if kept := a.Bytes != nil; kept != (c.class == classUint8) || a.Type != c.class.numbers() {
				t.Errorf("%s: kept as bytes: %t, %s", c.name, kept, a.Type)
			}
		}
	}
}

// Dimensions may be stored as uint32, and truth values are 0 and 1 whatever is
// stored.
func TestVariants(t *testing.T) {
	for _, w := range []writer{little(), big()} {
		x := w.array("x", classDouble, 9, []float64{1, 2}, 1, 2)
		const kindOfDims = tagSize + tagSize + 8 // behind the tag of the matrix and its flags
		copy(x[kindOfDims:], w.order.AppendUint32(nil, uint32(miUint32)))
		truths := w.element(miMatrix, append(w.beginning("truths", flagLogical|uint32(classUint8), 1, 3), w.small(miUint8, []byte{0, 1, 7})...))
		f, err := open(w.file(x, truths))
		if err != nil {
			t.Fatal(err)
		}
		if a, err := f.Read("x"); err != nil || !slices.Equal(a.Floats, []float32{1, 2}) || !slices.Equal(a.Shape, []int{1, 2}) {
			t.Errorf("dimensions of uint32: %v, %v", a, err)
		}
		if a, err := f.Read("truths"); err != nil || !slices.Equal(a.Bytes, []byte{0, 1, 1}) || a.Type.Kind != array.Bool {
			t.Errorf("truth values: %v, %v", a, err)
		}
		if dims, err := f.Dims("truths"); err != nil || !slices.Equal(dims, []int{1, 3}) {
			t.Errorf("dimensions %v, %v", dims, err)
		}
	}
}

// Labels are whole numbers of any type, a column or a row.
func TestLabels(t *testing.T) {
	w := little()
	f, err := open(w.file(
		w.array("column", classDouble, 9, []float64{1, 10, 3}, 3, 1), w.compressed(w.array("row", classDouble, miUint8, []float64{1, 10, 3}, 1, 3)),
		w.array("bytes", classUint8, miUint8, []float64{0, 255}, 1, 1, 2), w.array("one", 12, miInt32, []float64{-4}, 1, 1),
		w.array("hot", classDouble, 9, []float64{1, 0, 0, 1}, 2, 2), w.array("half", classDouble, 9, []float64{1, 1.5}, 2, 1),
		w.array("none", classDouble, 9, nil, 0, 1), w.array("nan", 7, 7, []float64{math.NaN()}, 1, 1),
	))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]int32{"column": {1, 10, 3}, "row": {1, 10, 3}, "bytes": {0, 255}, "one": {-4}} {
		if labels, err := f.ReadLabels(name); err != nil || !slices.Equal(labels, want) {
			t.Errorf("%s: %v, %v", name, labels, err)
		}
	}
	for name, want := range map[string]string{
		"hot": "labels have dimensions [2 2], want one number per example", "none": "labels have dimensions [0 1], want",
		"half": "label 1 is 1.5, want whole numbers", "nan": "label 0 is NaN, want whole numbers", "no": `no array "no" in it`,
	} {
		if _, err := f.ReadLabels(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
}

// What is no array of numbers is stepped over, and named where it is asked for.
func TestOtherVariables(t *testing.T) {
	w := little()
	pair := append(w.element(9, make([]byte, 8)), w.element(9, make([]byte, 8))...)
	other := func(name string, flags uint32, rest []byte) []byte {
		return w.element(miMatrix, append(w.beginning(name, flags, 1, 1), rest...))
	}
	opaque := append(w.element(miUint32, []byte{17, 0, 0, 0, 0, 0, 0, 0}), w.element(miInt8, []byte("table name"))...)
	data := w.file(
		other("cells", 1, w.array("inner", classDouble, 9, []float64{1}, 1, 1)),
		other("text", 4, w.small(4, []byte("a\x00"))),
		w.compressed(other("complex", uint32(classDouble)|flagComplex, pair)),
		w.element(miMatrix, nil),
		w.element(miMatrix, opaque),
		w.array("", classUint8, miUint8, []float64{1, 2, 3}, 3, 1),
		w.array("x", classDouble, 9, []float64{1, 2}, 1, 1, 2),
		w.array("scalars", classDouble, 9, []float64{1, 2}, 1, 2),
	)
	f, err := open(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"cells":   `array "cells": cell, want real numbers`,
		"text":    `array "text": char, want real numbers`,
		"complex": `array "complex": complex double, want real numbers`,
		"inner":   `no array "inner" in it: it has "cells" (1x1 cell), "text" (1x1 char), "complex" (1x1 complex double), "x" (1x1x2 double), "scalars" (1x2 double)`,
	} {
		if _, err := f.Read(name); fmt.Sprint(err) != want {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
	for _, c := range []struct {
		dimensions []int
		name, err  string
	}{
		{[]int{3}, "x", ""},
		{[]int{2, 3}, "", "several arrays that could be meant"},
		{[]int{4}, "", "no array that could be meant"},
	} {
		name, err := f.Only(func(a Listed) bool { return slices.Contains(c.dimensions, len(a.Dims)) })
		if name != c.name || (err != nil) != (c.err != "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("of %v dimensions: %q, %v", c.dimensions, name, err)
		}
	}
}

// Damage is named, and costs no memory.
func TestDamage(t *testing.T) {
	w := little()
	good := w.array("x", classDouble, 9, []float64{1, 2}, 2, 1)
	body := func(parts ...[]byte) []byte { return w.file(w.element(miMatrix, bytes.Join(parts, nil))) }
	begin := func(dims ...int) []byte { return w.beginning("x", uint32(classDouble), dims...) }
	flags := w.element(miUint32, make([]byte, 8))
	flags[8] = byte(classDouble)
	packed := w.compressed(good)
	checksum := bytes.Clone(packed)
	checksum[len(checksum)-1]++
	version := w.file(good)
	version[125] = 2
	newer := w.file(good)
	newer[125] = 9
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "not a MATLAB version 5 file: it has 0 bytes"},
		{"text", bytes.Repeat([]byte("text"), 50), "doesn't say its byte order"},
		{"version 7.3", version, "a MATLAB version 7.3 file, which is HDF5: save it with -v7"},
		{"HDF5", append([]byte("\x89HDF\r\n\x1a\n"), make([]byte, 200)...), "an HDF5 file, as those of MATLAB version 7.3 are: save it with -v7"},
		{"version 9", newer, "MATLAB version 0x0900"},
		{"tag cut", w.file(good)[:132], "element at byte 128: truncated"},
		{"body cut", w.file(good)[:150], "truncated: the element at byte 128 promises 64 bytes, and 14 follow"},
		{"4 GiB", w.file(w.tag(miMatrix, math.MaxUint32)), "promises 4294967295 bytes, and 0 follow"},
		{"unknown type", w.file(w.tag(99, 0)), "element at byte 128: damaged: an element of type 99"},
		{"numbers, no variable", w.file(w.element(9, make([]byte, 8))), "an element of float64, want a variable"},
		{"small variable", w.file(w.small(miMatrix, []byte{1})), "a matrix, want a variable"},
		{"small of 5", w.file([]byte{1, 0, 5, 0, 1, 2, 3, 4}), "a small element of 5 bytes"},
		{"twice", w.file(good, good), `a second variable "x"`},
		{"flags of doubles", body(w.element(9, make([]byte, 8))), "its flags are an element of float64"},
		{"short flags", body(w.small(miUint32, make([]byte, 4))), "4 bytes of flags"},
		{"no dimensions", body(flags), "dimensions: truncated"},
		{"one dimension", body(flags, w.small(miInt32, make([]byte, 4))), "4 bytes of dimensions"},
		{"nine dimensions", body(flags, w.element(miInt32, make([]byte, 36))), "36 bytes of dimensions, want at most 32"},
		{"a long name", body(flags, w.element(miInt32, make([]byte, 8)), w.element(miInt8, make([]byte, 2000))), "2000 bytes of name, want at most 1024"},
		{"no numbers", body(begin(2, 1)), "truncated: it ends within an element"},
		{"numbers beyond", body(begin(2, 1), w.tag(9, 16)), "16 bytes where 0 are left of the variable"},
		{"2^31 x 2^31", body(begin(math.MaxInt32, math.MaxInt32), w.element(9, make([]byte, 16))), "[2147483647 2147483647]"},
		{"overflow", body(begin(math.MaxInt32, math.MaxInt32, math.MaxInt32), w.element(9, make([]byte, 16))), "too large for this machine's address space"},
		{"negative", body(begin(-2, -1), w.element(9, make([]byte, 16))), "has a negative length"},
		{"short", body(begin(3, 1), w.element(9, make([]byte, 16))), "damaged: dimensions [3 1] of float64 are 24 bytes, and it has 16"},
		{"long", body(begin(1, 1), w.element(9, make([]byte, 16))), "are 8 bytes, and it has 16"},
		{"bytes as doubles", w.file(w.array("x", classUint8, 9, []float64{1}, 1, 1)), "damaged: bytes stored as float64"},
		{"a matrix for numbers", body(begin(1, 1), w.element(miMatrix, make([]byte, 8))), "its numbers are a matrix"},
		{"rest", body(begin(1, 1), w.element(9, make([]byte, 8)), make([]byte, 16)), "16 bytes follow its numbers"},
		{"not zlib", w.file(w.element(miCompressed, make([]byte, 32))), "zlib: invalid header"},
		{"zlib cut", w.file(w.element(miCompressed, packed[8:30])), "truncated"},
		{"checksum", w.file(checksum), "zlib: invalid checksum"},
		{"checksum cut", w.file(w.tag(miCompressed, len(packed)-10), packed[8:len(packed)-2]), "the last bytes of its compressed element are missing"},
		{"nested", w.file(w.compressed(packed)), "a compressed element in a compressed element"},
		{"two in one", w.file(w.compressed(append(bytes.Clone(good), good...))), "more than one variable in a compressed element"},
		{"packed lie", w.file(w.compressed(append(w.tag(miMatrix, 1<<30), good[8:]...))), "compressed bytes can't hold the 1073741824 that are promised"},
		{"bomb", w.file(w.compressed(append(bytes.Clone(good), make([]byte, 50<<20)...))), "more than one variable"},
	} {
		before := allocated()
		f, err := open(c.data)
		used := allocated() - before
		if err == nil {
			before = allocated()
			_, err = f.Read("x")
			used += allocated() - before
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
		if used > 1<<20 {
			t.Errorf("%s: took %d bytes", c.name, used)
		}
	}
}

// More variables than anyone has are refused, not listed.
func TestManyVariables(t *testing.T) {
	w := little()
	var elements [][]byte
	for i := range maxVariables + 1 {
		elements = append(elements, w.array(fmt.Sprint("v", i), classDouble, 9, nil, 0, 0))
	}
	if f, err := open(w.file(elements[:maxVariables]...)); err != nil || strings.Count(f.names(), ",") != maxNames {
		t.Errorf("error %v, or all names", err)
	}
	if _, err := open(w.file(elements...)); err == nil || !strings.Contains(err.Error(), "more than 4096 variables") {
		t.Errorf("error %v", err)
	}
}

// An array of more than MaxBytes is refused though the file holds it.
func TestTooManyNumbers(t *testing.T) {
	w := little()
	const count = MaxBytes/8 + 1
	begin := w.beginning("x", uint32(classDouble), count, 1)
	head := append(w.tag(miMatrix, len(begin)+8+8*count), append(begin, w.tag(9, 8*count)...)...)
	head = w.file(head)
	f, err := Open(sparse(head), int64(len(head))+8*count)
	if err != nil {
		t.Fatal(err)
	}
	before := allocated()
	_, err = f.Read("x")
	if err == nil || !strings.Contains(err.Error(), "want at most 1073741824") || allocated()-before > 1<<20 {
		t.Errorf("error %v", err)
	}
}

// sparse is a file of zeros behind its beginning.
type sparse []byte

func (s sparse) ReadAt(p []byte, offset int64) (int, error) {
	clear(p)
	if offset < int64(len(s)) {
		copy(p, s[offset:])
	}
	return len(p), nil
}

// A disk's own error stays what it is.
func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Open(failing{broken}, 1000); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

var _ io.ReaderAt = failing{}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// FuzzRead: no panic, memory bounded by what the file's bytes can hold, and an
// array that is read holds what its shape says.
func FuzzRead(f *testing.F) {
	for _, w := range []writer{little(), big()} {
		x := w.array("x", classDouble, 9, []float64{1, -2}, 2, 1)
		f.Add(w.file(x))
		f.Add(w.file(w.compressed(x)))
		f.Add(w.file(w.array("bytes", classUint8, miUint8, []float64{1, 2, 3}, 1, 3), w.compressed(w.array("y", classDouble, miUint8, []float64{1, 2, 3, 4, 5, 6}, 1, 2, 3))))
		f.Add(w.file(w.element(miMatrix, append(w.beginning("cells", 1, 1, 1), x...))))
		f.Add(w.file(w.tag(miMatrix, math.MaxUint32)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocated()
		file, err := open(data)
		if err != nil {
			return
		}
		for _, v := range file.variables {
			if labels, err := file.ReadLabels(v.name); err == nil && len(labels) != slices.Max(v.dims) {
				t.Errorf("%d labels of dimensions %v", len(labels), v.dims)
			}
			a, err := file.Read(v.name)
			if err != nil {
				continue
			}
			count := 1
			for _, n := range a.Shape {
				count *= n
			}
			if len(a.Bytes)+len(a.Floats) != count || (a.Bytes == nil) == (a.Floats == nil) {
				t.Errorf("shape %v, %d bytes, %d floats", a.Shape, len(a.Bytes), len(a.Floats))
			}
		}
		_, _ = file.Only(func(a Listed) bool { return len(a.Dims) == 3 })
		// Every variable costs the buffers of its reading, and one packed byte
		// can be 1032 bytes, each a float32 in slices that double.
		if used := allocated() - before; used > 4<<20+uint64(len(file.variables))<<19+uint64(len(data))*array.MaxInflation*16 {
			t.Errorf("%d bytes took %d", len(data), used)
		}
	})
}
