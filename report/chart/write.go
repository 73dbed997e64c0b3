package chart

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Format is a kind of file.
type Format int

const (
	Inline Format = iota // an <svg> element for an HTML page, see the package
	SVG                  // an SVG file, black on white
	PNG                  // a PNG file, black on white, 2 pixels per point
)

// dotsPerInch is of PNG files.
const dotsPerInch = 144

// The space around everything, and between a legend's entries, in points.
const margin, legendGap, legendMark = 6, 14, 18

// maxPlots is how many plots one picture can have.
const maxPlots = 400

// Figure is plots in rows of so many columns, each as large as its axes say,
// aligned to each other. Above them are the title, if it is not empty, and one
// legend for all; a single plot's own title is that of the whole.
type Figure struct {
	Title   string
	Columns int // 0 is as many as there are plots
	Plots   []*Plot
}

// WritePNG writes the figure as a PNG file.
func (g *Figure) WritePNG(w io.Writer) error { return g.Write(w, PNG) }

// WriteSVG writes the figure as an SVG file.
func (g *Figure) WriteSVG(w io.Writer) error { return g.Write(w, SVG) }

// Write writes the figure in a format.
func (g *Figure) Write(w io.Writer, f Format) error {
	s, err := newSheet(f, line(g.Title), g.Columns, g.Plots)
	if err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	var file bytes.Buffer
	switch f {
	case PNG:
		canvas := vgimg.NewWith(vgimg.UseWH(s.width, s.height), vgimg.UseDPI(dotsPerInch))
		s.draw(draw.New(canvas))
		if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(&file); err != nil {
			return fmt.Errorf("chart: %w", err)
		}
	default:
		canvas := vgsvg.New(s.width, s.height)
		s.draw(draw.New(canvas))
		var raw bytes.Buffer
		if _, err := canvas.WriteTo(&raw); err != nil {
			return fmt.Errorf("chart: %w", err)
		}
		s.rewrite(&file, raw.String(), f)
	}
	if _, err := file.WriteTo(w); err != nil {
		return fmt.Errorf("write chart: %w", err)
	}
	return nil
}

// sheet is plots in their places.
type sheet struct {
	title         string
	plots         []*Plot
	rows, columns int
	legend        [][]entry // in lines
	header        vg.Length // height of title and legend
	width, height vg.Length
	style         text.Style // of the legend
}

func newSheet(f Format, title string, columns int, plots []*Plot) (*sheet, error) {
	if f < Inline || f > PNG {
		return nil, fmt.Errorf("format %d: there is no such kind of file", f)
	}
	if len(plots) < 1 || len(plots) > maxPlots || columns < 0 {
		return nil, fmt.Errorf("%d plots in %d columns, want 1 to %d in at least 1", len(plots), columns, maxPlots)
	}
	if columns == 0 {
		columns = len(plots)
	}
	s := &sheet{title: title, plots: plots, columns: min(columns, len(plots))}
	s.rows = (len(plots) + s.columns - 1) / s.columns
	if len(plots) == 1 && title == "" {
		s.title = plots[0].axes.Title
	}
	wide, high := 0.0, 0.0
	for _, p := range plots {
		wide, high = max(wide, p.axes.Width), max(high, p.axes.Height)
	}
	s.width, s.height = vg.Points(wide)*vg.Length(s.columns), vg.Points(high)*vg.Length(s.rows)
	if s.width > vg.Points(maxSide) || s.height > vg.Points(maxSide) {
		return nil, fmt.Errorf("%d plots take %g by %g points, more than %d; fewer or smaller ones may fit", len(plots), s.width.Points(), s.height.Points(), maxSide)
	}
	s.style = textStyle(labelSize, plots[0].plot.Legend.TextStyle)
	s.style.Color, s.style.XAlign, s.style.YAlign = plots[0].plot.Title.TextStyle.Color, draw.XLeft, draw.YTop
	s.layOutHeader()
	return s, nil
}

// layOutHeader breaks the legend into lines. Of several plots, each has as much
// room as it asks for below the header; one alone shares its own with it.
func (s *sheet) layOutHeader() {
	if s.title != "" {
		s.header = vg.Points(titleSize * 1.5)
	}
	room, used := s.width-vg.Points(2*margin), vg.Length(0)
	for _, e := range s.shared() {
		e.name = fit(e.name, s.style, room-vg.Points(legendMark+4))
		wide := vg.Points(legendMark+4+legendGap) + s.style.Width(e.name)
		if len(s.legend) == 0 || used+wide-vg.Points(legendGap) > room {
			s.legend, used = append(s.legend, nil), 0
		}
		last := len(s.legend) - 1
		s.legend[last] = append(s.legend[last], e)
		used += wide
	}
	s.header += vg.Length(len(s.legend)) * vg.Points(labelSize*1.4)
	if len(s.plots) > 1 || s.header > s.height/3 {
		s.height += s.header
	}
}

// shared is the legend of all plots together: each name once.
func (s *sheet) shared() (all []entry) {
	seen := map[entry]bool{}
	for _, p := range s.plots {
		for _, e := range p.legend {
			if !seen[e] {
				all, seen[e] = append(all, e), true
			}
		}
	}
	return all
}

func (s *sheet) draw(c draw.Canvas) {
	s.drawHeader(c)
	c = draw.Crop(c, 0, 0, 0, -s.header)
	grid := make([][]*plot.Plot, s.rows)
	for i := range grid {
		grid[i] = make([]*plot.Plot, s.columns)
	}
	for i, p := range s.plots {
		grid[i/s.columns][i%s.columns] = p.plot
	}
	pad := vg.Points(margin)
	tiles := draw.Tiles{Rows: s.rows, Cols: s.columns, PadX: 2 * pad, PadY: 2 * pad, PadTop: pad, PadBottom: pad, PadLeft: pad, PadRight: pad}
	if len(s.plots) > 1 {
		tiles.PadTop += vg.Points(titleSize)
		tiles.PadY += vg.Points(titleSize)
	}
	aligned := plot.Align(grid, tiles, c)
	for i, p := range s.plots {
		at := aligned[i/s.columns][i%s.columns]
		p.plot.Draw(at)
		if len(s.plots) > 1 {
			s.drawTitle(p, p.plot.DataCanvas(at))
		}
	}
}

// drawTitle writes a plot's title above its data. (gonum would write it at an
// edge of the plot, which differs from plot to plot of a row.)
func (s *sheet) drawTitle(p *Plot, data draw.Canvas) {
	style := textStyle(titleSize, s.style)
	style.XAlign, style.YAlign = draw.XCenter, draw.YBottom
	c := draw.NewCanvas(data.Canvas, s.width, s.height)
	c.FillText(style, vg.Point{X: data.Center().X, Y: data.Max.Y + vg.Points(4)}, fit(p.axes.Title, style, vg.Points(p.axes.Width-2*margin)))
}

func (s *sheet) drawHeader(c draw.Canvas) {
	x, y := c.Min.X+vg.Points(margin), c.Max.Y-vg.Points(margin/2)
	if s.title != "" {
		style := textStyle(titleSize, s.style)
		c.FillText(style, vg.Point{X: x, Y: y}, fit(s.title, style, s.width-vg.Points(2*margin)))
		y -= vg.Points(titleSize * 1.5)
	}
	for _, entries := range s.legend {
		at := x
		for _, e := range entries {
			middle := y - vg.Points(labelSize*0.62)
			if e.line {
				c.StrokeLine2(lineStyle(e.look), at, middle, at+vg.Points(legendMark), middle)
			} else {
				left, right, half := at+vg.Points(legendMark/2), at+vg.Points(legendMark), vg.Points(3.5)
				c.FillPolygon(colour(e.look), []vg.Point{{X: left, Y: middle - half}, {X: right, Y: middle - half}, {X: right, Y: middle + half}, {X: left, Y: middle + half}})
			}
			c.FillText(s.style, vg.Point{X: at + vg.Points(legendMark+4), Y: y}, e.name)
			at += vg.Points(legendMark+4+legendGap) + s.style.Width(e.name)
		}
		y -= vg.Points(labelSize * 1.4)
	}
}

// about is what the picture shows, in words.
func (s *sheet) about() string {
	var texts []string
	for _, p := range s.plots {
		text := p.about
		if len(s.plots) > 1 && p.axes.Title != "" {
			text = p.axes.Title + ": " + text
		}
		texts = append(texts, text)
	}
	return shorten(texts)
}

// rewrite makes of gonum's SVG one that fits into any page: no styles but
// attributes, black as the colour of text, fonts that are there.
func (s *sheet) rewrite(out *bytes.Buffer, raw string, f Format) {
	background := ""
	if f == SVG {
		out.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
		background = "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
	}
	title := orElse(s.title, "Chart")
	fmt.Fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.5gpt\" height=\"%.5gpt\" viewBox=\"0 0 %.5g %.5g\" role=\"img\" aria-label=\"%s\" fill=\"currentColor\" font-family=\"%s\">\n",
		s.width.Points(), s.height.Points(), s.width.Points(), s.height.Points(), html.EscapeString(title), fontFamily)
	fmt.Fprintf(out, "<title>%s</title>\n<desc>%s</desc>\n%s", html.EscapeString(title), html.EscapeString(s.about()), background)
	// What comes first is the <svg> element of gonum.
	_, body, _ := strings.Cut(raw, "<g ")
	out.WriteString(styles.ReplaceAllStringFunc("<g "+body, attributes))
}

// fontFamily is what gonum has measured the text in, or one of the same widths.
const fontFamily = "Liberation Sans, Arial, Helvetica, sans-serif"

// styles finds the style attributes. Text can't be taken for one, because its
// quotes are escaped.
var styles = regexp.MustCompile(`style="[^"]*"`)

// attributes is a style attribute as attributes of their own.
func attributes(style string) string {
	var kept []string
	for declaration := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(style, `style="`), `"`), ";") {
		name, value, _ := strings.Cut(declaration, ":")
		switch {
		case name == "" || strings.HasPrefix(name, "font-") && name != "font-size":
			continue
		case value == "#000000":
			value = "currentColor"
		}
		kept = append(kept, fmt.Sprintf(`%s="%s"`, name, value))
	}
	return strings.Join(kept, " ")
}
