//go:build cuda

package gpu

import (
	"errors"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
	"github.com/unitscope/unitscope/kernels"
)

// model is a network on a card whose operations are affine, each reading the one
// before: layer l reads value l and makes value l+1.
type model struct {
	net     engine.Net
	fixed   holding
	weights []*matrix // [units, inputs] of each layer
	biases  []*matrix // [1, units]
	closed  bool
}

// Load has a version of its own of networks whose operations are affine, each reading
// the one before.
func (d *device) Load(n engine.Net) (engine.Loaded, error) {
	if err := d.open("load"); err != nil {
		return nil, err
	}
	for i, o := range n.Ops {
		if o.Kind != engine.Affine || o.In[0] != engine.Value(i) {
			return nil, engine.ErrNotFused
		}
	}
	m := &model{net: n, fixed: holding{device: d, operation: "load"}}
	for _, o := range n.Ops {
		m.weights = append(m.weights, m.fixed.upload(o.Weight))
		m.biases = append(m.biases, m.fixed.row(o.Bias))
	}
	if err := m.fixed.compiled(); err != nil {
		return nil, err
	}
	return m, nil
}

// Close implements engine.Loaded.
func (m *model) Close() error {
	m.closed = true
	return m.fixed.close()
}

// open returns an error if the model, or its device, has been closed.
func (m *model) open(operation string) error {
	if m.closed {
		return errors.New(operation + ": the model is closed")
	}
	return m.fixed.device.open(operation)
}

// modelCall is one call about some rows: only the top n rows of matrices are in use.
type modelCall struct {
	holding
	model  *model
	n      int
	layers int       // that take part
	values []*matrix // [rows, units] of each layer, and then gradients
	slopes []*matrix // [rows, units], nil where they are 1 or made of values

	aims    engine.Aims
	tables  []*matrix    // [goals, size] of each read
	targets []*matrix    // [rows, size] of each read but the last one
	goals   cu.DevicePtr // ints: the goal of each row
}

// newCall makes room for rows on their way up.
func (m *model) newCall(operation string, rows, layers int) *modelCall {
	c := &modelCall{holding: holding{device: m.fixed.device, operation: operation}, model: m, n: rows, layers: layers}
	for _, o := range m.net.Ops[:layers] {
		c.values = append(c.values, c.matrix(rows, o.Weight.Rows))
		c.slopes = append(c.slopes, nil)
	}
	return c
}

// aimed makes room for going back from what goals read, too. It stays to give the
// rows their goals.
func (m *model) aimed(operation string, rows int, aims engine.Aims) *modelCall {
	last := len(aims.Reads) - 1
	c := m.newCall(operation, rows, int(aims.Reads[last].At))
	c.aims, c.goals = aims, c.room(4*rows)
	for r, read := range aims.Reads {
		c.tables = append(c.tables, c.upload(read.Target))
		if r < last {
			c.targets = append(c.targets, c.matrix(rows, read.Target.Cols))
		}
	}
	for l, o := range m.net.Ops[:c.layers] {
		switch o.Activation.Kind {
		case engine.Identity:
		case engine.Sigmoid:
			// A product ends in the slope, but not where more is added before.
			if c.targetOf(l+1) != nil {
				c.slopes[l] = c.matrix(rows, o.Weight.Rows)
			}
		default:
			c.slopes[l] = c.matrix(rows, o.Weight.Rows)
		}
	}
	return c
}

// targetOf is the target of a read of value at, nil if there is none below the last one.
func (c *modelCall) targetOf(at int) *matrix {
	for r, target := range c.targets {
		if int(c.aims.Reads[r].At) == at {
			return target
		}
	}
	return nil
}

// take gives the rows their goals.
func (c *modelCall) take(goals []int) {
	c.fill(c.goals, indices(goals))
	for r, target := range c.targets {
		if c.err == nil {
			c.do(c.device.Gather(top(target, c.n), c.tables[r], goals))
		}
	}
}

// value is what layer l reads.
func (c *modelCall) value(x *matrix, l int) *matrix {
	if l == 0 {
		return top(x, c.n)
	}
	return top(c.values[l-1], c.n)
}

// forward computes values and slopes of all layers.
func (c *modelCall) forward(x *matrix) {
	for l := 0; l < c.layers && c.err == nil; l++ {
		a, h := c.model.net.Ops[l].Activation, top(c.values[l], c.n)
		c.layer(l, h, c.value(x, l), a.Kind == engine.Sigmoid && c.slopes[l] == nil)
		if c.slopes[l] != nil {
			c.do(c.device.activate(h, top(c.slopes[l], c.n), h, a))
		}
	}
}

// layer computes y of a layer, or the sigmoid of it.
func (c *modelCall) layer(l int, y, below *matrix, sigmoid bool) {
	p := engine.Multiply(false, true)
	if sigmoid {
		p.Epilogue.Kind = engine.EpilogueSigmoid
	}
	c.gemm(product{dst: y, a: below, b: c.model.weights[l], bias: c.model.biases[l]}, p)
}

// differentiate computes goals without their constants, [rows, 1], and their gradients,
// with every rounding as in the definition. With before 1 gradient holds zeros, and
// no zero of it becomes -0.
func (c *modelCall) differentiate(x, activation, gradient *matrix, before float32) {
	if c.forward(x); c.err != nil {
		return
	}
	for r, target := range c.targets {
		value, with := c.value(x, int(c.aims.Reads[r].At)), top(target, c.n)
		dots := callRowDots(rowDotsArguments{dst: activation.at(), x: value.at(), with: with.at(), rows: c.n, cols: value.cols, alpha: 1, beta: float32(min(r, 1))})
		c.launch(dots, kernels.RowBlocks(int64(c.n)), activation.called("activation"), value.called("value"))
	}
	delta := c.aim(x, activation, gradient)
	for l := c.layers - 1; l >= 0 && c.err == nil; l-- {
		delta = c.back(l, delta, gradient, before)
	}
}

// aim adds what goals read of the highest value, and returns the gradient with respect
// to what its layer computes before the activation. It takes the value's place.
func (c *modelCall) aim(x, activation, gradient *matrix) *matrix {
	last, l := len(c.tables)-1, c.layers-1
	below, table := c.value(x, c.layers), c.tables[last]
	a := ascentTopArguments{
		activation: activation.at(), before: float32(min(last, 1)), delta: below.at(), below: below.at(),
		weights: table.at(), goal: c.goals, rows: c.n, cols: table.cols,
	}
	delta := below
	switch {
	case l < 0:
		delta = gradient
		a.delta = gradient.at()
	case c.slopes[l] != nil:
		a.slope = c.slopes[l].at()
	case c.model.net.Ops[l].Activation.Kind == engine.Sigmoid:
		a.sigmoid = 1
	}
	c.launch(callAscentTop(a), kernels.RowBlocks(int64(c.n)), delta.called("delta"), below.called("below"), table.called("weights"))
	return delta
}

// back takes the gradient down through layer l.
func (c *modelCall) back(l int, delta, gradient *matrix, before float32) *matrix {
	down := engine.Multiply(false, false)
	if l == 0 {
		down.Beta = before
		c.gemm(product{dst: gradient, a: delta, b: c.model.weights[0]}, down)
		c.add(gradient, c.targetOf(0))
		return gradient
	}
	below := top(c.values[l-1], c.n)
	g := product{dst: below, a: delta, b: c.model.weights[l]}
	if c.model.net.Ops[l-1].Activation.Kind == engine.Sigmoid && c.slopes[l-1] == nil {
		down.Epilogue.Kind = engine.EpilogueDerivative
		g.hidden = below
	}
	c.gemm(g, down)
	c.add(below, c.targetOf(l))
	if c.slopes[l-1] != nil && c.err == nil {
		c.do(c.device.Times(below, top(c.slopes[l-1], c.n)))
	}
	return below
}

// add adds a target to a gradient, if there is one.
func (c *modelCall) add(gradient, target *matrix) {
	if target != nil && c.err == nil {
		c.do(c.device.Axpby(gradient, 1, top(target, c.n), 1))
	}
}

// Gradient implements engine.Loaded.
func (m *model) Gradient(dst, x engine.Matrix, aims engine.Aims, values []float32) (err error) {
	if err := m.open("gradient"); err != nil {
		return err
	}
	o := operand.Set[*matrix]{Device: m.fixed.device, Operation: "gradient"}
	mdst, mx := o.Take("dst", dst), o.Take("x", x)
	o.Apart("dst", mdst, "x", mx)
	if o.Err != nil {
		return o.Err
	}
	c := m.aimed("gradient", mx.rows, aims)
	defer c.end(&err)
	activation := c.matrix(mx.rows, 1)
	if c.take(aims.Row); c.err != nil {
		return c.err
	}
	zero := callFill(fillArguments{dst: mdst.at(), count: mdst.size()})
	c.launch(zero, kernels.Blocks(int64(mdst.size())), mdst.called("dst"))
	c.differentiate(mx, activation, mdst, 1)
	c.read(values, activation)
	for i := range values {
		values[i] += aims.Constant[aims.Row[i]]
	}
	return c.err
}

// end gives back what a call holds, whose error is err.
func (c *modelCall) end(err *error) {
	if e := c.close(); *err == nil {
		*err = e
	}
}

// Forward implements engine.Loaded.
func (m *model) Forward(x engine.Matrix, outputs []engine.Output) (err error) {
	if err := m.open("forward"); err != nil {
		return err
	}
	o := operand.Set[*matrix]{Device: m.fixed.device, Operation: "forward"}
	mx, layers := o.Take("x", x), 0
	to := make([]*matrix, len(outputs))
	for i, out := range outputs {
		to[i] = o.Take("output", out.To)
		o.Apart("output", to[i], "x", mx)
		for _, other := range to[:i] {
			o.Apart("output", to[i], "another", other)
		}
		layers = max(layers, int(out.At))
	}
	if o.Err != nil {
		return o.Err
	}
	c := m.newCall("forward", mx.rows, layers)
	defer c.end(&err)
	deliver := func(at int, after bool, value *matrix) {
		for i, out := range outputs {
			if int(out.At) == at && out.After == after && c.err == nil {
				c.do(c.device.Axpby(to[i], 1, value, 0))
			}
		}
	}
	deliver(0, false, mx)
	deliver(0, true, mx)
	for l := 0; l < layers && c.err == nil; l++ {
		a, h := m.net.Ops[l].Activation, c.values[l]
		before := false // its value is wanted before the activation
		for _, out := range outputs {
			before = before || int(out.At) == l+1 && !out.After
		}
		inProduct := a.Kind == engine.Sigmoid && !before
		c.layer(l, h, c.value(mx, l), inProduct)
		deliver(l+1, false, h)
		if !inProduct && a.Kind != engine.Identity && c.err == nil {
			c.do(c.device.activate(h, nil, h, a))
		}
		deliver(l+1, true, h)
	}
	return c.err
}
