package graph_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network/graph"
)

func host(rows, cols int, data ...float32) engine.Host {
	return engine.Host{Rows: rows, Cols: cols, Data: data}
}

// What frameworks write as linear, normalisation and nonlinearity is one operation.
func ExampleBuilder() {
	b := graph.New(engine.Flat(2))
	h := b.Affine("fc1", b.Input(), host(2, 2, 1, 2, 3, 4), []float32{1, 1})
	h = b.Scale("bn1", h, []float32{2, 0.5}, []float32{0, 1})
	h = b.Activate("relu1", h, engine.Activation{Kind: engine.ReLU})
	b.Affine("fc2", h, host(1, 2, 1, 1), nil)
	g, err := b.Finish()
	fmt.Println(g.Names, err)
	fmt.Println(g.Net.Ops[0].Weight.Data, g.Net.Ops[0].Bias, g.Net.Ops[0].Activation.Kind)
	// Output:
	// [fc1 fc2] <nil>
	// [2 4 1.5 2] [2 1.5] relu
}

// What is read by more than one operation stays.
func TestNoFolding(t *testing.T) {
	b := graph.New(engine.Flat(2))
	h := b.Affine("fc1", b.Input(), host(2, 2, 1, 2, 3, 4), nil)
	s := b.Scale("bn1", h, []float32{2, 2}, []float32{0, 0})
	r := b.Activate("relu1", h, engine.Activation{Kind: engine.ReLU})
	same := b.Activate("dropout", r, engine.Activation{})
	b.Add("sum", s, same)
	g, err := b.Finish()
	if err != nil || !slices.Equal(g.Names, []string{"fc1", "bn1", "relu1", "sum"}) {
		t.Fatalf("%v, %v", g, err)
	}
	if in := g.Net.Ops[3].In; !slices.Equal(in, []engine.Value{2, 3}) {
		t.Errorf("the sum reads %v", in)
	}
}

// A normalisation that is written as two operations is one.
func TestScales(t *testing.T) {
	b := graph.New(engine.Flat(2))
	h := b.Scale("sub", b.Input(), []float32{1, 1}, []float32{-2, -4})
	h = b.Scale("div", h, []float32{0.5, 0.25}, []float32{0, 1})
	b.Affine("fc1", h, host(1, 2, 1, 1), nil)
	g, err := b.Finish()
	if err != nil || !slices.Equal(g.Names, []string{"sub", "fc1"}) {
		t.Fatalf("%v, %v", g, err)
	}
	if o := g.Net.Ops[0]; !slices.Equal(o.Factor, []float32{0.5, 0.25}) || !slices.Equal(o.Bias, []float32{-1, 0}) {
		t.Errorf("%v and %v", o.Factor, o.Bias)
	}
}

// An alias of a value counts as a reader of it.
func TestAliasReads(t *testing.T) {
	b := graph.New(engine.Flat(1))
	h := b.Affine("fc1", b.Input(), host(1, 1, 3), nil)
	same := b.Activate("identity", h, engine.Activation{})
	r := b.Activate("relu", h, engine.Activation{Kind: engine.ReLU})
	b.Add("sum", r, same)
	g, err := b.Finish()
	if err != nil || g.Net.Ops[0].Activation.Kind != engine.Identity || len(g.Net.Ops) != 3 {
		t.Fatalf("%+v, %v", g, err)
	}
}

func TestGraphNames(t *testing.T) {
	b := graph.New(engine.Flat(1))
	h := b.Affine("linear", b.Input(), host(1, 1, 3), nil)
	h = b.Affine("linear", h, host(1, 1, 3), nil)
	h = b.Affine("linear.2", h, host(1, 1, 3), nil)
	b.Affine("linear", h, host(1, 1, 3), nil)
	g, err := b.Finish()
	if err != nil || !slices.Equal(g.Names, []string{"linear", "linear.2", "linear.2.2", "linear.3"}) || !slices.Equal(g.Layers(), []int{0, 1, 2, 3}) {
		t.Errorf("%v, %v", g.Names, err)
	}
}

func TestGraphMistakes(t *testing.T) {
	two := graph.New(engine.Flat(1))
	two.Affine("a", two.Input(), host(1, 1, 3), nil)
	two.Affine("b", two.Input(), host(1, 1, 3), nil)
	ahead := graph.New(engine.Flat(1))
	ahead.Add("a", 7)
	short := graph.New(engine.Flat(1))
	short.Scale("bn", short.Affine("a", 0, host(3, 1, 1), nil), []float32{1, 2, 3}, []float32{1, 2, 3})
	broken := graph.New(engine.Flat(1))
	broken.Affine("b", broken.Affine("a", 0, host(1, 1, 3), nil), host(1, 1, float32(math.NaN())), nil)
	for want, b := range map[string]*graph.Builder{
		"b: NaN or Inf among its weights":   broken,
		"nothing reads a":                   two,
		"a reads a value that is not there": ahead,
		"hold 1 numbers":                    short,
		"no operations":                     graph.New(engine.Flat(1)),
	} {
		if _, err := b.Finish(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}
