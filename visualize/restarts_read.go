package visualize

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/schema"
)

// rowCost is the memory that a byte of restarts.csv may need: a row may be as short as
// 30 bytes, and one without an end is a string before it is an error.
const rowCost = 5

// OpenRestarts reads a file as [ReadRestarts] does. The error names the file.
func OpenRestarts(path string, layer, direction int) (result *AscentResult, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = memory.Check(rowCost * uint64(info.Size()))
	}
	if err == nil {
		result, err = ReadRestarts(f, layer, direction)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return result, nil
}

// ReadRestarts reads restarts.csv, as [AscentResult.WriteTable] writes it. The
// table has neither the patterns nor what is the same for all rows, so of the
// result only Units, Names, Restarts, Best, Dead and the numbers of each restart are
// set, besides the layer and the direction given here. All units must have the
// same number of restarts, in order, and none may come twice.
func ReadRestarts(table io.Reader, layer, direction int) (*AscentResult, error) {
	if direction != 1 && direction != -1 {
		return nil, fmt.Errorf("read restarts: direction %d, want 1 or -1", direction)
	}
	in := csv.NewReader(table)
	in.ReuseRecord = true
	names, err := in.Read()
	measured, penalised, named := slices.Contains(names, schema.GainLeft), slices.Contains(names, schema.Penalty), slices.Contains(names, schema.GoalName)
	if err != nil || !slices.Equal(names, columnsOf(schema.RestartsTable, measured, penalised, named)) {
		return nil, fmt.Errorf("read restarts: not a table of restarts: its first line must name %v", columnsOf(schema.RestartsTable, true, false, false))
	}
	t := &restartTable{result: &AscentResult{Layer: layer, Direction: direction}, measured: measured, penalised: penalised}
	if named {
		t.result.Names = []string{}
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = t.add(row)
		}
		if err != nil {
			return nil, fmt.Errorf("read restarts: %w", err)
		}
	}
	if err := t.conclude(); err != nil {
		return nil, fmt.Errorf("read restarts: %w", err)
	}
	return t.result, nil
}

// restartTable is a result as its rows come in.
type restartTable struct {
	result              *AscentResult
	columns             columns
	count               int          // restarts of the unit in work so far
	seen                map[int]bool // units
	measured, penalised bool         // there is what is left to gain, and there are penalties
}

func (t *restartTable) add(row []string) error {
	at := len(t.result.Steps) + 1
	unit, err := strconv.Atoi(row[0])
	restart, err2 := strconv.Atoi(row[1])
	steps, err3 := strconv.Atoi(row[4])
	if err := errors.Join(err, err2, err3); err != nil || steps < 0 {
		return fmt.Errorf("row %d: unit %.20q, restart %.20q, steps %.20q: want whole numbers", at, row[0], row[1], row[4])
	}
	if err := engine.CheckRowKey(t.result.Layer, unit, restart); err != nil {
		return fmt.Errorf("row %d: %w", at, err)
	}
	if err := t.begin(unit, restart); err != nil {
		return fmt.Errorf("row %d: %w", at, err)
	}
	if err := t.name(row); err != nil {
		return fmt.Errorf("row %d: %w", at, err)
	}
	stop := engine.Running
	for _, s := range []engine.StopReason{engine.StopConverged, engine.StopSteps, engine.StopVanished, engine.StopRidge, engine.StopFlat} {
		if s.String() == row[5] {
			stop = s
		}
	}
	if stop == engine.Running {
		return fmt.Errorf("row %d: %.20q is no reason to stop", at, row[5])
	}
	type number struct {
		to   *[]float32
		text string
	}
	numbers := []number{{&t.columns.activation, row[2]}, {&t.columns.start, row[3]}, {&t.columns.tangent, row[6]}, {&t.columns.cosine, row[7]}}
	next := 8
	if t.measured {
		evaluations, err := strconv.Atoi(row[next+1])
		if err != nil || evaluations < 1 {
			return fmt.Errorf("row %d: evaluations %.20q: want a whole number above 0", at, row[next+1])
		}
		numbers = append(numbers, number{&t.columns.gainLeft, row[next]})
		t.result.Evaluations = append(t.result.Evaluations, evaluations)
		next += 2
	}
	if t.penalised {
		numbers = append(numbers, number{&t.columns.penalty, row[next]})
	}
	for _, c := range numbers {
		x, err := strconv.ParseFloat(c.text, 32)
		if err != nil || x-x != 0 {
			return fmt.Errorf("row %d: %.20q is not a finite number", at, c.text)
		}
		*c.to = append(*c.to, float32(x))
	}
	t.result.Steps, t.result.Stop = append(t.result.Steps, steps), append(t.result.Stop, stop)
	return nil
}

// begin makes sure that a row is the next one of its unit, or the first one of
// a new unit.
func (t *restartTable) begin(unit, restart int) error {
	units := t.result.Units
	if len(units) > 0 && units[len(units)-1] == unit {
		if restart != t.count {
			return fmt.Errorf("restart %d of unit %d, want %d", restart, unit, t.count)
		}
		t.count++
		return nil
	}
	if len(units) == 1 {
		t.result.Restarts = t.count
	}
	if len(units) > 0 && t.count != t.result.Restarts {
		return fmt.Errorf("unit %d has %d restarts, unit %d has %d", units[len(units)-1], t.count, units[0], t.result.Restarts)
	}
	if t.seen == nil {
		t.seen = map[int]bool{}
	}
	if t.seen[unit] || restart != 0 {
		return fmt.Errorf("restart %d of unit %d comes out of order", restart, unit)
	}
	t.seen[unit], t.count = true, 1
	t.result.Units = append(units, unit)
	return nil
}

// name takes in what a row says that it is of, if it says that.
func (t *restartTable) name(row []string) error {
	r := t.result
	if r.Names == nil {
		return nil
	}
	name := row[len(row)-1]
	if t.count == 1 {
		r.Names = append(r.Names, name)
	}
	if name == "" || name != r.Names[len(r.Names)-1] {
		return fmt.Errorf("%.60q is not the name of number %d, %.60q", name, r.Units[len(r.Units)-1], r.Names[len(r.Names)-1])
	}
	return nil
}

// conclude fills in what needs all rows.
func (t *restartTable) conclude() error {
	r := t.result
	switch len(r.Units) {
	case 0:
		return fmt.Errorf("the table has no rows")
	case 1:
		r.Restarts = t.count
	}
	if t.count != r.Restarts {
		return fmt.Errorf("unit %d has %d restarts, unit %d has %d", r.Units[len(r.Units)-1], t.count, r.Units[0], r.Restarts)
	}
	var err error
	for _, c := range []struct {
		to   **tensor.Dense
		from []float32
	}{
		{&r.Activation, t.columns.activation}, {&r.StartActivation, t.columns.start},
		{&r.Tangent, t.columns.tangent}, {&r.Cosine, t.columns.cosine}, {&r.GainLeft, t.columns.gainLeft}, {&r.Penalty, t.columns.penalty},
	} {
		if c.from == nil {
			continue // it is not there
		}
		if *c.to, err = dense.Of(c.from, len(r.Units), r.Restarts); err != nil {
			return err
		}
	}
	c := collector{result: r, activation: t.columns.activation, start: t.columns.start, penalty: t.columns.penalty}
	r.Best, r.Dead = make([]int, len(r.Units)), make([]bool, len(r.Units))
	for u := range r.Units {
		r.Best[u], r.Dead[u] = c.judge(u)
	}
	return nil
}
