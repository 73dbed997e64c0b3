package site

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

func (b *builder) ascent(r *runFolder) (err error) {
	direction, _ := strconv.Atoi(r.record.Options["direction"])
	table, arrays := r.file(schema.RestartsTable), r.file(schema.AscentArrays)
	if table == "" || arrays == "" {
		return fmt.Errorf("it lacks %s or %s", schema.RestartsTable, schema.AscentArrays)
	}
	found, err := visualize.OpenRestarts(table, b.Number, max(-1, min(direction, 1)))
	if err != nil {
		return err
	}
	if err := b.names(found.Units, found.Names); err != nil {
		return err
	}
	best, err := readArray(arrays, schema.Best)
	if err != nil {
		return err
	}
	if !slices.Equal(best.units, found.Units) {
		return fmt.Errorf("%s and %s are about different units", schema.AscentArrays, schema.RestartsTable)
	}
	sorted, err := b.inOrder(best)
	if err != nil {
		return err
	}
	tiles, err := b.placeTiles(sorted, greysOf(r))
	if err != nil {
		return err
	}
	b.stand(tiles, "the best pattern of activation maximization")
	a := &ascentData{Restarts: tiles, Count: found.Restarts}
	about := "of the best restart, before the nonlinearity"
	switch {
	case b.Names != nil:
		about = "value that the best restart reached"
	case r.record.Options["after"] == "true":
		about = "of the best restart, after the nonlinearity"
	}
	if err := b.restarts(a, found, about); err != nil {
		return err
	}
	b.Ascent, b.seen[schema.TaskAscent] = a, true
	// What follows may be too much to show; the best patterns and all numbers stay.
	return errors.Join(b.allPatterns(a, r, arrays, found), b.curves(a, r))
}

// greysOf is how patterns of an ascent are shown: those in a box of grey levels as such.
func greysOf(r *runFolder) greys {
	if r.record.Options["constraint"] == engine.Box.String()+"=0,1" {
		return greys{grey: share}
	}
	return greys{}
}

// allPatterns takes in the patterns of all restarts, if the run kept them.
func (b *builder) allPatterns(a *ascentData, r *runFolder, path string, found *visualize.AscentResult) error {
	switch has, err := hasArray(path, schema.Patterns); {
	case err != nil:
		return err
	case !has:
		a.Kept = "best"
		return nil
	}
	a.Kept = "all"
	patterns, err := readArray(path, schema.Patterns)
	if err != nil {
		return err
	}
	if len(patterns.shape) != 2 || patterns.shape[0] != found.Restarts || !slices.Equal(patterns.units, found.Units) {
		return fmt.Errorf("%s: patterns of shape %v for %d restarts", schema.AscentArrays, patterns.shape, found.Restarts)
	}
	tiles, err := b.placeTiles(patterns, greysOf(r))
	if err != nil {
		return err
	}
	a.Restarts, a.All = tiles, true
	return nil
}

// inOrder is an array with its rows in the order of the layer's units.
func (b *builder) inOrder(a *array) (*array, error) {
	if slices.IsSorted(a.units) {
		return a, nil
	}
	order := slices.Sorted(slices.Values(a.units))
	sorted := &array{units: order, shape: a.shape}
	for _, u := range order {
		sorted.data = append(sorted.data, a.of(a.place(u))...)
	}
	return sorted, nil
}

// restarts copies the numbers of each restart, and makes facts of the best ones; about
// says what their activation is.
func (b *builder) restarts(a *ascentData, found *visualize.AscentResult, about string) error {
	activation, err1 := dense.Data(found.Activation)
	start, err2 := dense.Data(found.StartActivation)
	cosine, err3 := dense.Data(found.Cosine)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	n := found.Restarts
	if err := b.room(n); err != nil {
		return err
	}
	a.Activation, a.Start, a.Cosine = b.spread(found.Units, activation, n), b.spread(found.Units, start, n), b.spread(found.Units, cosine, n)
	a.Steps, a.Stop = make([]int, len(b.Units)*n), make([]string, len(b.Units)*n)
	best, spread := make(numbers, len(b.Units)), make(numbers, len(b.Units))
	for i, place := range b.places(found.Units) {
		a.Best = append(a.Best, -1)
		best[i], spread[i] = float32(math.NaN()), float32(math.NaN())
		if place < 0 {
			continue
		}
		a.Best[i] = found.Best[place]
		row := activation[place*n : (place+1)*n]
		best[i] = row[found.Best[place]]
		spread[i] = slices.Max(row) - slices.Min(row)
		for k := range n {
			a.Steps[i*n+k], a.Stop[i*n+k] = found.Steps[place*n+k], found.Stop[place*n+k].String()
		}
		if found.Dead[place] {
			b.Dead = append(b.Dead, i)
		}
	}
	b.fact("activation", "activation", about, best)
	if n > 1 {
		b.fact("spread", "spread of restarts", "difference between the restarts' highest and lowest activation", spread)
	}
	return nil
}

func (b *builder) curves(a *ascentData, r *runFolder) error {
	path := r.file(schema.CurvesArrays)
	if path == "" {
		return nil
	}
	curves, err := readArray(path, schema.Activation)
	if err != nil {
		return err
	}
	steps, err := readVector(path, schema.Step)
	if err != nil {
		return err
	}
	if len(curves.shape) != 2 || curves.shape[0] != a.Count || curves.shape[1] != len(steps) {
		return fmt.Errorf("%s: curves of shape %v for %d restarts and %d steps", filepath.Base(path), curves.shape, a.Count, len(steps))
	}
	if err := b.room(a.Count * len(steps)); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	a.Curves = &curveData{steps, b.spread(curves.units, curves.data, a.Count*len(steps))}
	return nil
}
