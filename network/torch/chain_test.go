package torch_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/network/torch"
)

// parameters are tensors of ones with these names and shapes.
func parameters(of ...any) (all []torch.Tensor) {
	for i := 0; i < len(of); i += 2 {
		shape := of[i+1].([]int)
		size := 1
		for _, n := range shape {
			size *= n
		}
		data := slices.Repeat([]float32{1}, size)
		all = append(all, torch.Tensor{Name: of[i].(string), Shape: shape, Type: "F32", Read: func() ([]float32, error) { return data, nil }})
	}
	return all
}

func fromTensors(names map[string]string, tensors ...any) (*graph.Graph, error) {
	return torch.FromTensors(parameters(tensors...), torch.Options{Activation: "relu", Map: names})
}

type shape = []int

func TestRefusedTensors(t *testing.T) {
	for want, tensors := range map[string][]any{
		"conv1.weight [6 1 5 5] is a convolution's": {"conv1.weight", shape{6, 1, 5, 5}, "conv1.bias", shape{6}},
		"Map: there is no use for fc.weight_g [3 1], fc.weight_v [3 2] in a chain of Linear modules: make it a part of the weights before saving": {"fc.weight_g", shape{3, 1}, "fc.weight_v", shape{3, 2}},
		`a tensor is called "fc\x1b[2J\n.weight", want at most 256 bytes`:                                                                         {"fc\x1b[2J\n.weight", shape{3, 2}},
		`a tensor is called "xxx`:                                                       {strings.Repeat("x", 257), shape{3, 2}},
		"Map: there is no use for rnn.weight_ih_l0 [4 4]":                               {"fc.weight", shape{4, 4}, "rnn.weight_ih_l0", shape{4, 4}},
		"Map: there is no use for fc.bias [3]":                                          {"fc.bias", shape{3}},
		"ln.weight [3] is no Linear's and no BatchNorm's (of a LayerNorm or PReLU?)":    {"fc.weight", shape{3, 2}, "ln.weight", shape{3}, "ln.bias", shape{3}},
		"fc.bias [2]: want 3 biases":                                                    {"fc.weight", shape{3, 2}, "fc.bias", shape{2}},
		"bn.running_mean [3] has no running_var beside it":                              {"fc.weight", shape{3, 2}, "bn.running_mean", shape{3}},
		"bn.running_var [2]: want one number for each unit, as bn.running_mean [3] has": {"fc.weight", shape{3, 2}, "bn.running_mean", shape{3}, "bn.running_var", shape{2}},
		"bn.running_mean []: want one number for each unit":                             {"fc.weight", shape{3, 2}, "bn.running_mean", shape{}, "bn.running_var", shape{}},
		"Map: bn normalises 2 units, and fc before it has 3":                            {"fc.weight", shape{3, 2}, "bn.running_mean", shape{2}, "bn.running_var", shape{2}},
		"Map: bn normalises 3 numbers, and fc after it has 2 inputs":                    {"bn.running_mean", shape{3}, "bn.running_var", shape{3}, "fc.weight", shape{3, 2}},
		"it has no weights of a Linear module; it holds bn.running_mean [3], bn":        {"bn.running_mean", shape{3}, "bn.running_var", shape{3}},
		// b a and a b fit both.
		"Map: in the file's order its Linear modules don't fit, b has 3 units and c 4 inputs: say which tensors are of which layer, or export it as ONNX if it branches; it holds a.weight [3 3], b.weight [3 3], c.weight [3 4]": {"a.weight", shape{3, 3}, "b.weight", shape{3, 3}, "c.weight", shape{3, 4}},
		"b has 4 units and c 5 inputs": {"a.weight", shape{3, 2}, "b.weight", shape{4, 3}, "c.weight", shape{9, 5}},
	} {
		if _, err := fromTensors(nil, tensors...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

// Names that say how a model was wrapped go, others stay.
func TestNames(t *testing.T) {
	for want, tensors := range map[string][]any{
		"layer2.1.fc out": {"module._orig_mod.model.layer2.1.fc.weight", shape{3, 2}, "module._orig_mod.model.out.weight", shape{2, 3}},
		"model":           {"model.weight", shape{3, 2}},
		"linear":          {"module.weight", shape{3, 2}},
		"module.a b":      {"module.a.weight", shape{3, 2}, "b.weight", shape{2, 3}},
		"linear linear.2": {"weight", shape{3, 2}, "bias", shape{3}, "linear.weight", shape{2, 3}},
		"net.0 net.2":     {"net.0.weight", shape{3, 2}, "net.2.weight", shape{2, 3}},
	} {
		g, err := fromTensors(nil, tensors...)
		if err != nil || strings.Join(g.Names, " ") != want {
			t.Errorf("%v, %v, want %s", g, err, want)
		}
	}
}

// Whether an activation is between two modules shows in the numbers of a Sequential,
// and in a ModuleList it does not.
func TestSequential(t *testing.T) {
	square := shape{2, 2}
	for want, tensors := range map[string][]any{
		"relu relu identity":          {"l.0.weight", square, "l.1.weight", square, "l.2.weight", square},
		"relu identity relu identity": {"l.0.weight", square, "l.2.weight", square, "l.3.weight", square, "l.5.weight", square},
		"relu relu relu identity":     {"a.0.weight", square, "a.2.weight", square, "b.0.weight", square, "b.1.weight", square},
	} {
		g, err := fromTensors(nil, tensors...)
		if err != nil {
			t.Error(err)
			continue
		}
		var kinds []string
		for _, o := range g.Net.Ops {
			kinds = append(kinds, o.Activation.Kind.String())
		}
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestMap(t *testing.T) {
	tied := []any{"module.enc.weight", shape{3, 2}, "module.enc.bias", shape{3}, "module.dec.weight", shape{2, 3}, "module.extra", shape{7, 7}}
	bare := []any{"W1", shape{2, 3}, "b1", shape{3}, "W2", shape{4, 3}, "bn.running_mean", shape{3}, "bn.running_var", shape{3}, "bn.num_batches_tracked", shape{}}
	for _, c := range []struct {
		name    string
		tensors []any
		names   map[string]string
		want    string // names of the operations, or an error
	}{
		{"only left out", tied, map[string]string{"module.extra": "-"}, "enc dec"},
		{"without the wrapper", tied, map[string]string{"extra": "-"}, "enc dec"},
		{"one left out", tied, map[string]string{"extra": "-", "dec": "-", "enc": "1"}, "enc"},
		{"another order", tied, map[string]string{"extra": "-", "dec": "1", "enc": "2"}, "dec enc"},
		{"tensors", bare, map[string]string{"W1": "1.weight.T", "b1": "1.bias", "W2": "2.weight", "bn": "1.after"}, "W1 bn W2"},
		{"a normalisation before", bare, map[string]string{"W1": "1.weight.T", "b1": "1.bias", "W2": "2.weight", "bn": "1"}, "W1 W2"},

		{"nothing of this name", tied, map[string]string{"encoder": "1"}, "Map encoder=1: nothing is called so; it holds enc.weight [3 2]"},
		{"not all", tied, map[string]string{"enc": "1"}, "Map: it says nothing of dec.weight [2 3], extra [7 7]: say of which layer it is"},
		{"no number", tied, map[string]string{"enc": "first", "dec": "-", "extra": "-"}, "Map enc=first: want the number of a layer"},
		{"no part", tied, map[string]string{"enc": "1.first", "dec": "-", "extra": "-"}, `Map enc=1.first: "first" is no part of a layer`},
		{"no layer 1", tied, map[string]string{"enc": "2", "dec": "-", "extra": "-"}, "Map: layer 1 has no weights"},
		{"only a bias", tied, map[string]string{"enc.bias": "1.bias", "enc": "-", "dec": "-", "extra": "-"}, "Map: layer 1 has no weights"},
		{"twice", tied, map[string]string{"enc": "1", "dec": "1", "extra": "-"}, "Map enc=1: the layer has weights already, dec.weight [2 3]"},
		{"two biases", bare, map[string]string{"W1": "1.weight", "b1": "1.bias", "bn.running_mean": "1.bias", "W2": "-", "bn": "-"}, "the layer has biases already, b1 [3]"},
		{"misfit", bare, map[string]string{"W1": "1.weight", "W2": "2.weight", "b1": "-", "bn": "-"}, "Map: W1 has 2 units and W2 after it 3 inputs"},
		{"a bias that does not fit", bare, map[string]string{"W1": "1.weight", "b1": "1.bias", "W2": "-", "bn": "-"}, "Map: b1 [3]: want 2 biases"},
		{"a module as a tensor", tied, map[string]string{"enc": "1.weight", "dec": "-", "extra": "-"}, "Map enc=1.weight: want the name of a tensor"},
		{"a tensor as a module", bare, map[string]string{"W1": "1", "b1": "-", "W2": "-", "bn": "-"}, "Map W1=1: want the name of a module"},
		{"no normalisation", tied, map[string]string{"enc": "1", "dec": "1.after", "extra": "-"}, "Map dec=1.after: it is no BatchNorm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := fromTensors(c.names, c.tensors...)
			if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && strings.Join(g.Names, " ") != c.want {
				t.Errorf("%v, %v, want %s", g, err, c.want)
			}
		})
	}
}

// The sparse autoencoders that can be read are those with ReLU, and all that is said
// of them is looked at.
func TestAutoencoders(t *testing.T) {
	encoder := []safetensors.Tensor{
		{Name: "W_enc", Shape: shape{2, 3}, Data: make([]float32, 6)}, {Name: "b_enc", Shape: shape{3}, Data: make([]float32, 3)},
		{Name: "W_dec", Shape: shape{3, 2}, Data: make([]float32, 6)},
	}
	with := func(name string, of shape) []safetensors.Tensor {
		size := 1
		for _, n := range of {
			size *= n
		}
		return append(slices.Clone(encoder), safetensors.Tensor{Name: name, Shape: of, Data: make([]float32, size)})
	}
	const standard = `{"architecture": "standard", "apply_b_dec_to_input": false}`
	for _, c := range []struct {
		tensors      []safetensors.Tensor
		config, want string
	}{
		{encoder, standard, ""},
		{encoder, `{"architecture": "standard", "activation_fn": "relu", "normalize_activations": "none", "apply_b_dec_to_input": false}`, ""},
		{encoder, "", "there is no cfg.json beside it"},
		{encoder, "{", "cfg.json: unexpected end of JSON input"},
		{with("b_dec", shape{2}), "{}", ""},
		{with("scaling_factor", shape{3}), `{"normalize_activations": false, "apply_b_dec_to_input": false, "finetuning_scaling_factor": true}`, ""},
		{encoder, `{"normalize_activations": true, "apply_b_dec_to_input": false}`, `normalize_activations is "true"`},
		{encoder, `{"normalize_activations": {}, "apply_b_dec_to_input": false}`, `normalize_activations is "map[]"`},
		{encoder, `{"architecture": 7}`, "cfg.json: json: cannot unmarshal number"},
		{encoder, `{"architecture": "topk", "apply_b_dec_to_input": false}`, `cfg.json: architecture is "topk", and only "standard" can be read`},
		{encoder, `{"activation_fn_str": "topk", "apply_b_dec_to_input": false}`, `activation_fn_str is "topk"`},
		{encoder, `{"architecture": "standard", "normalize_activations": "layer_norm", "apply_b_dec_to_input": false}`, `normalize_activations is "layer_norm"`},
		{encoder, `{"architecture": "standard", "apply_b_dec_to_input": true}`, "b_dec is subtracted from inputs, unless cfg.json says otherwise in apply_b_dec_to_input: want it with 2 numbers"},
		{encoder, strings.Repeat(" ", 1<<20) + "{}", "cfg.json: want a file of at most 1048576 bytes"},
		{with("b_dec", shape{3}), `{"architecture": "standard", "apply_b_dec_to_input": true}`, "want it with 2 numbers"},
		{with("threshold", shape{3}), standard, "threshold is of a JumpReLU autoencoder"},
		{with("log_threshold", shape{3}), standard, "log_threshold is of a JumpReLU autoencoder"},
		{with("b_gate", shape{3}), standard, `there is no use for "b_gate" [3]`},
	} {
		folder := t.TempDir()
		path := filepath.Join(folder, "sae_weights.safetensors")
		if c.config != "" {
			if err := os.WriteFile(filepath.Join(folder, "cfg.json"), []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := safetensors.Write(f, c.tensors, nil); err != nil {
			t.Fatal(err)
		}
		f.Close()
		g, err := torch.Load(path, torch.Options{})
		if c.want == "" && (err != nil || strings.Join(g.Names, " ") != "latents") {
			t.Errorf("%v, %v", g, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
}

// FuzzTensors makes tensors of lines, "net.0.weight 3 2", and a map of "NAME=WHAT"
// between commas.
func FuzzTensors(f *testing.F) {
	f.Add("fc1.weight 3 2\nfc1.bias 3\nfc2.weight 2 3", "")
	f.Add("module.0.weight 3 2\nmodule.1.running_mean 3\nmodule.1.running_var 3\nmodule.3.weight 2 3\nmodule.4.weight 2 2", "")
	f.Add("0.weight 3 2\n2.running_mean 3\n2.running_var 3\n2.weight 3\n3.weight 2 3", "")
	f.Add("a.weight 2 3\nb.weight 4 2\nc.weight 3 9", "")
	f.Add("W1 2 3\nb1 3\nW2 4 3\nn.running_mean 3\nn.running_var 3", "W1=1.weight.T,b1=1.bias,W2=2.weight,n=1.after")
	f.Add("model.a.weight 2 3\nmodel.b.weight 9 9", "model.b=-,a=1")
	f.Fuzz(func(t *testing.T, lines, names string) {
		var tensors []any
		for line := range strings.Lines(lines) {
			fields := strings.Fields(line)
			if len(fields) == 0 {
				continue
			}
			of := shape{}
			for _, field := range fields[1:] {
				of = append(of, int(field[0])%9)
			}
			if len(of) > 5 {
				return
			}
			tensors = append(tensors, fields[0], of)
		}
		what := map[string]string{}
		for pair := range strings.SplitSeq(names, ",") {
			if name, is, ok := strings.Cut(pair, "="); ok {
				what[name] = is
			}
		}
		if g, err := fromTensors(what, tensors...); err == nil && len(g.Layers()) == 0 {
			t.Errorf("%v has no layers", g)
		}
	})
}

// Activations by other names are not taken for granted, but named.
func TestMeantActivation(t *testing.T) {
	tensors := parameters("a.weight", []int{3, 4}, "b.weight", []int{2, 3})
	for name, want := range map[string]string{
		"ReLU": "did you mean relu? want one of [", "nn.ReLU()": "did you mean relu?", "relux": "did you mean relu?", "Leaky_ReLU": "did you mean leakyrelu?", "GELU": "did you mean gelu?",
		"gelu_pytorch_tanh": "did you mean gelu-tanh?", "swish": "did you mean silu?", "sigmod": "did you mean sigmoid?", "torch.nn.Hardswish": "did you mean hardswish?", "linear": "did you mean identity?",
		"relu6": `Activation "relu6": want one of [`, "prelu": `Activation "prelu": want one of [`, "gaussian": `Activation "gaussian": want one of [`, strings.Repeat("x", 200): "want one of [",
	} {
		_, err := torch.FromTensors(tensors, torch.Options{Activation: name})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
