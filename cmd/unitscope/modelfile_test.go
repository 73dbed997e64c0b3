package main

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// writtenNumbers is how many numbers of a tensor are written; a longer one is a hole
// of the file.
const writtenNumbers = 1 << 20

// tensors FILE NAME=SHAPE... [metadata.KEY=VALUE...] writes a safetensors file as
// people make it by hand: float32 numbers of size about 1, in the order of the
// arguments. A shape is "3x6", or "" for a single number.
func tensors(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: tensors file name=shape... [metadata.key=value...]")
	}
	header, metadata := map[string]any{}, map[string]string{}
	var sizes []int
	offset := 0
	for _, arg := range args[1:] {
		name, shape, ok := strings.Cut(arg, "=")
		if !ok {
			ts.Fatalf("%q: want name=shape", arg)
		}
		if key, ok := strings.CutPrefix(name, "metadata."); ok {
			metadata[key] = shape
			continue
		}
		size, sides := 1, []int{}
		for side := range strings.FieldsFuncSeq(shape, func(r rune) bool { return r == 'x' }) {
			sides = append(sides, number(ts, side))
			size *= number(ts, side)
		}
		header[name] = map[string]any{"dtype": "F32", "shape": sides, "data_offsets": []int{offset, offset + 4*size}}
		sizes, offset = append(sizes, size), offset+4*size
	}
	if len(metadata) > 0 {
		header["__metadata__"] = metadata
	}
	text, err := json.Marshal(header)
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = f.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...))
	ts.Check(err)
	ts.Check(f.Truncate(int64(8 + len(text) + offset)))
	at := int64(8 + len(text))
	for _, size := range sizes {
		var numbers []byte
		for i := range min(size, writtenNumbers) {
			numbers = binary.LittleEndian.AppendUint32(numbers, math.Float32bits(float32(math.Sin(float64(i*i+1)))))
		}
		_, err = f.WriteAt(numbers, at)
		ts.Check(err)
		at += int64(4 * size)
	}
	ts.Check(f.Close())
	ts.Logf("%s: %s bytes", args[0], strconv.FormatInt(at, 10))
}
