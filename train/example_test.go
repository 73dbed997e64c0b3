package train_test

import (
	"context"
	"fmt"

	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train"
)

// Example trains a small Deep Belief Net on built-in digits.
func Example() {
	device, err := engine.Open("cpu")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer device.Close()
	digits, err := dataset.Open("digits:n=600", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer digits.Close()
	set, held, err := dataset.Split(digits, 100)
	if err != nil {
		fmt.Println(err)
		return
	}
	options := train.Defaults(network.DBN, engine.Bernoulli, 40, 20)
	options.Epochs = []int{2}
	var errors []float64
	model, err := train.Train(context.Background(), device, set, held, options, train.Hooks{
		Measured: func(r train.Measurement) {
			fmt.Printf("layer %d, epoch %d of %d\n", r.Layer, r.Epoch, r.Epochs)
			errors = append(errors, r.Error)
		},
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("sizes", model.Sizes(), "error falls:", errors[1] < errors[0])
	// Output:
	// layer 1, epoch 1 of 2
	// layer 1, epoch 2 of 2
	// layer 2, epoch 1 of 2
	// layer 2, epoch 2 of 2
	// sizes [784 40 20] error falls: true
}
