package report

import (
	"fmt"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/visualize"
)

// Figure1Model is one row of figure 1.
type Figure1Model struct {
	Name string // the start of the headings: "DBN"
	// Layers are the results for each layer, one panel each: the best patterns
	// of the units. The report shows 36 units of layers 1, 2 and 3.
	Layers []*visualize.AscentResult
	// Restarts are a few units of the top layer with all their restarts
	// (KeepAll), the last panel; nil leaves it out. The report shows 4 units
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

// Figure1 draws figure 1 of the report (and figure 2, which is the same for
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
			rows[i][k] = layerPanel(layerName(m.Name, r.Layer), r, o)
		}
		if m.Restarts != nil {
			p, err := restartsPanel(m.Name, m.Restarts, o)
			if err != nil {
				return nil, fmt.Errorf("%s, restarts: %w", m.Name, err)
			}
			rows[i][layers] = p
		}
	}
	return rows, nil
}

// ascentWhat names the patterns of an ascent, where nothing else is beside them.
const ascentWhat = "patterns of maximal activation"

// layerPanel is one grid of the best pattern of each unit.
func layerPanel(heading string, r *visualize.AscentResult, o FigureOptions) *Panel {
	b := Block{Patterns: r.BestPatterns, Shape: r.Shape, GridOptions: GridOptions{Scale: o.Scale, Global: o.Global, Dead: r.Dead}}
	b.nameUnits(r.Units)
	return &Panel{Heading: heading, What: ascentWhat, Radius: r.Radius, Blocks: []Block{b}}
}

// nameUnits labels a near square of units: its rows if the units follow on each
// other, else every tile.
func (b *Block) nameUnits(units []int) {
	if b.Rows = rowsOfUnits(units, squareColumns(len(units))); b.Rows == nil {
		b.Tiles = unitNames(units, "")
	}
}

// restartsPanel is a block for each unit, with a tile for each restart.
func restartsPanel(name string, r *visualize.AscentResult, o FigureOptions) (*Panel, error) {
	if r.Patterns == nil || r.Patterns.Dims() != 3 {
		return nil, fmt.Errorf("patterns are %s, want [units, restarts, components]; the ascent must keep all patterns", describe(r.Patterns))
	}
	units, restarts, components := r.Patterns.Shape()[0], r.Patterns.Shape()[1], r.Patterns.Shape()[2]
	data, err := dense.Data(r.Patterns)
	if err != nil {
		return nil, err
	}
	if r.Dead != nil && len(r.Dead) != units {
		return nil, fmt.Errorf("%d units, %d marks of dead units", units, len(r.Dead))
	}
	p := &Panel{Heading: fmt.Sprintf("%s: %s, %s", layerName(name, r.Layer), words.Count(units, "unit"), words.Count(restarts, "restart")), What: ascentWhat, Radius: r.Radius}
	for u := range units {
		size := restarts * components
		patterns, err := dense.Of(data[u*size:(u+1)*size], restarts, components)
		if err != nil {
			return nil, err
		}
		dead := make([]bool, restarts)
		for k := range dead {
			dead[k] = r.Dead != nil && r.Dead[u]
		}
		b := Block{Patterns: patterns, Shape: r.Shape, GridOptions: GridOptions{Scale: o.Scale, Global: o.Global, Dead: dead}}
		if u < len(r.Units) {
			b.Label = fmt.Sprintf("unit %d", r.Units[u])
		}
		p.Blocks = append(p.Blocks, b)
	}
	return p, nil
}
