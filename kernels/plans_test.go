package kernels_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/unitscope/unitscope/kernels"
)

// What the kernels of plans compute, against float64. That they round as their
// definitions do is the subject of package gpu's tests.

func inner(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// about checks numbers that come from a few dozen numbers of size 1.
func (b *bench) about(what string, got []float32, want func(i int) float64) {
	b.Helper()
	b.near(what, got, want, func(i int) float64 { return 3e-6 * (1 + math.Abs(want(i))) })
}

func (b *bench) probabilities(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = b.random.Float32()
	}
	return x
}

func TestAscentTop(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][2]int{{1, 1}, {9, 5}, {3, 300}} {
		rows, cols := shape[0], shape[1]
		const units = 4
		below, weights, unit := b.probabilities(rows*cols), b.normals(units*cols), make([]int32, rows)
		for i := range unit {
			unit[i] = int32(b.random.IntN(units))
		}
		target := func(i int) []float32 { return weights[int(unit[i])*cols:][:cols] }
		slope := b.normals(rows * cols)
		for _, c := range []struct {
			name    string
			sigmoid int32
			slope   any
			at      func(i int) float64
		}{
			{"identity", 0, nil, func(int) float64 { return 1 }},
			{"sigmoid", 1, nil, func(i int) float64 { return float64(below[i]) * (1 - float64(below[i])) }},
			{"slopes", 0, slope, func(i int) float64 { return float64(slope[i]) }},
		} {
			for before := range 2 {
				activation, delta := make([]float32, rows), make([]float32, rows*cols)
				for i := range activation {
					activation[i] = 0.25
				}
				b.launch("ascent_top", 1, activation, float32(before), delta, below, c.slope, weights, unit, int32(rows), int32(cols), c.sigmoid)
				b.about(c.name+": activations", activation, func(i int) float64 {
					return float64(before)*0.25 + inner(below[i*cols:(i+1)*cols], target(i))
				})
				b.about(c.name+": gradients", delta, func(i int) float64 { return float64(target(i / cols)[i%cols]) * c.at(i) })
			}
		}
	}
}

func TestAscentDirection(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][2]int{{1, 1}, {9, 5}, {3, 300}} {
		rows, cols := shape[0], shape[1]
		gradient, x := b.normals(rows*cols), b.normals(rows*cols)
		clear(gradient[:cols]) // a row of zeros stays
		gradient[(rows-1)*cols] = 1e30
		norm := func(i int) float64 {
			g := gradient[i*cols : (i+1)*cols]
			return math.Sqrt(inner(g, g))
		}
		norms, chords, direction := make([]float32, rows), make([]float32, rows), slices.Clone(gradient)
		b.launch("ascent_direction", 1, norms, chords, direction, x, int32(rows), int32(cols), float32(3))
		b.near("norms", norms, norm, func(i int) float64 { return ulp(norm(i)) })
		along := func(i int) float64 { return 3 * float64(gradient[i]) / max(norm(i/cols), math.SmallestNonzeroFloat64) }
		b.about("directions", direction, along)
		b.about("chords", chords, func(i int) float64 {
			sum := 0.0
			for j := i * cols; j < (i+1)*cols; j++ {
				sum += (along(j) - float64(x[j])) * (along(j) - float64(x[j]))
			}
			return math.Sqrt(sum)
		})
	}
}

func TestAscentStep(t *testing.T) {
	b := newBench(t)
	for _, cols := range []int{1, 5, 300} {
		const before = 12
		x, direction := b.normals(before*cols), b.normals(before*cols)
		clear(x[2*cols : 3*cols])
		clear(direction[2*cols : 3*cols]) // a row of zeros stays
		for _, from := range [][]int32{nil, {0, 2, 3, 7, 11}} {
			rows := max(len(from), before*(1-min(1, len(from))))
			rate := b.probabilities(rows)
			source := func(i int) int {
				if from == nil {
					return i
				}
				return int(from[i])
			}
			moved := func(i, j int) float64 {
				at := source(i)*cols + j
				return float64(x[at]) + float64(rate[i])*float64(direction[at])
			}
			next := make([]float32, rows*cols)
			var places any
			if from != nil {
				places = from
			}
			b.launch("ascent_step", 1, next, x, direction, places, rate, int32(rows), int32(cols), float32(3))
			b.near(fmt.Sprintf("rows from %v", from), next, func(e int) float64 {
				sum := 0.0
				for j := range cols {
					sum += moved(e/cols, j) * moved(e/cols, j)
				}
				return 3 * moved(e/cols, e%cols) / max(math.Sqrt(sum), math.SmallestNonzeroFloat64)
			}, func(int) float64 { return 1e-5 })
		}
	}
}

func TestDifferences(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][2]int{{1, 1}, {9, 5}, {3, 300}} {
		rows, cols := shape[0], shape[1]
		x, y := b.normals(rows*cols), b.normals(rows*cols)
		norms, difference := make([]float32, rows), make([]float32, rows*cols)
		want := make([]float32, rows*cols)
		for i := range want {
			want[i] = x[i] - y[i]
		}
		norm := func(i int) float64 { return math.Sqrt(inner(want[i*cols:(i+1)*cols], want[i*cols:(i+1)*cols])) }
		b.launch("differences", 1, norms, difference, x, y, int32(rows), int32(cols))
		b.same("differences", difference, want)
		b.near("their norms", norms, norm, func(i int) float64 { return ulp(norm(i)) })
		clear(norms)
		b.launch("differences", 1, norms, nil, x, y, int32(rows), int32(cols))
		b.near("norms alone", norms, norm, func(i int) float64 { return ulp(norm(i)) })
	}
}

// layer is a layer in training: sizes, the two sides of a gradient, and parameters.
type layer struct {
	hidden, visible, dataRows, modelRows                     int
	dataHidden, dataVisible, modelHidden, modelVisible       []float32
	weight, weightVelocity, step                             []float32
	hiddenBias, hiddenVelocity, visibleBias, visibleVelocity []float32
	q, center                                                []float32
}

func (b *bench) layer(hidden, visible, dataRows, modelRows int) *layer {
	return &layer{
		hidden: hidden, visible: visible, dataRows: dataRows, modelRows: modelRows,
		dataHidden: b.probabilities(dataRows * hidden), dataVisible: b.probabilities(dataRows * visible),
		modelHidden: b.probabilities(modelRows * hidden), modelVisible: b.probabilities(modelRows * visible),
		weight: b.normals(hidden * visible), weightVelocity: b.normals(hidden * visible), step: make([]float32, hidden*visible),
		hiddenBias: b.normals(hidden), hiddenVelocity: b.normals(hidden),
		visibleBias: b.normals(visible), visibleVelocity: b.normals(visible),
		q: b.probabilities(hidden), center: b.probabilities(visible),
	}
}

// product is element (i, j) of hidden' visible.
func (l *layer) product(hidden, visible []float32, i, j int) (sum float64) {
	for r := range len(hidden) / l.hidden {
		sum += float64(hidden[r*l.hidden+i]) * float64(visible[r*l.visible+j])
	}
	return sum
}

func TestLearnWeights(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][4]int{{1, 1, 1, 1}, {5, 9, 7, 3}, {65, 66, 17, 16}, {3, 130, 5, 20}} {
		for _, c := range []struct {
			name            string
			step, moves     bool
			momentum, decay float32
		}{
			{"velocity", false, true, 0.7, -0.01},
			{"velocity without momentum and decay", false, true, 0, 0},
			{"step of its own", true, true, 0.7, -0.01},
			{"step of its own without momentum and decay", true, true, 0, 0},
			{"step alone", true, false, 0.7, -0.01},
		} {
			l := b.layer(shape[0], shape[1], shape[2], shape[3])
			before := *l
			before.weight, before.weightVelocity = slices.Clone(l.weight), slices.Clone(l.weightVelocity)
			var step, weight any
			if c.step {
				step = l.step
			}
			if c.moves {
				weight = l.weight
			}
			b.launch("learn_weights", kernels.ProductBlocks(int64(l.hidden), int64(l.visible)), step, l.weightVelocity, weight,
				l.dataHidden, l.dataVisible, int32(l.dataRows), float32(0.1), l.modelHidden, l.modelVisible, int32(l.modelRows), float32(-0.2),
				int32(l.hidden), int32(l.visible), c.momentum, c.decay)
			gradient := func(e int) float64 {
				i, j := e/l.visible, e%l.visible
				return 0.1*l.product(l.dataHidden, l.dataVisible, i, j) - 0.2*l.product(l.modelHidden, l.modelVisible, i, j)
			}
			if !c.moves {
				b.about(c.name, l.step, gradient)
				b.same(c.name+": velocity", l.weightVelocity, before.weightVelocity)
				continue
			}
			b.checkMove(c.name, l, &before, c.step, gradient, float64(c.momentum), float64(c.decay))
		}
	}
}

// checkMove checks weights that have moved along a gradient.
func (b *bench) checkMove(what string, l, before *layer, step bool, gradient func(e int) float64, momentum, decay float64) {
	b.Helper()
	along := func(e int) float64 { return gradient(e) + decay*float64(before.weight[e]) }
	velocity := func(e int) float64 { return momentum*float64(before.weightVelocity[e]) + along(e) }
	if step {
		b.about(what+": step", l.step, along)
	}
	b.about(what+": velocity", l.weightVelocity, velocity)
	b.about(what+": weights", l.weight, func(e int) float64 { return float64(before.weight[e]) + velocity(e) })
}

func TestLearnLimited(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][2]int{{1, 1}, {9, 5}, {3, 300}} {
		l := b.layer(shape[0], shape[1], 1, 1)
		l.step = b.normals(l.hidden * l.visible)
		row := func(i int) []float32 { return l.step[i*l.visible : (i+1)*l.visible] }
		for j := range row(0) {
			row(0)[j] *= 1e-3 // shorter than the limit
		}
		before := *l
		before.weight, before.weightVelocity, before.step = slices.Clone(l.weight), slices.Clone(l.weightVelocity), slices.Clone(l.step)
		b.launch("learn_limited", 1, l.step, l.weightVelocity, l.weight, int32(l.hidden), int32(l.visible), float32(0.25), float32(0.7), float32(-0.01))
		b.checkMove("learn_limited", l, &before, true, func(e int) float64 {
			r := before.step[e/l.visible*l.visible:][:l.visible]
			return float64(before.step[e]) * min(1, 0.25/math.Sqrt(inner(r, r)))
		}, 0.7, -0.01)
	}
}

func TestLearnBiases(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][4]int{{1, 1, 1, 1}, {5, 9, 7, 3}, {300, 3, 4, 4}, {3, 300, 4, 4}} {
		for _, c := range []struct {
			name                     string
			model, tracked, centered bool
			cost                     float32
		}{
			{"both sides", true, false, false, 0},
			{"one side", false, false, false, 0},
			{"sparsity", true, true, false, 0.5},
			{"centered", true, true, true, 0},
			{"centered with sparsity", true, true, true, 0.5},
		} {
			l := b.layer(shape[0], shape[1], shape[2], shape[3])
			b.learnBiases(c.name, l, c.model, c.tracked, c.centered, c.cost)
		}
	}
}

// learnBiases launches learn_biases and checks what it does.
func (b *bench) learnBiases(what string, l *layer, model, tracked, centered bool, cost float32) {
	b.Helper()
	const rate, momentum, share, push = 0.1, 0.7, 0.01, 0.2
	before := *l
	before.dataHidden, before.modelHidden, before.modelVisible = slices.Clone(l.dataHidden), slices.Clone(l.modelHidden), slices.Clone(l.modelVisible)
	before.hiddenBias, before.hiddenVelocity, before.q = slices.Clone(l.hiddenBias), slices.Clone(l.hiddenVelocity), slices.Clone(l.q)
	before.visibleBias, before.visibleVelocity = slices.Clone(l.visibleBias), slices.Clone(l.visibleVelocity)
	shifted := make([]float32, len(l.dataVisible))

	var modelHidden, modelVisible, q, center, to any
	if model {
		modelHidden, modelVisible = l.modelHidden, l.modelVisible
	}
	if tracked {
		q = l.q
	}
	if centered {
		center, to = l.center, shifted
	}
	b.launch("learn_biases", kernels.Blocks(int64(l.hidden+l.visible)), l.hiddenBias, l.hiddenVelocity, l.dataHidden, modelHidden, q,
		l.visibleBias, l.visibleVelocity, l.dataVisible, to, modelVisible, center,
		int32(l.hidden), int32(l.visible), int32(l.dataRows), int32(l.modelRows),
		float32(rate), float32(momentum), float32(share), float32(1-share), cost, float32(push))

	activity := func(j int) float64 {
		return (1-share)*float64(before.q[j]) + share*mean(before.dataHidden, l.hidden, j)
	}
	var dataShift, modelShift, visibleShift func(j int) float64
	dataShift = func(j int) (sum float64) {
		if cost != 0 {
			sum = push - float64(cost)*activity(j)
		}
		return sum + modelShift(j)
	}
	modelShift = func(j int) float64 {
		if centered {
			return -activity(j)
		}
		return 0
	}
	visibleShift = func(j int) float64 {
		if centered {
			return -float64(l.center[j])
		}
		return 0
	}
	if tracked {
		b.about(what+": activity", l.q, activity)
	}
	add := func(x []float32, units int, shift func(j int) float64) func(e int) float64 {
		return func(e int) float64 { return float64(x[e]) + shift(e%units) }
	}
	b.about(what+": hidden states of the data", l.dataHidden, add(before.dataHidden, l.hidden, dataShift))
	if centered {
		b.about(what+": the data", shifted, add(l.dataVisible, l.visible, visibleShift))
		b.about(what+": hidden states of the model", l.modelHidden, add(before.modelHidden, l.hidden, modelShift))
		b.about(what+": visible states of the model", l.modelVisible, add(before.modelVisible, l.visible, visibleShift))
	} else {
		b.same(what+": hidden states of the model", l.modelHidden, before.modelHidden)
		b.same(what+": visible states of the model", l.modelVisible, before.modelVisible)
	}
	velocity := func(old, data, model []float32, units int, dataShift, modelShift func(j int) float64) func(j int) float64 {
		return func(j int) float64 {
			v := momentum*float64(old[j]) + rate*(mean(data, units, j)+dataShift(j))
			if modelHidden != nil {
				v -= rate * (mean(model, units, j) + modelShift(j))
			}
			return v
		}
	}
	of := velocity(before.hiddenVelocity, before.dataHidden, before.modelHidden, l.hidden, dataShift, modelShift)
	b.checkBias(what+": hidden", l.hiddenVelocity, l.hiddenBias, before.hiddenBias, of, !centered)
	of = velocity(before.visibleVelocity, l.dataVisible, before.modelVisible, l.visible, visibleShift, visibleShift)
	b.checkBias(what+": visible", l.visibleVelocity, l.visibleBias, before.visibleBias, of, !centered)
}

// checkBias checks biases, which follow their velocities or stay.
func (b *bench) checkBias(what string, velocity, bias, before []float32, want func(j int) float64, follow bool) {
	b.Helper()
	b.about(what+" velocity", velocity, want)
	if follow {
		b.about(what+" bias", bias, func(j int) float64 { return float64(before[j]) + want(j) })
	} else {
		b.same(what+" bias", bias, before)
	}
}

// mean is that of column j.
func mean(x []float32, cols, j int) (sum float64) {
	rows := len(x) / cols
	for i := range rows {
		sum += float64(x[i*cols+j]) / float64(rows)
	}
	return sum
}

func TestLearnUncentered(t *testing.T) {
	b := newBench(t)
	for _, shape := range [][2]int{{1, 1}, {9, 5}, {3, 300}, {270, 2}} {
		l := b.layer(shape[0], shape[1], 1, 1)
		before := *l
		before.hiddenBias, before.hiddenVelocity = slices.Clone(l.hiddenBias), slices.Clone(l.hiddenVelocity)
		before.visibleBias, before.visibleVelocity = slices.Clone(l.visibleBias), slices.Clone(l.visibleVelocity)
		l.step = b.normals(l.hidden * l.visible)
		b.launch("learn_uncentered", kernels.Blocks(int64(l.hidden+l.visible)), l.hiddenBias, l.hiddenVelocity, l.q,
			l.visibleBias, l.visibleVelocity, l.center, l.step, int32(l.hidden), int32(l.visible))
		b.checkBias("hidden", l.hiddenVelocity, l.hiddenBias, before.hiddenBias, func(i int) float64 {
			return float64(before.hiddenVelocity[i]) - inner(l.step[i*l.visible:(i+1)*l.visible], l.center)
		}, true)
		b.checkBias("visible", l.visibleVelocity, l.visibleBias, before.visibleBias, func(j int) float64 {
			v := float64(before.visibleVelocity[j])
			for i, q := range l.q {
				v -= float64(q) * float64(l.step[i*l.visible+j])
			}
			return v
		}, true)
	}
}
