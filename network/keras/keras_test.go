package keras_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/internal/pythontest"
	"github.com/unitscope/unitscope/network/graph/graphtest"
	"github.com/unitscope/unitscope/network/keras"
)

// Weights of float32 reach the network as they are, so that its values in float64 are
// those of Keras but for the order of sums. Where weights are float64, or are
// multiplied into others, each is rounded to 24 bits, 6e-8.
func TestFiles(t *testing.T) { compare(t, "testdata") }

// Files that the Keras of this machine writes.
func TestPython(t *testing.T) {
	t.Setenv("KERAS_BACKEND", "torch")
	compare(t, pythontest.Files(t, "torch, keras, h5py", "testdata/make.py"))
}

func compare(t *testing.T, folder string) {
	all := graphtest.Expected[struct{ X, Y [][]float64 }](t, folder)
	for name, want := range all {
		t.Run(name, func(t *testing.T) {
			g, err := keras.Load(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			t.Log(graphtest.Summary(g), g.Remarks)
			for row, x := range want.X {
				values := graphtest.Values(t, g.Net, byChannel(x, g.Net.Input))
				y := values[len(values)-1]
				if len(y) != len(want.Y[row]) {
					t.Fatalf("%d outputs, want %d", len(y), len(want.Y[row]))
				}
				for u, w := range want.Y[row] {
					if !(math.Abs(y[u]-w) <= 2e-6*(1+math.Abs(w))) {
						t.Errorf("example %d, output %d: %.15g, want %.15g", row, u, y[u], w)
					}
				}
			}
		})
	}
}

// byChannel has pictures, whose channels Keras has together, one channel after the
// other.
func byChannel(x []float64, s engine.Shape) []float64 {
	if s.Rows*s.Cols == 1 {
		return x
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i%s.Channels*s.Rows*s.Cols+i/s.Channels] = v
	}
	return out
}

func TestNetworks(t *testing.T) {
	for name, want := range map[string]struct{ summary, remark string }{
		"chain.keras":       {"4 fc1:affine:relu fc2:affine:leakyrelu classes:affine", "left out at the end: softmax; class units are what comes before"},
		"chain.h5":          {"4 fc1:affine:relu fc2:affine:leakyrelu classes:affine", "left out at the end: softmax"},
		"joined.keras":      {"6 normalise:scale left:affine:silu right:affine:tanh sum:add concatenate:concat:prelu out:affine:gelu", ""},
		"colours.keras":     {"3x2x3 rescaling_1:scale fc1:affine:elu fc2:affine", "inputs of shape [2 3 3] are taken as pictures, one channel after the other"},
		"places.keras":      {"6 pixels:add:prelu fc1:affine", "inputs of shape [2 3] are taken as 6 numbers without places"},
		"autoencoder.keras": {"4 encoder/fc:affine:relu encoder/code:affine decoder/left:affine decoder/right:affine decoder/both:add decoder/fc:affine:sigmoid", ""},
		"graph2.h5":         {"4 dense:affine:sigmoid dense_1:affine add:add", "left out at the end: softmax"},
	} {
		g, err := keras.Load("testdata/" + name)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := g.Net.Input.String() + " " + graphtest.Summary(g); got != want.summary {
			t.Errorf("%s: %s, want %s", name, got, want.summary)
		}
		if !slices.ContainsFunc(append(g.Remarks, ""), func(r string) bool { return strings.HasPrefix(r, want.remark) }) {
			t.Errorf("%s: remarks %q lack %q", name, g.Remarks, want.remark)
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	for file, want := range map[string]string{
		"make.py": "it looks like text, want a model of Keras",
		"none.h5": "no such file",
		"":        "not a regular file",
	} {
		_, err := keras.Load(filepath.Join("testdata", file))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "testdata") {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

// Files that h5py can write, and Keras does not.
func TestPythonRefused(t *testing.T) {
	folder := t.TempDir()
	pythontest.Run(t, "h5py, numpy", `
import json, os, sys
import h5py
import numpy as np

config = json.dumps({"class_name": "Sequential", "config": {"layers": [
    {"class_name": "Dense", "config": {"name": "fc", "batch_input_shape": [None, 40], "activation": "linear"}}]}})
kernel = np.ones((40, 2), "float32")

def file(name, kernel=kernel, how=None, libver=None, config=config, change=None):
    with h5py.File(os.path.join(sys.argv[1], name + ".h5"), "w", libver=libver) as f:
        if config:
            f.attrs["model_config"] = config
        f.create_dataset("model_weights/fc/fc/kernel:0", data=kernel, **(how or {}))
        f.create_dataset("model_weights/fc/fc/bias:0", data=np.zeros(2, "float32"))
        if change:
            change(f)

def remove(f):
    del f["model_weights/fc/fc/bias:0"]

def soft(f):
    f["model_weights/other"] = h5py.SoftLink("/model_weights/fc")

def again(f):
    f["model_weights/other"] = f["model_weights/fc"]

def many(f):
    for k in range(20):
        f.create_group(f"g{k}")

file("good")
file("compressed", how={"compression": "gzip"})
file("chunks", how={"chunks": (7, 1)}, libver="latest")
file("big", kernel.astype(">f4"))
file("whole", kernel.astype("int8"))
file("text", np.array([[b"a", b"b"]] * 40))
file("weights", config=None)
file("numbers", config=[1, 2])
file("fixed", config=np.bytes_(config))
file("missing", change=remove)
file("soft", change=soft)
file("again", change=again)
file("many", change=many, libver="latest")
file("unused", change=lambda f: f.create_dataset("model_weights/fc/other/gamma", data=kernel))
`, folder)
	for name, want := range map[string]string{
		"good": "", "fixed": "",
		"compressed": "it is compressed: write it without compression, as Keras does",
		"chunks":     "write the file with h5py's usual libver",
		"big":        "numbers of type another float32",
		"whole":      "numbers of type int8",
		"text":       "numbers of type text",
		"weights":    "it has no attribute model_config",
		"numbers":    `attribute "model_config": 2 elements, want one text`,
		"missing":    `layer "fc", Dense: its weights bias, in "model_weights/fc/", are not in the file`,
		"soft":       `"other" is a link by name, and such are not read`,
		"again":      "is there under another name too",
		"many":       "the group is stored as only newer files do",
		"unused":     `tensor "model_weights/fc/other/gamma" [40 2]: no layer uses it`,
	} {
		_, err := keras.Load(filepath.Join(folder, name+".h5"))
		if want == "" && err == nil {
			continue
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), folder) {
			t.Errorf("%s: %v, want an error with %q", name, err, want)
		}
		graphtest.Check(t, nil, err)
	}
}
