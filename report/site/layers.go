package site

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
)

// layers puts together what the runs say of each layer of a model.
func (r *Report) layers(ctx context.Context, m *Model) error {
	byLayer := r.byLayer(m)
	if m.hasFilters() && byLayer[1] == nil {
		byLayer[1] = map[string]*runFolder{}
	}
	others := r.elsewhere(m)
	for number := range others {
		if byLayer[number] == nil {
			byLayer[number] = map[string]*runFolder{}
		}
	}
	modes := r.modes(m)
	for _, number := range sortedKeys(byLayer) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if l := r.layer(m, number, byLayer[number], others[number], modes); l != nil {
			m.Layers = append(m.Layers, l)
		}
	}
	r.goals(m)
	r.connect(m)
	m.Missing = missing(m)
	return nil
}

// byLayer are the runs about units of a model that are shown, by layer and task.
func (r *Report) byLayer(m *Model) map[int]map[string]*runFolder {
	byLayer := map[int]map[string]*runFolder{}
	for _, run := range m.others {
		if !slices.Contains(methods, run.record.Task) || run.climbed() != "" {
			continue
		}
		number := layerOf(run)
		switch layers := len(m.sizes) - 1; {
		case number < 1:
			r.problem(run, "its units are not shown: it does not say which layer it looked at")
			continue
		case layers > 0 && number > layers:
			r.problem(run, "its units are not shown: it says that it looked at layer %d of a model of %d", number, layers)
			continue
		}
		if run.record.Task == schema.TaskAscent && run.record.Options["direction"] == "-1" {
			r.problem(run, "its units are not shown: it looked for what they answer to least (--direction -1); its own folder has the pictures")
			continue
		}
		if byLayer[number] == nil {
			byLayer[number] = map[string]*runFolder{}
		}
		if before := byLayer[number][run.record.Task]; before != nil {
			run = r.better(before, run)
		}
		byLayer[number][run.record.Task] = run
	}
	return byLayer
}

// better is the run to show of two that looked at the same layer in the same way: the
// one with more units, or the later one. The other is named.
func (r *Report) better(a, b *runFolder) *runFolder {
	ofA, errA := unitsOf(a)
	ofB, errB := unitsOf(b)
	n, m := len(ofA), len(ofB)
	why := "has more units"
	if errA != nil || errB != nil || n == m {
		n, m, why = 0, b.record.Finished.Compare(a.record.Finished), "is later"
	}
	if n > m {
		a, b = b, a
	}
	r.problem(a, "its units are not shown: %s, another run of %q for the same layer, %s", b.name, b.record.Task, why)
	return b
}

// Trained is true if the run that made the model is among those given, for pages.
func (m *Model) Trained() bool { return m.run != nil }

// hasFilters is true for a model whose first layer's weights are worth a look: not
// for the many of a search.
func (m *Model) hasFilters() bool {
	return m.run != nil && (schema.IsTraining(m.run.record.Task) || m.run.record.Task == schema.TaskFineTune)
}

// filters adds a model's own weights to its first layer.
func (r *Report) filters(m *Model, b *builder) {
	n, err := network.Load(m.run.path)
	if err == nil {
		err = b.filters(n)
	}
	if err != nil {
		r.problem(m.run, "its filters can't be shown: %v", err)
	}
}

// layerOf is the layer that a run looked at, 0 if that is not known. Selectivity
// and a comparison are of the layer of the ascent that they were made from, which
// is in their tables.
func layerOf(r *runFolder) int {
	for _, name := range []string{schema.SelectivityTable, schema.CompareTable} {
		path := r.file(name)
		if path == "" {
			continue
		}
		if t, err := readTable(path); err == nil && len(t.rows) > 0 {
			return max(0, t.whole(0, schema.Layer))
		}
	}
	number, err := strconv.Atoi(r.record.Options["layer"])
	if err != nil || number < 1 {
		return 0
	}
	return number
}

func sortedKeys[V any](m map[int]V) (keys []int) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// latest is the last run of a task that read a model; nil if there is none.
func (m *Model) latest(task string) (last *runFolder) {
	for _, run := range m.others {
		if run.record.Task == task && (last == nil || cmp.Compare(run.record.Finished.Unix(), last.record.Finished.Unix()) >= 0) {
			last = run
		}
	}
	return last
}

// modes is the rows of all tables of analyze restarts, nil if there is none. What
// a later run says of a layer replaces what an earlier one says.
func (r *Report) modes(m *Model) *table {
	runs := slices.Clone(m.others)
	slices.SortStableFunc(runs, func(a, b *runFolder) int { return a.record.Finished.Compare(b.record.Finished) })
	var all *table
	for _, run := range runs {
		path := run.file(schema.ModesTable)
		if run.record.Task != schema.TaskRestarts || path == "" {
			continue
		}
		t, err := readTable(path)
		if err != nil {
			r.problem(run, "%v", err)
			continue
		}
		if t.column(schema.GoalName) >= 0 {
			continue // no units, see [Report.goals]
		}
		if all == nil || !slices.Equal(all.names, t.names) {
			all = &table{names: t.names}
		}
		said := func(t *table, row int) string { return t.text(row, schema.Network) + "/" + t.text(row, schema.Layer) }
		now := map[string]bool{}
		for i := range t.rows {
			now[said(t, i)] = true
		}
		before := &table{all.names, all.rows}
		all.rows = nil
		for i, row := range before.rows {
			if !now[said(before, i)] {
				all.rows = append(all.rows, row)
			}
		}
		all.rows = append(all.rows, t.rows...)
	}
	return all
}

// The order in which methods are read: a unit's tile in the grid is of the first
// that has a pattern of it. The weights of the first layer come before examples.
var methods = []string{schema.TaskAscent, schema.TaskCombine, schema.TaskSample, schema.TaskExamples, schema.TaskSelectivity, schema.TaskTuning, schema.TaskConnections}

// newLayer is an empty page.
func newLayer(key string, m *Model, number int, title string) *layer {
	return &layer{
		Key: key, Name: m.Name + ", " + title, Model: m.Name, Number: number, Title: title,
		Thumbs: []thumbs{}, Dead: []int{}, Facts: []fact{}, Others: []other{}, Warnings: []string{}, seen: map[string]bool{},
	}
}

func (r *Report) layer(m *Model, number int, runs map[string]*runFolder, others []elsewhere, modes *table) *layer {
	key := fmt.Sprintf("%s/%d", m.slug, number)
	l := newLayer(key, m, number, m.title(number))
	if number < len(m.sizes) {
		l.size = m.sizes[number]
	}
	b := &builder{layer: l, sheets: &sheets{}, shape: m.shape}
	for _, task := range methods {
		if run := runs[task]; run != nil {
			units, err := unitsOf(run)
			if err != nil {
				r.problem(run, "%v", err)
				delete(runs, task)
				continue
			}
			l.Units = append(l.Units, units...)
		}
	}
	l.Units = append(l.Units, r.unitsElsewhere(others)...)
	slices.Sort(l.Units)
	l.Units = slices.Compact(l.Units)
	for _, task := range methods {
		if task == schema.TaskExamples && number == 1 && m.hasFilters() {
			r.filters(m, b) // an example says less of a unit than its own weights
		}
		if run := runs[task]; run != nil {
			if err := b.add(run); err != nil {
				r.problem(run, "%v", err)
			}
		}
	}
	for _, e := range others {
		if err := b.elsewhere(e); err != nil {
			r.problem(e.run, "%s: %v", filepath.Base(e.file), err)
		}
	}
	if modes != nil {
		b.modes(modes)
	}
	l.Warnings = append(l.Warnings, r.warningsOf(m, number)...)
	if len(l.Units) == 0 || l.components == 0 {
		for _, run := range inOrder(runs) {
			r.problem(run, "its units are not shown: there is no picture of any of them; give a run of %q, or of another method, of the same layer too", schema.TaskAscent)
		}
		return nil
	}
	r.sheets[key] = b.sheets
	return l
}

// inOrder are runs in the order of methods.
func inOrder(runs map[string]*runFolder) (all []*runFolder) {
	for _, task := range methods {
		if run := runs[task]; run != nil {
			all = append(all, run)
		}
	}
	return all
}

// archives are the arrays of each method, by which its units are known.
var archives = map[string]string{
	schema.TaskAscent: schema.AscentArrays, schema.TaskSample: schema.SamplesArrays, schema.TaskCombine: schema.CombineArrays,
	schema.TaskExamples: schema.ExamplesArrays, schema.TaskSelectivity: schema.SelectivityArrays,
	schema.TaskTuning: schema.TuningArrays, schema.TaskConnections: schema.ConnectionsArrays,
}

func unitsOf(r *runFolder) ([]int, error) {
	path := r.file(archives[r.record.Task])
	if path == "" {
		return nil, fmt.Errorf("it has no %s", archives[r.record.Task])
	}
	return readUnits(path)
}

// missing says which commands would add to what there is about a model.
func missing(m *Model) (commands []string) {
	if m.run == nil || !schema.IsTraining(m.run.record.Task) {
		return nil
	}
	add := func(task string, flags ...string) {
		words := slices.Concat([]string{"unitscope"}, strings.Fields(task), []string{"--model", m.run.path}, flags, []string{"--out", "NEW"})
		commands = append(commands, command(words))
	}
	data := []string{"--data", cmp.Or(m.run.record.Options["data"], "DATA")}
	for number := 1; number < len(m.sizes); number++ {
		seen := m.seen(number)
		for _, task := range append(slices.Clone(methods), schema.TaskCompare) {
			if seen[task] || task == schema.TaskSample && m.Kind != string(network.DBN) {
				continue
			}
			flags := []string{"--layer", strconv.Itoa(number)}
			switch task {
			case schema.TaskSelectivity:
				flags = append(flags, "--units", "all")
			case schema.TaskExamples, schema.TaskCompare, schema.TaskTuning:
				flags = append(flags, data...)
			}
			add(task, flags...)
		}
	}
	if m.latest(schema.TaskRestarts) == nil {
		add(schema.TaskRestarts)
	}
	return commands
}

// seen are the tasks that gave results about a layer.
func (m *Model) seen(number int) map[string]bool {
	seen := map[string]bool{}
	for _, l := range m.Layers {
		if l.Number == number && l.Names == nil {
			maps.Copy(seen, l.seen)
		}
	}
	for _, run := range m.others {
		if run.record.Task == schema.TaskCompare && layerOf(run) == number {
			seen[schema.TaskCompare] = true
		}
	}
	return seen
}
