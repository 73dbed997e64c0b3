package network_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/internal/pythontest"
)

// TestPythonReadsAModel opens our file with safetensors.numpy.load_file and
// computes with it.
func TestPythonReadsAModel(t *testing.T) {
	n := full(t, network.DBN)
	path := filepath.Join(t.TempDir(), network.FileName)
	if err := os.WriteFile(path, write(t, n), 0o600); err != nil {
		t.Fatal(err)
	}
	out := pythontest.Run(t, `
import json, sys
from safetensors import safe_open
from safetensors.numpy import load_file
tensors = load_file(sys.argv[1])
with safe_open(sys.argv[1], "numpy") as f:
    metadata = f.metadata()
print(json.dumps({
    "kind": metadata["kind"], "rho": float(metadata["rho"]), "names": sorted(tensors),
    "types": sorted({str(v.dtype) for v in tensors.values()}),
    "weight": tensors["layers.2.weight"].astype(float).tolist(), "mean": tensors["input.mean"].astype(float).tolist()}))
`, path)
	var got struct {
		Kind         string
		Rho          float64
		Names, Types []string
		Weight       [][]float64
		Mean         []float64
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Kind != "dbn" || got.Rho != n.Radius || len(got.Names) != 13 || !slices.Equal(got.Types, []string{"float32"}) {
		t.Errorf("python reads %+v", got)
	}
	weight := numbers(t, n.Layers[1].Weight)
	for i, row := range got.Weight {
		for j, x := range row {
			if float32(x) != weight[i*5+j] || len(got.Weight) != 4 || len(row) != 5 {
				t.Errorf("weight [%d, %d] is %g, want %g", i, j, x, weight[i*5+j])
			}
		}
	}
	for j, x := range numbers(t, n.Mean) {
		if float32(got.Mean[j]) != x {
			t.Errorf("mean %d is %g, want %g", j, got.Mean[j], x)
		}
	}
}

// TestPythonWritesAModel reads files that Python wrote by hand: the least that
// is a model, and one with everything, in several precisions.
func TestPythonWritesAModel(t *testing.T) {
	dir := t.TempDir()
	pythontest.Run(t, `
import sys, numpy as np
from safetensors.numpy import save_file
w = np.arange(12, dtype=np.float32).reshape(3, 4)
save_file({"layers.1.weight": w, "layers.1.bias": np.array([7, 8, 9], np.float32)}, sys.argv[1] + "/least.safetensors")
save_file({"layers.1.weight": w, "epoch": np.array(3)}, sys.argv[1] + "/linear.safetensors", metadata={"format": "pd"})
save_file({"layers.1.weight": w, "bn.weight": np.ones(3)}, sys.argv[1] + "/norm.safetensors")
save_file({"layers.1.weight": w.astype(np.int8)}, sys.argv[1] + "/whole.safetensors")
save_file({
    "layers.1.weight": w.astype(np.float16), "layers.1.bias": np.ones(3), "layers.1.visible_bias": np.zeros(4, np.float32),
    "layers.2.weight": np.ones((2, 3)), "layers.2.bias": np.ones(2, np.float16), "layers.2.visible_bias": np.zeros(3, np.float32),
    "input.mean": np.full(4, 0.5), "input.scale": np.full(4, 2.0),
    "output.weight": np.ones((10, 2), np.float32), "output.bias": np.zeros(10, np.float32),
}, sys.argv[1] + "/model.safetensors", metadata={"kind": "dbn", "visible": "gaussian", "input_shape": "1x4", "rho": str(3.5), "training.epochs": "5", "note": "mine"})
`, dir)
	least, err := network.Load(filepath.Join(dir, "least.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	weight := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	if least.Kind != network.MLP || !slices.Equal(least.InputShape, []int{2, 2}) || !slices.Equal(numbers(t, least.Layers[0].Weight), weight) ||
		!slices.Equal(numbers(t, least.Layers[0].Bias), []float32{7, 8, 9}) || !slices.Equal(least.Sizes(), []int{4, 3}) {
		t.Errorf("read %+v", least)
	}
	linear, err := network.Load(filepath.Join(dir, "linear.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(numbers(t, linear.Layers[0].Bias), make([]float32, 3)) || len(linear.Warnings) != 2 {
		t.Errorf("without a bias: read %+v", linear)
	}
	for name, want := range map[string]string{
		"norm":  `norm.safetensors: tensor "bn.weight" is none of a model's`,
		"whole": `whole.safetensors: tensor "layers.1.weight": numbers of type I8 can't be read`,
	} {
		_, err := network.Load(filepath.Join(dir, name+".safetensors"))
		checkError(t, err, want)
	}
	all, err := network.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if all.Kind != network.DBN || all.Visible != engine.Gaussian || !slices.Equal(all.InputShape, []int{1, 4}) || all.Radius != 3.5 ||
		!slices.Equal(numbers(t, all.Layers[0].Weight), weight) || !slices.Equal(numbers(t, all.Scale), []float32{2, 2, 2, 2}) ||
		all.Output == nil || !reflect.DeepEqual(all.Training, map[string]string{"epochs": "5"}) {
		t.Errorf("read %+v", all)
	}
}
