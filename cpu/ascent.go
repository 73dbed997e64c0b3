package cpu

import (
	"errors"
	"math"
	"sync"

	"github.com/unitscope/unitscope/engine"
)

// ascent is the fused engine.Ascent. Weights are packed once, in both
// orientations. Each worker carries groups of rows through all layers, forward
// and backward, step after step, with everything it touches in its own cache;
// bias, sigmoid and derivative are applied to a strip's outputs right after
// they are made. A row whose ascent has ended makes room for one that waits.
//
// A row is a lane, and lanes never meet: a row's bits depend neither on its
// company nor on its place.
type ascent struct {
	device *device
	plan   engine.Ascent
	layers []ascentLayer // below the target
	target engine.Host   // a copy of the last layer's weights
	parts  []*ascentPart // one for each worker
	queue  ascentQueue
	closed bool
}

// ascentLayer is a layer below the target.
type ascentLayer struct {
	up   *packed   // W: units from inputs
	down *packed   // W': inputs from units
	bias []float32 // [up.padded()]
}

// ascentBytes is what the groups of a worker may take of its second level of
// cache, for the inputs and outputs of one layer. Each strip of weights is
// read once for all of them.
const ascentBytes = 1 << 20

// maxGroups bounds a worker's groups: more save little weight traffic, and what
// they keep of all layers leaves the second level. On 784-1000-1000-1000 two
// were 4 % faster than one or four (2 MiB of second level, November 2026).
const maxGroups = 2

func newAscent(d *device, p engine.Ascent) (*ascent, error) {
	if err := engine.CheckAscent(p); err != nil {
		return nil, err
	}
	if err := checkCopies("ascent", p.Layers, len(p.Layers)-1); err != nil {
		return nil, err
	}
	a := &ascent{device: d, plan: p}
	top := len(p.Layers) - 1
	widest := p.Layers[0].Weight.Cols
	for _, l := range p.Layers[:top] {
		w := l.Weight
		up := packRows(d.set, w.Data, w.Rows, w.Cols)
		bias := make([]float32, up.padded())
		copy(bias, l.Bias)
		a.layers = append(a.layers, ascentLayer{up: up, down: packColumns(d.set, w.Data, w.Rows, w.Cols), bias: bias})
		widest = max(widest, w.Rows)
	}
	last := p.Layers[top].Weight
	a.target = engine.Host{Rows: last.Rows, Cols: last.Cols, Data: append([]float32(nil), last.Data...)}
	groups := min(maxGroups, max(1, ascentBytes/(2*4*widest*d.set.Lanes)))
	for range d.pool.workers {
		a.parts = append(a.parts, newAscentPart(a, groups))
	}
	a.queue.of = make([]share, len(a.parts))
	return a, nil
}

// Close implements engine.Runner.
func (a *ascent) Close() error {
	a.closed, a.layers, a.parts = true, nil, nil
	return nil
}

// Run implements engine.AscentRunner.
func (a *ascent) Run(s *engine.AscentState, steps int) (engine.AscentProgress, error) {
	var progress engine.AscentProgress
	if err := a.device.open("ascent"); err != nil {
		return progress, err
	}
	if a.closed {
		return progress, errors.New("ascent: the plan is closed")
	}
	if err := engine.CheckAscentState(a.plan, s); err != nil {
		return progress, err
	}
	x, err := engine.TakeOne[*matrix](a.device, "ascent", "x", s.X)
	if err != nil {
		return progress, err
	}
	if steps > 0 {
		a.queue.fill(s)
		for _, p := range a.parts {
			p.begin(s, x.data(), steps)
		}
		rows := float64(len(s.Units))
		a.device.pool.run(len(a.parts), rows*float64(steps)*float64(1+len(a.target.Data)), a.runPart)
		for _, p := range a.parts {
			p.end()
			progress.RowSteps += p.rowSteps
		}
	}
	for _, stop := range s.Stop {
		if stop == engine.Running {
			progress.Active++
		}
	}
	return progress, a.firstError()
}

func (a *ascent) runPart(_ *worker, i int) { a.parts[i].run(i) }

// firstError is the error of the first row that has one, whichever worker met
// it first.
func (a *ascent) firstError() (err error) {
	row := math.MaxInt
	for _, p := range a.parts {
		if p.err != nil && p.errRow < row {
			row, err = p.errRow, p.err
		}
	}
	return err
}

// ascentQueue hands out the rows that wait. Each worker has a share of its own,
// so that rows that take equally long are spread evenly; one that would be idle
// takes half of the largest other share.
type ascentQueue struct {
	sync.Mutex
	rows []int
	of   []share
}

// share is a part of the rows that wait.
type share struct{ from, to int }

func (q *ascentQueue) fill(s *engine.AscentState) {
	q.rows = q.rows[:0]
	for i, stop := range s.Stop {
		if stop == engine.Running {
			q.rows = append(q.rows, i)
		}
	}
	n, workers := len(q.rows), len(q.of)
	for w := range q.of {
		q.of[w] = share{w * n / workers, (w + 1) * n / workers}
	}
}

// take returns the next row for a worker, one of others only if it is idle; ok
// is false if none waits.
func (q *ascentQueue) take(worker int, idle bool) (row int, ok bool) {
	q.Lock()
	defer q.Unlock()
	own := &q.of[worker]
	if own.from == own.to && !idle {
		return 0, false
	}
	if own.from == own.to {
		largest := own
		for w := range q.of {
			if s := &q.of[w]; s.to-s.from > largest.to-largest.from {
				largest = s
			}
		}
		if largest == own {
			return 0, false
		}
		half := (largest.to - largest.from + 1) / 2
		own.from, own.to = largest.to-half, largest.to
		largest.to -= half
	}
	own.from++
	return q.rows[own.from-1], true
}
