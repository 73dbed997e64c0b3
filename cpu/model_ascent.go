package cpu

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

// ascend takes rows up until none is left for worker number w, at most so many steps
// each.
func (p *modelPart) ascend(w, steps int) {
	p.steps, p.rowSteps, p.err, p.used, p.active = steps, 0, nil, 0, 0
	for p.layOut(w); p.active > 0; {
		p.rowSteps += int64(p.active)
		before := p.active
		p.differentiate()
		for i := range p.used {
			p.groups[i].measure(p.model)
		}
		p.judge()
		p.move()
		if p.active < before && !p.refill(w) {
			p.layOut(w)
		}
	}
}

// layOut puts the rows in work, and as many that wait as there is room for, into
// as few lanes as hold them. It does nothing if they are there already.
func (p *modelPart) layOut(w int) {
	capacity := p.count * p.model.device.set.Lanes
	if p.active > 0 && p.lanes() <= p.lanesFor(p.active) {
		return
	}
	p.waiting = p.waiting[:0]
	p.each(func(g *modelGroup, lane int, r *row) {
		p.store(g, lane, r.index)
		p.waiting = append(p.waiting, *r)
	})
	for len(p.waiting) < capacity {
		index, ok := p.model.queue.take(w, len(p.waiting) == 0)
		if !ok {
			break
		}
		p.waiting = append(p.waiting, row{index, p.steps})
	}
	p.place()
}

// refill puts rows that wait into free lanes; false means that none waits.
func (p *modelPart) refill(w int) bool {
	for i := range p.used {
		g := &p.groups[i]
		for lane := range g.lanes {
			if g.rows[lane].index != noRow {
				continue
			}
			index, ok := p.model.queue.take(w, p.active == 0)
			if !ok {
				return false
			}
			p.load(g, lane, row{index, p.steps})
			p.active++
		}
	}
	return true
}

// measure computes the gradient's norm, the direction of ascent and the chord.
func (g *modelGroup) measure(m *model) {
	set, size := m.device.set, m.net.Input.Size()*g.lanes
	radius := float64(m.rule.Radius)
	norm, chord, scale := g.norm[:g.lanes], g.chord[:g.lanes], g.scale[:g.lanes]
	direction, spare := g.direction[:size], g.spare[:size]

	g.lengths(norm, direction, m)
	for lane, n := range norm {
		scale[lane] = 0
		if n > 0 {
			scale[lane] = float32(radius / float64(n))
		}
	}
	set.LaneScale(direction, scale)
	copy(spare, direction)
	set.Axpby(spare, -1, g.x[:size], 1)
	g.lengths(chord, spare, m)
}

// Sums of squares between these have lost nothing to float32's range.
const smallestSquares, largestSquares = 1e-28, 1e37

// lengths computes the Euclidean norm of each lane that has a row, in float64
// where its squares leave the range of float32: the definition does always.
func (g *modelGroup) lengths(norms, x []float32, m *model) {
	clear(norms)
	m.device.set.SquareSum(norms, x)
	for lane, s := range norms {
		sum := float64(s)
		if g.rows[lane].index != noRow && !(s >= smallestSquares && s <= largestSquares) {
			sum = squares(x[lane:], g.lanes)
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

// judge records what was evaluated and takes out the rows that stop, at the x
// that was judged.
func (p *modelPart) judge() {
	m := p.model
	p.each(func(g *modelGroup, lane int, r *row) {
		err := m.rule.Judge(m.state, r.index, g.activation[lane]+m.constant(r.index), g.norm[lane], g.chord[lane])
		if err != nil && (p.err == nil || r.index < p.errRow) {
			p.err, p.errRow = err, r.index
		}
		if err != nil || m.state.Stop[r.index] != engine.Running {
			p.leave(g, lane)
		}
	})
}

// move takes one step on the sphere in every lane, and takes out the rows that
// have had their steps.
func (p *modelPart) move() {
	for i := range p.used {
		p.groups[i].step(p.model)
	}
	p.each(func(g *modelGroup, lane int, r *row) {
		p.model.state.Steps[r.index]++
		if r.left--; r.left == 0 {
			p.leave(g, lane)
		}
	})
}

func (g *modelGroup) step(m *model) {
	set, size := m.device.set, m.net.Input.Size()*g.lanes
	scale, norm := g.scale[:g.lanes], g.norm[:g.lanes]
	for lane, r := range g.rows[:g.lanes] {
		scale[lane] = 0
		if r.index != noRow {
			scale[lane] = m.state.Rate[r.index]
		}
	}
	x, direction := g.x[:size], g.direction[:size]
	set.LaneScale(direction, scale)
	set.Axpby(x, 1, direction, 1)
	g.lengths(norm, x, m)
	for lane, n := range norm {
		scale[lane] = 1
		if n > 0 {
			scale[lane] = float32(float64(m.rule.Radius) / float64(n))
		}
	}
	set.LaneScale(x, scale)
}

// store copies a lane back to its row of the state.
func (p *modelPart) store(g *modelGroup, lane, index int) {
	inputs := p.model.net.Input.Size()
	collect(p.model.x[index*inputs:(index+1)*inputs], g.x[lane:], g.lanes)
}

// leave takes a row out of its lane.
func (p *modelPart) leave(g *modelGroup, lane int) {
	p.store(g, lane, g.rows[lane].index)
	p.vacate(g, lane)
	p.active--
}
