package report

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// note explains a scale.
type note struct {
	scale scaleKind
	whats []string
}

// scaleKind is all that an explanation depends on.
type scaleKind struct {
	ranged    bool // from low to high
	low, high float32
	global    bool
	m         string // of a global scale
	radius    float64
	colour    bool
	faint     float64 // the scale of tiles that are next to nothing; 0 for none
	about     string  // of the tile
}

// note takes in how a block is drawn.
func (s *sheet) note(b *Block, t *tiles) {
	p := b.Patterns
	for i := range t.n {
		s.dead = s.dead || p.IsMissing(i)
	}
	kind := scaleKind{ranged: t.ranged, low: p.Low, high: p.High, global: b.Global && !t.ranged, radius: p.Radius, colour: t.Colour, faint: t.faint, about: t.About()}
	if kind.global {
		kind.m = fmt.Sprintf("%.3g", t.largest[0])
	}
	for i, n := range s.notes {
		if n.scale != kind {
			continue
		}
		for _, what := range n.whats {
			if what == p.Name {
				return
			}
		}
		s.notes[i].whats = append(n.whats, p.Name)
		return
	}
	s.notes = append(s.notes, note{kind, []string{p.Name}})
}

// ends are the numbers at the ends of the scale.
func (k scaleKind) ends() (low, high string) {
	switch {
	case k.ranged:
		return number(k.low), number(k.high)
	case k.global:
		return "−" + k.m, "+" + k.m
	}
	return "−m", "+m"
}

func number(x float32) string {
	return strings.Replace(fmt.Sprintf("%.3g", x), "-", "−", 1)
}

// text explains the scale in words.
func (n note) text() string {
	low, high := n.scale.ends()
	text := strings.Join(n.whats, ", ") + ": "
	if first, size := utf8.DecodeRuneInString(text); size > 0 {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	black, white := "black", "white"
	if n.scale.colour {
		black, white = "dark", "bright"
	}
	switch {
	case n.scale.ranged:
		text += fmt.Sprintf("%s is %s, %s is %s.", black, low, white, high)
	case n.scale.global:
		text += fmt.Sprintf("grey is 0, %s %s and %s %s, the largest |component| of all tiles.", black, low, white, high)
	default:
		text += fmt.Sprintf("grey is 0, %s −m and %s +m, with m the largest |component| of each tile.", black, white) + n.scale.faintText()
	}
	if n.scale.about != "" {
		text += " " + n.scale.about
	}
	if n.scale.radius > 0 {
		text += fmt.Sprintf(" Every pattern has the norm ρ = %.4g.", n.scale.radius)
	}
	return text
}

// deadNote explains the cross.
const deadNote = "Tile with a cross: nothing was found for the unit."

// notesText breaks the notes into lines.
func (s *sheet) notesText(room int) notes {
	n := notes{letters: s.letters}
	for _, item := range s.notes {
		low, high := item.scale.ends()
		bar := s.letters.width(low, labelSize) + barLength + s.letters.width(high, labelSize) + 2*labelGap
		n.items = append(n.items, noteLines{low, high, bar, s.letters.wrap(item.text(), labelSize, room-bar-2*labelGap), item.text()})
	}
	if s.dead {
		n.items = append(n.items, noteLines{lines: []string{deadNote}, text: deadNote})
	}
	for _, item := range n.items {
		n.height += len(item.lines)*s.letters.line(labelSize) + labelGap
	}
	return n
}

// barLength and barHeight are of the grey scale in a note, in pixels.
const barLength, barHeight = 64, 10

// notes are the notes in lines.
type notes struct {
	letters *letters
	items   []noteLines
	height  int
}

type noteLines struct {
	low, high string // at the ends of the bar; "" for no bar
	bar       int    // width of the bar with its ends
	lines     []string
	text      string
}

func (n notes) draw(p *Picture, at image.Point) {
	var about []string
	for _, item := range n.items {
		baseline := at.Y + n.letters.ascent(labelSize)
		x := at.X
		if item.low != "" {
			bar := image.Pt(at.X+n.letters.width(item.low, labelSize)+labelGap, baseline-barHeight+1)
			p.write(item.low, labelSize, image.Pt(at.X, baseline), start)
			p.fill(image.Rectangle{Max: image.Pt(barLength, barHeight)}.Add(bar).Inset(-1), color.Gray{gapGrey})
			p.place(greyRamp(), bar, image.Pt(1, barHeight))
			p.write(item.high, labelSize, image.Pt(bar.X+barLength+labelGap, baseline), start)
			x += item.bar + 2*labelGap
		}
		for _, line := range item.lines {
			p.write(line, labelSize, image.Pt(x, baseline), start)
			baseline += n.letters.line(labelSize)
		}
		at.Y += len(item.lines)*n.letters.line(labelSize) + labelGap
		about = append(about, item.text)
	}
	p.about = strings.Join(about, " ")
}

// greyRamp runs from black to white as tiles do.
func greyRamp() *image.Gray {
	img := image.NewGray(image.Rect(0, 0, barLength, 1))
	for x := range barLength {
		img.Pix[x] = uint8(1 + math.Round(254*float64(x)/(barLength-1)))
	}
	return img
}
