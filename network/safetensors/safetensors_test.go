package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
)

func read(b []byte) (*File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

// sample is a file's content with awkward shapes, numbers and words.
func sample() ([]Tensor, map[string]string) {
	inf := float32(math.Inf(1))
	return []Tensor{
			{"weight", []int{2, 3}, []float32{1, -2.5, 3e-45, 0, float32(math.Copysign(0, -1)), math.MaxFloat32}},
			{"special", []int{3}, []float32{inf, -inf, math.Float32frombits(0x7fc12345)}},
			{"number", nil, []float32{42}},
			{"empty", []int{0, 5}, []float32{}},
			{"also empty", []int{3, 0}, []float32{}},
			{`ünï "quoted" \ <&> ` + "\u2028\x01", []int{1, 1, 1}, []float32{7}},
			{"", []int{1}, []float32{8}},
		}, map[string]string{
			"plain": "words", "": "empty key", "empty value": "", "ünï\n": "\"\\\u2028",
		}
}

func TestRoundTrip(t *testing.T) {
	tensors, metadata := sample()
	f, err := read(encode(t, tensors, metadata))
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(f.Metadata) != fmt.Sprint(metadata) {
		t.Errorf("metadata %q, want %q", f.Metadata, metadata)
	}
	var names []string
	for _, want := range tensors {
		names = append(names, want.Name)
		got, err := f.Tensor(want.Name)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != want.Name || !slices.Equal(got.Shape, want.Shape) || !sameBits(got.Data, want.Data) {
			t.Errorf("tensor %q is %v, want %v", want.Name, got, want)
		}
		e, ok := f.Entry(want.Name)
		if !ok || e.Type != "F32" || e.Name != want.Name || !slices.Equal(e.Shape, want.Shape) || e.Size() != len(want.Data) {
			t.Errorf("entry %q is %+v", want.Name, e)
		}
	}
	slices.Sort(names)
	if !slices.Equal(f.Names(), names) {
		t.Errorf("names %q, want %q", f.Names(), names)
	}
	if _, ok := f.Entry("nothing"); ok {
		t.Error("there is an entry of a name that isn't there")
	}
	if _, err := f.Tensor("nothing"); err == nil || err.Error() != `tensor "nothing" is missing` {
		t.Errorf("error %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// TestLargerThanTheBuffers takes a tensor across the buffers of reader and
// writer.
func TestLargerThanTheBuffers(t *testing.T) {
	data := make([]float32, 50_001)
	for i := range data {
		data[i] = float32(i)
	}
	f, err := read(encode(t, []Tensor{{"a", []int{1}, data[:1]}, {"b", []int{50_000}, data[1:]}}, nil))
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Tensor("b")
	if err != nil {
		t.Fatal(err)
	}
	if !sameBits(b.Data, data[1:]) {
		t.Error("numbers changed")
	}
}

func TestSameContentSameBytes(t *testing.T) {
	tensors, metadata := sample()
	want := encode(t, tensors, metadata)
	for range 20 {
		slices.Reverse(tensors)
		tensors = append(tensors[1:], tensors[0])
		if !bytes.Equal(encode(t, tensors, metadata), want) {
			t.Fatal("another order gives other bytes")
		}
	}
	if n := binary.LittleEndian.Uint64(want); n%8 != 0 {
		t.Errorf("header of %d bytes: the numbers don't begin at a multiple of 8", n)
	}
}

func TestBytes(t *testing.T) {
	got := encode(t, []Tensor{{"b", []int{1}, []float32{1}}, {"a", nil, []float32{-2}}}, map[string]string{"k": "v"})
	header := `{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	want := append(raw(header, 0), 0, 0, 0, 0xc0, 0, 0, 0x80, 0x3f)
	if !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestTypes reads one number of each type that can be read.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		dtype string
		bits  []byte
		want  float64
	}{
		{"F32", []byte{0, 0, 0xc0, 0x3f}, 1.5},
		{"BF16", []byte{0xc0, 0x3f}, 1.5},
		{"BF16", []byte{0x80, 0xff}, math.Inf(-1)},
		{"F16", []byte{0x00, 0x3e}, 1.5},
		{"F64", []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, 1.5},
		{"F64", []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x7f}, math.Inf(1)},
		{"F64", binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e-300)), 0},
		{"F64", binary.LittleEndian.AppendUint64(nil, math.Float64bits(0.1)), float64(float32(0.1))},
	} {
		header := fmt.Sprintf(`{"x":{"dtype":%q,"shape":[1],"data_offsets":[0,%d]}}`, c.dtype, len(c.bits))
		f, err := read(append(raw(header, 0), c.bits...))
		if err != nil {
			t.Fatal(err)
		}
		x, err := f.Tensor("x")
		if err != nil {
			t.Fatal(err)
		}
		if float64(x.Data[0]) != c.want {
			t.Errorf("%s %x is %g, want %g", c.dtype, c.bits, x.Data[0], c.want)
		}
	}
}

func TestNumbersThatCannotBeRead(t *testing.T) {
	const big = `{"x":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}`
	b := raw(big, 16)
	binary.LittleEndian.PutUint64(b[len(b)-8:], math.Float64bits(1e39))
	f, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	checkError(t, second(f.Tensor("x")), `tensor "x", index 1: 1e+39 is beyond the range of float32`)

	f, err = read(raw(`{"x":{"dtype":"I64","shape":[2],"data_offsets":[0,16]}}`, 16))
	if err != nil {
		t.Fatal(err)
	}
	checkError(t, second(f.Tensor("x")), "numbers of type I64 can't be read as float32")
}

func second(_ Tensor, err error) error { return err }

func checkError(t *testing.T, err error, say string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", say)
	}
	if !strings.Contains(err.Error(), say) {
		t.Errorf("error %q does not say %q", err, say)
	}
	if text := err.Error(); strings.Contains(text, "\n") || len(text) > 500 {
		t.Errorf("error %q is too long", text)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	tensors, metadata := sample()
	if err := os.WriteFile(path, encode(t, tensors, metadata), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if x, err := f.Tensor("number"); err != nil || x.Data[0] != 42 {
		t.Errorf("tensor %v, %v", x, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	checkError(t, second(f.Tensor("number")), `tensor "number"`)

	_, err = Open(filepath.Join(dir, "nothing"))
	checkError(t, err, filepath.Join(dir, "nothing"))
	_, err = Open(dir)
	checkError(t, err, dir+": not a regular file")
	if err := os.WriteFile(path, []byte("this is no such file"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(path)
	checkError(t, err, path+": safetensors: a header of")
}

// TestShrunk reads a file that became shorter after it was opened.
func TestShrunk(t *testing.T) {
	b := encode(t, []Tensor{{"x", []int{4}, make([]float32, 4)}}, nil)
	f, err := Read(bytes.NewReader(b[:len(b)-1]), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	err = second(f.Tensor("x"))
	checkError(t, err, `tensor "x": safetensors: read 16 bytes`)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v is not an unexpected end", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	many := map[string]string{}
	for i := range maxEntries + 1 {
		many[fmt.Sprint(i)] = ""
	}
	one := []float32{1}
	for _, c := range []struct {
		name     string
		tensors  []Tensor
		metadata map[string]string
		say      string
	}{
		{"same name twice", []Tensor{{"x", []int{1}, one}, {"x", []int{1}, one}}, nil, `tensor "x": there are two of that name`},
		{"name of the metadata", []Tensor{{"__metadata__", []int{1}, one}}, nil, "taken by the format"},
		{"name not UTF-8", []Tensor{{"\xff", []int{1}, one}}, nil, "not UTF-8"},
		{"too few numbers", []Tensor{{"x", []int{2}, one}}, nil, "shape [2] with 1 numbers"},
		{"negative", []Tensor{{"x", []int{-1, -1}, one}}, nil, "negative"},
		{"overflow", []Tensor{{"x", []int{1 << 32, 1 << 32}, nil}}, nil, "overflows"},
		{"metadata not UTF-8", nil, map[string]string{"k": "\xff"}, `metadata "k" is not UTF-8`},
		{"too many", nil, many, "at most 65536 can be read back"},
		{"metadata key not UTF-8", nil, map[string]string{"\xff": ""}, "is not UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			checkError(t, Write(&b, c.tensors, c.metadata), c.say)
			if b.Len() > 0 {
				t.Errorf("%d bytes were written", b.Len())
			}
		})
	}
}

// brokenWriter fails after some bytes.
type brokenWriter struct{ left int }

var errBroken = errors.New("no space left")

func (w *brokenWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return w.left, errBroken
	}
	w.left -= len(p)
	return len(p), nil
}

func TestWriteReportsTheWriter(t *testing.T) {
	for _, left := range []int{0, 70_000, 200_000} {
		err := Write(&brokenWriter{left}, []Tensor{{"x", []int{100_000}, make([]float32, 100_000)}}, nil)
		if !errors.Is(err, errBroken) {
			t.Errorf("after %d bytes: %v", left, err)
		}
	}
}

// FuzzRead reads hostile bytes. Whatever is read must be consistent, no larger
// than the file, and come back the same from what Write makes of it.
func FuzzRead(f *testing.F) {
	tensors, metadata := sample()
	f.Add(encode(f, tensors, metadata))
	for _, c := range refused {
		if len(c.file) < 1000 {
			f.Add(c.file)
		}
	}
	for _, c := range accepted {
		f.Add(c.file)
	}
	f.Add(raw(`{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"d":{"dtype":"F64","shape":[1],"data_offsets":[4,12]}}`, 12))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := read(b)
		if err != nil {
			return
		}
		var all []Tensor
		var bytesUsed int
		for _, name := range file.Names() {
			e, ok := file.Entry(name)
			if !ok {
				t.Fatalf("no entry %q", name)
			}
			bytesUsed += int(e.to - e.from)
			x, err := file.Tensor(name)
			if err != nil {
				continue
			}
			if len(x.Data) != e.Size() || len(x.Data)*2 > len(b) {
				t.Fatalf("tensor %q has %d numbers from %d bytes", name, len(x.Data), len(b))
			}
			all = append(all, x)
		}
		if int(file.data)+bytesUsed != len(b) {
			t.Fatalf("tensors hold %d bytes of %d", bytesUsed, len(b)-int(file.data))
		}
		again, err := read(encode(t, all, file.Metadata))
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			y, err := again.Tensor(x.Name)
			if err != nil || !slices.Equal(x.Shape, y.Shape) || !sameBits(x.Data, y.Data) {
				t.Fatalf("tensor %q changed: %v", x.Name, err)
			}
		}
	})
}

// holes is a file that is a header and then zeros, as long as it says.
type holes []byte

func (h holes) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	if at < int64(len(h)) {
		copy(p, h[at:])
	}
	return len(p), nil
}

// TestMoreThanThereIsMemoryFor reads files that are as long as they say, with a
// tensor and with a header that no machine has the memory for. An allocation would
// end the test's process.
func TestMoreThanThereIsMemoryFor(t *testing.T) {
	if _, ok := memory.Available(); !ok {
		t.Skip("how much memory is left is not known here")
	}
	const size = 1 << 42
	file := raw(fmt.Sprintf(`{"x":{"dtype":"F32","shape":[1024,1073741824],"data_offsets":[0,%d]},"y":{"dtype":"F16","shape":[2],"data_offsets":[%d,%d]}}`, size, size, size+4), 0)
	f, err := Read(holes(file), int64(len(file))+size+4)
	if err != nil {
		t.Fatal(err)
	}
	err = second(f.Tensor("x"))
	checkError(t, err, `tensor "x": 4096.0 GiB are needed, `)
	if !errors.Is(err, engine.ErrOutOfMemory) {
		t.Errorf("%v is not engine.ErrOutOfMemory", err)
	}
	if y, err := f.Tensor("y"); err != nil || len(y.Data) != 2 {
		t.Errorf("the other tensor: %v, %v", y, err)
	}
}
