package network_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
)

// A file written by hand, from Python or from anywhere, needs only weights and
// biases.
func ExampleRead() {
	var file bytes.Buffer
	err := safetensors.Write(&file, []safetensors.Tensor{
		{Name: "layers.1.weight", Shape: []int{2, 4}, Data: []float32{1, 0, 0, 1, 0, 1, 1, 0}},
		{Name: "layers.1.bias", Shape: []int{2}, Data: []float32{0, 0}},
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := safetensors.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	n, err := network.Read(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(n.Kind, n.InputShape, n.Sizes())
	// Output: mlp [2 2] [4 2]
}

func ExampleNetwork_NewEncoder() {
	device, err := engine.Open("cpu")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	weight, err := dense.Of([]float32{1, 1, 1, -1}, 2, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	bias, err := dense.Of([]float32{-3, 1}, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	n := &network.Network{Kind: network.MLP, InputShape: []int{2}, Layers: []network.Layer{{Weight: weight, Bias: bias}}}
	encoder, err := n.NewEncoder(device, 1, 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer encoder.Close()
	x, err := device.New(1, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := x.Write([]float32{1, 2}); err != nil {
		fmt.Println(err)
		return
	}
	h, err := encoder.Encode(x)
	if err != nil {
		fmt.Println(err)
		return
	}
	row := make([]float32, 2)
	err = h.Read(row)
	fmt.Println(row, err)
	// Output: [0.5 0.5] <nil>
}

// What a file says without words is taken from it, and remarked on.
func ExampleLoad() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	var file bytes.Buffer
	err = safetensors.Write(&file, []safetensors.Tensor{{Name: "layers.1.weight", Shape: []int{2, 9}, Data: make([]float32, 18)}}, map[string]string{"rho": "3"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := os.WriteFile(filepath.Join(folder, network.FileName), file.Bytes(), 0o666); err != nil {
		fmt.Println(err)
		return
	}
	n, err := network.Load(folder)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(n.Kind, n.InputShape, n.Sizes(), n.Radius)
	fmt.Println(n.Warnings)
	// Output:
	// mlp [3 3] [9 2] 3
	// [there is no layers.1.bias: its biases count as zeros]
}
