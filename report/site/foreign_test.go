package site

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/schema"
)

// Of a model of another framework it is said how many units a layer has beside those that
// were looked at, and no training is spoken of.
func TestModelOfAnotherFramework(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	units := filepath.Join(dir, "units")
	climbed(t, units, model, n, 2, "1,4")
	edit(t, filepath.Join(units, schema.Record), "{\n", `{
  "model": {"format": "ONNX", "inputs": "30", "parameters": 1, "operations": 2, "layers": [{"name": "fc1", "units": 8, "activation": "gelu"}, {"name": "fc2", "units": 6, "activation": "none"}]},
`)
	r := build(t, units)
	page := written(t, r)[schema.IndexPage]
	if want := "2 of 6 units, each by the best pattern"; !strings.Contains(page, want) {
		t.Errorf("the page lacks %q", want)
	}
	for title, charts := range map[string][]chartHTML{"Modes": {{Title: "Modes of fc2"}}, "Training and modes": {{Title: "Modes of a"}, {Title: "Training of a"}}} {
		if got := (&Report{Charts: charts}).ChartsTitle(); got != title {
			t.Errorf("charts are called %q, want %q", got, title)
		}
	}
}
