package cpu

import (
	"errors"
	"sync/atomic"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
)

// model is a network on the CPU whose operations are affine, each reading the one
// before. Weights are packed once, when they are first needed, in the orientations
// that are. Each worker carries groups of rows through all layers, forward and
// backward, with everything it touches in its own cache; bias, activation and slope are
// applied to a strip's outputs right after they are made.
//
// A row is a lane, and lanes never meet: a row's bits depend neither on its
// company nor on its place.
type model struct {
	device *device
	net    engine.Net
	layers []layer // one for each operation: layer l reads value l and makes value l+1
	parts  []*modelPart
	closed bool

	// What a call is about.
	aims engine.Aims
	top  int       // layers that take part
	x    []float32 // [rows, inputs]
	next atomic.Int64
}

// modelBytes is what the groups of a worker may take of its second level of
// cache, for the inputs and outputs of one layer. Each strip of weights is
// read once for all of them.
const modelBytes = 1 << 20

// maxGroups bounds a worker's groups: more save little weight traffic, and what
// they keep of all layers leaves the second level. On 784-1000-1000-1000 two
// were 4 % faster than one or four (2 MiB of second level, November 2026).
const maxGroups = 2

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
	m := &model{device: d, net: n, layers: make([]layer, len(n.Ops))}
	for i := range n.Ops {
		m.layers[i].op = &n.Ops[i]
	}
	for range d.pool.workers {
		m.parts = append(m.parts, &modelPart{model: m})
	}
	return m, nil
}

// Close implements engine.Loaded.
func (m *model) Close() error {
	m.closed, m.layers, m.parts = true, nil, nil
	return nil
}

// begin prepares a call that goes up to value top, and perhaps back.
func (m *model) begin(operation string, top int, back bool) error {
	if m.closed {
		return errors.New(operation + ": the model is closed")
	}
	if err := m.pack(operation, top, back); err != nil {
		return err
	}
	m.top = top
	widest := m.net.Input.Size()
	for l := range m.layers[:top] {
		widest = max(widest, m.layers[l].op.Weight.Rows)
	}
	groups := min(maxGroups, max(1, modelBytes/(2*4*widest*m.device.set.Lanes)))
	for _, p := range m.parts {
		p.prepare(groups, back)
	}
	return nil
}

// end lets go of the caller's memory.
func (m *model) end() { m.aims, m.x = engine.Aims{}, nil }

// run has every worker do its part of so many evaluations of rows.
func (m *model) run(evaluations float64, part func(p *modelPart, i int)) {
	work := float64(m.net.Input.Size())
	for l := range m.layers[:m.top] {
		work += float64(len(m.layers[l].op.Weight.Data))
	}
	m.next.Store(0)
	m.device.pool.run(len(m.parts), evaluations*work, func(_ *worker, i int) { part(m.parts[i], i) })
}

// Forward implements engine.Loaded.
func (m *model) Forward(x engine.Matrix, outputs []engine.Output) error {
	o := operand.Set[*matrix]{Device: m.device, Operation: "forward"}
	mx := o.Take("x", x)
	top, to := 0, make([]output, len(m.layers)+1)
	var taken []*matrix
	for _, out := range outputs {
		t := o.Take("output", out.To)
		o.Apart("output", t, "x", mx)
		for _, other := range taken {
			o.Apart("output", t, "another", other)
		}
		taken = append(taken, t)
		if out.After {
			to[out.At].after = append(to[out.At].after, t)
		} else {
			to[out.At].before = append(to[out.At].before, t)
		}
		top = max(top, int(out.At))
	}
	if o.Err != nil {
		return o.Err
	}
	if err := m.begin("forward", top, false); err != nil {
		return err
	}
	for _, t := range append(to[0].before, to[0].after...) {
		copy(t.data(), mx.data())
	}
	m.x = mx.data()
	m.run(float64(mx.rows), func(p *modelPart, _ int) {
		for p.takeBlock(mx.rows) {
			p.forward(to)
		}
	})
	m.end()
	return nil
}

// output is where a value goes before and after its activation.
type output struct{ before, after []*matrix }

// Gradient implements engine.Loaded.
func (m *model) Gradient(dst, x engine.Matrix, aims engine.Aims, values []float32) error {
	o := operand.Set[*matrix]{Device: m.device, Operation: "gradient"}
	mdst, mx := o.Take("dst", dst), o.Take("x", x)
	o.Apart("dst", mdst, "x", mx)
	if o.Err != nil {
		return o.Err
	}
	if err := m.aim("gradient", aims); err != nil {
		return err
	}
	m.x = mx.data()
	m.run(2*float64(mx.rows), func(p *modelPart, _ int) {
		for p.takeBlock(mx.rows) {
			p.differentiate()
			p.deliver(mdst, values)
		}
	})
	m.end()
	return nil
}

// aim begins a call about goals.
func (m *model) aim(operation string, aims engine.Aims) error {
	m.aims = aims
	return m.begin(operation, int(aims.Reads[len(aims.Reads)-1].At), true)
}
