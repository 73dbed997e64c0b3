package visualize

import (
	"io"
	"math"
	"strconv"

	"github.com/unitscope/unitscope/schema"
)

// WriteArrays writes connections.npz: units [U] and for each side, below and above, the
// other units' layer and unit (int64, -1 for no more) and the weight between (float32,
// NaN for no more), all [U, K]. The same result gives the same bytes.
func (r *ConnectionsResult) WriteArrays(w io.Writer) error {
	a := newArchive(w)
	a.ints(schema.Units, r.Units, len(r.Units))
	for _, s := range r.sides() {
		size := len(r.Units) * r.Top
		layers, units, weights := make([]int, size), make([]int, size), make([]float32, size)
		for i := range size {
			layers[i], units[i], weights[i] = -1, -1, float32(math.NaN())
			if of := s.of[i/r.Top]; i%r.Top < len(of) {
				c := of[i%r.Top]
				layers[i], units[i], weights[i] = c.Layer, c.Unit, c.Weight
			}
		}
		a.ints(schema.Connected(s.name, schema.Layer), layers, len(r.Units), r.Top)
		a.ints(schema.Connected(s.name, schema.Unit), units, len(r.Units), r.Top)
		addArray(a, schema.Connected(s.name, schema.Weight), "<f4", []int{len(r.Units), r.Top}, weights)
	}
	return a.Close()
}

// side is the connections of the units to one side.
type side struct {
	name string
	of   [][]Connection
}

func (r *ConnectionsResult) sides() []side {
	return []side{{schema.Below, r.Below}, {schema.Above, r.Above}}
}

// WriteTable writes connections.csv: a row per unit, side and place.
func (r *ConnectionsResult) WriteTable(w io.Writer) error {
	var rows [][]string
	for u, unit := range r.Units {
		for _, s := range r.sides() {
			for k, c := range s.of[u] {
				rows = append(rows, []string{
					strconv.Itoa(r.Layer), strconv.Itoa(unit), s.name, strconv.Itoa(k + 1),
					strconv.Itoa(c.Layer), strconv.Itoa(c.Unit), numberText(float64(c.Weight)),
				})
			}
		}
	}
	return writeRows(w, "connections", schema.Columns(schema.ConnectionsTable), rows)
}
