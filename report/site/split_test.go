package site

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/schema"
)

func TestSplit(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "dbn")
	n := trained(t, model, 1)
	climbed(t, filepath.Join(dir, "one"), model, n, 1, "all")
	climbed(t, filepath.Join(dir, "two"), model, n, 2, "all")
	r := build(t, dir)
	pages := r.pages(1)
	if len(pages) != 3 {
		t.Fatalf("%d pages, want 3", len(pages))
	}
	for name, p := range pages {
		if p.Index != (name == schema.IndexPage) || !p.Index && len(p.Layers) != 1 {
			t.Errorf("%s: index %v, %d layers", name, p.Index, len(p.Layers))
		}
		for _, l := range p.Nav {
			if file, _, _ := strings.Cut(l.Href, "#"); pages[file] == nil {
				t.Errorf("%s leads to %s, which is not there", name, l.Href)
			}
		}
	}
}
