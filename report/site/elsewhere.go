package site

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// elsewhere is an array of patterns of a layer's units that is part of a larger
// result, a comparison or a figure, rather than a run of one method.
type elsewhere struct {
	run   *runFolder
	file  string // path of the npz file
	array string // in it, [U, D] or [U, N, D]
	names []string
	// more names the patterns of an array beyond names, by their place there: "restart 3".
	more string
	grey func(a *array) greys
	// absent tells of patterns that there are none of; nil where all are there.
	absent func(unit, k int) bool
}

// other is what a page needs to know of patterns from elsewhere.
type other struct {
	placedTiles
	Folder string   `json:"folder"`
	Task   string   `json:"task"`
	Names  []string `json:"names"`  // [Each] of a unit's tiles
	Absent []int    `json:"absent"` // tiles that stand for nothing
}

// What patterns are called, by the names that files and tables have for methods.
var methodNames = map[string]string{
	visualize.MethodAscent:      "activation maximization",
	visualize.MethodSampling:    "mean of samples",
	visualize.MethodCombination: "linear combination",
	visualize.MethodExample:     "example that excites it most",
}

// elsewhere are the patterns of a model's units in comparisons and figures, by layer.
func (r *Report) elsewhere(m *Model) map[int][]elsewhere {
	all := map[int][]elsewhere{}
	for _, run := range r.Runs {
		switch {
		case run.record.Task == schema.TaskCompare && run.of == m && run.file(schema.CompareArrays) != "":
			e, err := comparisonArrays(run)
			if err != nil {
				r.problem(run, "its units are not shown: %v", err)
				continue
			}
			all[layerOf(run)] = append(all[layerOf(run)], e)
		case schema.IsFigure(run.record.Task):
			for _, o := range run.record.Outputs {
				if number, found := figureArrays(run, m, o.Name); number > 0 {
					all[number] = append(all[number], found...)
				}
			}
		}
	}
	delete(all, 0)
	for number := range all {
		if layers := len(m.sizes) - 1; layers > 0 && number > layers {
			delete(all, number)
		}
	}
	return all
}

// comparisonArrays is the array of a comparison: a pattern by each method.
func comparisonArrays(run *runFolder) (elsewhere, error) {
	e := elsewhere{run: run, file: run.file(schema.CompareArrays), array: schema.Patterns, grey: func(*array) greys { return greys{} }}
	t, err := readTable(run.file(schema.CompareTable))
	if err != nil {
		return e, err
	}
	type key struct {
		unit   int
		method string
	}
	missing := map[key]bool{}
	var methods []string
	for i := range t.rows {
		method := t.text(i, schema.Method)
		if !slices.Contains(methods, method) {
			methods = append(methods, method)
		}
		if t.text(i, schema.Missing) == "true" {
			missing[key{t.whole(i, schema.Unit), method}] = true
		}
	}
	for _, method := range methods {
		name := methodNames[method]
		if name == "" {
			name = method
		}
		e.names = append(e.names, name)
	}
	e.absent = func(unit, k int) bool { return k < len(methods) && missing[key{unit, methods[k]}] }
	return e, nil
}

// topLayer is the highest layer of a model that a figure's run has patterns of, 0 for
// none. (A classifier's units are above it where a figure is from before they had a place
// there.)
func topLayer(run *runFolder, model string) (top int) {
	for _, o := range run.record.Outputs {
		if part, ok := schema.ParseFigureFile(o.Name); ok && part.Model == model {
			top = max(top, part.Layer)
		}
	}
	return top
}

// figureArrays are the patterns in a file of a figure's run, if they are of this model,
// and their layer.
func figureArrays(run *runFolder, m *Model, name string) (number int, found []elsewhere) {
	part, ok := schema.ParseFigureFile(name)
	if !ok || run.file(name) == "" {
		return 0, nil
	}
	e := elsewhere{run: run, file: run.file(name), array: schema.Best, names: []string{methodNames[visualize.MethodAscent]}, grey: func(*array) greys { return greys{} }}
	if part.Model != "" && !m.shownBy(run, run.shown()[part.Model]) || part.Model == "" && run.of != m {
		return 0, nil
	}
	switch {
	case run.record.Task == schema.TaskFigureSelectivity:
		return 0, nil // its arrays are responses
	case part.Restarts:
		e.array, e.names, e.more = schema.Patterns, nil, "restart"
		return topLayer(run, part.Model), []elsewhere{e}
	case part.Like == schema.CombineArrays:
		e.array, e.names, e.grey = schema.Patterns, []string{methodNames[visualize.MethodCombination]}, besideOthers
	case part.Like == schema.SamplesArrays:
		e.array, e.names, e.grey = schema.Mean, []string{methodNames[visualize.MethodSampling]}, func(a *array) greys { return greyOfSamples(a.data) }
		samples := e
		samples.array, samples.names, samples.more = schema.Samples, nil, "sample"
		return part.Layer, []elsewhere{e, samples}
	}
	return part.Layer, []elsewhere{e}
}

// shown are the SHA-256 of the models that a figure shows, by what its files call them;
// nil if its record does not say which is which.
func (r *runFolder) shown() map[string]string {
	var digests []string
	for _, in := range r.record.Inputs {
		if schema.IsModel(in.Name) {
			digests = append(digests, in.SHA256)
		}
	}
	names := []string{string(network.DBN), string(network.SDAE)}
	if text, ok := r.record.Options[schema.ModelNames]; ok {
		names = strings.Split(text, ",")
	}
	if len(digests) != len(names) {
		return nil
	}
	all := map[string]string{}
	for i, name := range names {
		all[name] = digests[i]
	}
	return all
}

// shownBy is true if a run that shows the file with a digest shows the model. What was
// said of files is of those alone that do not say it themselves.
func (m *Model) shownBy(run *runFolder, digest string) bool {
	file, said, _ := strings.Cut(m.digest, " ")
	return file == digest && (said == "" || said == run.saidOfModel())
}

// unitsElsewhere are the units that arrays are of.
func (r *Report) unitsElsewhere(others []elsewhere) (all []int) {
	for _, e := range others {
		// What can't be read is named when its patterns are asked for.
		if units, err := readUnits(e.file); err == nil {
			all = append(all, units...)
		}
	}
	return all
}

// elsewhere takes in patterns of comparisons and figures.
func (b *builder) elsewhere(e elsewhere) error {
	a, err := readArray(e.file, e.array)
	if err != nil {
		return err
	}
	if a, err = b.inOrder(a); err != nil {
		return err
	}
	tiles, err := b.placeTiles(a, e.grey(a))
	if err != nil {
		return err
	}
	o := other{placedTiles: *tiles, Folder: e.run.name, Task: e.run.record.Task, Names: slices.Clone(e.names), Absent: []int{}}
	for k := len(o.Names); k < tiles.Each; k++ {
		name := "pattern"
		if e.more != "" {
			name = e.more
		}
		o.Names = append(o.Names, fmt.Sprintf("%s %d", name, k))
	}
	for place, unit := range a.units {
		for k := range tiles.Each {
			if e.absent != nil && e.absent(unit, k) {
				o.Absent = append(o.Absent, place*tiles.Each+k)
			}
		}
	}
	b.Others = append(b.Others, o)
	if len(o.Absent) == 0 {
		b.stand(tiles, o.Names[0]+", of "+e.run.record.Task)
	}
	return nil
}
