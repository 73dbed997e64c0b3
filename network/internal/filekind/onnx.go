package filekind

import (
	"encoding/binary"
	"io"
)

// The wire types of protocol buffers.
const (
	varint = 0
	bytes  = 2
)

// onnxFields are the wire types of the fields of ONNX' ModelProto.
var onnxFields = map[uint64]uint64{
	1: varint, // ir_version
	2: bytes, 3: bytes, 4: bytes,
	5:  varint, // model_version
	6:  bytes,  // doc_string
	7:  bytes,  // graph
	8:  bytes,  // opset_import
	14: bytes,  // metadata_props
	20: bytes,  // training_info
	25: bytes,  // functions
	26: bytes,  // configuration
}

const (
	graphField = 7
	// maxFields is how many fields of a model are looked at; functions are one each.
	maxFields = 1 << 12
)

// isONNX walks through the outermost fields of a model, which has no magic number:
// all must be ONNX', end where the file does, and a graph be among them.
func isONNX(source io.ReaderAt, size int64) bool {
	graph := false
	at := int64(0)
	for fields := 0; at < size; fields++ {
		tag, n := readVarint(source, at, size)
		wire, known := onnxFields[tag>>3]
		if n == 0 || !known || wire != tag&7 || fields == maxFields {
			return false
		}
		at += n
		value, n := readVarint(source, at, size)
		if n == 0 {
			return false
		}
		at += n
		if wire == bytes {
			if value > uint64(size-at) {
				return false
			}
			at += int64(value)
		}
		graph = graph || tag>>3 == graphField
	}
	return graph
}

// readVarint reads a number at a place; its length is 0 if there is none.
func readVarint(source io.ReaderAt, at, size int64) (value uint64, length int64) {
	buffer := make([]byte, max(0, min(binary.MaxVarintLen64, size-at)))
	if n, _ := source.ReadAt(buffer, at); n < len(buffer) {
		return 0, 0
	}
	value, n := binary.Uvarint(buffer)
	return value, int64(max(n, 0))
}
