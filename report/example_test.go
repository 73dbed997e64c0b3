package report_test

import (
	"bytes"
	"fmt"
	"log"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/report"
	"github.com/unitscope/unitscope/visualize"
)

// Two patterns of 2x2 components side by side, 3 pixels per component, with a
// line of one pixel between them.
func ExampleGrid() {
	patterns := visualize.Patterns{Name: "filters", Shape: []int{2, 2}, Units: []int{3, 17}}
	patterns.Data = tensor.New(tensor.WithShape(2, 4), tensor.WithBacking([]float32{
		0, 1, -1, 0.5,
		0, 0, 0, 10,
	}))
	img, err := report.Grid(patterns, 2, report.GridOptions{Scale: 3})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(img.Bounds().Size(), "zero", img.At(0, 0), "largest", img.At(3, 0), "smallest", img.At(0, 3))
	var file bytes.Buffer
	if err := report.WritePNG(&file, img); err != nil {
		log.Fatal(err)
	}
	// Output: (13,6) zero {128} largest {255} smallest {1}
}

// The same patterns with their units' numbers and a note that explains the
// greys.
func ExampleSheet() {
	patterns := visualize.Patterns{Name: "filters", Shape: []int{2, 2}, Units: []int{3, 17}}
	patterns.Data = tensor.New(tensor.WithShape(2, 4), tensor.WithBacking([]float32{
		0, 1, -1, 0.5,
		0, 0, 0, 10,
	}))
	panel := report.Units("DBN layer 1", patterns, report.GridOptions{})
	picture, err := report.Sheet("Two filters", []*report.Panel{panel})
	if err != nil {
		log.Fatal(err)
	}
	var svg, png bytes.Buffer
	if err := picture.WriteSVG(&svg); err != nil {
		log.Fatal(err)
	}
	if err := picture.WritePNG(&png); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Contains(svg.Bytes(), []byte(">17</text>")), bytes.Contains(svg.Bytes(), []byte("grey is 0")))
	// Output: true true
}
