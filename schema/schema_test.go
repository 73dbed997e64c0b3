package schema_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/schema"
)

// formats is the page that tells people of run folders.
const formats = "../docs/formats.md"

// Every array and column is told of on the page about them. Columns of an interval, or of
// the same number of several things, are there by their endings.
func TestDocumentedFields(t *testing.T) {
	text, err := os.ReadFile(formats)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(string(text), -1) {
		told[m[1]] = true
	}
	seen := map[string]bool{"unit": true, "layer": true} // rows say what they are of
	for _, kind := range schema.Kinds() {
		for _, f := range kind.Files {
			if !strings.Contains(string(text), strings.TrimPrefix(f.Name, "layer*-")) && f.Fields != nil && !strings.Contains(f.Name, "*") {
				t.Errorf("%s: nothing about %s", formats, f.Name)
			}
			for _, field := range f.Fields {
				if field.About == "" {
					t.Errorf("%s: nothing about %s", f.Name, field.Name)
				}
				name := strings.Replace(field.Name, "*", "ascent", 1) // a method
				if at := strings.LastIndex(name, "_"); !told[name] && !(at > 0 && told[name[at:]]) && !seen[field.Name] {
					t.Errorf("%s: nothing about %s of %s", formats, field.Name, f.Name)
				}
				seen[field.Name] = true
			}
		}
	}
	if len(seen) < 90 {
		t.Errorf("only %d names were found", len(seen))
	}
}

func TestKinds(t *testing.T) {
	kinds := schema.Kinds()
	for i, kind := range kinds {
		if slices.ContainsFunc(kinds[:i], func(k schema.Kind) bool { return k.Task == kind.Task }) {
			t.Errorf("%s is there twice", kind.Task)
		}
		if found, ok := schema.Of(kind.Task); !ok || len(found.Files) != len(kind.Files) {
			t.Errorf("%s is not found", kind.Task)
		}
		names := schema.Planned(kind.Task)
		for j, name := range names {
			if slices.Contains(names[:j], name) || name == schema.Record {
				t.Errorf("%s: %s is there twice, or is the record", kind.Task, name)
			}
			if _, err := path.Match(name, ""); err != nil {
				t.Errorf("%s: %s: %v", kind.Task, name, err)
			}
		}
		if !strings.HasSuffix(kind.Task, "sdae") && !strings.HasSuffix(kind.Task, "dbn") == schema.IsTraining(kind.Task) {
			t.Errorf("%s counts as training: %v", kind.Task, schema.IsTraining(kind.Task))
		}
	}
	if _, found := schema.Of("bench"); found || schema.Planned("bench") != nil {
		t.Error("a command that writes no run folder has a kind")
	}
}

// What names of files are made of can be read from them, and the kinds of run that write
// them know them for their own.
func TestFigureFiles(t *testing.T) {
	for _, c := range []struct {
		task, name string
		want       schema.FigurePart
	}{
		{schema.TaskFigure("1"), schema.FamilyFile("sdae", 12), schema.FigurePart{Model: "sdae", Layer: 12}},
		{schema.TaskFigureSelectivity, schema.FamilyFile("dbn", 1), schema.FigurePart{Model: "dbn", Layer: 1}},
		{schema.TaskFigure("2"), schema.FamilyRestarts("dbn"), schema.FigurePart{Model: "dbn", Restarts: true}},
		{schema.TaskFigure("1"), schema.FamilyFile("a-layer2", 1), schema.FigurePart{Model: "a-layer2", Layer: 1}},
		{schema.TaskFigure("1"), schema.FamilyRestarts("net-2"), schema.FigurePart{Model: "net-2", Restarts: true}},
		{schema.TaskFigure("3"), schema.LayerFile(3, schema.SamplesArrays), schema.FigurePart{Layer: 3, Like: schema.SamplesArrays}},
		{schema.TaskFigure("4"), schema.LayerFile(2, schema.CombineArrays), schema.FigurePart{Layer: 2, Like: schema.CombineArrays}},
		{schema.TaskFigure("4"), schema.LayerFile(2, schema.AscentArrays), schema.FigurePart{Layer: 2, Like: schema.AscentArrays}},
	} {
		if got, ok := schema.ParseFigureFile(c.name); !ok || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, ok, c.want)
		}
		if !isPlanned(c.task, c.name) {
			t.Errorf("%s has no %s", c.task, c.name)
		}
	}
	for task, name := range map[string]string{
		schema.TaskFigure("3"): schema.LayerFile(2, schema.MixingTable), schema.TaskRestarts: schema.SimilarityPicture(schema.Untrained, 2),
		schema.TaskReport: schema.LayerPage(3, "dbn", 1), schema.TaskDemo: schema.IndexPage,
	} {
		if _, ok := schema.ParseFigureFile(name); ok || !isPlanned(task, name) {
			t.Errorf("%s: arrays of a figure: %v, planned: %v", name, ok, isPlanned(task, name))
		}
	}
}

func isPlanned(task, name string) bool {
	return slices.ContainsFunc(schema.Planned(task), func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

func TestColumns(t *testing.T) {
	got := schema.Columns(schema.CompareTable, "ascent", "example")
	for _, name := range []string{"unit", "cosine_ascent", "cosine_example", "concentration"} {
		if !slices.Contains(got, name) {
			t.Errorf("%q lack %s", got, name)
		}
	}
	if slices.ContainsFunc(got, func(name string) bool { return strings.Contains(name, "*") }) {
		t.Errorf("%q", got)
	}
}
