package torch_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/internal/pythontest"
	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/graph/graphtest"
	"github.com/unitscope/unitscope/network/torch"
)

// expectation is what PyTorch computes in float64 with the parameters of a file, see
// testdata/make.py.
type expectation struct {
	Activation string
	Inputs     [][]float64
	Values     map[string][][]float64 // after activations, by names of operations
}

// Parameters of float32 and shorter reach the network as they are, so that its values
// in float64 are PyTorch's but for the order of sums, some 1e-15. Where parameters are
// float64, or are multiplied into others, each is rounded to 24 bits, 6e-8, and sums of
// at most 10 of about 1 follow one another three times.
const (
	exact   = 1e-12
	rounded = 3e-6
)

func TestFiles(t *testing.T) { compare(t, "testdata") }

// Files that the PyTorch of this machine writes.
func TestPython(t *testing.T) {
	compare(t, pythontest.Files(t, "torch, safetensors.torch", "testdata/make.py"))
}

// compare compares the values of networks with PyTorch's.
func compare(t *testing.T, folder string) {
	tolerances := map[string]float64{"silu.pt": rounded, "ahead.pt": rounded, "legacy.pt": rounded, "sae/sae_weights.safetensors": rounded}
	for name, want := range graphtest.Expected[expectation](t, folder) {
		t.Run(name, func(t *testing.T) {
			g, err := torch.Load(filepath.Join(folder, name), torch.Options{Activation: want.Activation})
			if err != nil {
				t.Fatal(err)
			}
			if len(g.Names) != len(want.Values) {
				t.Errorf("it has %q, want %d operations", g.Names, len(want.Values))
			}
			tolerance, ok := tolerances[name]
			if !ok {
				tolerance = exact
			}
			for row, x := range want.Inputs {
				values := graphtest.Values(t, g.Net, x)
				for i, op := range g.Names {
					for u, y := range values[i+1] {
						expected := want.Values[op]
						if len(expected) == 0 || len(expected[row]) != len(values[i+1]) {
							t.Fatalf("%s has %d units, want those of PyTorch", op, len(values[i+1]))
						}
						if w := expected[row][u]; !(math.Abs(y-w) <= tolerance*(1+math.Abs(w))) {
							t.Errorf("%s, unit %d: %.15g, PyTorch has %.15g", op, u, y, w)
						}
					}
				}
			}
			t.Logf("%q", g.Remarks)
		})
	}
}

func TestRemarks(t *testing.T) {
	for name, want := range map[string][]string{
		"relu.pt":                     {"the layers are taken in the file's order: fc1, fc2, fc3", "relu follows each layer but the last, fc3"},
		"ordered.safetensors":         {"the layers are taken in the order of their names: net.0, net.2, net.10"},
		"shapes.safetensors":          {"the only order in which they fit: input, hidden, output"},
		"checkpoint.pt":               {`its "model_state_dict" is the network, left out: "epoch", "loss", "optimizer_state_dict", "device", "random"`, `all names begin with "module.", of DataParallel`},
		"silu.pt":                     {`"_orig_mod.", of torch.compile`, `"1" is taken to normalise before the activation of "0"`, `"1", "5" add 1e-05 to variances`, `"5" normalises after the activation of "3"`, `"6" has no biases`, `nothing is between "6" and "7"`},
		"ahead.pt":                    {`"0" normalises inputs, and has become a part of "1"`},
		"sae/sae_weights.safetensors": {"b_dec is subtracted from inputs", "its decoder, which makes inputs of them, is left out"},
	} {
		activation := graphtest.Expected[expectation](t, "testdata")[name].Activation
		g, err := torch.Load("testdata/"+name, torch.Options{Activation: activation})
		if err != nil {
			t.Error(err)
			continue
		}
		for _, remark := range want {
			if !slices.ContainsFunc(slices.Concat(g.Remarks, g.Warnings), func(r string) bool { return strings.Contains(r, remark) }) {
				t.Errorf("%s: remarks %q, warnings %q lack %q", name, g.Remarks, g.Warnings, remark)
			}
		}
	}
}

func TestOptions(t *testing.T) {
	load := func(file string, o torch.Options) *graph.Graph {
		t.Helper()
		g, err := torch.Load("testdata/"+file, o)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	g := load("ahead.pt", torch.Options{Activation: "relu"})
	if want := (engine.Shape{Channels: 1, Rows: 3, Cols: 3}); g.Net.Input != want {
		t.Errorf("inputs %v, want %v", g.Net.Input, want)
	}
	flat := load("relu.pt", torch.Options{Activation: "relu"})
	if flat.Net.Input != engine.Flat(6) {
		t.Errorf("inputs %v", flat.Net.Input)
	}
	// The file's word is not needed, and does not count, where another one is said.
	g = load("ordered.safetensors", torch.Options{Activation: "tanh"})
	if g.Net.Ops[0].Activation.Kind != engine.Tanh {
		t.Errorf("%v", g.Net.Ops[0].Activation)
	}
	g = load("relu.pt", torch.Options{Activation: "relu", Input: engine.Shape{Channels: 2, Rows: 3, Cols: 1}, Mean: []float32{1, 2}, Deviation: []float32{0.5}})
	if got := fmt.Sprint(g.Names, g.Net.Ops[0].Factor, g.Net.Ops[0].Bias); got != "[normalize fc1 fc2 fc3] [2 2] [-2 -4]" {
		t.Errorf("%s", got)
	}
	x := []float64{1, 2, 3, 4, 5, 6}
	normal := []float64{0, 2, 4, 4, 6, 8} // less 1 or 2, by 0.5
	if got, want := graphtest.Values(t, g.Net, x)[4], graphtest.Values(t, flat.Net, normal)[3]; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A state dict needs its activation, and the error says what is in it.
func TestRefusedFiles(t *testing.T) {
	text := filepath.Join(t.TempDir(), "model.pt")
	if err := os.WriteFile(text, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	relu := torch.Options{Activation: "relu"}
	for _, c := range []struct {
		file string
		o    torch.Options
		want string
	}{
		{"testdata/relu.pt", torch.Options{}, "testdata/relu.pt: Activation: a state dict does not say what follows its layers: want relu, or what else it was of [identity sigmoid "},
		{"testdata/relu.pt", torch.Options{}, "; it holds fc1.weight [5 6], fc1.bias [5], fc2.weight [4 5], fc2.bias [4], fc3.weight [3 4], fc3.bias [3]"},
		{"testdata/relu.pt", torch.Options{Activation: "rely"}, `testdata/relu.pt: Activation "rely": did you mean relu? want one of [identity sigmoid `},
		{"testdata/relu.pt", torch.Options{Activation: "relu", Input: engine.Flat(7)}, "testdata/relu.pt: Input 7: its first layer has 6 inputs"},
		{"testdata/relu.pt", torch.Options{Activation: "relu", Mean: []float32{1, 2}}, "Mean: 2 numbers for 6 channels"},
		{"testdata/relu.pt", torch.Options{Activation: "relu", Deviation: []float32{0}}, "Deviation: 1 numbers for 6 channels, want them above 0"},
		{"testdata/module.pt", relu, `testdata/module.pt: pickle: byte 2: it holds "torch.nn.modules.container.Sequential", which is neither a tensor nor plain data, and nothing of it is run: save model.state_dict() instead`},
		{"testdata/sae/sae_weights.safetensors", torch.Options{Activation: "gelu"}, `cfg.json: Activation "gelu": a sparse autoencoder is read with relu`},
		{"testdata", relu, "open testdata: not a regular file"},
		{"testdata/none.pt", relu, "no such file"},
		{text, relu, "it looks like text, want a state dict of PyTorch"},
	} {
		if _, err := torch.Load(c.file, c.o); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
}
