package cpu

import "github.com/unitscope/unitscope/engine"

// gradient is the last phase of an update: the gradient of the weights is added
// to their velocity tile by tile, and while a block of both is in cache, the
// weights follow and are packed anew.
//
// The sum over the batch and the one over the model's rows (or both sums of a
// denoising auto-encoder) are one product of hidden' visible over all their
// rows. Signs and rates are folded into the rows of visible.
type gradient struct {
	hidden  strips // [hidden units, terms]
	visible panels // [terms, visible units], times rate and sign
	ones    []float32

	bias, visibleBias []biasTerms // the terms that count for the biases
	stretch           blocksOf    // hidden units of a part
	block             blocksOf    // visible units of a part

	// What the step of a centered RBM's weights takes from its biases, by parts;
	// empty for others.
	uncenterHidden  []float64 // [blocks, hidden units]
	uncenterVisible []float64 // [stretches, visible units]
}

// biasTerms are terms from..to-1; a bias of hidden units gets them times scale.
type biasTerms struct {
	from, to int
	scale    float32
}

// blocksOf cuts units into blocks of size units, the last one smaller.
type blocksOf struct{ units, size int }

func (b blocksOf) count() int { return (b.units + b.size - 1) / b.size }

func (b blocksOf) block(i int) (from, to int) { return i * b.size, min((i+1)*b.size, b.units) }

const (
	// Hidden units of a part, about. It must be whole strips and whole panels.
	gradientUnits = 224
	// Panels of visible units of a part.
	gradientPanels = 2
	// Terms of a bias's gradient that are added up in float32.
	biasTermsTogether = 64
)

func (g *gradient) init(l *learner, terms int) {
	g.hidden, g.visible = l.strips(l.hidden, terms), l.panels(terms, l.visible)
	g.ones = make([]float32, biasTermsTogether*l.set.Lanes)
	for i := range g.ones {
		g.ones[i] = 1
	}
	whole := l.set.Rows * l.set.Lanes / greatestCommonDivisor(l.set.Rows, l.set.Lanes)
	g.stretch = blocksOf{l.hidden, max(1, gradientUnits/whole) * whole}
	g.block = blocksOf{l.visible, gradientPanels * l.set.Lanes}
	if g.stretch.count()*g.block.count() < 2*passParts {
		g.block.size = l.set.Lanes
	}
}

func greatestCommonDivisor(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// begin makes room for so many terms.
func (g *gradient) begin(terms int) { g.hidden.terms, g.visible.terms = terms, terms }

// keepHidden puts a tile's activations of hidden units into terms from one on.
func (g *gradient) keepHidden(t *tile, term int) {
	width, end := g.hidden.width, t.col+t.cols
	for unit := t.col; unit < end; {
		n := min(width-unit%width, end-unit)
		strip := g.hidden.strip(unit/width, term, term+t.rows)[unit%width:]
		for i := range t.rows {
			copyFew(strip[i*width:][:n], t.data[i*t.stride+unit-t.col:][:n])
		}
		unit += n
	}
}

// keepVisible puts a tile's visible units, which begin a panel, into terms from
// one on, times scale.
func (l *learner) keepVisible(t *tile, term int, scale float32) {
	p := &l.gradient.visible
	for j := t.col / p.lanes; j*p.lanes < t.col+t.cols; j++ {
		n, width := p.end(j)-j*p.lanes, p.width(j)
		panel := p.panel(j, term, term+t.rows)
		for i := range t.rows {
			l.set.Axpby(panel[i*width:][:n], scale, t.data[i*t.stride+j*p.lanes-t.col:][:n], 0)
		}
	}
}

// learn makes the step along the gradient whose factors have been kept. bias
// and visibleBias say which terms are the gradients of the biases.
func (l *learner) learn(w *worker, bias, visibleBias []biasTerms) {
	g := &l.gradient
	g.bias, g.visibleBias = bias, visibleBias
	work := float64(l.hidden) * float64(l.visible) * float64(g.hidden.terms+32) / 8
	l.team.run(w, g.stretch.count()*g.block.count(), work, l.parts.gradient)
}

func (l *learner) gradientPart(w *worker, part int) {
	g := &l.gradient
	stretch, block := part/g.block.count(), part%g.block.count()
	from, to := g.stretch.block(stretch)
	left, right := g.block.block(block)
	for j := left / l.set.Lanes; j*l.set.Lanes < right; j++ {
		l.brake(l.weights.velocity.panel(j, from, to), l.weights.down.panel(j, from, to))
	}
	for term := 0; term < g.hidden.terms; term += trainingTerms {
		for j := left / l.set.Lanes; j*l.set.Lanes < right; j++ {
			l.accelerate(w, l.weights.velocity.panel(j, from, to), from, j, term, min(term+trainingTerms, g.hidden.terms))
		}
	}
	for j := left / l.set.Lanes; j*l.set.Lanes < right; j++ {
		weight := l.weights.down.panel(j, from, to)
		l.set.Axpby(weight, 1, l.weights.velocity.panel(j, from, to), 1)
		l.weights.transpose(l.set, from, to, j*l.set.Lanes, l.weights.down.end(j), weight, l.weights.down.width(j))
	}
	if block == 0 {
		l.stepBias(w, from, to)
	}
	if stretch == 0 {
		l.stepVisibleBias(w, left, right)
	}
}

// brake applies momentum and decay to a velocity.
func (l *learner) brake(velocity, weight []float32) {
	momentum, decay := l.rule.Momentum, l.rule.Rate*l.rule.Decay
	switch {
	case l.rule.Decay > 0:
		l.set.Axpby(velocity, -decay, weight, momentum)
	case momentum == 0: // whatever it held, even NaN
		clear(velocity)
	default:
		l.set.Axpby(velocity, momentum, velocity, 0)
	}
}

// accelerate adds some terms of the gradient to the velocity of panel j, from row from
// on.
func (l *learner) accelerate(w *worker, velocity []float32, from, j, term, end int) {
	g, rows := &l.gradient, l.set.Rows
	multiply, width := l.set.Multiply, g.visible.width(j)
	if width < l.set.Lanes {
		multiply = l.set.MultiplyNarrow
	}
	b, size := g.visible.panel(j, term, end), rows*width
	for i := from / rows; len(velocity) > 0; i++ {
		a := g.hidden.strip(i, term, end)
		if len(velocity) >= size {
			multiply(end-term, a, b, velocity, width, true)
			velocity = velocity[size:]
			continue
		}
		// The last strip has fewer units: it is computed beside.
		edge := grow(&w.tile, size)
		clear(edge[copy(edge, velocity):])
		multiply(end-term, a, b, edge, width, true)
		copy(velocity, edge)
		break
	}
}

// stepBias makes the step of the biases of hidden units from..to-1.
func (l *learner) stepBias(w *worker, from, to int) {
	g, width := &l.gradient, l.gradient.hidden.width
	for i := from / width; i*width < to; i++ {
		sums := l.sums(w, width)
		for _, t := range g.bias {
			l.addTerms(w, sums, g.hidden.strip(i, t.from, t.to), float64(t.scale))
		}
		end := min((i+1)*width, to)
		subtract(sums[:end-i*width], g.uncenterHidden, i*width, l.hidden)
		l.stepBiases(l.value.bias[i*width:end], l.velocity.bias[i*width:end], sums)
	}
}

// stepVisibleBias makes the step of the biases of visible units left..right-1.
func (l *learner) stepVisibleBias(w *worker, left, right int) {
	g := &l.gradient
	for j := left / g.visible.lanes; j*g.visible.lanes < right; j++ {
		sums := l.sums(w, g.visible.width(j))
		for _, t := range g.visibleBias {
			l.addTerms(w, sums, g.visible.panel(j, t.from, t.to), 1)
		}
		begin, end := j*g.visible.lanes, g.visible.end(j)
		subtract(sums[:end-begin], g.uncenterVisible, begin, l.visible)
		l.stepBiases(l.value.visibleBias[begin:end], l.velocity.visibleBias[begin:end], sums)
	}
}

func (l *learner) sums(w *worker, n int) []float64 {
	sums := grow(&w.sums, n)
	clear(sums)
	return sums
}

// subtract takes away what parts [parts, units] say of units from one on.
func subtract(sums, parts []float64, from, units int) {
	for ; len(parts) > 0; parts = parts[units:] {
		for k, x := range parts[from:][:len(sums)] {
			sums[k] -= x
		}
	}
}

// addTerms adds scale times the columns' sums of x [terms, len(sums)]: some
// terms in float32, and those sums in float64.
func (l *learner) addTerms(w *worker, sums []float64, x []float32, scale float64) {
	width := len(sums)
	few := grow(&w.tile, width)
	for len(x) > 0 {
		n := min(len(x), biasTermsTogether*width)
		clear(few)
		l.set.LaneDots(few, x[:n], l.gradient.ones[:n])
		for j, s := range few {
			sums[j] += scale * float64(s)
		}
		x = x[n:]
	}
}

// stepBiases makes the step of some biases along their gradients.
func (l *learner) stepBiases(bias, velocity []float32, gradient []float64) {
	for j := range bias {
		v := gradient[j]
		if l.rule.Momentum != 0 {
			v += float64(l.rule.Momentum) * float64(velocity[j])
		}
		velocity[j] = float32(v)
		bias[j] += velocity[j]
	}
}

// rate is the learning rate of one of so many rows.
func rate(u engine.Update, rows int) float32 { return u.Rate / float32(rows) }
