package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A model that can't be read, or that may not be what was meant, is one line that names
// what is in the way and says what to do. Nothing of a file is run, and no number of a
// file decides how much memory is taken.
func TestRefusedModels(t *testing.T) {
	readers, err := filepath.Abs("../../network")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		file  string // of network's testdata
		write func(t *testing.T, content []byte) []byte
		flags string
		want  []string
	}{
		{"no activation.pt", "torch/testdata/relu.pt", asItIs, "", []string{"--activation", "want relu", "fc1.weight [5 6]"}},
		{"no activation.safetensors", "torch/testdata/shapes.safetensors", asItIs, "", []string{"--activation", "hidden.weight"}},
		{"unknown activation.pt", "torch/testdata/relu.pt", asItIs, "--activation swish", []string{`--activation "swish": did you mean silu?`}},
		{"unused.safetensors", "torch/testdata/shapes.safetensors", put(`"hidden.bias"`, `"scales.bias"`), "--activation relu", []string{"--map", "scales.bias", "NAME=-"}},
		{"no tensor.onnx", "onnx/testdata/torch-relu-script.onnx", put("fc2.bias\x12", "fc9.bias\x12"), "", []string{`node "`, `reads "fc`, "which nothing before it makes"}},
		{"unknown.onnx", "onnx/testdata/torch-tanh-script.onnx", put("Tanh", "Tank"), "", []string{`node "/act1/Tank", Tank`, "as far as what comes before it"}},
		{"unknown.h5", "keras/testdata/chain.h5", put(`"LeakyReLU"`, `"LeakyNeLU"`), "", []string{`layer "leaky_re_lu", LeakyNeLU`, "as far as what comes before it"}},
		{"outside.onnx", "onnx/testdata/torch-external-dynamo.onnx", put("torch-external-dynamo.onnx.data", "../../../../../../../etc/passwd"), "", []string{`"../../../../../../../etc/passwd" is outside the model's folder`, "export model and weights to one folder"}},
		{"missing.onnx", "onnx/testdata/torch-external-dynamo.onnx", asItIs, "", []string{`"torch-external-dynamo.onnx.data" is missing: put it beside the model`}},
		{"short.onnx", "onnx/testdata/torch-external-dynamo.onnx", beside("torch-external-dynamo.onnx.data", "12 numbers"), "", []string{`"torch-external-dynamo.onnx.data", which has 10: is that file complete?`}},
		{"sizes.safetensors", "torch/testdata/shapes.safetensors", put(`"shape":[5,6],"data_offsets":[`, `"shape":[50000000,600000],"data_offsets":[`), "--activation relu", []string{`tensor "`, "data_offsets"}},
		{"header.safetensors", "torch/testdata/shapes.safetensors", func(_ *testing.T, content []byte) []byte {
			copy(content[5:], "\xff\xff")
			return content
		}, "", []string{"a header of", "bytes is above the limit"}},
		{"sizes.pt", "torch/testdata/relu.pt", rezip("data/0", func([]byte) []byte { return make([]byte, 8) }), "--activation relu", []string{`storage "0" has 8 bytes, want`}},
		{"module.pt", "torch/testdata/module.pt", asItIs, "--activation relu", []string{`"torch.nn.modules.container.Sequential"`, "nothing of it is run: save model.state_dict()"}},
		{"command.pt", "torch/testdata/relu.pt", rezip("data.pkl", func([]byte) []byte { return []byte("cposix\nsystem\n(S'touch executed'\ntR.") }), "--activation relu", []string{`"posix.system"`, "nothing of it is run: save model.state_dict()"}},
		{"command.pkl", "torch/testdata/relu.pt", func(*testing.T, []byte) []byte {
			return []byte("\x80\x02cposix\nsystem\nq\x00X\x0e\x00\x00\x00touch executedq\x01\x85q\x02Rq\x03.")
		}, "", []string{"a pickle that torch.save has not written", "torch.save(model.state_dict(), ...)"}},
		{"list.pt", "torch/testdata/relu.pt", rezip("data.pkl", func([]byte) []byte { return []byte("]q\x00(K\x01K\x02e.") }), "--activation relu", []string{"a list, want a state dict: save model.state_dict()"}},
		{"cut.pt", "torch/testdata/relu.pt", half, "--activation relu", []string{"is the file complete?"}},
		{"cut.onnx", "onnx/testdata/torch-relu-script.onnx", half, "", []string{"is the file complete?"}},
		{"cut.h5", "keras/testdata/chain.h5", half, "", []string{"is it complete?"}},
		{"cut.keras", "keras/testdata/chain.keras", half, "", []string{"is the file complete?"}},
		{"table.csv", "torch/testdata/make.py", asItIs, "", []string{"it looks like text; a model is"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			content, err := os.ReadFile(filepath.Join(readers, filepath.FromSlash(c.file)))
			if err != nil {
				t.Fatal(err)
			}
			name := strings.ReplaceAll(c.name, " ", "-")
			if err := os.WriteFile(name, c.write(t, content), 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, name, "look", name, c.flags, c.want)
			refused(t, name, "visualize ascent", "--model "+name, c.flags, c.want)
		})
	}
}

// refused calls the program as people do.
func refused(t *testing.T, name, command, model, flags string, want []string) {
	t.Helper()
	var messages bytes.Buffer
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	arguments := strings.Fields("unitscope " + command + " " + flags + " --rho 2 --out out " + model)
	code := run(t.Context(), arguments, &messages, &messages)
	runtime.ReadMemStats(&after)
	text := messages.String()
	if code != 1 && code != 2 || strings.Count(text, "\n") != 1 || !strings.Contains(text, name) {
		t.Errorf("%s: exit code %d, want one line that names the file: %s", command, code, text)
	}
	for _, part := range want {
		if !strings.Contains(text, part) {
			t.Errorf("%s: %s\nwant %q in it", command, text, part)
		}
	}
	// The commands with their help take some of it.
	if took := after.TotalAlloc - before.TotalAlloc; took > 32<<20 {
		t.Errorf("%s: %d bytes were allocated", command, took)
	}
	for _, made := range []string{"out", "executed"} {
		if _, err := os.Stat(made); err == nil {
			t.Errorf("%s: there is a file %q", command, made)
		}
	}
}

func asItIs(_ *testing.T, content []byte) []byte { return content }

func half(_ *testing.T, content []byte) []byte { return content[:len(content)/2] }

// put replaces a text, which a file holds, by another one. The header of safetensors
// has its length in front.
func put(old, new string) func(*testing.T, []byte) []byte {
	return func(t *testing.T, content []byte) []byte {
		if !bytes.Contains(content, []byte(old)) {
			t.Fatalf("the file does not hold %q", old)
		}
		changed := bytes.ReplaceAll(content, []byte(old), []byte(new))
		if more := len(changed) - len(content); more != 0 {
			changed[0] += byte(more)
		}
		return changed
	}
}

// beside writes another file beside the model.
func beside(name, text string) func(*testing.T, []byte) []byte {
	return func(t *testing.T, content []byte) []byte {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return content
	}
}

// rezip is an archive with a member changed whose name ends in this way.
func rezip(suffix string, change func([]byte) []byte) func(*testing.T, []byte) []byte {
	return func(t *testing.T, content []byte) []byte {
		in, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		archive := zip.NewWriter(&out)
		found := false
		for _, f := range in.File {
			data, err := in.Open(f.Name)
			if err != nil {
				t.Fatal(err)
			}
			var member bytes.Buffer
			if _, err := member.ReadFrom(data); err != nil {
				t.Fatal(err)
			}
			w, err := archive.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Store})
			if err != nil {
				t.Fatal(err)
			}
			bits := member.Bytes()
			if strings.HasSuffix(f.Name, suffix) {
				bits, found = change(bits), true
			}
			if _, err := w.Write(bits); err != nil {
				t.Fatal(err)
			}
		}
		if err := archive.Close(); err != nil || !found {
			t.Fatalf("%v, no member %q", err, suffix)
		}
		return out.Bytes()
	}
}
