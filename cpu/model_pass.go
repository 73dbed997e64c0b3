package cpu

import "github.com/unitscope/unitscope/engine"

// forward computes the values of all layers that take part; to is where they go, nil
// if they are for going back from.
func (p *modelPart) forward(to []output) {
	m := p.model
	for l := range m.layers[:m.top] {
		layer := &m.layers[l]
		for strip := range layer.up.strips {
			for i := range p.groups[:p.used] {
				g := &p.groups[i]
				out := layer.up.multiply(g.values[l], g.value(l), strip, g.lanes)
				if to == nil {
					layer.finish(m.device, out, g.slope(m, l, strip, len(out)), strip, g.lanes)
					continue
				}
				if before := to[l+1].before; len(before) > 0 {
					layer.addBias(out, strip, g.lanes)
					g.emit(before, out, strip)
					layer.activate(m.device, out, nil, strip, g.lanes)
				} else {
					layer.finish(m.device, out, nil, strip, g.lanes)
				}
				g.emit(to[l+1].after, out, strip)
			}
		}
	}
}

// value is what layer l reads.
func (g *modelGroup) value(l int) []float32 {
	if l == 0 {
		return g.x
	}
	return g.values[l-1]
}

// slope is a strip of the slopes of a layer, nil if it has none.
func (g *modelGroup) slope(m *model, l, strip, size int) []float32 {
	if !m.layers[l].hasSlopes() {
		return nil
	}
	return stripOf(g.slopes[l], strip, size)
}

// stripOf is a strip of so many numbers.
func stripOf(x []float32, strip, size int) []float32 { return x[strip*size:][:size] }

// emit writes a strip of units to the rows of matrices.
func (g *modelGroup) emit(to []*matrix, out []float32, strip int) {
	units := len(out) / g.lanes
	for _, m := range to {
		first := strip * units
		for lane, row := range g.rows[:g.lanes] {
			if row != noRow {
				collect(m.row(row)[first:min(first+units, m.cols)], out[lane:], g.lanes)
			}
		}
	}
}

// differentiate computes the goals of all rows, without their constants, and their
// gradients, as the definition does (engine's plainModel).
func (p *modelPart) differentiate() {
	p.forward(nil)
	for i := range p.groups[:p.used] {
		p.groups[i].aim(p.model)
	}
	for l := p.model.top - 1; l >= 0; l-- {
		p.back(l)
	}
}

// aim computes the goals, and begins the way back: the gradient with respect to what
// the highest layer computes before its activation.
func (g *modelGroup) aim(m *model) {
	sum := g.goal[:g.lanes]
	clear(sum)
	for r, read := range m.aims.Reads {
		size := read.Target.Cols * g.lanes
		m.device.set.LaneDots(sum, g.targets[r][:size], g.value(int(read.At))[:size])
	}
	last := len(m.aims.Reads) - 1
	target := g.targets[last][:m.aims.Reads[last].Target.Cols*g.lanes]
	if m.top == 0 {
		copy(g.gradient, target)
		return
	}
	l := m.top - 1
	delta := g.delta[l%2][:len(target)]
	copy(delta, target)
	m.layers[l].descend(m.device, delta, g.values[l][:len(delta)], g.slope(m, l, 0, len(delta)))
}

// back takes the gradient down through layer l.
func (p *modelPart) back(l int) {
	m := p.model
	layer := &m.layers[l]
	for strip := range layer.down.strips {
		for i := range p.groups[:p.used] {
			g := &p.groups[i]
			dst := g.gradient
			if l > 0 {
				dst = g.delta[(l-1)%2]
			}
			out := layer.down.multiply(dst, g.delta[l%2], strip, g.lanes)
			g.addTarget(m, engine.Value(l), out, strip)
			if l > 0 {
				// The padding of the last strip lies within that of the values: both
				// have the units of layer l-1 as outputs.
				m.layers[l-1].descend(m.device, out, stripOf(g.values[l-1], strip, len(out)), g.slope(m, l-1, strip, len(out)))
			}
		}
	}
}

// addTarget adds what goals read of a value to a strip of the gradient.
func (g *modelGroup) addTarget(m *model, at engine.Value, out []float32, strip int) {
	for r, read := range m.aims.Reads {
		if read.At != at {
			continue
		}
		// What pads the target is not set, and not read further down.
		for j, t := range stripOf(g.targets[r], strip, len(out)) {
			out[j] += t
		}
	}
}
