// Package site makes the report that people look at: one HTML file, or one for
// each layer where that would be too large, with everything in it that run
// folders hold about the units of some models. It needs no server, no network and
// no other file, and works from a mail attachment. [Build] puts a report together,
// and [Report.Write] or [Report.WriteOne] writes it.
//
// What a run folder holds is shown only if its record is complete, of this version,
// and its files still have the SHA-256 that the record gives them; other folders
// are named with what is wrong. Results belong to a model by its SHA-256, never by
// names. Of two runs that looked at the same layer in the same way the later one is
// shown, and the other is named.
package site

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// Options says what a report is called.
type Options struct {
	Title string // "" for one that says what it is about
	// Folder is where the report is written. The run there is under way, and is
	// not held against it.
	Folder string
	// Own are pictures that the run in Folder has written already.
	Own []string
}

// Report is a report that has been put together.
type Report struct {
	Title    string
	Problems []Problem
	Warnings []Problem // of the runs, each once
	Models   []*Model
	Figures  []figure
	Tables   []htmlTable
	Charts   []chartHTML
	Runs     []*runFolder
	sheets   map[string]*sheets // of each layer, by its key
}

// Problem is something that is not shown, and why; or what a run has warned of.
type Problem struct{ Folder, Text string }

// Model is a model that results are about.
type Model struct {
	Name    string
	Kind    string // "dbn", "sdae", "mlp"; "" if unknown
	Facts   [][2]string
	Layers  []*layer
	Missing []string // commands that would add something
	Steps   string   // of its training, as SVG; "" for none

	digest string     // of its file, with what was said of it after a space
	slug   string     // its name as addresses and names of files have it
	run    *runFolder // that trained it; nil if it is not among those given
	shape  []int
	sizes  []int
	others []*runFolder   // that read it
	names  map[int]string // of its layers, where its file has some
}

// Build puts a report together from run folders, and those in them. When ctx ends,
// it stops after the run or the layer that it is at, with an error that wraps the
// context's.
func Build(ctx context.Context, folders []string, o Options) (*Report, error) {
	if len(folders) == 0 {
		return nil, errors.New("report: no run folder given; `unitscope demo` makes some")
	}
	runs, err := find(ctx, folders)
	if err != nil {
		return nil, err
	}
	r := &Report{Title: o.Title, sheets: map[string]*sheets{}}
	good := runs[:0:0]
	for _, run := range runs {
		switch {
		case sameFolder(run.path, o.Folder):
			own := *run
			for _, name := range o.Own {
				own.record.Outputs = append(own.record.Outputs, runfolder.FileDigest{Name: name})
			}
			good = append(good, &own)
		case run.problem != "":
			r.problem(run, "%s", run.problem)
		default:
			good = append(good, run)
		}
	}
	r.Runs = good
	r.warnings()
	r.models()
	for _, m := range r.Models {
		if err := r.layers(ctx, m); err != nil {
			return nil, err
		}
	}
	r.overview()
	if len(r.Models) == 0 && len(r.Figures) == 0 && len(r.Tables) == 0 {
		return nil, r.nothing(folders)
	}
	if r.Title == "" {
		r.Title = "What the units have learned"
	}
	return r, nil
}

func sameFolder(a, b string) bool {
	if b == "" {
		return false
	}
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return errA == nil && errB == nil && a == b
}

// nothing is the error about folders without anything to show.
func (r *Report) nothing(folders []string) error {
	for _, p := range r.Problems {
		return fmt.Errorf("report: nothing to show: %s: %s", p.Folder, p.Text)
	}
	return fmt.Errorf("report: nothing to show in %s: no model, picture or table; `unitscope visualize ascent` makes the first pictures of units", strings.Join(folders, ", "))
}

func (r *Report) problem(of *runFolder, format string, args ...any) {
	// Errors that were joined are lines of their own; this is one.
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	r.Problems = append(r.Problems, Problem{of.name, text})
}

// models finds out which models the runs are about.
func (r *Report) models() {
	byDigest := map[string]*Model{}
	made := r.ascents()
	for _, run := range r.Runs {
		digest, err := run.model()
		for _, in := range run.record.Inputs {
			if of := made[in.SHA256]; digest == "" && of != "" {
				digest, err = of, nil
			}
		}
		if err != nil {
			if slices.Contains(methods, run.record.Task) {
				r.problem(run, "its units are not shown: %v", err)
			}
			continue
		}
		m := byDigest[digest]
		if m == nil {
			m = &Model{digest: digest}
			byDigest[digest] = m
			r.Models = append(r.Models, m)
		}
		run.of = m
		if run.file(schema.Model) == "" {
			m.others = append(m.others, run)
		} else if m.run == nil {
			m.run = run
		}
	}
	for _, m := range r.Models {
		r.describe(m)
	}
	slices.SortStableFunc(r.Models, func(a, b *Model) int { return strings.Compare(a.Name, b.Name) })
	// Pages and pictures are found by these names, so no two may be alike.
	used, slugs := map[string]bool{}, map[string]bool{}
	for _, m := range r.Models {
		name := m.Name
		if used[m.Name] {
			digest, said, _ := strings.Cut(m.digest, " ")
			m.Name = fmt.Sprintf("%s (%s)", name, cmp.Or(said, digest[:min(8, len(digest))]))
		}
		for i := 2; used[m.Name]; i++ {
			m.Name = fmt.Sprintf("%s (%d)", name, i)
		}
		used[m.Name] = true
		base := slugOf(m.Name)
		m.slug = base
		for i := 2; slugs[m.slug]; i++ {
			m.slug = fmt.Sprintf("%s-%d", base, i)
		}
		slugs[m.slug] = true
	}
}

// slugOf is a name as it can stand in an address and in the name of a file,
// wherever these are read. It has no slash: that is between a model, a layer and
// a unit.
func slugOf(name string) string {
	slug := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, name), "-")
	return cmp.Or(slug, "model")
}

// ascents are the models of ascents by the SHA-256 of the arrays they wrote, for
// analyses that name an ascent and no model.
func (r *Report) ascents() map[string]string {
	models := map[string]string{}
	for _, run := range r.Runs {
		digest, err := run.model()
		if err != nil || run.record.Task != schema.TaskAscent {
			continue
		}
		for _, o := range run.record.Outputs {
			if o.Name == archives[schema.TaskAscent] {
				models[o.SHA256] = digest
			}
		}
	}
	return models
}

// describe names a model and says what it is.
func (r *Report) describe(m *Model) {
	if m.run == nil {
		m.Name = m.others[0].modelName()
		for _, run := range m.others {
			m.takeShape(run.record.Options["input_shape"])
			m.takeName(run)
			m.takeModel(run)
		}
		return
	}
	m.Name = m.run.name
	f, err := safetensors.Open(filepath.Join(m.run.path, schema.Model))
	if err != nil {
		r.problem(m.run, "its model can't be read: %v", err)
		return
	}
	defer f.Close()
	d := network.Describe(f)
	if m.Kind, m.sizes = d.Kind, d.Sizes; d.Classes > 0 && len(d.Sizes) > 0 {
		m.names = map[int]string{len(m.sizes): network.OutputName}
		m.sizes = append(m.sizes, d.Classes)
	}
	m.takeShape(d.InputShape)
	m.Facts = [][2]string{{"kind", kindText(d)}, {"layers", joinWith(m.sizes, " – ")}, {"inputs", d.Visible}, {"made by", m.run.record.Task}}
	for _, name := range []string{"data", "epochs", "seed"} {
		if text := m.run.record.Options[name]; text != "" {
			m.Facts = append(m.Facts, [2]string{name, text})
		}
	}
	m.Facts = append(m.Facts, [2]string{"device", m.run.record.Device.Name})
	m.Facts = append(m.Facts, r.scores(m.run)...)
	if rho, err := strconv.ParseFloat(d.Radius, 64); err == nil {
		m.Facts = append(m.Facts, [2]string{"norm of patterns", short(rho)})
	}
}

// takeShape takes the shape of the model's inputs, if it can be read and none is
// known yet. Tiles of patterns that it does not fit are laid out without it.
func (m *Model) takeShape(text string) {
	if shape, err := network.ParseShape(text); err == nil && m.shape == nil {
		m.shape = shape
	}
}

// takeName takes what the model's file calls the layer that a run looked at.
func (m *Model) takeName(run *runFolder) {
	number, err := strconv.Atoi(run.record.Options["layer"])
	if name := run.record.Options["layer_name"]; err == nil && name != "" {
		if m.names == nil {
			m.names = map[int]string{}
		}
		m.names[number] = name
	}
}

// title names a layer in full.
func (m *Model) title(number int) string { return network.LayerTitle(number, m.names[number]) }

// Foreign is true if the file has names for its layers, as those of other frameworks
// have, for pages. That of a classifier's units is our own.
func (m *Model) Foreign() bool {
	for _, name := range m.names {
		if name != network.OutputName {
			return true
		}
	}
	return false
}

func joinWith(ns []int, separator string) string {
	var texts []string
	for _, n := range ns {
		texts = append(texts, strconv.Itoa(n))
	}
	return strings.Join(texts, separator)
}

// Inputs are the records of the runs that the report shows.
func (r *Report) Inputs() (files []string) {
	for _, run := range r.Runs {
		files = append(files, filepath.Join(run.path, schema.Record))
	}
	return files
}
