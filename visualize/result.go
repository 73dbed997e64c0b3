package visualize

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/schema"
)

// DeadGain is the gain of activation, relative to max(1, |activation|), below
// which a restart whose gradient vanished has found nothing; see [AscentResult].
const DeadGain = 1e-4

// AscentResult is what the restarts of some units of one layer found: U units,
// R restarts, patterns of D components. A pattern's norm is the radius, unless there
// is another constraint.
type AscentResult struct {
	Layer     int
	Direction int     // +1 or -1
	After     bool    // units were climbed after the nonlinearity
	Rate      float64 // the step size used
	Radius    float64 // rho
	// Constraint is where patterns are: on the sphere of the radius, unless another was
	// asked for.
	Constraint engine.Constraint
	Shape      []int // of one pattern, as the model's input; nil if it has none
	Units      []int // [U]
	// Names [U] are those of objectives, which Units number; nil for units.
	Names    []string
	Restarts int // R

	// Best [U] is the restart of each unit with the highest activation (the
	// lowest for direction -1), less penalties; the first of them if several are equal.
	Best []int
	// BestPatterns [U, D] are the patterns of the best restarts.
	BestPatterns *tensor.Dense
	// Average [U, D] is the mean over each unit's restarts, whose norm is below
	// the radius by as much as the restarts differ.
	Average *tensor.Dense
	// Patterns [U, R, D] are those of all restarts; nil unless KeepAll was set.
	Patterns *tensor.Dense
	// Dead [U] is true for a unit that nothing can be said about: each of its
	// restarts had a vanished gradient ([engine.StopVanished]), or came to ground that is
	// flat ([engine.StopFlat]), before it had gained [DeadGain]. Its patterns are random starts, and should not be
	// shown as if they were found. (Restarts that climbed to where all units
	// below are saturated, and whose gradient vanished there, are good ones.)
	Dead []bool

	// Of each restart [U, R]: the final activation and that of the start, the
	// share of the gradient that is tangential to the sphere (0 at a
	// first-order optimum), and the cosine between the restart's pattern and
	// the best one of its unit.
	Activation, StartActivation, Tangent, Cosine *tensor.Dense
	// GainLeft [U, R] is what was left to gain, to first order and relative to the
	// activation ([engine.Rule]). Like Evaluations, it is nil in what was read from a table
	// that does not say it, as those of earlier versions.
	GainLeft *tensor.Dense
	// Penalty [U, R] is what penalties take at each restart's end: it has climbed the
	// activation, or its negative for direction -1, less that. Nil without penalties.
	Penalty *tensor.Dense
	// Curves are how the activations grew; nil unless AscentOptions.Curves was
	// set.
	Curves *Curves
	// Steps, Evaluations and Stop [U*R], unit by unit, are the steps taken and not taken
	// back, the evaluations of activation and gradient, and why there were no more.
	Steps, Evaluations []int
	Stop               []engine.StopReason
}

// Count is how many restarts stopped for a reason.
func (r *AscentResult) Count(why engine.StopReason) (n int) {
	for _, s := range r.Stop {
		if s == why {
			n++
		}
	}
	return n
}

// Ended says how restarts ended, and what it took: "97 % of restarts converged, 90
// evaluations each".
func (r *AscentResult) Ended() string {
	evaluations := 0
	for _, n := range r.Evaluations {
		evaluations += n
	}
	n := max(1, len(r.Stop))
	text := fmt.Sprintf("%d %% of restarts converged", 100*r.Count(engine.StopConverged)/n)
	if ridge := r.Count(engine.StopRidge); ridge > 0 {
		text += fmt.Sprintf(", %d %% are on ridges", 100*ridge/n)
	}
	return fmt.Sprintf("%s, %s each", text, words.Count(evaluations/n, "evaluation"))
}

// NameOf is what the result at a place is of: "unit 12", or the name of an objective.
func (r *AscentResult) NameOf(place int) string { return nameOf(r.Names, r.Units[place], place) }

// UnitPatterns are the best pattern of each unit.
func (r *AscentResult) UnitPatterns() Patterns { return r.patterns(r.BestPatterns) }

// RestartPatterns are the patterns of all restarts; without data unless KeepAll was
// set.
func (r *AscentResult) RestartPatterns() Patterns { return r.patterns(r.Patterns) }

func (r *AscentResult) patterns(data *tensor.Dense) Patterns {
	p := Patterns{Name: "patterns", Data: data, Shape: r.Shape, Units: r.Units, Names: r.Names, Missing: r.Dead}
	switch r.Constraint.Kind {
	case engine.Sphere:
		p.Radius = r.Radius
	case engine.Box:
		p.Low, p.High = r.Constraint.Lowest, r.Constraint.Highest
	}
	return p
}

// WriteArrays writes ascent.npz: units [U], best [U, D], with KeepAll also
// patterns [U, R, D], and activation, start_activation, steps, stop, tangent and
// cosine [U, R], gain_left and evaluations [U, R]; with penalties penalty [U, R], and of
// objectives their names [U] too. Numbers are float32 or int64; stop is text,
// "converged", "ridge", "flat", "steps" or "vanished". The same result gives the same bytes.
func (r *AscentResult) WriteArrays(w io.Writer) error {
	if _, err := r.columns(); err != nil {
		return fmt.Errorf("write arrays: %w", err)
	}
	a := newArchive(w)
	a.ints(schema.Units, r.Units, len(r.Units))
	a.floats(schema.Best, r.BestPatterns)
	if r.Patterns != nil {
		a.floats(schema.Patterns, r.Patterns)
	}
	a.floats(schema.Activation, r.Activation)
	a.floats(schema.StartActivation, r.StartActivation)
	a.ints(schema.Steps, r.Steps, len(r.Units), r.Restarts)
	stops := make([]string, len(r.Stop))
	for i, s := range r.Stop {
		stops[i] = s.String()
	}
	a.words(schema.Stop, stops, len(engine.StopConverged.String()), len(r.Units), r.Restarts)
	a.floats(schema.Tangent, r.Tangent)
	a.floats(schema.Cosine, r.Cosine)
	if r.GainLeft != nil {
		a.floats(schema.GainLeft, r.GainLeft)
		a.ints(schema.Evaluations, r.Evaluations, len(r.Units), r.Restarts)
	}
	if r.Penalty != nil {
		a.floats(schema.Penalty, r.Penalty)
	}
	a.names(r.Names)
	return a.Close()
}

// WriteTable writes restarts.csv: a line of names, then a line per restart,
// with the numbers of [AscentResult.WriteArrays] but the patterns. Penalties and the
// names of objectives are the last columns, where there are any.
func (r *AscentResult) WriteTable(w io.Writer) error {
	columns, err := r.columns()
	if err != nil {
		return fmt.Errorf("write table of restarts: %w", err)
	}
	number := func(x float32) string { return strconv.FormatFloat(float64(x), 'g', -1, 32) }
	out := csv.NewWriter(w)
	err = out.Write(columnsOf(schema.RestartsTable, r.GainLeft != nil, r.Penalty != nil, r.Names != nil))
	for i := 0; i < len(r.Steps) && err == nil; i++ {
		row := []string{
			strconv.Itoa(r.Units[i/r.Restarts]), strconv.Itoa(i % r.Restarts),
			number(columns.activation[i]), number(columns.start[i]), strconv.Itoa(r.Steps[i]), r.Stop[i].String(),
			number(columns.tangent[i]), number(columns.cosine[i]),
		}
		if r.GainLeft != nil {
			row = append(row, number(columns.gainLeft[i]), strconv.Itoa(r.Evaluations[i]))
		}
		if r.Penalty != nil {
			row = append(row, number(columns.penalty[i]))
		}
		err = out.Write(append(row, nameIn(r.Names, i/r.Restarts)...))
	}
	out.Flush()
	if err = errors.Join(err, out.Error()); err != nil {
		return fmt.Errorf("write table of restarts: %w", err)
	}
	return nil
}

// columns are the numbers of every restart [U*R].
type columns struct{ activation, start, tangent, cosine, gainLeft, penalty []float32 }

// columns returns the numbers of every restart, and makes sure that there are
// as many of each as of restarts.
func (r *AscentResult) columns() (columns, error) {
	var c columns
	rows := len(r.Units) * r.Restarts
	if r.Names != nil && len(r.Names) != len(r.Units) {
		return c, fmt.Errorf("%d names of %d objectives", len(r.Names), len(r.Units))
	}
	if len(r.Steps) != rows || len(r.Stop) != rows {
		return c, fmt.Errorf("%d units with %d restarts, %d numbers of steps and %d reasons to stop", len(r.Units), r.Restarts, len(r.Steps), len(r.Stop))
	}
	if r.GainLeft != nil && len(r.Evaluations) != rows {
		return c, fmt.Errorf("%d units with %d restarts, %d numbers of evaluations", len(r.Units), r.Restarts, len(r.Evaluations))
	}
	for _, column := range []struct {
		name string
		from *tensor.Dense
		to   *[]float32
	}{
		{"activation", r.Activation, &c.activation}, {"start activation", r.StartActivation, &c.start},
		{"tangent", r.Tangent, &c.tangent}, {"cosine", r.Cosine, &c.cosine},
		{"what is left to gain", r.GainLeft, &c.gainLeft}, {"penalty", r.Penalty, &c.penalty},
	} {
		if column.from == nil && (column.to == &c.penalty || column.to == &c.gainLeft) {
			continue
		}
		data, err := dense.Data(column.from)
		if err == nil && len(data) != rows {
			err = fmt.Errorf("%d units with %d restarts, %d numbers", len(r.Units), r.Restarts, len(data))
		}
		if err != nil {
			return c, fmt.Errorf("%s: %w", column.name, err)
		}
		*column.to = data
	}
	return c, nil
}
