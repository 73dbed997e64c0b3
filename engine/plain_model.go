package engine

import "errors"

// plainModel is the definition of a [Model]. The forward pass leaves the slopes of all
// activations; backwards, what arrives at a value is multiplied by its slope and
// then taken through the operation that made it.
type plainModel struct {
	net      Net
	shapes   []Shape
	fixed    workspace
	weights  []Matrix // of each operation: [units, inputs] of Affine, [1, size] of Scale
	biases   []Matrix // [1, size] of Affine and Scale
	constant Matrix   // [1, 1] holds 1
}

func newPlainModel(d Device, n Net) (Loaded, error) {
	shapes, err := n.Check()
	if err != nil {
		return nil, err
	}
	m := &plainModel{net: n, shapes: shapes, fixed: workspace{device: d}}
	m.weights, m.biases = make([]Matrix, len(n.Ops)), make([]Matrix, len(n.Ops))
	row := func(x []float32) Matrix { return m.fixed.upload(Host{Rows: 1, Cols: len(x), Data: x}) }
	for i, o := range n.Ops {
		switch o.Kind {
		case Affine:
			m.weights[i], m.biases[i] = m.fixed.upload(o.Weight), row(o.Bias)
		case Scale:
			m.weights[i], m.biases[i] = row(spread(o.Factor, shapes[i+1])), row(spread(o.Bias, shapes[i+1]))
		}
	}
	m.constant = row([]float32{1})
	if m.fixed.err != nil {
		return nil, errors.Join(m.fixed.err, m.Close())
	}
	return m, nil
}

// spread gives each place of a shape the number of its channel.
func spread(x []float32, s Shape) []float32 {
	places := make([]float32, s.Size())
	for j := range places {
		places[j] = x[j/(s.Rows*s.Cols)]
	}
	return places
}

func (m *plainModel) Close() error { return m.fixed.Close() }

// Forward implements [Loaded].
func (m *plainModel) Forward(x Matrix, outputs []Output) (err error) {
	var wanted []Value
	for _, o := range outputs {
		wanted = append(wanted, o.At)
	}
	p := m.newPass(x.Rows(), wanted, false)
	defer func() { err = errors.Join(err, p.Close()) }()
	p.values[0] = x
	p.forward(func(at Value, after bool, value Matrix) {
		for _, o := range outputs {
			if o.At == at && o.After == after {
				p.axpby(o.To, 1, value, 0)
			}
		}
	})
	return p.err
}

// Gradient implements [Loaded].
func (m *plainModel) Gradient(dst, x Matrix, aims Aims, values []float32) (err error) {
	p := m.newPass(x.Rows(), aims.values(), true)
	defer func() { err = errors.Join(err, p.Close()) }()
	p.aim(aims)
	p.values[0] = x
	p.forward(nil)
	p.read(values, p.goals())
	p.backward(dst)
	for i := range values {
		values[i] += aims.Constant[aims.Row[i]]
	}
	return p.err
}

// values are those that aims read.
func (a Aims) values() (at []Value) {
	for _, r := range a.Reads {
		at = append(at, r.At)
	}
	return at
}

// pass is room for computing a network for some rows: only the top rows of each matrix
// are in use.
type pass struct {
	workspace
	model  *plainModel
	rows   int
	needed []bool   // of each value: something that is wanted depends on it
	values []Matrix // [rows, size]; in backward, the gradient takes the value's place
	slopes []Matrix // [rows, size], nil for the identity
	begun  []bool   // of each value: some of its gradient is there

	factors map[int]Matrix // [rows, size] of each Scale
	spare   map[int]Matrix // [rows, size] by size
	ones    Matrix         // [rows, 1]
	noTerms [2]Matrix      // [rows, 0] and [0, inputs]: a product over no terms is 0

	reads   []Value
	tables  []Matrix // [goals, size] of each read
	targets []Matrix // [rows, size] of each read
	numbers Matrix   // [rows, 1]
}

// newPass makes room for what so many rows of these values need, and for going back
// from them.
func (m *plainModel) newPass(rows int, wanted []Value, back bool) *pass {
	p := &pass{workspace: workspace{device: m.fixed.device}, model: m, rows: rows, factors: map[int]Matrix{}, spare: map[int]Matrix{}}
	n := len(m.shapes)
	p.needed, p.begun, p.values, p.slopes = make([]bool, n), make([]bool, n), make([]Matrix, n), make([]Matrix, n)
	for _, v := range wanted {
		p.needed[v] = true
	}
	for i := len(m.net.Ops) - 1; i >= 0; i-- {
		if o := m.net.Ops[i]; p.needed[i+1] {
			for _, v := range o.In {
				p.needed[v] = true
			}
			p.room(i, o, back)
		}
	}
	return p
}

// room makes room for operation i.
func (p *pass) room(i int, o Op, back bool) {
	size := p.model.shapes[i+1].Size()
	p.values[i+1] = p.matrix(p.rows, size)
	if back && o.Activation.Kind != Identity {
		p.slopes[i+1] = p.matrix(p.rows, size)
	}
	if o.Kind != Scale {
		return
	}
	if p.ones == nil {
		p.ones = p.matrix(p.rows, 1)
		p.gather(p.ones, p.model.constant, make([]int, p.rows))
	}
	p.factors[i] = p.matrix(p.rows, size)
	p.gather(p.factors[i], p.model.weights[i], make([]int, p.rows))
}

// here is the rows of a matrix that are in use.
func (p *pass) here(m Matrix) Matrix {
	if m == nil {
		return nil
	}
	return p.top(m, p.rows)
}

// forward computes all needed values from the input. seen, if there is one, sees each of
// them before and after its activation.
func (p *pass) forward(seen func(at Value, after bool, value Matrix)) {
	see := func(at int, after bool) {
		if seen != nil && p.err == nil {
			seen(Value(at), after, p.here(p.values[at]))
		}
	}
	see(0, false)
	see(0, true)
	for i, o := range p.model.net.Ops {
		if !p.needed[i+1] {
			continue
		}
		h := p.here(p.values[i+1])
		p.apply(i, o, h)
		see(i+1, false)
		if o.Activation.Kind != Identity {
			p.activate(h, p.here(p.slopes[i+1]), h, o.Activation)
		}
		see(i+1, true)
	}
}

// apply computes y of operation i.
func (p *pass) apply(i int, o Op, y Matrix) {
	first := p.here(p.values[o.In[0]])
	switch o.Kind {
	case Affine:
		forward := Multiply(false, true)
		forward.Epilogue.Bias = p.model.biases[i]
		p.gemm(y, first, p.model.weights[i], forward)
	case Scale:
		p.axpby(y, 1, first, 0)
		p.times(y, p.here(p.factors[i]))
		p.addBias(y, p.model.biases[i])
	case Add:
		p.axpby(y, 1, first, 0)
		for _, v := range o.In[1:] {
			p.axpby(y, 1, p.here(p.values[v]), 1)
		}
	case Concat:
		to := 0
		for _, v := range o.In {
			size := p.model.shapes[v].Size()
			p.copyColumns(y, to, p.here(p.values[v]), 0, size)
			to += size
		}
	}
}

// addBias adds a row to every row: a product over one term, which is 1.
func (p *pass) addBias(y, bias Matrix) {
	p.gemm(y, p.here(p.ones), bias, Product{Alpha: 1, Beta: 1})
}

// aim takes in what the rows' goals read.
func (p *pass) aim(a Aims) {
	p.numbers = p.matrix(p.rows, 1)
	p.noTerms = [2]Matrix{p.matrix(p.rows, 0), p.matrix(0, p.model.shapes[0].Size())}
	for _, r := range a.Reads {
		p.reads = append(p.reads, r.At)
		p.tables = append(p.tables, p.upload(r.Target))
		p.targets = append(p.targets, p.matrix(p.rows, r.Target.Cols))
	}
	p.take(a.Row)
}

// take gives the rows their targets.
func (p *pass) take(goals []int) {
	for r, table := range p.tables {
		p.gather(p.here(p.targets[r]), table, goals)
	}
}

// goals returns the goals of the rows [rows, 1], without their constants.
func (p *pass) goals() Matrix {
	numbers := p.here(p.numbers)
	for r, at := range p.reads {
		p.reduce(numbers, p.here(p.values[at]), Reduction{Kind: RowDots, With: p.here(p.targets[r]), Alpha: 1, Beta: float32(min(r, 1))})
	}
	return numbers
}

// backward computes the gradient of the rows' goals with respect to the input.
func (p *pass) backward(gradient Matrix) {
	clear(p.begun)
	input := p.values[0]
	p.values[0] = gradient
	// It begins as zeros: -0 that arrives on one way only would stay -0, and become 0
	// where rows beside it have other goals and so other ways.
	p.gemm(p.here(gradient), p.here(p.noTerms[0]), p.noTerms[1], Multiply(false, false))
	p.begun[0] = true
	for r, at := range p.reads {
		p.contribute(at, p.here(p.targets[r]))
	}
	for i := len(p.model.net.Ops) - 1; i >= 0; i-- {
		if !p.begun[i+1] {
			continue
		}
		delta := p.here(p.values[i+1])
		if p.slopes[i+1] != nil {
			p.times(delta, p.here(p.slopes[i+1]))
		}
		p.back(i, p.model.net.Ops[i], delta)
	}
	p.values[0] = input
}

// back takes the gradient of what operation i computes to what it reads.
func (p *pass) back(i int, o Op, delta Matrix) {
	switch o.Kind {
	case Affine:
		down := Multiply(false, false)
		down.Beta = p.before(o.In[0])
		p.gemm(p.here(p.values[o.In[0]]), delta, p.model.weights[i], down)
	case Scale:
		p.times(delta, p.here(p.factors[i]))
		p.contribute(o.In[0], delta)
	case Add:
		for _, v := range o.In {
			p.contribute(v, delta)
		}
	case Concat:
		from := 0
		for _, v := range o.In {
			size := p.model.shapes[v].Size()
			part := p.here(p.spared(size))
			p.copyColumns(part, 0, delta, from, size)
			p.contribute(v, part)
			from += size
		}
	}
}

// contribute adds to the gradient with respect to a value.
func (p *pass) contribute(at Value, delta Matrix) {
	p.axpby(p.here(p.values[at]), 1, delta, p.before(at))
}

// before is the factor of what is there of a value's gradient: 0 the first time.
func (p *pass) before(at Value) float32 {
	if p.begun[at] {
		return 1
	}
	p.begun[at] = true
	return 0
}

// spared returns room for so many columns.
func (p *pass) spared(size int) Matrix {
	if p.spare[size] == nil {
		p.spare[size] = p.matrix(p.rows, size)
	}
	return p.spare[size]
}
