package dense_test

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
)

func Example() {
	weight, err := dense.Of([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := weight.T(); err != nil {
		fmt.Println(err)
		return
	}
	h, err := dense.Host(weight)
	fmt.Println(h.Rows, h.Cols, h.Data, err)

	_, err = dense.New(3, -1)
	fmt.Println(err)
	// Output:
	// 3 2 [1 4 2 5 3 6] <nil>
	// new tensor: shape [3 -1]: every dimension must be at least 1
}

func ExampleNewEngine() {
	device, err := engine.Open("cpu")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	e := dense.NewEngine(device)
	a := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{1, 2, 3, 4, 5, 6}), tensor.WithEngine(e))
	b := tensor.New(tensor.WithShape(3, 2), tensor.WithBacking([]float32{1, 0, 0, 1, 1, 1}))
	c, err := tensor.MatMul(a, b) // on the device, because a's engine is e
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Data())
	// Output: [4 5 10 11]
}
