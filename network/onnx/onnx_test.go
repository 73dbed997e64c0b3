package onnx

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/unitscope/unitscope/internal/pythontest"
	"github.com/unitscope/unitscope/network/graph"
	"github.com/unitscope/unitscope/network/graph/graphtest"
)

// evaluate is a network's last value for one example.
func evaluate(t testing.TB, g *graph.Graph, x []float64) []float64 {
	t.Helper()
	values := graphtest.Values(t, g.Net, x)
	return values[len(values)-1]
}

func TestExporters(t *testing.T) { compareFiles(t, "testdata") }

// Files that the frameworks of this machine write.
func TestPython(t *testing.T) {
	compareFiles(t, pythontest.Files(t, "torch, onnxscript, onnxruntime, skl2onnx", "testdata/make.py"))
}

// compareFiles compares with what PyTorch, in float64, and onnxruntime, in float32,
// compute. Folding rounds weights once more, which is 6e-8 of each; a mistake, as the
// other form of GELU, is 1e-4 and more.
func compareFiles(t *testing.T, folder string) {
	for name, want := range graphtest.Expected[struct{ X, Y [][]float64 }](t, folder) {
		t.Run(name, func(t *testing.T) {
			g, err := Read(filepath.Join(folder, name+".onnx"))
			if err != nil {
				t.Fatal(err)
			}
			t.Log(graphtest.Summary(g), g.Remarks)
			for i, x := range want.X {
				y, scale := evaluate(t, g, x), 0.
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
