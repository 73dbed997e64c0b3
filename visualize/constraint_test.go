package visualize

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// In layer 1 what climbs is linear: the optimum in a box has each component at the end
// that its weight points to, in a ball it is that of the sphere, and with an L2 penalty it
// is w divided by the penalty's weight, where the ball has room for it.
func TestConstraintsInTheFirstLayer(t *testing.T) {
	const inputs, units = 21, 3
	n := randomNetwork(t, 9, 2, 1, inputs, units)
	weight, bias := numbers(t, n.Layers[0].Weight), numbers(t, n.Layers[0].Bias)
	const lowest, highest, l2 = -0.25, 1, 0.8
	for _, c := range []struct {
		name       string
		constraint engine.Constraint
		penalty    engine.Penalty
		optimum    func(w []float32) []float64
	}{
		{"box", engine.Constraint{Kind: engine.Box, Lowest: lowest, Highest: highest}, engine.Penalty{}, func(w []float32) (x []float64) {
			for _, v := range w {
				x = append(x, map[bool]float64{true: highest, false: lowest}[v > 0])
			}
			return x
		}},
		{"ball", engine.Constraint{Kind: engine.Ball}, engine.Penalty{}, func(w []float32) []float64 { return scaled(w, n.Radius) }},
		{"ball with a penalty", engine.Constraint{Kind: engine.Ball}, engine.Penalty{L2: l2}, func(w []float32) []float64 { return scaled(w, norm(w)/l2) }},
		{"sphere with a penalty", engine.Constraint{}, engine.Penalty{L2: l2}, func(w []float32) []float64 { return scaled(w, n.Radius) }},
	} {
		for _, direction := range []int{1, -1} {
			o := options(1, 2, 0, 1)
			o.Constraint, o.Penalty, o.Direction, o.Restarts = c.constraint, c.penalty, direction, 4
			r := ascend(t, openDevice(t), n, o)
			if c.penalty.L2 > 0 != (r.Penalty != nil) {
				t.Fatalf("%s: penalties %v", c.name, r.Penalty)
			}
			for i := range len(o.Units) * o.Restarts {
				u := o.Units[i/o.Restarts]
				w := slices.Clone(weight[u*inputs : (u+1)*inputs])
				for j := range w {
					w[j] *= float32(direction)
				}
				want := c.optimum(w)
				pattern := numbers(t, r.Patterns)[i*inputs : (i+1)*inputs]
				// Where penalties balance the gradient, gains are below float32's
				// rounding within about 1e-3 of the optimum.
				if d := distance(pattern, want); d > 3e-3 {
					t.Errorf("%s, direction %d, row %d: pattern is %g from the optimum", c.name, direction, i, d)
				}
				value, squares := float64(bias[u]), 0.0
				for j, x := range pattern {
					value += float64(weight[u*inputs+j]) * float64(x)
					squares += float64(x) * float64(x)
				}
				if a := float64(numbers(t, r.Activation)[i]); math.Abs(a-value) > 1e-4*max(1, math.Abs(value)) {
					t.Errorf("%s, direction %d, row %d: activation %g, that of its pattern %g", c.name, direction, i, a, value)
				}
				if r.Penalty == nil {
					continue
				}
				if p := float64(numbers(t, r.Penalty)[i]); math.Abs(p-float64(c.penalty.L2)/2*squares) > 1e-4*squares {
					t.Errorf("%s, row %d: penalty %g of a pattern of norm %g", c.name, i, p, math.Sqrt(squares))
				}
			}
		}
	}
}

// Rows are what they are however they are cut into chunks, whatever climbs and wherever.
func TestConstrainedChunks(t *testing.T) {
	n := deep(t)
	for _, kind := range []engine.ConstraintKind{engine.Sphere, engine.Ball, engine.Box} {
		goal, layer, err := ParseGoal("3:1,1:4*2", n, true)
		if err != nil {
			t.Fatal(err)
		}
		o := options(layer)
		o.Objectives, o.Constraint.Kind = []Objective{goal, {"unit 2", engine.UnitGoal(3, 2)}}, kind
		if kind == engine.Box {
			o.Constraint.Highest, o.Penalty.L2 = 1, 0.05
		}
		whole := ascend(t, openDevice(t), n, o)
		o.ChunkRows = 4
		sameRestarts(t, kind.String(), ascend(t, openDevice(t), n, o), whole)
	}
}

// Patterns say what they are drawn by: a norm of a sphere, the ends of a box.
func TestConstrainedPatterns(t *testing.T) {
	n := deep(t)
	for _, c := range []struct {
		constraint engine.Constraint
		radius     float64
		low, high  float32
	}{
		{engine.Constraint{}, 5, 0, 0}, {engine.Constraint{Kind: engine.Ball}, 0, 0, 0}, {engine.Constraint{Kind: engine.Box, Lowest: -1, Highest: 2}, 0, -1, 2},
	} {
		o := options(3, 0, 1)
		o.Constraint, o.Restarts, o.MaxSteps = c.constraint, 3, 0
		start := ascend(t, openDevice(t), n, o)
		o.MaxSteps = 200
		r := ascend(t, openDevice(t), n, o)
		if p := r.UnitPatterns(); p.Radius != c.radius || p.Low != c.low || p.High != c.high {
			t.Errorf("%v: patterns of radius %g, from %g to %g", c.constraint, p.Radius, p.Low, p.High)
		}
		if c.constraint.Kind != engine.Box {
			continue
		}
		all := numbers(t, start.Patterns)
		if slices.Min(all) < -1 || slices.Max(all) > 2 || slices.Min(all) > -0.8 || slices.Max(all) < 1.8 {
			t.Errorf("starts in the box are from %g to %g", slices.Min(all), slices.Max(all))
		}
		if all := numbers(t, r.Patterns); slices.Min(all) < -1 || slices.Max(all) > 2 {
			t.Errorf("patterns are from %g to %g", slices.Min(all), slices.Max(all))
		}
		if slices.Max(numbers(t, r.Activation)) <= slices.Max(numbers(t, start.Activation)) {
			t.Error("nothing was gained")
		}
	}
}

// Total variation is that of the pictures that inputs are: patterns are the smoother the
// more of it is taken off.
func TestTotalVariationSmooths(t *testing.T) {
	const rows, cols = 6, 5
	n := randomNetwork(t, 3, 3, 0.5, rows*cols, 8)
	n.InputShape = []int{rows, cols}
	before := math.Inf(1)
	for _, weight := range []float32{0, 0.1, 1} {
		o := options(1, 0, 3)
		o.Penalty.TotalVariation = weight
		r := ascend(t, openDevice(t), n, o)
		sum := 0.0
		for _, x := range [][]float32{numbers(t, r.BestPatterns)[:rows*cols], numbers(t, r.BestPatterns)[rows*cols:]} {
			for j := range x {
				var down, right float64
				if j+cols < len(x) {
					down = float64(x[j+cols] - x[j])
				}
				if (j+1)%cols > 0 {
					right = float64(x[j+1] - x[j])
				}
				sum += math.Hypot(down, right)
			}
		}
		if sum > 0.9*before {
			t.Errorf("weight %g: total variation %g, before %g", weight, sum, before)
		}
		before = sum
	}
	for _, shape := range [][]int{nil, {rows * cols}, {5, 2, 3}} {
		n.InputShape = shape
		o := options(1, 0)
		o.Penalty.TotalVariation = 1
		if _, err := Ascend(t.Context(), openDevice(t), n, o, nil); err == nil || !strings.Contains(err.Error(), "TotalVariation") {
			t.Errorf("shape %v: %v", shape, err)
		}
	}
}

// Penalties come back from tables, and the best restart is that with most of what climbs.
func TestPenaltiesAreKept(t *testing.T) {
	n := deep(t)
	o := options(3, 4, 1)
	o.Constraint.Kind, o.Penalty.L2 = engine.Ball, 0.3
	r := ascend(t, openDevice(t), n, o)
	activation, penalty := numbers(t, r.Activation), numbers(t, r.Penalty)
	for u := range o.Units {
		best := u*o.Restarts + r.Best[u]
		for i := u * o.Restarts; i < (u+1)*o.Restarts; i++ {
			if activation[i]-penalty[i] > activation[best]-penalty[best]+1e-6 {
				t.Errorf("place %d: restart %d climbed higher than the best, %d", u, i, best)
			}
		}
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	back, err := ReadRestarts(bytes.NewReader(table.Bytes()), 3, 1)
	if err != nil || back.Penalty == nil || !slices.Equal(numbers(t, back.Penalty), penalty) || !slices.Equal(back.Best, r.Best) {
		t.Errorf("read again: %v, %+v", err, back)
	}
	if head, _, _ := strings.Cut(table.String(), "\n"); head != "unit,restart,activation,start_activation,steps,stop,tangent,cosine,gain_left,evaluations,penalty" {
		t.Errorf("columns %s", head)
	}
}

// A penalty that nothing comes up against is said.
func TestOutweighed(t *testing.T) {
	n := deep(t)
	for weight, want := range map[float32]int{0: 0, 0.01: 0, 1e6: 1} {
		o := options(2, 1, 2)
		o.Constraint.Kind, o.Penalty.L2, o.Restarts = engine.Ball, weight, 2
		// From where the units are strongest there is nothing but the penalty to gain.
		best := options(2, 1)
		best.Restarts = 2
		if weight > 1 {
			o.Start = ascend(t, openDevice(t), n, best).Average
			o.Restarts, o.Units = 1, []int{1}
		}
		if got := ascend(t, openDevice(t), n, o).Outweighed(); got != want {
			t.Errorf("weight %g outweighs %d, want %d", weight, got, want)
		}
	}
}

func TestConstraintMistakes(t *testing.T) {
	for what, change := range map[string]func(o *AscentOptions){
		"Constraint Kind":        func(o *AscentOptions) { o.Constraint.Kind = 9 },
		"Constraint sphere":      func(o *AscentOptions) { o.Constraint.Highest = 1 },
		"Constraint box":         func(o *AscentOptions) { o.Constraint = engine.Constraint{Kind: engine.Box, Lowest: 1, Highest: 1} },
		"Penalty.L2":             func(o *AscentOptions) { o.Penalty.L2 = -1 },
		"Penalty.TotalVariation": func(o *AscentOptions) { o.Penalty.TotalVariation = float32(math.NaN()) },
	} {
		o := options(1, 0)
		change(&o)
		field, _, _ := strings.Cut(what, " ")
		if _, err := Ascend(t.Context(), openDevice(t), deep(t), o, nil); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
