package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/unitscope/unitscope/dataset"
)

// numbers FILE.npz TYPE LEVELS [DATA] writes what data sets of people look like: x
// [n, rows, cols], the examples of DATA as numbers of a numpy type from 0 to LEVELS,
// rounded to whole ones from 2 levels on, and y [n], their labels.
func numbers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: numbers file.npz type levels [data]")
	}
	specification := append(args, "digits:n=60")[3]
	set, err := dataset.Open(specification, 1)
	ts.Check(err)
	defer func() { ts.Check(set.Close()) }()
	info, indices, labels := set.Info(), make([]int, set.Len()), make([]int64, set.Len())
	for i := range indices {
		indices[i] = i
		label, _ := set.Label(i)
		labels[i] = int64(label)
	}
	pixels := make([]float32, set.Len()*info.Size())
	ts.Check(set.Read(pixels, indices))

	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	for _, a := range []struct {
		name, kind, shape string
		values            any
	}{
		{"x.npy", args[1], fmt.Sprintf("%d, %d, %d", set.Len(), info.Shape[0], info.Shape[1]), levels(ts, pixels, args[1], float64(number(ts, args[2])))},
		{"y.npy", "<i8", fmt.Sprintf("%d,", set.Len()), labels},
	} {
		w, err := archive.Create(a.name)
		ts.Check(err)
		header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", a.kind, a.shape)
		header += strings.Repeat(" ", 127-10-len(header)) + "\n"
		_, err = fmt.Fprintf(w, "\x93NUMPY\x01\x00%c%c%s", len(header), 0, header)
		ts.Check(err)
		ts.Check(binary.Write(w, binary.LittleEndian, a.values))
	}
	ts.Check(archive.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file.Bytes(), 0o600))
}

// levels are pixels as numbers of a type from 0 to a level.
func levels(ts *testscript.TestScript, pixels []float32, kind string, most float64) any {
	white := float64(slices.Max(pixels))
	at := func(i int) float64 {
		x := most * float64(pixels[i]) / white
		if most == 1 && kind == "<f8" {
			return x
		}
		return math.Round(x)
	}
	bytes, floats := make([]byte, len(pixels)), make([]float64, len(pixels))
	for i := range pixels {
		bytes[i], floats[i] = byte(at(i)), at(i)
	}
	switch kind {
	case "|u1", "|b1":
		return bytes
	case "<f8":
		return floats
	}
	ts.Fatalf("numbers of type %s: want |u1, |b1 or <f8", kind)
	return nil
}

// forget FIELD... FILE takes fields out of a record, as versions wrote it that did
// not know them.
func forget(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: forget field... file")
	}
	file := args[len(args)-1]
	var record map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(file)), &record))
	for _, field := range args[:len(args)-1] {
		if record[field] == nil {
			ts.Fatalf("%s has no field %q", file, field)
		}
		delete(record, field)
	}
	text, err := json.Marshal(record)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(file), text, 0o600))
}
