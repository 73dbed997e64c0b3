// Package safetensors reads and writes the safetensors format: named arrays of
// numbers and a little metadata in one file that holds no code, see
// https://huggingface.co/docs/safetensors. Python opens it with
// safetensors.numpy.load_file.
//
// A file is
//
//	8 bytes          length n of the header, little-endian
//	n bytes          header, JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
//	all that's left  the numbers, little-endian, row by row, offsets counted from here
//
// The key "__metadata__" of the header holds strings by name.
//
// Reading treats a file as hostile: every number is checked against the file's
// size and with the memory that there is before anything is allocated by it, and the arrays must fill the file
// without overlap or holes, as the reference implementation demands. All
// arrays reach Go as float32.
package safetensors

import "fmt"

const (
	lengthSize = 8
	// maxHeader is the longest header that the reference implementation reads.
	maxHeader = 100_000_000
	// headerCost is the memory for each byte of a header: its text, and what is known
	// of each tensor, of which there may be one in every 60 bytes.
	headerCost = 12
	// maxEntries is the most tensors, and the most strings of metadata. The largest
	// models have some ten thousand; a header can hold millions of empty ones, which
	// take a minute to read.
	maxEntries  = 1 << 16
	metadataKey = "__metadata__"
)

// Tensor is an array of numbers with a name.
type Tensor struct {
	Name  string
	Shape []int     // no entries: a single number
	Data  []float32 // row by row, as many as the product of Shape
}

// Entry describes a tensor of a file.
type Entry struct {
	Name  string
	Type  string // "F64", "F32", "F16", "BF16", or a type that can't be read as float32
	Shape []int

	from, to int64 // bytes of the data section
}

// Size is the number of elements.
func (e Entry) Size() int {
	size := 1
	for _, n := range e.Shape {
		size *= n
	}
	return size
}

// elementBits is the number of bits of one element of every type that the format
// knows.
func elementBits(dtype string) (int64, error) {
	switch dtype {
	case "F4":
		return 4, nil
	case "F6_E2M3", "F6_E3M2":
		return 6, nil
	case "BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ":
		return 8, nil
	case "U16", "I16", "F16", "BF16":
		return 16, nil
	case "U32", "I32", "F32":
		return 32, nil
	case "U64", "I64", "F64", "C64":
		return 64, nil
	}
	return 0, fmt.Errorf("unknown dtype %.40q", dtype)
}
