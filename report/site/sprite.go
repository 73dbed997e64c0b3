package site

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"math"
	"strings"

	"github.com/unitscope/unitscope/report"
)

// Sheets hold so many numbers of pixels at most along a side, and so many in all:
// browsers decode a sheet as a whole, and only when a tile of it is looked at.
const (
	sheetWidth  = 2048
	sheetPixels = 2 << 20
)

// grey is how numbers become greys.
type grey uint8

const (
	// signed: grey is 0, white and black are the largest absolute number of the
	// tile, as in report.Grid.
	signed grey = iota
	// share: black is 0 and white is 1, for what are probabilities or inks.
	share
)

// greys are how the tiles of a row become grey.
type greys struct {
	grey
	// least is the least that white and black stand for in tiles on their own scale,
	// as report.GridOptions has it. faint is true if there are tiles below it.
	least float64
	faint bool
}

// look finds out whether there are faint tiles.
func (g *greys) look(data []float32, components int) {
	for from := 0; from < len(data) && g.grey == signed && !g.faint; from += components {
		g.faint = largestOf(data[from:from+components]) < g.least
	}
}

// largestOf is the largest absolute component that is finite.
func largestOf(pattern []float32) (largest float64) {
	for _, v := range pattern {
		if a := math.Abs(float64(v)); a > largest && !math.IsInf(a, 0) {
			largest = a
		}
	}
	return largest
}

// about says how to read the tiles.
func (g greys) about(t report.Tile) string {
	text := "Grey is zero, white positive, black negative; every tile has its own scale."
	switch {
	case t.Colour && g.grey == share:
		text = "Dark is 0, bright is 1."
	case t.Colour:
		text = "Grey is zero, bright positive, dark negative; every tile has its own scale."
	case g.grey == share:
		text = "Black is 0, white is 1."
	}
	if g.faint {
		text += fmt.Sprintf(" In tiles that are next to nothing white is %.3g.", g.least)
	}
	return strings.TrimSpace(text + " " + t.About())
}

// greyOf is how numbers are shown that are data rather than patterns.
func greyOf(data []float32) greys {
	for _, x := range data {
		if x < 0 || x > 1 {
			return greys{grey: signed}
		}
	}
	return greys{grey: share}
}

// greyOfSamples is how what a net gives for its inputs is shown.
func greyOfSamples(data []float32) greys {
	g := greyOf(data)
	if g.grey == signed {
		g.least = report.FaintInput
	}
	return g
}

// besideOthers is how patterns are shown whose norms are as weights make them.
func besideOthers(a *array) greys {
	return greys{grey: signed, least: report.LeastBeside(a.data, a.size())}
}

// tileRow is a row of tiles of equal size, laid out on sheets.
type tileRow struct {
	Sheets  []int  `json:"sheets"`  // numbers of the sheets, in order
	Per     int    `json:"per"`     // tiles on each sheet but the last
	Columns int    `json:"columns"` // tiles side by side
	Scale   string `json:"scale"`   // how to read the greys
}

// sheets collects the pictures of a page, each only once.
type sheets struct {
	pictures []string // base64 of PNG
	bytes    int
}

// tiles puts patterns, each of components numbers, on sheets. group tiles that
// belong together are on one sheet.
func (s *sheets) tiles(data []float32, components int, tile report.Tile, group int, g greys) (*tileRow, error) {
	g.look(data[:len(data)/components*components], components)
	n, rows, cols := len(data)/components, tile.Rows, tile.Cols
	columns := max(1, min(sheetWidth/cols, max(group, int(math.Ceil(math.Sqrt(float64(n)))))))
	per := max(1, sheetPixels/(rows*cols)/group) * group
	per = min(per, n)
	t := &tileRow{Per: per, Columns: columns, Scale: g.about(tile)}
	for from := 0; from < n; from += per {
		to := min(from+per, n)
		img := tile.Canvas(image.Pt(columns*cols, (to-from+columns-1)/columns*rows))
		for i := from; i < to; i++ {
			at := image.Pt((i-from)%columns*cols, (i-from)/columns*rows)
			tile.Draw(img, at, g.toneOf(data[i*components:(i+1)*components]))
		}
		number, err := s.add(img)
		if err != nil {
			return nil, err
		}
		t.Sheets = append(t.Sheets, number)
	}
	return t, nil
}

// toneOf is how bright a component of a pattern is; what is not a number is black.
func (g greys) toneOf(pattern []float32) func(component int) uint8 {
	largest := max(largestOf(pattern), g.least)
	return func(component int) uint8 {
		if component == report.Gap {
			return 0
		}
		if component == report.Empty {
			return 128
		}
		v := pattern[component]
		switch {
		case v != v || math.IsInf(float64(v), 0):
			return 0
		case g.grey == share:
			return uint8(math.Round(255 * float64(max(0, min(1, v)))))
		case largest > 0:
			return uint8(128 + math.Round(127*float64(v)/largest))
		}
		return 128
	}
}

func (s *sheets) add(img image.Image) (int, error) {
	var b bytes.Buffer
	// The best compression takes three times as long for a few percent.
	if err := png.Encode(&b, img); err != nil {
		return 0, err
	}
	return s.addPNG(b.Bytes()), nil
}

func (s *sheets) addPNG(file []byte) int {
	text := base64.StdEncoding.EncodeToString(file)
	s.pictures = append(s.pictures, text)
	s.bytes += len(text)
	return len(s.pictures) - 1
}

// maxPixels are what a picture may have: a short file can say that it has many, and
// a browser takes four bytes for each.
const maxPixels = 1 << 25

// pngSize is the size of a picture, which must be a PNG of not too many pixels.
func pngSize(file []byte) (image.Config, bool) {
	c, err := png.DecodeConfig(bytes.NewReader(file))
	return c, err == nil && c.Width > 0 && c.Height > 0 && c.Width <= maxPixels/c.Height
}
