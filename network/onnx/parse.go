package onnx

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network/onnx/internal/pb"
)

// errNot is the error about a file of another kind.
var errNot = errors.New("not an ONNX file")

// parse makes messages of a file's bytes. Messages that are empty in a file are not
// in memory, so that what they take is added up first.
func parse(data []byte) (*pb.ModelProto, error) {
	model := &pb.ModelProto{}
	cost, err := weigh(data, model.ProtoReflect().Descriptor())
	if errors.Is(err, io.ErrUnexpectedEOF) && cost > 0 && data[0] == 0x08 {
		return nil, errors.New("the file ends too early: it is not complete, copy or export it again")
	}
	if err != nil {
		return nil, errNot
	}
	if cost > 32*uint64(len(data))+64<<20 {
		return nil, errors.New("it has more messages than a network of its size has")
	}
	if err := memory.Check(cost); err != nil {
		return nil, fmt.Errorf("what the file describes: %w", err)
	}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, model); err != nil {
		return nil, errNot
	}
	if model.GetIrVersion() < 1 || model.GetGraph() == nil {
		return nil, errNot
	}
	return model, nil
}

// What messages and their fields take in memory, at most.
const (
	messageCost = 320 // the largest struct, and the pointer to it
	fieldCost   = 32  // a string's header, a pointer to a number and the number
)

// weigh returns how many bytes of memory the messages of a file take, at most, before
// they are made. It goes only as deep as messages are within each other.
func weigh(data []byte, of protoreflect.MessageDescriptor) (cost uint64, err error) {
	cost = messageCost
	for len(data) > 0 {
		number, wire, n := protowire.ConsumeTag(data)
		if n < 0 {
			return cost, protowire.ParseError(n)
		}
		data = data[n:]
		n = protowire.ConsumeFieldValue(number, wire, data)
		if n < 0 {
			// A length beyond the end of the data is an early end.
			return cost, protowire.ParseError(n)
		}
		field := of.Fields().ByNumber(number)
		if field != nil {
			more, err := weighField(data[:n], wire, field)
			cost += more
			if err != nil {
				return cost, err
			}
		}
		data = data[n:]
	}
	return cost, nil
}

func weighField(value []byte, wire protowire.Type, field protoreflect.FieldDescriptor) (uint64, error) {
	if wire != protowire.BytesType {
		return 2 * fieldCost, nil
	}
	inside, _ := protowire.ConsumeBytes(value)
	switch field.Kind() {
	case protoreflect.MessageKind:
		return weigh(inside, field.Message())
	case protoreflect.StringKind, protoreflect.BytesKind:
		return 2*fieldCost + uint64(len(inside)), nil
	}
	// Numbers are a byte or more each, and become up to eight.
	return 8 * uint64(len(inside)), nil
}

// standard are the sets of operations that are known, by ONNX's names for them: its
// own, and that of classical machine learning.
var standard = []string{"", "ai.onnx", "ai.onnx.ml"}

// check refuses what no part of the reader looks at.
func check(model *pb.ModelProto) error {
	if f := model.GetFunctions(); len(f) > 0 {
		return fmt.Errorf("it has functions of its own, %s: export it without, as torch.onnx.export(..., dynamo=True) does with optimize=True", shown(f[0].GetName()))
	}
	graph := model.GetGraph()
	if s := graph.GetSparseInitializer(); len(s) > 0 {
		return fmt.Errorf("tensor %s: sparse tensors can't be read", shown(s[0].GetValues().GetName()))
	}
	if n := len(graph.GetNode()); n > maxNodes {
		return fmt.Errorf("%d nodes are more than %d", n, maxNodes)
	}
	for _, n := range graph.GetNode() {
		if !slices.Contains(standard, n.GetDomain()) {
			return fmt.Errorf("node %s: %s is an operation of %s, not of ONNX", shown(n.GetName()), shown(n.GetOpType()), shown(n.GetDomain()))
		}
	}
	return nil
}

// maxNodes is how many nodes a network may have: far more than any that consists of
// the operations which are read.
const maxNodes = 1 << 14
