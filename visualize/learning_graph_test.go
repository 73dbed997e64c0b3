package visualize

import (
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/graph"
)

// graphOf is a network of another framework's layers, each of which takes what the one
// below it puts out.
func graphOf(t *testing.T, inputs int, ops ...engine.Op) *network.Network {
	t.Helper()
	b := graph.New(engine.Flat(inputs))
	at := b.Input()
	for _, o := range ops {
		at = b.Activate("f", b.Affine("fc", at, o.Weight, o.Bias), o.Activation)
	}
	g, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	n, err := network.FromGraph(g, []int{inputs})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// eachOf has a unit for each of its inputs, which sees that alone, by a weight.
func eachOf(k engine.ActivationKind, weights, bias []float32) engine.Op {
	n := len(weights)
	o := engine.Op{Weight: engine.Host{Rows: n, Cols: n, Data: make([]float32, n*n)}, Bias: bias, Activation: engine.UsualActivation(k)}
	for i, w := range weights {
		o.Weight.Data[i*n+i] = w
	}
	return o
}

// uniform are random weights as PyTorch begins with: evenly from -1/sqrt(inputs) on.
func uniform(units, inputs int) engine.Op {
	s := engine.NewSource(11, engine.PurposeMonitor, 0, 0)
	o := engine.Op{Weight: engine.Host{Rows: units, Cols: inputs}, Bias: make([]float32, units), Activation: engine.UsualActivation(engine.ReLU)}
	for range units * inputs {
		o.Weight.Data = append(o.Weight.Data, float32((2*s.Uniform()-1)/math.Sqrt(float64(inputs))))
	}
	return o
}

// What is wrong with layers of any nonlinearity, over the corners of a cube: a unit
// that sees one of the components with weight w and has bias b is at b or at b+w.
func TestLearnOfGraphs(t *testing.T) {
	const random = "layer 1 has learned nothing: its weights are spread evenly from -0.2"
	for name, c := range map[string]struct {
		op      engine.Op
		want    Learning // without what all have
		warning string
	}{
		"good":                 {eachOf(engine.ReLU, fill(8, 2), fill(8, -1)), Learning{Deviation: 1, Kinds: 8, Scaleless: true, OneSided: true}, ""},
		"small":                {eachOf(engine.ReLU, fill(8, 2e-5), fill(8, -1e-5)), Learning{Deviation: 1e-5, Kinds: 8, Scaleless: true, OneSided: true}, ""},
		"never on":             {eachOf(engine.ReLU, fill(8, 2), fill(8, -1000)), Learning{Deviation: 1, Stuck: 8, Kinds: 8, Scaleless: true, OneSided: true}, "layer 1 is dead: 8 of its 8 units are off for each of 256 examples"},
		"always on":            {eachOf(engine.ReLU, fill(8, 2), fill(8, 5)), Learning{Deviation: 1, Kinds: 8, Scaleless: true, OneSided: true}, ""},
		"some never on":        {eachOf(engine.ReLU, fill(8, 2), []float32{-9, -9, -9, 0, 0, 0, 0, 0}), Learning{Deviation: 1, Stuck: 3, Kinds: 8, Scaleless: true, OneSided: true}, ""},
		"leaky, never on":      {eachOf(engine.LeakyReLU, fill(8, 2), fill(8, -9)), Learning{Deviation: 1, Kinds: 8, Scaleless: true, OneSided: true}, ""},
		"GELU, never on":       {eachOf(engine.GELU, fill(8, 2), fill(8, -9)), Learning{Deviation: 1, Stuck: 8, Kinds: 8, Scaleless: true, OneSided: true}, "layer 1 is dead"},
		"tanh at its ends":     {eachOf(engine.Tanh, fill(8, 2), []float32{-9, -9, -9, -9, 9, 9, 9, 9}), Learning{Deviation: 1, Stuck: 8, Kinds: 8, Scaleless: true}, "layer 1 is saturated: 8 of its 8 units are off for each of 256 examples, or on for each"},
		"tanh from end to end": {eachOf(engine.Tanh, fill(8, 20), fill(8, -10)), Learning{Deviation: 10, Kinds: 8, Scaleless: true}, ""},
		"one for all":          {engine.Op{Weight: engine.Host{Rows: 8, Cols: 8, Data: fill(64, 0.5)}, Bias: fill(8, 1), Activation: engine.UsualActivation(engine.ReLU)}, Learning{Deviation: math.Sqrt2 / 2, Kinds: 1, Scaleless: true, OneSided: true}, "layer 1 is made of duplicates: its 8 units all do the same"},
		"weights of 0":         {eachOf(engine.ReLU, fill(8, 0), fill(8, 1)), Learning{Still: 8, Kinds: 1, Scaleless: true, OneSided: true}, "layer 1 has learned nothing: its output hardly depends on its input, and what methods show of its units is noise: over 256 examples the activations of half of its 8 units are the same for each; its 8 units all do the same"},
		"rounding":             {eachOf(engine.Softplus, fill(8, 1e-3), fill(8, 5e3)), Learning{Deviation: 0.00048828125 / 2, Still: 8, Scaleless: true, OneSided: true, Kinds: 8}, "layer 1 has learned nothing: its output hardly depends on its input, and what methods show of its units is noise: over 256 examples the activations of half of its 8 units are the same for each, but for rounding"},
		"class units":          {eachOf(engine.Identity, fill(8, 2), fill(8, -99)), Learning{Deviation: 1, Kinds: 8, Scaleless: true, OneSided: true}, ""},
	} {
		got := learnt(t, graphOf(t, 8, c.op), corners(8))[0]
		text := got.Warning()
		if !strings.HasPrefix(text, c.warning) || c.warning == "" && text != "" {
			t.Errorf("%s: it says %q, want %q", name, text, c.warning)
		}
		if math.Abs(got.Deviation-c.want.Deviation) > 1e-6*max(1, c.want.Deviation) && name != "rounding" {
			t.Errorf("%s: the deviation is %g, want %g", name, got.Deviation, c.want.Deviation)
		}
		c.want.Layer, c.want.Units, c.want.Examples, got.Deviation = 1, 8, 256, c.want.Deviation
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}

	// Weights that nobody has trained are found with data and without; a hundredth of the weights
	// twice as far out is enough for none.
	d := openDevice(t)
	for _, trained := range []bool{false, true} {
		op := uniform(60, 16)
		for i := 0; trained && i < len(op.Weight.Data); i += 100 {
			op.Weight.Data[i] = 0.5
		}
		n := graphOf(t, 16, op)
		weights, err := LearnOfWeights(d, n, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{learnt(t, n, randomSet(2, 300, 16))[0].Warning(), weights.Warning()} {
			if trained == strings.HasPrefix(text, random) || trained && text != "" {
				t.Errorf("trained %v: it says %q", trained, text)
			}
		}
	}
}

// Weights are spread evenly, or they are not: other random ones, and those of few values, are no
// sign of a beginning.
func TestEvenlySpread(t *testing.T) {
	if bound := evenlySpread(uniform(100, 100).Weight.Data); math.Abs(bound-0.1) > 1e-4 {
		t.Errorf("evenly from -0.1 to 0.1: %g", bound)
	}
	signs, shifted := uniform(100, 100).Weight.Data, uniform(100, 100).Weight.Data
	for i := range signs {
		signs[i] = float32(math.Copysign(1, float64(signs[i])))
		shifted[i] += 0.1
	}
	for name, weights := range map[string][]float32{
		"normal": normals(3, 1, 5000), "signs": signs, "above 0": shifted, "all 0": make([]float32, 1000), "few": uniform(10, 10).Weight.Data, "one value": fill(1000, 0.5),
	} {
		if bound := evenlySpread(weights); bound != 0 {
			t.Errorf("%s: spread evenly up to %g", name, bound)
		}
	}
}

// A rectifier with a bias of -1000 climbs to little less and turns nothing on; one
// that climbs to above 0 does, whatever it is at its start.
func TestOffWarning(t *testing.T) {
	bias := []float32{-1000, -1, 0.5, -1000, 0, 0, 0, 0}
	d := openDevice(t)
	relu := graphOf(t, 8, eachOf(engine.ReLU, fill(8, 3), bias))
	o := options(1, 0, 1, 2, 3)
	o.Radius = 1
	r := ascend(t, d, relu, o)
	const want = "units of layer 1 that stay off at the best pattern found: 2 of 4 (units 0, 3); their activations reach -997, of which relu makes 0, and no pattern of this norm turned them on"
	if text, err := r.OffWarning(relu); text != want || err != nil {
		t.Errorf("it says %q, want %q; %v", text, want, err)
	}
	for name, edit := range map[string]func(*AscentResult){
		"down":       func(r *AscentResult) { r.Direction = -1 },
		"after":      func(r *AscentResult) { r.After = true },
		"objectives": func(r *AscentResult) { r.Names = []string{"a", "b", "c", "d"} },
		"dead":       func(r *AscentResult) { r.Dead = []bool{true, false, false, true} },
	} {
		other := *r
		edit(&other)
		if text, err := other.OffWarning(relu); text != "" || err != nil {
			t.Errorf("%s: it says %q, %v", name, text, err)
		}
	}
	for k, off := range map[engine.ActivationKind]bool{engine.Identity: false, engine.LeakyReLU: false, engine.Sigmoid: true, engine.SiLU: true, engine.Tanh: true} {
		n := graphOf(t, 8, eachOf(k, fill(8, 3), bias))
		if text, err := ascend(t, d, n, o).OffWarning(n); strings.Contains(text, "2 of 4 (units 0, 3)") != off || err != nil {
			t.Errorf("%s: it says %q, %v", k, text, err)
		}
	}

	set := corners(8)
	e, err := Examples(t.Context(), d, relu, set, ExamplesOptions{Layer: 1, Units: []int{3, 2, 1}, Top: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := e.OffWarning(relu); !strings.HasPrefix(text, "units of layer 1 that stay off for every example: 1 of 3 (unit 3); their activations reach -997, of which relu makes 0") || err != nil {
		t.Errorf("of examples it says %q, %v", text, err)
	}
	many := graphOf(t, 14, eachOf(engine.ReLU, fill(14, 3), fill(14, -50)))
	o.Units = appendRange(nil, 0, 13)
	if text, _ := ascend(t, d, many, o).OffWarning(many); !strings.Contains(text, "14 of 14 (units 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more)") {
		t.Errorf("of many it says %q", text)
	}
}
