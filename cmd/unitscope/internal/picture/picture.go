// Package picture draws into run folders: [Units] and [Rows] lay patterns out, and [Write]
// leaves a picture as PNG and as SVG, with what the run was warned of below it.
package picture

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
	"github.com/unitscope/unitscope/visualize"
)

// How much pictures show of models that have more.
const (
	filtersShown = 100 // units in filters.png
	UnitsShown   = 16  // units that have a row of a picture
	ColumnsShown = 21  // patterns in such a row
)

// WriteFilters draws the filters of the first units of layer 1.
func WriteFilters(f *runfolder.Folder, n *network.Network) error {
	units, err := visualize.ParseUnits("all", n.Sizes()[1])
	if err != nil {
		return err
	}
	all := len(units)
	units = units[:min(all, filtersShown)]
	filters, err := visualize.Filters(n, units)
	if err != nil {
		return err
	}
	greys, err := report.BesideOthers(filters)
	if err != nil {
		return err
	}
	img, err := Units(fmt.Sprintf("%s: filters of %s", LayerHeading(n, 1), report.Shown(len(units), all, "unit")), filters, greys)
	if err != nil {
		return err
	}
	return Write(f, schema.FiltersPicture, img, 1)
}

// Units is one pattern for each unit.
func Units(heading string, p visualize.Patterns, o report.GridOptions) (*report.Picture, error) {
	return report.Sheet(heading, []*report.Panel{report.Units(heading, p, o)})
}

// LayerHeading starts the heading of a picture: "SDAE layer 3", "MLP layer 3 (fc2)".
func LayerHeading(n *network.Network, layer int) string {
	return FamilyName(n) + " " + n.LayerTitle(layer)
}

// ShownRows says how many units, or what else there is a row of, a picture shows, of how
// many.
func ShownRows(n int, noun string) string { return report.Shown(min(n, UnitsShown), n, noun) }

// ShownColumns says how many patterns of a unit a picture of rows shows, of how many.
func ShownColumns(n int, noun string) string { return report.Shown(min(n, ColumnsShown), n, noun) }

// Rows is a row of the first patterns for each of the first units.
func Rows(heading string, p visualize.Patterns, heads []string, o report.GridOptions) (*report.Picture, error) {
	shown, err := p.First(UnitsShown, ColumnsShown)
	if err != nil {
		return nil, err
	}
	panel, err := report.Rows(heading, shown, heads, o)
	if err != nil {
		return nil, err
	}
	return report.Sheet(heading, []*report.Panel{panel})
}

// Drawing is what package report draws.
type Drawing interface {
	WritePNG(io.Writer) error
	WriteSVG(io.Writer) error
}

// Write writes a picture of these layers as PNG under this name, and as SVG
// beside it. What the run has been warned of that they have not learned is written
// below it.
func Write(f *runfolder.Folder, name string, d Drawing, layers ...int) error {
	if p, ok := d.(*report.Picture); ok {
		p.Note(layerNotes(f.Warnings(), layers)...)
	}
	return errors.Join(f.Write(name, d.WritePNG), f.Write(schema.SVG(name), d.WriteSVG))
}

// FamilyName is a model's kind as sentences have it.
func FamilyName(n *network.Network) string { return strings.ToUpper(string(n.Kind)) }

// layerNotes are short sentences about those of the layers that warnings say nothing
// is to be seen of: "DBN layer 2 has learned nothing."
func layerNotes(warnings []runfolder.Warning, layers []int) (notes []string) {
	for _, w := range warnings {
		at := strings.LastIndex(w.About, "layer ")
		if at < 0 {
			continue
		}
		of, layer := w.About[:at], w.About[at+len("layer "):]
		number, err := strconv.Atoi(layer)
		_, wrong, said := strings.Cut(w.Text, "layer "+layer+" ")
		if err != nil || !said || !slices.Contains(layers, number) {
			continue
		}
		if end := strings.IndexAny(wrong, ":;"); end >= 0 {
			wrong = wrong[:end]
		}
		name := "Layer"
		if of != "" {
			name = of + "layer"
		}
		notes = append(notes, fmt.Sprintf("%s %d %s.", name, number, wrong))
	}
	return notes
}
