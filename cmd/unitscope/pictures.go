package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/visualize"
)

const (
	filtersShown = 100 // units in filters.png
	unitsShown   = 16  // units that have a row of a picture
	columnsShown = 21  // patterns in such a row
)

// writeFilters draws the filters of the first units of layer 1.
func writeFilters(f *runfolder.Folder, n *network.Network) error {
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
	img, err := unitsPicture(fmt.Sprintf("%s: filters of %s", layerHeading(n, 1), report.Shown(len(units), all, "unit")), "filters", filters, n.InputShape, units, 0, greys)
	if err != nil {
		return err
	}
	return writePicture(f, "filters.png", img, 1)
}

// unitsPicture is one pattern [U, D] for each unit. radius is their norm, 0 if
// they have none in common.
func unitsPicture(heading, what string, patterns *tensor.Dense, shape, units []int, radius float64, o report.GridOptions) (*report.Picture, error) {
	p := report.Units(heading, what, patterns, shape, units, o)
	p.Radius = radius
	return report.Sheet(heading, []*report.Panel{p})
}

// layerHeading starts the heading of a picture.
func layerHeading(n *network.Network, layer int) string {
	return fmt.Sprintf("%s layer %d", familyName(n), layer)
}

// shownUnits and shownColumns say how many a picture of rows shows, of how many.
func shownUnits(units []int) string {
	return report.Shown(min(len(units), unitsShown), len(units), "unit")
}

func shownColumns(n int, noun string) string { return report.Shown(min(n, columnsShown), n, noun) }

// rowsPicture is a row of patterns [U, N, D] for each of the first units.
func rowsPicture(heading, what string, patterns *tensor.Dense, shape, units []int, heads []string, radius float64, o report.GridOptions) (*report.Picture, error) {
	p, err := report.Rows(heading, what, patterns, shape, units, heads, unitsShown, columnsShown, o)
	if err != nil {
		return nil, err
	}
	p.Radius = radius
	return report.Sheet(heading, []*report.Panel{p})
}

// drawing is what package report draws.
type drawing interface {
	WritePNG(io.Writer) error
	WriteSVG(io.Writer) error
}

// writePicture writes a picture of these layers as PNG under this name, and as SVG
// beside it. What the run has been warned of that they have not learned is written
// below it.
func writePicture(f *runfolder.Folder, name string, d drawing, layers ...int) error {
	if p, ok := d.(*report.Picture); ok {
		p.Note(layerNotes(f.Warnings(), layers)...)
	}
	svg := strings.TrimSuffix(name, filepath.Ext(name)) + ".svg"
	return errors.Join(f.Write(name, d.WritePNG), f.Write(svg, d.WriteSVG))
}
