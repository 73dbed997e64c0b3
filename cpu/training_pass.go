package cpu

// pass is a product of rows with the weights, up or down, and what becomes of
// it. A part of it is a tile: a strip of rows by a block of columns.
type pass struct {
	input   *strips // [rows, terms]
	weights *panels // [terms, cols]
	bias    []float32
	strips  blocks // of strips of rows
	blocks  blocks // of panels of columns

	// What becomes of a tile, in this order; nil and false leave a step out.
	sigmoid    bool
	derivative *matrix // [rows, cols] h: times h(1-h)
	minus      *matrix // [rows, cols] x: squares of the difference are added up
	difference bool    // go on with the difference
	rows       *matrix // [rows, cols] gets the tile
	across     *strips // [rows, cols] gets it: the factor of the next product
	hidden     bool    // the gradient's factor of hidden units gets it
	visible    bool    // that of visible units gets it, times scale
	term       int     // the first of the rows there
	scale      float32
}

const (
	// Rows and columns of a tile, about: with the weights for it, it stays in the
	// second level of cache.
	passRows, passCols = 112, 256
	// Terms of a product at a time. Fewer, so that a panel stays in the first level
	// of cache, gain nothing: the second level delivers in time.
	trainingTerms = 1024
	// How many parts a pass has, about, if there are strips and panels enough.
	passParts = 16
)

// multiply computes a product. It is cut by its shape alone.
func (l *learner) multiply(w *worker, p pass) {
	cols := p.weights.cols
	p.strips = cut(p.input.lines, p.input.width, passRows)
	perRow := (passParts + p.strips.count - 1) / p.strips.count
	perBlock := (p.weights.count() + perRow - 1) / perRow
	p.blocks = cut(cols, p.weights.lanes, min(passCols, perBlock*p.weights.lanes))
	if p.minus != nil {
		l.mistakes = grow(&l.mistakesBuffer, p.input.lines*p.blocks.count)
	}
	l.pass = p
	work := float64(p.input.lines) * float64(cols) * float64(p.input.terms+16) / 8
	l.team.run(w, p.strips.count*p.blocks.count, work, l.parts.pass)
}

// tile is rows row.. by columns col.. of a product: data [strip's rows][stride].
type tile struct {
	row, rows, col, cols, stride int
	data                         []float32
}

// line is the columns of row i.
func (t *tile) line(i int) []float32 { return t.data[i*t.stride:][:t.cols] }

// of is the same columns of the same row of a matrix.
func (t *tile) of(m *matrix, i int) []float32 { return m.row(t.row + i)[t.col:][:t.cols] }

func (l *learner) passPart(w *worker, part int) {
	p := &l.pass
	strips, block := part%p.strips.count, part/p.strips.count
	first, last := p.strips.from(strips), p.strips.from(strips+1)
	from, to := p.blocks.from(block), p.blocks.from(block+1)

	t := tile{col: from * p.weights.lanes, cols: p.weights.end(to-1) - from*p.weights.lanes}
	t.stride = (to-1-from)*p.weights.lanes + p.weights.width(to-1)
	size := p.input.width * t.stride
	memory := grow(&w.tile, (last-first)*size+t.stride)
	products, spare := memory[:(last-first)*size], memory[(last-first)*size:]
	p.begin(products, &t)
	l.products(products, first, last, from, to, t.stride)
	for i := first; i < last; i++ {
		t.row = i * p.input.width
		t.rows = min(p.input.width, p.input.lines-t.row)
		t.data = products[(i-first)*size:][:size]
		l.finish(&t, i, block, spare)
	}
}

// begin puts the biases into every line of the sums.
func (p *pass) begin(sums []float32, t *tile) {
	if p.bias == nil {
		clear(sums)
		return
	}
	for ; len(sums) > 0; sums = sums[t.stride:] {
		clear(sums[copy(sums[:t.stride], p.bias[t.col:][:t.cols]):t.stride])
	}
}

// products adds the products of strips first..last-1 with panels from..to-1.
func (l *learner) products(sums []float32, first, last, from, to, stride int) {
	p := &l.pass
	size := p.input.width * stride
	for term := 0; term < p.input.terms; term += trainingTerms {
		end := min(term+trainingTerms, p.input.terms)
		for j := from; j < to; j++ {
			multiply := l.set.Multiply
			if p.weights.width(j) < p.weights.lanes {
				multiply = l.set.MultiplyNarrow
			}
			b := p.weights.panel(j, term, end)
			for i := first; i < last; i++ {
				multiply(end-term, p.input.strip(i, term, end), b, sums[(i-first)*size+(j-from)*p.weights.lanes:], stride, true)
			}
		}
	}
}

// finish does with a tile, one strip of rows, what the pass asks for.
func (l *learner) finish(t *tile, strip, block int, spare []float32) {
	p := &l.pass
	if p.sigmoid {
		l.set.Sigmoid(t.data, t.data)
	}
	if p.derivative != nil {
		for i := range t.rows {
			l.set.DerivativeScale(t.line(i), t.of(p.derivative, i))
		}
	}
	if p.minus != nil {
		l.compare(t, block, spare)
	}
	if p.rows != nil {
		for i := range t.rows {
			copy(t.of(p.rows, i), t.line(i))
		}
	}
	if p.across != nil {
		l.set.Transpose(p.across.strip(strip, t.col, t.col+t.cols), l.set.Rows, t.data, t.stride, t.rows, t.cols)
	}
	if p.hidden {
		l.gradient.keepHidden(t, p.term+t.row)
	}
	if p.visible {
		l.keepVisible(t, p.term+t.row, p.scale)
	}
}

// compare adds up the squares of a tile's difference from what it should be.
func (l *learner) compare(t *tile, block int, spare []float32) {
	p := &l.pass
	for i := range t.rows {
		d := t.line(i)
		if !p.difference {
			d = spare[:copy(spare, d)]
		}
		l.set.Axpby(d, -1, t.of(p.minus, i), 1)
		l.mistakes[(t.row+i)*p.blocks.count+block] = l.square(d)
	}
}

// draw is an operation on whole rows, and what becomes of them. A part of it is
// a strip of rows.
type draw struct {
	task    rowTask // draws row i of its dst; without compute, its dst is as it should be
	across  *strips // gets the rows: the factor of the next product
	visible bool    // the gradient's factor of visible units gets them, times scale
	term    int     // the first of the rows there
	scale   float32
}

func (l *learner) rows(w *worker, d draw, cost float64) {
	l.draw = d
	strips := (d.task.dst.rows + l.set.Rows - 1) / l.set.Rows
	l.team.run(w, strips, float64(d.task.dst.rows)*float64(d.task.dst.cols)*cost, l.parts.draw)
}

func (l *learner) drawPart(w *worker, strip int) {
	d := &l.draw
	dst := d.task.dst
	t := tile{row: strip * l.set.Rows, cols: dst.cols, stride: dst.cols}
	t.rows = min(l.set.Rows, dst.rows-t.row)
	t.data = dst.data()[t.row*dst.cols:]
	if d.task.compute != nil {
		for i := range t.rows {
			d.task.compute(l.device, w, &d.task, t.row+i)
		}
	}
	if d.visible {
		l.keepVisible(&t, d.term+t.row, d.scale)
	}
	if d.across != nil {
		l.set.Transpose(d.across.strip(strip, 0, t.cols), l.set.Rows, t.data, t.stride, t.rows, t.cols)
	}
}
