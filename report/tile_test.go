package report

import (
	"bytes"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/visualize"
)

func TestTileOfAShape(t *testing.T) {
	for _, c := range []struct {
		shape      []int
		size       int
		rows, cols int
		colour     bool
		about      string
	}{
		{[]int{28, 28}, 784, 28, 28, false, ""},
		{[]int{3, 5}, 15, 3, 5, false, ""},
		{[]int{1, 5}, 5, 1, 5, false, ""},
		{[]int{5, 1}, 5, 5, 1, false, ""},
		{nil, 784, 28, 28, false, ""},
		{[]int{784}, 784, 28, 28, false, ""},
		{[]int{10}, 10, 3, 4, false, ""},
		{[]int{2}, 2, 1, 2, false, ""},
		{[]int{1}, 1, 1, 1, false, ""},
		{nil, 17, 4, 5, false, ""},
		{[]int{1, 28, 28}, 784, 28, 28, false, ""},
		{[]int{28, 28, 1}, 784, 28, 28, false, ""},
		{[]int{1, 1, 28, 28}, 784, 28, 28, false, ""},
		{[]int{1, 1, 7}, 7, 1, 7, false, ""},
		{[]int{3, 8, 8}, 192, 8, 8, true, "red, green and blue"},
		{[]int{8, 8, 3}, 192, 8, 8, true, "red, green and blue"},
		{[]int{1, 3, 8, 8}, 192, 8, 8, true, "red, green and blue"},
		{[]int{8, 8, 3, 1}, 192, 8, 8, true, "red, green and blue"},
		{[]int{3, 5, 7}, 105, 5, 7, true, "red, green and blue"},
		{[]int{5, 7, 3}, 105, 5, 7, true, "red, green and blue"},
		{[]int{3, 5, 3}, 45, 5, 3, true, "red, green and blue"},
		{[]int{3, 3, 3}, 27, 3, 3, true, "red, green and blue"},
		{[]int{2, 8, 8}, 128, 8, 17, false, "2 channels of 8x8"},
		{[]int{8, 8, 2}, 128, 8, 17, false, "2 channels of 8x8"},
		{[]int{4, 8, 8}, 256, 17, 17, false, "4 channels of 8x8"},
		{[]int{100, 8, 8}, 6400, 89, 89, false, "100 channels of 8x8"},
		{[]int{2, 5, 7}, 70, 5, 15, false, "2 channels of 5x7"},
		{[]int{5, 7, 2}, 70, 5, 15, false, "2 channels of 5x7"},
		{[]int{4, 4, 4}, 64, 9, 9, false, "4 channels of 4x4"},
		{[]int{2, 3, 8, 8}, 384, 17, 26, false, "6 channels of 8x8"},
	} {
		tile, err := NewTile(c.shape, c.size)
		if err != nil || tile.Rows != c.rows || tile.Cols != c.cols || tile.Colour != c.colour || !strings.Contains(tile.About(), c.about) || (c.about == "") != (tile.About() == "") {
			t.Errorf("%v: %+v (%s), %v, want %dx%d, colour %v, %q", c.shape, tile, tile.About(), err, c.rows, c.cols, c.colour, c.about)
		}
		allShown(t, tile, c.size)
	}
}

// allShown checks that a tile shows every component once.
func allShown(t *testing.T, tile Tile, size int) {
	t.Helper()
	channels := 1
	if tile.Colour {
		channels = 3
	}
	var shown []int
	for y := range tile.Rows {
		for x := range tile.Cols {
			for c := range channels {
				if k := tile.component(x, y, c); k >= 0 {
					shown = append(shown, k)
				} else if k != Empty && k != Gap || tile.Colour {
					t.Fatalf("pixel %d, %d shows component %d", x, y, k)
				}
			}
		}
	}
	slices.Sort(shown)
	for i, k := range shown {
		if i != k {
			t.Fatalf("component %d is not shown, or twice", i)
		}
	}
	if len(shown) != size {
		t.Fatalf("%d components are shown of %d", len(shown), size)
	}
}

// colours are the pixels of a picture, row by row.
func colours(t testing.TB, picture image.Image) (rows [][]color.RGBA) {
	t.Helper()
	img, ok := picture.(*image.RGBA)
	if !ok {
		t.Fatalf("the picture is a %T, want it in colour", picture)
	}
	for y := range img.Rect.Dy() {
		var row []color.RGBA
		for x := range img.Rect.Dx() {
			row = append(row, img.RGBAAt(x, y))
		}
		rows = append(rows, row)
	}
	return rows
}

// rgb is a pixel that hides nothing.
func rgb(red, green, blue uint8) color.RGBA { return color.RGBA{red, green, blue, 255} }

// One scale for all three channels, and zero is grey in all of them.
func TestColourTilesToThePixel(t *testing.T) {
	red, green, blue := []float32{4, 0, 2, 0}, []float32{0, 0, 2, 0}, []float32{0, -4, 2, 0}
	first := slices.Concat(red, green, blue)
	var last []float32
	for i := range red {
		last = append(last, red[i], green[i], blue[i])
	}
	picture := [][]color.RGBA{{rgb(255, 128, 128), rgb(128, 128, 1)}, {rgb(192, 192, 192), rgb(128, 128, 128)}}
	black := rgb(0, 0, 0)
	for _, c := range []struct {
		name     string
		patterns []float32
		n        int
		shape    []int
		options  GridOptions
		like     visualize.Patterns // Low, High and Missing
		want     [][]color.RGBA
	}{
		{"channels first", first, 1, []int{3, 2, 2}, GridOptions{}, visualize.Patterns{}, picture},
		{"channels last", last, 1, []int{2, 2, 3}, GridOptions{}, visualize.Patterns{}, picture},
		{"among sides of 1", first, 1, []int{1, 3, 2, 2, 1}, GridOptions{}, visualize.Patterns{}, picture},
		{"one scale for all", slices.Concat(make([]float32, 11), []float32{-8}, first), 2, []int{3, 2, 2}, GridOptions{Global: true}, visualize.Patterns{}, [][]color.RGBA{
			{rgb(128, 128, 128), rgb(128, 128, 128), black, rgb(192, 128, 128), rgb(128, 128, 64)},
			{rgb(128, 128, 128), rgb(128, 128, 1), black, rgb(160, 160, 160), rgb(128, 128, 128)}}},
		{"two tiles", slices.Concat(first, make([]float32, 12)), 2, []int{3, 2, 2}, GridOptions{}, visualize.Patterns{}, [][]color.RGBA{
			{picture[0][0], picture[0][1], black, rgb(128, 128, 128), rgb(128, 128, 128)},
			{picture[1][0], picture[1][1], black, rgb(128, 128, 128), rgb(128, 128, 128)}}},
		{"a range", []float32{0, 1, 0.5, 2, 0.25, 1, 1, 0, -1, 0, 0, 1}, 1, []int{2, 2, 3}, GridOptions{}, visualize.Patterns{High: 1}, [][]color.RGBA{
			{rgb(1, 255, 128), rgb(255, 64, 255)}, {rgb(255, 1, 1), rgb(1, 1, 255)}}},
		{"twice as large", first, 1, []int{3, 2, 2}, GridOptions{Scale: 2}, visualize.Patterns{}, [][]color.RGBA{
			{picture[0][0], picture[0][0], picture[0][1], picture[0][1]}, {picture[0][0], picture[0][0], picture[0][1], picture[0][1]},
			{picture[1][0], picture[1][0], picture[1][1], picture[1][1]}, {picture[1][0], picture[1][0], picture[1][1], picture[1][1]}}},
		{"a dead unit", first, 1, []int{3, 2, 2}, GridOptions{}, visualize.Patterns{Missing: []bool{true}}, [][]color.RGBA{
			{rgb(64, 64, 64), rgb(64, 64, 64)}, {rgb(64, 64, 64), rgb(64, 64, 64)}}},
	} {
		p := c.like
		p.Data, p.Shape = array(t, c.patterns, c.n, len(c.patterns)/c.n), c.shape
		img, err := Grid(p, c.n, c.options)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := colours(t, img); !slices.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// Other numbers of channels are side by side, with lines between them.
func TestChannelsToThePixel(t *testing.T) {
	first := []float32{8, 0, 0, 0 /**/, 0, -8, 0, 0 /**/, 0, 0, 4, 0 /**/, 0, 0, 0, 8 /**/, 8, 8, 8, 8}
	var last []float32
	for i := range 4 {
		for plane := range 5 {
			last = append(last, first[plane*4+i])
		}
	}
	want := [][]uint8{
		{255, 128, 0, 128, 1, 0, 128, 128},
		{128, 128, 0, 128, 128, 0, 192, 128},
		{0, 0, 0, 0, 0, 0, 0, 0},
		{128, 128, 0, 255, 255, 0, 128, 128},
		{128, 255, 0, 255, 255, 0, 128, 128},
	}
	for _, c := range []struct {
		shape    []int
		patterns []float32
	}{{[]int{5, 2, 2}, first}, {[]int{2, 2, 5}, last}} {
		img, err := Grid(visualize.Patterns{Data: array(t, c.patterns, 1, 20), Shape: c.shape}, 1, GridOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := lines(t, img); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%v: got %v, want %v", c.shape, got, want)
		}
	}
	// On a range, where black is a number, the lines are grey.
	img, err := Grid(visualize.Patterns{Data: array(t, []float32{0, 0, 0, 0, 1, 1, 1, 1}, 1, 8), Shape: []int{2, 2, 2}, High: 1}, 1, GridOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := lines(t, img); !slices.EqualFunc(got, [][]uint8{{1, 1, 128, 255, 255}, {1, 1, 128, 255, 255}}, slices.Equal) {
		t.Errorf("on a range: got %v", got)
	}
}

// A sheet with colour tiles is in colour, as PNG and as SVG, and its note says how
// colours are read.
func TestSheetInColour(t *testing.T) {
	patterns := array(t, []float32{4, 0, 2, 0, 0, 0, 2, 0, 0, -4, 2, 0}, 1, 12)
	p, err := Sheet("filters", []*Panel{Units("layer 1", visualize.Patterns{Name: "filters", Data: patterns, Shape: []int{3, 2, 2}, Units: []int{0}}, GridOptions{})})
	if err != nil {
		t.Fatal(err)
	}
	if want := "Filters: grey is 0, dark −m and bright +m, with m the largest |component| of each tile. Three channels are drawn as red, green and blue."; p.about != want {
		t.Errorf("the note is %q, want %q", p.about, want)
	}
	tile := p.images[0]
	drawn := colours(t, p.Image())
	for y, row := range colours(t, tile.img) {
		for x, want := range row {
			if got := drawn[tile.at.Y+y*tile.scale.Y+1][tile.at.X+x*tile.scale.X+1]; got != want {
				t.Errorf("pixel %d, %d is %v, want %v", x, y, got, want)
			}
		}
	}
	var svg bytes.Buffer
	if err := p.WriteSVG(&svg); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(svg.String(), "red, green and blue") {
		t.Error("the SVG does not say how to read colours")
	}
}
