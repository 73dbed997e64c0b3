package onnx

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/unitscope/unitscope/network/graph/graphtest"
)

// FuzzRead reads anything as a model file. Whatever is read is a network that can be
// computed, with a name that can be shown for every operation.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.onnx")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, o := range operationCases() {
		m := small()
		o.change(m)
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := read(data, "testdata")
		graphtest.Check(t, g, err)
	})
}
