package visualize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// rowsSet is a data set in memory.
type rowsSet struct {
	info   dataset.Info
	rows   [][]float32
	labels []int // nil if there are none
}

func (s *rowsSet) Info() dataset.Info { return s.info }
func (s *rowsSet) Len() int           { return len(s.rows) }
func (s *rowsSet) Close() error       { return nil }

func (s *rowsSet) Read(dst []float32, indices []int) error {
	if len(dst) != len(indices)*s.info.Size() {
		return fmt.Errorf("%d numbers for %d examples", len(dst), len(indices))
	}
	for k, i := range indices {
		copy(dst[k*s.info.Size():], s.rows[i])
	}
	return nil
}

func (s *rowsSet) Label(i int) (int, bool) {
	if s.labels == nil {
		return 0, false
	}
	return s.labels[i], true
}

// randomSet has every third example twice.
func randomSet(seed uint64, examples, size int) *rowsSet {
	s := &rowsSet{info: dataset.Info{Shape: []int{size}, Low: -4, High: 4}}
	x := normals(seed, 1, examples*size)
	for i := range examples {
		row := x[i*size : (i+1)*size]
		if i%3 == 2 {
			row = s.rows[i-1]
		}
		s.rows, s.labels = append(s.rows, row), append(s.labels, i%10)
	}
	return s
}

func examplesOf(t testing.TB, d engine.Device, n *network.Network, set dataset.Set, o ExamplesOptions) *ExamplesResult {
	t.Helper()
	r, err := Examples(context.Background(), d, n, set, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The examples are the first of all examples, sorted by their activations.
func TestExamples(t *testing.T) {
	const examples, size = 200, 12
	d := openDevice(t)
	n := randomNetwork(t, 1, 2, 1, size, 15, 10, 7)
	n.Mean, n.Scale = array(t, normals(40, 1, size), size), array(t, normals(41, 1, size), size)
	set := randomSet(2, examples, size)
	for layer := 1; layer <= 3; layer++ {
		for _, top := range []int{1, 9, 50, examples} {
			units := []int{6, 0, 3}
			r := examplesOf(t, d, n, set, ExamplesOptions{Layer: layer, Units: units, Top: top})
			activations := numbers(t, r.Activation)
			for u, unit := range units {
				var want []ranked
				for i, row := range set.rows {
					x := slices.Clone(row)
					if err := n.Preprocess(x); err != nil {
						t.Fatal(err)
					}
					want = append(want, ranked{float32(activation64(t, n, layer, unit, widened(x))), i})
				}
				slices.SortStableFunc(want, func(a, b ranked) int {
					if a.activation == b.activation {
						return a.index - b.index
					}
					return int(math.Copysign(1, float64(b.activation-a.activation)))
				})
				for k := range top {
					at := u*top + k
					if r.Index[at] != want[k].index || math.Abs(float64(activations[at]-want[k].activation)) > 1e-4 {
						t.Fatalf("layer %d, unit %d, place %d: example %d with %g, want %d with %g", layer, unit, k, r.Index[at], activations[at], want[k].index, want[k].activation)
					}
					if r.Label[at] != r.Index[at]%10 || !slices.Equal(numbers(t, r.Patterns)[at*size:(at+1)*size], set.rows[r.Index[at]]) {
						t.Fatalf("layer %d, unit %d, place %d: label or example is another's", layer, unit, k)
					}
				}
			}
		}
	}
}

// Results depend on nothing but the unit and the data.
func TestExamplesIdentity(t *testing.T) {
	d := openDevice(t)
	one, err := cpu.Open(cpu.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	n := randomNetwork(t, 1, 2, 1, 12, 15, 10)
	set := randomSet(2, 301, 12)
	set.labels = nil
	whole := examplesOf(t, d, n, set, ExamplesOptions{Layer: 2, Units: []int{1, 4, 9}, Top: 20})
	for _, chunk := range []int{1, 7, 300, 1000} {
		few := examplesOf(t, one, n, set, ExamplesOptions{Layer: 2, Units: []int{9, 1}, Top: 20, ChunkRows: chunk})
		for i, place := range []int{2, 0} {
			if !slices.Equal(few.Index[20*i:20*i+20], whole.Index[20*place:20*place+20]) ||
				!slices.Equal(numbers(t, few.Activation)[20*i:20*i+20], numbers(t, whole.Activation)[20*place:20*place+20]) {
				t.Errorf("unit %d depends on batches of %d, other units or threads", few.Units[i], chunk)
			}
		}
		if few.Label[3] != -1 {
			t.Errorf("without labels, one is %d", few.Label[3])
		}
	}
}

func TestExamplesRefuse(t *testing.T) {
	d := openDevice(t)
	n := randomNetwork(t, 1, 1, 1, 4, 3)
	wild := stack(1, layer(t, 4, []float32{3e38, 3e38, 3e38, 3e38}, []float32{0}))
	set := randomSet(1, 20, 4)
	set.rows[13] = []float32{1, 1, 1, 1}
	for _, c := range []struct {
		name string
		n    *network.Network
		set  dataset.Set
		o    ExamplesOptions
		want string
	}{
		{"more than there are", n, set, ExamplesOptions{Layer: 1, Units: []int{0}, Top: 21}, "Top 21:  has only 20 examples"},
		{"none", n, set, ExamplesOptions{Layer: 1, Units: []int{0}}, "Top 0: want at least 1"},
		{"no data", n, &rowsSet{info: set.info}, ExamplesOptions{Layer: 1, Units: []int{0}, Top: 1}, "has only 0 examples"},
		{"other data", n, randomSet(1, 20, 5), ExamplesOptions{Layer: 1, Units: []int{0}, Top: 1}, "5 components, the model's inputs 4"},
		{"no layer", n, set, ExamplesOptions{Layer: 2, Units: []int{0}, Top: 1}, "Layer 2: the model has layers 1 to 1"},
		{"a unit twice", n, set, ExamplesOptions{Layer: 1, Units: []int{1, 1}, Top: 1}, "Units 1: this unit of layer 1 is asked for twice"},
		{"negative batches", n, set, ExamplesOptions{Layer: 1, Units: []int{1}, Top: 1, ChunkRows: -1}, "ChunkRows -1: want"},
		{"weights too large", wild, set, ExamplesOptions{Layer: 1, Units: []int{0}, Top: 1, ChunkRows: 20}, "NaN or Inf"},
	} {
		_, err := Examples(context.Background(), d, c.n, c.set, c.o, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	last := 0
	_, err := Examples(ctx, d, n, set, ExamplesOptions{Layer: 1, Units: []int{0}, Top: 1, ChunkRows: 3}, func(done, total int) {
		if last += 3; done != last || total != 20 {
			t.Errorf("progress %d of %d", done, total)
		}
		if done == 6 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || last != 6 {
		t.Errorf("%d examples after the end, error %v", last, err)
	}
}

func TestExamplesFile(t *testing.T) {
	r := examplesOf(t, openDevice(t), randomNetwork(t, 1, 1, 1, 4, 3), randomSet(1, 20, 4), ExamplesOptions{Layer: 1, Units: []int{2, 0}, Top: 5})
	sameShapes(t, arraysIn(t, func(w *bytes.Buffer) error { return r.WriteArrays(w) }), map[string][]int{
		"units": {2}, "index": {2, 5}, "activation": {2, 5}, "label": {2, 5}, "examples": {2, 5, 4},
	})
}
