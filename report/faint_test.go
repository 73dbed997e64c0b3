package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/visualize"
)

// TestFaintTiles has samples of a net with real inputs that are all its visible bias:
// they are nearly flat, and the picture says so. What is a signal beside data is drawn as
// ever.
func TestFaintTiles(t *testing.T) {
	bias := []float32{0.025, -0.025, 0.0125, 0}
	strong := []float32{2, -2, 1, 0}
	data := append(append([]float32{}, bias...), strong...)
	img, err := Grid(visualize.Patterns{Data: array(t, data, 2, 4), Shape: []int{2, 2}}, 2, GridOptions{Least: FaintInput})
	if err != nil {
		t.Fatal(err)
	}
	pixels := lines(t, img)
	// 0.025 of 0.25 is a tenth of 127.
	for at, want := range map[[2]int]uint8{{0, 0}: 141, {1, 0}: 115, {0, 1}: 134, {1, 1}: 128, {3, 0}: 255, {4, 0}: 1, {3, 1}: 192, {4, 1}: 128} {
		if got := pixels[at[1]][at[0]]; got != want {
			t.Errorf("pixel %v is %d, want %d", at, got, want)
		}
	}
	for _, c := range []struct {
		patterns []float32
		rows     int
		say      bool
	}{{data, 2, true}, {strong, 1, false}} {
		p, err := Sheet("samples", []*Panel{Units("h", visualize.Patterns{Name: "samples", Data: array(t, c.patterns, c.rows, 4), Shape: []int{2, 2}, Units: []int{0, 1}[:c.rows]}, GridOptions{Least: FaintInput})})
		if err != nil {
			t.Fatal(err)
		}
		var svg bytes.Buffer
		if err := p.WriteSVG(&svg); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(svg.String(), "In tiles that are next to nothing m is 0.25."); got != c.say {
			t.Errorf("%d patterns: that some are faint is said: %v, want %v", c.rows, got, c.say)
		}
	}
}

// TestFaintBesideOthers has a unit whose weights have vanished among others: a hundredth of
// their contrast is all that is left of its own.
func TestFaintBesideOthers(t *testing.T) {
	patterns := visualize.Patterns{Data: array(t, []float32{1, -1, 2, -2, 1e-9, -1e-9}, 3, 2), Shape: []int{1, 2}}
	o, err := BesideOthers(patterns)
	if err != nil {
		t.Fatal(err)
	}
	if o.Least != 0.01 {
		t.Errorf("the least scale is %g, want a hundredth of the median 1", o.Least)
	}
	img, err := Grid(patterns, 3, o)
	if err != nil {
		t.Fatal(err)
	}
	pixels := lines(t, img)
	for x, want := range map[int]uint8{0: 255, 1: 1, 3: 255, 4: 1, 6: 128, 7: 128} {
		if got := pixels[0][x]; got != want {
			t.Errorf("pixel %d is %d, want %d", x, got, want)
		}
	}
	if _, err := Grid(patterns, 3, GridOptions{Least: -1}); err == nil {
		t.Error("a least scale below 0 is taken")
	}
}
