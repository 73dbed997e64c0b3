package torch_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/unitscope/unitscope/network/torch"
)

// The parts of which pickles of state dicts are put together here.

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func number(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func tuple(parts ...string) string { return "(" + strings.Join(parts, "") + "t" }

func numbers(of ...int64) string {
	var parts []string
	for _, n := range of {
		parts = append(parts, number(n))
	}
	return tuple(parts...)
}

const (
	orderedDict = "ccollections\nOrderedDict\n)R"
	floats      = "ctorch\nFloatStorage\n"
)

func stored(class, key string, length int64) string {
	return tuple(text("storage"), class, text(key), text("cpu"), number(length)) + "Q"
}

func tensor(storage string, offset int64, shape, stride string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n" + tuple(storage, number(offset), shape, stride, "\x89", orderedDict) + "R"
}

// dict is a state dict of names and values in turn.
func dict(entries ...string) string {
	var all strings.Builder
	for i := 0; i < len(entries); i += 2 {
		all.WriteString(text(entries[i]) + entries[i+1])
	}
	return orderedDict + "(" + all.String() + "u"
}

// file is a zip archive as torch.save writes it. Entries are "name=content", and the
// storage 0 has so many floats.
func file(t testing.TB, pickle string, length int, more ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	body := make([]byte, 4*length)
	for i := range length {
		binary.LittleEndian.PutUint32(body[4*i:], math.Float32bits(float32(i)))
	}
	for _, entry := range append([]string{"a/data.pkl=\x80\x02" + pickle + ".", "a/data/0=" + string(body)}, more...) {
		name, content, _ := strings.Cut(entry, "=")
		to, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(to, content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(file []byte, o torch.Options) error {
	_, err := torch.Read(bytes.NewReader(file), int64(len(file)), o)
	return err
}

var matrix = tensor(stored(floats, "0", 6), 0, numbers(2, 3), numbers(3, 1))

// called is a file that a pickle would make, if it could call a program.
var called = filepath.Join(os.TempDir(), "unitscope-pickle-has-called")

// refusals are pickles, and what is said of them.
func refusals() map[string]string {
	first := stored(floats, "0", 6)
	return map[string]string{
		// Whatever a pickle calls is refused before it is called.
		"cos\nsystem\n" + tuple(text("touch "+called)) + "R":               `it holds "os.system", which is neither`,
		dict("w", "cbuiltins\neval\n"+tuple(text("1"))+"R"):                `it holds "builtins.eval"`,
		dict("w", "c__main__\nNet\n)\x81}b"):                               `it holds "__main__.Net"`,
		"ctorch.storage\n_load_from_bytes\n" + tuple("C\x01a") + "R":       `it holds "torch.storage._load_from_bytes"`,
		"ctorch._utils\n_rebuild_tensor_v2\n" + tuple(text("x")) + "R":     "is called with 1 values",
		"ctorch._utils\n_rebuild_parameter\n" + tuple("N", "N", "N") + "R": "is called with 3 values",
		orderedDict + "]b":         "it holds nothing and no state dict",
		"ctorch\nFloatStorage\n)R": "is called with 0 values",
		text("what") + "Q":         "asks for text outside of it",
		tuple(text("storage"), "ctorch\ndevice\n", "N", "N", "N") + "Q": "a storage of torch.device",
		tuple(text("storage"), floats, number(1), "N", "N") + "Q":       "a storage called a number",
		stored(floats, "0", -1):                         "a storage called text with a number",
		stored("ctorch\nComplexFloatStorage\n", "0", 1): `it holds "torch.ComplexFloatStorage", a kind of tensor that can't be read`,
		dict("w.weight", matrix, "w.bias", tensor(stored(floats, "0", 7), 0, numbers(2), numbers(1))):                   `storage "0" is 6 of float32 and 7`,
		tuple(text("storage"), floats, text("0"), text("cpu"), number(6), tuple(text("0"), number(1), number(2))) + "Q": "a part of another one",

		// Sizes that lie.
		dict("w.weight", tensor(stored(floats, "0", 1<<40), 0, numbers(1<<15, 1<<15), numbers(1<<15, 1))):          `storage "0" has 24 bytes, want 1099511627776 numbers`,
		dict("w.weight", tensor(first, 0, numbers(2, 4), numbers(4, 1))):                                           "ends at number 8 of a storage of 6",
		dict("w.weight", tensor(first, 5, numbers(2), numbers(1))):                                                 "ends at number 7",
		dict("w.weight", tensor(first, math.MaxInt64, numbers(2), numbers(1))):                                     "ends at number 9223372036854775809",
		dict("w.weight", tensor(first, -1, numbers(2), numbers(1))):                                                "offset -1",
		dict("w.weight", tensor(first, 0, numbers(-1, -1), numbers(1, 1))):                                         "dimension -1",
		dict("w.weight", tensor(first, 0, numbers(1), numbers(-1))):                                                "stride -1",
		dict("w.weight", tensor(first, 0, numbers(2, 3), numbers(3))):                                              "2 dimensions and 1 strides",
		dict("w.weight", tensor(first, 0, numbers(1, 1, 1, 1, 1, 1, 1, 1, 1), numbers(1, 1, 1, 1, 1, 1, 1, 1, 1))): "9 dimensions",
		dict("w.weight", tensor(first, 0, numbers(1<<30, 1<<30), numbers(0, 0))):                                   "more than 2^31 numbers",
		dict("w.weight", tensor(first, 0, numbers(3, 3), numbers(math.MaxInt64, 1))):                               "more than 2^31 numbers",
		dict("w.weight", tensor(first, 0, numbers(1<<15, 1<<15), numbers(0, 0))):                                   "a tensor of 1073741824 numbers in a storage of 6: write it with .clone()",
		dict("w.weight", tensor(first, 0, "]", numbers(1))):                                                        "a list for whole numbers",
		dict("w.weight", tensor(first, 0, tuple(text("x")), numbers(1))):                                           "a tuple for whole numbers",
		dict("w.weight", tensor("N", 0, numbers(1), numbers(1))):                                                   "a tensor of None",

		// What is no state dict.
		"N":                                  "it holds None, want a state dict",
		matrix:                               "a single tensor",
		"]q\x00h\x00a":                       "it holds a list, want a state dict",
		"}q\x00(" + text("model") + "h\x00u": `it holds "model" and no state dict`,
		dict("epoch", number(3)):             `it holds "epoch" and no state dict that is known by its name`,
		dict("model", dict("w.weight", matrix), "net", dict("w.weight", matrix)):                          `several state dicts, "model", "net"`,
		dict("w.weight", matrix, "ema", dict("w.weight", matrix)):                                         `"ema" is a dictionary, want a tensor`,
		dict("w.weight", matrix, "w.weight", matrix):                                                      `"w.weight" is there twice`,
		orderedDict + number(1) + matrix + "s":                                                            "a tensor is called a number",
		dict("w.weight", tensor(stored(floats, "1", 6), 0, numbers(2, 3), numbers(3, 1))):                 `w.weight [2 3]: "a/data/1" is missing`,
		dict("w.weight", tensor(stored("ctorch\nIntStorage\n", "0", 6), 0, numbers(2, 3), numbers(3, 1))): "numbers of type int32 are no parameters",
		dict("w.weight", tensor(first, 0, numbers(0, 3), numbers(3, 1))):                                  "want weights [units inputs]",
	}
}

func TestHostile(t *testing.T) {
	for pickle, want := range refusals() {
		if err := read(file(t, pickle, 6), torch.Options{Activation: "relu"}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
	if _, err := os.Stat(called); err == nil {
		t.Error("a pickle has called a program")
	}
}

func TestHostileArchives(t *testing.T) {
	good := dict("w.weight", matrix)
	if err := read(file(t, good, 6), torch.Options{Activation: "relu"}); err != nil {
		t.Fatal(err)
	}
	damaged := file(t, good, 6)
	damaged[bytes.Index(damaged, []byte("\x00\x00\x80\x3f"))]++
	legacy, err := os.ReadFile("testdata/legacy.pt")
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Clone(legacy)
	copy(long[bytes.LastIndex(long, []byte("e."))+2:], "\xff\xff\xff\xff\xff\xff\xff\xff")
	for _, c := range []struct {
		file []byte
		want string
	}{
		{file(t, good, 6, "a/constants.pkl=", "a/code/x.py="), "it is a TorchScript archive"},
		{file(t, good, 6, "b/data.pkl="), "more than one data.pkl"},
		{file(t, good, 6, "a/byteorder=big"), `in the order "big"`},
		{file(t, good, 6, "a/data/0="), "is in it twice"},
		{file(t, good, 5), `storage "0" has 20 bytes`},
		{file(t, strings.Repeat("N0", 9<<20), 6), `"a/data.pkl" is longer than 16777216 bytes`},
		{damaged, `"a/data/0": zip: checksum error`},
		{[]byte("PK\x03\x04"), "not a valid zip file"},
		{[]byte("\x80\x02N."), "neither a zip archive nor"},
		{nil, "neither a zip archive nor"},
		{legacy[:len(legacy)-1], "of a file that has room for"},
		{legacy[:500], "ends too early"},
		{long, "has 18446744073709551615 numbers"},
	} {
		if err := read(c.file, torch.Options{Activation: "relu"}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
}

// A file of a few KB whose thousand layers are the same megabyte of numbers is not
// read a thousand times.
func TestSharedNumbers(t *testing.T) {
	const side = 256
	square := tensor(stored(floats, "0", side*side), 0, numbers(side, side), numbers(side, 1))
	var entries []string
	for i := range 1000 {
		entries = append(entries, fmt.Sprintf("l%d.weight", i), square)
	}
	packed := file(t, dict(entries...), side*side)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := read(packed, torch.Options{Activation: "relu"})
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "larger than their file") {
		t.Errorf("%v, want an error", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 64*uint64(len(packed)) {
		t.Errorf("%d bytes for a file of %d", took, len(packed))
	}
	// Tied weights are read.
	if err := read(file(t, dict("a.weight", square, "b.weight", square), side*side), torch.Options{Activation: "relu"}); err != nil {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	for pickle := range refusals() {
		f.Add(file(f, pickle, 6))
	}
	f.Add(file(f, dict("w.weight", matrix), 6))
	for _, name := range []string{"sigmoid.pt", "silu.pt", "strided.pt", "checkpoint.pt", "legacy.pt", "module.pt"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		g, err := torch.Read(bytes.NewReader(text), int64(len(text)), torch.Options{Activation: "relu"})
		var said []string
		if err != nil {
			said = append(said, err.Error())
		} else {
			said = slices.Concat(g.Names, g.Remarks, g.Warnings)
			if _, err := g.Net.Check(); err != nil {
				t.Error(err)
			}
		}
		for _, line := range said {
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q can't be shown", line)
			}
		}
	})
}

// FuzzPickle changes pickles within a whole archive, whose checksums the other test
// rarely gets right.
func FuzzPickle(f *testing.F) {
	for pickle := range refusals() {
		f.Add([]byte(pickle))
	}
	f.Add([]byte(dict("w.weight", matrix)))
	f.Add([]byte(dict("a.weight", tensor(stored(floats, "0", 6), 0, numbers(3, 2), numbers(1, 3)), "b.weight", matrix)))
	f.Fuzz(func(t *testing.T, pickle []byte) {
		_ = read(file(t, string(pickle), 6), torch.Options{Activation: "relu"})
	})
}
