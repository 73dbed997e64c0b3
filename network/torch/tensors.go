package torch

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network/safetensors"
)

// Tensor is an array of numbers with a name, that is read when it is asked for.
type Tensor struct {
	Name  string
	Shape []int // no entries: a single number
	Type  string
	Read  func() ([]float32, error) // row by row
}

// String is "fc1.weight [100 784]".
func (t Tensor) String() string { return fmt.Sprintf("%.80s %.80s", t.Name, fmt.Sprint(t.Shape)) }

// size is how many numbers the tensor has.
func (t Tensor) size() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// numbers reads the tensor.
func (t Tensor) numbers() ([]float32, error) {
	data, err := t.Read()
	if err == nil && len(data) != t.size() {
		err = fmt.Errorf("it has %d numbers", len(data))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	return data, nil
}

// listed is how many tensors an error lists.
const listed = 40

// list is tensors with their shapes, for errors.
func list(tensors []Tensor) string {
	var all []string
	for i, t := range tensors {
		if i == listed {
			all = append(all, fmt.Sprintf("and %d more", len(tensors)-listed))
			break
		}
		all = append(all, t.String())
	}
	return strings.Join(all, ", ")
}

const (
	maxTensors    = 1 << 16
	maxDimensions = 8
)

// number is a type of numbers that PyTorch's storages have.
type number struct {
	name  string
	bytes int64
	code  string // as safetensors calls it; "" for those that no weights have
}

// storageTypes are the types of storages by the names of their classes.
var storageTypes = map[string]number{
	"FloatStorage": {"float32", 4, "F32"}, "DoubleStorage": {"float64", 8, "F64"},
	"HalfStorage": {"float16", 2, "F16"}, "BFloat16Storage": {"bfloat16", 2, "BF16"},
	"LongStorage": {"int64", 8, ""}, "IntStorage": {"int32", 4, ""}, "ShortStorage": {"int16", 2, ""},
	"CharStorage": {"int8", 1, ""}, "ByteStorage": {"uint8", 1, ""}, "BoolStorage": {"bool", 1, ""},
}

// storage is numbers that tensors are views of.
type storage struct {
	key    string
	of     number
	length int64 // numbers
	file   *objects
}

// view is a tensor as PyTorch has it: element (i, j, ...) is number
// offset + i stride[0] + j stride[1] + ... of its storage.
type view struct {
	storage      *storage
	offset       int64
	shape        []int
	stride       []int64
	size, extent int64 // numbers it has, and from its first to behind its last one in the storage
}

// newView checks that a tensor lies within its storage.
func newView(s *storage, offset int64, shape, stride []int64) (*view, error) {
	if offset < 0 || len(shape) != len(stride) || len(shape) > maxDimensions {
		return nil, fmt.Errorf("a tensor with offset %d, %d dimensions and %d strides", offset, len(shape), len(stride))
	}
	v := &view{storage: s, offset: offset, stride: stride, size: 1, extent: 1}
	for i, n := range shape {
		if n < 0 || n > math.MaxInt32 || stride[i] < 0 {
			return nil, fmt.Errorf("a tensor with dimension %d and stride %d", n, stride[i])
		}
		v.shape = append(v.shape, int(n))
		high, size := bits.Mul64(uint64(v.size), uint64(n))
		far, reach := bits.Mul64(uint64(max(n-1, 0)), uint64(stride[i]))
		if high != 0 || size > math.MaxInt32 || far != 0 || reach > uint64(math.MaxInt64-v.extent) {
			return nil, fmt.Errorf("a tensor of more than 2^31 numbers")
		}
		v.size, v.extent = int64(size), v.extent+int64(reach)
	}
	if v.size == 0 {
		v.extent = 0
	}
	if offset > s.length-v.extent {
		return nil, fmt.Errorf("a tensor that ends at number %d of a storage of %d", uint64(offset)+uint64(v.extent), s.length)
	}
	// An expanded tensor says in a few bytes that it is as large as can be.
	if v.size > s.length {
		return nil, fmt.Errorf("a tensor of %d numbers in a storage of %d: write it with .clone()", v.size, s.length)
	}
	return v, nil
}

// read returns the numbers row by row.
func (v *view) read() ([]float32, error) {
	of := v.storage.of
	if of.code == "" {
		return nil, fmt.Errorf("numbers of type %s are no parameters", of.name)
	}
	decode, err := safetensors.Decoder(of.code)
	if err != nil {
		return nil, err
	}
	section, err := v.storage.file.open(v.storage)
	if err != nil {
		return nil, err
	}
	if v.storage.file.left -= v.size; v.storage.file.left < 0 {
		return nil, errors.New("its tensors share their numbers so often that they are larger than their file: write them with .clone()")
	}
	if v.size == 0 {
		return nil, nil
	}
	if err := memory.Check(uint64(v.extent*of.bytes + 4*v.size)); err != nil {
		return nil, err
	}
	raw := make([]byte, v.extent*of.bytes)
	if n, err := section.ReadAt(raw, v.offset*of.bytes); n < len(raw) {
		return nil, errors.Join(errors.New("it ends too early"), err)
	}
	out := make([]float32, v.size)
	index := make([]int, len(v.shape))
	at := int64(0)
	for i := range out {
		if out[i], err = decode(raw[at*of.bytes:]); err != nil {
			return nil, err
		}
		for d := len(index) - 1; d >= 0; d-- {
			index[d]++
			at += v.stride[d]
			if index[d] < v.shape[d] {
				break
			}
			at -= int64(index[d]) * v.stride[d]
			index[d] = 0
		}
	}
	return out, nil
}
