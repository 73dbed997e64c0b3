package visualize

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

func combineOf(t testing.TB, n *network.Network, o CombineOptions) *CombineResult {
	t.Helper()
	r, err := Combine(context.Background(), openDevice(t), n, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// combined64 is the linear combination as it is defined, with the sum of the
// absolute values of its terms, in which rounding is measured.
func combined64(t testing.TB, n *network.Network, layer, unit, top int) (f, size []float64) {
	t.Helper()
	weight := numbers(t, n.Layers[layer-1].Weight)
	below := n.Layers[layer-1].Weight.Shape()[1]
	row := weight[unit*below : (unit+1)*below]
	if layer == 1 {
		return widened(row), make([]float64, below)
	}
	order := make([]int, below)
	for k := range order {
		order[k] = k
	}
	slices.SortFunc(order, func(a, b int) int {
		if x, y := math.Abs(float64(row[a])), math.Abs(float64(row[b])); x > y || x == y && a < b {
			return -1
		}
		return 1
	})
	if top > 0 {
		order = order[:top]
	}
	inputs := n.Layers[0].Weight.Shape()[1]
	f, size = make([]float64, inputs), make([]float64, inputs)
	for _, k := range order {
		g, s := combined64(t, n, layer-1, k, top)
		for j := range f {
			f[j] += float64(row[k]) * g[j]
			size[j] += math.Abs(float64(row[k])) * (math.Abs(g[j]) + s[j])
		}
	}
	return f, size
}

// Every combination is the sum that defines it, to the rounding of sums of
// float32; with all units that is the product of the weights.
func TestCombine(t *testing.T) {
	n := randomNetwork(t, 1, 1, 1, 13, 20, 11, 9)
	// Equal weights: the first ones count.
	tied := numbers(t, n.Layers[1].Weight)
	for i := range tied {
		tied[i] = float32(math.Round(float64(tied[i]) * 4))
	}
	for _, c := range []struct{ layer, top int }{{1, 100}, {1, 0}, {2, 0}, {3, 0}, {2, 1}, {2, 7}, {2, 20}, {3, 1}, {3, 4}, {3, 11}} {
		if c.layer == 1 && c.top == 100 {
			c.top = DefaultTop // without a layer below any number will do
		}
		units := []int{5, 0, 8}
		r := combineOf(t, n, CombineOptions{Layer: c.layer, Units: units, Top: c.top})
		patterns := numbers(t, r.Patterns)
		for i, u := range units {
			want, size := combined64(t, n, c.layer, u, c.top)
			for j := range want {
				got := float64(patterns[i*13+j])
				if off := math.Abs(got - want[j]); off > 1e-6*size[j] {
					t.Errorf("layer %d, top %d: unit %d, component %d is %g, want %g", c.layer, c.top, u, j, got, want[j])
				}
			}
		}
		alone := combineOf(t, n, CombineOptions{Layer: c.layer, Units: []int{8}, Top: c.top})
		if !slices.Equal(numbers(t, alone.Patterns), patterns[2*13:]) {
			t.Errorf("layer %d, top %d: a pattern depends on the other units", c.layer, c.top)
		}
	}
}

func TestCombineRefuses(t *testing.T) {
	d := openDevice(t)
	n := randomNetwork(t, 1, 1, 1, 6, 5, 4, 3)
	wild := stack(1, layer(t, 1, []float32{3e38}, []float32{0}), layer(t, 1, []float32{10}, []float32{0}))
	for _, c := range []struct {
		name string
		n    *network.Network
		o    CombineOptions
		want string
	}{
		{"more than there are", n, CombineOptions{Layer: 3, Units: []int{0}, Top: 5}, "Top 5: layer 2 has only 4 units; give at most that many, or all"},
		{"more than all layers have", n, CombineOptions{Layer: 3, Units: []int{0}, Top: DefaultTop}, "layer 1 has only 5"},
		{"a negative number", n, CombineOptions{Layer: 3, Units: []int{0}, Top: -1}, "Top -1: want"},
		{"no layer", n, CombineOptions{Layer: 0, Units: []int{0}}, "Layer 0: the model has layers 1 to 3"},
		{"no units", n, CombineOptions{Layer: 1}, "Units: there are none"},
		{"a unit too high", n, CombineOptions{Layer: 1, Units: []int{5}}, "Units 5: layer 1 has 5 units"},
		{"beyond float32", wild, CombineOptions{Layer: 2, Units: []int{0}}, "unit 0 of layer 2: NaN or Inf"},
	} {
		_, err := Combine(context.Background(), d, c.n, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Combine(ended, d, n, CombineOptions{Layer: 2, Units: []int{0}}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: error %v", err)
	}
	if _, err := Combine(context.Background(), d, wild, CombineOptions{Layer: 2, Units: []int{0}}); !errors.Is(err, engine.ErrNotFinite) {
		t.Errorf("beyond float32: error %v", err)
	}
}

// arraysIn returns the names and shapes of a file's arrays, and checks that the
// same result gives the same bytes.
func arraysIn(t testing.TB, write func(w *bytes.Buffer) error) map[string][]int {
	t.Helper()
	var file, again bytes.Buffer
	if err := errors.Join(write(&file), write(&again)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Error("the same result gave other bytes")
	}
	archive, err := npz.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string][]int{}
	for _, name := range archive.Keys() {
		shapes[strings.TrimSuffix(name, ".npy")] = archive.Header(name).Descr.Shape
	}
	return shapes
}

func sameShapes(t testing.TB, got, want map[string][]int) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("arrays %v, want %v", got, want)
	}
	for name, shape := range want {
		if !slices.Equal(got[name], shape) {
			t.Errorf("array %s is %v, want %v", name, got[name], shape)
		}
	}
}

func TestCombineFile(t *testing.T) {
	r := combineOf(t, randomNetwork(t, 1, 1, 1, 6, 5, 4), CombineOptions{Layer: 2, Units: []int{3, 1}})
	sameShapes(t, arraysIn(t, func(w *bytes.Buffer) error { return r.WriteArrays(w) }), map[string][]int{"units": {2}, "patterns": {2, 6}})
}
