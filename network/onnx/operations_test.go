package onnx

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/unitscope/unitscope/network/graph/graphtest"
	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// floats is a tensor of a file, all of whose numbers are ones.
func floats(name string, dims ...int64) *pb.TensorProto {
	n, _ := sizeOf(dims)
	return numbers(name, dims, slices.Repeat([]float32{1}, n)...)
}

// numbers is a tensor of a file.
func numbers(name string, dims []int64, x ...float32) *pb.TensorProto {
	t := &pb.TensorProto{Name: &name, Dims: dims, DataType: proto.Int32(int32(pb.TensorProto_FLOAT))}
	for _, v := range x {
		t.RawData = binary.LittleEndian.AppendUint32(t.RawData, math.Float32bits(v))
	}
	return t
}

// ints is a list of whole numbers.
func ints(name string, x ...int64) *pb.TensorProto {
	return &pb.TensorProto{Name: &name, Dims: []int64{int64(len(x))}, DataType: proto.Int32(int32(pb.TensorProto_INT64)), Int64Data: x}
}

// op is a node "what from to": its inputs, and its output, which is also its name.
func op(what, from, to string, attributes ...*pb.AttributeProto) *pb.NodeProto {
	return &pb.NodeProto{OpType: &what, Name: &to, Input: strings.Split(from, " "), Output: []string{to}, Attribute: attributes}
}

func real(name string, x float32) *pb.AttributeProto {
	return &pb.AttributeProto{Name: &name, F: &x}
}

func whole(name string, i int64) *pb.AttributeProto {
	return &pb.AttributeProto{Name: &name, I: &i}
}

// port is an input or output of examples with these dimensions.
func port(name string, dims ...int64) *pb.ValueInfoProto {
	shape := &pb.TensorShapeProto{Dim: []*pb.TensorShapeProto_Dimension{{DimParam: proto.String("batch")}}}
	for _, d := range dims {
		shape.Dim = append(shape.Dim, &pb.TensorShapeProto_Dimension{DimValue: &d})
	}
	return &pb.ValueInfoProto{Name: &name, Type: &pb.TypeProto{TensorType: &pb.TypeProto_Tensor{ElemType: proto.Int32(1), Shape: shape}}}
}

// small is a network of 3 inputs, 2 units, r, and an output, y = r0 + 10 r1. Both units
// are the sum of the inputs, and 1.
func small() *pb.ModelProto {
	return &pb.ModelProto{
		IrVersion:   proto.Int64(9),
		OpsetImport: []*pb.OperatorSetIdProto{{Version: proto.Int64(20)}},
		Graph: &pb.GraphProto{
			Input:       []*pb.ValueInfoProto{port("x", 3)},
			Output:      []*pb.ValueInfoProto{port("y", 1)},
			Initializer: []*pb.TensorProto{floats("a.weight", 3, 2), floats("a.bias", 2), numbers("b.weight", []int64{2, 1}, 1, 10)},
			Node:        []*pb.NodeProto{op("Gemm", "x a.weight a.bias", "h"), op("Relu", "h", "r"), op("MatMul", "r b.weight", "y")},
		},
	}
}

// with puts nodes and tensors before the last node, which reads what is called z.
func with(nodes []*pb.NodeProto, tensors ...*pb.TensorProto) func(*pb.ModelProto) {
	return func(m *pb.ModelProto) {
		g := m.Graph
		g.Node = append(g.Node[:2], append(nodes, op("MatMul", "z b.weight", "y"))...)
		g.Initializer = append(g.Initializer, tensors...)
	}
}

// list is nodes.
func list(nodes ...*pb.NodeProto) []*pb.NodeProto { return nodes }

// operationCase is a change of small, and what that makes then of 1, 2 and 3.
type operationCase struct {
	name   string
	change func(*pb.ModelProto)
	want   float64
}

// operationCases are what exporters rarely write, or not yet: with the inputs 1, 2 and
// 3 both units of small are 7, and y is z0 + 10 z1.
func operationCases() []operationCase {
	two := []int64{2}
	c := numbers("c", two, 1, 2)
	square := numbers("w", []int64{2, 2}, 1, 2, 3, 4)
	reals := func(name string, x ...float32) *pb.AttributeProto {
		return &pb.AttributeProto{Name: &name, Floats: x}
	}
	wholes := func(name string, x ...int64) *pb.AttributeProto { return &pb.AttributeProto{Name: &name, Ints: x} }
	return []operationCase{
		{"Gemm", with(list(op("Gemm", "r w c", "z", real("alpha", 0.5), real("beta", 2))), square, c), 16 + 10*25},
		{"Gemm, transB", with(list(op("Gemm", "r w c", "z", real("alpha", 0.5), real("beta", 2), whole("transB", 1))), square, c), 12.5 + 10*28.5},
		{"Gemm, a number", with(list(op("Gemm", "r w n", "z")), square, numbers("n", nil, 3)), 31 + 10*45},
		{"Gemm, a row", with(list(op("Gemm", "r w n", "z")), square, numbers("n", []int64{1, 2}, 3, 4)), 31 + 10*46},
		{"Gemm, a value", with(list(op("Gemm", "r w r", "z")), square), 35 + 10*49},
		{"Add before", with(list(op("Add", "c r", "z")), c), 8 + 10*9},
		{"Sum", with(list(op("Sum", "r c r", "z")), c), 15 + 10*16},
		{"Sub", with(list(op("Sub", "r c", "z")), c), 6 + 10*5},
		{"Sub from", with(list(op("Sub", "c r", "z")), c), -6 - 10*5},
		{"Sub of values", with(list(op("Mul", "r c", "t"), op("Sub", "r t", "z")), c), -10 * 7},
		{"Div", with(list(op("Div", "r c", "z")), c), 7 + 10*3.5},
		{"Neg", with(list(op("Neg", "r", "z"))), -77},
		{"Max", with(list(op("Neg", "r", "t"), op("Max", "n t", "z")), numbers("n", nil, -5)), -55},
		{"Min", with(list(op("Min", "r n", "z")), numbers("n", nil, 6)), 66},
		{"Clip of old", with(list(op("Clip", "r", "z", real("min", 1), real("max", 3)))), 33},
		{"Clip without", with(list(op("Clip", "r  n", "z")), numbers("n", nil, 3)), 33},
		{"Scaler", with(list(op("Scaler", "r", "z", reals("offset", 1, 2), reals("scale", 3)))), 18 + 10*15},
		{"BatchNormalization", with(list(op("BatchNormalization", "r c d e f", "z", real("epsilon", 1))), c, numbers("d", two, 3, 4), numbers("e", two, 5, 6), numbers("f", two, 3, 15)), 4 + 10*4.5},
		{"PRelu", with(list(op("Neg", "r", "t"), op("PRelu", "t c", "z")), c), -7 - 10*14},
		{"LeakyRelu", with(list(op("Neg", "r", "t"), op("LeakyRelu", "t", "z"))), -0.77},
		{"Elu", with(list(op("Neg", "r", "t"), op("Elu", "t", "z"))), 11 * math.Expm1(-7)},
		{"HardSigmoid", with(list(op("Sub", "r n", "t"), op("HardSigmoid", "t", "z")), numbers("n", nil, 6)), 0.7 * 11},
		{"Swish", with(list(op("Swish", "r", "z"))), 77 / (1 + math.Exp(-7))},
		{"Selu", with(list(op("Neg", "r", "t"), op("Selu", "t", "z"))), 11 * 1.0507010 * 1.6732632 * math.Expm1(-7)},
		{"Celu", with(list(op("Neg", "r", "t"), op("Celu", "t", "z", real("alpha", 2)))), 11 * 2 * math.Expm1(-3.5)},
		{"leaky, written", with(list(op("Neg", "r", "t"), op("Mul", "t n", "u"), op("Max", "t u", "z")), numbers("n", nil, 0.25)), -7. / 4 * 11},
		{"sigmoid, written", with(list(op("Neg", "r", "t"), op("Exp", "t", "u"), op("Add", "u n", "v"), op("Div", "n v", "z")), numbers("n", nil, 1)), 11 / (1 + math.Exp(-7))},
		{"Concat", with(list(op("Neg", "r", "t"), op("Concat", "r t", "u", whole("axis", -1)), op("MatMul", "u w", "z")), numbers("w", []int64{4, 2}, 1, 0, 0, 1, 1, 0, 0, 0)), 10 * 7},
		{"Dropout", with(list(op("Dropout", "r n", "t"), op("Identity", "t", "u"), op("Cast", "u", "z", whole("to", 11))), numbers("n", nil, 0.5)), 77},
		{"shapes", with(list(op("Unsqueeze", "r one", "t"), op("Squeeze", "t one", "u"), op("Flatten", "u", "v"), op("Reshape", "v s", "z")), ints("one", 1), ints("s", 0, -1)), 77},
		{"shapes of old", with(list(op("Unsqueeze", "r", "t", wholes("axes", 1, 3)), op("Squeeze", "t", "z", wholes("axes", 1, 3)))), 77},
		{"a shape by arithmetic", with(list(op("Shape", "r", "s"), op("Slice", "s one two", "t"), op("Div", "t one", "u"), op("Gather", "s null", "v", whole("axis", 0)), op("Concat", "v u", "p", whole("axis", 0)), op("Reshape", "r p", "z")), ints("null", 0), ints("one", 1), ints("two", 2)), 77},
		{"a constant by arithmetic", with(list(op("Add", "c c", "d"), op("Mul", "d c", "e"), op("Sqrt", "e", "f"), op("Mul", "r f", "z")), c), 7*math.Sqrt2 + 10*7*math.Sqrt(8)},
		{"transposed weights", with(list(op("Transpose", "w", "v"), op("MatMul", "r v", "z")), square), 21 + 10*49},
		{"filled", with(list(op("ConstantOfShape", "s", "v"), op("Add", "r v", "z")), ints("s", 2)), 77},
		{"end", func(m *pb.ModelProto) {
			m.Graph.Node[2].Output[0] = "before"
			m.Graph.Node = append(m.Graph.Node, op("Softmax", "before", "p"), op("Identity", "p", "y"))
		}, 77},
	}
}

func TestOperations(t *testing.T) {
	for _, o := range operationCases() {
		t.Run(o.name, func(t *testing.T) {
			m := small()
			o.change(m)
			data, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			g, err := read(data, ".")
			if err != nil {
				t.Fatal(err)
			}
			// What is folded is rounded to float32.
			if y := evaluate(t, g, []float64{1, 2, 3}); len(y) != 1 || !(math.Abs(y[0]-o.want) <= 1e-6*max(1, math.Abs(o.want))) {
				t.Errorf("%v, want %v: %s", y, o.want, graphtest.Summary(g))
			}
			if (o.name == "end") != (len(g.Remarks) == 1) {
				t.Errorf("remarks %q", g.Remarks)
			}
		})
	}
}

// What is known by its author's names keeps them.
func TestModuleNames(t *testing.T) {
	for _, n := range []struct{ node, scopes, weight, want string }{
		{"node_linear", "['', 'body', 'body.0', 'linear']", "", "body.0"},
		{"node_relu", "['', 'relu']", "", "relu"},
		{"node_linear", "['', 'bn', 'batch_norm']", "fc1.weight", "fc1"},
		{"/body/body.0/Gemm", "", "", "body.0"},
		{"/inner/inner.0/inner.0.1/Tanh", "", "", "inner.0.1"},
		{"/layer1/layer1.0/fc/Gemm", "", "onnx::MatMul_7", "layer1.0.fc"},
		{"/block/fc/Gemm", "", "", "block.fc"},
		{"/Relu", "", "", "Relu"},
		{"/", "", "", "gemm"},
		{"dense_1/MatMul", "", "dense_1/MatMul/ReadVariableOp:0", "dense_1/MatMul"},
		{"MatMul", "", "coefficient", "coefficient"},
		{"", "", "", "gemm"},
		{"a\x1bb\xff", "", "", "a_b_"},
	} {
		node := newNode(&pb.NodeProto{Name: &n.node, OpType: proto.String("Gemm")})
		if n.scopes != "" {
			node.MetadataProps = []*pb.StringStringEntryProto{{Key: proto.String(scopes), Value: &n.scopes}}
		}
		if got := node.layer(n.weight); got != n.want {
			t.Errorf("%+v is called %q", n, got)
		}
	}
}
