package site

import (
	"fmt"
	"slices"

	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// climbed says what an ascent climbed where that is no unit; "" for units.
func (r *runFolder) climbed() string {
	what := r.record.Options[schema.Climbed]
	if r.record.Task != schema.TaskAscent || what != schema.Goals && what != schema.Directions {
		return ""
	}
	return what
}

// goals adds a page for each ascent of a model that climbed what is no unit: directions
// and sums of units have no place among those of a layer.
func (r *Report) goals(m *Model) {
	for _, run := range m.others {
		what, number := run.climbed(), layerOf(run)
		if what == "" {
			continue
		}
		if layers := len(m.sizes) - 1; number < 1 || layers > 0 && number > layers {
			r.problem(run, "its %s are not shown: it does not say which layer they are in", what)
			continue
		}
		if l := r.goalPage(m, run, what, number); l != nil {
			m.Layers = append(m.Layers, l)
		}
	}
}

// goalPage is the page of one run; nil if there is nothing to show.
func (r *Report) goalPage(m *Model, run *runFolder, what string, number int) *layer {
	title := fmt.Sprintf("%s of %s", what, run.name)
	if run.record.Options["direction"] == "-1" {
		title += ", minimised"
	}
	nth := 1
	for _, l := range m.Layers {
		if l.Names != nil {
			nth++
		}
	}
	l := newLayer(fmt.Sprintf("%s/%s-%d", m.slug, what, nth), m, number, title)
	l.Names = []string{}
	units, err := unitsOf(run)
	if err != nil {
		r.problem(run, "%v", err)
		return nil
	}
	l.Units = append(l.Units, units...)
	slices.Sort(l.Units)
	b := &builder{layer: l, sheets: &sheets{}, shape: m.shape}
	if err := b.add(run); err != nil {
		r.problem(run, "%v", err)
	}
	if l.components == 0 {
		return nil
	}
	if t := r.goalModes(m, run); t != nil {
		b.modes(t)
	}
	l.Warnings = append(l.Warnings, r.warningsOf(m, number)...)
	r.sheets[l.Key] = b.sheets
	return l
}

// longestName is how many characters of a goal's name a page has.
const longestName = 200

// names takes in what goals are called, in the order of the page.
func (b *builder) names(units []int, names []string) error {
	if (names == nil) != (b.Names == nil) {
		return fmt.Errorf("its record and its %s disagree whether it climbed units", schema.RestartsTable)
	}
	if names == nil {
		return nil
	}
	for _, place := range b.places(units) {
		name := []rune(names[place])
		b.Names = append(b.Names, string(name[:min(len(name), longestName)]))
	}
	return nil
}

// goalModes is modes.csv of the last analysis of an ascent's own restarts; nil if there
// is none.
func (r *Report) goalModes(m *Model, ascent *runFolder) (last *table) {
	var arrays string // their digest
	for _, o := range ascent.record.Outputs {
		if o.Name == schema.AscentArrays {
			arrays = o.SHA256
		}
	}
	for _, run := range m.others {
		path := run.file(schema.ModesTable)
		reads := slices.ContainsFunc(run.record.Inputs, func(in runfolder.FileDigest) bool { return in.SHA256 == arrays })
		if run.record.Task != schema.TaskRestarts || path == "" || !reads {
			continue
		}
		t, err := readTable(path)
		if err != nil {
			r.problem(run, "%v", err)
			continue
		}
		last = t
	}
	return last
}
