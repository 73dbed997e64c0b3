package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/network/internal/pythontest"
)

// raw builds a file of a header and zeros for data.
func raw(header string, dataSize int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	b = append(b, header...)
	return append(b, make([]byte, dataSize)...)
}

func encode(t testing.TB, tensors []Tensor, metadata map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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
