package cpu

import (
	"errors"
	"math"

	"github.com/unitscope/unitscope/cpu/internal/kernel"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

// learner is what the fused training plans share. An update is a few phases,
// each shared among the workers:
//
//   - products with the weights (pass), whose tiles go straight from the
//     kernel through bias and sigmoid into every layout that is asked for: the
//     next product's factor, the gradient's factors, rows to draw states from
//   - whole rows (draw): states and corruptions, since a row's random numbers
//     start at its first column
//   - the gradient, see learn, with the step of weights and velocities
//
// Weights and velocity stay packed from update to update: the gradient's tiles
// are pieces of them as they stand, and only the weights' other direction is
// made anew while a block of them is in cache. They go back to where the caller
// keeps them when a run ends.
type learner struct {
	device          *device
	set             *kernel.Set
	operation       string // of errors
	visible, hidden int
	batch           int
	closed          bool
	team            team
	update          func(w *worker, keys []uint64) // learns from one batch, the rows of x
	err             error                          // of making buffers

	weights weights

	// The run at work.
	state    *engine.TrainingState
	rule     engine.Update
	keys     []uint64
	data     *matrix
	value    parameters
	velocity parameters
	chains   *matrix
	activity []float32 // q and mu of the RBMs that have them
	center   []float32
	progress engine.TrainingProgress

	// The batch at work.
	x              matrix    // its rows of data
	mistakes       []float64 // squared errors of rows, by blocks of columns
	mistakesBuffer []float64

	// Phases.
	pass     pass
	draw     draw
	gradient gradient
	parts    struct{ pack, unpack, pass, draw, gradient part } // the methods, bound once
}

// parameters is engine.Parameters as numbers.
type parameters struct{ weight, bias, visibleBias []float32 }

func dataOf(p operand.Parameters[*matrix]) parameters {
	return parameters{p.Weight.data(), p.Bias.data(), p.VisibleBias.data()}
}

// init makes what a plan for so many units and rows needs; terms is the number
// of rows that the gradient sums over.
func (l *learner) init(d *device, operation string, visible, hidden, batch, terms int, update func(w *worker, keys []uint64)) {
	l.device, l.set, l.operation = d, d.set, operation
	l.visible, l.hidden, l.batch, l.update = visible, hidden, batch, update
	l.team.init(d.pool, l.run)
	l.parts.pack, l.parts.unpack = l.packPart, l.unpackPart
	l.parts.pass, l.parts.draw, l.parts.gradient = l.passPart, l.drawPart, l.gradientPart
	l.weights = weights{l.panels(visible, hidden), l.panels(hidden, visible), l.panels(hidden, visible)}
	l.gradient.init(l, terms)
}

// numbers makes a buffer, and remembers an error.
func (l *learner) numbers(rows, cols int) []float32 { return numbers(l.matrix(rows, cols)) }

func (l *learner) matrix(rows, cols int) *matrix {
	if l.err != nil {
		return nil
	}
	m, err := l.device.New(rows, cols)
	if err != nil {
		l.err = err
		return nil
	}
	return m.(*matrix)
}

func (l *learner) panels(terms, cols int) panels {
	p := panels{terms: terms, cols: cols, lanes: l.set.Lanes}
	p.data = l.numbers(terms, p.count()*p.lanes)
	return p
}

func (l *learner) strips(lines, terms int) strips {
	s := strips{lines: lines, terms: terms, width: l.set.Rows}
	s.data = l.numbers(terms, s.count()*s.width)
	return s
}

// Close implements engine.Runner.
func (l *learner) Close() error {
	l.closed = true
	l.weights, l.gradient = weights{}, gradient{}
	return nil
}

// train runs all batches of data, which the caller has checked.
func (l *learner) train(s *engine.TrainingState, data engine.Matrix, keys []uint64, u engine.Update) (engine.TrainingProgress, error) {
	if err := l.take(s, data); err != nil {
		return engine.TrainingProgress{}, err
	}
	l.state, l.keys, l.rule, l.progress = s, keys, u, engine.TrainingProgress{}
	l.team.perform(l.work(min(l.batch, len(keys))))
	l.forget()
	return l.progress, nil
}

// open says why a run can't begin.
func (l *learner) open() error {
	if err := l.device.open(l.operation); err != nil {
		return err
	}
	if l.closed {
		return errors.New(l.operation + ": the plan is closed")
	}
	return nil
}

// take looks at the operands' memory.
func (l *learner) take(s *engine.TrainingState, data engine.Matrix) error {
	o, err := operand.Training[*matrix](l.device, l.operation, s, data)
	if err != nil {
		return err
	}
	l.data, l.chains = o.Data, o.Chains
	l.value, l.velocity = dataOf(o.Value), dataOf(o.Velocity)
	l.activity, l.center = numbers(o.Activity), numbers(o.Center)
	return nil
}

// forget lets go of the operands, so that closing them frees their memory.
func (l *learner) forget() {
	l.state, l.keys, l.data, l.chains, l.x = nil, nil, nil, nil, matrix{}
	l.value, l.velocity = parameters{}, parameters{}
	l.activity, l.center = nil, nil
	l.pass, l.draw = pass{}, draw{}
}

// work is that of a product for so many rows.
func (l *learner) work(rows int) float64 {
	return float64(rows) * float64(l.visible) * float64(l.hidden) / 8
}

// run is the script of a run.
func (l *learner) run(w *worker) {
	if len(l.keys) == 0 {
		return
	}
	numbers := float64(l.visible) * float64(l.hidden)
	l.team.run(w, l.weights.up.count(), 3*numbers, l.parts.pack)
	for from := 0; from < len(l.keys); from += l.batch {
		to := min(from+l.batch, len(l.keys))
		l.x = matrix{in: l.data.in, first: l.data.first + from*l.visible, rows: to - from, cols: l.visible, view: true}
		l.update(w, l.keys[from:to])
		l.state.Updates++
		l.progress.Updates++
		l.progress.Examples += int64(to - from)
		for _, e := range l.mistakes {
			l.progress.SquaredError += e
		}
	}
	l.team.run(w, l.weights.up.count(), 2*numbers, l.parts.unpack)
}

// packPart packs the weights of one panel of hidden units, unpackPart writes
// them back.
func (l *learner) packPart(_ *worker, i int) {
	l.weights.pack(l.set, l.value.weight, l.velocity.weight, i*l.set.Lanes, l.weights.up.end(i))
}

func (l *learner) unpackPart(_ *worker, i int) {
	l.weights.unpack(l.value.weight, l.velocity.weight, i*l.set.Lanes, l.weights.up.end(i))
}

// top is a view of the first rows of a buffer.
func (m *matrix) top(rows int) matrix {
	return matrix{in: m.in, first: m.first, rows: rows, cols: m.cols, view: true}
}

// square is the sum of squares of x. Where float32 can't hold it, float64 can.
func (l *learner) square(x []float32) float64 {
	s := float64(l.set.Dot(x, x))
	if math.IsInf(s, 0) {
		s = dot(x, x)
	}
	return s
}
