package visualize

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/graph"
)

// activated is a network of one layer, of units with weights on two inputs.
func activated(t testing.TB, f engine.Activation, weight, bias []float32) *network.Network {
	t.Helper()
	b := graph.New(engine.Flat(2))
	h := b.Affine("fc", b.Input(), engine.Host{Rows: len(bias), Cols: 2, Data: weight}, bias)
	b.Activate("f", h, f)
	return foreignNetwork(t, b)
}

func foreignNetwork(t testing.TB, b *graph.Builder) *network.Network {
	t.Helper()
	g, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	n, err := network.FromGraph(g, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// grid are the examples (i, j) with i and j from -2 to 2; their class is i.
func grid() *rowsSet {
	s := &rowsSet{info: dataset.Info{Name: "grid", Shape: []int{2}}}
	for i := -2; i <= 2; i++ {
		for j := -2; j <= 2; j++ {
			s.rows, s.labels = append(s.rows, []float32{float32(i), float32(j)}), append(s.labels, i)
		}
	}
	return s
}

func tuningOf(t testing.TB, d engine.Device, n *network.Network, set dataset.Set, o TuningOptions) *TuningResult {
	t.Helper()
	r, err := Tuning(context.Background(), d, n, set, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A rectified layer of which every number is known: a unit that follows the class, one
// that knows nothing of it, one that is never on, and one that is constant.
func TestTuning(t *testing.T) {
	d := openDevice(t)
	n := activated(t, engine.Activation{Kind: engine.ReLU}, []float32{1, 0, 0, 1, 1, 0, 0, 0}, []float32{0, 0, -9, 0.5})
	r := tuningOf(t, d, n, grid(), TuningOptions{Layer: 1, Units: []int{0, 1, 2, 3}})
	if r.Examples != 25 || !slices.Equal(r.Classes, []int{-2, -1, 0, 1, 2}) || !slices.Equal(r.ClassExamples, []int{5, 5, 5, 5, 5}) || r.Names != nil {
		t.Fatalf("%d examples, classes %v of %v", r.Examples, r.Classes, r.ClassExamples)
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-12 && !(got != got && want != want) {
			t.Errorf("%s is %g, want %g", what, got, want)
		}
	}
	follows := r.Units[0] // 0 0 0 1 2, five times each
	near("mean", follows.Mean, 0.6)
	near("deviation", follows.Deviation, math.Sqrt((0+0+0+1+4)/5.-0.36))
	near("least", follows.Least, 0)
	near("largest", follows.Largest, 2)
	near("on", follows.On, 0.4)
	near("class selectivity", follows.ClassSelectivity, (2-0.25)/(2+0.25))
	near("explained", follows.Explained, 1)
	if !slices.Equal(follows.ClassMean, []float64{0, 0, 0, 1, 2}) || follows.BestClass != 4 || follows.Doubt != "" {
		t.Errorf("class means %v, the best %d, %q", follows.ClassMean, follows.BestClass, follows.Doubt)
	}
	if follows.Counts[0] != 15 || follows.Counts[32] != 5 || follows.Counts[63] != 5 || follows.Edges[0] != 0 || follows.Edges[64] != 2 {
		t.Errorf("histogram %v from %g to %g", follows.Counts, follows.Edges[0], follows.Edges[64])
	}
	for i, want := range []float64{0, 0, 0, 0, 1, 2, 2} {
		if math.Abs(follows.Quantiles[i]-want) > 2./4000 || want != 1 && follows.Quantiles[i] != want {
			t.Errorf("%d %% are at or below %g, want %g", r.Percents[i], follows.Quantiles[i], want)
		}
	}
	other := r.Units[1]
	near("the other's class selectivity", other.ClassSelectivity, 0)
	near("the other's explained", other.Explained, 0)
	never := r.Units[2]
	near("selectivity of a unit that is never on", never.ClassSelectivity, math.NaN())
	near("explained of it", never.Explained, math.NaN())
	if never.Doubt != "never on" || never.BestClass != -1 || never.On != 0 || never.Counts[0] != 25 || never.Quantiles[3] != 0 {
		t.Errorf("a unit that is never on: %+v", never)
	}
	constant := r.Units[3]
	near("mean of a constant unit", constant.Mean, 0.5)
	near("deviation of it", constant.Deviation, 0)
	near("selectivity of it", constant.ClassSelectivity, 0)
	if constant.Doubt != "constant" || constant.On != 1 || constant.Quantiles[0] != 0.5 || constant.Edges[0] > 0.5 || constant.Edges[1] <= 0.5 {
		t.Errorf("a constant unit: %+v", constant)
	}
	want := []string{"over 25 examples, 1 of 4 units is never on: no activation is above 0 (unit 2)", "over 25 examples, 1 of 4 units is constant (unit 3)"}
	if got := r.Warnings(); !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}

	before := tuningOf(t, d, n, grid(), TuningOptions{Layer: 1, Units: []int{0}, Before: true}).Units[0]
	near("activation's mean", before.Mean, 0)
	near("its least", before.Least, -2)
	near("share of it above 0", before.On, 0.4)
	near("selectivity of what is negative", before.ClassSelectivity, math.NaN())
	near("explained of what is negative", before.Explained, 1)
}

// Units that stay near an end of what their nonlinearity can put out are saturated, and
// histograms reach over all of that.
func TestTuningSaturated(t *testing.T) {
	d := openDevice(t)
	weight, bias := []float32{1, 0, 1, 0, 1, 0}, []float32{0, 9, -9}
	for _, c := range []struct {
		kind engine.ActivationKind
		low  float64
	}{{engine.Sigmoid, 0}, {engine.Tanh, -1}, {engine.HardSigmoid, 0}} {
		n := activated(t, engine.UsualActivation(c.kind), weight, bias)
		r := tuningOf(t, d, n, grid(), TuningOptions{Layer: 1, Units: []int{0, 1, 2}})
		if r.Units[0].Doubt != "" || r.Units[1].Doubt != "saturated" || r.Units[2].Doubt != "saturated" {
			t.Errorf("%s: %q", c.kind, r.Warnings())
		}
		if u := r.Units[0]; u.Edges[0] != c.low || u.Edges[TuningBins] != 1 || u.On != 0.4 {
			t.Errorf("%s: from %g to %g, on for %g", c.kind, u.Edges[0], u.Edges[TuningBins], u.On)
		}
		if got := r.Warnings(); len(got) != 1 || !strings.Contains(got[0], "2 of 3 units are saturated") || !strings.HasSuffix(got[0], "(units 1, 2)") {
			t.Errorf("%s: %q", c.kind, got)
		}
	}
}

func TestTuningNamesUnits(t *testing.T) {
	d := openDevice(t)
	n := activated(t, engine.Activation{Kind: engine.ReLU}, make([]float32, 40), make([]float32, 20))
	r := tuningOf(t, d, n, grid(), TuningOptions{Layer: 1, Units: appendRange(nil, 0, 19)})
	want := "over 25 examples, 20 of 20 units are never on: no activation is above 0 (units 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more)"
	if got := r.Warnings(); len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// The numbers are those of the definition in float64, for stacks with preprocessing too.
func TestTuningOfStack(t *testing.T) {
	const size = 12
	d := openDevice(t)
	n := randomNetwork(t, 1, 2, 1, size, 15, 10)
	n.Mean, n.Scale = array(t, normals(40, 1, size), size), array(t, normals(41, 1, size), size)
	set := randomSet(2, 400, size)
	r := tuningOf(t, d, n, set, TuningOptions{Layer: 2, Units: []int{9, 4}})
	for _, u := range r.Units {
		var outputs, class []float64
		class = make([]float64, 10)
		for i, row := range set.rows {
			x := slices.Clone(row)
			if err := n.Preprocess(x); err != nil {
				t.Fatal(err)
			}
			h := sigmoid64(activation64(t, n, 2, u.Unit, widened(x)))
			outputs = append(outputs, h)
			class[set.labels[i]] += h / 40
		}
		m := mean(outputs)
		variance, between := 0.0, 0.0
		for i, h := range outputs {
			variance += (h - m) * (h - m) / 400
			between += (class[set.labels[i]] - m) * (class[set.labels[i]] - m) / 400
		}
		slices.Sort(outputs)
		got := []float64{u.Mean, u.Deviation, u.Least, u.Largest, u.Explained, u.ClassMean[7]}
		want := []float64{m, math.Sqrt(variance), outputs[0], outputs[399], between / variance, class[7]}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 1e-6 { // of float32 in the products
				t.Errorf("unit %d: number %d is %g, want %g", u.Unit, i, got[i], want[i])
			}
		}
		for i, p := range r.Percents {
			if exact := outputs[4*p-1]; math.Abs(u.Quantiles[i]-exact) > 1./4000+1e-6 {
				t.Errorf("unit %d: %d %% at or below %g, by sorting %g", u.Unit, p, u.Quantiles[i], exact)
			}
		}
	}
}

// Files are the same to the byte, whatever the batches, threads and other units.
func TestTuningIdentity(t *testing.T) {
	d := openDevice(t)
	one, err := cpu.Open(cpu.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	n := randomNetwork(t, 1, 2, 1, 12, 15, 10)
	set := randomSet(2, 301, 12)
	files := func(d engine.Device, o TuningOptions) string {
		r := tuningOf(t, d, n, set, o)
		r.Units = r.Units[len(r.Units)-2:]
		var b bytes.Buffer
		if err := errors.Join(r.WriteArrays(&b), r.WriteTable(&b), r.WriteClasses(&b)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := files(d, TuningOptions{Layer: 2, Units: []int{1, 9}})
	for _, chunk := range []int{1, 7, 300, 1000} {
		if files(one, TuningOptions{Layer: 2, Units: []int{4, 1, 9}, ChunkRows: chunk}) != want {
			t.Errorf("batches of %d, other units or threads change the files", chunk)
		}
	}
}

// Labels may be missing, from some examples or all, have names, and be more than a byte
// holds.
func TestTuningClasses(t *testing.T) {
	d := openDevice(t)
	n := activated(t, engine.Activation{Kind: engine.ReLU}, []float32{1, 0}, []float32{0})
	o := TuningOptions{Layer: 1, Units: []int{0}}
	set := grid()
	set.labels = nil
	r := tuningOf(t, d, n, set, o)
	if u := r.Units[0]; len(r.Classes) != 0 || len(u.ClassMean) != 0 || u.BestClass != -1 || u.ClassSelectivity == u.ClassSelectivity || u.Mean != 0.6 {
		t.Errorf("without labels: %+v", r)
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil || !strings.HasSuffix(table.String(), ",,,,\n") {
		t.Errorf("without labels: %v, %s", err, table.String())
	}

	set = grid()
	for i := range set.labels {
		set.labels[i] += 2
	}
	set.info.Classes = []string{"a", "b", "c", "d", "e"}
	r = tuningOf(t, d, n, partly{set}, o)
	if u := r.Units[0]; !slices.Equal(r.Classes, []int{1, 3}) || r.ClassTitle(1) != "d" || !slices.Equal(u.ClassMean, []float64{0, 1}) || u.Explained != 1 || u.Mean != 0.6 || u.ClassSelectivity != 1 {
		t.Errorf("with labels of some: %+v", r)
	}

	same := &rowsSet{info: dataset.Info{Shape: []int{2}}, rows: [][]float32{{0.3, 0}}, labels: []int{0}}
	for i := range 3001 {
		same.rows, same.labels = append(same.rows, []float32{0.9, 0}), append(same.labels, i%2*2+1)
	}
	if u := tuningOf(t, d, n, partly{same}, o).Units[0]; u.Explained == u.Explained || u.ClassSelectivity != 0 {
		t.Errorf("all with labels are the same: %g of the variance is explained", u.Explained)
	}

	many := &rowsSet{info: dataset.Info{Shape: []int{2}}}
	for i := range 3000 {
		many.rows, many.labels = append(many.rows, []float32{float32(i % 1000), 0}), append(many.labels, i%1000*7-1000)
	}
	r = tuningOf(t, d, n, many, o)
	if u := r.Units[0]; len(r.Classes) != 1000 || r.ClassExamples[999] != 3 || u.ClassMean[999] != 999 || u.BestClass != 999 || r.Classes[999] != 5993 || r.ClassTitle(0) != "-1000" {
		t.Errorf("of 1000 classes: %d, the best %d", len(r.Classes), u.BestClass)
	}
}

// partly is a set of which only classes 1 and 3 have labels.
type partly struct{ *rowsSet }

func (s partly) Label(i int) (int, bool) { return s.labels[i], s.labels[i]%2 == 1 }

func TestTuningRefuses(t *testing.T) {
	d := openDevice(t)
	n := randomNetwork(t, 1, 1, 1, 4, 3)
	wild := stack(1, layer(t, 4, []float32{3e38, 3e38, 3e38, 3e38}, []float32{0}))
	set := randomSet(1, 20, 4)
	set.rows[13] = []float32{1, 1, 1, 1}
	for _, c := range []struct {
		name string
		n    *network.Network
		set  dataset.Set
		o    TuningOptions
		want string
	}{
		{"no data", n, &rowsSet{info: set.info}, TuningOptions{Layer: 1, Units: []int{0}}, "0 examples"},
		{"other data", n, randomSet(1, 20, 5), TuningOptions{Layer: 1, Units: []int{0}}, "5 components, the model's inputs 4"},
		{"no layer", n, set, TuningOptions{Layer: 2, Units: []int{0}}, "Layer 2: the model has layers 1 to 1"},
		{"a unit twice", n, set, TuningOptions{Layer: 1, Units: []int{1, 1}}, "Units 1: this unit of layer 1 is asked for twice"},
		{"negative batches", n, set, TuningOptions{Layer: 1, Units: []int{1}, ChunkRows: -1}, "ChunkRows -1: want"},
		{"weights too large", wild, set, TuningOptions{Layer: 1, Units: []int{0}, Before: true}, "NaN or Inf"},
	} {
		_, err := Tuning(context.Background(), d, c.n, c.set, c.o, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := Tuning(ended, d, n, set, TuningOptions{Layer: 1, Units: []int{0}}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}
