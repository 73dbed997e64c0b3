package visualize_test

import (
	"context"
	"fmt"
	"log"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/visualize"
)

// floats is a matrix or a vector.
func floats(data []float32, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}

// Each hidden unit of this RBM turns on two inputs. With unit 0 held at 1 the
// first two are on, and the others half of the time, as unit 1 is: two modes.
func ExampleSample() {
	model := &network.Network{
		Kind: network.DBN,
		Layers: []network.Layer{{
			Weight:      floats([]float32{8, 8, 0, 0, 0, 0, 8, 8}, 2, 4),
			Bias:        floats([]float32{-8, -8}, 2),
			VisibleBias: floats([]float32{-4, -4, -4, -4}, 4),
		}},
	}
	device, err := engine.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()

	options := visualize.DefaultSample()
	options.Layer, options.Units, options.Samples, options.Chains = 1, []int{0}, 1000, 100
	result, err := visualize.Sample(context.Background(), device, model, options, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("mean %.1f, %d modes\n", result.Mean.Data(), result.Mixing[0].Modes)
	// Output: mean [1.0 1.0 0.5 0.5], 2 modes
}

// The unit of layer 2 is the difference of two units of layer 1; the strongest
// connection alone gives the filter of the first.
func ExampleCombine() {
	model := &network.Network{
		Kind: network.MLP,
		Layers: []network.Layer{
			{Weight: floats([]float32{1, 1, 0, 0, 0, 0, 1, 1}, 2, 4), Bias: floats([]float32{0, 0}, 2)},
			{Weight: floats([]float32{3, -2}, 1, 2), Bias: floats([]float32{0}, 1)},
		},
	}
	device, err := engine.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	for _, top := range []int{0, 1} {
		result, err := visualize.Combine(context.Background(), device, model, visualize.CombineOptions{Layer: 2, Units: []int{0}, Top: top})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.Patterns.Data())
	}
	// Output:
	// [3 3 -2 -2]
	// [3 3 0 0]
}

// A unit that sums all pixels is excited most by the digits with most ink.
func ExampleExamples() {
	weight := make([]float32, 784)
	for i := range weight {
		weight[i] = 1
	}
	model := &network.Network{
		Kind:   network.MLP,
		Layers: []network.Layer{{Weight: floats(weight, 1, 784), Bias: floats([]float32{0}, 1)}},
	}
	digits, err := dataset.Open("digits:n=100", 1)
	if err != nil {
		log.Fatal(err)
	}
	defer digits.Close()
	device, err := engine.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	result, err := visualize.Examples(context.Background(), device, model, digits, visualize.ExamplesOptions{Layer: 1, Units: []int{0}, Top: 3}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("examples", result.Index, "labels", result.Label)
	// Output: examples [46 23 25] labels [0 3 8]
}
