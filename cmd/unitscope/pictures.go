package main

import (
	"image"
	"io"
	"math"

	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/visualize"
)

const (
	filtersShown = 100  // units in filters.png
	pictureWidth = 1400 // pixels that a grid should not exceed by its scale
)

// writeFilters draws the filters of the first units of layer 1.
func writeFilters(f *runfolder.Folder, n *network.Network) error {
	units, err := visualize.ParseUnits("all", n.Sizes()[1])
	if err != nil {
		return err
	}
	units = units[:min(len(units), filtersShown)]
	filters, err := visualize.Filters(n, units)
	if err != nil {
		return err
	}
	columns := nearlySquare(len(units))
	img, err := report.Grid(filters, n.InputShape, columns, report.GridOptions{Scale: gridScale(columns, n.InputShape)})
	if err != nil {
		return err
	}
	return writePicture(f, "filters.png", img)
}

func writePicture(f *runfolder.Folder, name string, img image.Image) error {
	return f.Write(name, func(w io.Writer) error { return report.WritePNG(w, img) })
}

func nearlySquare(n int) int { return int(math.Ceil(math.Sqrt(float64(n)))) }

// gridScale is how many pixels to draw for a component: three, or fewer where
// the picture would become too wide for a screen.
func gridScale(columns int, shape []int) int {
	width := 28
	if len(shape) == 2 {
		width = shape[1]
	}
	return max(1, min(3, pictureWidth/(columns*width)))
}
