package report

import (
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
	img, err := Figure4(rows, Figure4Options{})
	if err != nil {
		t.Fatal(err)
	}
	letters, err := newLetters()
	if err != nil {
		t.Fatal(err)
	}
	// 6x6 tiles of 56 pixels with 5 gaps, and 3x2 with 2 and 1.
	const wide = 6*56 + 5
	want := image.Pt(3*wide+4*figureMargin, wide+2*56+1+2*letters.height()+3*figureMargin)
	if size := img.Rect.Size(); size != want || !whiteFrame(img) {
		t.Errorf("the figure is %v, want %v with a white frame", size, want)
	}
	sampling, errS := RangeGrid(rows[0].Sampling.Mean, []int{28, 28}, 6, Range{0, 1}, GridOptions{Scale: 2})
	combination, errC := Grid(rows[0].Combination.Patterns, []int{28, 28}, 6, GridOptions{Scale: 2})
	ascent, errA := Grid(rows[0].Ascent.BestPatterns, []int{28, 28}, 6, GridOptions{Scale: 2, Dead: rows[0].Ascent.Dead})
	if errS != nil || errC != nil || errA != nil {
		t.Fatal(errS, errC, errA)
	}
	for i, grid := range []*image.Gray{sampling, combination, ascent} {
		sameAt(t, img, image.Pt(figureMargin+i*(wide+figureMargin), figureMargin+letters.height()), grid)
	}
	keep(t, "4", img)
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
		{"no means", func(r []Figure4Layer) []Figure4Layer { r[0].Sampling.Mean = nil; return r }, "sampling: patterns are missing"},
		{"no combinations", func(r []Figure4Layer) []Figure4Layer { r[0].Combination.Patterns = nil; return r }, "linear combination: patterns are missing"},
		{"no optima", func(r []Figure4Layer) []Figure4Layer { r[0].Ascent.BestPatterns = nil; return r }, "activation maximization: patterns are missing"},
	} {
		_, err := Figure4(c.spoil([]Figure4Layer{compared(t, 2, 4, 5)}), Figure4Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
}
