package network_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// A classifier's units are one more layer, whatever the network is asked.
func TestOutputIsALayer(t *testing.T) {
	n := noisy(t, full(t, network.DBN))
	if n.Depth() != 4 || !slices.Equal(n.Sizes(), []int{6, 5, 4, 3, 2}) {
		t.Errorf("%d layers of %v", n.Depth(), n.Sizes())
	}
	if n.LayerTitle(4) != "layer 4 (output)" || n.LayerTitle(3) != "layer 3" || n.LayerLabel(4) != "output" {
		t.Errorf("they are called %s, %s, %s", n.LayerTitle(3), n.LayerTitle(4), n.LayerLabel(4))
	}
	for _, text := range []string{"4", "output"} {
		if layer, err := n.FindLayer(text); layer != 4 || err != nil {
			t.Errorf("%s is layer %d, %v", text, layer, err)
		}
	}
	if _, err := n.FindLayer("outputs"); err == nil || !strings.Contains(err.Error(), "the model has layers 1 to 4: 1, 2, 3, output") {
		t.Errorf("a name that is none: %v", err)
	}
	net, at, err := n.Net()
	if err != nil || !slices.Equal(at, []engine.Value{1, 2, 3, 4}) || net.Ops[3].Activation.Kind != engine.Identity || net.Ops[2].Activation.Kind != engine.Sigmoid {
		t.Errorf("%v, %v, %+v", err, at, net.Ops)
	}
	if _, err := net.Check(); err != nil {
		t.Error(err)
	}
	chain, err := n.Chain(4)
	if err != nil || len(chain) != 4 || chain[3].Weight.Rows != 2 || chain[3].Weight.Cols != 3 {
		t.Errorf("its chain: %v, %d layers", err, len(chain))
	}
	if _, err := n.Stack(4); err == nil {
		t.Error("class units are taken for a layer of the stack")
	}
	if n.Reconstructs(4) || !n.Reconstructs(3) {
		t.Error("what class units put out can't be taken down again, what layer 3 does can")
	}
	n.Output = nil
	if n.Depth() != 3 || len(n.Sizes()) != 4 {
		t.Errorf("without a classifier: %d layers of %v", n.Depth(), n.Sizes())
	}
	if _, err := n.FindLayer("output"); err == nil || !strings.Contains(err.Error(), "layers 1 to 3, which have no names") {
		t.Errorf("a classifier that is not there: %v", err)
	}
}

// What an encoder gives of class units are the classes' scores.
func TestEncodeOutput(t *testing.T) {
	n := noisy(t, full(t, network.SDAE))
	d := openDevice(t)
	x := []float32{0.1, 0.9, 0.3, 0.7, 0.2, 0.5}
	e, err := n.NewEncoder(d, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	out, err := e.Encode(upload(t, d, x, 1, 6))
	if err != nil {
		t.Fatal(err)
	}
	got := download(t, out)
	h, w, b := encode64(t, n, 3, x), numbers(t, n.Output.Weight), numbers(t, n.Output.Bias)
	for unit := range b {
		want := float64(b[unit])
		for k, v := range h {
			want += float64(w[unit*len(h)+k]) * v
		}
		// Sums of a few terms of about 1.
		if math.Abs(float64(got[unit])-want) > 1e-6 {
			t.Errorf("class %d: %g, want %g", unit, got[unit], want)
		}
	}
}

func TestCheckGenerative(t *testing.T) {
	dbn := untrained(t, network.DBN, []int{6}, 5, 4)
	tuned := *dbn
	tuned.Output = &network.Layer{Weight: of(t, fill(8), 2, 4), Bias: of(t, fill(2), 2)}
	graph, err := network.LoadWith("torch/testdata/relu.pt", network.Options{Activation: "relu"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		n     *network.Network
		layer int
		want  string
	}{
		{"a DBN", dbn, 2, ""},
		{"a layer too high", dbn, 3, "3 layers of a network of 2"},
		{"class units", &tuned, 3, "RBMs no more"},
		{"below class units", &tuned, 1, "RBMs no more"},
		{"an SDAE", untrained(t, network.SDAE, []int{6}, 5), 1, "kind sdae, which has no generative half"},
		{"another framework's", graph, 1, "no generative half"},
	} {
		err := c.n.CheckGenerative(c.layer)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if err := graph.CheckGenerative(1); !errors.Is(err, network.ErrNoStack) {
		t.Errorf("another framework's: %v", err)
	}
}
