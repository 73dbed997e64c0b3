// Package graphtest is what tests of readers of model files have in common: it computes
// what was read, tells it in short, and checks what is always true of it.
package graphtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network/graph"
)

// Expected reads expected.json in a folder: what frameworks compute with files there, by
// the names of the files.
func Expected[T any](t testing.TB, folder string) (all map[string]T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// Summary is a network's operations by name, kind and activation: "fc1:affine:relu
// fc2:affine".
func Summary(g *graph.Graph) string {
	var parts []string
	for i, o := range g.Net.Ops {
		part := fmt.Sprintf("%s:%s", g.Names[i], o.Kind)
		if o.Activation.Kind != engine.Identity {
			part += ":" + o.Activation.Kind.String()
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

// Check checks what a reader returns for any file: a network that can be computed, with
// a name that can be shown for every operation, or an error of one line.
func Check(t testing.TB, g *graph.Graph, err error) {
	t.Helper()
	if err != nil {
		if strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("want one line to show: %.3000q", err)
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
}

// Values are all values of a network for one example, the input first, by the
// definitions and in float64.
func Values(t testing.TB, n engine.Net, x []float64) [][]float64 {
	t.Helper()
	shapes, err := n.Check()
	if err != nil {
		t.Fatal(err)
	}
	values := [][]float64{x}
	for i, o := range n.Ops {
		shape := shapes[i+1]
		places := shape.Rows * shape.Cols
		y := before(o, values, places)
		for k := range y {
			y[k], _ = o.Activation.At(y[k], k/places)
		}
		values = append(values, y)
	}
	return values
}

// before is what an operation makes before its activation.
func before(o engine.Op, values [][]float64, places int) (y []float64) {
	first := values[o.In[0]]
	switch o.Kind {
	case engine.Affine:
		for u, bias := range o.Bias {
			sum := float64(bias)
			for k, v := range first {
				sum += float64(o.Weight.Data[u*o.Weight.Cols+k]) * v
			}
			y = append(y, sum)
		}
	case engine.Scale:
		for k, v := range first {
			y = append(y, float64(o.Factor[k/places])*v+float64(o.Bias[k/places]))
		}
	case engine.Add:
		y = append(y, first...)
		for _, in := range o.In[1:] {
			for k, v := range values[in] {
				y[k] += v
			}
		}
	case engine.Concat:
		for _, in := range o.In {
			y = append(y, values[in]...)
		}
	}
	return y
}
