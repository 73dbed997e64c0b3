package cpu

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

// evaluate computes activation, gradient norm and direction of every lane, as
// the definition does (engine's plainAscent).
func (p *ascentPart) evaluate() {
	set := p.ascent.device.set
	for l, layer := range p.ascent.layers {
		for strip := range layer.up.strips {
			bias := layer.bias[strip*set.Rows:][:set.Rows]
			for i := range p.used {
				g := &p.groups[i]
				below := g.x
				if l > 0 {
					below = g.hidden[l-1]
				}
				out := layer.up.multiply(g.hidden[l], below, strip, g.lanes)
				set.BiasSigmoid(out, out, bias, g.lanes)
			}
		}
	}
	for i := range p.used {
		p.groups[i].aim(p.ascent)
	}
	for l := len(p.ascent.layers) - 1; l >= 0; l-- {
		p.back(l)
	}
	for i := range p.used {
		p.groups[i].measure(p.ascent)
	}
}

// aim computes the activation and the gradient before the last hidden layer's
// sigmoid.
func (g *ascentGroup) aim(a *ascent) {
	set, size := a.device.set, a.target.Cols*g.lanes
	top := len(a.layers) - 1
	sum := g.activation[:g.lanes]
	clear(sum)
	if top < 0 {
		set.LaneDots(sum, g.target[:size], g.x[:size])
		copy(g.direction, g.target[:size])
		return
	}
	hidden := g.hidden[top][:size]
	set.LaneDots(sum, g.target[:size], hidden)
	delta := g.delta[top%2][:size]
	copy(delta, g.target)
	set.DerivativeScale(delta, hidden)
}

// back takes the gradient down through layer l.
func (p *ascentPart) back(l int) {
	layer, set := p.ascent.layers[l], p.ascent.device.set
	for strip := range layer.down.strips {
		for i := range p.used {
			g := &p.groups[i]
			dst := g.direction
			if l > 0 {
				dst = g.delta[(l-1)%2]
			}
			out := layer.down.multiply(dst, g.delta[l%2], strip, g.lanes)
			if l > 0 {
				// The padding of the last strip lies within that of hidden: both
				// have the units of layer l-1 as outputs.
				set.DerivativeScale(out, g.hidden[l-1][strip*len(out):][:len(out)])
			}
		}
	}
}

// measure computes the gradient's norm, the direction of ascent and the chord.
func (g *ascentGroup) measure(a *ascent) {
	set, size := a.device.set, a.plan.Layers[0].Weight.Cols*g.lanes
	radius := float64(a.plan.Radius)
	norm, chord, scale := g.norm[:g.lanes], g.chord[:g.lanes], g.scale[:g.lanes]
	direction, spare := g.direction[:size], g.spare[:size]

	g.lengths(norm, direction, a)
	for lane, n := range norm {
		scale[lane] = 0
		if n > 0 {
			scale[lane] = float32(float64(a.plan.Direction) * radius / float64(n))
		}
	}
	set.LaneScale(direction, scale)
	copy(spare, direction)
	set.Axpby(spare, -1, g.x[:size], 1)
	g.lengths(chord, spare, a)
}

// Sums of squares between these have lost nothing to float32's range.
const smallestSquares, largestSquares = 1e-28, 1e37

// lengths computes the Euclidean norm of each lane that has a row, in float64
// where its squares leave the range of float32: the definition does always.
func (g *ascentGroup) lengths(norms, x []float32, a *ascent) {
	clear(norms)
	a.device.set.SquareSum(norms, x)
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

// judge records what evaluate found and takes out the rows that stop, at the x
// that was judged.
func (p *ascentPart) judge() {
	for i := range p.used {
		g := &p.groups[i]
		for lane := range g.lanes {
			r := g.rows[lane]
			if r.index == noRow {
				continue
			}
			err := p.ascent.plan.Judge(p.state, r.index, g.activation[lane], g.norm[lane], g.chord[lane])
			if err != nil && (p.err == nil || r.index < p.errRow) {
				p.err, p.errRow = err, r.index
			}
			if err != nil || p.state.Stop[r.index] != engine.Running {
				p.leave(g, lane)
			}
		}
	}
}

// move takes one step on the sphere in every lane, and takes out the rows that
// have had their steps.
func (p *ascentPart) move() {
	for i := range p.used {
		g := &p.groups[i]
		p.step(g)
		for lane := range g.lanes {
			r := &g.rows[lane]
			if r.index == noRow {
				continue
			}
			p.state.Steps[r.index]++
			if r.left--; r.left == 0 {
				p.leave(g, lane)
			}
		}
	}
}

func (p *ascentPart) step(g *ascentGroup) {
	a := p.ascent
	set, size := a.device.set, a.plan.Layers[0].Weight.Cols*g.lanes
	scale, norm := g.scale[:g.lanes], g.norm[:g.lanes]
	for lane, r := range g.rows[:g.lanes] {
		scale[lane] = 0
		if r.index != noRow {
			scale[lane] = p.state.Rate[r.index]
		}
	}
	x, direction := g.x[:size], g.direction[:size]
	set.LaneScale(direction, scale)
	set.Axpby(x, 1, direction, 1)
	g.lengths(norm, x, a)
	for lane, n := range norm {
		scale[lane] = 1
		if n > 0 {
			scale[lane] = float32(float64(a.plan.Radius) / float64(n))
		}
	}
	set.LaneScale(x, scale)
}
