package network

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network/graph"
)

// OutputName is what the class units of [Network.Output] are called as a layer.
const OutputName = "output"

// described is what the network computes, whatever it is kept as: a graph, of which the
// layers of a stack and its classifier are the operations. Those of a stack have no
// numbers yet, see [Network.computes].
func (n *Network) described() *graph.Graph {
	if n.Graph != nil {
		return n.Graph
	}
	input := engine.Flat(n.inputs())
	g := &graph.Graph{Net: engine.Net{Input: input}, Shapes: []engine.Shape{input}}
	for i, l := range n.affine() {
		o := engine.Op{Kind: engine.Affine, In: []engine.Value{engine.Value(i)}, Activation: engine.Activation{Kind: engine.Sigmoid}}
		if i == len(n.Layers) {
			l.Name, o.Activation.Kind = OutputName, engine.Identity
		}
		units, _ := matrixShape(l.Weight)
		g.Net.Ops, g.Names, g.Shapes = append(g.Net.Ops, o), append(g.Names, l.Name), append(g.Shapes, engine.Flat(units))
	}
	return g
}

// affine are the layers of a stack, its classifier last.
func (n *Network) affine() []Layer {
	if n.Output == nil {
		return n.Layers
	}
	return append(slices.Clone(n.Layers), *n.Output)
}

// computes is what the network computes up to a layer, with its numbers, which are
// shared with the network, and which of the operations is the layer.
func (n *Network) computes(layer int) (g *graph.Graph, op int, err error) {
	if err := n.CheckLayer(layer); err != nil {
		return nil, 0, err
	}
	g = n.described()
	op = g.Layers()[layer-1]
	if n.Graph != nil {
		return g, op, nil
	}
	for i, l := range n.affine()[:layer] {
		parameters, err := l.parameters(n.prefix(i + 1))
		if err != nil {
			return nil, 0, err
		}
		g.Net.Ops[i].Weight, g.Net.Ops[i].Bias = parameters.Weight, parameters.Bias
	}
	return g, op, nil
}

// prefix is what the names of tensors of a stack's layer begin with.
func (n *Network) prefix(layer int) string {
	if layer > len(n.Layers) {
		return outputPrefix
	}
	return layerPrefix(layer)
}

// parameters are a layer's as package engine takes them; prefix is what the names of its
// tensors begin with.
func (l Layer) parameters(prefix string) (to engine.Layer, err error) {
	if to.Weight, err = dense.Host(l.Weight); err != nil {
		return to, fmt.Errorf("%s%s: %w", prefix, weightName, err)
	}
	if to.Bias, err = dense.Data(l.Bias); err != nil {
		return to, fmt.Errorf("%s%s: %w", prefix, biasName, err)
	}
	return to, nil
}

// Depth is how many layers with units there are, class units among them.
func (n *Network) Depth() int { return len(n.described().Layers()) }

// LayerLabel is what people call a layer: its name in the file that it comes from, or
// its number.
func (n *Network) LayerLabel(layer int) string {
	if name := n.layerName(layer); name != "" {
		return name
	}
	return strconv.Itoa(layer)
}

// LayerTitle names a layer in full: "layer 3", or "layer 3 (fc2)" where its file has a
// name for it.
func (n *Network) LayerTitle(layer int) string { return LayerTitle(layer, n.layerName(layer)) }

// longName is how many characters of a name a title has.
const longName = 40

// LayerTitle is what a layer of a number and a name, "" for none, is called in full. A
// name that is a number is quoted, so that it is not read as one; of a long name there
// is the end, which tells it from others.
func LayerTitle(number int, name string) string {
	title := fmt.Sprintf("layer %d", number)
	name = graph.Plain(name) // records of runs have names, too
	if _, err := strconv.Atoi(name); err == nil {
		name = strconv.Quote(name)
	}
	if runes := []rune(name); len(runes) > longName {
		name = "..." + string(runes[len(runes)-longName:])
	}
	if name != "" {
		title += " (" + name + ")"
	}
	return title
}

// layerName is the name of a layer that is there, "" for none.
func (n *Network) layerName(layer int) string {
	g := n.described()
	return g.Names[g.Layers()[layer-1]]
}

// FindLayer is the number of a layer that is called by number or by name. A name that
// is a number in the file is not meant by it.
func (n *Network) FindLayer(text string) (int, error) {
	if layer, err := strconv.Atoi(text); err == nil {
		return layer, n.CheckLayer(layer)
	}
	named := false
	var labels []string
	for layer := 1; layer <= n.Depth(); layer++ {
		name := n.layerName(layer)
		if name == text && name != "" {
			return layer, nil
		}
		named = named || name != ""
		labels = append(labels, n.LayerLabel(layer))
	}
	if !named {
		return 0, words.BadOption("Layer", fmt.Sprintf("%.60q", text), "the model has layers 1 to %d, which have no names", n.Depth())
	}
	return 0, words.BadOption("Layer", fmt.Sprintf("%.60q", text), "the model has layers 1 to %d: %.300s", n.Depth(), strings.Join(labels, ", "))
}

// Net is what the network computes, and at the value of each layer, layer 1 first.
// Preprocessing is not part of it, but for a graph's own. The numbers are shared with
// the network, not copied.
func (n *Network) Net() (net engine.Net, at []engine.Value, err error) {
	g, _, err := n.computes(n.Depth())
	if err != nil {
		return net, nil, err
	}
	for _, op := range g.Layers() {
		at = append(at, engine.Value(op+1))
	}
	return g.Net, at, nil
}

// Shapes are those of all values up to a layer that is there, the input first.
func (n *Network) Shapes(layer int) []engine.Shape {
	g := n.described()
	return g.Shapes[:g.Layers()[layer-1]+2]
}

// Activation is what follows the sums of the units of a layer that is there.
func (n *Network) Activation(layer int) engine.Activation {
	g := n.described()
	return g.Net.Ops[g.Layers()[layer-1]].Activation
}

// Upto is the part of the network that computes a layer, with these of the layer's
// units alone; nil for all of them. Its last value is the layer's.
func (n *Network) Upto(layer int, units []int) (net engine.Net, err error) {
	g, op, err := n.computes(layer)
	if err != nil {
		return net, err
	}
	net = engine.Net{Input: g.Net.Input, Ops: slices.Clone(g.Net.Ops[:op+1])}
	if units == nil {
		return net, nil
	}
	top := &net.Ops[len(net.Ops)-1]
	all := *top
	top.Weight, top.Bias, top.Activation.Slopes = engine.Host{Rows: len(units), Cols: all.Weight.Cols}, nil, nil
	for _, u := range units {
		if u < 0 || u >= all.Weight.Rows {
			return net, words.BadOption("Units", u, "layer %d has %d units, 0 to %d", layer, all.Weight.Rows, all.Weight.Rows-1)
		}
		top.Weight.Data = append(top.Weight.Data, all.Weight.Data[u*all.Weight.Cols:(u+1)*all.Weight.Cols]...)
		top.Bias = append(top.Bias, all.Bias[u])
		if all.Activation.Slopes != nil {
			top.Activation.Slopes = append(top.Activation.Slopes, all.Activation.Slopes[u])
		}
	}
	return net, nil
}

// Chain is the weights and biases of layers 1..layers where each takes the numbers of
// the one below it, whatever its nonlinearity. A normalisation of the input is part of
// layer 1's weights. Another network's error wraps [ErrNoChain].
func (n *Network) Chain(layers int) ([]engine.Layer, error) {
	g, _, err := n.computes(layers)
	if err != nil {
		return nil, err
	}
	var chain []engine.Layer
	var factor []float32 // of the input's channels
	places := g.Net.Input.Rows * g.Net.Input.Cols
	for i, o := range g.Net.Ops {
		follows := len(o.In) == 1 && o.In[0] == engine.Value(i)
		switch {
		case o.Kind == engine.Affine && follows:
			l := engine.Layer{Weight: o.Weight, Bias: o.Bias}
			if len(chain) == 0 && factor != nil {
				l.Weight.Data = slices.Clone(l.Weight.Data)
				for k := range l.Weight.Data {
					l.Weight.Data[k] *= factor[k%l.Weight.Cols/places]
				}
			}
			if chain = append(chain, l); len(chain) == layers {
				return chain, nil
			}
		case i == 0 && o.Kind == engine.Scale && o.Activation.Kind == engine.Identity:
			factor = o.Factor
		default:
			return nil, fmt.Errorf("%s (%s) comes between its layers: %w", g.Names[i], o.Kind, ErrNoChain)
		}
	}
	return nil, ErrNoChain
}
