package train

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
)

// mustTrain trains with chunks of about chunk examples, and returns the model.
func mustTrain(t testing.TB, d engine.Device, set, held dataset.Set, o Options, h Hooks, chunk int) *network.Network {
	t.Helper()
	tr, err := newTrainer(d, set, held, o, h)
	if err != nil {
		t.Fatal(err)
	}
	tr.chunk = chunk
	n, err := tr.run(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// modelBytes is a model's file.
func modelBytes(t testing.TB, n *network.Network) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := n.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readBack(t testing.TB, file []byte) *Checkpoint {
	t.Helper()
	f, err := safetensors.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ReadCheckpoint(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Keep collects checkpoints' files.
type Keep struct {
	Files [][]byte
	// Stop, if > 0, is the number of checkpoints after which the hook fails.
	Stop int
}

var errStop = errors.New("the disk is full")

func (k *Keep) Checkpoint(write func(io.Writer) error) error {
	if k.Stop > 0 && len(k.Files) == k.Stop {
		return errStop
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	k.Files = append(k.Files, b.Bytes())
	return nil
}

// What tests of the package's face share with those of its inside.
var (
	ErrStop    = errStop
	DBN        = dbn
	SDAE       = sdae
	MustTrain  = mustTrain
	ModelBytes = modelBytes
	ReadBack   = readBack
)

// dbn, sdae are small options for tests.
func dbn(units ...int) Options {
	o := Defaults(network.DBN, engine.Bernoulli, units...)
	o.Epochs, o.Batch, o.Momentum, o.Decay, o.Rates = []int{3}, 7, 0.8, 0, []float64{0.05}
	return o
}

func sdae(units ...int) Options {
	o := Defaults(network.SDAE, engine.Bernoulli, units...)
	o.Epochs, o.Batch, o.Momentum, o.Decay, o.Rates = []int{3}, 7, 0.8, 0, []float64{0.05}
	return o
}
