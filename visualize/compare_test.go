package visualize

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
)

// comparedSet is a data set of these rows.
type comparedSet struct {
	size int
	data []float32
}

func (s comparedSet) Info() dataset.Info {
	return dataset.Info{Name: "rows", Shape: []int{s.size}, High: 1}
}
func (s comparedSet) Len() int              { return len(s.data) / s.size }
func (s comparedSet) Label(int) (int, bool) { return 0, false }
func (s comparedSet) Close() error          { return nil }
func (s comparedSet) row(i int) []float32   { return s.data[i*s.size : (i+1)*s.size] }
func (s comparedSet) Read(dst []float32, indices []int) error {
	for i, index := range indices {
		copy(dst[i*s.size:(i+1)*s.size], s.row(index))
	}
	return nil
}

// comparedNetwork has two layers that can reconstruct.
func comparedNetwork(t testing.TB) *network.Network {
	n := randomNetwork(t, 21, 2, 0.3, 7, 6, 5)
	n.Kind = network.DBN
	n.Layers[0].VisibleBias, n.Layers[1].VisibleBias = array(t, normals(31, 0.5, 7), 7), array(t, normals(32, 0.5, 6), 6)
	n.Mean, n.Scale = array(t, normals(33, 0.1, 7), 7), array(t, []float32{1, 2, 1, 0.5, 1, 1, 1}, 7)
	return n
}

func comparedMethods(t testing.TB, units int) []Patterns {
	missing := make([]bool, units)
	missing[1] = true
	zero := normals(43, 1, units*7)
	clear(zero[:7])
	return []Patterns{
		{Name: MethodAscent, Data: array(t, normals(41, 1, units*7), units, 7)},
		{Name: MethodSampling, Data: array(t, normals(42, 3, units*7), units, 7), Missing: missing},
		{Name: "zero", Data: array(t, zero, units, 7)},
	}
}

func compared(t testing.TB, chunk int, progress func(done, total int)) (*CompareResult, comparedSet, *network.Network) {
	t.Helper()
	n := comparedNetwork(t)
	set := comparedSet{7, normals(51, 2, 7*40)}
	// One example twice, so that there are ties.
	copy(set.row(30), set.row(12))
	o := DefaultCompare()
	o.Layer, o.Units, o.ChunkRows, o.Resamples = 2, []int{4, 0, 2}, chunk, 60
	samples := normals(61, 1, 3*8*7)
	for i := range samples[:8*7] {
		// The first unit's samples are concentrated.
		samples[i] += float32(10 * (i % 7))
	}
	o.Samples = array(t, samples, 3, 8, 7)
	r, err := Compare(context.Background(), openDevice(t), n, set, comparedMethods(t, 3), o, progress)
	if err != nil {
		t.Fatal(err)
	}
	return r, set, n
}

// Everything that Compare measures, by brute force in float64.
func TestCompare(t *testing.T) {
	r, set, n := compared(t, 0, nil)
	methods := comparedMethods(t, 3)
	patterns := numbers(t, r.Patterns)
	examples := slices.Clone(set.data)
	if err := n.Preprocess(examples); err != nil {
		t.Fatal(err)
	}
	for row, c := range r.Rows {
		u, m := row/3, row%3
		if want := m == 1 && u == 1 || m == 2 && u == 0; c.Missing != want {
			t.Errorf("row %d: missing %v", row, c.Missing)
		}
		if c.Missing {
			if !math.IsNaN(c.Activation) || !math.IsNaN(c.Distance) || c.Nearest != -1 || !math.IsNaN(c.Cosine[m]) || !math.IsNaN(c.Gradient) {
				t.Errorf("row %d is missing and has %+v", row, c)
			}
			continue
		}
		x := scaled(numbers(t, methods[m].Data)[u*7:(u+1)*7], n.Radius)
		if far := distance(patterns[row*7:(row+1)*7], x); far > 1e-6 {
			t.Errorf("row %d: pattern is %g away", row, far)
		}
		want := bruteForce(t, n, r.Units[u], x, examples)
		if math.Abs(c.Activation-want.Activation) > 1e-5 || c.Percentile != want.Percentile || c.Nearest != want.Nearest ||
			math.Abs(c.Distance-want.Distance) > 1e-5 || math.Abs(c.Reconstruction-want.Reconstruction) > 1e-5 {
			t.Errorf("row %d: %+v, want %+v", row, c, want)
		}
		if c.Cosine[m] < 1-1e-6 {
			t.Errorf("row %d: cosine to itself %g", row, c.Cosine[m])
		}
		g := gradient64(t, n, 2, r.Units[u], make([]float64, 7))
		dot, norms := 0.0, 0.0
		for j := range g {
			dot += g[j] * x[j]
			norms += g[j] * g[j]
		}
		if got := dot / math.Sqrt(norms) / n.Radius; math.Abs(c.Gradient-got) > 1e-5 {
			t.Errorf("row %d: cosine to the gradient %g, want %g", row, c.Gradient, got)
		}
	}
	if s := r.Summary[1]; s.Units != 2 || !near(s.Activation.Value, (r.Rows[1].Activation+r.Rows[7].Activation)/2) {
		t.Errorf("summary of the second method %+v", s)
	}
}

// bruteForce measures one pattern x against examples as the model sees them.
func bruteForce(t testing.TB, n *network.Network, unit int, x []float64, examples []float32) Compared {
	c := Compared{Activation: activation64(t, n, 2, unit, x), Distance: math.Inf(1)}
	count := len(examples) / 7
	for i := range count {
		e := widened(examples[i*7 : (i+1)*7])
		if activation64(t, n, 2, unit, e) < c.Activation {
			c.Percentile += 100 / float64(count)
		}
		sum := 0.0
		for j := range x {
			sum += (x[j] - e[j]) * (x[j] - e[j])
		}
		if d := math.Sqrt(sum); d < c.Distance {
			c.Distance, c.Nearest = d, i
		}
	}
	c.Reconstruction = reconstructionError64(t, n, x)
	return c
}

func reconstructionError64(t testing.TB, n *network.Network, x []float64) float64 {
	up := func(h []float64, l network.Layer) []float64 {
		weight, bias := numbers(t, l.Weight), numbers(t, l.Bias)
		out := make([]float64, len(bias))
		for i := range out {
			a := float64(bias[i])
			for j, v := range h {
				a += float64(weight[i*len(h)+j]) * v
			}
			out[i] = sigmoid64(a)
		}
		return out
	}
	down := func(h []float64, l network.Layer) []float64 {
		weight, bias := numbers(t, l.Weight), numbers(t, l.VisibleBias)
		out := make([]float64, len(bias))
		for j := range out {
			a := float64(bias[j])
			for i, v := range h {
				a += float64(weight[i*len(bias)+j]) * v
			}
			out[j] = sigmoid64(a)
		}
		return out
	}
	back := down(down(up(up(x, n.Layers[0]), n.Layers[1]), n.Layers[1]), n.Layers[0])
	away, norm := 0.0, 0.0
	for j := range x {
		away += (x[j] - back[j]) * (x[j] - back[j])
		norm += x[j] * x[j]
	}
	return math.Sqrt(away / norm)
}

// The result does not depend on chunks.
func TestCompareChunks(t *testing.T) {
	var last int
	whole, _, _ := compared(t, 0, func(done, _ int) { last = done })
	if last != 40 {
		t.Errorf("progress ends at %d", last)
	}
	for _, chunk := range []int{1, 7, 40, 1000} {
		r, _, _ := compared(t, chunk, nil)
		var a, b bytes.Buffer
		if err := errors.Join(whole.WriteTable(&a), r.WriteTable(&b), whole.WriteArrays(&a), r.WriteArrays(&b)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("chunks of %d examples change the result", chunk)
		}
	}
}

// A method whose patterns turn all units on says so, and the others don't.
func TestCompareIsSaturated(t *testing.T) {
	weight := []float32{1, 0.5, 1, 1, 0.5, 1}
	n := stack(50, layer(t, 2, weight, make([]float32, 3)))
	o := DefaultCompare()
	o.Layer, o.Units = 1, []int{0, 1, 2}
	on, off := array(t, []float32{1, 1, 1, 2, 2, 1}, 3, 2), array(t, []float32{1, 1, -1, -1, -1, -1}, 3, 2)
	r, err := Compare(context.Background(), openDevice(t), n, comparedSet{2, normals(51, 2, 2*40)}, []Patterns{{Name: MethodAscent, Data: on}, {Name: MethodExample, Data: off}}, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if w := r.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0], "3 of 3 units are at 1 (saturated) for nearly every pattern of the method ascent, ") {
		t.Errorf("warnings %q", w)
	}
	if r.Summary[0].RankFirst.Value != 1 || r.Summary[1].Saturated != 0 {
		t.Errorf("summary %+v", r.Summary)
	}
}

// A pattern that is an example, scaled: distance 0 but for rounding, and the
// percentile of the best one counts itself half.
func TestCompareFindsTheExample(t *testing.T) {
	d := openDevice(t)
	n := randomNetwork(t, 21, 2, 0.3, 7, 6)
	set := comparedSet{7, normals(51, 2, 7*40)}
	n.Radius = norm(set.row(17))
	o := DefaultCompare()
	o.Layer, o.Units = 1, []int{3}
	r, err := Compare(context.Background(), d, n, set, []Patterns{{Name: MethodExample, Data: array(t, slices.Clone(set.row(17)), 1, 7)}}, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := r.Rows[0]
	below := 0
	for i := range set.Len() {
		if activation64(t, n, 1, 3, widened(set.row(i))) < activation64(t, n, 1, 3, widened(set.row(17))) {
			below++
		}
	}
	if c.Nearest != 17 || c.Distance > 1e-5 || !math.IsNaN(c.Reconstruction) || c.Percentile != 100*(float64(below)+0.5)/40 {
		t.Errorf("%+v, %d examples below it", c, below)
	}
	if r.Summary[0].Units != 1 || r.LinkOfSection5.Value < 1-1e-6 || !math.IsNaN(r.LinkOfSection4.Value) {
		t.Errorf("summary %+v, links %+v and %+v", r.Summary[0], r.LinkOfSection5, r.LinkOfSection4)
	}
}

// A Gaussian input is reconstructed without a sigmoid: as the weights of the unit
// that is on, plus the visible bias.
func TestReconstructionOfGaussianInputs(t *testing.T) {
	n := stack(5, layer(t, 2, []float32{30, 40}, []float32{0}))
	n.Visible = engine.Gaussian
	n.Layers[0].VisibleBias = array(t, []float32{-27, -36}, 2)
	r, err := newReconstruction(openDevice(t), n, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	back, err := r.of([]float32{3, 4})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(back, []float32{3, 4}) {
		t.Errorf("reconstruction %v, want [3 4]", back)
	}
}

func TestCompareTable(t *testing.T) {
	r, _, _ := compared(t, 0, nil)
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil || len(rows) != 10 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if r.Concentration[0] < 0.9 || r.Concentration[1] > 0.5 {
		t.Errorf("concentration %v", r.Concentration)
	}
	for _, name := range []string{"activation", "percentile", "rank", "distance", "reconstruction", "cosine_ascent", "cosine_sampling", "combination_link", "concentration", "data_correlation", "data_distance"} {
		if !slices.Contains(rows[0], name) {
			t.Errorf("no column %s", name)
		}
	}
	// Two units with all three of mean, ascent and concentration: their order
	// agrees or not.
	if v := r.LinkOfSection4.Value; math.Abs(v) != 1 || r.PairsOfSection4 != 2 {
		t.Errorf("rank correlation of two pairs %g", v)
	}
}

func TestCompareMistakes(t *testing.T) {
	d := openDevice(t)
	n := randomNetwork(t, 21, 2, 0.3, 7, 6)
	set := comparedSet{7, normals(51, 2, 7*4)}
	pattern := func(x ...float32) *tensor.Dense { return array(t, x, 1, len(x)) }
	good := pattern(1, 2, 3, 4, 5, 6, 7)
	for _, c := range []struct {
		name    string
		methods []Patterns
		set     dataset.Set
		change  func(o *CompareOptions)
		want    string
	}{
		{"no methods", nil, set, nil, "no methods"},
		{"no name", []Patterns{{Name: "", Data: good}}, set, nil, "names of their own"},
		{"twice", []Patterns{{Name: "a", Data: good}, {Name: "a", Data: good}}, set, nil, "names of their own"},
		{"shape", []Patterns{{Name: "a", Data: pattern(1, 2)}}, set, nil, "another shape"},
		{"Inf", []Patterns{{Name: "a", Data: pattern(1, 2, 3, float32(math.Inf(1)), 5, 6, 7)}}, set, nil, "NaN or Inf"},
		{"marks", []Patterns{{Name: "a", Data: good, Missing: make([]bool, 2)}}, set, nil, "2 marks"},
		{"data", []Patterns{{Name: "a", Data: good}}, comparedSet{3, make([]float32, 9)}, nil, "3 components"},
		{"radius", []Patterns{{Name: "a", Data: good}}, set, func(o *CompareOptions) { o.Radius = -1 }, "Radius -1: want"},
		{"chunks", []Patterns{{Name: "a", Data: good}}, set, func(o *CompareOptions) { o.ChunkRows = -1 }, "ChunkRows -1: want"},
		{"samples", []Patterns{{Name: "a", Data: good}}, set, func(o *CompareOptions) { o.Samples = array(t, make([]float32, 14), 2, 1, 7) }, "samples of 2 units"},
	} {
		o := DefaultCompare()
		o.Layer, o.Units = 1, []int{0}
		if c.change != nil {
			c.change(&o)
		}
		if _, err := Compare(context.Background(), d, n, c.set, c.methods, o, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := DefaultCompare()
	o.Layer, o.Units = 1, []int{0}
	if _, err := Compare(ctx, d, n, set, []Patterns{{Name: "a", Data: good}}, o, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRanks(t *testing.T) {
	if got := ranks([]float64{3, 1, 3, 2}); !reflect.DeepEqual(got, []float64{3.5, 1, 3.5, 2}) {
		t.Errorf("ranks %v", got)
	}
	if got := correlation([]float64{1, 2, 3}, []float64{6, 4, 2}); got != -1 {
		t.Errorf("correlation %g, want -1", got)
	}
	if got := correlation([]float64{1, 1}, []float64{1, 2}); !math.IsNaN(got) {
		t.Errorf("correlation with a constant %g", got)
	}
}

func TestControl(t *testing.T) {
	n := comparedNetwork(t)
	c, err := Control(n, 3)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Sizes(), n.Sizes()) || c.Kind != n.Kind || c.Radius != n.Radius || c.Mean != n.Mean {
		t.Errorf("control %+v", c)
	}
	want, err := network.InitialLayer(n.Kind, 2, 6, 5, 3)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(numbers(t, c.Layers[1].Weight), numbers(t, want.Weight)) {
		t.Error("its weights are not those that training begins with")
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	if _, err := Modes(context.Background(), openDevice(t), ascend(t, openDevice(t), c, options(2, 0)), DefaultModes(), nil); err != nil {
		t.Error(err)
	}
}
