package network

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network/graph"
)

// ErrNoStack is wrapped by the errors of what only a stack of sigmoid layers can be
// asked for: to be trained further, sampled from, written, or compared with one that is untrained.
var ErrNoStack = errors.New("the network is no stack of sigmoid layers as are trained here")

// ErrNoChain is wrapped by the errors of what layers on each other alone can be asked for:
// their linear combination.
var ErrNoChain = errors.New("the network is no chain of layers, each on the one below it")

// CheckStack says what makes a network no stack of [Layer], nil if it is one, and wraps
// [ErrNoStack].
func (n *Network) CheckStack() error {
	if n.Graph == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", noStack(n.Graph), ErrNoStack)
}

// noStack is what makes a graph no stack, "" if it is one.
func noStack(g *graph.Graph) string {
	for i, o := range g.Net.Ops {
		switch {
		case o.Kind != engine.Affine:
			return fmt.Sprintf("it has %s (%s)", g.Names[i], o.Kind)
		case o.In[0] != engine.Value(i):
			return fmt.Sprintf("%s does not take what the layer before it puts out", g.Names[i])
		case o.Activation.Kind == engine.Identity:
			return fmt.Sprintf("%s is followed by nothing", g.Names[i])
		case o.Activation.Kind != engine.Sigmoid:
			return fmt.Sprintf("%s is followed by %s", g.Names[i], o.Activation.Kind)
		}
	}
	return ""
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
	n := &Network{Kind: MLP, InputShape: shape, Remarks: slices.Clone(g.Remarks), Warnings: slices.Clone(g.Warnings)}
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
	if noStack(g) != "" {
		return nil
	}
	for i, o := range g.Net.Ops {
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
