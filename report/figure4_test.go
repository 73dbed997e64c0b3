package report

import (
	"bytes"
	"image"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/visualize"
)

// compared is a row of figure 4.
func compared(t testing.TB, layer, units, side int) Figure4Layer {
	t.Helper()
	row := Figure4Layer{Name: "DBN", Sampling: sampled(t, layer, units, 1, side), Ascent: layerResult(t, uint64(layer), layer, units, 0, side)}
	row.Ascent.Units = slices.Clone(row.Sampling.Units)
	row.Combination = &visualize.CombineResult{
		Layer: layer, Shape: row.Sampling.Shape, Units: slices.Clone(row.Sampling.Units),
		Patterns: array(t, gabors(uint64(layer+20), units, side), units, side*side),
	}
	return row
}

func TestFigure4(t *testing.T) {
	rows := []Figure4Layer{compared(t, 2, 36, 28), compared(t, 3, 5, 28)}
	rows[0].Ascent.Dead[3] = true
	p, err := Figure4(rows, FigureOptions{Scale: 2})
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "figure4", p)
	both(t, p)
	checkLabels(t, p)
	// Three methods for each unit, and two scales.
	if want := 3*36 + 3*5 + 2; len(p.images) != want {
		t.Fatalf("%d images, want %d", len(p.images), want)
	}
	for i, patterns := range []visualize.Patterns{
		{Data: rows[0].Sampling.Mean, High: 1},
		{Data: rows[0].Combination.Patterns},
		{Data: rows[0].Ascent.BestPatterns, Missing: rows[0].Ascent.Dead},
	} {
		sameTiles(t, p.images[36*i:36*(i+1)], patterns)
	}
	if !strings.Contains(p.about, deadNote) {
		t.Errorf("the cross is not explained: %q", p.about)
	}
}

// sameTiles makes sure that images are the tiles of patterns.
func sameTiles(t *testing.T, images []placed, patterns visualize.Patterns) {
	t.Helper()
	tiles, err := newTiles(patterns, GridOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if tiles.n != len(images) {
		t.Fatalf("%d images of %d patterns", len(images), tiles.n)
	}
	for i, img := range images {
		if !bytes.Equal(img.img.(*image.Gray).Pix, tiles.image(i).(*image.Gray).Pix) {
			t.Errorf("image %d is not pattern %d", i, i)
		}
	}
}

func TestFigure4Refuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(r []Figure4Layer) []Figure4Layer
		want  string
	}{
		{"nothing", func([]Figure4Layer) []Figure4Layer { return nil }, "figure 4: no layers"},
		{"a missing method", func(r []Figure4Layer) []Figure4Layer { r[0].Combination = nil; return r }, "figure 4, row 1: the result of a method is missing"},
		{"other units", func(r []Figure4Layer) []Figure4Layer { r[0].Ascent.Units[1]++; return r }, "same units"},
		{"another layer", func(r []Figure4Layer) []Figure4Layer { r[0].Combination.Layer++; return r }, "same units of one layer"},
		{"no means", func(r []Figure4Layer) []Figure4Layer { r[0].Sampling.Mean = nil; return r }, "DBN layer 2: mean sample: patterns are missing"},
		{"no combinations", func(r []Figure4Layer) []Figure4Layer { r[0].Combination.Patterns = nil; return r }, "linear combination: patterns are missing"},
		{"no optima", func(r []Figure4Layer) []Figure4Layer { r[0].Ascent.BestPatterns = nil; return r }, "maximal activation: patterns are missing"},
	} {
		_, err := Figure4(c.spoil([]Figure4Layer{compared(t, 2, 4, 5)}), FigureOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
}
