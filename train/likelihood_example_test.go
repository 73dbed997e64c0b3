package train_test

import (
	"context"
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train"
)

// ExampleAnneal compares annealed importance sampling with the exact partition
// function of an RBM with 3 hidden units and 2 inputs.
func ExampleAnneal() {
	weight, _ := dense.Of([]float32{2, -1, 1, 1, -3, 2}, 3, 2)
	bias, _ := dense.Of([]float32{0, -1, 1}, 3)
	visibleBias, _ := dense.Of([]float32{0.5, -0.5}, 2)
	layer := network.Layer{Weight: weight, Bias: bias, VisibleBias: visibleBias}
	exact, err := train.LogPartition(context.Background(), layer, engine.Bernoulli)
	if err != nil {
		fmt.Println(err)
		return
	}
	device, err := engine.Open("cpu")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	annealing, err := train.Anneal(context.Background(), device, layer, engine.Bernoulli, train.AnnealOptions{
		Layer: 1, Runs: 400, Temperatures: 100,
		Base: train.BaseRates(engine.Bernoulli, []float64{0.5, 0.5}), // no data, so fair coins
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := annealing.ForwardEstimate()
	fmt.Printf("exact %.2f, annealed %.2f, inside the interval: %v\n", exact, e.LogPartition, e.Low < exact && exact < e.High)
	// Output:
	// exact 4.65, annealed 4.65, inside the interval: true
}

// The probability of one input against another's does not need the partition function.
func ExampleFreeEnergies() {
	weight, _ := dense.Of([]float32{0, 0}, 1, 2)
	bias, _ := dense.Of([]float32{0}, 1)
	visibleBias, _ := dense.Of([]float32{1, 0}, 2)
	layer := network.Layer{Weight: weight, Bias: bias, VisibleBias: visibleBias}
	f, err := train.FreeEnergies(layer, engine.Bernoulli, []float32{1, 1, 0, 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("F %.3f and %.3f, p(v1) / p(v2) %.3f\n", f[0], f[1], math.Exp(f[1]-f[0]))
	// Output: F -1.693 and -0.693, p(v1) / p(v2) 2.718
}
