package visualize

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
)

// SelectivityResult is how U units of a layer respond to each other's patterns.
type SelectivityResult struct {
	Layer int
	Units []int // [U]
	// Dead [U] marks units that have no pattern. Their rows of the matrix are
	// NaN and count for nothing.
	Dead []bool
	// Matrix [U, U]: element [i][j] is the response of unit j to the pattern of
	// unit i, what it puts out (see [Selectivity]), relative to unit j's largest response
	// to any of the patterns. A unit that responds to none of them (all of its
	// responses are 0 in float32) has a column of zeros.
	Matrix *tensor.Dense
	// Activation [U, U] is the activations behind it, before the nonlinearity.
	Activation *tensor.Dense
	// Rows [U] is what each row of the matrix says about the pattern.
	Rows []Selective
	// Summary is the mean over the rows of units that are not dead.
	Summary SelectivitySummary
}

// Selective says how selective one pattern is: of its row s of the matrix, and
// its own unit i in it.
type Selective struct {
	// Own is s_i: 1 if no other pattern excites the unit more.
	Own float64
	// Rank is the place of s_i among the row, 1 for the largest; equal ones
	// share the better place.
	Rank int
	// Dominance is the share of the row that is the unit's own, s_i / sum_j
	// s_j: 1 if no other unit responds, 1/U if all respond alike.
	Dominance float64
	// Entropy is that of the row as shares of its sum, in nats: 0 if one unit
	// responds, log U if all respond alike.
	Entropy float64
}

// SelectivitySummary is the mean over rows. Of what can't be said it is NaN.
type SelectivitySummary struct {
	Rows      int     // how many rows
	Own       float64 // mean of Own, the diagonal
	Others    float64 // mean of what is off the diagonal
	First     float64 // share of rows whose own unit has rank 1, be it with others
	Best      float64 // share of units that none of the other patterns excites more than their own
	Dominance float64
	Entropy   float64
	Saturated int // units whose sigmoid is 0.99 or more for nine in ten of the patterns, or more
}

// Selectivity works out how units of one layer respond to each other's optimal
// patterns [U, D] (section 6 of the paper, which shows the matrix of responses
// "normalized across columns"): only to their own, if each stands for something
// of its own. The sigmoid of a trained unit is saturated at its optimum, so the
// elements say whether a unit is on, more than how strongly.
//
// A unit whose pattern is missing counts as dead. A column's largest response is
// that to the patterns given here, so it depends on which units are asked for.
// Patterns are taken at the norm that they have.
//
// The response of a unit of another framework's network is what its own nonlinearity
// makes of its activation, of a class unit the activation itself, and 0 where that is
// negative: shares of a sum have no sign.
func Selectivity(ctx context.Context, d engine.Device, n *network.Network, layer int, p Patterns) (*SelectivityResult, error) {
	units := p.Units
	if err := checkChoice(n, layer, units); err != nil {
		return nil, fmt.Errorf("selectivity: %w", err)
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("selectivity: %w", err)
	}
	x, err := patternsOf("selectivity", p.Data, len(units), n.Sizes()[0])
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("selectivity: %w", err)
	}
	a, err := activationsOf(d, n, layer, units, x)
	if err != nil {
		return nil, fmt.Errorf("selectivity: layer %d: %w", layer, err)
	}
	r := &SelectivityResult{Layer: layer, Units: slices.Clone(units), Dead: slices.Clone(p.Missing)}
	if r.Dead == nil {
		r.Dead = make([]bool, len(units))
	}
	answers, err := answersOf(n, layer, units, a)
	if err != nil {
		return nil, fmt.Errorf("selectivity: layer %d: %w", layer, err)
	}
	matrix := responses(answers, columnMaxima(answers, len(units), r.Dead), r.Dead)
	for i := range units {
		r.Rows = append(r.Rows, selective(matrix[i*len(units):(i+1)*len(units)], i))
	}
	r.Summary = summary(matrix, r.Rows, r.Dead)
	if isSigmoid(n, layer) {
		r.Summary.Saturated = saturated(a, len(units), func(row int) bool { return r.Dead[row] })
	}
	if r.Activation, err = dense.Of(a, len(units), len(units)); err != nil {
		return nil, err
	}
	r.Matrix, err = dense.Of(matrix, len(units), len(units))
	return r, err
}

func sigmoid64(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// answersOf are the responses [_, U] of units with these activations.
func answersOf(n *network.Network, layer int, units []int, activation []float32) ([]float64, error) {
	net, err := n.Upto(layer, units)
	if err != nil {
		return nil, err
	}
	f := net.Ops[len(net.Ops)-1].Activation
	answers := make([]float64, len(activation))
	for i, a := range activation {
		h, _ := f.At(float64(a), i%len(units))
		answers[i] = max(0, h)
	}
	return answers, nil
}

// isSigmoid is true for a layer whose units put out at most 1.
func isSigmoid(n *network.Network, layer int) bool {
	return n.Activation(layer).Kind == engine.Sigmoid
}

// columnMaxima is the largest response in each column of answers [_, U], over the rows
// that are not left out.
func columnMaxima(answers []float64, units int, out []bool) []float64 {
	largest := make([]float64, units)
	for i, h := range answers {
		if !out[i/units] {
			largest[i%units] = max(largest[i%units], h)
		}
	}
	return largest
}

// responses is the matrix of responses relative to those of each column; rows
// that are left out are NaN.
func responses(answers, largest []float64, out []bool) []float32 {
	units := len(largest)
	matrix := make([]float32, len(answers))
	for i, h := range answers {
		switch top := largest[i%units]; {
		case out[i/units]:
			matrix[i] = float32(math.NaN())
		case float32(top) > 0:
			matrix[i] = float32(h / top)
		}
	}
	return matrix
}

// selective says how selective the pattern of a row is for its own unit.
func selective(row []float32, own int) Selective {
	s := Selective{Own: float64(row[own]), Rank: 1}
	if row[own] != row[own] {
		return Selective{Own: math.NaN(), Dominance: math.NaN(), Entropy: math.NaN()}
	}
	total := 0.0
	for _, v := range row {
		total += float64(v)
		if v > row[own] {
			s.Rank++
		}
	}
	if total == 0 {
		s.Dominance, s.Entropy = math.NaN(), math.NaN()
		return s
	}
	s.Dominance = float64(row[own]) / total
	for _, v := range row {
		if share := float64(v) / total; share > 0 {
			s.Entropy -= share * math.Log(share)
		}
	}
	return s
}

// summary is the means over the rows that are not left out.
func summary(matrix []float32, rows []Selective, out []bool) SelectivitySummary {
	var s SelectivitySummary
	var in []int
	others, first, best := 0.0, 0.0, 0.0
	for i, r := range rows {
		if out[i] {
			continue
		}
		in = append(in, i)
		for j, v := range matrix[i*len(rows) : (i+1)*len(rows)] {
			if j != i {
				others += float64(v)
			}
		}
		first += truth(r.Rank == 1)
		best += truth(r.Own >= 1)
	}
	n := float64(len(in))
	s.Rows, s.Others, s.First, s.Best = len(in), others/(n*float64(len(rows)-1)), first/n, best/n
	s.Own = meanKnown(in, func(i int) float64 { return rows[i].Own })
	s.Dominance = meanKnown(in, func(i int) float64 { return rows[i].Dominance })
	s.Entropy = meanKnown(in, func(i int) float64 { return rows[i].Entropy })
	return s
}

// WriteArrays writes selectivity.npz: units [U], matrix and activation [U, U].
// The same result gives the same bytes.
func (r *SelectivityResult) WriteArrays(w io.Writer) error {
	a := newArchive(w)
	a.ints(schema.Units, r.Units, len(r.Units))
	a.floats(schema.Matrix, r.Matrix)
	a.floats(schema.Activation, r.Activation)
	return a.Close()
}

// WriteTable writes selectivity.csv: a line of names, then a line per unit with
// the numbers of [Selective]. What can't be said is left empty.
func (r *SelectivityResult) WriteTable(w io.Writer) error {
	var rows [][]string
	for i, s := range r.Rows {
		row := []string{strconv.Itoa(r.Layer), strconv.Itoa(r.Units[i]), strconv.FormatBool(r.Dead[i])}
		rows = append(rows, append(row, s.texts()...))
	}
	return writeRows(w, "selectivity", schema.Columns(schema.SelectivityTable), rows)
}

func (s Selective) texts() []string {
	rank := ""
	if s.Rank > 0 {
		rank = strconv.Itoa(s.Rank)
	}
	return []string{numberText(s.Own), rank, numberText(s.Dominance), numberText(s.Entropy)}
}
