package cpu

import "github.com/unitscope/unitscope/engine"

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

// leave takes a row out of its lane.
func (c *climber) leave(t *ascentTile, lane int) {
	c.store(t, lane, t.rows[lane].index)
	c.vacate(t, lane)
	c.active--
}
