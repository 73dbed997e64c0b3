package visualize

import (
	"slices"
	"strings"
	"testing"
)

// Two pairs and one that stands alone, by hand.
func TestDendrogram(t *testing.T) {
	c := []float32{
		1, 0.1, 0.9, 0.2, 0.3, 0,
		0.1, 1, 0.15, 0.8, 0.25, 0,
		0.9, 0.15, 1, 0.1, 0.35, 0,
		0.2, 0.8, 0.1, 1, 0.22, 0,
		0.3, 0.25, 0.35, 0.22, 1, 0,
		0, 0, 0, 0, 0, 1,
	}
	r := &ModesResult{Restarts: 6, Units: make([]UnitModes, 2), Cosines: array(t, append(make([]float32, 36), c...), 2, 6, 6)}
	// The last restart has found nothing, and of the first unit none has.
	r.Mode = []int{-1, -1, -1, -1, -1, -1, 0, 1, 0, 1, 2, -1}
	d, err := r.Dendrogram(1)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 2, 4, 1, 3}; !slices.Equal(d.Restarts, want) {
		t.Errorf("the leaves are %v, want %v", d.Restarts, want)
	}
	c32 := func(x float32) float64 { return float64(x) }
	want := []DendrogramJoin{{0, 1, c32(0.9)}, {3, 4, c32(0.8)}, {5, 2, c32(0.3)}, {7, 6, c32(0.1)}}
	if !slices.Equal(d.Joins, want) {
		t.Errorf("the joins are %v, want %v", d.Joins, want)
	}
	if d, err = r.Dendrogram(0); err != nil || len(d.Restarts)+len(d.Joins) != 0 {
		t.Errorf("a dead unit has %v, %v", d, err)
	}
	if _, err = r.Dendrogram(2); err == nil || !strings.Contains(err.Error(), "unit number 2 of 2") {
		t.Errorf("no such unit: %v", err)
	}
	r.Mode = r.Mode[:7]
	if _, err = r.Dendrogram(0); err == nil || !strings.Contains(err.Error(), "7 modes") {
		t.Errorf("too few modes: %v", err)
	}
}
