package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// Fuzz computes networks that chance makes: of all operations and activations, chains and
// graphs, with goals of all kinds of terms. What the device computes, by the definition and by
// its own version, must be what a float64 reference computes, within bounds for the
// rounding of every number; rows must not depend on those beside them. exact says that
// a device's own version has the definition's bits. Each network is computed by one of the
// devices.
func Fuzz(f *testing.F, exact bool, devices ...engine.Device) {
	for seed := range uint64(pick(24, 8)) {
		f.Add(seed, []byte{})
	}
	for _, choices := range [][]byte{
		{39, 1, 0, 6},          // a chain of seven operations on 40 inputs
		{0, 1, 0, 0, 0, 0},     // one unit of one input
		{0, 0, 2, 3, 2, 1, 6},  // a graph of seven operations on pictures of three channels
		{0, 0, 0, 0, 3, 1, 3},  // a graph on pictures of one row
		{31, 1, 1, 6, 0, 0, 0}, // a graph on 32 inputs
	} {
		f.Add(uint64(len(choices)), choices)
		f.Add(uint64(100+len(choices)), choices)
	}
	f.Fuzz(func(t *testing.T, seed uint64, choices []byte) {
		s := &subject{T: t, device: devices[seed%uint64(len(devices))], used: map[string]float64{}, random: rand.New(rand.NewPCG(seed, 0))}
		z := &fuzzed{subject: s, choices: choices, exact: exact, results: map[string][][]float32{}}
		z.make()
		z.check()
	})
}

// fuzzed is a network made by choices, each a byte; where they end chance chooses. All
// other numbers are chance's.
type fuzzed struct {
	*subject
	choices []byte
	exact   bool

	net    engine.Net
	shapes []engine.Shape
	goals  []engine.Goal
	climbs []int
	x      []float32 // [rows, inputs]
	rows   []*bounds // of each row

	results map[string][][]float32 // by way to load
}

// choose returns one of 0..n-1.
func (z *fuzzed) choose(n int) int {
	if len(z.choices) == 0 {
		return z.random.IntN(n)
	}
	c := int(z.choices[0]) % n
	z.choices = z.choices[1:]
	return c
}

func oneOf[T any](z *fuzzed, these ...T) T { return these[z.choose(len(these))] }

func (z *fuzzed) make() {
	input := engine.Flat(1 + z.choose(40))
	if z.choose(3) == 0 {
		input = engine.Shape{Channels: 1 + z.choose(3), Rows: 1 + z.choose(4), Cols: 1 + z.choose(4)}
	}
	z.net, z.shapes = engine.Net{Input: input}, []engine.Shape{input}
	chain := z.choose(2) == 0 // as devices have versions of their own of
	for range 1 + z.choose(7) {
		o := z.operation(chain)
		z.net.Ops = append(z.net.Ops, o)
		z.shapes = z.shapesOf(z.net)
	}
	for range 1 + z.choose(3) {
		z.goals = append(z.goals, z.goal())
	}
	for range oneOf(z, 1, 2, 5, 17, 33) {
		z.climbs = append(z.climbs, z.choose(len(z.goals)))
	}
	z.x = z.normals(len(z.climbs)*input.Size(), oneOf(z, 1, 0.1, 10))
	for i := range z.climbs {
		z.rows = append(z.rows, newBounds(z.net, z.shapes, doubles(z.row(z.x, i))))
	}
}

func (z *fuzzed) row(x []float32, i int) []float32 {
	inputs := z.net.Input.Size()
	return x[i*inputs : (i+1)*inputs]
}

// operation makes an operation that can follow.
func (z *fuzzed) operation(chain bool) engine.Op {
	last := len(z.shapes) - 1
	a := z.activation()
	if chain {
		return z.dense(engine.Value(last), a)
	}
	v := engine.Value(z.choose(last + 1))
	s := z.shapes[v]
	switch z.choose(4) {
	case 0:
		deviation := oneOf(z, 1, 0.1, 3)
		return engine.Op{Kind: engine.Scale, In: []engine.Value{v}, Factor: z.normals(s.Channels, deviation), Bias: z.normals(s.Channels, deviation), Activation: z.fitted(a, s.Channels)}
	case 1:
		in := z.others(v, func(o engine.Shape) bool { return o == s })
		return engine.Op{Kind: engine.Add, In: in, Activation: z.fitted(a, s.Channels)}
	case 2:
		in, channels := z.others(v, func(o engine.Shape) bool { return o.Rows == s.Rows && o.Cols == s.Cols }), 0
		for _, v := range in {
			channels += z.shapes[v].Channels
		}
		if channels*s.Rows*s.Cols <= 200 {
			return engine.Op{Kind: engine.Concat, In: in, Activation: z.fitted(a, channels)}
		}
	}
	return z.dense(v, a)
}

// dense is an affine operation.
func (z *fuzzed) dense(in engine.Value, a engine.Activation) engine.Op {
	units, inputs, deviation := 1+z.choose(20), z.shapes[in].Size(), oneOf(z, 1, 0.1, 3)
	if z.choose(5) == 0 {
		units = oneOf(z, 31, 32, 33, 63, 64, 65, 70)
	}
	return engine.Op{
		Kind: engine.Affine, In: []engine.Value{in}, Activation: z.fitted(a, units), Bias: z.normals(units, deviation),
		Weight: engine.Host{Rows: units, Cols: inputs, Data: z.normals(units*inputs, deviation/math.Sqrt(float64(inputs)))},
	}
}

// others is v and up to three more values that suit it.
func (z *fuzzed) others(v engine.Value, suits func(engine.Shape) bool) []engine.Value {
	var these []engine.Value
	for u, s := range z.shapes {
		if suits(s) {
			these = append(these, engine.Value(u))
		}
	}
	in := []engine.Value{v}
	for range z.choose(4) {
		in = append(in, oneOf(z, these...))
	}
	return in
}

// activation is any, with any parameters.
func (z *fuzzed) activation() engine.Activation {
	a := oneOf(z, everyActivation()...)
	if z.choose(3) > 0 {
		return a
	}
	number := func() float32 { return float32(z.random.NormFloat64()) }
	switch a.Kind {
	case engine.LeakyReLU, engine.ELU:
		a.Alpha = number()
	case engine.HardSigmoid:
		a.Alpha, a.Beta = number(), number()
	case engine.Clip:
		low, high := number(), number()
		a.Low, a.High = min(low, high), max(low, high)
	}
	return a
}

// goal is a sum of up to four terms.
func (z *fuzzed) goal() (g engine.Goal) {
	for range 1 + z.choose(4) {
		t := engine.Term{At: engine.Value(z.choose(len(z.shapes))), After: z.choose(2) == 1, Weight: oneOf(z, 1, -1, float32(z.random.NormFloat64()))}
		if size := z.shapes[t.At].Size(); z.choose(2) == 0 {
			t.Unit = z.choose(size)
		} else {
			t.Direction = z.normals(size, 1/math.Sqrt(float64(size)))
		}
		g.Terms = append(g.Terms, t)
	}
	return g
}

// check computes it all in each way.
func (z *fuzzed) check() {
	z.checkReference()
	z.forEachModel(z.net, func(way string, m *engine.Model) {
		z.checkForward(way, m)
		z.checkGradient(way, m)
		z.checkAscent(way, m)
		z.checkConstrained(way, m)
	})
	if !z.exact || len(z.results) < 2 {
		return
	}
	for k, want := range z.results["plain"] {
		z.same(fmt.Sprintf("result %d of the device's own version", k), z.results["fused"][k], want)
	}
}

// checkReference checks gradients of the reference by central differences, along one
// direction for each row: where a step half as long gives the same, so that no kink is near.
func (z *fuzzed) checkReference() {
	const step = 1e-5
	for i, g := range z.climbs {
		along, x, goal := doubles(z.normals(z.net.Input.Size(), 1)), doubles(z.row(z.x, i)), z.goals[g]
		slope := func(step float64) float64 {
			up, down := slices.Clone(x), slices.Clone(x)
			for j, d := range along {
				up[j] += step * d
				down[j] -= step * d
			}
			return (compute(z.net, z.shapes, up).goal(goal) - compute(z.net, z.shapes, down).goal(goal)) / (2 * step)
		}
		far, near := slope(step), slope(step/2)
		gradient, scale := z.rows[i].gradient(goal), 0.0
		for j, d := range along {
			scale += math.Abs(d) * gradient.size[j]
		}
		// Rounding leaves 1e-16/step of what is summed.
		_, rounding := z.rows[i].goal(goal)
		if slack := 1e-6*scale + 1e-3*rounding; math.Abs(far-near) < slack/10 && math.Abs(near-inner(along, gradient.number)) > slack {
			z.Errorf("row %d, goal %+v: the reference's gradient gives %g, differences %g", i, goal, inner(along, gradient.number), near)
		}
	}
}

// bounded checks numbers, and keeps them.
func (z *fuzzed) bounded(what, way string, got []float32, want, errors []float64) {
	z.Helper()
	z.results[way] = append(z.results[way], slices.Clone(got))
	// What is below the normal numbers has lost digits.
	z.near(what, way, got, want, func(i int) float64 { return errors[i] + 1e-36 })
}

func (z *fuzzed) checkForward(way string, m *engine.Model) {
	c, rows := z.scene("%s, forward", way), len(z.climbs)
	var outputs []engine.Output
	for v, shape := range z.shapes {
		for _, after := range []bool{false, true} {
			outputs = append(outputs, engine.Output{At: engine.Value(v), After: after, To: c.output("output", rows, shape.Size())})
		}
	}
	z.must(m.Forward(c.input("x", rows, z.net.Input.Size(), z.x), outputs...))
	for _, o := range outputs {
		var want, errors []float64
		for _, b := range z.rows {
			value := b.before[o.At]
			if o.After {
				value = b.after[o.At]
			}
			want, errors = append(want, value.number...), append(errors, value.error...)
		}
		z.bounded(fmt.Sprintf("value %d, after %t", o.At, o.After), way, z.read(o.To), want, errors)
	}
	c.end()
}

func (z *fuzzed) checkGradient(way string, m *engine.Model) {
	gradient := func(rows []int) ([]float32, []float32) {
		c, climbs := z.scene("%s, gradient", way), []int(nil)
		for _, i := range rows {
			climbs = append(climbs, z.climbs[i])
		}
		dst := c.output("dst", len(rows), z.net.Input.Size())
		values, err := m.Gradient(dst, c.input("x", len(rows), z.net.Input.Size(), rowsOf(z.x, z.net.Input.Size(), rows)), z.goals, climbs)
		z.must(err)
		defer c.end()
		return z.read(dst), values
	}
	got, values := gradient(upTo(len(z.climbs)))
	var want, errors, goals, goalErrors []float64
	for i, b := range z.rows {
		g := b.gradient(z.goals[z.climbs[i]])
		want, errors = append(want, g.number...), append(errors, g.error...)
		value, err := b.goal(z.goals[z.climbs[i]])
		goals, goalErrors = append(goals, value), append(goalErrors, err)
	}
	z.bounded("gradient", way, got, want, errors)
	z.bounded("goal", way, values, goals, goalErrors)
	some := z.some(len(z.climbs))
	few, fewValues := gradient(some)
	z.same(way+", gradients of some rows", few, rowsOf(got, z.net.Input.Size(), some))
	z.same(way+", goals of some rows", fewValues, rowsOf(values, 1, some))
}
