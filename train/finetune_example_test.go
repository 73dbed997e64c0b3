package train_test

import (
	"context"
	"fmt"
	"log"

	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train"
)

// ExampleFineTune pre-trains a small stack and makes a classifier of it.
func ExampleFineTune() {
	device, err := engine.Open("cpu")
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	digits, err := dataset.Open("digits:n=1200", 1)
	if err != nil {
		log.Fatal(err)
	}
	defer digits.Close()
	set, held, err := dataset.Split(digits, 200)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	options := train.Defaults(network.SDAE, engine.Bernoulli, 60)
	options.Epochs = []int{3}
	model, err := train.Train(ctx, device, set, nil, options, train.Hooks{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	tuning := train.FineTuneDefaults()
	tuning.Epochs, tuning.Rate = 8, 0.3
	classifier, outcome, err := train.FineTune(ctx, device, model, set, held, tuning, train.FineTuneHooks{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	score, err := train.Classify(ctx, device, classifier, held)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("classes", classifier.Output.Weight.Shape()[0])
	fmt.Println("errors as in the outcome:", score == outcome.Held)
	fmt.Println("better than chance:", score.ErrorRate() < 0.5)
	// Output:
	// classes 10
	// errors as in the outcome: true
	// better than chance: true
}
