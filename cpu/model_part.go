package cpu

import "github.com/unitscope/unitscope/engine"

// modelPart is one worker's part of what a model computes.
type modelPart struct {
	model  *model
	groups []modelGroup
	count  int // groups that there is room for
	used   int // groups that hold rows

	waiting []int // rows on their way to lanes
}

// noRow marks a lane without a row.
const noRow = -1

// modelGroup is up to Lanes rows, a lane each; matrices are [units, lanes].
type modelGroup struct {
	lanes    int
	rows     []int // [lanes], or noRow
	x        []float32
	values   [][]float32 // of each layer
	slopes   [][]float32 // of each layer that has some
	targets  [][]float32 // of each read
	delta    [2][]float32
	gradient []float32 // [inputs, lanes]

	goal []float32 // [lanes], without constants
}

// padded is how many numbers a value takes in strips.
func (m *model) padded(at engine.Value) int {
	size, rows := m.net.Input.Size(), m.device.set.Rows
	if at > 0 {
		size = m.layers[at-1].op.Weight.Rows
	}
	return (size + rows - 1) / rows * rows
}

// prepare makes room for groups of rows on their way up, and perhaps back.
func (p *modelPart) prepare(groups int, back bool) {
	m, lanes := p.model, p.model.device.set.Lanes
	p.count = groups
	for len(p.groups) < groups {
		n := len(m.layers)
		p.groups = append(p.groups, modelGroup{rows: make([]int, lanes), values: make([][]float32, n), slopes: make([][]float32, n)})
	}
	for i := range p.groups[:groups] {
		g := &p.groups[i]
		grow(&g.x, m.padded(0)*lanes)
		for l := range m.layers[:m.top] {
			grow(&g.values[l], m.padded(engine.Value(l+1))*lanes)
		}
		if back {
			g.prepareBack(m)
		}
	}
}

func (g *modelGroup) prepareBack(m *model) {
	lanes, widest := m.device.set.Lanes, 0
	for l := range m.layers[:m.top] {
		size := m.padded(engine.Value(l+1)) * lanes
		widest = max(widest, size)
		if m.layers[l].hasSlopes() {
			grow(&g.slopes[l], size)
		}
	}
	for i := range g.delta {
		grow(&g.delta[i], widest)
	}
	for len(g.targets) < len(m.aims.Reads) {
		g.targets = append(g.targets, nil)
	}
	for r, read := range m.aims.Reads {
		grow(&g.targets[r], m.padded(read.At)*lanes)
	}
	grow(&g.gradient, m.padded(0)*lanes)
	grow(&g.goal, lanes)
}

// takeBlock takes the next rows of n that no worker has.
func (p *modelPart) takeBlock(n int) bool {
	block := p.count * p.model.device.set.Lanes
	from := (int(p.model.next.Add(1)) - 1) * block
	if from >= n {
		return false
	}
	p.waiting = p.waiting[:0]
	for i := from; i < min(from+block, n); i++ {
		p.waiting = append(p.waiting, i)
	}
	p.place()
	return true
}

// deliver writes gradients, and values of goals.
func (p *modelPart) deliver(dst *matrix, values []float32) {
	p.each(func(g *modelGroup, lane, row int) {
		collect(dst.row(row), g.gradient[lane:], g.lanes)
		values[row] = g.goal[lane] + p.model.constant(row)
	})
}

// constant is what is added to what a row's goal reads.
func (m *model) constant(row int) float32 { return m.aims.Constant[m.aims.Row[row]] }

// each does something with every row in work.
func (p *modelPart) each(do func(g *modelGroup, lane, row int)) {
	for i := range p.groups[:p.used] {
		g := &p.groups[i]
		for lane := range g.lanes {
			if row := g.rows[lane]; row != noRow {
				do(g, lane, row)
			}
		}
	}
}

// place puts the rows that wait into groups.
func (p *modelPart) place() {
	p.used = 0
	width := p.model.device.set.Lanes
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

// lanesFor is the smallest number of lanes that holds so many rows: whole groups,
// the last one perhaps a narrow one.
func (p *modelPart) lanesFor(rows int) int {
	half := p.model.device.set.Lanes / 2
	return (rows + half - 1) / half * half
}

// load puts a row into a lane.
func (p *modelPart) load(g *modelGroup, lane, row int) {
	m := p.model
	g.rows[lane] = row
	inputs := m.net.Input.Size()
	scatter(g.x[lane:], g.lanes, m.x[row*inputs:(row+1)*inputs])
	for i, read := range m.aims.Reads {
		goal, width := m.aims.Row[row], read.Target.Cols
		scatter(g.targets[i][lane:], g.lanes, read.Target.Data[goal*width:(goal+1)*width])
	}
}

// vacate empties a lane. Zeros keep its numbers finite; nobody reads them.
func (p *modelPart) vacate(g *modelGroup, lane int) {
	g.rows[lane] = noRow
	empty := func(x []float32, units int) {
		for i := lane; i < units*g.lanes; i += g.lanes {
			x[i] = 0
		}
	}
	empty(g.x, p.model.net.Input.Size())
	for i, read := range p.model.aims.Reads {
		empty(g.targets[i], read.Target.Cols)
	}
}

// scatter is dst[j*lanes] = src[j].
func scatter(dst []float32, lanes int, src []float32) {
	for j, v := range src {
		dst[j*lanes] = v
	}
}

// collect is dst[j] = src[j*lanes].
func collect(dst, src []float32, lanes int) {
	for j := range dst {
		dst[j] = src[j*lanes]
	}
}
