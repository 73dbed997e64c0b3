package report_test

import (
	"bytes"
	"fmt"
	"log"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/report"
)

// Two patterns of 2x2 components side by side, 3 pixels per component, with a
// gap of one pixel.
func ExampleGrid() {
	patterns := tensor.New(tensor.WithShape(2, 4), tensor.WithBacking([]float32{
		0, 1, -1, 0.5,
		0, 0, 0, 10,
	}))
	img, err := report.Grid(patterns, []int{2, 2}, 2, report.GridOptions{Scale: 3})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(img.Bounds().Size(), "zero", img.GrayAt(0, 0).Y, "largest", img.GrayAt(3, 0).Y, "smallest", img.GrayAt(0, 3).Y)
	var file bytes.Buffer
	if err := report.WritePNG(&file, img); err != nil {
		log.Fatal(err)
	}
	// Output: (13,6) zero 128 largest 255 smallest 1
}
