package cpu

import "github.com/unitscope/unitscope/engine"

// ascentPart is one worker's part of an ascent.
type ascentPart struct {
	ascent *ascent
	groups []ascentGroup
	used   int // groups that hold rows
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

// ascentGroup is up to Lanes rows, a lane each; matrices are [units, lanes].
type ascentGroup struct {
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

func newAscentPart(a *ascent, groups int) *ascentPart {
	p := &ascentPart{ascent: a}
	lanes, inputs := a.device.set.Lanes, a.plan.Layers[0].Weight.Cols
	for range groups {
		g := ascentGroup{rows: make([]row, lanes)}
		numbers := func(rows int) []float32 { return make([]float32, rows*lanes) }
		g.x, g.target, g.spare = numbers(inputs), numbers(a.target.Cols), numbers(inputs)
		g.activation, g.norm, g.chord, g.scale = numbers(1), numbers(1), numbers(1), numbers(1)
		padded, widest := inputs, 0
		for i, l := range a.layers {
			g.hidden = append(g.hidden, numbers(l.up.padded()))
			widest = max(widest, l.up.padded(), l.down.padded())
			if i == 0 {
				padded = l.down.padded()
			}
		}
		g.delta = [2][]float32{numbers(widest), numbers(widest)}
		g.direction = numbers(padded)
		p.groups = append(p.groups, g)
	}
	return p
}

func (p *ascentPart) begin(s *engine.AscentState, x []float32, steps int) {
	p.state, p.x, p.steps = s, x, steps
	p.rowSteps, p.err, p.used, p.active = 0, nil, 0, 0
}

// end lets go of the caller's memory.
func (p *ascentPart) end() { p.state, p.x = nil, nil }

// run takes rows up until none is left for worker number w.
func (p *ascentPart) run(w int) {
	for p.layOut(w); p.active > 0; {
		p.rowSteps += int64(p.active)
		before := p.active
		p.evaluate()
		p.judge()
		p.move()
		if p.active < before && !p.refill(w) {
			p.layOut(w)
		}
	}
}

// layOut puts the rows in work, and as many that wait as there is room for, into
// as few lanes as hold them. It does nothing if they are there already.
func (p *ascentPart) layOut(w int) {
	capacity := len(p.groups) * p.ascent.device.set.Lanes
	if p.active > 0 && p.lanes() <= p.lanesFor(p.active) {
		return
	}
	p.waiting = p.waiting[:0]
	for i := range p.used {
		g := &p.groups[i]
		for lane, r := range g.rows[:g.lanes] {
			if r.index != noRow {
				p.store(g, lane, r.index)
				p.waiting = append(p.waiting, r)
			}
		}
	}
	for len(p.waiting) < capacity {
		index, ok := p.ascent.queue.take(w, len(p.waiting) == 0)
		if !ok {
			break
		}
		p.waiting = append(p.waiting, row{index, p.steps})
	}
	p.place()
}

// place puts the rows that wait into groups.
func (p *ascentPart) place() {
	p.used, p.active = 0, len(p.waiting)
	width := p.ascent.device.set.Lanes
	for from := 0; from < len(p.waiting); from += width {
		rows := p.waiting[from:min(from+width, len(p.waiting))]
		g := &p.groups[p.used]
		p.used++
		g.lanes = p.lanesFor(len(rows))
		for lane := range g.lanes {
			if lane < len(rows) {
				p.load(g, lane, rows[lane])
			} else {
				p.vacate(g, lane)
			}
		}
	}
}

// lanes is how many there are in the groups in use.
func (p *ascentPart) lanes() (n int) {
	for i := range p.used {
		n += p.groups[i].lanes
	}
	return n
}

// lanesFor is the smallest number of lanes that holds so many rows: whole groups,
// the last one perhaps a narrow one.
func (p *ascentPart) lanesFor(rows int) int {
	half := p.ascent.device.set.Lanes / 2
	return (rows + half - 1) / half * half
}

// refill puts rows that wait into free lanes; false means that none waits.
func (p *ascentPart) refill(w int) bool {
	for i := range p.used {
		g := &p.groups[i]
		for lane := range g.lanes {
			if g.rows[lane].index != noRow {
				continue
			}
			index, ok := p.ascent.queue.take(w, p.active == 0)
			if !ok {
				return false
			}
			p.load(g, lane, row{index, p.steps})
			p.active++
		}
	}
	return true
}

// load puts a row into a lane.
func (p *ascentPart) load(g *ascentGroup, lane int, r row) {
	g.rows[lane] = r
	inputs, width := len(p.x)/len(p.state.Units), p.ascent.target.Cols
	scatter(g.x[lane:], g.lanes, p.x[r.index*inputs:(r.index+1)*inputs])
	unit := p.state.Units[r.index]
	scatter(g.target[lane:], g.lanes, p.ascent.target.Data[unit*width:(unit+1)*width])
}

// vacate empties a lane. Zeros keep its numbers finite; nobody reads them.
func (p *ascentPart) vacate(g *ascentGroup, lane int) {
	g.rows[lane].index = noRow
	for i := lane; i < p.ascent.plan.Layers[0].Weight.Cols*g.lanes; i += g.lanes {
		g.x[i] = 0
	}
	for i := lane; i < p.ascent.target.Cols*g.lanes; i += g.lanes {
		g.target[i] = 0
	}
}

// store copies a lane back to its row of the state.
func (p *ascentPart) store(g *ascentGroup, lane, index int) {
	inputs := len(p.x) / len(p.state.Units)
	for j := range inputs {
		p.x[index*inputs+j] = g.x[j*g.lanes+lane]
	}
}

// scatter is dst[j*lanes] = src[j].
func scatter(dst []float32, lanes int, src []float32) {
	for j, v := range src {
		dst[j*lanes] = v
	}
}

// leave takes a row out of its lane.
func (p *ascentPart) leave(g *ascentGroup, lane int) {
	p.store(g, lane, g.rows[lane].index)
	p.vacate(g, lane)
	p.active--
}
