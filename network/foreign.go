package network

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/internal/filekind"
	"github.com/unitscope/unitscope/network/keras"
	"github.com/unitscope/unitscope/network/onnx"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/network/torch"
)

// ErrNoStack is wrapped by the errors of what only a stack of sigmoid layers can be
// asked for: to be trained further, sampled from, or taken for filters.
var ErrNoStack = errors.New("the network is no stack of layers as are trained here")

// Options are what a file of another framework may leave open. Our own files say all
// of it themselves.
type Options struct {
	// Activation, of a file of parameters alone, is what follows each layer but the
	// last: a name as of [engine.ParseActivation].
	Activation string
	// Map says of such a file's tensors what they are, see [torch.Options].
	Map map[string]string
	// InputShape is that of one example; nil for what the file says, or a square
	// picture where the number of inputs is one's.
	InputShape []int
	// Mean and Deviation normalise inputs before the first layer, (x - Mean) /
	// Deviation, for each channel or one for all.
	Mean, Deviation []float32
}

// LoadWith is [Load] of any file that there is a reader for: a model of our own, ONNX,
// Keras, or what PyTorch saves. It looks at what the file holds, not at its name.
func LoadWith(path string, o Options) (*Network, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		path = filepath.Join(path, FileName)
	}
	kind, err := filekind.Recognise(path)
	if err != nil {
		return nil, err
	}
	var g *graph.Graph
	switch kind {
	case filekind.ONNX, filekind.Keras, filekind.HDF5:
		g, err = o.describing(path, kind)
	case filekind.Torch, filekind.TorchLegacy, filekind.TorchScript, filekind.TorchExport, filekind.Pickle:
		g, err = torch.Load(path, o.ofParameters())
	case filekind.Safetensors:
		if own, err := isOwn(path); own || err != nil {
			if err == nil {
				err = o.none(path)
			}
			if err != nil {
				return nil, err
			}
			return loadOwn(path)
		}
		g, err = torch.Load(path, o.ofParameters())
	default:
		if filepath.Ext(path) == filepath.Ext(FileName) {
			return loadOwn(path) // which says what is wrong with it
		}
		return nil, unreadable(path, kind)
	}
	if err != nil {
		return nil, err
	}
	n, err := FromGraph(g, o.InputShape)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// describing reads a file that says itself what its network computes.
func (o Options) describing(path string, kind filekind.Kind) (g *graph.Graph, err error) {
	if err := o.alone(path, kind.String()); err != nil {
		return nil, err
	}
	if kind == filekind.ONNX {
		g, err = onnx.Read(path)
	} else {
		g, err = keras.Load(path)
	}
	if err != nil || o.Mean == nil {
		return g, err
	}
	if g, err = g.Normalize(o.Mean, o.Deviation); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// unreadable says what a file is that is no model, and what is.
func unreadable(path string, kind filekind.Kind) error {
	return fmt.Errorf("%s: it looks like %s; a model is a run folder or model.safetensors of this program, a PyTorch state dict (.pt, .safetensors), an ONNX file or one of Keras (.keras, .h5)", path, kind)
}

// alone refuses options of parameters alone for a file that says more.
func (o Options) alone(path, kind string) error {
	switch {
	case o.Activation != "":
		return words.BadOption("Activation", o.Activation, "%s is %s, which says its activations itself; leave it out", path, kind)
	case o.Map != nil:
		return words.BadOption("Map", nil, "%s is %s, which says itself what its tensors are; leave it out", path, kind)
	}
	return nil
}

// none refuses all options.
func (o Options) none(path string) error {
	const kind = "a model of this program"
	if err := o.alone(path, kind); err != nil {
		return err
	}
	switch {
	case o.InputShape != nil:
		return words.BadOption("InputShape", FormatShape(o.InputShape), "%s is %s, which says its own; leave it out", path, kind)
	case o.Mean != nil:
		return words.BadOption("Mean", nil, "%s is %s, which says its own preprocessing; leave it out", path, kind)
	}
	return nil
}

func (o Options) ofParameters() torch.Options {
	t := torch.Options{Activation: o.Activation, Map: o.Map, Mean: o.Mean, Deviation: o.Deviation}
	if o.InputShape != nil {
		t.Input = engineShape(o.InputShape)
	}
	return t
}

// isOwn says whether a safetensors file is of our format, by its word for itself or
// by the name of its first tensor.
func isOwn(path string) (own bool, err error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return false, err
	}
	_, named := f.Entry(LayerName(1) + WeightSuffix)
	return named || strings.HasPrefix(f.Metadata[formatKey], formatsPrefix), f.Close()
}

// engineShape is the shape of a picture, [rows, cols] or [channels, rows, cols], or of
// a row of numbers.
func engineShape(shape []int) engine.Shape {
	switch len(shape) {
	case 2:
		return engine.Shape{Channels: 1, Rows: shape[0], Cols: shape[1]}
	case 3:
		return engine.Shape{Channels: shape[0], Rows: shape[1], Cols: shape[2]}
	}
	size := 1
	for _, n := range shape {
		size *= n
	}
	return engine.Flat(size)
}

// FromGraph is a network of what a reader found in another framework's file. A chain
// of sigmoid layers alone is a stack of [Layer]; all else stays a graph, whose last
// layer may be class units. shape is the input's; nil for the
// graph's, or a square picture.
func FromGraph(g *graph.Graph, shape []int) (*Network, error) {
	n := &Network{Kind: MLP, InputShape: shape, Remarks: slices.Clone(g.Remarks)}
	if shape == nil {
		n.InputShape = inputShape(g.Net.Input)
	}
	if err := n.stackOf(g); err != nil {
		return nil, err
	}
	if n.Layers == nil {
		n.Graph = g
	}
	return n, n.Check()
}

// inputShape is how we have a shape.
func inputShape(s engine.Shape) []int {
	switch {
	case s.Rows == 1 && s.Cols == 1:
		if side := int(math.Sqrt(float64(s.Channels)) + 0.5); side > 1 && side*side == s.Channels {
			return []int{side, side}
		}
		return []int{s.Channels}
	case s.Channels == 1:
		return []int{s.Rows, s.Cols}
	}
	return []int{s.Channels, s.Rows, s.Cols}
}

// stackOf fills in Layers where a graph is a stack.
func (n *Network) stackOf(g *graph.Graph) error {
	ops := g.Net.Ops
	for i, o := range ops {
		if o.Kind != engine.Affine || o.In[0] != engine.Value(i) || o.Activation.Kind != engine.Sigmoid {
			return nil
		}
	}
	for i, o := range ops {
		weight, err := dense.Of(o.Weight.Data, o.Weight.Rows, o.Weight.Cols)
		if err != nil {
			return err
		}
		bias, err := dense.Of(o.Bias, len(o.Bias))
		if err != nil {
			return err
		}
		n.Layers = append(n.Layers, Layer{Name: g.Names[i], Weight: weight, Bias: bias})
	}
	return nil
}

// checkGraph checks a network that is a graph, which takes so many inputs.
func (n *Network) checkGraph(inputs int) error {
	if n.Layers != nil || n.Output != nil || n.Mean != nil || n.Scale != nil {
		return errors.New("a network that is a graph has layers, a classifier or preprocessing besides")
	}
	if _, err := n.Graph.Net.Check(); err != nil {
		return err
	}
	if size := n.Graph.Net.Input.Size(); size != inputs {
		return fmt.Errorf("input shape %v: the network has %d inputs", n.InputShape, size)
	}
	if depth := n.Depth(); depth < 1 || depth > maxLayers {
		return fmt.Errorf("it has %s with units, want 1 to %d", words.Count(depth, "layer"), maxLayers)
	}
	return nil
}

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
	stack, err := n.stack(len(n.Layers))
	if err != nil {
		return net, nil, err
	}
	net.Input = engine.Flat(n.inputs())
	for i, l := range stack {
		net.Ops = append(net.Ops, engine.Op{
			Kind: engine.Affine, In: []engine.Value{engine.Value(i)}, Weight: l.Weight, Bias: l.Bias,
			Activation: engine.Activation{Kind: engine.Sigmoid},
		})
		at = append(at, engine.Value(i+1))
	}
	return net, at, nil
}

// Upto is the part of the network that computes a layer, with these of the layer's
// units alone; nil for all of them. Its last value is the layer's.
func (n *Network) Upto(layer int, units []int) (engine.Net, error) {
	if err := n.CheckLayer(layer); err != nil {
		return engine.Net{}, err
	}
	net, at, err := n.Net()
	if err != nil {
		return net, err
	}
	net.Ops = slices.Clone(net.Ops[:at[layer-1]])
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
