package report

import (
	"fmt"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/visualize"
)

// Figure1Model is one row of figure 1.
type Figure1Model struct {
	Name string // the start of the headings: "DBN"
	// Layers are the results for each layer, one panel each: the best patterns
	// of the units. The paper shows 36 units of layers 1, 2 and 3.
	Layers []*visualize.AscentResult
	// Headings are of the panels of Layers; nil for "DBN layer 1" and so on.
	Headings []string
	// Restarts are a few units of the top layer with all their restarts
	// (KeepAll), the last panel; nil leaves it out. The paper shows 4 units
	// with 9 restarts.
	Restarts *visualize.AscentResult
}

// FigureOptions says how a figure is drawn.
type FigureOptions struct {
	// Scale is the pixels per component; 0 chooses one that makes tiles about
	// as large as a thumbnail.
	Scale int
	// Global draws each grid of patterns around zero on one scale instead of
	// each tile on its own.
	Global bool
}

// grid is how a figure draws its tiles.
func (o FigureOptions) grid() GridOptions { return GridOptions{Scale: o.Scale, Global: o.Global} }

// Figure1 draws figure 1 of the paper (and figure 2, which is the same for
// natural images): a row of panels for each model, the DBN above and the SDAE
// below. A column for each layer holds a grid of its units' best patterns, as
// nearly square as their number allows; in the last column are some units of
// the top layer with all their restarts, a block of tiles for each unit. A
// model with fewer layers than another leaves the columns after its last layer
// empty. Headings stand above the panels, and the numbers of units beside them.
func Figure1(models []Figure1Model, o FigureOptions) (*Picture, error) {
	rows, err := figure1Panels(models, o)
	if err != nil {
		return nil, fmt.Errorf("figure 1: %w", err)
	}
	p, err := Sheet("Units by layer, as activation maximization shows them", rows...)
	if err != nil {
		return nil, fmt.Errorf("figure 1: %w", err)
	}
	return p, nil
}

// figure1Panels returns [models][columns] panels, nil where there is none.
func figure1Panels(models []Figure1Model, o FigureOptions) ([][]*Panel, error) {
	if len(models) == 0 {
		return nil, fmt.Errorf("no models")
	}
	layers, last := 0, 0
	for _, m := range models {
		if len(m.Layers) == 0 && m.Restarts == nil {
			return nil, fmt.Errorf("%s: nothing to draw", m.Name)
		}
		layers = max(layers, len(m.Layers))
		if m.Restarts != nil {
			last = 1
		}
	}
	rows := make([][]*Panel, len(models))
	for i, m := range models {
		rows[i] = make([]*Panel, layers+last)
		for k, r := range m.Layers {
			if r == nil {
				return nil, fmt.Errorf("%s, panel %d: result is missing (nil)", m.Name, k+1)
			}
			rows[i][k] = layerPanel(m.heading(r.Layer), r.UnitPatterns().Named(ascentName), o.grid())
		}
		if m.Restarts != nil {
			p, err := restartsPanel(m.heading(m.Restarts.Layer), m.Restarts, o)
			if err != nil {
				return nil, fmt.Errorf("%s, restarts: %w", m.Name, err)
			}
			rows[i][layers] = p
		}
	}
	return rows, nil
}

// heading is what a layer of the model is called.
func (m Figure1Model) heading(layer int) string {
	for k, r := range m.Layers {
		if r != nil && r.Layer == layer && k < len(m.Headings) {
			return m.Headings[k]
		}
	}
	return strings.TrimSpace(fmt.Sprintf("%s layer %d", m.Name, layer))
}

// ascentName is of the patterns of an ascent, where nothing else is beside them.
const ascentName = "patterns of maximal activation"

// layerPanel is one grid of a pattern of each unit, in a near square, labelled by its
// rows if the units follow on each other, else by every tile.
func layerPanel(heading string, p visualize.Patterns, o GridOptions) *Panel {
	b := Block{Patterns: p, GridOptions: o}
	if b.Rows = rowsOfUnits(p.Units, squareColumns(len(p.Units))); b.Rows == nil {
		b.Tiles = unitNames(p.Units, "")
	}
	return &Panel{Heading: heading, Blocks: []Block{b}}
}

// restartsPanel is a block for each unit, with a tile for each restart.
func restartsPanel(layer string, r *visualize.AscentResult, o FigureOptions) (*Panel, error) {
	if r.Patterns == nil {
		return nil, fmt.Errorf("patterns are missing (nil); the ascent must keep all patterns")
	}
	all := r.RestartPatterns().Named(ascentName)
	if err := all.Check(); err != nil {
		return nil, err
	}
	units, restarts, _ := all.Size()
	p := &Panel{Heading: fmt.Sprintf("%s: %s, %s", layer, words.Count(units, "unit"), words.Count(restarts, "restart"))}
	for u := range units {
		patterns, err := all.Of(u)
		if err != nil {
			return nil, err
		}
		b := Block{Patterns: patterns, GridOptions: o.grid()}
		if r.Units != nil {
			b.Label = shortened(r.NameOf(u))
		}
		p.Blocks = append(p.Blocks, b)
	}
	return p, nil
}
