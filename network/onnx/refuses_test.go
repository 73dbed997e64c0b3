package onnx

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

func TestRefuses(t *testing.T) {
	external := func(fields ...string) func(*pb.ModelProto) {
		return func(m *pb.ModelProto) {
			w := m.Graph.Initializer[0]
			w.RawData, w.DataLocation = nil, pb.TensorProto_EXTERNAL.Enum()
			for i := 0; i+1 < len(fields); i += 2 {
				w.ExternalData = append(w.ExternalData, &pb.StringStringEntryProto{Key: &fields[i], Value: &fields[i+1]})
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*pb.ModelProto)
		want   string
	}{
		{"convolution", with(list(op("Conv", "r", "z"))), `node "z", Conv: convolutions can't be read yet`},
		{"unknown", with(list(op("Frobnicate", "r", "z"))), `node "z", Frobnicate: this operation can't be read`},
		{"softmax inside", with(list(op("Softmax", "r", "z"))), "softmax can be read at the end"},
		{"Mish", with(list(op("Softplus", "r", "s"), op("Tanh", "s", "t"), op("Mul", "r t", "z"))), `node "z", Mul: this is Mish`},
		{"product", with(list(op("Tanh", "r", "t"), op("Mul", "r t", "z"))), "the product of two values"},
		{"division", with(list(op("Tanh", "r", "t"), op("Div", "r t", "z"))), "division by what the network computes"},
		{"attribute", with(list(op("Relu", "r", "z", whole("leak", 1)))), `attribute "leak" is not known`},
		{"transposed", with(list(op("Gemm", "r c", "z", whole("transA", 1))), floats("c", 2, 2)), "its input is transposed"},
		{"unused", func(m *pb.ModelProto) { m.Graph.Initializer = append(m.Graph.Initializer, floats("forgotten", 7)) }, `tensor "forgotten": nothing reads it`},
		{"not there", func(m *pb.ModelProto) { m.Graph.Initializer = m.Graph.Initializer[1:] }, `reads "a.weight", which nothing before it makes`},
		{"order", func(m *pb.ModelProto) { m.Graph.Node[0], m.Graph.Node[1] = m.Graph.Node[1], m.Graph.Node[0] }, `reads "h", which nothing before it makes`},
		{"twice", with(list(op("Tanh", "r", "h"))), `makes "h", which is there already`},
		{"two inputs", func(m *pb.ModelProto) { m.Graph.Input = append(m.Graph.Input, port("x2", 3)) }, `several inputs, "x" and "x2"`},
		{"two ends", func(m *pb.ModelProto) {
			m.Graph.Output = append(m.Graph.Output, port("other", 2))
			m.Graph.Node = append(m.Graph.Node, op("Tanh", "r", "other"))
		}, `several ends, "y" and "other"`},
		{"no examples", func(m *pb.ModelProto) {
			s := m.Graph.Input[0].Type.TensorType.Shape
			s.Dim = s.Dim[1:]
		}, `input "x": its shape is [3]: want the number of examples`},
		{"open input", func(m *pb.ModelProto) {
			m.Graph.Input[0].Type.TensorType.Shape.Dim[1] = &pb.TensorShapeProto_Dimension{DimParam: proto.String("width")}
		}, `dimension 1 is "width"`},
		{"no shape", func(m *pb.ModelProto) { m.Graph.Input[0].Type = nil }, "its shape is not told"},
		{"whole input", func(m *pb.ModelProto) { m.Graph.Input[0].Type.TensorType.ElemType = proto.Int32(7) }, "of type INT64"},
		{"weights for others", func(m *pb.ModelProto) { m.Graph.Input[0] = port("x", 4) }, `node "h", Gemm: weights for 3 inputs on what has shape [examples 4]`},
		{"sequences", func(m *pb.ModelProto) { m.Graph.Input[0] = port("x", 5, 3) }, "on what has shape [examples 5 3]"},
		{"examples mixed", with(list(op("Reshape", "r s", "z")), ints("s", 1, -1)), "numbers of several examples"},
		{"number of examples", with(list(op("Shape", "r", "s"), op("Mul", "s s", "t"), op("Reshape", "r t", "z"))), "calculates with the number of examples"},
		{"one dimension more", with(list(op("Tanh", "r", "t"), op("Mul", "t n", "z")), floats("n", 1, 1, 1)), "its shape is [1 1 1], and is combined with [examples 2]"},
		{"old dropout", func(m *pb.ModelProto) {
			with(list(op("Dropout", "r", "z")))(m)
			m.OpsetImport[0].Version = proto.Int64(6)
		}, "model.eval()"},
		{"training", with(list(op("BatchNormalization", "r c d e f", "z", whole("training_mode", 1))), floats("c", 2), floats("d", 2), floats("e", 2), floats("f", 2)), "model.eval()"},
		{"old normalisation", func(m *pb.ModelProto) {
			with(list(op("BatchNormalization", "r c d e f", "z")), floats("c", 2), floats("d", 2), floats("e", 2), floats("f", 2))(m)
			m.OpsetImport[0].Version = proto.Int64(6)
		}, "model.eval()"},
		{"wrong bias", with(list(op("Add", "r c", "z")), floats("c", 3)), "its shape is [3], and is combined with [examples 2]"},
		{"bias of examples", with(list(op("Add", "r c", "z")), floats("c", 4, 2)), "its shape is [4 2]"},
		{"domain", func(m *pb.ModelProto) { m.Graph.Node[1].Domain = proto.String("com.example") }, `"Relu" is an operation of "com.example"`},
		{"functions", func(m *pb.ModelProto) { m.Functions = []*pb.FunctionProto{{Name: proto.String("f")}} }, `functions of its own, "f"`},
		{"sparse", func(m *pb.ModelProto) {
			m.Graph.SparseInitializer = []*pb.SparseTensorProto{{Values: floats("s", 1)}}
		}, `tensor "s": sparse`},
		{"nothing", func(m *pb.ModelProto) { m.Graph.Node = list(op("Identity", "x", "y")); m.Graph.Initializer = nil }, "it computes nothing"},
		{"constant", func(m *pb.ModelProto) { m.Graph.Node = list(op("Identity", "a.bias", "y")) }, "does not depend on its input"},
		{"strange names", with(list(op("\x1b[31mred", "r", "z"))), `node "z", _[31mred: this operation`},

		{"more numbers said", func(m *pb.ModelProto) { m.Graph.Initializer[0].Dims = []int64{3, 1 << 28} }, `tensor "a.weight": its shape [3 268435456] needs 3221225472 bytes, the file has 24`},
		{"overflow", func(m *pb.ModelProto) { m.Graph.Initializer[0].Dims = []int64{math.MaxInt64, 3} }, "its shape is"},
		{"less than none", func(m *pb.ModelProto) { m.Graph.Initializer[0].Dims = []int64{-3, -2} }, "its shape is [-3 -2]"},
		{"strings", func(m *pb.ModelProto) { m.Graph.Initializer[0].DataType = proto.Int32(8) }, "of type STRING"},
		{"made of little", func(m *pb.ModelProto) {
			m.Graph.Input[0] = port("x", 1<<30)
			m.Graph.Node[0] = op("Relu", "x", "h")
			m.Graph.Node[1] = op("Add", "h a.bias", "r")
			m.Graph.Initializer[1] = floats("a.bias", 1)
		}, "too many numbers"},
		{"grows", with(doubled(40), ints("s", 1, 2)), "too many numbers"},
		{"outside", external("location", "../secret"), `tensor "a.weight": its file "../secret" is outside the model's folder`},
		{"absolute", external("location", "/etc/passwd"), `"/etc/passwd" is outside`},
		{"a link", external("location", "link"), `its file "link" can't be read inside the model's folder`},
		{"a link above", external("location", "above/data"), "can't be read inside the model's folder"},
		{"a folder", external("location", "."), "not a regular file"},
		{"missing", external("location", "gone.data"), `its file "gone.data" is missing: put it beside the model`},
		{"nowhere", external(), "doesn't say in which"},
		{"behind its end", external("location", "data", "offset", "20"), `24 bytes from byte 20 of "data", which has 40`},
		{"before its start", external("location", "data", "offset", "-8"), "from byte -8"},
		{"wrong length", external("location", "data", "length", "9000000000"), "its shape needs 24 bytes, and it is said to have 9000000000 in"},
		{"offset no number", external("location", "data", "offset", "1e3"), `its offset is "1e3"`},
		{"overlap", func(m *pb.ModelProto) {
			external("location", "data")(m)
			m.Graph.Initializer = append(m.Graph.Initializer, proto.Clone(m.Graph.Initializer[0]).(*pb.TensorProto))
			m.Graph.Initializer[3].Name, m.Graph.Initializer[3].Dims = proto.String("c"), []int64{2, 3}
			m.Graph.Node[2] = op("MatMul", "r c", "z")
			m.Graph.Node = append(m.Graph.Node, op("MatMul", "z d", "y"))
			m.Graph.Initializer[2] = floats("d", 3, 1)
		}, "they overlap"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := small()
			c.change(m)
			path := inFolder(t, m)
			_, err := Read(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path+": ") || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("%v\nwant one line with %q", err, c.want)
			}
		})
	}
}

// doubled are nodes that make a constant twice as large again and again.
func doubled(times int) (nodes []*pb.NodeProto) {
	before := "s"
	for i := range times {
		name := fmt.Sprint("twice", i)
		nodes = append(nodes, op("Concat", before+" "+before, name, whole("axis", 0)))
		before = name
	}
	return append(nodes, op("Reshape", "r "+before, "z"))
}

// inFolder writes a model beside a file with 40 bytes, and links out of the folder.
func inFolder(t *testing.T, m *pb.ModelProto) string {
	t.Helper()
	top := t.TempDir()
	folder := filepath.Join(top, "folder")
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "model.onnx")
	for _, err := range []error{
		os.Mkdir(folder, 0o777),
		os.WriteFile(filepath.Join(top, "secret"), make([]byte, 40), 0o666),
		os.WriteFile(filepath.Join(folder, "data"), make([]byte, 40), 0o666),
		os.WriteFile(path, data, 0o666),
		os.Symlink("../secret", filepath.Join(folder, "link")),
		os.Symlink("..", filepath.Join(folder, "above")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// The model that the refused ones are made of is read, and from a file beside it too.
func TestSmall(t *testing.T) {
	m := small()
	w := m.Graph.Initializer[0]
	w.RawData, w.DataLocation = nil, pb.TensorProto_EXTERNAL.Enum()
	w.ExternalData = []*pb.StringStringEntryProto{{Key: proto.String("location"), Value: proto.String("data")}, {Key: proto.String("offset"), Value: proto.String("16")}}
	for _, m := range []*pb.ModelProto{small(), m} {
		g, err := Read(inFolder(t, m))
		if err != nil || strings.Join(g.Names, " ") != "a b" {
			t.Errorf("%v, %v", g, err)
		}
	}
}

// A file that ends at any byte is refused, as not complete once its beginning says
// that it is ONNX.
func TestTruncated(t *testing.T) {
	data, err := proto.Marshal(small())
	if err != nil {
		t.Fatal(err)
	}
	incomplete := 0
	for n := range len(data) {
		_, err := read(data[:n], ".")
		if err == nil {
			t.Errorf("the first %d bytes of %d are read", n, len(data))
		} else if strings.Contains(err.Error(), "not complete") {
			incomplete++
		}
	}
	if incomplete < len(data)-20 {
		t.Errorf("%d of %d beginnings are said to be not complete", incomplete, len(data))
	}
}

func TestNotONNX(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "text": "units,weights\n1,2\n", "a zip archive": "PK\x03\x04\x14\x00\x00\x00", "HDF5": "\x89HDF\r\n\x1a\n\x00",
		"safetensors": "\x10\x00\x00\x00\x00\x00\x00\x00{\"a\":{}}", "zeros": strings.Repeat("\x00", 50), "no graph": "\x08\x09",
	} {
		path := filepath.Join(t.TempDir(), "model")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || err.Error() != path+": not an ONNX file" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}

// Messages that take two bytes in a file take hundreds in memory: they are counted
// before they are made.
func TestWeigh(t *testing.T) {
	graph := strings.Repeat("\x0a\x00", 1000) // nodes with nothing in them
	data := "\x08\x09\x3a\xd0\x0f" + graph
	cost, err := weigh([]byte(data), (&pb.ModelProto{}).ProtoReflect().Descriptor())
	if err != nil || cost < 1000*messageCost {
		t.Errorf("%d, %v", cost, err)
	}
	many := strings.Repeat("\x0a\x00", 1<<20)
	if _, err := parse([]byte("\x08\x09\x3a\x80\x80\x80\x01" + many)); err == nil || !strings.Contains(err.Error(), "more messages") {
		t.Error(err)
	}
}
