package site

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/unitscope/unitscope/schema"
)

// numbers are written with five digits; what is not finite is null.
type numbers []float32

// MarshalJSON implements json.Marshaler.
func (n numbers) MarshalJSON() ([]byte, error) {
	b := []byte{'['}
	for i, x := range n {
		if i > 0 {
			b = append(b, ',')
		}
		if x-x != 0 {
			b = append(b, "null"...)
		} else {
			b = strconv.AppendFloat(b, float64(x), 'g', 5, 32)
		}
	}
	return append(b, ']'), nil
}

// whole rounds to whole numbers; what is none becomes -1.
func (n numbers) whole() []int {
	all := make([]int, len(n))
	for i, x := range n {
		all[i] = -1
		if x >= 0 && x < 1<<30 {
			all[i] = int(x)
		}
	}
	return all
}

func (b *builder) selectivity(r *runFolder) error {
	a, err := readArray(r.file(schema.SelectivityArrays), schema.Matrix)
	if err != nil {
		return err
	}
	if len(a.shape) != 1 || a.shape[0] != len(a.units) {
		return fmt.Errorf("%s: a row of shape %v for %d units", schema.SelectivityArrays, a.shape, len(a.units))
	}
	bytes := make([]byte, len(a.data))
	for i, x := range a.data {
		if x == x {
			bytes[i] = byte(int8(math.Round(127 * float64(max(-1, min(1, x))))))
		}
	}
	b.Selectivity = &selectivityData{b.places(a.units), base64.StdEncoding.EncodeToString(bytes), a.units}
	return b.column(r, schema.SelectivityTable, []fact{
		{Key: schema.Dominance, Name: "selectivity", About: "share of all responses to the unit's pattern that is the unit's own"},
	}, nil)
}

// column makes facts of columns of a table with a row for each unit. A column is
// named as the fact's key, or as columns says.
func (b *builder) column(r *runFolder, name string, facts []fact, columns map[string]string) error {
	path := r.file(name)
	if path == "" {
		return nil
	}
	t, err := readTable(path)
	if err != nil {
		return err
	}
	for _, f := range facts {
		column := f.Key
		if other, ok := columns[f.Key]; ok {
			column = other
		}
		b.factOf(t, f, column, func(int) bool { return true })
	}
	return nil
}

// factOf makes a fact of those rows of a table that are about the layer.
func (b *builder) factOf(t *table, f fact, column string, about func(row int) bool) {
	var units []int
	var values []float32
	for i := range t.rows {
		if u := t.whole(i, schema.Unit); u >= 0 && about(i) && !slices.Contains(units[max(0, len(units)-1):], u) {
			units, values = append(units, u), append(values, float32(t.number(i, column)))
		}
	}
	if firstTwice(units) < 0 && len(units) > 0 {
		b.fact(f.Key, f.Name, f.About, b.spread(units, values, 1))
	}
}

// modes takes the layer's rows of modes.csv.
func (b *builder) modes(t *table) {
	b.factOf(t, fact{Key: "modes", Name: "modes", About: "patterns that restarts differ in: clusters of the restarts' patterns"}, schema.Modes, func(row int) bool {
		return t.text(row, schema.Network) == schema.Trained && t.whole(row, schema.Layer) == b.Number
	})
}

func (b *builder) fact(key, name, about string, values numbers) {
	if slices.ContainsFunc(values, func(x float32) bool { return x == x }) {
		b.Facts = append(b.Facts, fact{Key: key, Name: name, About: about, Values: values})
	}
}
