package enginetest

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

// bounded are numbers in float64, how far a device's may be from them, and the sums of the
// sizes of the terms that they are sums of, from which rounding takes its share.
type bounded struct{ number, error, size []float64 }

func newBounded(n int) bounded {
	return bounded{make([]float64, n), make([]float64, n), make([]float64, n)}
}

// add adds a number of which a device rounds a share off.
func (b bounded) add(i int, number, err, size, rounding float64) {
	b.number[i] += number
	b.error[i] += err + rounding*size
	b.size[i] += size
}

// share is the part of a sum of n terms, in any order, that a device may lose: half a
// unit in the last place for each, of the sum of their sizes.
func share(n int) float64 { return float64(n+8) * half }

// bounds is a network computed in float64, with bounds for what a device computes in
// float32. Nothing in them is tuned: each number has the rounding of the operation that
// makes it and the errors of what the operation reads.
type bounds struct {
	net           engine.Net
	shapes        []engine.Shape
	before, after []bounded // of each value
	slopes        []bounded
}

func newBounds(n engine.Net, shapes []engine.Shape, x []float64) *bounds {
	input := newBounded(len(x))
	for j, v := range x {
		input.add(j, v, 0, math.Abs(v), 0)
	}
	b := &bounds{n, shapes, []bounded{input}, []bounded{input}, []bounded{{}}}
	for i, o := range n.Ops {
		y := newBounded(shapes[i+1].Size())
		b.linear(o, shapes[i+1], func(to int, from engine.Value, at int, w float64, terms int) {
			in := b.after[from]
			y.add(to, w*in.number[at], math.Abs(w)*in.error[at], math.Abs(w*in.number[at]), share(terms))
		})
		b.bias(o, shapes[i+1], y)
		h, slope := b.activate(o.Activation, shapes[i+1], y)
		b.before, b.after, b.slopes = append(b.before, y), append(b.after, h), append(b.slopes, slope)
	}
	return b
}

// linear calls for each weight w from a number of a value to a number of what an operation
// makes, of so many terms.
func (b *bounds) linear(o engine.Op, shape engine.Shape, each func(to int, from engine.Value, at int, w float64, terms int)) {
	switch o.Kind {
	case engine.Affine:
		for k, w := range o.Weight.Data {
			each(k/o.Weight.Cols, o.In[0], k%o.Weight.Cols, float64(w), max(o.Weight.Cols, o.Weight.Rows)+1)
		}
	case engine.Scale:
		for j := range shape.Size() {
			each(j, o.In[0], j, float64(o.Factor[j/(shape.Rows*shape.Cols)]), 2)
		}
	case engine.Add:
		for _, v := range o.In {
			for j := range shape.Size() {
				each(j, v, j, 1, len(o.In))
			}
		}
	case engine.Concat:
		to := 0
		for _, v := range o.In {
			for j := range b.shapes[v].Size() {
				each(to, v, j, 1, 1)
				to++
			}
		}
	}
}

func (b *bounds) bias(o engine.Op, shape engine.Shape, y bounded) {
	if len(o.Bias) == 0 {
		return
	}
	for j := range y.number {
		bias := float64(o.Bias[j/(shape.Rows*shape.Cols)])
		y.add(j, bias, 0, math.Abs(bias), share(1))
	}
}

// activate bounds f and its slope by what they are at the ends of where y may be, which
// takes in kinks, and how they may bend between them.
func (b *bounds) activate(a engine.Activation, shape engine.Shape, y bounded) (h, slope bounded) {
	h, slope = newBounded(len(y.number)), newBounded(len(y.number))
	for j, v := range y.number {
		channel, e := j/(shape.Rows*shape.Cols), y.error[j]
		f, s := a.At(v, channel)
		below, steepBelow := a.At(v-e, channel)
		above, steepAbove := a.At(v+e, channel)
		bend := 2 * (1 + math.Abs(float64(a.Alpha))) * e * e
		h.add(j, f, max(math.Abs(below-f), math.Abs(above-f))+bend, math.Abs(f), 2*half)
		// The sigmoid's slope is h*(1-h) of a rounded h.
		slope.add(j, s, 1.5*max(math.Abs(steepBelow-s), math.Abs(steepAbove-s))+bend+4*half, math.Abs(s), 2*half)
	}
	return h, slope
}

// goal is the value of a goal.
func (b *bounds) goal(g engine.Goal) (value, err float64) {
	sum := newBounded(1)
	b.terms(g, func(at engine.Value, after bool, unit int, w float64) {
		y := b.before[at]
		if after {
			y = b.after[at]
		}
		size := max(y.size[unit], math.Abs(y.number[unit]))
		sum.add(0, w*y.number[unit], math.Abs(w)*y.error[unit], math.Abs(w)*size, share(len(g.Terms)+b.widest()))
	})
	return sum.number[0], sum.error[0]
}

func (b *bounds) widest() (n int) {
	for _, s := range b.shapes {
		n = max(n, s.Size())
	}
	return n
}

// terms calls for each number of a value that a goal reads.
func (b *bounds) terms(g engine.Goal, each func(at engine.Value, after bool, unit int, w float64)) {
	for _, t := range g.Terms {
		if t.Direction == nil {
			each(t.At, t.After, t.Unit, float64(t.Weight))
		}
		for unit, d := range t.Direction {
			each(t.At, t.After, unit, float64(t.Weight)*float64(d))
		}
	}
}

// gradient is that of a goal, by the chain rule.
func (b *bounds) gradient(g engine.Goal) bounded {
	before, after := make([]bounded, len(b.shapes)), make([]bounded, len(b.shapes))
	for v, s := range b.shapes {
		before[v], after[v] = newBounded(s.Size()), newBounded(s.Size())
	}
	b.terms(g, func(at engine.Value, late bool, unit int, w float64) {
		to := before[at]
		if late {
			to = after[at]
		}
		to.add(unit, w, 0, math.Abs(w), share(b.widest()))
	})
	for i := len(b.net.Ops) - 1; i >= 0; i-- {
		delta, arrived, slope := before[i+1], after[i+1], b.slopes[i+1]
		for j := range delta.number {
			steep := math.Abs(slope.number[j]) + slope.error[j]
			err := arrived.error[j]*steep + arrived.size[j]*slope.error[j]
			delta.add(j, arrived.number[j]*slope.number[j], err, arrived.size[j]*steep, share(len(b.net.Ops)))
		}
		b.linear(b.net.Ops[i], b.shapes[i+1], func(from int, to engine.Value, at int, w float64, terms int) {
			after[to].add(at, w*delta.number[from], math.Abs(w)*delta.error[from], math.Abs(w)*delta.size[from], share(terms+len(b.net.Ops)))
		})
	}
	input := after[0]
	for j := range input.number {
		input.add(j, before[0].number[j], before[0].error[j], before[0].size[j], 0)
	}
	return input
}
