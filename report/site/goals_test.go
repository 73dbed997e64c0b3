package site

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// What is no unit has a page of its own, with its names and its own modes, and none of it
// is among the units of its layer.
func TestGoals(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "units"), model, n, 2, "1,4")
	d, err := engine.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	o := visualize.DefaultAscent()
	o.Restarts, o.Rate, o.MaxSteps, o.KeepAll = 3, 0.2, 20, true
	for _, text := range []string{"2:0,1:3*-1", "1:0"} {
		goal, layer, err := visualize.ParseGoal(text, n, false)
		if err != nil {
			t.Fatal(err)
		}
		o.Objectives, o.Layer = append(o.Objectives, goal), max(o.Layer, layer)
	}
	o.Objectives[1].Name = "</script>" + strings.Repeat("x", 300)
	r, err := visualize.Ascend(context.Background(), d, n, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := visualize.Modes(context.Background(), d, r, visualize.DefaultModes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m.Network = schema.Trained
	options := map[string]string{"layer": "2", "direction": "1", schema.Climbed: schema.Goals}
	written1 := files{schema.AscentArrays: r.WriteArrays, schema.RestartsTable: r.WriteTable}
	goals := makeRun(t, filepath.Join(dir, "sums"), schema.TaskAscent, options, []string{filepath.Join(model, schema.Model)}, written1)
	makeRun(t, filepath.Join(dir, "modes"), schema.TaskRestarts, nil, []string{filepath.Join(goals, schema.AscentArrays)}, files{
		schema.ModesTable: func(w io.Writer) error { return visualize.WriteModesTable(w, []*visualize.ModesResult{m}) },
	})
	// A record that does not say what its table does.
	lies := map[string]string{"layer": "1", "direction": "1"}
	makeRun(t, filepath.Join(dir, "lies"), schema.TaskAscent, lies, []string{filepath.Join(model, schema.Model)}, written1)

	report := build(t, dir)
	page := written(t, report)[schema.IndexPage]
	var keys []string
	for _, l := range report.Models[0].Layers {
		keys = append(keys, l.Key)
	}
	if !slices.Contains(keys, "dbn/2") || !slices.Contains(keys, "dbn/goals-1") {
		t.Fatalf("pages %q", keys)
	}
	units, sums := dataOf(t, page, slices.Index(keys, "dbn/2")), dataOf(t, page, slices.Index(keys, "dbn/goals-1"))
	if fmt.Sprint(units.Units) != "[1 4]" || units.Names != nil || len(units.Facts) == 0 || slices.ContainsFunc(units.Facts, func(f fact) bool { return f.Key == "modes" }) {
		t.Errorf("units %v, names %q, facts %v", units.Units, units.Names, units.Facts)
	}
	if len(sums.Names) != 2 || sums.Names[0] != "2:0,1:3*-1" || len(sums.Names[1]) != longestName || !slices.ContainsFunc(sums.Facts, func(f fact) bool { return f.Key == "modes" }) {
		t.Errorf("goals are called %q, with facts %v", sums.Names, sums.Facts)
	}
	if !strings.Contains(page, "goals of sums") || strings.Contains(page, "</script>xxx") {
		t.Error("the page does not say whose goals they are, or does not escape them")
	}
	if !slices.ContainsFunc(report.Problems, func(p Problem) bool { return p.Folder == "lies" && strings.Contains(p.Text, "disagree") }) {
		t.Errorf("problems %v", report.Problems)
	}
}
