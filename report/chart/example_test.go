package chart_test

import (
	"bytes"
	"fmt"
	"log"
	"math"
	"strings"

	"github.com/unitscope/unitscope/report/chart"
)

// A curve of training with an epoch that was not measured.
func ExampleCurves() {
	loss := chart.Series{Name: "training", X: []float64{1, 2, 3, 4}, Y: []float64{0.12, 0.08, math.NaN(), 0.05}}
	var svg bytes.Buffer
	if err := chart.Curves(&svg, chart.Axes{Title: "Reconstruction", X: "epoch", Y: "error"}, []chart.Series{loss}); err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(svg.String()) {
		if strings.HasPrefix(line, "<title>") || strings.HasPrefix(line, "<desc>") {
			fmt.Print(line)
		}
	}
	// Output:
	// <title>Reconstruction</title>
	// <desc>error against epoch. training: 3 points from 0.12 to 0.05, lowest 0.05, highest 0.12.</desc>
}

// Two plots side by side, as a file for a paper.
func ExampleFigure() {
	var figure chart.Figure
	for layer, counts := range [][]int{{70, 20, 10}, {5, 60, 35}} {
		p, err := chart.NewHistogram(chart.Axes{Title: fmt.Sprintf("layer %d", layer+1), X: "output", Y: "examples", Width: 200, Height: 150}, []float64{0, 1, 2, 3}, counts)
		if err != nil {
			log.Fatal(err)
		}
		figure.Plots = append(figure.Plots, p)
	}
	var file bytes.Buffer
	if err := figure.WriteSVG(&file); err != nil {
		log.Fatal(err)
	}
	first, _, _ := strings.Cut(file.String(), "\n")
	fmt.Println(first)
	// Output: <?xml version="1.0" encoding="UTF-8"?>
}
