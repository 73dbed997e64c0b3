package photo

import (
	"image"
	"slices"
)

// white is what transparent pixels are laid on, and the highest level.
const white = 0xffff

// read takes the luminances of a picture's pixels (ITU-R BT.601, as in JPEG).
func (p *Picture) read(img image.Image, kind format) {
	b := img.Bounds()
	p.Levels = make([]uint16, 0, b.Dx()*b.Dy())
	switch img := img.(type) {
	case *image.YCbCr:
		p.Coloured = hasColour(img)
	case *image.NYCbCrA:
		p.Coloured = hasColour(&img.YCbCr)
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		switch img := img.(type) {
		case *image.Gray:
			p.appendBytes(img.Pix[img.PixOffset(b.Min.X, y):][:b.Dx()], kind.level)
		case *image.YCbCr: // its first plane is the luminance
			p.appendBytes(img.Y[img.YOffset(b.Min.X, y):][:b.Dx()], kind.level)
		case *image.NYCbCrA:
			p.appendBytes(img.Y[img.YOffset(b.Min.X, y):][:b.Dx()], kind.level)
			p.layOnWhite(img.A[img.AOffset(b.Min.X, y):][:b.Dx()])
		default:
			p.appendGreys(img.(image.RGBA64Image), y) // as all of the decoders' are
		}
	}
}

// level is the grey level that a byte of a luminance stands for. Black and white
// are 16 and 235 in WebP, as in video.
func (f format) level(v byte) uint16 {
	if f.name == "WebP" {
		return uint16((max(0, min(219, int(v)-16))*white + 109) / 219)
	}
	return uint16(v) * 0x101
}

func (p *Picture) appendBytes(line []byte, level func(byte) uint16) {
	for _, v := range line {
		p.Levels = append(p.Levels, level(v))
	}
}

// layOnWhite lays the last pixels, which are this opaque, on white.
func (p *Picture) layOnWhite(opaque []byte) {
	line := p.Levels[len(p.Levels)-len(opaque):]
	for i, a := range opaque {
		if a != 0xff {
			p.sawThrough(a == 0)
			line[i] = uint16((uint32(line[i])*uint32(a) + white*(0xff-uint32(a)) + 127) / 0xff)
		}
	}
}

// sawThrough keeps that a pixel is transparent, wholly or in part.
func (p *Picture) sawThrough(wholly bool) {
	p.Transparent = true
	if wholly {
		p.unseen++
	}
}

func (p *Picture) appendGreys(img image.RGBA64Image, y int) {
	for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
		c := img.RGBA64At(x, y)
		sum := 19595*uint32(c.R) + 38470*uint32(c.G) + 7471*uint32(c.B)
		level := uint16((sum + 1<<15) >> 16)
		if c.A != white { // the colours are weighted by it already
			p.sawThrough(c.A == 0)
			level += white - c.A
		}
		p.Levels = append(p.Levels, level)
		p.Coloured = p.Coloured || c.R != c.G || c.G != c.B
	}
}

// hasColour says whether any pixel differs from grey, which is 128 in both
// planes of colour.
func hasColour(img *image.YCbCr) bool {
	coloured := func(v byte) bool { return v != 128 }
	return slices.ContainsFunc(img.Cb, coloured) || slices.ContainsFunc(img.Cr, coloured)
}
