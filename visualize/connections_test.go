package visualize

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/graph"
)

func connectionsOf(t testing.TB, n *network.Network, layer, top int, units ...int) *ConnectionsResult {
	t.Helper()
	r, err := Connections(n, ConnectionsOptions{Layer: layer, Units: units, Top: top})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func host(rows, cols int, data ...float32) engine.Host {
	return engine.Host{Rows: rows, Cols: cols, Data: data}
}

var relu = engine.Activation{Kind: engine.ReLU}

// Of a stack they are a row of the layer's weights, and a column of those above.
func TestConnections(t *testing.T) {
	n := stack(1,
		layer(t, 2, []float32{1, 2, 3, 4, 5, 6}, []float32{0, 0, 0}),
		layer(t, 3, []float32{1, -3, 2, 0, 2, -2}, []float32{0, 0}),
		layer(t, 2, []float32{7, 8}, []float32{0}))
	r := connectionsOf(t, n, 2, 2, 1, 0)
	if got, want := fmt.Sprint(r.Below, r.Above, r.Remarks), "[[{1 1 2} {1 2 -2}] [{1 1 -3} {1 2 2}]] [[{3 0 8}] [{3 0 7}]] []"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	r = connectionsOf(t, n, 1, 9, 0)
	if got, want := fmt.Sprint(r.Below, r.Above), "[[]] [[{2 0 1} {2 1 0}]]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(r.Remarks) != 1 || !strings.Contains(r.Remarks[0], "layer 1: no units below are joined to its own by weights alone: it takes the inputs") {
		t.Errorf("%q", r.Remarks)
	}
	if r = connectionsOf(t, n, 3, 9, 0); len(r.Remarks) != 1 || !strings.Contains(r.Remarks[0], "it is the last layer") {
		t.Errorf("%q", r.Remarks)
	}
	// More places than there are units are as many as there are.
	if r, all := connectionsOf(t, n, 3, math.MaxInt, 0), n.Sizes()[1]+n.Sizes()[2]+n.Sizes()[3]; r.Top != all {
		t.Errorf("%d places, want %d", r.Top, all)
	} else if err := r.WriteArrays(io.Discard); err != nil {
		t.Error(err)
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil || table.String() != "layer,unit,side,place,other_layer,other_unit,weight\n3,0,below,1,2,1,8\n3,0,below,2,2,0,7\n" {
		t.Errorf("%v\n%s", err, table.String())
	}
	for _, c := range []struct {
		o    ConnectionsOptions
		want string
	}{
		{ConnectionsOptions{Layer: 1, Units: []int{0}}, "Top 0: want at least 1"},
		{ConnectionsOptions{Layer: 4, Units: []int{0}, Top: 1}, "Layer 4: the model has layers 1 to 3"},
		{ConnectionsOptions{Layer: 1, Units: []int{3}, Top: 1}, "Units 3: layer 1 has 3 units"},
	} {
		if _, err := Connections(n, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
}

// A normalisation on the way is a factor of the weights.
func TestConnectionsThroughScale(t *testing.T) {
	b := graph.New(engine.Flat(2))
	h := b.Activate("a", b.Affine("first", b.Input(), host(2, 2, 1, 0, 0, 1), []float32{0, 0}), relu)
	h = b.Scale("norm", h, []float32{10, 0.5}, []float32{1, 2})
	b.Activate("b", b.Affine("second", h, host(2, 2, 1, 4, -3, 5), []float32{0, 0}), relu)
	n := foreignNetwork(t, b)
	// Whether the reader has put the factors into the weights or not.
	if got, want := fmt.Sprint(connectionsOf(t, n, 2, 9, 0, 1).Below), "[[{1 0 10} {1 1 2}] [{1 0 -30} {1 1 2.5}]]"; got != want {
		t.Errorf("below %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(connectionsOf(t, n, 1, 1, 0, 1).Above), "[[{2 1 -30}] [{2 1 2.5}]]"; got != want {
		t.Errorf("above %s, want %s", got, want)
	}
}

// Behind another nonlinearity no weight is of a unit.
func TestConnectionsThroughNonlinearity(t *testing.T) {
	b := graph.New(engine.Flat(2))
	h := b.Activate("a", b.Affine("first", b.Input(), host(2, 2, 1, 0, 0, 1), []float32{0, 0}), relu)
	h = b.Activate("c", b.Scale("norm", h, []float32{10, 0.5}, []float32{1, 2}), engine.Activation{Kind: engine.Tanh})
	b.Activate("b", b.Affine("second", h, host(2, 2, 1, 4, -3, 5), []float32{0, 0}), relu)
	r := connectionsOf(t, foreignNetwork(t, b), 2, 9, 0)
	if len(r.Below[0]) != 0 || !strings.Contains(strings.Join(r.Remarks, ""), "what comes between is no weight") {
		t.Errorf("%+v", r)
	}
}

// Layers whose outputs stand side by side are each joined to the one that takes them.
func TestConnectionsOfSeveralLayers(t *testing.T) {
	b := graph.New(engine.Flat(1))
	first := b.Activate("a", b.Affine("first", b.Input(), host(2, 1, 1, 2), []float32{0, 0}), relu)
	second := b.Activate("b", b.Affine("second", first, host(1, 2, 3, 4), []float32{0}), relu)
	both := b.Concat("both", first, second, b.Input())
	b.Activate("c", b.Affine("third", both, host(1, 4, 5, 6, -7, 90), []float32{0}), relu)
	n := foreignNetwork(t, b)
	if got, want := fmt.Sprint(connectionsOf(t, n, 3, 9, 0).Below), "[[{2 0 -7} {1 1 6} {1 0 5}]]"; got != want {
		t.Errorf("below %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(connectionsOf(t, n, 1, 9, 1, 0).Above), "[[{3 0 6} {2 0 4}] [{3 0 5} {2 0 3}]]"; got != want {
		t.Errorf("above %s, want %s", got, want)
	}
}

// Behind a sum of several values no weight is of one unit, and nothing is made up.
func TestConnectionsBehindSum(t *testing.T) {
	b := graph.New(engine.Flat(2))
	first := b.Activate("a", b.Affine("first", b.Input(), host(2, 2, 1, 2, 3, 4), []float32{0, 0}), relu)
	second := b.Activate("b", b.Affine("second", first, host(2, 2, 1, 2, 3, 4), []float32{0, 0}), relu)
	b.Activate("c", b.Affine("third", b.Add("sum", first, second), host(1, 2, 1, 2), []float32{0}), relu)
	n := foreignNetwork(t, b)
	r := connectionsOf(t, n, 3, 9, 0)
	if len(r.Below[0]) != 0 || len(r.Remarks) != 2 || !strings.Contains(r.Remarks[0], "layer 3 (third): no units below are joined to its own by weights alone: what comes between is no weight") {
		t.Errorf("%+v", r)
	}
	r = connectionsOf(t, n, 2, 9, 0)
	if len(r.Below[0]) != 2 || len(r.Above[0]) != 0 || len(r.Remarks) != 1 || !strings.Contains(r.Remarks[0], "no units above") {
		t.Errorf("%+v", r)
	}
}
