package network

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/words"
)

// Depth is how many layers with units there are.
func (n *Network) Depth() int {
	if n.Graph != nil {
		return len(n.Graph.Layers())
	}
	return len(n.Layers)
}

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
	if n.Graph != nil {
		return n.Graph.Names[n.Graph.Layers()[layer-1]]
	}
	return n.Layers[layer-1].Name
}

// FindLayer is the number of a layer that is called by number or by name. A name that
// is a number in the file is not meant by it.
func (n *Network) FindLayer(text string) (int, error) {
	if layer, err := strconv.Atoi(text); err == nil {
		return layer, n.CheckLayer(layer)
	}
	var names []string
	for layer := range n.Depth() {
		if name := n.layerName(layer + 1); name == text {
			return layer + 1, nil
		} else if name != "" {
			names = append(names, name)
		}
	}
	if names == nil {
		return 0, words.BadOption("Layer", fmt.Sprintf("%.60q", text), "the model has layers 1 to %d, which have no names", n.Depth())
	}
	return 0, words.BadOption("Layer", fmt.Sprintf("%.60q", text), "the model has layers 1 to %d: %.300s", n.Depth(), strings.Join(names, ", "))
}

// Net is what the network computes, and at the value of each layer, layer 1 first.
// Preprocessing is not part of it, but for a graph's own. The numbers are shared with
// the network, not copied.
func (n *Network) Net() (net engine.Net, at []engine.Value, err error) {
	if n.Graph != nil {
		for _, op := range n.Graph.Layers() {
			at = append(at, engine.Value(op+1))
		}
		return n.Graph.Net, at, nil
	}
	if net, err = n.stackNet(len(n.Layers)); err != nil {
		return net, nil, err
	}
	for i := range net.Ops {
		at = append(at, engine.Value(i+1))
	}
	return net, at, nil
}

// stackNet is what the first layers of a stack compute.
func (n *Network) stackNet(layers int) (net engine.Net, err error) {
	stack, err := n.stack(layers)
	if err != nil {
		return net, err
	}
	return engine.Stack(stack), nil
}

// Upto is the part of the network that computes a layer, with these of the layer's
// units alone; nil for all of them. Its last value is the layer's.
func (n *Network) Upto(layer int, units []int) (net engine.Net, err error) {
	if err := n.CheckLayer(layer); err != nil {
		return net, err
	}
	if n.Graph == nil {
		net, err = n.stackNet(layer)
	} else {
		net = n.Graph.Net
		net.Ops = slices.Clone(net.Ops[:n.Graph.Layers()[layer-1]+1])
	}
	if err != nil {
		return net, err
	}
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
// layer 1's weights. Another network's error wraps [ErrNoStack].
func (n *Network) Chain(layers int) ([]engine.Layer, error) {
	if n.Graph == nil {
		return n.Stack(layers)
	}
	if err := n.CheckLayer(layers); err != nil {
		return nil, err
	}
	var chain []engine.Layer
	var factor []float32 // of the input's channels
	places := n.Graph.Net.Input.Rows * n.Graph.Net.Input.Cols
	for i, o := range n.Graph.Net.Ops {
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
			return nil, fmt.Errorf("%s (%s) comes between its layers: %w", n.Graph.Names[i], o.Kind, ErrNoStack)
		}
	}
	return nil, ErrNoStack
}
