package visualize

import (
	"bytes"
	"context"
	"encoding/csv"
	"math"
	"slices"
	"strings"
	"testing"
)

func selectivityOf(t testing.TB, activation []float32, dead []bool) *SelectivityResult {
	t.Helper()
	n := int(math.Sqrt(float64(len(activation))))
	// Weights that are the transposed activations, and patterns along the axes.
	weight := make([]float32, n*n)
	patterns := make([]float32, n*n)
	for i := range n {
		patterns[i*n+i] = 1
		for j := range n {
			weight[j*n+i] = activation[i*n+j]
		}
	}
	model := stack(1, layer(t, n, weight, make([]float32, n)))
	r, err := Selectivity(context.Background(), openDevice(t), model, 1, Patterns{Data: array(t, patterns, n, n), Units: appendRange(nil, 0, n-1), Missing: dead})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Units with large orthogonal weights, off by default, respond to their own
// patterns only: the matrix is the identity.
func TestSelectivityOfOrthogonalWeights(t *testing.T) {
	const n = 6
	d := openDevice(t)
	weight, bias := make([]float32, n*n), make([]float32, n)
	for i := range n {
		// A permutation with signs.
		weight[i*n+(i*5+2)%n] = float32(40 * (1 - 2*(i%2)))
		bias[i] = -20
	}
	model := stack(1, layer(t, n, weight, bias))
	o := options(1, appendRange(nil, 0, n-1)...)
	a := ascend(t, d, model, o)
	r, err := Selectivity(context.Background(), d, model, 1, a.UnitPatterns())
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range numbers(t, r.Matrix) {
		want := truth(i/n == i%n)
		if math.Abs(float64(v)-want) > 1e-6 {
			t.Errorf("element %d, %d is %g, want %g", i/n, i%n, v, want)
		}
	}
	s := r.Summary
	if s.Own != 1 || s.First != 1 || s.Best != 1 || s.Others > 1e-6 || s.Dominance < 1-1e-6 || s.Entropy > 1e-5 {
		t.Errorf("summary %+v", s)
	}
}

func TestSelectivityNumbers(t *testing.T) {
	logit := func(p float64) float32 { return float32(math.Log(p / (1 - p))) }
	r := selectivityOf(t, []float32{
		logit(0.8), logit(0.1), logit(0.3),
		logit(0.4), logit(0.2), logit(0.6),
		logit(0.2), logit(0.1), logit(0.6),
	}, nil)
	want := []float64{1, 0.5, 0.5, 0.5, 1, 1, 0.25, 0.5, 1}
	for i, v := range numbers(t, r.Matrix) {
		if math.Abs(float64(v)-want[i]) > 1e-6 {
			t.Errorf("element %d is %g, want %g", i, v, want[i])
		}
	}
	row := r.Rows[1]
	shares := []float64{0.2, 0.4, 0.4}
	entropy := 0.0
	for _, s := range shares {
		entropy -= s * math.Log(s)
	}
	if row.Own != 1 || row.Rank != 1 || math.Abs(row.Dominance-0.4) > 1e-6 || math.Abs(row.Entropy-entropy) > 1e-6 {
		t.Errorf("row 1: %+v", row)
	}
	if s := r.Summary; math.Abs(s.Others-(0.5+0.5+0.5+1+0.25+0.5)/6) > 1e-6 || s.Best != 1 {
		t.Errorf("summary %+v", s)
	}
	// The pattern of unit 0 excites unit 1 more than its own does.
	r = selectivityOf(t, []float32{1, 2, 0.5, 1}, nil)
	if r.Rows[0].Rank != 1 || r.Rows[1].Own >= 1 || r.Rows[1].Rank != 2 || r.Summary.Best != 0.5 {
		t.Errorf("%+v, %+v", r.Rows, r.Summary)
	}
}

func TestSelectivityEdges(t *testing.T) {
	// Of the unit that is dead there is nothing, and the columns go without it.
	r := selectivityOf(t, []float32{0, 0, 5, 1}, []bool{false, true})
	m := numbers(t, r.Matrix)
	if m[0] != 1 || m[1] != 1 || m[2] == m[2] || !math.IsNaN(r.Rows[1].Own) || r.Rows[1].Rank != 0 || r.Summary.Rows != 1 || r.Summary.Own != 1 {
		t.Errorf("one dead: %v, %+v, %+v", m, r.Rows, r.Summary)
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil || !slices.Equal(rows[2], []string{"1", "1", "true", "", "", "", ""}) {
		t.Errorf("table %v, %v", rows, err)
	}
	// One unit has nothing to compare with.
	if r := selectivityOf(t, []float32{3}, nil); r.Summary.Own != 1 || !math.IsNaN(r.Summary.Others) {
		t.Errorf("one unit: %+v", r.Summary)
	}
	// A unit that never responds.
	if r := selectivityOf(t, []float32{-200, 1, -200, 2}, nil); numbers(t, r.Matrix)[0] != 0 {
		t.Errorf("silent unit: %v", numbers(t, r.Matrix))
	}
}

func TestSelectivityMistakes(t *testing.T) {
	d := openDevice(t)
	model := randomNetwork(t, 1, 1, 0, 3, 2)
	for _, c := range []struct {
		name  string
		layer int
		units []int
		rows  int
		dead  []bool
		want  string
	}{
		{"layer", 2, []int{0}, 1, nil, "Layer 2: the model"}, {"unit", 1, []int{7}, 1, nil, "Units 7: layer 1"}, {"no units", 1, nil, 1, nil, "Units: there are none"},
		{"patterns", 1, []int{0, 1}, 1, nil, "2 units for patterns of 1"}, {"dead", 1, []int{0}, 1, []bool{true, true}, "2 marks"},
	} {
		_, err := Selectivity(context.Background(), d, model, c.layer, Patterns{Data: array(t, make([]float32, 3*c.rows), c.rows, 3), Units: c.units, Missing: c.dead})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// Sigmoids that are at 1 for whatever is shown make a perfect score of ties.
func TestSelectivityIsSaturated(t *testing.T) {
	a := make([]float32, 12*12)
	for i := range a {
		a[i] = 40 + float32(i)/10
	}
	r := selectivityOf(t, a, nil)
	if s := r.Summary; s.Saturated != 12 || s.First != 1 || s.Best != 1 || math.Abs(s.Dominance-1.0/12) > 1e-6 {
		t.Errorf("summary %+v", s)
	}
	if want := "12 of 12 units are at 1 (saturated) for nearly every pattern, so that"; !strings.HasPrefix(r.Warning(), want) {
		t.Errorf("warning %q", r.Warning())
	}
	// One pattern in twelve that it is off for leaves a unit as it is, two don't; and
	// half of the units and less are their own affair.
	for unit, off := range map[int]int{0: 1, 1: 2, 2: 2, 3: 2, 4: 2, 5: 2} {
		for row := range off {
			a[row*12+unit] = -3
		}
	}
	if r := selectivityOf(t, a, nil); r.Summary.Saturated != 7 || r.Warning() == "" {
		t.Errorf("%d units, %q", r.Summary.Saturated, r.Warning())
	}
	a[7], a[12+7] = 4, 4.5 // sigmoids of 0.982 and 0.989
	if r := selectivityOf(t, a, nil); r.Summary.Saturated != 6 || r.Warning() != "" {
		t.Errorf("%d units, %q", r.Summary.Saturated, r.Warning())
	}
	// Of one pattern nothing follows.
	if r := selectivityOf(t, []float32{30}, nil); r.Summary.Saturated != 0 {
		t.Errorf("one unit: %+v", r.Summary)
	}
}
