package onnx

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// shape is an activation that a file writes as several operations.
type shape struct {
	is        engine.Activation
	of        string   // what it is applied to
	in, out   float64  // out f(in x)
	constants []string // numbers that it is made with
}

// points are where functions are compared: dense where they bend, and far out.
var points = func() (xs []float64) {
	for x := -12.; x <= 12; x += 0.375 {
		xs = append(xs, x)
	}
	for _, far := range []float64{15, 19.5, 20.5, 30, 80, 1e3, 1e6} {
		xs = append(xs, -far, far)
	}
	return xs
}()

// near is how far out a function must be finite. Some ways of writing one are not,
// further out.
const near = 81

// roots are operations that may be the last of those that an activation is written
// with.
var roots = []string{"Add", "Sub", "Mul", "Div", "Where", "Min", "Max", "Log", "Reciprocal"}

// recognise finds out whether a node and some of those before it are an activation of
// one value: what exporters write for the same function differs from one to the next,
// so that its values are looked at. It is nil if they are none.
func (p *plan) recognise(n *node) (*shape, error) {
	if !slices.Contains(roots, n.op()) {
		return nil, nil
	}
	for _, of := range p.around(n) {
		f := function{plan: p, values: map[string][]float64{of: points}}
		ys := f.of(n.output(), 0)
		if ys == nil {
			continue
		}
		for _, kind := range written {
			if a := engine.UsualActivation(kind); alike(ys, func(x float64) float64 { h, _ := a.At(x, 0); return h }) {
				return &shape{is: a, of: of, in: 1, out: 1, constants: f.constants}, nil
			}
		}
		if is := parametric(ys); is != nil {
			is.of, is.constants = of, f.constants
			return is, nil
		}
		for name, h := range unknown {
			if alike(ys, h) {
				return nil, fmt.Errorf("this is %s, an activation that can't be read yet", name)
			}
		}
	}
	return nil, nil
}

// parametric finds an activation whose parameter is seen in one of its values: that of
// softplus at 0, that of a leaky rectifier at any negative point.
func parametric(ys []float64) *shape {
	if beta := math.Ln2 / ys[slices.Index(points, 0)]; beta > 0 && !math.IsInf(beta, 0) {
		softplus := engine.UsualActivation(engine.Softplus)
		if alike(ys, func(x float64) float64 { h, _ := softplus.At(beta*x, 0); return h / beta }) {
			return &shape{is: softplus, in: beta, out: 1 / beta}
		}
	}
	leaky := engine.Activation{Kind: engine.LeakyReLU, Alpha: float32(-ys[slices.Index(points, -1.5)] / 1.5)}
	// A slope of 1 is no activation.
	if leaky.Alpha != 1 && alike(ys, func(x float64) float64 { h, _ := leaky.At(x, 0); return h }) {
		return &shape{is: leaky, in: 1, out: 1}
	}
	return nil
}

// written are the activations that are looked for.
var written = []engine.ActivationKind{engine.Sigmoid, engine.Tanh, engine.ReLU, engine.GELU, engine.GELUTanh, engine.SiLU, engine.Softplus, engine.HardSigmoid, engine.HardSwish}

// unknown are functions that have names, and that the engine doesn't have.
var unknown = map[string]func(x float64) float64{
	"Mish":       func(x float64) float64 { return x * math.Tanh(math.Max(x, 0)+math.Log1p(math.Exp(-math.Abs(x)))) },
	"quick GELU": func(x float64) float64 { return x / (1 + math.Exp(-1.702*x)) },
}

// alike says whether a function has these values, but for the rounding of the file's
// constants to float32: the two forms of GELU differ by 1e-4.
func alike(ys []float64, f func(x float64) float64) bool {
	for i, x := range points {
		y, want := ys[i], f(x)
		if math.Abs(x) > near && (math.IsNaN(y) || math.IsInf(y, 0)) {
			continue
		}
		if !(math.Abs(y-want) <= 2e-6*(1+math.Abs(want))) {
			return false
		}
	}
	return true
}

// around are the names, nearest first, that a node is made of by operations on single
// numbers: whichever of them the function is of. Only so many are looked at.
func (p *plan) around(n *node) (names []string) {
	todo := []*node{n}
	for len(todo) > 0 && len(names) < 24 {
		n, todo = todo[0], todo[1:]
		if !pointwise(n) {
			continue
		}
		for _, name := range n.GetInput()[:min(len(n.GetInput()), 3)] {
			if slices.Contains(names, name) || p.stored[name] != nil {
				continue
			}
			before := p.makers[name]
			if before != nil && before.op() == "Constant" {
				continue
			}
			names = append(names, name)
			if before != nil {
				todo = append(todo, before)
			}
		}
	}
	return names
}

// pointwise says whether an operation makes each number of those at its place.
func pointwise(n *node) bool {
	return elementwise[n.op()] != nil || activations[n.op()] != nil || n.op() == "Pow"
}

// function is some operations as a function of one number, at all points.
type function struct {
	*plan
	values    map[string][]float64
	constants []string
}

// of is the function's value under a name; nil where it is not a function of the one
// number alone.
func (f *function) of(name string, depth int) []float64 {
	if ys, ok := f.values[name]; ok {
		return ys
	}
	if len(f.values) > 48 {
		return nil
	}
	ys := make([]float64, len(points))
	if x, ok := f.number(name); ok {
		for i := range ys {
			ys[i] = x
		}
		f.constants = append(f.constants, name)
	} else if n := f.makers[name]; n == nil || depth > 16 || !f.apply(n, ys, depth) {
		ys = nil
	}
	f.values[name] = ys
	return ys
}

// apply computes a node.
func (f *function) apply(n *node, ys []float64, depth int) bool {
	compute := elementwise[n.op()]
	if a := activations[n.op()]; a != nil {
		is, err := a(f.plan, n)
		if err != nil || is.Kind == engine.PReLU {
			return false
		}
		compute = func(x []float64) float64 { h, _ := is.At(x[0], 0); return h }
	}
	if compute == nil || len(n.GetInput()) == 0 {
		return false
	}
	reads := n.GetInput()
	if activations[n.op()] != nil {
		f.constants = append(f.constants, reads[1:]...) // bounds of Clip
		reads = reads[:1]
	} else if want := arity[n.op()]; want > 0 && len(reads) != want {
		return false
	}
	in := make([][]float64, len(reads))
	for k, name := range reads {
		if in[k] = f.of(name, depth+1); in[k] == nil {
			return false
		}
	}
	x := make([]float64, len(in))
	for i := range ys {
		for k := range in {
			x[k] = in[k][i]
		}
		ys[i] = compute(x)
	}
	return true
}

// elementwise are operations on single numbers.
var elementwise = map[string]func(x []float64) float64{
	"Identity":       func(x []float64) float64 { return x[0] },
	"Neg":            func(x []float64) float64 { return -x[0] },
	"Abs":            func(x []float64) float64 { return math.Abs(x[0]) },
	"Exp":            func(x []float64) float64 { return math.Exp(x[0]) },
	"Log":            func(x []float64) float64 { return math.Log(x[0]) },
	"Erf":            func(x []float64) float64 { return math.Erf(x[0]) },
	"Reciprocal":     func(x []float64) float64 { return 1 / x[0] },
	"Sub":            func(x []float64) float64 { return x[0] - x[1] },
	"Div":            func(x []float64) float64 { return x[0] / x[1] },
	"Pow":            func(x []float64) float64 { return math.Pow(x[0], x[1]) },
	"Greater":        func(x []float64) float64 { return truth(x[0] > x[1]) },
	"GreaterOrEqual": func(x []float64) float64 { return truth(x[0] >= x[1]) },
	"Less":           func(x []float64) float64 { return truth(x[0] < x[1]) },
	"LessOrEqual":    func(x []float64) float64 { return truth(x[0] <= x[1]) },
	"Add":            func(x []float64) float64 { return fold(x, func(a, b float64) float64 { return a + b }) },
	"Sum":            func(x []float64) float64 { return fold(x, func(a, b float64) float64 { return a + b }) },
	"Mul":            func(x []float64) float64 { return fold(x, func(a, b float64) float64 { return a * b }) },
	"Min":            func(x []float64) float64 { return fold(x, math.Min) },
	"Max":            func(x []float64) float64 { return fold(x, math.Max) },
	"Where": func(x []float64) float64 {
		if x[0] != 0 {
			return x[1]
		}
		return x[2]
	},
}

// arity is how many numbers operations are of that can't be of any number of them.
var arity = map[string]int{"Sub": 2, "Div": 2, "Pow": 2, "Greater": 2, "GreaterOrEqual": 2, "Less": 2, "LessOrEqual": 2, "Where": 3}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func fold(x []float64, f func(a, b float64) float64) float64 {
	y := x[0]
	for _, z := range x[1:] {
		y = f(y, z)
	}
	return y
}

// activations are the operations that are one, by ONNX's names, with ONNX's defaults.
var activations = map[string]func(*plan, *node) (engine.Activation, error){
	"Sigmoid":   usual(engine.Sigmoid),
	"Tanh":      usual(engine.Tanh),
	"Relu":      usual(engine.ReLU),
	"Softplus":  usual(engine.Softplus),
	"HardSwish": usual(engine.HardSwish),
	"LeakyRelu": func(_ *plan, n *node) (engine.Activation, error) {
		return engine.Activation{Kind: engine.LeakyReLU, Alpha: n.float("alpha", 0.01)}, n.only("alpha")
	},
	"Elu": func(_ *plan, n *node) (engine.Activation, error) {
		return engine.Activation{Kind: engine.ELU, Alpha: n.float("alpha", 1)}, n.only("alpha")
	},
	"HardSigmoid": func(_ *plan, n *node) (engine.Activation, error) {
		return engine.Activation{Kind: engine.HardSigmoid, Alpha: n.float("alpha", 0.2), Beta: n.float("beta", 0.5)}, n.only("alpha beta")
	},
	"Swish": func(_ *plan, n *node) (engine.Activation, error) {
		if alpha := n.float("alpha", 1); alpha != 1 {
			return engine.Activation{}, fmt.Errorf("alpha is %v, want 1", alpha)
		}
		return engine.Activation{Kind: engine.SiLU}, n.only("alpha")
	},
	"Gelu": gelu,
	"Clip": clip,
}

func usual(kind engine.ActivationKind) func(*plan, *node) (engine.Activation, error) {
	return func(_ *plan, n *node) (engine.Activation, error) {
		return engine.Activation{Kind: kind}, n.only("")
	}
}

func gelu(_ *plan, n *node) (engine.Activation, error) {
	switch form := n.attributes["approximate"].GetS(); string(form) {
	case "", "none":
		return engine.Activation{Kind: engine.GELU}, n.only("approximate")
	case "tanh":
		return engine.Activation{Kind: engine.GELUTanh}, n.only("approximate")
	default:
		return engine.Activation{}, fmt.Errorf("approximate is %s, want none or tanh", shown(string(form)))
	}
}

// clip has its bounds as attributes, or as inputs in newer files.
func clip(p *plan, n *node) (engine.Activation, error) {
	a := engine.Activation{Kind: engine.Clip, Low: n.float("min", float32(math.Inf(-1))), High: n.float("max", float32(math.Inf(1)))}
	for i, bound := range []*float32{&a.Low, &a.High} {
		name := n.input(i + 1)
		if name == "" {
			continue
		}
		x, ok := p.number(name)
		if !ok {
			return a, errors.New("its bounds are no constants")
		}
		*bound = float32(x)
	}
	return a, n.only("min max")
}
