package report

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font/liberation"
)

// Sizes of text, in pixels: of headings, and of labels and notes.
const headingSize, labelSize = 18, 12

// fontFamily is for SVG: the font of PNG, or one whose letters are as wide.
const fontFamily = "Liberation Sans, Arial, Helvetica, sans-serif"

// letters draws and measures text in Liberation Sans, the font of charts too.
type letters struct {
	faces map[int]font.Face // by size
}

func newLetters() (*letters, error) {
	for _, f := range liberation.Collection() {
		if f.Font.Variant == "Sans" && f.Font.Style == font.StyleNormal && f.Font.Weight == font.WeightNormal {
			l := &letters{faces: map[int]font.Face{}}
			for _, size := range []int{headingSize, labelSize} {
				face, err := opentype.NewFace(f.Face, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingFull})
				if err != nil {
					return nil, fmt.Errorf("font of size %d: %w", size, err)
				}
				l.faces[size] = face
			}
			return l, nil
		}
	}
	return nil, errors.New("the font Liberation Sans is missing")
}

// width is how many pixels a text takes.
func (l *letters) width(text string, size int) int {
	return font.MeasureString(l.faces[size], text).Ceil()
}

// widest is of several texts.
func (l *letters) widest(texts []string, size int) (wide int) {
	for _, t := range texts {
		wide = max(wide, l.width(t, size))
	}
	return wide
}

// ascent is how far letters reach above their baseline.
func (l *letters) ascent(size int) int { return l.faces[size].Metrics().Ascent.Ceil() }

// line is from one baseline to the next.
func (l *letters) line(size int) int {
	m := l.faces[size].Metrics()
	return m.Ascent.Ceil() + m.Descent.Ceil() + size/4
}

// wrap breaks text into lines that are no wider than there is room for, unless
// a single word is.
func (l *letters) wrap(text string, size, room int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && l.width(longer, size) > room {
			lines, longer = append(lines, line), word
		}
		line = longer
	}
	return append(lines, line)
}

// draw writes black text.
func (l *letters) draw(img draw.Image, w label) {
	width := l.width(w.text, w.size)
	before := [...]int{0, width / 2, width}[w.anchor]
	if !w.upwards {
		d := font.Drawer{Dst: img, Src: image.Black, Face: l.faces[w.size], Dot: fixed.P(w.at.X-before, w.at.Y)}
		d.DrawString(w.text)
		return
	}
	ascent := l.ascent(w.size)
	flat := image.NewGray(image.Rect(0, 0, width, l.line(w.size)))
	fill(flat, flat.Rect, paper)
	d := font.Drawer{Dst: flat, Src: image.Black, Face: l.faces[w.size], Dot: fixed.P(0, ascent)}
	d.DrawString(w.text)
	for y := range flat.Rect.Dy() {
		for x := range width {
			img.Set(w.at.X-ascent+y, w.at.Y+before-x, flat.GrayAt(x, y))
		}
	}
}
