package engine

import (
	"fmt"
	"math"
	"slices"
)

// Goal is what a row of an ascent climbs, or what a gradient is of: a sum of numbers
// that a network computes, or of weighted ones.
type Goal struct{ Terms []Term }

// Term is a part of a goal: Weight times a unit of a value, or times the dot product
// of the value's numbers with a direction. A negative weight makes an ascent go
// down.
type Term struct {
	At        Value     // 0 is the input
	After     bool      // after the activation of the operation that makes the value, else before
	Unit      int       // which of the value's numbers, unless there is a direction
	Direction []float32 // [size of the value], or nil
	Weight    float32
}

// UnitGoal is the goal of a unit's activation: before the nonlinearity, as in
// footnote 1 of the paper.
func UnitGoal(at Value, unit int) Goal {
	return Goal{[]Term{{At: at, Unit: unit, Weight: 1}}}
}

// check refuses a goal that a network with values of these shapes can't have.
func (g Goal) check(shapes []Shape) error {
	if len(g.Terms) == 0 {
		return fmt.Errorf("it has no terms")
	}
	for _, t := range g.Terms {
		if t.At < 0 || int(t.At) >= len(shapes) {
			return fmt.Errorf("it reads value %d, want one of 0 to %d", t.At, len(shapes)-1)
		}
		size := shapes[t.At].Size()
		switch {
		case t.Direction != nil && len(t.Direction) != size:
			return fmt.Errorf("a direction of %d numbers in value %d, which has %d", len(t.Direction), t.At, size)
		case t.Direction == nil && (t.Unit < 0 || t.Unit >= size):
			return fmt.Errorf("unit %d of value %d, which has %d", t.Unit, t.At, size)
		case !finite(t.Direction) || t.Weight-t.Weight != 0:
			return fmt.Errorf("its numbers: %w", ErrNotFinite)
		}
	}
	return nil
}

// Aims are the goals of rows as devices compute them: goal g is
//
//	sum over reads of Target[g] . value, and Constant[g]
//
// with values after their activations. A term before the activation of an operation
// is one of the values that the operation reads: of all its units, only those that a
// goal needs are multiplied.
type Aims struct {
	Reads    []Read    // in ascending order of their values
	Constant []float32 // [goals]
	Row      []int     // [rows] the goal of each row
}

// Read is the part of goals that one value has.
type Read struct {
	At     Value
	Target Host // [goals, size of the value]
}

// aim makes aims of goals, one or more; goals that no row here climbs stay empty.
func (n Net) aim(shapes []Shape, goals []Goal, rows []int, here func(row int) bool) Aims {
	a := Aims{Constant: make([]float32, len(goals)), Row: rows}
	t := tables{shapes: shapes, goals: len(goals), of: map[Value]*table{}}
	done := make([]bool, len(goals))
	for i, goal := range rows {
		if done[goal] || !here(i) {
			continue
		}
		done[goal] = true
		if o, term, simple := n.simple(goals[goal]); simple {
			row := t.row(o.In[0], goal)
			for j, w := range o.Weight.Data[term.Unit*o.Weight.Cols : (term.Unit+1)*o.Weight.Cols] {
				row[j] += term.Weight * w
			}
			a.Constant[goal] = term.Weight * o.Bias[term.Unit]
			continue
		}
		sums := aimed{net: n, shapes: shapes, targets: map[Value][]float64{}}
		for _, term := range goals[goal].Terms {
			sums.term(term)
		}
		a.Constant[goal] = float32(sums.constant)
		for at, sum := range sums.targets {
			row := t.row(at, goal)
			for j, x := range sum {
				row[j] += float32(x)
			}
		}
	}
	a.Reads = t.reads(done)
	return a
}

// tables are the targets of goals as they are made. All zeros that a goal has of its own
// are +0, since sums of products are, and -0 stands where a goal reads nothing: it
// changes no number that it is added to. So gradients have the same bits whatever other
// goals read.
type tables struct {
	shapes []Shape
	goals  int
	of     map[Value]*table
}

type table struct {
	target []float32 // [goals, size of the value]
	has    []bool    // which goals read the value
}

// row is the target of a goal, zeros the first time.
func (t *tables) row(at Value, goal int) []float32 {
	size := t.shapes[at].Size()
	if t.of[at] == nil {
		t.of[at] = &table{make([]float32, t.goals*size), make([]bool, t.goals)}
	}
	t.of[at].has[goal] = true
	return t.of[at].target[goal*size : (goal+1)*size]
}

// reads are all tables, in the order of their values; done are the goals in them.
func (t *tables) reads(done []bool) (reads []Read) {
	nothing := float32(math.Copysign(0, -1))
	for at, table := range t.of {
		size := t.shapes[at].Size()
		for goal, has := range table.has {
			if has || !done[goal] {
				continue
			}
			for j := range size {
				table.target[goal*size+j] = nothing
			}
		}
		reads = append(reads, Read{at, Host{Rows: t.goals, Cols: size, Data: table.target}})
	}
	slices.SortFunc(reads, func(x, y Read) int { return int(x.At - y.At) })
	return reads
}

// simple says whether a goal is one unit of an affine operation before its activation,
// as most are: its sums have one term each, which is rounded once here too.
func (n Net) simple(g Goal) (o Op, t Term, simple bool) {
	if t = g.Terms[0]; len(g.Terms) > 1 || t.Direction != nil || t.At == 0 {
		return o, t, false
	}
	o = n.Ops[t.At-1]
	return o, t, o.Kind == Affine && (!t.After || o.Activation.Kind == Identity)
}

// aimed is the sums of one goal, in float64: they are rounded once.
type aimed struct {
	net      Net
	shapes   []Shape
	targets  map[Value][]float64
	constant float64
}

// of is the target of a value.
func (a *aimed) of(at Value) []float64 {
	if a.targets[at] == nil {
		a.targets[at] = make([]float64, a.shapes[at].Size())
	}
	return a.targets[at]
}

func (a *aimed) term(t Term) {
	each := func(add func(unit int, weight float64)) {
		if t.Direction == nil {
			add(t.Unit, float64(t.Weight))
			return
		}
		for unit, d := range t.Direction {
			add(unit, float64(t.Weight)*float64(d))
		}
	}
	if t.At > 0 {
		if o := a.net.Ops[t.At-1]; !t.After || o.Activation.Kind == Identity {
			each(func(unit int, weight float64) { a.before(o, a.shapes[t.At], unit, weight) })
			return
		}
	}
	target := a.of(t.At)
	each(func(unit int, weight float64) { target[unit] += weight })
}

// before adds weight times a unit of what an operation computes before its
// activation, a value of this shape.
func (a *aimed) before(o Op, shape Shape, unit int, weight float64) {
	switch o.Kind {
	case Affine:
		target := a.of(o.In[0])
		for j, w := range o.Weight.Data[unit*o.Weight.Cols : (unit+1)*o.Weight.Cols] {
			target[j] += weight * float64(w)
		}
		a.constant += weight * float64(o.Bias[unit])
	case Scale:
		channel := unit / (shape.Rows * shape.Cols)
		a.of(o.In[0])[unit] += weight * float64(o.Factor[channel])
		a.constant += weight * float64(o.Bias[channel])
	case Add:
		for _, v := range o.In {
			a.of(v)[unit] += weight
		}
	case Concat:
		for _, v := range o.In {
			if size := a.shapes[v].Size(); unit >= size {
				unit -= size
				continue
			}
			a.of(v)[unit] += weight
			return
		}
	}
}
