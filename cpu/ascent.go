package cpu

import (
	"errors"
	"math"
	"sync"

	"github.com/unitscope/unitscope/engine"
)

// ascent is the fused engine.Ascent. Weights are packed once, in both
// orientations. Each worker carries tiles of rows through all layers, forward
// and backward, step after step, with everything it touches in its own cache;
// bias, sigmoid and derivative are applied to a panel's outputs right after
// they are made. A row whose ascent has ended makes room for one that waits.
//
// A row is a lane, and lanes never meet: a row's bits depend neither on its
// company nor on its place.
type ascent struct {
	device   *device
	plan     engine.Ascent
	layers   []ascentLayer // below the target
	target   engine.Host   // a copy of the last layer's weights
	climbers []*climber    // one for each worker
	queue    ascentQueue
	closed   bool
}

// ascentLayer is a layer below the target.
type ascentLayer struct {
	up   *packed   // W: units from inputs
	down *packed   // W': inputs from units
	bias []float32 // [up.padded()]
}

// tileBytes is what the tiles of a worker may take of its second level of
// cache, for the inputs and outputs of one layer. Each panel of weights is
// read once for all of them.
const tileBytes = 1 << 20

// maxTiles bounds a worker's tiles: more save little weight traffic, and what
// they keep of all layers leaves the second level. On 784-1000-1000-1000 two
// were 4 % faster than one or four (2 MiB of second level, November 2026).
const maxTiles = 2

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
	tiles := min(maxTiles, max(1, tileBytes/(2*4*widest*d.set.Lanes)))
	for range d.pool.workers {
		a.climbers = append(a.climbers, newClimber(a, tiles))
	}
	a.queue.of = make([]share, len(a.climbers))
	return a, nil
}

// Close implements engine.Runner.
func (a *ascent) Close() error {
	a.closed, a.layers, a.climbers = true, nil, nil
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
		for _, c := range a.climbers {
			c.begin(s, x.data(), steps)
		}
		rows := float64(len(s.Units))
		a.device.pool.run(len(a.climbers), rows*float64(steps)*float64(1+len(a.target.Data)), a.climb)
		for _, c := range a.climbers {
			c.end()
			progress.RowSteps += c.rowSteps
		}
	}
	for _, stop := range s.Stop {
		if stop == engine.Running {
			progress.Active++
		}
	}
	return progress, a.firstError()
}

func (a *ascent) climb(_ *worker, i int) { a.climbers[i].run(i) }

// firstError is the error of the first row that has one, whichever worker met
// it first.
func (a *ascent) firstError() (err error) {
	row := math.MaxInt
	for _, c := range a.climbers {
		if c.err != nil && c.errRow < row {
			row, err = c.errRow, c.err
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

// climber is one worker's part of an ascent.
type climber struct {
	ascent *ascent
	tiles  []ascentTile
	used   int // tiles that hold rows
	active int // rows in them

	// What a call of Run is about.
	state    *engine.AscentState
	x        []float32 // of all rows [rows, inputs]
	steps    int
	rowSteps int64
	err      error
	errRow   int
	waiting  []row // rows between two layouts
}

// row is a row of the state in work, with the evaluations it has left.
type row struct{ index, left int }

// noRow marks a lane without a row.
const noRow = -1

// ascentTile is up to Lanes rows, a lane each; matrices are [units, lanes].
type ascentTile struct {
	lanes     int
	rows      []row // [lanes]
	x         []float32
	target    []float32 // weights of the units that are climbed
	hidden    [][]float32
	delta     [2][]float32
	direction []float32 // the gradient, then the direction of ascent
	spare     []float32 // [inputs, lanes]

	activation, norm, chord, scale []float32 // [lanes]
}

func newClimber(a *ascent, tiles int) *climber {
	c := &climber{ascent: a}
	lanes, inputs := a.device.set.Lanes, a.plan.Layers[0].Weight.Cols
	for range tiles {
		t := ascentTile{rows: make([]row, lanes)}
		numbers := func(rows int) []float32 { return make([]float32, rows*lanes) }
		t.x, t.target, t.spare = numbers(inputs), numbers(a.target.Cols), numbers(inputs)
		t.activation, t.norm, t.chord, t.scale = numbers(1), numbers(1), numbers(1), numbers(1)
		padded, widest := inputs, 0
		for i, l := range a.layers {
			t.hidden = append(t.hidden, numbers(l.up.padded()))
			widest = max(widest, l.up.padded(), l.down.padded())
			if i == 0 {
				padded = l.down.padded()
			}
		}
		t.delta = [2][]float32{numbers(widest), numbers(widest)}
		t.direction = numbers(padded)
		c.tiles = append(c.tiles, t)
	}
	return c
}

func (c *climber) begin(s *engine.AscentState, x []float32, steps int) {
	c.state, c.x, c.steps = s, x, steps
	c.rowSteps, c.err, c.used, c.active = 0, nil, 0, 0
}

// end lets go of the caller's memory.
func (c *climber) end() { c.state, c.x = nil, nil }

// run climbs rows until none is left for worker number w.
func (c *climber) run(w int) {
	for c.layOut(w); c.active > 0; {
		c.rowSteps += int64(c.active)
		before := c.active
		c.evaluate()
		c.judge()
		c.move()
		if c.active < before && !c.refill(w) {
			c.layOut(w)
		}
	}
}

// layOut puts the rows in work, and as many that wait as there is room for, into
// as few lanes as hold them. It does nothing if they are there already.
func (c *climber) layOut(w int) {
	capacity := len(c.tiles) * c.ascent.device.set.Lanes
	if c.active > 0 && c.lanes() <= c.lanesFor(c.active) {
		return
	}
	c.waiting = c.waiting[:0]
	for i := range c.used {
		t := &c.tiles[i]
		for lane, r := range t.rows[:t.lanes] {
			if r.index != noRow {
				c.store(t, lane, r.index)
				c.waiting = append(c.waiting, r)
			}
		}
	}
	for len(c.waiting) < capacity {
		index, ok := c.ascent.queue.take(w, len(c.waiting) == 0)
		if !ok {
			break
		}
		c.waiting = append(c.waiting, row{index, c.steps})
	}
	c.place()
}

// place puts the rows that wait into tiles.
func (c *climber) place() {
	c.used, c.active = 0, len(c.waiting)
	width := c.ascent.device.set.Lanes
	for from := 0; from < len(c.waiting); from += width {
		rows := c.waiting[from:min(from+width, len(c.waiting))]
		t := &c.tiles[c.used]
		c.used++
		t.lanes = c.lanesFor(len(rows))
		for lane := range t.lanes {
			if lane < len(rows) {
				c.load(t, lane, rows[lane])
			} else {
				c.vacate(t, lane)
			}
		}
	}
}

// lanes is how many there are in the tiles in use.
func (c *climber) lanes() (n int) {
	for i := range c.used {
		n += c.tiles[i].lanes
	}
	return n
}

// lanesFor is the smallest number of lanes that holds so many rows: whole tiles,
// the last one perhaps a narrow one.
func (c *climber) lanesFor(rows int) int {
	half := c.ascent.device.set.Lanes / 2
	return (rows + half - 1) / half * half
}

// refill puts rows that wait into free lanes; false means that none waits.
func (c *climber) refill(w int) bool {
	for i := range c.used {
		t := &c.tiles[i]
		for lane := range t.lanes {
			if t.rows[lane].index != noRow {
				continue
			}
			index, ok := c.ascent.queue.take(w, c.active == 0)
			if !ok {
				return false
			}
			c.load(t, lane, row{index, c.steps})
			c.active++
		}
	}
	return true
}

// load puts a row into a lane.
func (c *climber) load(t *ascentTile, lane int, r row) {
	t.rows[lane] = r
	inputs, width := len(c.x)/len(c.state.Units), c.ascent.target.Cols
	scatter(t.x[lane:], t.lanes, c.x[r.index*inputs:(r.index+1)*inputs])
	unit := c.state.Units[r.index]
	scatter(t.target[lane:], t.lanes, c.ascent.target.Data[unit*width:(unit+1)*width])
}

// vacate empties a lane. Zeros keep its numbers finite; nobody reads them.
func (c *climber) vacate(t *ascentTile, lane int) {
	t.rows[lane].index = noRow
	for i := lane; i < c.ascent.plan.Layers[0].Weight.Cols*t.lanes; i += t.lanes {
		t.x[i] = 0
	}
	for i := lane; i < c.ascent.target.Cols*t.lanes; i += t.lanes {
		t.target[i] = 0
	}
}

// store copies a lane back to its row of the state.
func (c *climber) store(t *ascentTile, lane, index int) {
	inputs := len(c.x) / len(c.state.Units)
	for j := range inputs {
		c.x[index*inputs+j] = t.x[j*t.lanes+lane]
	}
}

// scatter is dst[j*lanes] = src[j].
func scatter(dst []float32, lanes int, src []float32) {
	for j, v := range src {
		dst[j*lanes] = v
	}
}

// evaluate computes activation, gradient norm and direction of every lane, as
// the definition does (engine's plainAscent).
func (c *climber) evaluate() {
	set := c.ascent.device.set
	for l, layer := range c.ascent.layers {
		for panel := range layer.up.panels {
			bias := layer.bias[panel*set.Rows:][:set.Rows]
			for i := range c.used {
				t := &c.tiles[i]
				below := t.x
				if l > 0 {
					below = t.hidden[l-1]
				}
				out := layer.up.multiply(t.hidden[l], below, panel, t.lanes)
				set.BiasSigmoid(out, out, bias, t.lanes)
			}
		}
	}
	for i := range c.used {
		c.tiles[i].aim(c.ascent)
	}
	for l := len(c.ascent.layers) - 1; l >= 0; l-- {
		c.back(l)
	}
	for i := range c.used {
		c.tiles[i].measure(c.ascent)
	}
}

// aim computes the activation and the gradient before the last hidden layer's
// sigmoid.
func (t *ascentTile) aim(a *ascent) {
	set, size := a.device.set, a.target.Cols*t.lanes
	top := len(a.layers) - 1
	sum := t.activation[:t.lanes]
	clear(sum)
	if top < 0 {
		set.LaneDots(sum, t.target[:size], t.x[:size])
		copy(t.direction, t.target[:size])
		return
	}
	hidden := t.hidden[top][:size]
	set.LaneDots(sum, t.target[:size], hidden)
	delta := t.delta[top%2][:size]
	copy(delta, t.target)
	set.DerivativeScale(delta, hidden)
}

// back takes the gradient down through layer l.
func (c *climber) back(l int) {
	layer, set := c.ascent.layers[l], c.ascent.device.set
	for panel := range layer.down.panels {
		for i := range c.used {
			t := &c.tiles[i]
			dst := t.direction
			if l > 0 {
				dst = t.delta[(l-1)%2]
			}
			out := layer.down.multiply(dst, t.delta[l%2], panel, t.lanes)
			if l > 0 {
				// The padding of the last panel lies within that of hidden: both
				// have the units of layer l-1 as outputs.
				set.DerivativeScale(out, t.hidden[l-1][panel*len(out):][:len(out)])
			}
		}
	}
}

// measure computes the gradient's norm, the direction of ascent and the chord.
func (t *ascentTile) measure(a *ascent) {
	set, size := a.device.set, a.plan.Layers[0].Weight.Cols*t.lanes
	radius := float64(a.plan.Radius)
	norm, chord, scale := t.norm[:t.lanes], t.chord[:t.lanes], t.scale[:t.lanes]
	direction, spare := t.direction[:size], t.spare[:size]

	t.lengths(norm, direction, a)
	for lane, n := range norm {
		scale[lane] = 0
		if n > 0 {
			scale[lane] = float32(float64(a.plan.Direction) * radius / float64(n))
		}
	}
	set.LaneScale(direction, scale)
	copy(spare, direction)
	set.Axpby(spare, -1, t.x[:size], 1)
	t.lengths(chord, spare, a)
}

// Sums of squares between these have lost nothing to float32's range.
const smallestSquares, largestSquares = 1e-28, 1e37

// lengths computes the Euclidean norm of each lane that has a row, in float64
// where its squares leave the range of float32: the definition does always.
func (t *ascentTile) lengths(norms, x []float32, a *ascent) {
	clear(norms)
	a.device.set.SquareSum(norms, x)
	for lane, s := range norms {
		sum := float64(s)
		if t.rows[lane].index != noRow && !(s >= smallestSquares && s <= largestSquares) {
			sum = squares(x[lane:], t.lanes)
		}
		norms[lane] = float32(math.Sqrt(sum))
	}
}

// squares is the sum of the squares of one lane.
func squares(x []float32, lanes int) (sum float64) {
	for i := 0; i < len(x); i += lanes {
		sum += float64(x[i]) * float64(x[i])
	}
	return sum
}

// judge records what evaluate found and takes out the rows that stop, at the x
// that was judged.
func (c *climber) judge() {
	for i := range c.used {
		t := &c.tiles[i]
		for lane := range t.lanes {
			r := t.rows[lane]
			if r.index == noRow {
				continue
			}
			err := c.ascent.plan.Judge(c.state, r.index, t.activation[lane], t.norm[lane], t.chord[lane])
			if err != nil && (c.err == nil || r.index < c.errRow) {
				c.err, c.errRow = err, r.index
			}
			if err != nil || c.state.Stop[r.index] != engine.Running {
				c.leave(t, lane)
			}
		}
	}
}

// leave takes a row out of its lane.
func (c *climber) leave(t *ascentTile, lane int) {
	c.store(t, lane, t.rows[lane].index)
	c.vacate(t, lane)
	c.active--
}

// move takes one step on the sphere in every lane, and takes out the rows that
// have had their steps.
func (c *climber) move() {
	for i := range c.used {
		t := &c.tiles[i]
		c.step(t)
		for lane := range t.lanes {
			r := &t.rows[lane]
			if r.index == noRow {
				continue
			}
			c.state.Steps[r.index]++
			if r.left--; r.left == 0 {
				c.leave(t, lane)
			}
		}
	}
}

func (c *climber) step(t *ascentTile) {
	a := c.ascent
	set, size := a.device.set, a.plan.Layers[0].Weight.Cols*t.lanes
	scale, norm := t.scale[:t.lanes], t.norm[:t.lanes]
	for lane, r := range t.rows[:t.lanes] {
		scale[lane] = 0
		if r.index != noRow {
			scale[lane] = c.state.Rate[r.index]
		}
	}
	x, direction := t.x[:size], t.direction[:size]
	set.LaneScale(direction, scale)
	set.Axpby(x, 1, direction, 1)
	t.lengths(norm, x, a)
	for lane, n := range norm {
		scale[lane] = 1
		if n > 0 {
			scale[lane] = float32(float64(a.plan.Radius) / float64(n))
		}
	}
	set.LaneScale(x, scale)
}
