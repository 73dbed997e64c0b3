package report

import (
	"fmt"
	"image"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// letterSize is the size of headings, in pixels.
const letterSize = 20

// letters draws headings in the Go font.
type letters struct {
	face font.Face
}

func newLetters() (*letters, error) {
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("font of headings: %w", err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: letterSize, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return nil, fmt.Errorf("font of headings: %w", err)
	}
	return &letters{face: face}, nil
}

// width is how many pixels a heading takes.
func (l *letters) width(text string) int { return font.MeasureString(l.face, text).Ceil() }

// height is of a heading with the gap below it.
func (l *letters) height() int {
	m := l.face.Metrics()
	return m.Ascent.Ceil() + m.Descent.Ceil() + letterSize/4
}

// draw writes a heading in black, with its top left corner at the given point.
func (l *letters) draw(img draw.Image, corner image.Point, text string) {
	d := font.Drawer{
		Dst: img, Src: image.Black, Face: l.face,
		Dot: fixed.P(corner.X, corner.Y+l.face.Metrics().Ascent.Ceil()),
	}
	d.DrawString(text)
}
