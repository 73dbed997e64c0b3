package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// What stands after the class units: probabilities, labels, and tables of them. Each
// is left out with what comes after it.
var tails = []string{"Softmax", "LogSoftmax", "Hardmax", "ArgMax", "TopK", "ZipMap", "ArrayFeatureExtractor", "Binarizer", "LabelEncoder"}

// passing are operations that may stand between those.
var passing = []string{"Cast", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"}

// findEnd finds what the outputs have in common: the value that the network ends with.
func (p *plan) findEnd(g *pb.GraphProto) error {
	var ends []string
	if n := len(g.GetOutput()); n > 64 {
		return fmt.Errorf("it has %d outputs: want one", n)
	}
	for _, out := range g.GetOutput() {
		if end := p.before(out.GetName()); !slices.Contains(ends, end) {
			ends = append(ends, end)
		}
	}
	if len(ends) > 1 {
		ends = p.last(ends)
	}
	switch {
	case len(ends) == 0:
		return errors.New("it has no output")
	case len(ends) > 1:
		return fmt.Errorf("it has several ends, %s and %s: want one, export it with one of them", shown(ends[0]), shown(ends[1]))
	case p.makers[ends[0]] == nil:
		return fmt.Errorf("its output %s is nothing that its nodes make", shown(ends[0]))
	}
	p.end = ends[0]
	if len(p.left) > 0 {
		slices.Sort(p.left)
		p.remarks = append(p.remarks, fmt.Sprintf("left out at the end: %s; class units are what comes before", strings.Join(slices.Compact(p.left), ", ")))
	}
	return nil
}

// before is the value that an output's probabilities or labels are made of; the
// output itself if it is neither, but for its type and shape, which make no difference
// at the end.
func (p *plan) before(output string) string {
	end := output
	for at := output; p.makers[at] != nil; {
		end = at
		n := p.makers[at]
		switch {
		case slices.Contains(tails, n.op()):
			at = p.dataOf(n)
		case slices.Contains(passing, n.op()):
			at = n.input(0)
			continue
		default:
			if at = p.complement(n); at == "" {
				return end
			}
		}
		p.left = append(p.left, graph.Plain(n.op()))
	}
	return end
}

// dataOf is what a node at the end makes something of. ArrayFeatureExtractor looks up
// labels in a list, which comes first.
func (p *plan) dataOf(n *node) string {
	if first := n.input(0); p.stored[first] == nil {
		return first
	}
	return n.input(1)
}

// complement is p where a node is Concat(1-p, p), the probabilities of two classes.
func (p *plan) complement(n *node) string {
	if n.op() != "Concat" || len(n.GetInput()) != 2 {
		return ""
	}
	sub := p.makers[n.input(0)]
	if sub == nil || sub.op() != "Sub" || sub.input(1) != n.input(1) {
		return ""
	}
	if one, ok := p.number(sub.input(0)); !ok || one != 1 {
		return ""
	}
	return n.input(1)
}

// last are those of some values which none of the others is made of.
func (p *plan) last(ends []string) (last []string) {
	made := map[string]bool{} // names that an end is made of
	for _, n := range slices.Backward(p.nodes) {
		for _, name := range n.GetOutput() {
			if made[name] || slices.Contains(ends, name) {
				for _, in := range n.GetInput() {
					made[in] = true
				}
			}
		}
	}
	for _, end := range ends {
		if !made[end] {
			last = append(last, end)
		}
	}
	return last
}
