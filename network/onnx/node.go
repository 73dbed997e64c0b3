package onnx

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// node is one operation of the file.
type node struct {
	*pb.NodeProto
	attributes map[string]*pb.AttributeProto
}

func newNode(n *pb.NodeProto) *node {
	out := &node{n, map[string]*pb.AttributeProto{}}
	for _, a := range n.GetAttribute() {
		out.attributes[a.GetName()] = a
	}
	return out
}

// op is the operation's name.
func (n *node) op() string { return n.GetOpType() }

// input is the name of input i, "" where there is none.
func (n *node) input(i int) string {
	if i < len(n.GetInput()) {
		return n.GetInput()[i]
	}
	return ""
}

// output is the name of the first output, which is all that is read.
func (n *node) output() string {
	if len(n.GetOutput()) == 0 {
		return ""
	}
	return n.GetOutput()[0]
}

// only is an error about an attribute that is not among the known ones, with commas.
func (n *node) only(known string) error {
	for _, a := range n.GetAttribute() {
		if !slices.Contains(strings.Fields(known), a.GetName()) {
			return fmt.Errorf("its attribute %s is not known", shown(a.GetName()))
		}
	}
	return nil
}

// integer is a whole number among the attributes, or what is taken without it.
func (n *node) integer(name string, usual int64) int64 {
	if a := n.attributes[name]; a != nil {
		return a.GetI()
	}
	return usual
}

// float is a real number among the attributes.
func (n *node) float(name string, usual float32) float32 {
	if a := n.attributes[name]; a != nil {
		return a.GetF()
	}
	return usual
}

// axis makes a place in a list of dimensions from one that may count from the end.
func axis(at int64, rank int) (int, error) {
	if at < -int64(rank) || at >= int64(rank) {
		return 0, fmt.Errorf("axis %d of %d", at, rank)
	}
	if at < 0 {
		at += int64(rank)
	}
	return int(at), nil
}

// shown is a name of the file as text for people, however long or strange it is.
func shown(name string) string {
	return fmt.Sprintf("%.80q", name)
}

// scopes is where PyTorch's exporter keeps the modules that a node is in.
const scopes = "pkg.torch.onnx.name_scopes"

// module is the name of the part of the network that a node belongs to, as its author
// knows it, by what exporters tell of it:
//
//	['', 'body', 'body.0', 'linear']   body.0, in the metadata of PyTorch
//	/body/body.0/Gemm                  body.0, as TorchScript's nodes are called
//	/block/fc/Gemm                     block.fc
//
// It is the node's own name, or that of its operation, where nothing is told.
func (n *node) module() string {
	if name := n.place(); name != "" {
		return name
	}
	return strings.ToLower(graph.Plain(n.op()))
}

// place is the name of the module, or the node's own, "" where neither is told.
func (n *node) place() string {
	for _, e := range n.GetMetadataProps() {
		if e.GetKey() == scopes {
			if parts := quoted(e.GetValue()); len(parts) > 0 {
				return graph.Plain(path(parts))
			}
		}
	}
	if name, ok := strings.CutPrefix(n.GetName(), "/"); ok {
		return graph.Plain(path(strings.Split(name, "/")))
	}
	return graph.Plain(n.GetName())
}

// quoted is the parts of a list as Python writes it, without empty ones.
func quoted(list string) (parts []string) {
	for i, part := range strings.Split(list, "'") {
		if i%2 == 1 && part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// path is the name of a module from those of the modules that it is in, and what it
// does, the last. A module's name may begin with that of the one around it.
func path(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	name := parts[0]
	for _, part := range parts[1 : len(parts)-1] {
		if strings.HasPrefix(part, name+".") {
			name = part
		} else if last := name[strings.LastIndex(name, ".")+1:]; strings.HasPrefix(part, last+".") {
			name = strings.TrimSuffix(name, last) + part
		} else {
			name += "." + part
		}
	}
	return name
}

// layer is the name of what has weights: that of the weights without its ending, or
// the module's where they have none of their own.
func (n *node) layer(weight string) string {
	if strings.HasPrefix(weight, "onnx::") {
		return n.module()
	}
	for _, ending := range []string{".weight", ".kernel", "_weight", "_kernel"} {
		if stem, ok := strings.CutSuffix(weight, ending); ok && stem != "" {
			return graph.Plain(stem)
		}
	}
	if n.module() == n.op() || strings.HasPrefix(weight, "coefficient") {
		return graph.Plain(weight)
	}
	return n.module()
}
