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
