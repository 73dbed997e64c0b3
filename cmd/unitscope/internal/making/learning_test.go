package making

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train"
)

// Ctrl-C while it is looked at what layers have learned ends the run, which --resume
// goes on with: it is no finding about the model.
func TestLearningInterrupted(t *testing.T) {
	set, err := dataset.Open("digits:n=60", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	d, err := cpu.Open(cpu.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	o := train.Defaults(network.DBN, engine.Bernoulli, 4)
	o.Inputs, o.Epochs = set.Info().Size(), []int{1}
	n, err := train.Train(t.Context(), d, set, nil, o, train.Hooks{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var said bytes.Buffer
	c := console.Plain(&said)
	if err := keepLearning(ctx, c, d, nil, n, set, false); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if len(c.Warnings()) > 0 || said.Len() > 0 {
		t.Errorf("it said %q", &said)
	}
}
