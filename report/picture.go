package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"strings"
	"unicode/utf8"
)

// Picture is tiles, colours and text in their places, which can be written as
// PNG, pixel by pixel, and as SVG, where tiles are pixels of their own that
// scale without blur and text is text. Both have the same layout, black on
// white.
type Picture struct {
	title   string      // the picture in a few words
	about   string      // what it shows, and on what scale
	size    image.Point // in pixels
	blocks  []block
	images  []placed
	words   []label
	letters *letters
}

// block is a rectangle of one colour.
type block struct {
	at    image.Rectangle
	color color.Color
}

// placed is an image drawn so many times as large along each side.
type placed struct {
	img   image.Image
	at    image.Point // top left corner
	scale image.Point
}

// label is a line of text. at is where its baseline begins (of text upwards:
// where it begins at the bottom).
type label struct {
	text    string
	size    int // of the letters, in pixels
	at      image.Point
	anchor  anchor
	upwards bool
}

// anchor is which part of a text lies at its place.
type anchor int

const (
	start anchor = iota
	middle
	end
)

// name is the anchor in SVG.
func (a anchor) name() string { return [...]string{"start", "middle", "end"}[a] }

// Note writes more lines below all that a picture shows, broken where they are too long
// for it.
func (p *Picture) Note(texts ...string) {
	for _, text := range texts {
		baseline := p.size.Y - margin + labelGap + p.letters.ascent(labelSize)
		for _, line := range p.letters.wrap(text, labelSize, p.size.X-2*margin) {
			p.write(line, labelSize, image.Pt(margin, baseline), start)
			baseline += p.letters.line(labelSize)
			p.size.Y += p.letters.line(labelSize)
		}
		p.size.Y += labelGap
		p.about = strings.TrimSpace(p.about + " " + text)
	}
}

// maxPixels is the largest picture that is drawn: 64 million pixels.
const maxPixels = 1 << 26

// newPicture is an empty picture.
func newPicture(title string, size image.Point, l *letters) (*Picture, error) {
	if size.X < 1 || size.Y < 1 || size.X > maxPixels || size.Y > maxPixels/size.X {
		return nil, fmt.Errorf("the picture would be %dx%d, larger than %d pixels; a smaller scale or fewer units may help", size.X, size.Y, maxPixels)
	}
	return &Picture{title: title, size: size, letters: l}, nil
}

// Size is of the picture, in pixels.
func (p *Picture) Size() image.Point { return p.size }

func (p *Picture) fill(at image.Rectangle, c color.Color) {
	p.blocks = append(p.blocks, block{at, c})
}

func (p *Picture) place(img image.Image, at, scale image.Point) {
	p.images = append(p.images, placed{img, at, scale})
}

// write puts text whose letters are so many pixels high at a place.
func (p *Picture) write(text string, size int, at image.Point, a anchor) {
	if text != "" {
		p.words = append(p.words, label{text: text, size: size, at: at, anchor: a})
	}
}

// writeUpwards puts text that runs from below to above.
func (p *Picture) writeUpwards(text string, size int, at image.Point, a anchor) {
	p.words = append(p.words, label{text: text, size: size, at: at, anchor: a, upwards: true})
}

// Image draws the picture: grey if all of it is, else in colour.
func (p *Picture) Image() image.Image {
	var img draw.Image = image.NewRGBA(image.Rectangle{Max: p.size})
	if p.grey() {
		img = image.NewGray(image.Rectangle{Max: p.size})
	}
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for _, b := range p.blocks {
		draw.Draw(img, b.at, image.NewUniform(b.color), image.Point{}, draw.Src)
	}
	for _, i := range p.images {
		i.draw(img)
	}
	for _, w := range p.words {
		p.letters.draw(img, w)
	}
	return img
}

// grey is true if the picture has no colours.
func (p *Picture) grey() bool {
	for _, b := range p.blocks {
		if _, ok := b.color.(color.Gray); !ok {
			return false
		}
	}
	for _, i := range p.images {
		if _, ok := i.img.(*image.Gray); !ok {
			return false
		}
	}
	return true
}

// draw draws each pixel of an image as a rectangle. A grey picture holds grey
// images only.
func (i placed) draw(img draw.Image) {
	b := i.img.Bounds()
	flat, isFlat := img.(*image.Gray)
	for y := range b.Dy() {
		for x := range b.Dx() {
			corner := i.at.Add(image.Pt(x*i.scale.X, y*i.scale.Y))
			r := image.Rectangle{Min: corner, Max: corner.Add(i.scale)}
			if isFlat {
				fill(flat, r, i.img.(*image.Gray).GrayAt(b.Min.X+x, b.Min.Y+y).Y)
				continue
			}
			draw.Draw(img, r, image.NewUniform(i.img.At(b.Min.X+x, b.Min.Y+y)), image.Point{}, draw.Src)
		}
	}
}

// WritePNG writes the picture as PNG.
func (p *Picture) WritePNG(w io.Writer) error { return WritePNG(w, p.Image()) }

// WriteSVG writes the picture as SVG, 1 unit per pixel.
func (p *Picture) WriteSVG(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\" font-family=\"%s\">\n",
		p.size.X, p.size.Y, p.size.X, p.size.Y, escape(p.title), fontFamily)
	fmt.Fprintf(&b, "<title>%s</title>\n<desc>%s</desc>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", escape(p.title), escape(p.about), p.size.X, p.size.Y)
	for _, k := range p.blocks {
		fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n", k.at.Min.X, k.at.Min.Y, k.at.Dx(), k.at.Dy(), hex(k.color))
	}
	encoder := &png.Encoder{CompressionLevel: png.BestCompression, BufferPool: new(pngBuffer)}
	for _, i := range p.images {
		if err := i.writeSVG(&b, encoder); err != nil {
			return fmt.Errorf("write picture: %w", err)
		}
	}
	for _, t := range p.words {
		turn := ""
		if t.upwards {
			turn = fmt.Sprintf(" transform=\"rotate(-90 %d %d)\"", t.at.X, t.at.Y)
		}
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" font-size=\"%d\" text-anchor=\"%s\"%s>%s</text>\n", t.at.X, t.at.Y, t.size, t.anchor.name(), turn, escape(t.text))
	}
	b.WriteString("</svg>\n")
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("write picture: %w", err)
	}
	return nil
}

// writeSVG writes an image with its own pixels, for the viewer to enlarge. What
// does not know image-rendering's newer value takes the older one.
func (i placed) writeSVG(b *bytes.Buffer, encoder *png.Encoder) error {
	var file bytes.Buffer
	if err := encoder.Encode(&file, i.img); err != nil {
		return err
	}
	size := i.img.Bounds().Size()
	fmt.Fprintf(b, "<image x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" preserveAspectRatio=\"none\" style=\"image-rendering:optimizeSpeed;image-rendering:pixelated\" xlink:href=\"data:image/png;base64,%s\"/>\n",
		i.at.X, i.at.Y, size.X*i.scale.X, size.Y*i.scale.Y, base64.StdEncoding.EncodeToString(file.Bytes()))
	return nil
}

// pngBuffer is what an encoder keeps from one small image to the next.
type pngBuffer struct{ kept *png.EncoderBuffer }

// Get and Put implement png.EncoderBufferPool.
func (p *pngBuffer) Get() *png.EncoderBuffer  { return p.kept }
func (p *pngBuffer) Put(b *png.EncoderBuffer) { p.kept = b }

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

// escape makes text fit for XML, which has no control characters.
func escape(text string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xFFFE || r == 0xFFFF {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD")))
}

// WritePNG writes an image as PNG, as small as the format makes it.
func WritePNG(w io.Writer, img image.Image) error {
	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&file, img); err != nil {
		return fmt.Errorf("write picture: %w", err)
	}
	if _, err := file.WriteTo(w); err != nil {
		return fmt.Errorf("write picture: %w", err)
	}
	return nil
}

// fill colours a rectangle, which must lie within the image.
func fill(img *image.Gray, r image.Rectangle, grey uint8) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		line := img.Pix[img.PixOffset(r.Min.X, y):img.PixOffset(r.Max.X, y)]
		for i := range line {
			line[i] = grey
		}
	}
}
