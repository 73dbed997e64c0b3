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

// twoSides is a net whose first unit is on where |x_1| is large, for either
// sign, and whose second where x_2 is.
func twoSides() *network.Network {
	return &network.Network{
		Kind: network.MLP, Radius: 3,
		Layers: []network.Layer{
			{
				Weight: tensor.New(tensor.WithShape(3, 2), tensor.WithBacking([]float32{4, 0, -4, 0, 0, 4})),
				Bias:   tensor.New(tensor.WithShape(3), tensor.WithBacking([]float32{-12, -12, -12})),
			},
			{
				Weight: tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float32{9, 9, 0, 0, 0, 9})),
				Bias:   tensor.New(tensor.WithShape(2), tensor.WithBacking([]float32{-4, -4})),
			},
		},
	}
}

// Of three restarts of a unit, two have arrived at one pattern, and one at its
// opposite, with the same activation.
func ExampleModes() {
	device, err := engine.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	ascent := &visualize.AscentResult{
		Layer: 2, Direction: 1, Units: []int{0}, Restarts: 3,
		Patterns:        tensor.New(tensor.WithShape(1, 3, 2), tensor.WithBacking([]float32{3, 0, -3, 0, 3, 0})),
		Activation:      tensor.New(tensor.WithShape(1, 3), tensor.WithBacking([]float32{0.5, 0.5, 0.5})),
		StartActivation: tensor.New(tensor.WithShape(1, 3), tensor.WithBacking([]float32{-4, -4, -4})),
		Stop:            []engine.StopReason{engine.StopConverged, engine.StopConverged, engine.StopConverged},
	}
	result, err := visualize.Modes(context.Background(), device, ascent, visualize.DefaultModes(), nil)
	if err != nil {
		log.Fatal(err)
	}
	unit := result.Units[0]
	fmt.Printf("%g modes, %v; the main one has %.2f of the restarts\n", unit.Modes, result.Mode, unit.MainShare.Value)
	// Output: 2 modes, [0 1 0]; the main one has 0.67 of the restarts
}

func ExampleConnections() {
	result, err := visualize.Connections(twoSides(), visualize.ConnectionsOptions{Layer: 2, Units: []int{1}, Top: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range result.Below[0] {
		fmt.Printf("unit %d of layer %d, weight %g\n", c.Unit, c.Layer, c.Weight)
	}
	// Output:
	// unit 2 of layer 1, weight 9
	// unit 0 of layer 1, weight 0
}

func ExampleTuning() {
	device, err := engine.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	digits, err := dataset.Open("digits:n=200", 1)
	if err != nil {
		log.Fatal(err)
	}
	defer digits.Close()
	model, err := network.Untrained(network.DBN, engine.Bernoulli, digits.Info().Shape, []int{20}, 1)
	if err != nil {
		log.Fatal(err)
	}
	result, err := visualize.Tuning(context.Background(), device, model, digits, visualize.TuningOptions{Layer: 1, Units: []int{0, 1}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	unit := result.Units[0]
	fmt.Printf("%d classes; outputs of unit %d from %.2f to %.2f\n", len(result.Classes), unit.Unit, unit.Least, unit.Largest)
	// Output: 10 classes; outputs of unit 0 from 0.47 to 0.55
}

func ExampleSelectivity() {
	device, err := engine.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	model, ctx := twoSides(), context.Background()
	options := visualize.DefaultAscent()
	options.Layer, options.Units = 2, []int{0, 1}
	ascent, err := visualize.Ascend(ctx, device, model, options, nil)
	if err != nil {
		log.Fatal(err)
	}
	result, err := visualize.Selectivity(ctx, device, model, 2, ascent.UnitPatterns())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", result.Matrix.Data())
	// Output: [1.00 0.03 0.03 1.00]
}
