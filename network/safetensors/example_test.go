package safetensors_test

import (
	"bytes"
	"fmt"

	"github.com/unitscope/unitscope/network/safetensors"
)

func Example() {
	var file bytes.Buffer
	tensors := []safetensors.Tensor{{Name: "weight", Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}}}
	if err := safetensors.Write(&file, tensors, map[string]string{"kind": "mlp"}); err != nil {
		fmt.Println(err)
		return
	}
	f, err := safetensors.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	weight, err := f.Tensor("weight")
	fmt.Println(f.Metadata["kind"], f.Names(), weight.Shape, weight.Data, err)
	// Output: mlp [weight] [2 2] [1 2 3 4] <nil>
}
