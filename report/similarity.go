package report

import (
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/visualize"
)

// maxSimilarities is how many elements all matrices of a picture have at most.
const maxSimilarities = 1 << 23

// Similarities draws the cosines between the restarts of each of the first units,
// at most so many, that found something: a matrix per unit, in the order of its
// dendrogram, which stands at its right. The line across the dendrogram is the
// threshold of the modes. Without such a unit there is no picture and no error,
// and neither where a single matrix would be larger than 8 million elements. layer is
// what the layer is called: "DBN layer 2".
func Similarities(layer string, r *visualize.ModesResult, most int) (*Picture, error) {
	if r == nil || r.Cosines == nil {
		return nil, fmt.Errorf("similarities: no cosines")
	}
	cosines, err := dense.Data(r.Cosines)
	if err != nil {
		return nil, fmt.Errorf("similarities: %w", err)
	}
	var maps []*HeatMap
	lowest, elements := 1.0, 0
	for u := 0; u < len(r.Units) && len(maps) < most; u++ {
		d, err := r.Dendrogram(u)
		if err != nil {
			return nil, fmt.Errorf("similarities: %w", err)
		}
		n := len(d.Restarts)
		if elements += n * n; elements > maxSimilarities {
			break
		}
		if n == 0 {
			continue
		}
		m, low, err := similarity(r, u, d, cosines[u*r.Restarts*r.Restarts:])
		if err != nil {
			return nil, fmt.Errorf("similarities: %s: %w", r.NameOf(u), err)
		}
		maps, lowest = append(maps, m), min(lowest, low)
	}
	if len(maps) == 0 {
		return nil, nil
	}
	// A tenth or more, so that what is nearly 1 looks like 1.
	low := min(math.Floor(10*lowest)/10, 0.9)
	shown := words.Count(len(maps), Noun(r.Names))
	if len(maps) < len(r.Units) {
		shown = fmt.Sprintf("%d of %s", len(maps), words.Count(len(r.Units), Noun(r.Names)))
	}
	heading := fmt.Sprintf("%s: how alike the restarts of %s are", layer, shown)
	return HeatMaps(inSquare(maps), HeatOptions{
		Title: heading, Heading: heading,
		Rows: "restart", Columns: "restart", What: "cosine between two restarts",
		Note: fmt.Sprintf("The tree at the right of a matrix joins restarts where their smallest cosine says, from 1 at the left to %g at the right. What is joined at the left of the coloured line, at %g, is one mode.", low, r.Threshold),
		Low:  low, High: 1,
	})
}

// similarity is the matrix of one unit in the order of its dendrogram, and the
// lowest number in it.
func similarity(r *visualize.ModesResult, u int, d *visualize.Dendrogram, cosines []float32) (*HeatMap, float64, error) {
	n := len(d.Restarts)
	elements, lowest := make([]float32, 0, n*n), float32(1)
	for _, i := range d.Restarts {
		for _, j := range d.Restarts {
			c := cosines[i*r.Restarts+j]
			elements, lowest = append(elements, c), min(lowest, c)
		}
	}
	matrix, err := dense.Of(elements, n, n)
	if err != nil {
		return nil, 0, err
	}
	t := &Tree{Cut: r.Threshold}
	for _, j := range d.Joins {
		t.Joins = append(t.Joins, Join{j.A, j.B, j.Cosine})
	}
	modes := r.Units[u].Modes
	return &HeatMap{Title: fmt.Sprintf("%s, %s", shortened(r.NameOf(u)), words.Count(int(modes), "mode")), Matrix: matrix, Units: d.Restarts, Tree: t}, float64(lowest), nil
}

// inSquare lays things out in a near square.
func inSquare(maps []*HeatMap) (rows [][]*HeatMap) {
	columns := squareColumns(len(maps))
	for from := 0; from < len(maps); from += columns {
		rows = append(rows, maps[from:min(from+columns, len(maps))])
	}
	return rows
}
