package report

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/visualize"
)

// keep writes a picture to the folder that UNITSCOPE_PICTURES names, for people
// to look at.
func keep(t *testing.T, name string, d interface {
	WritePNG(io.Writer) error
	WriteSVG(io.Writer) error
}) {
	t.Helper()
	folder := os.Getenv("UNITSCOPE_PICTURES")
	if folder == "" {
		return
	}
	for end, write := range map[string]func(io.Writer) error{".png": d.WritePNG, ".svg": d.WriteSVG} {
		var file bytes.Buffer
		if err := write(&file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+end), file.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shape is one element of an SVG picture.
type shape struct {
	name         string
	x, y, w, h   int
	text, fill   string
	href, anchor string
	size         int
	upwards      bool
}

// shapes reads an SVG picture, which must be well-formed.
func shapes(t *testing.T, p *Picture) (all []shape) {
	t.Helper()
	var file, again bytes.Buffer
	if err := errors.Join(p.WriteSVG(&file), p.WriteSVG(&again)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Error("the same picture gave other bytes")
	}
	in := xml.NewDecoder(&file)
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch element := token.(type) {
		case xml.StartElement:
			s := shape{name: element.Name.Local}
			for _, a := range element.Attr {
				number, _ := strconv.Atoi(a.Value)
				switch a.Name.Local {
				case "x":
					s.x = number
				case "y":
					s.y = number
				case "width":
					s.w = number
				case "height":
					s.h = number
				case "font-size":
					s.size = number
				case "fill":
					s.fill = a.Value
				case "href":
					s.href = a.Value
				case "text-anchor":
					s.anchor = a.Value
				case "transform":
					s.upwards = true
				}
			}
			all = append(all, s)
		case xml.CharData:
			if len(all) > 0 {
				all[len(all)-1].text += strings.TrimSpace(string(element))
			}
		}
	}
}

// both is a picture as PNG draws it, checked against its SVG: the same size, and
// in the middle of every pixel of every image the same colour.
func both(t *testing.T, p *Picture) image.Image {
	t.Helper()
	img := p.Image()
	all := shapes(t, p)
	if all[0].w != img.Bounds().Dx() || all[0].h != img.Bounds().Dy() {
		t.Errorf("the SVG is %dx%d, the PNG %v", all[0].w, all[0].h, img.Bounds())
	}
	for _, s := range all {
		if s.name != "image" {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.href, "data:image/png;base64,"))
		if err != nil {
			t.Fatal(err)
		}
		tile, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		size := tile.Bounds().Size()
		for y := range size.Y {
			for x := range size.X {
				at := image.Pt(s.x+(2*x+1)*s.w/(2*size.X), s.y+(2*y+1)*s.h/(2*size.Y))
				want := color.RGBAModel.Convert(tile.At(x, y))
				if got := color.RGBAModel.Convert(img.At(at.X, at.Y)); got != want {
					t.Fatalf("pixel %v of the image at %d,%d is %v in SVG, %v in PNG", image.Pt(x, y), s.x, s.y, want, got)
				}
			}
		}
	}
	return img
}

// checkLabels makes sure that no text of a picture lies on one of its images or
// beyond its edges, and that no two lie on each other.
func checkLabels(t *testing.T, p *Picture) {
	t.Helper()
	var texts []image.Rectangle
	for _, w := range p.words {
		width, ascent := p.letters.width(w.text, w.size), w.size*3/4
		before := [...]int{0, width / 2, width}[w.anchor]
		r := image.Rect(w.at.X-before, w.at.Y-ascent, w.at.X-before+width, w.at.Y+1)
		if w.upwards {
			r = image.Rect(w.at.X-ascent, w.at.Y+before-width, w.at.X+1, w.at.Y+before)
		}
		if !r.In(image.Rectangle{Max: p.size}) {
			t.Errorf("%q at %v is beyond the picture of %v", w.text, r, p.size)
		}
		for _, i := range p.images {
			size := i.img.Bounds().Size()
			if tile := image.Rect(0, 0, size.X*i.scale.X, size.Y*i.scale.Y).Add(i.at); r.Overlaps(tile) {
				t.Errorf("%q at %v lies on the tile at %v", w.text, r, tile)
			}
		}
		for _, other := range texts {
			if r.Overlaps(other) {
				t.Errorf("%q at %v lies on another text at %v", w.text, r, other)
			}
		}
		texts = append(texts, r)
	}
}

func TestSheet(t *testing.T) {
	ranged := visualize.Patterns{Radius: 3, Low: -1, High: 1}
	named := func(name string, p visualize.Patterns) visualize.Patterns {
		p.Name, p.Data, p.Shape = name, array(t, gabors(1, 7, 6), 7, 36), []int{6, 6}
		return p
	}
	dead := []bool{false, false, true, false, false, false, false}
	p, err := Sheet("Seven <units> & a \"title\"\x00", []*Panel{
		Units("Seven units", named("filters", visualize.Patterns{Units: []int{3, 1, 4, 15, 9, 2, 1000000}, Missing: dead}), GridOptions{}),
		{Heading: "ranged", Blocks: []Block{{Label: "block", Patterns: named("means", ranged), Columns: 4, Rows: []string{"first", "second"}, Heads: Numbered(4), GridOptions: GridOptions{Scale: 5}}}},
		{Heading: "global", Blocks: []Block{{Patterns: named("others", visualize.Patterns{}), GridOptions: GridOptions{Scale: 1, Global: true}}}},
	}, []*Panel{nil, {Blocks: []Block{{Patterns: named("means", ranged), GridOptions: GridOptions{Scale: 3}}}}})
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "sheet", p)
	img, ok := both(t, p).(*image.Gray)
	if !ok {
		t.Fatal("a sheet of grey tiles is not grey")
	}
	checkLabels(t, p)
	// 4 times 7 tiles and 3 scales.
	if len(p.images) != 4*7+3 {
		t.Errorf("%d images", len(p.images))
	}
	// The place after the last tile of a row is paper, and around each tile is a line.
	first, last := p.images[0], p.images[6]
	step := first.img.Bounds().Dx() * first.scale.X
	for _, c := range []struct {
		at   image.Point
		want uint8
	}{
		{first.at.Add(image.Pt(-1, -1)), gapGrey}, {first.at.Add(image.Pt(-2, -1)), paper},
		{last.at.Add(image.Pt(step, step)), gapGrey}, {last.at.Add(image.Pt(step+1, step)), paper}, {last.at.Add(image.Pt(2*step, step/2)), paper},
		// On a range the line is grey.
		{p.images[7].at.Add(image.Pt(-1, -1)), zeroGrey},
	} {
		if got := img.GrayAt(c.at.X, c.at.Y).Y; got != c.want {
			t.Errorf("the pixel at %v is %d, want %d", c.at, got, c.want)
		}
	}
	for _, want := range []string{
		"Filters: grey is 0, black −m and white +m, with m the largest |component| of each tile.",
		"Means: black is −1, white is 1. Every pattern has the norm ρ = 3.",
		"Others: grey is 0, black −", deadNote,
	} {
		if !strings.Contains(p.about, want) {
			t.Errorf("the note is %q, without %q", p.about, want)
		}
	}
}

func TestSheetRefuses(t *testing.T) {
	patterns := array(t, make([]float32, 8), 2, 4)
	big := &Panel{Blocks: []Block{{Patterns: visualize.Patterns{Data: patterns}, GridOptions: GridOptions{Scale: 1 << 20}}}}
	wrong := &Panel{Blocks: []Block{{Label: "unit 7", Patterns: visualize.Patterns{Data: patterns, Shape: []int{3}}}}}
	for _, c := range []struct {
		want string
		rows [][]*Panel
	}{
		{"nothing to draw", nil},
		{"nothing to draw", [][]*Panel{{nil}, {}}},
		{"nothing to draw", [][]*Panel{{{Heading: "empty"}}}},
		{"unit 7: shape [3] does not hold 4 components", [][]*Panel{{wrong}}},
		{"larger than", [][]*Panel{{big}}},
	} {
		if _, err := Sheet("", c.rows...); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %q in one line", err, c.want)
		}
	}
	if _, err := Rows("", visualize.Patterns{Data: array(t, make([]float32, 8), 8)}, nil, GridOptions{}); err == nil || !strings.Contains(err.Error(), "[8], want [units") {
		t.Errorf("rows of one row: %v", err)
	}
	if _, err := Rows("", visualize.Patterns{Data: patterns, Units: []int{1}}, nil, GridOptions{}); err == nil || !strings.Contains(err.Error(), "1 units for patterns of 2") {
		t.Errorf("rows without numbers: %v", err)
	}
}

// The first patterns of the first units, in their rows.
func TestRows(t *testing.T) {
	data := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	all := visualize.Patterns{Data: array(t, data, 2, 3, 2), Shape: []int{1, 2}, Units: []int{5, 8}, Missing: []bool{false, true}}
	shown, err := all.First(9, 2)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Rows("h", shown, Numbered(3), GridOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := p.Blocks[0]
	if got := b.Patterns.Data.Float32s(); !equal(got, []float32{1, 2, 3, 4, 7, 8, 9, 10}) || b.Columns != 2 || b.Rows[1] != "unit 8" {
		t.Errorf("patterns %v in %d columns, rows %v", got, b.Columns, b.Rows)
	}
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestRowsOfUnits(t *testing.T) {
	for _, c := range []struct {
		units   []int
		columns int
		want    string
	}{
		{[]int{0, 1, 2, 3, 4}, 3, "0–2 3–4"},
		{[]int{7}, 1, "7"},
		{[]int{10, 11, 40, 41}, 2, "10–11 40–41"},
		{[]int{1, 3, 5, 7}, 2, ""},
	} {
		if got := strings.Join(rowsOfUnits(c.units, c.columns), " "); got != c.want {
			t.Errorf("%v in %d columns: %q, want %q", c.units, c.columns, got, c.want)
		}
	}
}

// A note makes a picture higher, and changes nothing above it.
func TestPictureNote(t *testing.T) {
	draw := func(notes ...string) (*Picture, *image.Gray) {
		p, err := Sheet("filters", []*Panel{Units("layer 1", visualize.Patterns{Name: "filters", Data: array(t, make([]float32, 36), 4, 9), Shape: []int{3, 3}, Units: []int{0, 1, 2, 3}}, GridOptions{})})
		if err != nil {
			t.Fatal(err)
		}
		p.Note(notes...)
		return p, p.Image().(*image.Gray)
	}
	_, plain := draw()
	long := strings.Repeat("Layer 2 is made of duplicates. ", 8)
	p, noted := draw("Layer 1 has learned nothing.", long)
	if noted.Rect.Dx() != plain.Rect.Dx() || noted.Rect.Dy() <= plain.Rect.Dy() || !bytes.Equal(noted.Pix[:(plain.Rect.Dy()-margin)*plain.Stride], plain.Pix[:(plain.Rect.Dy()-margin)*plain.Stride]) {
		t.Errorf("%v with notes, %v without, or the picture is another", noted.Rect, plain.Rect)
	}
	for y := plain.Rect.Dy() - margin; y < noted.Rect.Dy(); y++ {
		for x := range noted.Rect.Dx() {
			if edge := x < margin-1 || x > noted.Rect.Dx()-margin || y > noted.Rect.Dy()-margin; edge && noted.GrayAt(x, y).Y != 255 {
				t.Fatalf("a note reaches into the margin at %d, %d", x, y)
			}
		}
	}
	var svg bytes.Buffer
	if err := p.WriteSVG(&svg); err != nil || !strings.Contains(svg.String(), ">Layer 1 has learned nothing.</text>") || !strings.Contains(svg.String(), " Layer 1 has learned nothing. Layer 2 ") {
		t.Errorf("%v, %s", err, svg.String())
	}
	if again, _ := draw(); again.Size() != plain.Rect.Max {
		t.Errorf("no notes make it %v", again.Size())
	}
}

func TestPictureRefuses(t *testing.T) {
	if _, err := newPicture("", image.Pt(1<<20, 1<<20), nil); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge picture: %v", err)
	}
	l, err := newLetters()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPicture("", image.Pt(9, 9), l)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WriteSVG(full{}); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("on a full disk: %v", err)
	}
}
