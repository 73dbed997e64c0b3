package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
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
	"github.com/unitscope/unitscope/network/internal/pythontest"
)

// raw builds a file of a header and zeros for data.
func raw(header string, dataSize int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	return append(b, make([]byte, dataSize)...)
}

func read(b []byte) (*File, error) { return Read(bytes.NewReader(b), int64(len(b))) }

func encode(t testing.TB, tensors []Tensor, metadata map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

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

// a is a whole entry of 4 bytes at an offset.
func a(name string, from int) string {
	return fmt.Sprintf(`"%s":{"dtype":"F32","shape":[1],"data_offsets":[%d,%d]}`, name, from, from+4)
}

// refused lists files that aren't read. The reference implementation refuses
// them too, but for those where stricter says why we do.
var refused = []struct {
	name     string
	file     []byte
	say      string
	stricter string
}{
	{name: "empty", file: nil, say: "0 bytes are too short"},
	{name: "seven bytes", file: make([]byte, 7), say: "7 bytes are too short"},
	{name: "no header", file: make([]byte, 8), say: "does not begin with {"},
	{name: "huge header", file: binary.LittleEndian.AppendUint64(nil, math.MaxUint64), say: "above the limit"},
	{name: "negative header", file: binary.LittleEndian.AppendUint64(nil, 1<<63), say: "above the limit"},
	{name: "header just above the limit", file: binary.LittleEndian.AppendUint64(nil, 100_000_001), say: "above the limit"},
	{name: "header longer than the file", file: binary.LittleEndian.AppendUint64(nil, 100_000_000), say: "truncated?"},
	{name: "header one byte longer than the file", file: append(binary.LittleEndian.AppendUint64(nil, 3), "{}"...), say: "truncated?"},
	{name: "header not UTF-8", file: raw("{\"\xff\":{}}", 0), say: "not UTF-8"},
	{name: "header begins with a space", file: raw(` {}`, 0), say: "does not begin with {", stricter: "the format says so"},
	{name: "header is a list", file: raw(`[]`, 0), say: "does not begin with {"},
	{name: "header not JSON", file: raw(`{"a":`, 0), say: "not JSON"},
	{name: "header without commas", file: raw(`{`+a("x", 0)+a("y", 4)+`}`, 8), say: "not JSON"},
	{name: "something after the header", file: raw(`{}{}`, 0), say: "something follows"},
	{name: "nesting", file: raw(`{"a":`+strings.Repeat("[", 100_000)+`}`, 0), say: "want {"},
	{name: "hole at the start", file: raw(`{`+a("x", 4)+`}`, 8), say: "leave a hole after 0"},
	{name: "hole between", file: raw(`{`+a("x", 0)+`,`+a("y", 8)+`}`, 12), say: "leave a hole after 4"},
	{name: "overlap", file: raw(`{`+a("x", 0)+`,`+a("y", 2)+`}`, 6), say: "overlap"},
	{name: "same bytes twice", file: raw(`{`+a("x", 0)+`,`+a("y", 0)+`}`, 4), say: "overlap"},
	{name: "trailing data", file: raw(`{`+a("x", 0)+`}`, 5), say: "end at byte 4 of 5"},
	{name: "data without tensors", file: raw(`{}`, 1), say: "end at byte 0 of 1"},
	{name: "truncated data", file: raw(`{`+a("x", 0)+`}`, 3), say: "truncated?"},
	{name: "same name twice", file: raw(`{`+a("x", 0)+`,`+a("x", 0)+`}`, 4), say: `tensor "x" appears twice`, stricter: "it takes the last"},
	{name: "same name twice, spelt differently", file: raw(`{`+a("x", 0)+`,`+a(`\u0078`, 0)+`}`, 4), say: `tensor "x" appears twice`, stricter: "it takes the last"},
	{name: "same key twice", file: raw(`{"x":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), say: `"dtype" appears twice`},
	{name: "metadata twice", file: raw(`{"__metadata__":{},"__metadata__":{}}`, 0), say: "__metadata__ appears twice"},
	{name: "no metadata twice", file: raw(`{"__metadata__":null,"__metadata__":null}`, 0), say: "__metadata__ appears twice"},
	{name: "no metadata, then some", file: raw(`{"__metadata__":null,"__metadata__":{}}`, 0), say: "__metadata__ appears twice"},
	{name: "metadata without a value", file: raw(`{"__metadata__":{"k":null}}`, 0), say: "want a string"},
	{name: "half a byte", file: raw(`{"x":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}`, 2), say: "does not end with a whole byte"},
	{name: "too many tensors", file: raw(`{`+empties(maxEntries+1)+`}`, 0), say: "more than 65536 tensors", stricter: "it reads any number"},
	{name: "too many strings", file: raw(`{"__metadata__":{`+strings.TrimSuffix(numbered(`"%d":"",`, maxEntries+1), ",")+`}}`, 0), say: "more than 65536 strings", stricter: "it reads any number"},
	{name: "a zip archive", file: []byte("PK\x03\x04\x00\x00\x00\x00more"), say: "it is a zip archive"},
	{name: "HDF5", file: []byte("\x89HDF\r\n\x1a\nmore"), say: "it is HDF5"},
	{name: "an array of numpy", file: []byte("\x93NUMPY\x01\x00more"), say: "it is an array of numpy"},
	{name: "a pointer of git's", file: []byte("version https://git-lfs.github.com/spec/v1\n"), say: "get that with git lfs pull"},
	{name: "metadata key twice", file: raw(`{"__metadata__":{"k":"1","k":"2"}}`, 0), say: `"k" appears twice`, stricter: "it takes the last"},
	{name: "metadata is a number", file: raw(`{"__metadata__":{"k":1}}`, 0), say: "want a string"},
	{name: "metadata is a list", file: raw(`{"__metadata__":[]}`, 0), say: "want { or null"},
	{name: "unknown type", file: raw(`{"x":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}`, 4), say: `unknown dtype "F31"`},
	{name: "type is a number", file: raw(`{"x":{"dtype":32,"shape":[1],"data_offsets":[0,4]}}`, 4), say: "want a string"},
	{name: "no type", file: raw(`{"x":{"shape":[1],"data_offsets":[0,4]}}`, 4), say: "dtype is missing"},
	{name: "no shape", file: raw(`{"x":{"dtype":"F32","data_offsets":[0,4]}}`, 4), say: "shape is missing"},
	{name: "no offsets", file: raw(`{"x":{"dtype":"F32","shape":[1]}}`, 4), say: "data_offsets is missing"},
	{name: "unknown key", file: raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}`, 4), say: `unknown key "more"`, stricter: "it ignores what it doesn't know"},
	{name: "one offset", file: raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}}`, 4), say: "fewer than two"},
	{name: "three offsets", file: raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}`, 4), say: "more than two"},
	{name: "offsets backwards", file: raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), say: "data_offsets 4..0"},
	{name: "negative offset", file: raw(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[-4,4]}}`, 4), say: "want a whole number"},
	{name: "offset of 65 bits", file: raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551616,18446744073709551620]}}`, 4), say: "want a whole number"},
	{name: "offset of 64 bits", file: raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,0]}}`, 4), say: "want a whole number"},
	{name: "large offset", file: raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]}}`, 4), say: "truncated?"},
	{name: "fraction", file: raw(`{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}`, 6), say: "want a whole number"},
	{name: "negative size", file: raw(`{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), say: "want a whole number"},
	{name: "shape overflows", file: raw(`{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), say: "overflows"},
	{name: "shape overflows to the right size", file: raw(`{"x":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}`, 4), say: "overflows"},
	{name: "shape larger than the bytes", file: raw(`{"x":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4]}}`, 4), say: "want 4000000000 bytes for F32 [1000000000]"},
	{name: "shape smaller than the bytes", file: raw(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, 8), say: "want 4 bytes for F32 [1]"},
	{name: "long names are cut", file: raw(`{"`+strings.Repeat("n", 10_000)+`":{"dtype":"`+strings.Repeat("d", 10_000)+`","shape":[1],"data_offsets":[0,4]}}`, 4), say: "unknown dtype"},
}

// numbered is a text with the numbers from 0 to n-1, one after the other.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// empties are the entries of n tensors without a number.
func empties(n int) string {
	return strings.TrimSuffix(numbered(`"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},`, n), ",")
}

func TestRefuses(t *testing.T) {
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(c.file)
			checkError(t, err, c.say)
		})
	}
}

// accepted lists unusual files that are read, by the reference too.
var accepted = []struct {
	name string
	file []byte
}{
	{"nothing", raw(`{}`, 0)},
	{"spaces after the header", raw(`{}      `, 0)},
	{"white space inside", raw("{ \"x\" :\n{\t\"shape\":[1 ],\"data_offsets\":[ 0,4],\"dtype\":\"F32\"}}", 4)},
	{"only metadata", raw(`{"__metadata__":{"k":"v"}}`, 0)},
	{"empty tensors share an offset", raw(`{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"y":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]},`+a("z", 0)+`}`, 4)},
	{"a single number", raw(`{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4)},
	{"no metadata, said so", raw(`{"__metadata__":null,`+a("x", 0)+`}`, 4)},
	{"metadata of length 0", raw(`{"__metadata__":{},`+a("x", 0)+`}`, 4)},
	{"order of names against order of data", raw(`{`+a("x", 4)+`,`+a("y", 0)+`}`, 8)},
}

func TestAccepts(t *testing.T) {
	for _, c := range accepted {
		t.Run(c.name, func(t *testing.T) {
			f, err := read(c.file)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range f.Names() {
				if _, err := f.Tensor(name); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestReferenceAgrees gives every file above to the reference implementation.
func TestReferenceAgrees(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range refused {
		save(fmt.Sprintf("refused %03d", i), c.file)
	}
	for i, c := range accepted {
		save(fmt.Sprintf("accepted %03d", i), c.file)
	}
	out := pythontest.Run(t, `
import json, os, sys
from safetensors import safe_open
answers = {}
for name in os.listdir(sys.argv[1]):
    try:
        with safe_open(os.path.join(sys.argv[1], name), "numpy") as f:
            for key in f.keys():
                f.get_tensor(key)
        answers[name] = True
    except Exception:
        answers[name] = False
print(json.dumps(answers))
`, dir)
	var reads map[string]bool
	if err := json.Unmarshal([]byte(out), &reads); err != nil {
		t.Fatal(err)
	}
	for i, c := range refused {
		if reads[fmt.Sprintf("refused %03d", i)] && c.stricter == "" {
			t.Errorf("%s: the reference reads it, and no reason is given to refuse it", c.name)
		}
	}
	for i, c := range accepted {
		if !reads[fmt.Sprintf("accepted %03d", i)] {
			t.Errorf("%s: the reference refuses it", c.name)
		}
	}
}

// TestPythonReadsWhatWeWrite compares with safetensors.numpy bit for bit.
func TestPythonReadsWhatWeWrite(t *testing.T) {
	tensors, metadata := sample()
	path := filepath.Join(t.TempDir(), "file.safetensors")
	if err := os.WriteFile(path, encode(t, tensors, metadata), 0o600); err != nil {
		t.Fatal(err)
	}
	out := pythontest.Run(t, `
import json, sys
from safetensors import safe_open
from safetensors.numpy import load_file
with safe_open(sys.argv[1], "numpy") as f:
    metadata = f.metadata()
tensors = {k: [list(v.shape), v.view("<u4").ravel().tolist() if v.shape else [int(v.view("<u4"))]] for k, v in load_file(sys.argv[1]).items()}
print(json.dumps([metadata, tensors]))
`, path)
	bits := map[string][2][]int{}
	for _, x := range tensors {
		numbers := []int{}
		for _, y := range x.Data {
			numbers = append(numbers, int(math.Float32bits(y)))
		}
		bits[x.Name] = [2][]int{append([]int{}, x.Shape...), numbers}
	}
	want, err := json.Marshal([]any{metadata, bits})
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, want) {
		t.Errorf("python reads %s\nwe wrote     %s", again, want)
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
