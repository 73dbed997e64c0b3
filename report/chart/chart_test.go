package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

// drawing is a chart to draw in any format.
type drawing struct {
	name string
	draw func(w io.Writer, f Format) error
}

func sine(name string, n int, shift float64) Series {
	s := Series{Name: name}
	for i := range n {
		x := float64(i) / 10
		s.X, s.Y = append(s.X, x), append(s.Y, math.Sin(x+shift)*math.Exp(-x/10))
	}
	return s
}

// write writes a plot that was made, alone.
func write(w io.Writer, f Format) func(*Plot, error) error {
	return func(p *Plot, err error) error {
		if err != nil {
			return err
		}
		return (&Figure{Plots: []*Plot{p}}).Write(w, f)
	}
}

func drawings() []drawing {
	nan := math.NaN()
	gaps := sine("with <gaps> & \"quotes\" stroke:#000000", 60, 1)
	gaps.Y[20], gaps.X[30], gaps.Y[32], gaps.Y[40] = nan, math.Inf(1), nan, math.Inf(-1)
	curves := func(a Axes, s ...Series) func(io.Writer, Format) error {
		return func(w io.Writer, f Format) error { a.Format = f; return Curves(w, a, s) }
	}
	bars := func(a Axes, names []string, s ...Series) func(io.Writer, Format) error {
		return func(w io.Writer, f Format) error { a.Format = f; return Bars(w, a, names, s) }
	}
	histogram := func(a Axes, edges []float64, counts ...int) func(io.Writer, Format) error {
		return func(w io.Writer, f Format) error { return write(w, f)(NewHistogram(a, edges, counts)) }
	}
	var many []Series
	for i := range 14 {
		many = append(many, sine(fmt.Sprintf("series number %d", i), 100, float64(i)/4))
	}
	loss := Series{Name: "loss"}
	for i := range 50 {
		loss.X, loss.Y = append(loss.X, float64(i)), append(loss.Y, math.Exp(-float64(i)/8))
	}
	values := []float64{nan, math.Inf(1)}
	for i := range 1000 {
		values = append(values, math.Sin(float64(i))*2+float64(i%7)/2)
	}
	return []drawing{
		{"curves", curves(Axes{Title: "Decay & <oscillation>", X: "time, s", Y: "amplitude"}, sine("plain", 100, 0), gaps)},
		{"many", curves(Axes{Title: "A title that is much too long for the width of the picture and has to be cut somewhere", X: "x", Y: "y", Height: 320}, many...)},
		{"log", curves(Axes{Title: "Training", X: "epoch", Y: "loss", LogX: true, LogY: true}, loss)},
		{"one-point", curves(Axes{}, Series{X: []float64{3}, Y: []float64{0}})},
		{"large", curves(Axes{X: "step", Y: "rate"}, Series{Name: "a", X: []float64{1e6, 2e6, 5e6}, Y: []float64{1e-7, 3e-7, 2e-7}})},
		{"narrow-log", curves(Axes{LogX: true, LogY: true}, Series{Name: "a", X: []float64{2, 3, 9}, Y: []float64{100, 101, 102}})},
		{"bars", bars(Axes{Title: "Percentile", Y: "%"}, []string{"ascent", "combination", "samples"}, Series{Name: "DBN", Y: []float64{100, 95.7, 57.2}}, Series{Name: "SDAE", Y: []float64{100, nan, 3}})},
		{"bars-below", bars(Axes{Y: "gain"}, []string{"a long name of a method", "another one which is longer", "c", "d", "e", "f"}, Series{Y: []float64{-1, 2, 0.5, -3, 1, 1}})},
		{"bars-log", bars(Axes{Y: "rows/s", LogY: true}, []string{"go", "avx512"}, Series{Name: "digits", Y: []float64{120, 94000}}, Series{Name: "wide", Y: []float64{3, 2000}})},
		{"histogram", histogram(Axes{Title: "Activations", X: "activation", Y: "examples"}, []float64{-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5}, 3, 17, 120, 301, 88, 0, 2)},
		{"histogram-log", histogram(Axes{X: "activation", Y: "examples", LogY: true}, []float64{0, 0.25, 0.5, 0.75, 1}, 90000, 1, 0, 412)},
		{"dots", func(w io.Writer, f Format) error {
			return write(w, f)(NewDots(Axes{Y: "percentile"}, []string{"ascent", "mean of samples", "none"}, [][]float64{values[2:150], values[200:300], nil}))
		}},
		{"bars-numbers", bars(Axes{X: "modes"}, strings.Fields("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30"), Series{Y: values[2:32]})},
		{"panels", func(w io.Writer, f Format) error {
			var plots []*Plot
			for i := range 5 {
				p, err := NewCurves(Axes{Title: fmt.Sprintf("unit %d", i), X: "step", Y: "activation", Width: 200, Height: 140}, []Series{sine("maximum", 50, float64(i)), sine("minimum", 50, float64(i)+2)})
				if err != nil {
					return err
				}
				plots = append(plots, p)
			}
			return (&Figure{"Units of layer 2", 3, plots}).Write(w, f)
		}},
	}
}

// TestPictures also writes what it checks to the folder that UNITSCOPE_PICTURES
// names, for people to look at.
func TestPictures(t *testing.T) {
	for _, d := range drawings() {
		t.Run(d.name, func(t *testing.T) {
			for f, end := range map[Format]string{Inline: ".inline.svg", SVG: ".svg", PNG: ".png"} {
				var file, again bytes.Buffer
				if err := errors.Join(d.draw(&file, f), d.draw(&again, f)); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(file.Bytes(), again.Bytes()) {
					t.Errorf("%s: the same data gave other bytes", end)
				}
				if folder := os.Getenv("UNITSCOPE_PICTURES"); folder != "" {
					if err := os.WriteFile(filepath.Join(folder, "chart-"+d.name+end), file.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				switch f {
				case PNG:
					if _, err := png.Decode(&file); err != nil {
						t.Error(err)
					}
				default:
					checkSVG(t, file.String(), f == Inline)
				}
			}
		})
	}
}

// checkSVG makes sure that a chart is well-formed and can stand in a page.
func checkSVG(t *testing.T, text string, inline bool) {
	t.Helper()
	if inline && (!strings.HasPrefix(text, "<svg ") || strings.Contains(text, "#fff")) {
		t.Errorf("it begins with %.40q, or has a background", text)
	}
	in := xml.NewDecoder(strings.NewReader(text))
	seen := map[string]int{}
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		seen[element.Name.Local]++
		for _, a := range element.Attr {
			if a.Name.Local == "id" || a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
				t.Errorf("<%s> has an attribute %s", element.Name.Local, a.Name.Local)
			}
			if a.Value == "#000000" || strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Errorf("<%s> has %s=%q", element.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
	if seen["svg"] != 1 || seen["title"] != 1 || seen["desc"] != 1 || seen["path"] == 0 || seen["text"] == 0 || seen["script"]+seen["style"] > 0 {
		t.Errorf("its elements are %v", seen)
	}
	for _, want := range []string{`role="img"`, `viewBox="0 0 `, `fill="currentColor"`} {
		if !strings.Contains(text, want) {
			t.Errorf("it has no %s", want)
		}
	}
}

// A gap breaks a line in two, and a point between gaps is a dot.
func TestGaps(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name  string
		axes  Axes
		x, y  []float64
		sizes []int
	}{
		{"none", Axes{}, []float64{1, 2, 3}, []float64{1, 2, 3}, []int{3}},
		{"in the middle", Axes{}, []float64{1, 2, 3, 4, 5}, []float64{1, 2, nan, 3, 4}, []int{2, 2}},
		{"at the ends", Axes{}, []float64{nan, 2, 3, 4}, []float64{1, 2, 3, math.Inf(1)}, []int{2}},
		{"a dot", Axes{}, []float64{1, 2, 3}, []float64{nan, 2, nan}, []int{1}},
		{"zero on a logarithmic axis", Axes{LogY: true}, []float64{0, 1, 2, 3}, []float64{5, 0, 2, -3}, []int{1, 1}},
		{"zero on both", Axes{LogX: true, LogY: true}, []float64{0, 1, 2, 3}, []float64{5, 0, 2, 3}, []int{2}},
		{"beyond reason", Axes{}, []float64{1, 2, 3}, []float64{1e300, 2, 3}, []int{2}},
	} {
		var sizes []int
		for _, run := range c.axes.runs(Series{X: c.x, Y: c.y}) {
			sizes = append(sizes, len(run))
		}
		if fmt.Sprint(sizes) != fmt.Sprint(c.sizes) {
			t.Errorf("%s: runs of %v points, want %v", c.name, sizes, c.sizes)
		}
	}
}

func TestMistakes(t *testing.T) {
	one := []Series{{X: []float64{1}, Y: []float64{1}}}
	nan := math.NaN()
	histogram := func(a Axes, edges []float64, counts ...int) func() error {
		return func() error { return write(io.Discard, Inline)(NewHistogram(a, edges, counts)) }
	}
	for _, c := range []struct {
		want string
		draw func() error
	}{
		{`curves "loss": none of 0 series`, func() error { return Curves(io.Discard, Axes{Title: "loss"}, nil) }},
		{"none of 1 series has a point", func() error { return Curves(io.Discard, Axes{}, []Series{{X: []float64{1}, Y: []float64{nan}}}) }},
		{`series 1 of 1, "a": 2 values of x, 1 of y`, func() error {
			return Curves(io.Discard, Axes{}, []Series{{Name: "a", X: []float64{1, 2}, Y: []float64{1}}})
		}},
		{"10 by 260 points", func() error { return Curves(io.Discard, Axes{Width: 10}, one) }},
		{"NaN by 260 points", func() error { return Curves(io.Discard, Axes{Width: nan}, one) }},
		{"an axis from -1 to 1, which", func() error { return Curves(io.Discard, Axes{LogY: true, YLow: -1, YHigh: 1}, one) }},
		{"format 9", func() error { return Curves(io.Discard, Axes{Format: 9}, one) }},
		{"0 bins with 1 edges", histogram(Axes{}, []float64{1})},
		{"2 bins with 2 edges", histogram(Axes{}, []float64{1, 2}, 1, 1)},
		{"bin 1 from 2 to 2", histogram(Axes{}, []float64{1, 2, 2}, 1, 1)},
		{"bin 0 from 1 to NaN", histogram(Axes{}, []float64{1, nan}, 1)},
		{"bin 0 has -1 values", histogram(Axes{}, []float64{1, 2}, -1)},
		{"0 values in bins up to 2", histogram(Axes{}, []float64{1, 2}, 0)},
		{"1 values in bins up to +Inf", histogram(Axes{}, []float64{1, math.Inf(1)}, 1)},
		{"the axis of bins can't be logarithmic", histogram(Axes{LogX: true}, []float64{1, 2}, 1)},
		{"0 names", func() error { return Bars(io.Discard, Axes{}, nil, one) }},
		{"1 numbers for 2 names", func() error { return Bars(io.Discard, Axes{}, []string{"a", "b"}, one) }},
		{"can't be logarithmic", func() error { return Bars(io.Discard, Axes{LogX: true}, []string{"a"}, one) }},
		{"none of 0 series has a number", func() error { return Bars(io.Discard, Axes{}, []string{"a"}, nil) }},
		{"2 names for 1 groups", func() error {
			return write(io.Discard, Inline)(NewDots(Axes{}, []string{"a", "b"}, make([][]float64, 1)))
		}},
		{"none of 1 groups has a number", func() error { return write(io.Discard, Inline)(NewDots(Axes{}, []string{"a"}, [][]float64{{nan}})) }},
		{"0 plots", func() error { return (&Figure{}).WriteSVG(io.Discard) }},
		{"disk full", func() error { return Curves(full{}, Axes{}, one) }},
	} {
		if err := c.draw(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %q in one line", err, c.want)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// Whatever the numbers are, a chart is an error or well-formed: never a panic.
func FuzzCurves(f *testing.F) {
	f.Add(1.0, 1.0, 1.0, 1.0, "name", false, false)
	f.Add(math.MaxFloat64, -math.MaxFloat64, 1e-320, math.Inf(1), "\x00<&>\xff", true, true)
	f.Add(1.0, 1.0000000000000002, 1e-200, -1e-200, "a\nb", false, true)
	f.Add(1e149, -1e149, 1e-149, 1e149, "", true, false)
	f.Fuzz(func(t *testing.T, a, b, c, d float64, name string, logX, logY bool) {
		axes := Axes{Title: name, X: name, LogX: logX, LogY: logY}
		var curves, bars, histogram bytes.Buffer
		if err := Curves(&curves, axes, []Series{{Name: name, X: []float64{a, b}, Y: []float64{c, d}}}); err == nil {
			checkSVG(t, curves.String(), true)
		}
		if err := write(&histogram, Inline)(NewHistogram(axes, []float64{a, b, c, d}, []int{7, 0, 2})); err == nil {
			checkSVG(t, histogram.String(), true)
		}
		axes.LogX = false
		if err := Bars(&bars, axes, []string{name, "b"}, []Series{{Name: name, Y: []float64{a, b}}, {Y: []float64{c, d}}}); err == nil {
			checkSVG(t, bars.String(), true)
		}
	})
}

// luminance is the relative luminance of WCAG 2.
func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// The colours are seen on white and on a dark page: a contrast of 3:1 or more.
func TestContrast(t *testing.T) {
	dark := luminance(color.NRGBA{0x1e, 0x1e, 0x1e, 255})
	for i := range 5 {
		l := luminance(colour(i))
		if light, dark := 1.05/(l+0.05), (l+0.05)/(dark+0.05); light < 3 || dark < 3 {
			t.Errorf("colour %d has a contrast of %.2f to white and of %.2f to dark grey", i, light, dark)
		}
		for k := range i {
			if colour(i) == colour(k) {
				t.Errorf("colours %d and %d are the same", i, k)
			}
		}
	}
}

func TestThinKeepsExtremes(t *testing.T) {
	s := sine("", 100000, 0)
	s.Y[77777], s.Y[3] = 50, -50
	run := (Axes{}).runs(s)[0]
	kept := thin(run)
	low, high := 0.0, 0.0
	for _, p := range kept {
		low, high = min(low, p.Y), max(high, p.Y)
	}
	if len(kept) > maxPoints || low != -50 || high != 50 || kept[0] != run[0] || kept[len(kept)-1] != run[len(run)-1] {
		t.Errorf("%d points from %g to %g", len(kept), low, high)
	}
}

// Axes that count have marks at whole numbers only.
func TestWholeTicks(t *testing.T) {
	axis := func(p *Plot, err error) *Plot {
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	values := func(ticks []plot.Tick) (text string) {
		for _, tick := range ticks {
			text += tick.Label + " "
		}
		return strings.TrimSpace(text)
	}
	x := func(p *Plot) string { return values(p.plot.X.Tick.Marker.Ticks(p.plot.X.Min, p.plot.X.Max)) }
	y := func(p *Plot) string { return values(p.plot.Y.Tick.Marker.Ticks(p.plot.Y.Min, p.plot.Y.Max)) }
	epochs := func(a Axes, at ...float64) *Plot {
		return axis(NewCurves(a, []Series{{X: at, Y: make([]float64, len(at))}}))
	}
	for _, c := range []struct{ name, got, want string }{
		{"three epochs", x(epochs(Axes{}, 1, 2, 3)), "1 2 3"},
		{"one epoch", x(epochs(Axes{}, 1)), "1"},
		{"thirty epochs", x(epochs(Axes{}, 1, 30)), "5 10 15 20 25 30"},
		{"no count", x(epochs(Axes{}, 1, 2.5, 3)), "1 1.5 2 2.5 3"},
		{"a narrow count by ratio", x(epochs(Axes{LogX: true}, 10, 12)), "10 11 12"},
		{"units of a histogram", y(axis(NewHistogram(Axes{}, []float64{0, 1, 2}, []int{2, 1}))), "0 1 2"},
	} {
		if c.got != c.want {
			t.Errorf("%s: marks at %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.25: "0.25", 0.30000000000000004: "0.3", 1000: "1000", 1e6: "1e6", 2.5e-7: "2.5e-7", -1e20: "-1e20"} {
		if got := number(v); got != want {
			t.Errorf("%g is written %s, want %s", v, got, want)
		}
	}
	if got := number(math.Copysign(0, -1)); got != "0" {
		t.Errorf("-0 is written %s", got)
	}
}
