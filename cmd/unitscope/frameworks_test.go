package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
)

// Perceptrons of PyTorch, Keras and scikit-learn, small ones, trained here: each file that
// they are saved as is read by one command, has the framework's activations, and from the
// same starts the program climbs as far as the framework does in double precision. The
// scripts do the same with networks that know MNIST, see CONTRIBUTING.md.
func TestFrameworks(t *testing.T) {
	if testing.Short() {
		t.Skip("networks are trained, in Python")
	}
	scripts, err := filepath.Abs("testdata/frameworks")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		net     string
		modules []string
	}{
		{"relu", []string{"onnxscript", "safetensors"}},
		{"gelu", []string{"onnxscript", "safetensors"}},
		{"silu", []string{"onnxscript", "safetensors"}},
		{"sigmoid", []string{"onnxscript", "safetensors"}},
		{"tanh", []string{"onnxscript", "safetensors"}},
		{"keras", []string{"keras", "h5py"}},
		{"sklearn", []string{"sklearn", "skl2onnx"}},
	} {
		t.Run(c.net, func(t *testing.T) {
			t.Setenv("KERAS_BACKEND", "torch")
			requirePython(t, "pytorch", append([]string{"numpy", "torch"}, c.modules...)...)
			t.Chdir(t.TempDir())
			for _, arguments := range [][]string{
				{"train.py", "--epochs", "15", "nets", c.net},
				{"climb.py", "--rho", "4", "--units", "12", "--restarts", "3", "--least", "0.95", "nets", c.net},
			} {
				arguments[0] = filepath.Join(scripts, arguments[0])
				command := exec.CommandContext(t.Context(), "python3", arguments...)
				var said bytes.Buffer
				command.Stderr = &said
				out, err := command.Output()
				if err != nil {
					t.Fatalf("%v: %v\n%s%s", arguments, err, &said, out)
				}
				t.Logf("%s", out)
			}
		})
	}
}
