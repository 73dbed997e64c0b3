package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/half"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// constant is a tensor that doesn't depend on the network's input: real numbers, or
// whole ones, by what the file has them for.
type constant struct {
	dims    []int
	floats  []float32
	ints    []int64
	integer bool // ints count
}

// batch stands, in tensors that are shapes, for the number of examples.
const batch = math.MinInt64 + 1

func (c *constant) count() int {
	if c.integer {
		return len(c.ints)
	}
	return len(c.floats)
}

// at is one of the numbers.
func (c *constant) at(i int) float64 {
	if c.integer {
		return float64(c.ints[i])
	}
	return float64(c.floats[i])
}

// scalar is the only number of a tensor with one.
func (c *constant) scalar() (float64, bool) {
	if c == nil || c.count() != 1 {
		return 0, false
	}
	return c.at(0), true
}

// real is the tensor's numbers, which must be real ones.
func (c *constant) real() ([]float32, error) {
	if c.integer {
		return nil, errors.New("it has whole numbers, want real ones")
	}
	return c.floats, nil
}

// matrix is the tensor as a matrix, transposed if that is wanted, and each number
// times a factor.
func (c *constant) matrix(transpose bool, factor float64) (engine.Host, error) {
	data, err := c.real()
	if err != nil {
		return engine.Host{}, err
	}
	if len(c.dims) != 2 {
		return engine.Host{}, fmt.Errorf("its shape is %v, want a matrix", c.dims)
	}
	h := engine.Host{Rows: c.dims[0], Cols: c.dims[1], Data: data}
	if transpose {
		if h, err = transposed(h); err != nil {
			return h, err
		}
	}
	if factor != 1 {
		h.Data = scaled(h.Data, factor)
	}
	return h, nil
}

func transposed(h engine.Host) (engine.Host, error) {
	if err := memory.CheckFloats(h.Rows, h.Cols); err != nil {
		return h, err
	}
	out := engine.Host{Rows: h.Cols, Cols: h.Rows, Data: make([]float32, len(h.Data))}
	for i := range h.Rows {
		for j := range h.Cols {
			out.Data[j*h.Rows+i] = h.Data[i*h.Cols+j]
		}
	}
	return out, nil
}

func scaled(data []float32, factor float64) []float32 {
	out := slices.Clone(data)
	for i := range out {
		out[i] = float32(factor * float64(out[i]))
	}
	return out
}

// sizeOf is how many numbers dimensions make; dimensions of a file can be anything.
func sizeOf[T int | int64](dims []T) (int, error) {
	n := 1
	for _, d := range dims {
		if d < 0 || d > math.MaxInt32 {
			return 0, fmt.Errorf("its shape is %v", dims)
		}
		if d > 0 && n > math.MaxInt32/int(d) {
			return 0, fmt.Errorf("its shape is %v: more than 2^31 numbers", dims)
		}
		n *= int(d)
	}
	return n, nil
}

// kinds are the types of numbers that are read: how many bytes each takes, and
// whether they are whole.
var kinds = map[pb.TensorProto_DataType]struct {
	size    int
	integer bool
}{
	pb.TensorProto_FLOAT: {4, false}, pb.TensorProto_DOUBLE: {8, false}, pb.TensorProto_FLOAT16: {2, false}, pb.TensorProto_BFLOAT16: {2, false},
	pb.TensorProto_INT64: {8, true}, pb.TensorProto_INT32: {4, true}, pb.TensorProto_INT16: {2, true}, pb.TensorProto_INT8: {1, true},
	pb.TensorProto_UINT8: {1, true}, pb.TensorProto_BOOL: {1, true},
}

// dataType is the type of a tensor's numbers, of which the file may say anything.
func dataType(t *pb.TensorProto) pb.TensorProto_DataType {
	return pb.TensorProto_DataType(t.GetDataType())
}

// decode makes numbers of a tensor. How many the shape says is checked against how
// many there are.
func decode(t *pb.TensorProto, outside *folder) (*constant, error) {
	kind, ok := kinds[dataType(t)]
	if !ok {
		return nil, fmt.Errorf("its numbers are of type %s, want float32, float64, float16, bfloat16 or whole numbers", dataType(t))
	}
	if t.GetSegment() != nil {
		return nil, errors.New("it is a part of a tensor, and such are not read")
	}
	if len(t.GetDims()) > maxRank {
		return nil, fmt.Errorf("it has %d dimensions", len(t.GetDims()))
	}
	n, err := sizeOf(t.GetDims())
	if err != nil {
		return nil, err
	}
	c := &constant{integer: kind.integer, dims: make([]int, len(t.GetDims()))}
	for i, d := range t.GetDims() {
		c.dims[i] = int(d)
	}
	raw := t.GetRawData()
	if t.GetDataLocation() == pb.TensorProto_EXTERNAL {
		if raw, err = outside.read(t.GetExternalData(), int64(n)*int64(kind.size)); err != nil {
			return nil, err
		}
	} else if raw == nil {
		return c, c.fields(t, n)
	}
	if len(raw) != n*kind.size {
		return nil, fmt.Errorf("its shape %v needs %d bytes, the file has %d", c.dims, n*kind.size, len(raw))
	}
	return c, c.bytes(dataType(t), raw, n)
}

// bytes takes n numbers from their bytes.
func (c *constant) bytes(kind pb.TensorProto_DataType, raw []byte, n int) error {
	if err := memory.CheckFloats(n, 2); err != nil {
		return err
	}
	little := binary.LittleEndian
	if c.integer {
		c.ints = make([]int64, n)
	} else {
		c.floats = make([]float32, n)
	}
	for i := range n {
		switch kind {
		case pb.TensorProto_FLOAT:
			c.floats[i] = math.Float32frombits(little.Uint32(raw[4*i:]))
		case pb.TensorProto_DOUBLE:
			c.floats[i] = float32(math.Float64frombits(little.Uint64(raw[8*i:])))
		case pb.TensorProto_FLOAT16:
			c.floats[i] = half.Float32(little.Uint16(raw[2*i:]))
		case pb.TensorProto_BFLOAT16:
			c.floats[i] = bfloat(little.Uint16(raw[2*i:]))
		case pb.TensorProto_INT64:
			c.ints[i] = int64(little.Uint64(raw[8*i:]))
		case pb.TensorProto_INT32:
			c.ints[i] = int64(int32(little.Uint32(raw[4*i:])))
		case pb.TensorProto_INT16:
			c.ints[i] = int64(int16(little.Uint16(raw[2*i:])))
		case pb.TensorProto_INT8:
			c.ints[i] = int64(int8(raw[i]))
		default: // of one byte
			c.ints[i] = int64(raw[i])
		}
	}
	return nil
}

func bfloat(bits uint16) float32 { return math.Float32frombits(uint32(bits) << 16) }

// fields takes n numbers from the field that files without raw bytes have for their
// type.
func (c *constant) fields(t *pb.TensorProto, n int) error {
	has := 0
	switch dataType(t) {
	case pb.TensorProto_FLOAT:
		c.floats, has = t.GetFloatData(), len(t.GetFloatData())
	case pb.TensorProto_DOUBLE:
		has = len(t.GetDoubleData())
		for _, x := range t.GetDoubleData() {
			c.floats = append(c.floats, float32(x))
		}
	case pb.TensorProto_FLOAT16:
		has = len(t.GetInt32Data())
		for _, x := range t.GetInt32Data() {
			c.floats = append(c.floats, half.Float32(uint16(x)))
		}
	case pb.TensorProto_BFLOAT16:
		has = len(t.GetInt32Data())
		for _, x := range t.GetInt32Data() {
			c.floats = append(c.floats, bfloat(uint16(x)))
		}
	case pb.TensorProto_INT64:
		c.ints, has = t.GetInt64Data(), len(t.GetInt64Data())
	default:
		has = len(t.GetInt32Data())
		for _, x := range t.GetInt32Data() {
			c.ints = append(c.ints, int64(x))
		}
	}
	if has != n {
		return fmt.Errorf("its shape %v needs %d numbers, the file has %d", c.dims, n, has)
	}
	return nil
}
