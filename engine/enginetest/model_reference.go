package enginetest

import (
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// computed is all that a network computes for one input, in float64, by the text of
// package engine's documentation.
type computed struct {
	net           engine.Net
	shapes        []engine.Shape
	before, after [][]float64 // of each value
	slopes        []float64   // of all activations
}

// compute evaluates a network.
func compute(n engine.Net, shapes []engine.Shape, x []float64) *computed {
	c := &computed{net: n, shapes: shapes, before: [][]float64{x}, after: [][]float64{x}}
	for i, o := range n.Ops {
		y := c.apply(o)
		places := shapes[i+1].Rows * shapes[i+1].Cols
		h := make([]float64, len(y))
		for j, v := range y {
			var slope float64
			h[j], slope = o.Activation.At(v, j/places)
			c.slopes = append(c.slopes, slope)
		}
		c.before, c.after = append(c.before, y), append(c.after, h)
	}
	return c
}

func (c *computed) apply(o engine.Op) (y []float64) {
	first := c.after[o.In[0]]
	switch o.Kind {
	case engine.Affine:
		for u := range o.Weight.Rows {
			y = append(y, inner(doubles(o.Weight.Data[u*o.Weight.Cols:][:o.Weight.Cols]), first)+float64(o.Bias[u]))
		}
	case engine.Scale:
		s := c.shapes[o.In[0]]
		for j, v := range first {
			channel := j / (s.Rows * s.Cols)
			y = append(y, float64(o.Factor[channel])*v+float64(o.Bias[channel]))
		}
	case engine.Add:
		y = make([]float64, len(first))
		for _, v := range o.In {
			for j, h := range c.after[v] {
				y[j] += h
			}
		}
	case engine.Concat:
		for _, v := range o.In {
			y = append(y, c.after[v]...)
		}
	}
	return y
}

// goal is the value of a goal.
func (c *computed) goal(g engine.Goal) (sum float64) {
	for _, t := range g.Terms {
		value := c.before[t.At]
		if t.After {
			value = c.after[t.At]
		}
		if t.Direction == nil {
			sum += float64(t.Weight) * value[t.Unit]
			continue
		}
		sum += float64(t.Weight) * inner(doubles(t.Direction), value)
	}
	return sum
}

// gradientOf is the gradient of a goal by central differences, and whether it has one:
// not where a slope jumps nearby. In float64 a step of 1e-5 leaves about 1e-10 from the
// cut-off series and 1e-11 from rounding.
func gradientOf(n engine.Net, shapes []engine.Shape, x []float64, g engine.Goal) (gradient []float64, smooth bool) {
	const step, around, jump = 1e-5, 1e-3, 0.02
	gradient, smooth = make([]float64, len(x)), true
	here := compute(n, shapes, x)
	at := func(j int, by float64) *computed {
		y := slices.Clone(x)
		y[j] += by
		return compute(n, shapes, y)
	}
	for j := range x {
		gradient[j] = (at(j, step).goal(g) - at(j, -step).goal(g)) / (2 * step)
		for _, by := range []float64{around, -around} {
			for i, slope := range at(j, by).slopes {
				smooth = smooth && math.Abs(slope-here.slopes[i]) < jump
			}
		}
	}
	return gradient, smooth
}

// fitted is an activation with a slope for each of so many channels, if it has any.
func (s *subject) fitted(a engine.Activation, channels int) engine.Activation {
	if a.Kind == engine.PReLU {
		a.Slopes = s.normals(channels, 0.5)
	}
	return a
}

func (s *subject) affine(in engine.Value, units, inputs int, a engine.Activation) engine.Op {
	return engine.Op{
		Kind: engine.Affine, In: []engine.Value{in}, Activation: s.fitted(a, units), Bias: s.normals(units, 0.5),
		Weight: engine.Host{Rows: units, Cols: inputs, Data: s.normals(units*inputs, 1.5/math.Sqrt(float64(inputs)))},
	}
}

// stack is a network of affine operations, inputs first.
func (s *subject) stack(a engine.Activation, sizes ...int) engine.Net {
	n := engine.Net{Input: engine.Flat(sizes[0])}
	for l := 1; l < len(sizes); l++ {
		n.Ops = append(n.Ops, s.affine(engine.Value(l-1), sizes[l], sizes[l-1], a))
	}
	return n
}

// everyOp is a network with all operations, in which values are read several times.
// Its input is a picture of 2 channels.
func (s *subject) everyOp(a engine.Activation) engine.Net {
	const channels, places, width = 2, 9, 13
	sigmoid := engine.UsualActivation(engine.Sigmoid)
	return engine.Net{Input: engine.Shape{Channels: channels, Rows: 3, Cols: 3}, Ops: []engine.Op{
		{Kind: engine.Scale, In: []engine.Value{0}, Factor: s.normals(channels, 1), Bias: s.normals(channels, 1), Activation: s.fitted(a, channels)},
		s.affine(1, width, channels*places, a),
		s.affine(0, width, channels*places, sigmoid),
		{Kind: engine.Add, In: []engine.Value{2, 3, 2}, Activation: s.fitted(a, width)},
		{Kind: engine.Concat, In: []engine.Value{4, 2, 4}, Activation: s.fitted(a, 3*width)},
		s.affine(5, 7, 3*width, a),
		{Kind: engine.Concat, In: []engine.Value{0, 1}, Activation: s.fitted(a, 2*channels)},
		s.affine(6, 5, 7, engine.Activation{}),
		s.affine(7, 5, 2*channels*places, engine.Activation{}),
		{Kind: engine.Add, In: []engine.Value{8, 9}},
	}}
}

// goalsOf are goals of every kind of term, in all values of a network.
func (s *subject) goalsOf(shapes []engine.Shape) (goals []engine.Goal) {
	var all engine.Goal
	for v, shape := range shapes {
		unit := engine.Term{At: engine.Value(v), Unit: s.random.IntN(shape.Size()), Weight: 1}
		along := engine.Term{At: engine.Value(v), Direction: s.normals(shape.Size(), 1/math.Sqrt(float64(shape.Size()))), Weight: -0.7}
		after := unit
		after.After = true
		alongAfter := along
		alongAfter.After = true
		for _, t := range []engine.Term{unit, along, after, alongAfter} {
			goals = append(goals, engine.Goal{Terms: []engine.Term{t}})
			if s.random.IntN(3) == 0 {
				all.Terms = append(all.Terms, t)
			}
		}
	}
	all.Terms = append(all.Terms, goals[len(goals)-1].Terms...)
	return append(goals, all)
}
