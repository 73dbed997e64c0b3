package torch

import (
	"fmt"
	"io"
	"strings"

	"github.com/unitscope/unitscope/network/torch/internal/pickle"
)

// The names that a pickle of tensors uses. What they do is done here.
var (
	orderedDict      = pickle.Global{Module: "collections", Name: "OrderedDict"}
	rebuildTensor    = pickle.Global{Module: "torch._utils", Name: "_rebuild_tensor"}
	rebuildTensorV2  = pickle.Global{Module: "torch._utils", Name: "_rebuild_tensor_v2"}
	rebuildParameter = pickle.Global{Module: "torch._utils", Name: "_rebuild_parameter"}
	torchSize        = pickle.Global{Module: "torch", Name: "Size"}
	torchDevice      = pickle.Global{Module: "torch", Name: "device"}
)

// numberTypes are PyTorch's names of types, which checkpoints may hold as values.
const numberTypes = " float float32 float64 double float16 half bfloat16 int8 int16 int32 int64 uint8 bool "

// objects makes tensors of the names in a pickle.
type objects struct {
	storages map[string]*storage
	left     int64 // numbers that may still be read
	// open finds the bytes of a storage, which are not looked at before.
	open func(*storage) (*io.SectionReader, error)
}

// Known refuses every name but those above: what else a pickle names is a class or a
// function of somebody's program.
func (o *objects) Known(g pickle.Global) error {
	switch g {
	case orderedDict, rebuildTensor, rebuildTensorV2, rebuildParameter, torchSize, torchDevice:
		return nil
	}
	if _, ok := storageType(g); ok || g.Module == "torch" && strings.Contains(numberTypes, " "+g.Name+" ") {
		return nil
	}
	if strings.HasPrefix(g.Module, "torch") && (strings.HasSuffix(g.Name, "Storage") || strings.HasPrefix(g.Name, "_rebuild_")) {
		return fmt.Errorf("it holds %.160q, a kind of tensor that can't be read: save it as plain tensors of float32", g)
	}
	return fmt.Errorf("it holds %.160q, which is neither a tensor nor plain data, and nothing of it is run: save model.state_dict() instead", g)
}

// storageType is the type of numbers of a class of storages.
func storageType(g pickle.Global) (number, bool) {
	n, ok := storageTypes[g.Name]
	return n, ok && (g.Module == "torch" || g.Module == "torch.cuda")
}

// Call does what PyTorch does under these names.
func (o *objects) Call(g pickle.Global, arguments pickle.Tuple) (any, error) {
	switch {
	case g == orderedDict && len(arguments) == 0:
		return &pickle.Dict{}, nil
	case g == torchSize && len(arguments) == 1, g == torchDevice:
		return pickle.Opaque{What: "a " + strings.ToLower(g.Name)}, nil
	case g == rebuildTensor && len(arguments) == 4, g == rebuildTensorV2 && (len(arguments) == 6 || len(arguments) == 7):
		v, err := tensor(arguments)
		if err != nil {
			return nil, err
		}
		return v, nil
	case g == rebuildParameter && len(arguments) == 3:
		if v, ok := arguments[0].(*view); ok {
			return v, nil
		}
	}
	return nil, fmt.Errorf("%s is called with %d values that it is not called with", g, len(arguments))
}

// tensor is storage, offset, shape, strides, and then whether it has a gradient, its
// hooks, and what more is said of it.
func tensor(arguments pickle.Tuple) (*view, error) {
	s, ok := arguments[0].(*storage)
	offset, number := arguments[1].(int64)
	if !ok || !number {
		return nil, fmt.Errorf("a tensor of %s from %s", pickle.Describe(arguments[0]), pickle.Describe(arguments[1]))
	}
	shape, err := wholes(arguments[2])
	if err != nil {
		return nil, err
	}
	stride, err := wholes(arguments[3])
	if err != nil {
		return nil, err
	}
	if len(arguments) == 7 {
		// Such as that all numbers have the other sign.
		if d, ok := arguments[6].(*pickle.Dict); arguments[6] != nil && (!ok || len(d.Entries) > 0) {
			return nil, fmt.Errorf("a tensor of a special kind: write it with .contiguous().clone()")
		}
	}
	return newView(s, offset, shape, stride)
}

func wholes(of any) (numbers []int64, err error) {
	t, ok := of.(pickle.Tuple)
	for _, v := range t {
		n, whole := v.(int64)
		ok = ok && whole
		numbers = append(numbers, n)
	}
	if !ok {
		return nil, fmt.Errorf("a tensor with %s for whole numbers", pickle.Describe(of))
	}
	return numbers, nil
}

// Persistent finds a storage: ("storage", its class, its name in the file, the device
// where it was, how many numbers it has), and in old files a part of another one.
func (o *objects) Persistent(id any) (any, error) {
	t, _ := id.(pickle.Tuple)
	if len(t) != 5 && len(t) != 6 || t[0] != "storage" {
		return nil, fmt.Errorf("it asks for %s outside of it, want a storage", pickle.Describe(id))
	}
	class, _ := t[1].(pickle.Global)
	of, ok := storageType(class)
	if !ok {
		return nil, fmt.Errorf("a storage of %s, want one of floats", pickle.Describe(t[1]))
	}
	key, named := t[2].(string)
	length, counted := t[4].(int64)
	if !named || !counted || length < 0 {
		return nil, fmt.Errorf("a storage called %s with %s", pickle.Describe(t[2]), pickle.Describe(t[4]))
	}
	if len(t) == 6 && t[5] != nil {
		return nil, fmt.Errorf("storage %.40q is a part of another one, which files of PyTorch before 0.4 have: save it again with a newer PyTorch", key)
	}
	s := o.storages[key]
	if s == nil {
		s = &storage{key: key, of: of, length: length, file: o}
		o.storages[key] = s
	}
	if s.of != of || s.length != length {
		return nil, fmt.Errorf("storage %.40q is %d of %s and %d of %s", key, s.length, s.of.name, length, of.name)
	}
	return s, nil
}
