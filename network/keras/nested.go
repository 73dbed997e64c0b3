package keras

import "fmt"

// expand returns the layers of the model, and in place of each that is a model those
// of that: encoder/dense is dense in the model encoder.
func (m *model) expand() ([]*layer, error) {
	inner := map[string]bool{}
	for _, l := range m.layers {
		inner[l.name] = l.inner != nil
	}
	// Keras counts from 1 where a model is used, and such are used once.
	once := func(r *reference) {
		if inner[r.layer] {
			r.node = 0
		}
	}
	once(&m.output)
	var all []*layer
	for _, l := range m.layers {
		for _, n := range l.nodes {
			for i := range n.inputs {
				once(&n.inputs[i])
			}
		}
		if l.inner == nil {
			all = append(all, l)
			continue
		}
		if len(l.nodes) != 1 {
			return nil, fmt.Errorf("%s: it is used %d times, and a model in a model can be used once", l, len(l.nodes))
		}
		layers, err := l.inner.expand()
		if err != nil {
			return nil, err
		}
		rename := func(r *reference) { r.layer = l.name + "/" + r.layer }
		for _, k := range layers {
			for _, n := range k.nodes {
				for i := range n.inputs {
					rename(&n.inputs[i])
				}
			}
			if k.name == l.inner.input.layer && k.class == "InputLayer" && !k.same {
				k.same, k.nodes = true, l.nodes
			}
			k.name, k.top = l.name+"/"+k.name, l.name
		}
		end := l.inner.output
		rename(&end)
		all = append(all, layers...)
		all = append(all, &layer{name: l.name, class: l.class, same: true, nodes: []node{{inputs: []reference{end}}}})
	}
	return all, nil
}
