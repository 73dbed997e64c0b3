package site

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// tuningOf is a result about units of a layer, of so many classes; names may be nil.
func tuningOf(layer, classes int, names []string, units ...int) *visualize.TuningResult {
	r := &visualize.TuningResult{Layer: layer, Examples: 30, Percents: schema.QuantilePercents(), Names: names}
	for c := range classes {
		r.Classes, r.ClassExamples = append(r.Classes, 10*c), append(r.ClassExamples, 3)
	}
	for _, unit := range units {
		u := visualize.UnitTuning{Unit: unit, Mean: float64(unit), On: 0.5, Quantiles: []float64{0, 0, 0, 1, 1, 1, 1}, BestClass: -1, ClassSelectivity: 0.25, Explained: math.NaN(), Counts: make([]int, visualize.TuningBins)}
		for i := range visualize.TuningBins + 1 {
			u.Edges = append(u.Edges, float64(i)/32)
		}
		u.Counts[unit] = 30
		for c := range classes {
			u.ClassMean = append(u.ClassMean, float64((c*7+unit)%classes))
			u.BestClass = max(u.BestClass, 0)
			if u.ClassMean[c] > u.ClassMean[u.BestClass] {
				u.BestClass = c
			}
		}
		r.Units = append(r.Units, u)
	}
	return r
}

func tuningRun(t *testing.T, path, model string, r *visualize.TuningResult) {
	makeRun(t, path, schema.TaskTuning, map[string]string{"layer": fmt.Sprint(r.Layer), "before": "false"}, []string{filepath.Join(model, schema.Model)}, files{
		schema.TuningArrays: r.WriteArrays, schema.TuningTable: r.WriteTable, schema.ClassesTable: r.WriteClasses,
	})
}

// What units do over data is on their pages, by the names of the classes, and units can be
// sorted by it.
func TestTuning(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "ascent"), model, n, 2, "0-3")
	result := tuningOf(2, 3, []string{"cat", "", "</script>"}, 3, 1)
	result.Units[1].Doubt = "never on"
	tuningRun(t, filepath.Join(dir, "tuning"), model, result)
	r := build(t, dir)
	page := written(t, r)[schema.IndexPage]
	l := dataOf(t, page, 1)
	d := l.Tuning
	if len(r.Problems) > 0 || d == nil {
		t.Fatalf("problems %v", r.Problems)
	}
	bins := visualize.TuningBins
	if d.What != "output" || d.Counts[bins+1] != 30 || d.Counts[3*bins+3] != 30 || d.Counts[0] != -1 || d.Range[3] != 2 || !slices.Equal(d.Percents, schema.QuantilePercents()) || d.Quantiles[7+3] != 1 {
		t.Errorf("%s: counts %v, ranges %v, %v %% at or below %v", d.What, d.Counts[:2*bins], d.Range, d.Percents, d.Quantiles)
	}
	if !slices.Equal(d.Classes, []string{"cat", "10", "</script>"}) || strings.Contains(page, `"</script>"`) || !slices.Equal(d.Best[3:6], []int{0, 1, 2}) || !slices.Equal(d.Means[9:], numbers{0, 1, 2}) {
		t.Errorf("classes %q, %v with means %v", d.Classes, d.Best, d.Means)
	}
	if !slices.Equal(d.Doubts, []string{"", "never on", "", ""}) {
		t.Errorf("doubts %q", d.Doubts)
	}
	keys := map[string]fact{}
	for _, f := range l.Facts {
		keys[f.Key] = f
	}
	if l.Facts[0].Key != schema.Activation || keys[schema.On].Values[1] != 0.5 || keys[schema.ClassSelectivity].Values[3] != 0.25 || keys[schema.Mean].Values[3] != 3 {
		t.Errorf("facts %+v", l.Facts)
	}
	if best := keys[schema.BestClass]; best.Values[3] != 2 || !slices.Equal(best.Words, d.Classes) {
		t.Errorf("best classes %v of %q", best.Values, best.Words)
	}
	if _, ok := keys[schema.Explained]; ok {
		t.Error("a number that no unit has is there to sort by")
	}
}

// Of many classes a page has those with a unit's largest means; without any, none.
func TestTuningClasses(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "ascent"), model, n, 1, "0-3")
	climbed(t, filepath.Join(dir, "upper"), model, n, 2, "0-3")
	tuningRun(t, filepath.Join(dir, "tuning"), model, tuningOf(1, 300, nil, 0))
	tuningRun(t, filepath.Join(dir, "unlabelled"), model, tuningOf(2, 0, nil, 0))
	r := build(t, dir)
	page := written(t, r)[schema.IndexPage]
	if len(r.Problems) > 0 {
		t.Fatalf("problems %v", r.Problems)
	}
	d := dataOf(t, page, 0).Tuning
	if len(d.Classes) != 300 || len(d.Means) != 4*shownClasses || d.Means[0] != 299 || d.Best[0] != 257 || d.Means[shownClasses-1] != 260 {
		t.Errorf("%d classes, %v with means %v", len(d.Classes), d.Best[:shownClasses], d.Means[:shownClasses])
	}
	if d = dataOf(t, page, 1).Tuning; d == nil || d.Means != nil || d.Classes != nil {
		t.Errorf("without classes: %+v", d)
	}
}

// A unit that others are connected to has a link where the report has a page of it, on
// whichever file that is.
func TestConnections(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "lower"), model, n, 1, "2")
	climbed(t, filepath.Join(dir, "upper"), model, n, 2, "0-3")
	result, err := visualize.Connections(n, visualize.ConnectionsOptions{Layer: 2, Units: []int{1, 0}, Top: 20})
	if err != nil {
		t.Fatal(err)
	}
	makeRun(t, filepath.Join(dir, "connections"), schema.TaskConnections, map[string]string{"layer": "2"}, []string{filepath.Join(model, schema.Model)}, files{
		schema.ConnectionsArrays: result.WriteArrays, schema.ConnectionsTable: result.WriteTable,
	})
	r := build(t, dir)
	if len(r.Problems) > 0 {
		t.Fatalf("problems %v", r.Problems)
	}
	c := dataOf(t, written(t, r)[schema.IndexPage], 1).Connections
	if c == nil || c.Each != 15 || c.Titles[1] != "layer 1" || len(c.Titles) != 1 {
		t.Fatalf("%+v", c)
	}
	for k, want := range result.Below[1] {
		if c.Below.Layer[k] != 1 || c.Below.Unit[k] != want.Unit || c.Below.Page[k] != (want.Unit == 2) || math.Abs(float64(c.Below.Weight[k]-want.Weight)) > 1e-4*math.Abs(float64(want.Weight)) {
			t.Errorf("place %d: unit %d of layer %d with %g, page %v, want %+v", k, c.Below.Unit[k], c.Below.Layer[k], c.Below.Weight[k], c.Below.Page[k], want)
		}
	}
	if c.Below.Layer[8] != -1 || c.Above.Layer[0] != -1 || c.Below.Layer[2*15] != -1 {
		t.Error("there are more than the layer has, or above the last one, or of a unit that was not looked at")
	}
}

// Without a picture of any unit there is nothing that a page could show: said, and not
// left out.
func TestNoPicture(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	trained(t, model, 1)
	tuningRun(t, filepath.Join(dir, "tuning"), model, tuningOf(2, 0, nil, 0))
	r := build(t, dir)
	if len(r.Problems) != 1 || r.Problems[0].Folder != "tuning" || !strings.Contains(r.Problems[0].Text, "there is no picture of any of them") {
		t.Errorf("problems %v", r.Problems)
	}
}

// Files that do not agree with themselves are named.
func TestBadTuning(t *testing.T) {
	whole := map[string][]byte{
		"units": unitsFrom(1), "edges": npyOf("<f8", "1, 3", 24), "histogram": npyOf("<i8", "1, 2", 16), "percents": npyOf("<i8", "1,", 8), "quantiles": npyOf("<f4", "1, 1", 4),
		"classes": npyOf("<i8", "2,", 16), "class_mean": npyOf("<f4", "1, 2", 8),
	}
	for _, c := range []struct {
		name, want string
		array      string
		is         []byte
	}{
		{"as it should be", "", "units", unitsFrom(1)},
		{"edges of other bins", "4 edges of 2 bins", "edges", npyOf("<f8", "1, 4", 32)},
		{"no bins", "1 edges of 0 bins", "histogram", npyOf("<i8", "1, 0", 0)},
		{"other quantiles", "2 quantiles of 1", "quantiles", npyOf("<f4", "1, 2", 8)},
		{"other classes", "means for 3 classes, of which there are 2", "class_mean", npyOf("<f4", "1, 3", 12)},
		{"no percents", "percents", "percents", nil},
	} {
		dir := t.TempDir()
		model := filepath.Join(dir, "dbn")
		n := trained(t, model, 1)
		climbed(t, filepath.Join(dir, "ascent"), model, n, 1, "0-3")
		arrays := map[string][]byte{}
		for name, body := range whole {
			arrays[name] = body
		}
		if arrays[c.array] = c.is; c.is == nil {
			delete(arrays, c.array)
		}
		if c.name == "no bins" {
			arrays["edges"] = npyOf("<f8", "1, 1", 8)
		}
		makeRun(t, filepath.Join(dir, "tuning"), schema.TaskTuning, map[string]string{"layer": "1"}, []string{filepath.Join(model, schema.Model)}, files{schema.TuningArrays: npzOf(arrays)})
		r := build(t, dir)
		written(t, r)
		if c.want == "" && len(r.Problems) > 0 || c.want != "" && (len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Text, c.want)) {
			t.Errorf("%s: problems %v, want one with %q", c.name, r.Problems, c.want)
		}
	}
}
