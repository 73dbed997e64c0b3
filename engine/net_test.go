package engine_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

func weights(rows, cols int) engine.Host {
	return engine.Host{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
}

func values(n int) []float32 { return make([]float32, n) }

// A network with a detour: its input, two layers, and the sum and the row of both.
func TestNetShapes(t *testing.T) {
	n := engine.Net{Input: engine.Shape{Channels: 1, Rows: 4, Cols: 5}, Ops: []engine.Op{
		{Kind: engine.Scale, In: []engine.Value{0}, Factor: values(1), Bias: values(1)},
		{Kind: engine.Affine, In: []engine.Value{1}, Weight: weights(7, 20), Bias: values(7), Activation: engine.Activation{Kind: engine.PReLU, Slopes: values(7)}},
		{Kind: engine.Affine, In: []engine.Value{2}, Weight: weights(7, 7), Bias: values(7)},
		{Kind: engine.Add, In: []engine.Value{2, 3}},
		{Kind: engine.Concat, In: []engine.Value{4, 3}},
	}}
	got, err := n.Check()
	want := []engine.Shape{n.Input, n.Input, engine.Flat(7), engine.Flat(7), engine.Flat(7), engine.Flat(14)}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

// A stack is a network of sigmoid layers, each after the one before it.
func TestStack(t *testing.T) {
	layers := []engine.Layer{{Weight: weights(3, 4), Bias: values(3)}, {Weight: weights(2, 3), Bias: values(2)}}
	n := engine.Stack(layers)
	if shapes, err := n.Check(); err != nil || !slices.Equal(shapes, []engine.Shape{engine.Flat(4), engine.Flat(3), engine.Flat(2)}) {
		t.Errorf("%v, %v", shapes, err)
	}
	for i, o := range n.Ops {
		if o.Activation.Kind != engine.Sigmoid || &o.Weight.Data[0] != &layers[i].Weight.Data[0] || &o.Bias[0] != &layers[i].Bias[0] {
			t.Errorf("operation %d is %+v", i+1, o)
		}
	}
	layers[1].Weight = weights(2, 5)
	_, err := engine.Stack(layers).Check()
	if want := "operation 2, affine: "; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want an error with %q", err, want)
	}
	if _, err := engine.Stack(nil).Check(); err == nil {
		t.Error("a stack of no layers is a network")
	}
}

func TestNetMistakes(t *testing.T) {
	affine := engine.Op{Kind: engine.Affine, In: []engine.Value{0}, Weight: weights(2, 3), Bias: values(2)}
	changed := func(change func(*engine.Op)) engine.Net {
		o := affine
		change(&o)
		return engine.Net{Input: engine.Flat(3), Ops: []engine.Op{o}}
	}
	nan := float32(math.NaN())
	for want, n := range map[string]engine.Net{
		"no operations":                        {Input: engine.Flat(3)},
		"its input is 0x1x1":                   {Input: engine.Flat(0)},
		"2^31 in all":                          {Input: engine.Shape{Channels: 1 << 20, Rows: 1 << 20, Cols: 1 << 40}},
		"it reads value 1, want one of 0 to 0": changed(func(o *engine.Op) { o.In = []engine.Value{1} }),
		"it reads value -1":                    changed(func(o *engine.Op) { o.In = []engine.Value{-1} }),
		"it reads 2 values":                    changed(func(o *engine.Op) { o.In = []engine.Value{0, 0} }),
		"for 4 inputs, value 0 has 3":          changed(func(o *engine.Op) { o.Weight = weights(2, 4) }),
		"hold 6 numbers":                       changed(func(o *engine.Op) { o.Weight.Rows = math.MaxInt }),
		"2 units and 1 biases":                 changed(func(o *engine.Op) { o.Bias = values(1) }),
		"NaN or Inf":                           changed(func(o *engine.Op) { o.Bias = []float32{0, nan} }),
		"no use for them":                      changed(func(o *engine.Op) { o.Factor = values(1) }),
		"0 slopes for 2 channels":              changed(func(o *engine.Op) { o.Activation.Kind = engine.PReLU }),
		"bounds 1 and 0":                       changed(func(o *engine.Op) { o.Activation = engine.Activation{Kind: engine.Clip, Low: 1} }),
		"alpha NaN":                            changed(func(o *engine.Op) { o.Activation = engine.Activation{Kind: engine.ELU, Alpha: nan} }),
		"no activation ActivationKind(99)":     changed(func(o *engine.Op) { o.Activation.Kind = 99 }),
		"no such operation":                    changed(func(o *engine.Op) { o.Kind = 99 }),
		"it has weights":                       changed(func(o *engine.Op) { o.Kind = engine.Add; o.Bias = nil }),
		"2 factors and 3 biases":               {Input: engine.Flat(3), Ops: []engine.Op{{Kind: engine.Scale, In: []engine.Value{0}, Factor: values(2), Bias: values(3)}}},
		"value 0 is 3, value 1 is 2":           {Input: engine.Flat(3), Ops: []engine.Op{affine, {Kind: engine.Add, In: []engine.Value{0, 1}}}},
		"it reads no values":                   {Input: engine.Flat(3), Ops: []engine.Op{{Kind: engine.Concat}}},
	} {
		if _, err := n.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}
