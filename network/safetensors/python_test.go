package safetensors

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/network/internal/pythontest"
)

// TestReadsWhatPythonWrites has the reference implementation write a tensor of every
// type that it knows, and arrays as numpy can hold them. Each is read to the
// numbers that numpy has, or refused by its type.
func TestReadsWhatPythonWrites(t *testing.T) {
	dir := t.TempDir()
	out := pythontest.Run(t, `
import json, sys
import numpy as np
from safetensors import TensorSpec, serialize
from safetensors.numpy import load_file, save_file

types = {
    "bool": 8, "uint8": 8, "int8": 8, "int16": 16, "uint16": 16, "float16": 16, "bfloat16": 16, "int32": 32, "uint32": 32, "float32": 32,
    "int64": 64, "uint64": 64, "float64": 64, "complex64": 64, "float4_e2m1fn_x2": 4, "float8_e4m3fn": 8, "float8_e5m2": 8,
    "float8_e8m0fnu": 8, "float8_e4m3fnuz": 8, "float8_e5m2fnuz": 8}
written = []
for name, bits in types.items():
    data = np.zeros(8, np.uint8)
    try:
        file = serialize({"x": TensorSpec(dtype=name, shape=(8 * 8 // bits if bits != 4 else 8,), data_ptr=data.ctypes.data, data_len=8)})
    except Exception as e:
        if bits >= 8 and "float8" not in name:
            raise
        continue  # a newer type, or one whose shape counts otherwise
    open(sys.argv[1] + "/type " + name, "wb").write(bytes(file))
    written.append(name)

arrays = {
    "float64": np.array([[1.5, -2.25], [1e-300, 3.0]]), "float32": np.arange(6, dtype=np.float32).reshape(1, 2, 3), "float16": np.array([1.5, 65504, 6e-8], np.float16),
    "big endian": np.arange(3, dtype=">f4"), "a number": np.array(7.0), "empty": np.zeros((0, 3), np.float32), "length 0": np.zeros(0),
    "naïve \u2028 \U0001f600": np.ones(2, np.float32), "": np.zeros(1, np.float32), "layers.1.weight": np.eye(3, dtype=np.float64)}
expected = {}
for number, (metadata, order) in enumerate([(None, 1), ({}, 1), ({"format": "pd", "": "", "ü": "\n"}, -1)]):
    path = sys.argv[1] + "/arrays " + str(number)
    save_file(dict(list(arrays.items())[::order]), path, metadata=metadata)
    expected = {k: [list(v.shape), [float(np.float32(x)) for x in v.ravel()]] for k, v in load_file(path).items()}
print(json.dumps([written, expected]))
`, dir)
	var written []string
	var expected map[string][2]json.RawMessage
	if err := json.Unmarshal([]byte(out), &[]any{&written, &expected}); err != nil {
		t.Fatal(err)
	}
	if len(written) < 14 || len(expected) != 10 {
		t.Fatalf("python wrote %q and %d arrays", written, len(expected))
	}
	readable := []string{"float16", "bfloat16", "float32", "float64"}
	for _, name := range written {
		f := open(t, filepath.Join(dir, "type "+name))
		x, err := f.Tensor("x")
		e, _ := f.Entry("x")
		if slices.Contains(readable, name) {
			if err != nil || len(x.Data) != e.Size() {
				t.Errorf("%s: %v, %v", name, x, err)
			}
			continue
		}
		checkError(t, err, `tensor "x": numbers of type `+e.Type+" can't be read as float32")
	}
	for _, name := range []string{"arrays 0", "arrays 1", "arrays 2"} {
		compareArrays(t, open(t, filepath.Join(dir, name)), expected)
	}
	if f := open(t, filepath.Join(dir, "arrays 2")); f.Metadata["format"] != "pd" || f.Metadata["ü"] != "\n" || len(f.Metadata) != 3 {
		t.Errorf("metadata %q", f.Metadata)
	}
}

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// compareArrays compares a file with the shape and the numbers of each array.
func compareArrays(t *testing.T, f *File, expected map[string][2]json.RawMessage) {
	t.Helper()
	if len(f.Names()) != len(expected) {
		t.Errorf("tensors %q, want %d", f.Names(), len(expected))
	}
	for name, want := range expected {
		var shape []int
		var numbers []float64
		if err := json.Unmarshal(want[0], &shape); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(want[1], &numbers); err != nil {
			t.Fatal(err)
		}
		x, err := f.Tensor(name)
		if err != nil {
			t.Error(err)
			continue
		}
		same := slices.EqualFunc(x.Data, numbers, func(a float32, b float64) bool {
			return math.Float32bits(a) == math.Float32bits(float32(b))
		})
		if !slices.Equal(x.Shape, shape) || !same {
			t.Errorf("%q is %v %v, numpy has %v %v", name, x.Shape, x.Data, shape, numbers)
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
