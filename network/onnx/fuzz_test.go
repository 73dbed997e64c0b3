package onnx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"google.golang.org/protobuf/proto"
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
		if err != nil {
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("want one line to show: %q", err)
			}
			return
		}
		shapes, err := g.Net.Check()
		if err != nil || len(shapes) != len(g.Shapes) {
			t.Errorf("%v, shapes %v and %v", err, shapes, g.Shapes)
		}
		seen := map[string]bool{}
		for _, name := range g.Names {
			if name == "" || seen[name] || strings.ContainsFunc(name, unicode.IsControl) {
				t.Errorf("names %q", g.Names)
			}
			seen[name] = true
		}
	})
}
