package onnx

import (
	"errors"
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// value is what a name of the file stands for: a constant, or what the network
// computes.
type value struct {
	constant *constant
	at       engine.Value
	dims     []int        // of one example, as the file has them
	shape    engine.Shape // as the network has it; the order of the numbers is the same
}

// reading is a file on its way to a network.
type reading struct {
	*plan
	builder *graph.Builder
	values  map[string]value
	// flat says that values are numbers without places: pictures have a number for
	// each channel only, and the file has one for each place.
	flat bool
	// examples is how many of them the file says that there are; 0 if it leaves that
	// open.
	examples int64
	// left is how many numbers may still be made of those in the file.
	left int
}

// errPlaces says that pictures don't do, see reading.flat.
var errPlaces = errors.New("numbers for each place of a picture")

// build makes a network of the messages of a file of size bytes.
func build(model *pb.ModelProto, size int, outside *folder) (*graph.Graph, error) {
	if err := check(model); err != nil {
		return nil, err
	}
	p, err := newPlan(model, outside)
	if err != nil {
		return nil, err
	}
	g, err := p.read(size, false)
	if errors.Is(err, errPlaces) {
		g, err = p.read(size, true)
	}
	return g, err
}

// read goes through the nodes that the plan has, in their order.
func (p *plan) read(size int, flat bool) (*graph.Graph, error) {
	// Weights may be shared, and constants stretched, but not without end.
	r := &reading{plan: p, values: map[string]value{}, flat: flat, left: 1<<22 + 4*size}
	if err := r.begin(); err != nil {
		return nil, err
	}
	// Before weights are read, and whatever else is wrong.
	for _, n := range p.steps {
		if err := p.known(n); err != nil {
			return nil, fmt.Errorf("node %s, %s: %w", shown(n.GetName()), graph.Plain(n.op()), err)
		}
	}
	for _, remark := range p.remarks {
		r.builder.Remark("%s", remark)
	}
	for _, n := range p.steps {
		v, err := r.step(n)
		if err != nil {
			return nil, fmt.Errorf("node %s, %s: %w", shown(n.GetName()), graph.Plain(n.op()), err)
		}
		r.values[n.output()] = v
	}
	end, ok := r.values[p.end]
	if !ok || end.constant != nil {
		return nil, fmt.Errorf("its output %s does not depend on its input", shown(p.end))
	}
	if end.at == r.builder.Input() {
		return nil, errors.New("it computes nothing: its output is its input")
	}
	if err := p.unused(); err != nil {
		return nil, err
	}
	if p.double() {
		r.builder.Remark("numbers of float64 are rounded to float32")
	}
	return r.builder.Finish()
}

// begin makes the input of the network.
func (r *reading) begin() error {
	in := r.plan.input
	tensor := in.GetType().GetTensorType()
	if tensor.GetShape() == nil {
		return fmt.Errorf("input %s: its shape is not told: export it with one", shown(in.GetName()))
	}
	switch kind := pb.TensorProto_DataType(tensor.GetElemType()); kind {
	case pb.TensorProto_FLOAT, pb.TensorProto_DOUBLE, pb.TensorProto_FLOAT16, pb.TensorProto_BFLOAT16:
	default:
		return fmt.Errorf("input %s: its numbers are of type %s, want real ones", shown(in.GetName()), kind)
	}
	var dims []int64
	for i, d := range tensor.GetShape().GetDim() {
		if i > 0 && d.GetDimValue() < 1 {
			return fmt.Errorf("input %s: dimension %d is %s, want a number: export it with one", shown(in.GetName()), i, shown(d.GetDimParam()))
		}
		dims = append(dims, d.GetDimValue())
	}
	if len(dims) < 2 || len(dims) > maxRank/2 {
		return fmt.Errorf("input %s: its shape is %v: want the number of examples, and then those of an example", shown(in.GetName()), dims)
	}
	r.examples = max(0, dims[0])
	size, err := sizeOf(dims[1:])
	if err != nil {
		return fmt.Errorf("input %s: %w", shown(in.GetName()), err)
	}
	v := value{shape: engine.Flat(size)}
	for _, d := range dims[1:] {
		v.dims = append(v.dims, int(d))
	}
	if s := picture(v.dims); !r.flat && s.Size() > 0 {
		v.shape = s
	}
	r.builder = graph.New(v.shape)
	if r.flat || len(v.dims) > 2 && v.shape == engine.Flat(size) {
		r.builder.Remark("inputs of shape %v are taken as %d numbers without places", v.dims, size)
	}
	r.values[in.GetName()] = v
	return nil
}

// picture is the shape of pictures, whose channels may be told first, or last if
// there is one; none for what is no picture.
func picture(dims []int) engine.Shape {
	switch {
	case len(dims) == 2:
		return engine.Shape{Channels: 1, Rows: dims[0], Cols: dims[1]}
	case len(dims) == 3 && dims[2] == 1:
		return engine.Shape{Channels: 1, Rows: dims[0], Cols: dims[1]}
	case len(dims) == 3 && (dims[2] > 4 || dims[0] <= 4):
		return engine.Shape{Channels: dims[0], Rows: dims[1], Cols: dims[2]}
	}
	return engine.Shape{}
}

// step is what a node makes.
func (r *reading) step(n *node) (value, error) {
	for _, other := range n.GetOutput()[min(1, len(n.GetOutput())):] {
		if r.needed[other] {
			return value{}, fmt.Errorf("its output %s is used, and only the first one can be read", shown(other))
		}
	}
	if a := r.nonlinear[n]; a != nil {
		v, err := r.value(a.of)
		if err != nil {
			return v, err
		}
		return r.activateScaled(n, v, a.is, a.in, a.out)
	}
	in := make([]value, len(n.GetInput()))
	constants, all := make([]*constant, len(in)), true
	for i, name := range n.GetInput() {
		if name == "" {
			continue
		}
		v, err := r.value(name)
		if err != nil {
			return v, err
		}
		in[i], constants[i] = v, v.constant
		all = all && v.constant != nil
	}
	switch f, folds := folds[n.op()]; {
	case n.op() == "Constant":
		c, err := r.constantOf(n)
		return value{constant: c}, err
	case n.op() == "Shape" && len(in) == 1:
		return shapeOf(n, in[0])
	case all && folds && len(in) > 0:
		c, err := f.apply(r, n, constants)
		return value{constant: c}, err
	}
	return r.operate(n, in)
}

// value is what a name stands for.
func (r *reading) value(name string) (value, error) {
	if v, ok := r.values[name]; ok {
		return v, nil
	}
	c, err := r.tensor(name)
	if err != nil {
		return value{}, fmt.Errorf("tensor %s: %w", shown(name), err)
	}
	v := value{constant: c}
	r.values[name] = v
	return v, nil
}

// shapeOf is a shape as a constant.
func shapeOf(n *node, v value) (value, error) {
	if n.attributes["start"] != nil || n.attributes["end"] != nil {
		return value{}, errors.New("a part of a shape")
	}
	c := &constant{integer: true}
	if v.constant != nil {
		for _, d := range v.constant.dims {
			c.ints = append(c.ints, int64(d))
		}
	} else {
		c.ints = v.allDims()
	}
	c.dims = []int{len(c.ints)}
	return value{constant: c}, nil
}

// allDims are the dimensions of all examples of what the network computes.
func (v value) allDims() []int64 {
	all := []int64{batch}
	for _, d := range v.dims {
		all = append(all, int64(d))
	}
	return all
}

// spend counts numbers that are made of others in the file, so that a small file
// can't ask for many.
func (r *reading) spend(numbers int) error {
	if r.left -= numbers; r.left < 0 || numbers < 0 {
		return errors.New("the file makes too many numbers of those it has")
	}
	return nil
}
