package onnx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// plan is what of a file is read: which nodes, from its input to its end.
type plan struct {
	input     *pb.ValueInfoProto
	end       string           // the name of the value that the network ends with
	steps     []*node          // what it takes to compute that, in an order in which each comes after what it reads
	nonlinear map[*node]*shape // nodes which are, with those before them, an activation
	left      []string         // operations at the end that are left out
	remarks   []string

	nodes    []*node
	makers   map[string]*node
	version  int64                      // of ONNX's operations
	stored   map[string]*pb.TensorProto // the tensors of the file, by their names
	decoded  map[string]*constant
	needed   map[string]bool // names that something reads
	constant map[*node]*constant
	outside  *folder
}

// newPlan looks through a graph from its outputs to its input.
func newPlan(model *pb.ModelProto, outside *folder) (*plan, error) {
	g := model.GetGraph()
	p := &plan{
		nonlinear: map[*node]*shape{}, makers: map[string]*node{}, stored: map[string]*pb.TensorProto{},
		decoded: map[string]*constant{}, needed: map[string]bool{}, constant: map[*node]*constant{}, outside: outside,
	}
	for _, set := range model.GetOpsetImport() {
		if set.GetDomain() == "" || set.GetDomain() == "ai.onnx" {
			p.version = set.GetVersion()
		}
	}
	if p.version < 1 {
		return nil, errors.New("it doesn't say which version of ONNX's operations it has: it may not be complete, export it again")
	}
	for _, t := range g.GetInitializer() {
		if p.stored[t.GetName()] != nil {
			return nil, fmt.Errorf("tensor %s is there twice", shown(t.GetName()))
		}
		p.stored[t.GetName()] = t
	}
	if err := p.findInput(g); err != nil {
		return nil, err
	}
	for _, n := range g.GetNode() {
		if err := p.addNode(newNode(n)); err != nil {
			return nil, fmt.Errorf("node %s: %w", shown(n.GetName()), err)
		}
	}
	if err := p.findEnd(g); err != nil {
		return nil, err
	}
	return p, p.findSteps()
}

// findInput finds the one input that is not a tensor of the file: old files list
// those too.
func (p *plan) findInput(g *pb.GraphProto) error {
	for _, in := range g.GetInput() {
		if p.stored[in.GetName()] != nil {
			continue
		}
		if p.input != nil {
			return fmt.Errorf("it has several inputs, %s and %s: want one", shown(p.input.GetName()), shown(in.GetName()))
		}
		p.input = in
	}
	if p.input == nil {
		return errors.New("it has no input")
	}
	return nil
}

// addNode keeps a node that comes after what it reads, as ONNX demands.
func (p *plan) addNode(n *node) error {
	for _, name := range n.GetInput() {
		if name != "" && name != p.input.GetName() && p.stored[name] == nil && p.makers[name] == nil {
			return fmt.Errorf("it reads %s, which nothing before it makes", shown(name))
		}
	}
	for _, name := range n.GetOutput() {
		if name == "" {
			continue
		}
		if name == p.input.GetName() || p.stored[name] != nil || p.makers[name] != nil {
			return fmt.Errorf("it makes %s, which is there already", shown(name))
		}
		p.makers[name] = n
	}
	p.nodes = append(p.nodes, n)
	return nil
}

// findSteps goes from the end to the input.
func (p *plan) findSteps() error {
	p.needed[p.end] = true
	for _, n := range slices.Backward(p.nodes) {
		if !slices.ContainsFunc(n.GetOutput(), func(name string) bool { return p.needed[name] }) {
			continue
		}
		reads := n.GetInput()
		is, err := p.recognise(n)
		if err != nil {
			return fmt.Errorf("node %s, %s: %w", shown(n.GetName()), graph.Plain(n.op()), err)
		}
		if is != nil {
			p.nonlinear[n] = is
			reads = append(is.constants, is.of)
		}
		for _, name := range reads {
			p.needed[name] = true
		}
		p.steps = append(p.steps, n)
	}
	slices.Reverse(p.steps)
	return nil
}

// tensor is a tensor of the file.
func (p *plan) tensor(name string) (*constant, error) {
	if c := p.decoded[name]; c != nil {
		return c, nil
	}
	t := p.stored[name]
	if t == nil {
		return nil, errors.New("nothing makes it")
	}
	c, err := decode(t, p.outside)
	if err == nil {
		p.decoded[name] = c
	}
	return c, err
}

// constantOf is what a Constant has as one of its attributes.
func (p *plan) constantOf(n *node) (*constant, error) {
	if c := p.constant[n]; c != nil {
		return c, nil
	}
	var c *constant
	for name, a := range n.attributes {
		var err error
		switch name {
		case "value":
			c, err = decode(a.GetT(), p.outside)
		case "value_float":
			c = &constant{floats: []float32{a.GetF()}}
		case "value_floats":
			c = &constant{floats: a.GetFloats(), dims: []int{len(a.GetFloats())}}
		case "value_int":
			c = &constant{ints: []int64{a.GetI()}, integer: true}
		case "value_ints":
			c = &constant{ints: a.GetInts(), dims: []int{len(a.GetInts())}, integer: true}
		default:
			err = fmt.Errorf("%s can't be read", shown(name))
		}
		if err != nil {
			return nil, err
		}
	}
	if c == nil || len(n.attributes) != 1 {
		return nil, errors.New("want one value")
	}
	p.constant[n] = c
	return c, nil
}

// number is the value of a constant with one number, where a name is that.
func (p *plan) number(name string) (float64, bool) {
	// Constants may be made of others; those that count are few steps away.
	for range 8 {
		if t := p.stored[name]; t != nil {
			if size, err := sizeOf(t.GetDims()); err != nil || size != 1 {
				return 0, false
			}
			c, err := p.tensor(name)
			return single(c, err)
		}
		n := p.makers[name]
		switch {
		case n == nil:
			return 0, false
		case n.op() == "Constant":
			return single(p.constantOf(n))
		case n.op() == "Identity", n.op() == "Cast" && realType(n), n.op() == "CastLike" && p.stored[n.input(1)] == nil:
			name = n.input(0)
		default:
			return 0, false
		}
	}
	return 0, false
}

// single is the number of a constant with one, as far as it doesn't give what it is
// combined with another dimension: that of examples comes first, and one of theirs.
func single(c *constant, err error) (float64, bool) {
	if err != nil || len(c.dims) > 2 {
		return 0, false
	}
	return c.scalar()
}

// unused is an error about tensors of the file that nothing reads: somebody meant
// something by them. Whole numbers are left over from shapes.
func (p *plan) unused() error {
	for _, n := range p.afterEnd() {
		for _, name := range n.GetInput() {
			p.needed[name] = true
		}
	}
	var names []string
	for name, t := range p.stored {
		if !p.needed[name] && !kinds[dataType(t)].integer {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return fmt.Errorf("tensor %s: nothing reads it on the way from %s to the output, and what is not used was probably meant: export the model without it", shown(names[0]), shown(p.input.GetName()))
}

// double says whether there are weights of float64.
func (p *plan) double() bool {
	for name, t := range p.stored {
		if p.needed[name] && len(t.GetDims()) > 0 && dataType(t) == pb.TensorProto_DOUBLE {
			return true
		}
	}
	return false
}

// afterEnd are the nodes that read what the network ends with, or what is made of it.
func (p *plan) afterEnd() (after []*node) {
	made := map[string]bool{p.end: true}
	for _, n := range p.nodes {
		if !p.needed[n.output()] && slices.ContainsFunc(n.GetInput(), func(name string) bool { return made[name] }) {
			after = append(after, n)
			for _, name := range n.GetOutput() {
				made[name] = true
			}
		}
	}
	return after
}
