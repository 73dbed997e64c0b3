package keras_test

import (
	"archive/zip"
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/graph/graphtest"
	"github.com/unitscope/unitscope/network/keras"
)

func read(file []byte) (*graph.Graph, error) {
	return keras.Read(bytes.NewReader(file), int64(len(file)))
}

// entries are the texts of a .keras file of testdata.
func entries(t testing.TB, name string) map[string][]byte {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	all := map[string][]byte{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if all[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// packed is an archive of texts, none of them compressed.
func packed(t testing.TB, entries map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		to, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		to.Write(entries[name])
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// changed is a .keras file of testdata with an old text, which must be in it, as a new
// one.
func changed(t *testing.T, name, old, new string) []byte {
	t.Helper()
	all, found := entries(t, name), false
	for name, text := range all {
		found = found || bytes.Contains(text, []byte(old))
		all[name] = bytes.ReplaceAll(text, []byte(old), []byte(new))
	}
	if !found {
		t.Errorf("%s lacks %s", name, old)
	}
	return packed(t, all)
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		file, old, new, want string
	}{
		{"chain", `"activation": "relu"`, `"activation": "selu"`, `layer "fc1", Dense: its activation is "selu", which can't be read: want one of elu, gelu, hard_sigmoid,`},
		{"chain", `"activation": "relu"`, `"activation": "exponential"`, `its activation is "exponential"`},
		{"chain", `"activation": "relu"`, `"activation": {"class_name": "function", "config": "mine"}`, `its activation is "mine"`},
		{"chain", `"activation": "relu"`, `"activation": {"class_name": "__lambda__", "config": {"value": ["4wEA"]}}`, `its activation is "__lambda__"`},
		{"chain", `"activation": "relu"`, `"activation": "softmax"`, `layer "fc2", Dense: it comes after softmax, which can be at the end of a network only`},
		{"chain", `"activation": "relu"`, `"activation": 3`, `layer "fc1", Dense: its activation is "3"`},
		{"chain", `"class_name": "LeakyReLU"`, `"class_name": "Mish"`, `layer "leaky_re_lu", Mish: this layer can't be read`},
		{"chain", `"class_name": "LeakyReLU"`, `"class_name": "Conv2D"`, `layer "leaky_re_lu", Conv2D: convolutions can't be read yet`},
		{"chain", `"registered_name": null, "build_config": {"input_shape": [null, 5]}`, `"registered_name": "Mine>Dense"`, `layer "fc2", Mine>Dense: this layer can't be read`},
		{"chain", `"class_name": "Sequential"`, `"class_name": "Mine"`, `its class is "Mine": want a Sequential or Functional model`},
		{"chain", `"negative_slope": 0.3`, `"negative_slope": "x"`, `layer "leaky_re_lu", LeakyReLU: its negative_slope is`},
		{"chain", `"batch_shape": [null, 4]`, `"batch_shape": [null, 5]`, `its weights have shape [4 5] for 5 inputs`},
		{"chain", `"batch_shape": [null, 4]`, `"batch_shape": [null, null]`, "a dimension of inputs is"},
		{"chain", `"batch_shape": [null, 4]`, `"batch_shape": [null, 2147483647, 2147483647]`, "inputs of shape [2147483647 2147483647]"},
		{"chain", `"use_bias": true`, `"use_bias": false`, `tensor "layers/dense_2/vars/1" [3]: no layer uses it`},
		{"chain", `"scale": true`, `"scale": false`, `tensor "layers/batch_normalization/vars/3" [4]: no layer uses it`},
		{"chain", `"name": "fc2"`, `"name": "fc1"`, `layer "fc1" is there twice`},
		{"chain", `{"module": "keras`, `["module": "keras`, "its description: invalid"},
		{"functions", `"threshold": 0.0`, `"threshold": 1`, `layer "limit", ReLU: its threshold is 1, want 0`},
		{"functions", `"max_value": 1.5, "negative_slope": 0.0`, `"max_value": 1.5, "negative_slope": 0.5`, "want one of them"},
		{"functions", `"keras_version": "3`, `"keras_version": "4`, `hard_sigmoid differs between versions of Keras`},
		{"functions", `"class_name": "Elu"`, `"class_name": "Selu"`, `ops.Selu: this layer can't be read`},
		{"functions", `"keras_history": ["a", 0, 0]`, `"keras_history": ["z", 0, 0]`, "it reads what nothing before it makes"},
		{"functions", `"keras_history": ["a", 0, 0]`, `"keras_history": ["a", 0, 1]`, "layers with several values can't be read"},
		{"functions", `"output_layers": ["e", 0, 0]`, `"output_layers": [["e", 0, 0], ["d", 0, 0]]`, "it has 2 outputs: want one"},
		{"functions", `"output_layers": ["e", 0, 0]`, `"output_layers": ["z", 0, 0]`, `its output is layer "z", which is not there`},
		{"functions", `"output_layers": ["e", 0, 0]`, `"output_layers": ["d", 0, 0]`, `layer "elu", ops.Elu comes after its output, layer "d": save the model without it`},
		{"autoencoder", `"class_name": "Add"`, `"class_name": "Subtract"`, `layer "decoder/both", Subtract: this layer can't be read`},
		{"chain", `"name": "fc2"`, `"name": "other"`, `layer "other", Dense: its weights should be "layers/dense_1/vars/0", which are those of "fc2"`},
		{"joined", `"scale": 0.5`, `"scale": null`, "it has no scale"},
		{"joined", `"class_name": "Concatenate"`, `"class_name": "Multiply"`, "Multiply: this layer can't be read"},
		{"joined", `"axis": -1}`, `"axis": 3}`, "on axis 3"},
		{"joined", `"invert": false`, `"invert": true`, "it is inverted"},
		{"joined", `"kwargs": {}`, `"kwargs": {"training": true}`, `it is called with "training"="true"`},
		{"colours", `"data_format": "channels_last"`, `"data_format": "channels_first"`, "its data_format is not channels_last"},
		{"colours", `"class_name": "Flatten"`, `"class_name": "Dropout"`, "put a Flatten layer before it"},
		{"colours", `"target_shape": [2, -1]`, `"target_shape": [3, -1]`, "shape [3 -1] of [4]"},
		{"colours", `"target_shape": [2, -1]`, `"target_shape": [-1, -1]`, "shape [-1 -1] of [4]"},
	} {
		_, err := read(changed(t, c.file+".keras", c.old, c.new))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s with %s: %v, want an error with %q", c.file, c.new, err, c.want)
		}
	}
}

// fixtures are the models of testdata.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, kind := range []string{"*.keras", "*.h5"} {
		names, _ := filepath.Glob(filepath.Join("testdata", kind))
		for _, name := range names {
			file, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all[name] = file
		}
	}
	if len(all) == 0 {
		t.Fatal("no files")
	}
	return all
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Damaged files are read or refused, and take no more memory than their size allows.
func TestDamaged(t *testing.T) {
	for name, file := range fixtures(t) {
		if filepath.Ext(name) == ".keras" {
			continue // their checksums find it
		}
		damaged := bytes.Clone(file)
		for i := 0; i < len(file); i += 1 + len(file)/400 {
			for _, b := range []byte{0, 0x7f, 0xff, file[i] + 1} {
				damaged[i] = b
				if took := allocated(func() { read(damaged) }); took > 16<<20+64*uint64(len(file)) {
					t.Errorf("%s with byte %d %#x: %d bytes of memory", name, i, b, took)
				}
			}
			damaged[i] = file[i]
			if i%2 == 0 {
				if _, err := read(file[:i]); err == nil {
					t.Errorf("%s is read from its first %d bytes", name, i)
				}
			}
		}
	}
}

// FuzzConfig reads descriptions of networks beside the weights of one.
func FuzzConfig(f *testing.F) {
	for name := range fixtures(f) {
		if filepath.Ext(name) == ".keras" {
			f.Add(entries(f, filepath.Base(name))["config.json"])
		}
	}
	weights := entries(f, "joined.keras")
	f.Fuzz(func(t *testing.T, config []byte) {
		weights := maps.Clone(weights)
		weights["config.json"] = config
		g, err := read(packed(t, weights))
		graphtest.Check(t, g, err)
	})
}

// FuzzRead reads anything.
func FuzzRead(f *testing.F) {
	for _, file := range fixtures(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		took := allocated(func() {
			g, err := read(file)
			graphtest.Check(t, g, err)
		})
		if took > 64<<20+64*uint64(len(file)) {
			t.Errorf("%d bytes take %d bytes of memory", len(file), took)
		}
	})
}
