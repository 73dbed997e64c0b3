package site

import (
	"errors"
	"fmt"
	"slices"

	"github.com/unitscope/unitscope/schema"
)

// connectionsData is the units that the layer's have the largest weights to.
type connectionsData struct {
	Each   int             `json:"each"` // K of each side
	Below  connectionsSide `json:"below"`
	Above  connectionsSide `json:"above"`
	Titles map[int]string  `json:"titles"` // of the other layers
}

// connectionsSide is the units [U, K] at one side, layer -1 for no more.
type connectionsSide struct {
	Layer  []int   `json:"layer"`
	Unit   []int   `json:"unit"`
	Weight numbers `json:"weight"`
	Page   []bool  `json:"page"` // the report has one of the unit
}

func (b *builder) connections(r *runFolder) error {
	c := &connectionsData{Titles: map[int]string{}}
	path := r.file(schema.ConnectionsArrays)
	for i, to := range []*connectionsSide{&c.Below, &c.Above} {
		side := []string{schema.Below, schema.Above}[i]
		layers, errL := readArray(path, schema.Connected(side, schema.Layer))
		units, errU := readArray(path, schema.Connected(side, schema.Unit))
		weights, errW := readArray(path, schema.Connected(side, schema.Weight))
		if err := errors.Join(errL, errU, errW); err != nil {
			return err
		}
		each := layers.size()
		if c.Each == 0 {
			c.Each = each
		}
		if len(layers.shape) != 1 || each < 1 || each != c.Each || units.size() != each || weights.size() != each {
			return fmt.Errorf("%s: layers, units and weights of shapes %v, %v and %v", schema.ConnectionsArrays, layers.shape, units.shape, weights.shape)
		}
		if err := b.room(each); err != nil {
			return err
		}
		to.Layer, to.Unit = b.spread(layers.units, layers.data, each).whole(), b.spread(units.units, units.data, each).whole()
		to.Weight, to.Page = b.spread(weights.units, weights.data, each), make([]bool, len(b.Units)*each)
	}
	b.Connections = c
	return nil
}

// connect finds out which of the units that others are connected to have a page, and what
// their layers are called.
func (r *Report) connect(m *Model) {
	units := map[int][]int{}
	for _, l := range m.Layers {
		if l.Names == nil {
			units[l.Number] = l.Units
		}
	}
	for _, l := range m.Layers {
		c := l.Connections
		if c == nil {
			continue
		}
		for _, s := range []*connectionsSide{&c.Below, &c.Above} {
			for i, number := range s.Layer {
				if number < 1 {
					continue
				}
				c.Titles[number] = m.title(number)
				_, s.Page[i] = slices.BinarySearch(units[number], s.Unit[i])
			}
		}
	}
}
