package keras

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network/graph"
)

// reading is a file on its way to a network.
type reading struct {
	*file
	builder *graph.Builder
	values  map[reference]value
	flat    bool // inputs are numbers without places
	left    int  // how many numbers may still be made of those in the file
}

// build makes a network of the description and the weights of a file of size bytes.
func build(m *model, f *file, size int64) (*graph.Graph, error) {
	f.place(m, "layers/")
	var err error
	if m.layers, err = m.expand(); err != nil {
		return nil, err
	}
	g, err := f.read(m, size, false)
	if errors.Is(err, errPlaces) {
		g, err = f.read(m, size, true)
	}
	return g, err
}

// read goes through the layers.
func (f *file) read(m *model, size int64, flat bool) (*graph.Graph, error) {
	// Weights are put in another order, and numbers stretched, but not without end.
	r := &reading{file: f, values: map[reference]value{}, flat: flat, left: 1<<22 + 4*int(size)}
	order, err := m.order()
	if err != nil {
		return nil, err
	}
	for _, use := range order {
		if err := r.step(m, use); err != nil {
			return nil, fmt.Errorf("%s: %w", use.layer, err)
		}
	}
	end, ok := r.values[m.output]
	if !ok || r.builder == nil {
		return nil, fmt.Errorf("its output is layer %s, which is not there", shown(m.output.layer))
	}
	for _, u := range order {
		if r.values[reference{u.layer.name, u.node}].at > end.at {
			return nil, fmt.Errorf("%s comes after its output, layer %s: save the model without it", u.layer, shown(m.output.layer))
		}
	}
	if end.ended != "" {
		r.builder.Remark("left out at the end: %s; class units are what comes before", end.ended)
	}
	if err := f.unused(); err != nil {
		return nil, err
	}
	return r.builder.Finish()
}

// spend counts numbers that are made of others in the file, so that a small file
// can't ask for many.
func (r *reading) spend(numbers int) error {
	if r.left -= numbers; r.left < 0 || numbers < 0 {
		return errors.New("the file makes too many numbers of those it has")
	}
	return nil
}

// use is one use of a layer.
type use struct {
	layer *layer
	node  int
}

// order puts uses of layers in an order in which each comes after what it reads. Keras
// has them in one, but for layers that are used more than once.
func (m *model) order() (sorted []use, err error) {
	seen, done := map[string]bool{}, map[reference]bool{}
	var todo []use
	for _, l := range m.layers {
		if seen[l.name] {
			return nil, fmt.Errorf("layer %s is there twice", shown(l.name))
		}
		seen[l.name] = true
		for i := range l.nodes {
			todo = append(todo, use{l, i})
		}
	}
	if len(todo) > maxNodes {
		return nil, fmt.Errorf("its layers are used %d times, and at most %d can be read", len(todo), maxNodes)
	}
	for len(todo) > 0 {
		var later []use
		for _, u := range todo {
			waits := func(in reference) bool { return !done[in] }
			if slices.ContainsFunc(u.layer.nodes[u.node].inputs, waits) {
				later = append(later, u)
				continue
			}
			done[reference{u.layer.name, u.node}] = true
			sorted = append(sorted, u)
		}
		if len(later) == len(todo) {
			return nil, fmt.Errorf("%s: it reads what nothing before it makes", later[0].layer)
		}
		todo = later
	}
	return sorted, nil
}

// step adds what one use of a layer makes.
func (r *reading) step(m *model, u use) error {
	l, n := u.layer, u.layer.nodes[u.node]
	at := reference{l.name, u.node}
	if l.class == "InputLayer" && !l.same {
		if at != m.input {
			return errors.New("the network has another input, and can have one")
		}
		v, err := r.begin(m, l)
		r.values[at] = v
		return err
	}
	read := layers[l.class]
	if l.same {
		read = nothing
	}
	if read == nil {
		if hint := hints[l.class]; hint != "" {
			return errors.New(hint)
		}
		return errors.New("this layer can't be read: save the model as far as what comes before it")
	}
	if n.err != nil {
		return n.err
	}
	var in []value
	for _, from := range n.inputs {
		v := r.values[from]
		if v.ended != "" && !passing[l.class] && !l.same {
			return fmt.Errorf("it comes after %s, which can be at the end of a network only", v.ended)
		}
		in = append(in, v)
	}
	if len(in) == 0 || len(in) > 1 && !joining[l.class] {
		return fmt.Errorf("it reads %d values", len(in))
	}
	v, err := read(r, l, in)
	r.values[at] = v
	return err
}

// begin makes the input of the network.
func (r *reading) begin(m *model, l *layer) (value, error) {
	shape := m.shape
	for _, name := range []string{"batch_shape", "batch_input_shape"} {
		if err := l.config.read(name, &shape); err != nil {
			return value{}, err
		}
	}
	if len(shape) < 2 {
		return value{}, errors.New("the shape of inputs is not told: build the model with one before it is saved")
	}
	var dims []int
	for _, text := range shape[1:] {
		var n int
		if err := json.Unmarshal(text, &n); err != nil || n < 1 {
			return value{}, fmt.Errorf("a dimension of inputs is %.40q, want a number: make the model with one", text)
		}
		dims = append(dims, n)
	}
	v, err := input(dims, r.flat)
	if err != nil {
		return v, err
	}
	r.builder = graph.New(v.shape)
	switch {
	case v.last:
		r.builder.Remark("inputs of shape %v are taken as pictures, one channel after the other", dims)
	case len(dims) > 1 && v.shape == engine.Flat(v.size()):
		r.builder.Remark("inputs of shape %v are taken as %d numbers without places", dims, v.size())
	}
	return v, nil
}
