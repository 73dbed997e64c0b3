package keras

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/unitscope/unitscope/network/graph"
)

const (
	maxNodes = 1 << 12 // how often the layers of a network may be used in all
	maxDepth = 8       // models in one another
)

// model is the description of a network.
type model struct {
	layers        []*layer
	input, output reference
	shape         []json.RawMessage // of inputs with their number first, where no layer says it
}

// layer is a layer of the description.
type layer struct {
	name   string
	class  string
	config settings
	nodes  []node // where it is used
	inner  *model // where it is one itself
	same   bool   // it is the beginning or end of one, and passes on what it reads
	own    string // its name in the model that it is in, without that one's
	top    string // the name of the outermost layer that it is in; "" if that is itself
	group  string // of its weights, in archives
}

// String is the layer as errors name it.
func (l *layer) String() string {
	return fmt.Sprintf("layer %s, %.80s", shown(l.name), graph.Plain(l.class))
}

// reference is what a layer makes where it is used for the node'th time.
type reference struct {
	layer string
	node  int
}

// node is one use of a layer.
type node struct {
	inputs []reference
	err    error // where that can't be read
}

// described is anything that Keras writes with its class.
type described struct {
	Class      string          `json:"class_name"`
	Module     string          `json:"module"`
	Registered string          `json:"registered_name"`
	Name       string          `json:"name"`
	Config     json.RawMessage `json:"config"`
	Inbound    json.RawMessage `json:"inbound_nodes"`
}

// class is what is known here by its class's name. Functions of keras.ops and layers
// may have the same one, and classes of other people any.
func (d described) class() string {
	switch {
	case strings.Contains(d.Registered, ">"):
		return d.Registered
	case strings.Contains(d.Module, ".ops"):
		return "ops." + d.Class
	}
	return d.Class
}

// parse reads the description of a network.
func parse(text []byte) (*model, error) {
	var top described
	if err := json.Unmarshal(text, &top); err != nil {
		return nil, fmt.Errorf("its description: %w", err)
	}
	if !isModel(top.class()) {
		return nil, fmt.Errorf("its class is %s: want a Sequential or Functional model; export others as ONNX", shown(top.class()))
	}
	return newModel(top, 0)
}

// isModel says whether a class is of models.
func isModel(class string) bool {
	return class == "Sequential" || class == "Functional" || class == "Model"
}

// newModel reads the description of a network that is in so many others.
func newModel(d described, depth int) (*model, error) {
	var of struct {
		Layers  []described       `json:"layers"`
		Inputs  json.RawMessage   `json:"input_layers"`
		Outputs json.RawMessage   `json:"output_layers"`
		Shape   []json.RawMessage `json:"build_input_shape"`
	}
	sequential := d.class() == "Sequential"
	if sequential && strings.HasPrefix(strings.TrimSpace(string(d.Config)), "[") {
		return nil, errors.New("it is of a Keras before 2.2.3: save it with a newer one")
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("more than %d models in one another", maxDepth)
	}
	if err := json.Unmarshal(d.Config, &of); err != nil {
		return nil, fmt.Errorf("its description: %w", err)
	}
	m := &model{shape: of.Shape}
	for _, d := range of.Layers {
		l, err := newLayer(d, !sequential, depth)
		if err != nil {
			return nil, err
		}
		m.layers = append(m.layers, l)
	}
	if sequential {
		return m, m.chain()
	}
	var err error
	if m.input, err = single(of.Inputs, "input"); err != nil {
		return nil, err
	}
	m.output, err = single(of.Outputs, "output")
	return m, err
}

func newLayer(d described, functional bool, depth int) (*layer, error) {
	l := &layer{name: d.Name, class: d.class()}
	if err := json.Unmarshal(d.Config, &l.config); err != nil {
		return nil, fmt.Errorf("%s: its description: %w", l, err)
	}
	if name := l.config.text("name", ""); name != "" {
		l.name = name
	}
	if l.name == "" {
		return nil, fmt.Errorf("a layer %s has no name", shown(l.class))
	}
	l.own = l.name
	if isModel(l.class) {
		var err error
		if l.inner, err = newModel(d, depth+1); err != nil {
			return nil, fmt.Errorf("%s: %w", l, err)
		}
	}
	if !functional {
		return l, nil
	}
	var nodes []json.RawMessage
	if err := json.Unmarshal(d.Inbound, &nodes); err != nil {
		return nil, fmt.Errorf("%s: what it reads: %w", l, err)
	}
	for _, text := range nodes {
		inputs, err := references(text)
		l.nodes = append(l.nodes, node{inputs, err})
	}
	if len(nodes) == 0 {
		l.nodes = []node{{}}
	}
	return l, nil
}

// chain makes each layer of a Sequential model read the one before it.
func (m *model) chain() error {
	if len(m.layers) == 0 {
		return errors.New("it has no layers")
	}
	if m.layers[0].class != "InputLayer" {
		input := &layer{name: "input", class: "InputLayer", config: m.layers[0].config}
		for _, l := range m.layers {
			if l.name == input.name {
				input.name += "_of_" + m.layers[0].name
			}
		}
		m.layers = append([]*layer{input}, m.layers...)
	}
	for i, l := range m.layers {
		l.nodes = []node{{}}
		if i > 0 {
			l.nodes[0].inputs = []reference{{m.layers[i-1].name, 0}}
		}
	}
	m.input, m.output = reference{m.layers[0].name, 0}, reference{m.layers[len(m.layers)-1].name, 0}
	return nil
}

// single is the one input or output of a model: ["in", 0, 0] or [["in", 0, 0]].
func single(text json.RawMessage, what string) (reference, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil || len(parts) == 0 {
		return reference{}, fmt.Errorf("its %s can't be read", what)
	}
	if parts[0][0] != '[' {
		return newReference(text)
	}
	if len(parts) > 1 {
		return reference{}, fmt.Errorf("it has %d %ss: want one, save a model with one of them", len(parts), what)
	}
	return newReference(parts[0])
}

// newReference reads ["dense", 0, 0], and in Keras 2 {} behind it: layer, node, and
// which of several values. What is named there is called with it.
func newReference(text json.RawMessage) (reference, error) {
	var parts []json.RawMessage
	var r reference
	var value int
	err := json.Unmarshal(text, &parts)
	if err == nil && (len(parts) < 3 || len(parts) > 4) {
		err = fmt.Errorf("%d parts", len(parts))
	}
	for i, to := range []any{&r.layer, &r.node, &value} {
		if err == nil {
			err = json.Unmarshal(parts[i], to)
		}
	}
	if err != nil {
		return r, fmt.Errorf("%.80q for the name of a layer and two numbers: %w", text, err)
	}
	if value != 0 {
		return r, fmt.Errorf("value %d of layer %s, and layers with several values can't be read", value, shown(r.layer))
	}
	if len(parts) == 4 {
		return r, arguments(parts[3])
	}
	return r, nil
}

// references are what a layer reads. Keras 3 writes the arguments it is called with,
//
//	{"args": [[{"config": {"keras_history": ["dense", 0, 0]}}, ...]], "kwargs": {}}
//
// and Keras 2 [["dense", 0, 0, {}], ...], or without the outer brackets for one.
func references(text json.RawMessage) ([]reference, error) {
	var call struct {
		Args   []json.RawMessage `json:"args"`
		Kwargs json.RawMessage   `json:"kwargs"`
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(text, &parts); err == nil {
		if len(parts) > 0 && parts[0][0] != '[' {
			parts = []json.RawMessage{text}
		}
		return each(parts, newReference)
	}
	if err := json.Unmarshal(text, &call); err != nil {
		return nil, fmt.Errorf("what it reads: %w", err)
	}
	if len(call.Args) > 0 && call.Args[0][0] == '[' {
		if err := json.Unmarshal(call.Args[0], &parts); err != nil {
			return nil, err
		}
		call.Args = append(parts, call.Args[1:]...)
	}
	for len(call.Args) > 0 && string(call.Args[len(call.Args)-1]) == "null" {
		call.Args = call.Args[:len(call.Args)-1]
	}
	inputs, err := each(call.Args, func(text json.RawMessage) (reference, error) {
		var t struct {
			Config struct {
				History json.RawMessage `json:"keras_history"`
			} `json:"config"`
		}
		if err := json.Unmarshal(text, &t); err != nil || t.Config.History == nil {
			return reference{}, fmt.Errorf("it is called with %.80q, want what a layer makes", text)
		}
		return newReference(t.Config.History)
	})
	if err != nil || call.Kwargs == nil {
		return inputs, err
	}
	return inputs, arguments(call.Kwargs)
}

// each reads the parts of a list.
func each(parts []json.RawMessage, read func(json.RawMessage) (reference, error)) (all []reference, err error) {
	for _, text := range parts {
		r, err := read(text)
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// arguments refuses what a layer is called with by name, but for nothing, and for no
// training.
func arguments(text json.RawMessage) error {
	var named map[string]json.RawMessage
	if err := json.Unmarshal(text, &named); err != nil {
		return fmt.Errorf("its arguments: %w", err)
	}
	for name, value := range named {
		if v := string(value); v != "null" && (name != "training" || v != "false") {
			return fmt.Errorf("it is called with %s=%.40q, and can't be", shown(name), v)
		}
	}
	return nil
}
