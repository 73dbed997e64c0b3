package site

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// warned adds warnings to the record of a run.
func warned(t *testing.T, folder, warnings string) {
	t.Helper()
	edit(t, filepath.Join(folder, schema.Record), `"seed": 1,`, `"seed": 1, "warnings": [`+warnings+`],`)
}

// What concerns a layer is on its page and with the comparison of its methods, and on no
// other; nothing of it is taken for HTML.
func TestWarningsOfALayer(t *testing.T) {
	dir := t.TempDir()
	model, other := filepath.Join(dir, "dbn"), filepath.Join(dir, "other")
	n, m := trained(t, model, 1), trained(t, other, 2)
	for layer, name := range map[int]string{1: "one", 2: "two"} {
		climbed(t, filepath.Join(dir, name), model, n, layer, "0-2")
	}
	climbed(t, filepath.Join(dir, "elsewhere"), other, m, 2, "0-2")
	compareRun(t, filepath.Join(dir, "compare"), model, 2)
	warned(t, model, `{"about": "layer 2", "text": "layer 2 has learned nothing </script><b>"}, {"about": "data", "text": "few of them"}`)
	warned(t, filepath.Join(dir, "two"), `{"about": "layer 2", "text": "layer 2 has learned nothing </script><b>"}, {"about": "units", "text": "3 are dead"}, {"about": "layer 1", "text": "of the first"}`)
	r := build(t, dir)
	page := written(t, r)[schema.IndexPage]
	want := map[string][]string{
		"dbn/1":   {"of the first"},
		"dbn/2":   {"layer 2 has learned nothing </script><b>", "3 are dead"},
		"other/1": {}, "other/2": {},
	}
	for _, of := range r.Models {
		for _, l := range of.Layers {
			if !slices.Equal(l.Warnings, want[l.Key]) {
				t.Errorf("%s has the warnings %q, want %q", l.Key, l.Warnings, want[l.Key])
			}
		}
	}
	if strings.Contains(page, "</script><b>") {
		t.Error("a warning is HTML in the page")
	}
	const escaped = "layer 2 has learned nothing &lt;/script&gt;&lt;b&gt;"
	for _, have := range []string{
		`role="note" aria-label="Warnings of this layer"><ul><li>` + escaped + `</li><li>3 are dead</li></ul>`,
		`<ul><li>dbn: ` + escaped + `</li></ul></div>`, // the comparison's
		`<li>layer 2: ` + escaped + `</li>`,            // the run's
		`>2 warnings</a>`, `>3 warnings</a>`,
	} {
		if !strings.Contains(page, have) {
			t.Errorf("the page has no %q", have)
		}
	}
}

// compareRun is a comparison of units 1 and 4 of a layer by two methods, of which unit 4 lacks
// the second.
func compareRun(t *testing.T, path, model string, layer int) {
	t.Helper()
	makeRun(t, path, schema.TaskCompare, nil, []string{filepath.Join(model, schema.Model)}, files{
		"compare.csv": text(strings.ReplaceAll("layer,unit,method,missing,activation\nL,1,ascent,false,3\nL,1,example,false,2\nL,4,ascent,false,3\nL,4,example,true,\n", "L", string(rune('0'+layer)))),
		"compare.npz": npzOf(map[string][]byte{"units": append(npyOf("<i4", "2,", 0), 1, 0, 0, 0, 4, 0, 0, 0), "patterns": npyOf("<f4", "2, 2, 30", 480)}),
	})
}

// The pages of units have the patterns that comparisons and figures hold, under the names of
// their methods, and of their own model only.
func TestPatternsOfComparisonsAndFigures(t *testing.T) {
	dir := t.TempDir()
	model, sdae := filepath.Join(dir, "dbn"), filepath.Join(dir, "sdae")
	trained(t, model, 1)
	trained(t, sdae, 2)
	compareRun(t, filepath.Join(dir, "compare"), model, 2)
	one := npzOf(map[string][]byte{"units": unitsFrom(3), "best": npyOf("<f4", "3, 30", 360)})
	inputs := []string{filepath.Join(model, schema.Model), filepath.Join(sdae, schema.Model)}
	makeRun(t, filepath.Join(dir, "figure"), "figure 1", nil, inputs, files{
		"dbn-layer1.npz": one, "sdae-layer2.npz": one,
		"sdae-restarts.npz": npzOf(map[string][]byte{"units": unitsFrom(1), "patterns": npyOf("<f4", "1, 3, 30", 360)}),
	})
	// Of models by name, in the order of the record.
	makeRun(t, filepath.Join(dir, "named"), "figure 2", map[string]string{schema.ModelNames: "b,a-layer1"}, []string{inputs[1], inputs[0]}, files{
		"a-layer1-layer1.npz": one, "b-layer1.npz": one, "dbn-layer2.npz": one,
	})
	makeRun(t, filepath.Join(dir, "figure4"), "figure 4", nil, inputs[:1], files{
		"layer1-samples.npz": npzOf(map[string][]byte{"units": unitsFrom(1), "mean": npyOf("<f4", "1, 30", 120), "samples": npyOf("<f4", "1, 2, 30", 240)}),
		"layer1-combine.npz": npzOf(map[string][]byte{"units": unitsFrom(1), "patterns": npyOf("<f4", "1, 30", 120)}),
	})
	r := build(t, dir)
	if len(r.Problems) != 0 {
		t.Errorf("problems %v", r.Problems)
	}
	got := map[string][]string{}
	for _, m := range r.Models {
		for _, l := range m.Layers {
			for _, o := range l.Others {
				got[l.Key] = append(got[l.Key], o.Task+": "+strings.Join(o.Names, ", "))
			}
		}
	}
	for key, want := range map[string][]string{
		"dbn/1":  {"figure 1: activation maximization", "figure 2: activation maximization", "figure 4: linear combination", "figure 4: mean of samples", "figure 4: sample 0, sample 1"},
		"dbn/2":  {"analyze compare: activation maximization, example that excites it most"},
		"sdae/1": {"figure 2: activation maximization"},
		"sdae/2": {"figure 1: activation maximization", "figure 1: restart 0, restart 1, restart 2"},
	} {
		slices.Sort(got[key])
		if !slices.Equal(got[key], want) {
			t.Errorf("%s has %q, want %q", key, got[key], want)
		}
		delete(got, key)
	}
	if len(got) != 0 {
		t.Errorf("others have %v", got)
	}
	for _, l := range r.Models[0].Layers {
		if l.Number == 2 && (!slices.Equal(l.Units, []int{1, 4}) || !slices.Equal(l.Others[0].Places, []int{0, 1}) || !slices.Equal(l.Others[0].Absent, []int{3})) {
			t.Errorf("the comparison is of units %v at %v, without %v", l.Units, l.Others[0].Places, l.Others[0].Absent)
		}
	}
	written(t, r)
}

// What can't be read of a comparison is named, and the rest is shown.
func TestBadComparisons(t *testing.T) {
	for name, c := range map[string]struct {
		npz  map[string][]byte
		want string
	}{
		"no memory holds it": {map[string][]byte{"units": npyOf("<i4", "0,", 0), "patterns": npyOf("<f4", "0, 4611686018427387903, 30", 0)}, "no units"},
		"another size":       {map[string][]byte{"units": unitsFrom(1), "patterns": npyOf("<f4", "1, 2, 7", 56)}, "patterns of 7 numbers, others of this layer have 30"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			model := filepath.Join(dir, "dbn")
			n := trained(t, model, 1)
			climbed(t, filepath.Join(dir, "good"), model, n, 2, "0-2")
			makeRun(t, filepath.Join(dir, "compare"), schema.TaskCompare, nil, []string{filepath.Join(model, schema.Model)}, files{
				"compare.csv": text("layer,unit,method,missing\n2,0,ascent,false\n2,0,example,false\n"), "compare.npz": npzOf(c.npz),
			})
			r := build(t, dir)
			if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Text, c.want) {
				t.Errorf("problems %v, want one with %q", r.Problems, c.want)
			}
			if l := dataOf(t, written(t, r)[schema.IndexPage], 1); l.Ascent == nil {
				t.Error("the ascent is not shown")
			}
		})
	}
}

// R-hat is the largest of a unit's, with samples and as a number to sort by.
func TestRHat(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	trained(t, model, 1)
	makeRun(t, filepath.Join(dir, "sample"), schema.TaskSample, map[string]string{"layer": "2"}, []string{filepath.Join(model, schema.Model)}, files{
		"samples.npz": npzOf(map[string][]byte{"units": unitsFrom(4), "samples": npyOf("<f4", "4, 2, 30", 960), "mean": npyOf("<f4", "4, 30", 480)}),
		"mixing.csv":  text("unit,rhat_total,rhat_first,rhat_second,modes,concentration\n0,1.01,1.25,,1,1\n1,1,1.02,1.03,1,1\n2,,,,1,1\n3,1,+Inf,1,1,1\n"),
	})
	l := dataOf(t, written(t, build(t, dir))[schema.IndexPage], 1)
	if l.Samples == nil || l.Samples.Limit != visualize.MixedRHat {
		t.Fatalf("samples %+v", l.Samples)
	}
	got := []float32(l.Samples.RHat)
	if len(got) != 4 || got[0] != 1.25 || got[1] != 1.03 || got[3] != maxRHat {
		t.Errorf("R-hat %v, want 1.25, 1.03, unknown and as much as there is", got)
	}
	if !slices.ContainsFunc(l.Facts, func(f fact) bool { return f.Key == "rhat" && f.Values[0] == 1.25 }) {
		t.Errorf("it is no fact: %v", l.Facts)
	}
}

// A classifier is called one, and its errors on what was held out come first.
func TestClassifier(t *testing.T) {
	dir := t.TempDir()
	n, err := network.Untrained(network.SDAE, 0, []int{6, 5}, []int{8, 7}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n.Layers {
		n.Layers[i].VisibleBias = nil
	}
	n.Output = &network.Layer{Weight: tensor.New(tensor.WithShape(10, 7), tensor.Of(tensor.Float32)), Bias: tensor.New(tensor.WithShape(10), tensor.Of(tensor.Float32))}
	run := makeRun(t, filepath.Join(dir, "tuned"), schema.TaskFineTune, nil, nil, files{
		schema.Model: n.Write,
		"log.csv":    text("epoch,rate,train_loss,train_error,validation_loss,validation_error\n1,1,1,0.5,1,0.6\n2,1,1,0.125,1,0.375\n"),
		"scores.csv": text("set,examples,errors,error,loss\nvalidation,200,75,0.375,1\n"),
	})
	r := build(t, run)
	facts := map[string]string{}
	for _, f := range r.Models[0].Facts {
		facts[f[0]] = f[1]
	}
	if facts["kind"] != "classifier of 10 classes on a fine-tuned SDAE" || facts["validation error"] != "37.50 % (75 of 200)" {
		t.Errorf("facts %v", facts)
	}
	svg := string(r.Charts[0].SVG)
	validation, training := strings.Index(svg, "validation: 2 points from 0.6 to 0.375"), strings.Index(svg, "training: 2 points from 0.5 to 0.125")
	if validation < 0 || training < validation {
		t.Errorf("the chart has validation at %d, training at %d: %.2000s", validation, training, svg)
	}
}
