package visualize

import (
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/graph"
)

// Units of other frameworks answer as their own nonlinearity has it, class units by
// their activation: a sigmoid of logits would be 1 for all of them.
func TestAnswers(t *testing.T) {
	b := graph.New(engine.Flat(2))
	h := b.Affine("fc1", b.Input(), engine.Host{Rows: 2, Cols: 2, Data: []float32{1, 2, 3, 4}}, nil)
	h = b.Activate("act", h, engine.Activation{Kind: engine.LeakyReLU, Alpha: 0.5})
	b.Affine("fc2", h, engine.Host{Rows: 2, Cols: 2, Data: []float32{1, 2, 3, 4}}, nil)
	g, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := network.FromGraph(g, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		n     *network.Network
		layer int
		want  []float64
	}{
		{foreign, 1, []float64{90, 0}},
		{foreign, 2, []float64{90, 0}},
		{randomNetwork(t, 1, 1, 0, 2, 3, 2), 2, []float64{1, 1 / (1 + math.Exp(3))}},
	} {
		got, err := answersOf(c.n, c.layer, []int{0, 1}, []float32{90, -3})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("layer %d answers %v, %v, want %v", c.layer, got, err, c.want)
		}
	}
	if isSigmoid(foreign, 1) || !isSigmoid(randomNetwork(t, 1, 1, 0, 2, 3), 1) {
		t.Error("which layers are sigmoid ones is not seen")
	}
}
