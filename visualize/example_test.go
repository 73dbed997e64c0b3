package visualize_test

import (
	"context"
	"fmt"
	"log"

	"gorgonia.org/tensor"

	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/visualize"
)

// The unit of the second layer is excited by the first unit of the layer below
// and inhibited by the second: its pattern has the weights of the first, and
// those of the second turned round.
func ExampleAscend() {
	model := &network.Network{
		Kind: network.MLP, Radius: 2,
		Layers: []network.Layer{
			{
				Weight: tensor.New(tensor.WithShape(2, 4), tensor.WithBacking([]float32{1, 1, 0, 0, 0, 0, 1, 1})),
				Bias:   tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{0, 0})),
			},
			{
				Weight: tensor.New(tensor.WithShape(1, 2), tensor.WithBacking([]float32{3, -3})),
				Bias:   tensor.New(tensor.WithShape(1), tensor.WithBacking([]float32{0.5})),
			},
		},
	}
	device, err := engine.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()

	options := visualize.DefaultAscent()
	options.Layer, options.Units = 2, []int{0}
	result, err := visualize.Ascend(context.Background(), device, model, options, nil)
	if err != nil {
		log.Fatal(err)
	}
	best := result.Best[0]
	activation, _ := result.Activation.At(0, best)
	fmt.Printf("pattern %.1f, activation %.2f, %v\n", result.BestPatterns.Data(), activation, result.Stop[best])
	// Output: pattern [1.0 1.0 -1.0 -1.0], activation 2.78, converged
}

func ExampleParseUnits() {
	units, err := visualize.ParseUnits("0-3,8", 10)
	fmt.Println(units, err)
	_, err = visualize.ParseUnits("0-36", 20)
	fmt.Println(err)
	// Output:
	// [0 1 2 3 8] <nil>
	// Units "0-36": no unit 36: the layer has 20 units, 0..19
}
