package train

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/unitscope/unitscope/schema"
)

// WriteTable writes likelihood.csv: a line of names, then a line per data set.
// What isn't known is empty.
func (l *Likelihood) WriteTable(w io.Writer) error {
	rows := [][]string{schema.Columns(schema.LikelihoodTable)}
	for _, s := range l.Sets {
		rows = append(rows, append([]string{s.Name, strconv.Itoa(s.Examples)},
			numbers(s.LogLikelihood, s.Low, s.High, s.Reverse, s.Deviation, s.FreeEnergy, s.FreeEnergyGap, s.PseudoLikelihood)...))
	}
	return writeRows(w, rows)
}

// WritePartition writes partition.csv: a line of names, then a line per estimate
// of log Z, "exact", or "ais" and "reverse". What isn't known is empty.
func (l *Likelihood) WritePartition(w io.Writer) error {
	rows := [][]string{schema.Columns(schema.PartitionTable)}
	add := func(name string, e Estimate) {
		rows = append(rows, append([]string{name}, numbers(e.LogPartition, e.Low, e.High, e.BootstrapLow, e.BootstrapHigh, e.Deviation, e.Effective)...))
	}
	add(string(l.Method), l.Partition)
	if l.Reverse != nil {
		add("reverse", *l.Reverse)
	}
	return writeRows(w, rows)
}

// WriteRuns writes runs.csv: a line of names, then a line per run of annealed
// importance sampling with its estimates of log Z, from the base to the model
// and in reverse. An exact log Z has no runs: that is an error.
func (l *Likelihood) WriteRuns(w io.Writer) error {
	a := l.Annealing
	if a == nil {
		return errors.New("write runs: the partition function is exact, there were none")
	}
	rows := [][]string{schema.Columns(schema.RunsTable)}
	for i, weight := range a.Forward {
		row := append([]string{strconv.Itoa(i)}, numbers(a.LogBase+weight)...)
		if a.Reverse == nil {
			row = append(row, "")
		} else {
			row = append(row, numbers(a.LogBase-a.Reverse[i])...)
		}
		rows = append(rows, row)
	}
	return writeRows(w, rows)
}

// numbers are the texts of numbers, empty for NaN.
func numbers(xs ...float64) []string {
	texts := make([]string, len(xs))
	for i, x := range xs {
		if !math.IsNaN(x) {
			texts[i] = strconv.FormatFloat(x, 'g', -1, 64)
		}
	}
	return texts
}

func writeRows(w io.Writer, rows [][]string) error {
	if err := csv.NewWriter(w).WriteAll(rows); err != nil {
		return fmt.Errorf("write table of likelihoods: %w", err)
	}
	return nil
}
