package engine_test

import (
	"fmt"
	"log"

	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// A layer's mean activations, sigmoid(x W' + b), are a product with an epilogue.
func Example() {
	device, err := engine.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()

	matrix := func(rows, cols int, numbers ...float32) engine.Matrix {
		m, err := device.New(rows, cols)
		if err != nil {
			log.Fatal(err)
		}
		if err := m.Write(numbers); err != nil {
			log.Fatal(err)
		}
		return m
	}
	x := matrix(2, 3, 1, 0, 0, 1, 1, 1)        // two examples
	weight := matrix(2, 3, 1, -1, 0, 2, 0, -2) // of two units
	bias, h := matrix(1, 2, -1, 0), matrix(2, 2, 0, 0, 0, 0)
	product := engine.Product{TransB: true, Alpha: 1, Epilogue: engine.Epilogue{Kind: engine.EpilogueSigmoid, Bias: bias}}
	if err := device.Gemm(h, x, weight, product); err != nil {
		log.Fatal(err)
	}
	numbers := make([]float32, 4)
	if err := h.Read(numbers); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", numbers)

	fmt.Println(device.Gemm(h, weight, x, product) == nil, device.Gemm(h, x, bias, product))
	// Output:
	// [0.500 0.881 0.269 0.500]
	// true gemm: a is 2x3, b is 1x2 transposed
}

// The optimal input of a unit of the first layer is its own weights, scaled to
// the sphere.
func ExampleModel_Ascend() {
	device, err := engine.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()

	layer := engine.Layer{Weight: engine.Host{Rows: 1, Cols: 2, Data: []float32{3, 4}}, Bias: []float32{1}}
	model, err := engine.Load(device, engine.Stack([]engine.Layer{layer}))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()

	// A random start on the sphere, named by layer, unit and restart.
	x, err := device.New(1, 2)
	if err != nil {
		log.Fatal(err)
	}
	at := engine.Stream{Seed: 1, Purpose: engine.PurposeStart, Keys: []uint64{engine.RowKey(1, 0, 0)}}
	if err := device.Uniform(x, at); err != nil {
		log.Fatal(err)
	}
	if err := device.Project(x, 2); err != nil {
		log.Fatal(err)
	}
	state := engine.NewAscentState([]engine.Goal{engine.UnitGoal(1, 0)}, []int{0}, x)
	rule := engine.Rule{Rate: 1, Radius: 2, Tolerance: 1e-6, Patience: 3, MaxSteps: 100}
	if _, err := model.Ascend(state, rule, 1000); err != nil {
		log.Fatal(err)
	}
	pattern := make([]float32, 2)
	if err := x.Read(pattern); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("x = %.3f, activation %.3f, %v\n", pattern, state.Activation[0], state.Stop[0])
	// Output: x = [1.200 1.600], activation 11.000, converged
}
