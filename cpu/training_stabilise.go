package cpu

import (
	"math"

	"github.com/unitscope/unitscope/engine"
)

// stabiliser is what the options of engine.ContrastiveDivergence that change its
// gradient add to an update; engine's plain_stabilise.go is their definition.
//
//   - shift: the gradient's factors are moved by a constant for each unit. That
//     is all of sparsity, and half of centering.
//
// A limit needs the whole gradient of a unit before any of it is used, and
// centering needs the step of the weights by itself, so with these the gradient
// is learnt apart from the velocity, in three phases:
//
//   - gather: its tiles are computed as ever, and squares of rows are added up
//   - follow: rows are scaled, velocity and weights follow
//   - biases: they take what centering leaves to them
type stabiliser struct {
	apart   bool
	step    panels                                              // [hidden, visible] the gradient times the rate, in the order of the velocity
	squares []float64                                           // [blocks, hidden units] of step's rows; empty without a limit
	scale   []float32                                           // [hidden units] of step's rows; empty without a limit
	parts   struct{ shift, gather, scale, follow, biases part } // the methods, bound once
}

func (r *divergence) initStabiliser() {
	p, s, g := r.plan, &r.stabiliser, &r.gradient
	s.apart = p.Centered || p.GradientLimit > 0
	s.parts.shift, s.parts.gather, s.parts.scale = r.shiftPart, r.gatherPart, r.scalePart
	s.parts.follow, s.parts.biases = r.followPart, r.biasPart
	if s.apart {
		s.step = r.panels(p.HiddenUnits, p.VisibleUnits)
	}
	if p.GradientLimit > 0 {
		s.squares, s.scale = make([]float64, g.block.count()*p.HiddenUnits), make([]float32, p.HiddenUnits)
	}
	if p.Centered {
		g.uncenterHidden = make([]float64, g.block.count()*p.HiddenUnits)
		g.uncenterVisible = make([]float64, g.stretch.count()*p.VisibleUnits)
	}
}

// shift brings q up to date and moves the gradient's factors. A part of it is a
// strip of hidden units, or a panel of visible ones.
func (r *divergence) shift(w *worker) {
	parts, units := r.gradient.hidden.count(), r.hidden
	if r.plan.Centered {
		parts, units = parts+r.gradient.visible.count(), units+r.visible
	}
	r.team.run(w, parts, float64(units)*float64(r.gradient.hidden.terms), r.stabiliser.parts.shift)
}

func (r *divergence) shiftPart(w *worker, part int) {
	if strips := r.gradient.hidden.count(); part < strips {
		r.shiftHidden(w, part)
	} else {
		r.shiftVisible(part - strips)
	}
}

func (r *divergence) shiftHidden(w *worker, i int) {
	p, h := r.plan, &r.gradient.hidden
	data := r.biases[0]
	sums := r.sums(w, h.width)
	r.addTerms(w, sums, h.strip(i, data.from, data.to), 1/float64(data.to-data.from))
	first := i * h.width
	for k := range min(h.width, r.hidden-first) {
		q := &r.activity[first+k]
		*q = float32((1-engine.ActivityShare)*float64(*q) + engine.ActivityShare*sums[k])
		ofData, ofModel := float32(0), float32(0)
		if p.Centered {
			ofData, ofModel = *q, *q
		}
		if p.Sparsity.Cost > 0 {
			ofData += p.Sparsity.Cost * (*q - p.Sparsity.Target)
		}
		move(h.strip(i, data.from, data.to)[k:], h.width, ofData)
		move(h.strip(i, data.to, h.terms)[k:], h.width, ofModel)
	}
}

// move subtracts by from every so many numbers.
func move(x []float32, stride int, by float32) {
	if by == 0 {
		return
	}
	for t := 0; t < len(x); t += stride {
		x[t] -= by
	}
}

// shiftVisible moves visible units by mu, which here are times rate and sign.
func (r *divergence) shiftVisible(j int) {
	v := &r.gradient.visible
	center := r.center[j*v.lanes : v.end(j)]
	for _, side := range r.biases {
		for term := side.from; term < side.to; term++ {
			r.set.Axpby(v.panel(j, term, term+1)[:len(center)], -side.scale, center, 1)
		}
	}
}

// learnApart is learn with the gradient by itself.
func (r *divergence) learnApart(w *worker, bias, visibleBias []biasTerms) {
	g, s := &r.gradient, &r.stabiliser
	g.bias, g.visibleBias = bias, visibleBias
	numbers := float64(r.hidden) * float64(r.visible)
	parts := g.stretch.count() * g.block.count()
	r.team.run(w, parts, numbers*float64(g.hidden.terms+8)/8, s.parts.gather)
	if r.plan.GradientLimit > 0 {
		r.team.run(w, g.stretch.count(), float64(len(s.squares)), s.parts.scale)
	}
	r.team.run(w, parts, 4*numbers, s.parts.follow)
	r.team.run(w, g.stretch.count()+g.block.count(), float64(r.hidden+r.visible)*float64(g.hidden.terms)/8, s.parts.biases)
}

// gatherPart computes the gradient of some hidden by some visible units.
func (r *divergence) gatherPart(w *worker, part int) {
	g, s := &r.gradient, &r.stabiliser
	stretch, block := part/g.block.count(), part%g.block.count()
	from, to := g.stretch.block(stretch)
	left, right := g.block.block(block)
	for j := left / r.set.Lanes; j*r.set.Lanes < right; j++ {
		clear(s.step.panel(j, from, to))
	}
	for term := 0; term < g.hidden.terms; term += trainingTerms {
		for j := left / r.set.Lanes; j*r.set.Lanes < right; j++ {
			r.accelerate(w, s.step.panel(j, from, to), from, j, term, min(term+trainingTerms, g.hidden.terms))
		}
	}
	if r.plan.GradientLimit == 0 {
		return
	}
	squares := s.squares[block*r.hidden:][from:to]
	clear(squares)
	for j := left / r.set.Lanes; j*r.set.Lanes < right; j++ {
		cols := s.step.end(j) - j*r.set.Lanes // a panel may be wider
		for i := range squares {
			squares[i] += r.square(s.step.panel(j, from+i, from+i+1)[:cols])
		}
	}
}

// scalePart says by how much the rows of step are too long.
func (r *divergence) scalePart(_ *worker, stretch int) {
	s, limit := &r.stabiliser, float64(r.plan.GradientLimit)
	from, to := r.gradient.stretch.block(stretch)
	for i := from; i < to; i++ {
		sum := 0.0
		for at := i; at < len(s.squares); at += r.hidden {
			sum += s.squares[at]
		}
		s.scale[i] = 1
		if norm := math.Sqrt(sum); norm > limit {
			s.scale[i] = float32(limit / norm)
		}
	}
}

// followPart makes the step of some weights.
func (r *divergence) followPart(_ *worker, part int) {
	g, s := &r.gradient, &r.stabiliser
	stretch, block := part/g.block.count(), part%g.block.count()
	from, to := g.stretch.block(stretch)
	left, right := g.block.block(block)
	if r.plan.Centered {
		clear(g.uncenterHidden[block*r.hidden:][from:to])
		clear(g.uncenterVisible[stretch*r.visible:][left:right])
	}
	for j := left / r.set.Lanes; j*r.set.Lanes < right; j++ {
		step, weight := s.step.panel(j, from, to), r.weights.down.panel(j, from, to)
		r.shorten(step, from, to)
		if r.rule.Decay > 0 {
			r.set.Axpby(step, -r.rule.Rate*r.rule.Decay, weight, 1)
		}
		velocity := r.weights.velocity.panel(j, from, to)
		r.set.Axpby(velocity, 1, step, r.rule.Momentum)
		r.set.Axpby(weight, 1, velocity, 1)
		r.weights.transpose(r.set, from, to, j*r.set.Lanes, r.weights.down.end(j), weight, r.weights.down.width(j))
		if r.plan.Centered {
			r.uncenter(step, j, from, to, block, stretch)
		}
	}
}

// shorten scales the rows from..to-1 of a panel of step.
func (r *divergence) shorten(step []float32, from, to int) {
	if r.plan.GradientLimit == 0 {
		return
	}
	width := len(step) / (to - from)
	for i, scale := range r.stabiliser.scale[from:to] {
		if row := step[i*width:][:width]; scale != 1 {
			r.set.Axpby(row, scale, row, 0)
		}
	}
}

// uncenter adds up step mu and step'q for rows from..to-1 of panel j of step.
func (r *divergence) uncenter(step []float32, j, from, to, block, stretch int) {
	g, lanes := &r.gradient, r.set.Lanes
	width := len(step) / (to - from)
	center := r.center[j*lanes : r.weights.down.end(j)]
	hidden := g.uncenterHidden[block*r.hidden:][from:to]
	visible := g.uncenterVisible[stretch*r.visible:][j*lanes:][:len(center)]
	for i := range hidden {
		row := step[i*width:][:len(center)]
		hidden[i] += float64(r.set.Dot(row, center))
		q := float64(r.activity[from+i])
		for k, x := range row {
			visible[k] += q * float64(x)
		}
	}
}

// biasPart makes the step of some biases, of hidden units first.
func (r *divergence) biasPart(w *worker, part int) {
	g := &r.gradient
	if stretches := g.stretch.count(); part < stretches {
		from, to := g.stretch.block(part)
		r.stepBias(w, from, to)
	} else {
		left, right := g.block.block(part - stretches)
		r.stepVisibleBias(w, left, right)
	}
}
