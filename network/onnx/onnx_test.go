package onnx

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network/graph"
)

// evaluate is a network's last value for one example, by the definitions, in float64.
func evaluate(g *graph.Graph, x []float64) []float64 {
	values := [][]float64{x}
	for i, o := range g.Net.Ops {
		size := g.Shapes[i+1].Size()
		y := make([]float64, 0, size)
		places := size / g.Shapes[i+1].Channels
		switch first := values[o.In[0]]; o.Kind {
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
		for k := range y {
			y[k], _ = o.Activation.At(y[k], k/places)
		}
		values = append(values, y)
	}
	return values[len(values)-1]
}

// models are the files of testdata, with inputs and what the frameworks that wrote
// them make of those.
func models(t *testing.T) map[string]struct{ X, Y [][]float64 } {
	t.Helper()
	text, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct{ X, Y [][]float64 }
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestExporters compares with what PyTorch, in float64, and onnxruntime, in float32,
// compute. Folding rounds weights once more, which is 6e-8 of each; a mistake, as the
// other form of GELU, is 1e-4 and more.
func TestExporters(t *testing.T) {
	for name, want := range models(t) {
		t.Run(name, func(t *testing.T) {
			g, err := Read(filepath.Join("testdata", name+".onnx"))
			if err != nil {
				t.Fatal(err)
			}
			t.Log(summary(g), g.Remarks)
			for i, x := range want.X {
				y, scale := evaluate(g, x), 0.
				if len(y) != len(want.Y[i]) {
					t.Fatalf("%d outputs, want %d", len(y), len(want.Y[i]))
				}
				for _, v := range want.Y[i] {
					scale = max(scale, math.Abs(v))
				}
				for k := range y {
					if !(math.Abs(y[k]-want.Y[i][k]) <= 1e-5*scale) {
						t.Errorf("example %d: output %d is %v, want %v", i, k, y[k], want.Y[i][k])
					}
				}
			}
		})
	}
}

// summary is a network's operations by name, kind and activation.
func summary(g *graph.Graph) string {
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
