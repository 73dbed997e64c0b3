package network_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/graph"
)

// Networks of PyTorch that end in class units are graphs, with names.
func TestForeign(t *testing.T) {
	for _, c := range []struct {
		file    string
		options network.Options
		stack   bool
		names   string // of layers 1 and 2
		sizes   int
	}{
		{"torch/testdata/sigmoid.pt", network.Options{Activation: "sigmoid"}, false, "fc1 fc2", 4},
		{"torch/testdata/relu.pt", network.Options{Activation: "relu"}, false, "fc1 fc2", 4},
		{"onnx/testdata/torch-sigmoid-script.onnx", network.Options{}, false, "fc1 body.0", 4},
		{"onnx/testdata/torch-relu-dynamo.onnx", network.Options{}, false, "fc1 body.0", 4},
		{"keras/testdata/chain.keras", network.Options{}, false, "fc1 fc2", 4},
		{"onnx/testdata/torch-sigmoid-dynamo.onnx", network.Options{Mean: []float32{0.5}, Deviation: []float32{0.25}}, false, "fc1 body.0", 4},
	} {
		n, err := network.LoadWith(c.file, c.options)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if stack := n.Graph == nil; stack != c.stack || len(n.Sizes()) != c.sizes || n.Depth() != c.sizes-1 {
			t.Errorf("%s: a stack %v, sizes %v, depth %d", c.file, stack, n.Sizes(), n.Depth())
		}
		if names := n.LayerLabel(1) + " " + n.LayerLabel(2); names != c.names {
			t.Errorf("%s: layers %s, want %s", c.file, names, c.names)
		}
		second := strings.Fields(c.names)[1]
		if layer, err := n.FindLayer(second); layer != 2 || err != nil {
			t.Errorf("%s: %s is layer %d, %v", c.file, second, layer, err)
		}
		net, at, err := n.Net()
		shapes, check := net.Check()
		if err = errors.Join(err, check); err != nil || len(at) != n.Depth() {
			t.Fatalf("%s: %v, %d values", c.file, err, len(at))
		}
		for i, v := range at {
			if size := shapes[v].Size(); size != n.Sizes()[i+1] {
				t.Errorf("%s: layer %d has %d units and value %d of %d", c.file, i+1, n.Sizes()[i+1], v, size)
			}
		}
		if _, err := n.Stack(1); c.stack != (err == nil) || err != nil && !errors.Is(err, network.ErrNoStack) {
			t.Errorf("%s: stack: %v", c.file, err)
		}
	}
}

// What is given as a model and is none is called what it is, and options that a file
// has no use for are refused.
func TestForeignRefused(t *testing.T) {
	folder := t.TempDir()
	table := filepath.Join(folder, "model.csv")
	if err := os.WriteFile(table, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(folder, "cut.onnx")
	whole, err := os.ReadFile("onnx/testdata/torch-relu-script.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(folder, "own.safetensors")
	n, err := network.FromGraph(chain(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(own)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(n.Write(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file    string
		options network.Options
		want    string
		field   string
	}{
		{file: table, want: "it looks like text"},
		{file: cut, want: "is the file complete?"},
		{file: "torch/testdata/relu.pt", want: "fc1.weight", field: "Activation"},
		{"onnx/testdata/torch-relu-script.onnx", network.Options{Activation: "relu"}, "says its activations itself", "Activation"},
		{"onnx/testdata/torch-relu-script.onnx", network.Options{Map: map[string]string{"a": "1"}}, "what its tensors are", "Map"},
		{"onnx/testdata/torch-relu-script.onnx", network.Options{InputShape: []int{7}}, "InputShape 7: the network has", "InputShape"},
		{"torch/testdata/relu.pt", network.Options{Activation: "relu", InputShape: []int{2, 7}}, "InputShape 2x7: ", "InputShape"},
		{"onnx/testdata/torch-relu-script.onnx", network.Options{Mean: []float32{1, 2}, Deviation: []float32{1}}, "2 means", ""},
		{own, network.Options{Activation: "relu"}, "a model of this program", "Activation"},
		{own, network.Options{InputShape: []int{2}}, "says its own", "InputShape"},
		{own, network.Options{Mean: []float32{1}}, "preprocessing", "Mean"},
	} {
		_, err := network.LoadWith(c.file, c.options)
		var option *words.OptionError
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", c.file, err, c.want)
		}
		if errors.As(err, &option) != (c.field != "") || option != nil && option.Field != c.field {
			t.Errorf("%s: %v, want an option %q", c.file, err, c.field)
		}
	}
	if again, err := network.Load(own); err != nil || again.Graph != nil || len(again.Layers) != 1 {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := n.FindLayer("fc9"); err == nil || !strings.Contains(err.Error(), "layers 1 to 1: fc1") {
		t.Errorf("fc9: %v", err)
	}
}

// chain is a sigmoid layer, which is a stack as ours.
func chain(t *testing.T) *graph.Graph {
	t.Helper()
	b := graph.New(engine.Flat(2))
	h := b.Affine("fc1", b.Input(), engine.Host{Rows: 2, Cols: 2, Data: []float32{1, 2, 3, 4}}, nil)
	b.Activate("act", h, engine.Activation{Kind: engine.Sigmoid})
	g, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A folder of SAELens is a model, as a run's is; a run's own file goes before it.
func TestFolders(t *testing.T) {
	const sae = "torch/testdata/sae"
	file := filepath.Join(sae, "sae_weights.safetensors")
	if got := network.FileOf(sae); got != file {
		t.Errorf("the file of %s is %s", sae, got)
	}
	of, err := network.Load(sae)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := network.Load(file); err != nil || !slices.Equal(same.Sizes(), of.Sizes()) || of.LayerLabel(1) != "latents" {
		t.Errorf("%v, %v and %v units", err, of.Sizes(), same.Sizes())
	}
	both := t.TempDir()
	for _, name := range []string{"sae_weights.safetensors", network.FileName} {
		if err := os.WriteFile(filepath.Join(both, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := network.FileOf(both); got != filepath.Join(both, network.FileName) {
		t.Errorf("of both it takes %s", got)
	}
	if empty := t.TempDir(); network.FileOf(empty) != filepath.Join(empty, network.FileName) {
		t.Errorf("an empty folder has %s", network.FileOf(empty))
	}
	if _, err := network.Load("no such"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := network.Load(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
}

// What can't be done without a stack says what makes a network none.
func TestNoStack(t *testing.T) {
	for _, c := range []struct{ file, activation, want string }{
		{"torch/testdata/relu.pt", "relu", "fc1 is followed by relu: the network is no stack of sigmoid layers as are trained here"},
		{"torch/testdata/sigmoid.pt", "sigmoid", " is followed by nothing: the network is no stack"},
	} {
		n, err := network.LoadWith(c.file, network.Options{Activation: c.activation})
		if err != nil {
			t.Fatal(err)
		}
		_, stack := n.Stack(1)
		for what, err := range map[string]error{"check": n.CheckStack(), "stack": stack, "write": n.Write(io.Discard), "sample": n.CheckGenerative(1)} {
			if !errors.Is(err, network.ErrNoStack) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: %v, want %q", c.file, what, err, c.want)
			}
		}
	}
	// Operations that are no layers.
	weight := engine.Host{Rows: 2, Cols: 2, Data: []float32{1, 2, 3, 4}}
	sigmoid := engine.Activation{Kind: engine.Sigmoid}
	for want, build := range map[string]func(b *graph.Builder){
		"": func(b *graph.Builder) {
			b.Activate("f", b.Affine("a", b.Input(), weight, nil), sigmoid)
		},
		"it has norm (scale): ": func(b *graph.Builder) {
			b.Activate("f", b.Affine("a", b.Scale("norm", b.Input(), []float32{2, 2}, []float32{0, 0}), weight, nil), sigmoid)
		},
		"it has sum (add): ": func(b *graph.Builder) {
			b.Add("sum", b.Activate("f", b.Affine("a", b.Input(), weight, nil), sigmoid), b.Input())
		},
	} {
		b := graph.New(engine.Flat(2))
		build(b)
		g, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		n, err := network.FromGraph(g, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.CheckStack(); want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Layers with a sum between them are no chain, and the error says so and nothing of stacks.
func TestNoChain(t *testing.T) {
	weight := engine.Host{Rows: 2, Cols: 2, Data: []float32{1, 2, 3, 4}}
	b := graph.New(engine.Flat(2))
	first := b.Activate("f", b.Affine("fc1", b.Input(), weight, nil), engine.Activation{Kind: engine.ReLU})
	b.Affine("fc2", b.Add("sum", first, b.Input()), weight, nil)
	g, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	n, err := network.FromGraph(g, nil)
	if err != nil {
		t.Fatal(err)
	}
	if chain, err := n.Chain(1); err != nil || len(chain) != 1 {
		t.Errorf("layer 1: %d layers, %v", len(chain), err)
	}
	if _, err := n.Chain(2); !errors.Is(err, network.ErrNoChain) || err.Error() != "sum (add) comes between its layers: the network is no chain of layers, each on the one below it" {
		t.Errorf("layer 2: %v", err)
	}
}
