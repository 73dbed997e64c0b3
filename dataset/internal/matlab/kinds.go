package matlab

import (
	"fmt"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// kind is the type of an element, in MathWorks' numbers.
type kind uint32

const (
	miInt8       kind = 1
	miUint8      kind = 2
	miInt32      kind = 5
	miUint32     kind = 6
	miMatrix     kind = 14
	miCompressed kind = 15
	miUTF8       kind = 16
	miUTF32      kind = 18
)

// stored are the types that numbers are stored in.
func (k kind) stored() (t array.Type, ok bool) {
	t, ok = map[kind]array.Type{
		miInt8:   {Kind: array.Signed, Size: 1},
		miUint8:  {Kind: array.Unsigned, Size: 1},
		3:        {Kind: array.Signed, Size: 2},
		4:        {Kind: array.Unsigned, Size: 2},
		miInt32:  {Kind: array.Signed, Size: 4},
		miUint32: {Kind: array.Unsigned, Size: 4},
		7:        {Kind: array.Float, Size: 4},
		9:        {Kind: array.Float, Size: 8},
		12:       {Kind: array.Signed, Size: 8},
		13:       {Kind: array.Unsigned, Size: 8},
	}[k]
	return t, ok
}

func (k kind) known() bool {
	_, number := k.stored()
	return number || k >= miMatrix && k <= miUTF32
}

func (k kind) String() string {
	if t, ok := k.stored(); ok {
		return "an element of " + t.String()
	}
	switch k {
	case miMatrix:
		return "a matrix"
	case miCompressed:
		return "a compressed element"
	}
	return fmt.Sprintf("an element of type %d", uint32(k))
}

// class is what a variable is to MATLAB, in MathWorks' numbers; its numbers may
// be stored in a smaller type.
type class byte

const (
	classDouble class = 6
	classUint8  class = 9
	classUint64 class = 15
	classOpaque class = 17
)

func (c class) numeric() bool { return c >= classDouble && c <= classUint64 }

// numbers is the type that MATLAB has an array's numbers in.
func (c class) numbers() array.Type {
	return map[class]array.Type{
		classDouble: {Kind: array.Float, Size: 8},
		7:           {Kind: array.Float, Size: 4},
		8:           {Kind: array.Signed, Size: 1},
		classUint8:  {Kind: array.Unsigned, Size: 1},
		10:          {Kind: array.Signed, Size: 2},
		11:          {Kind: array.Unsigned, Size: 2},
		12:          {Kind: array.Signed, Size: 4},
		13:          {Kind: array.Unsigned, Size: 4},
		14:          {Kind: array.Signed, Size: 8},
		classUint64: {Kind: array.Unsigned, Size: 8},
	}[c]
}

func (c class) String() string {
	names := [...]string{1: "cell", "struct", "object", "char", "sparse", "double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "function", "opaque"}
	if int(c) < len(names) && names[c] != "" {
		return names[c]
	}
	return fmt.Sprintf("class %d", byte(c))
}
