package chart

import (
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes of text, in points.
const titleSize, labelSize, tickSize = 11, 10, 9

// faint is of the lines behind the data. It is black that lets through what is
// behind it, and so is the colour of text in a page.
var faint = color.NRGBA{A: 40}

// colour is of look i, counted from 0: blue, vermillion, bluish green and reddish purple of
// Okabe and Ito's palette, whose yellow and light blue would be lost on white,
// and a grey.
func colour(i int) color.NRGBA {
	colours := [...]color.NRGBA{
		{0x00, 0x72, 0xB2, 255}, {0xD5, 0x5E, 0x00, 255}, {0x00, 0x9E, 0x73, 255}, {0xCC, 0x79, 0xA7, 255}, {0x80, 0x80, 0x80, 255},
	}
	return colours[i%len(colours)]
}

func lineStyle(i int) draw.LineStyle {
	dashes := [...][]vg.Length{nil, {vg.Points(5), vg.Points(2)}, {vg.Points(1.5), vg.Points(1.5)}, {vg.Points(6), vg.Points(2), vg.Points(1.5), vg.Points(2)}}
	return draw.LineStyle{Color: colour(i), Width: vg.Points(1.4), Dashes: dashes[i/5%len(dashes)]}
}

// textStyle is another style in our font and this size.
func textStyle(size float64, s text.Style) text.Style {
	s.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
	return s
}

// fit cuts text that is wider than there is room for.
func fit(words string, style text.Style, room vg.Length) string {
	if style.Width(words) <= room {
		return words
	}
	letters := []rune(words)
	low, high := 0, len(letters)
	for low < high {
		middle := (low + high + 1) / 2
		if style.Width(string(letters[:middle])+"…") <= room {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return string(letters[:low]) + "…"
}
