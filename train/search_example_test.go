package train_test

import (
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train"
)

// ExampleSearchOptions_Trial shows the first draws of a search: each is a
// function of the seed and its number.
func ExampleSearchOptions_Trial() {
	options := train.SearchDefaults(network.DBN, engine.Bernoulli)
	options.Units = train.Range{Low: 500, High: 500}
	for number := 1; number <= 3; number++ {
		t := options.Trial(number)
		fmt.Println(t.Train.Units, "epochs", t.Train.Epochs[0], "rate", t.Train.Rates[0], "then", t.FineTune.Rate)
	}
	// Output:
	// [500] epochs 11 rate 0.0146 then 0.441
	// [500 500 500] epochs 11 rate 0.0111 then 0.155
	// [500 500 500] epochs 7 rate 0.0564 then 1.82
}
