package report

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/visualize"
)

// inColour is how many pixels have a colour.
func inColour(img image.Image, c color.RGBA) (n int) {
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			if color.RGBAModel.Convert(img.At(x, y)) == c {
				n++
			}
		}
	}
	return n
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WritePNG(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// modesWith is a result whose units have so many modes; 0 is a dead unit.
func modesWith(network string, layer int, modes ...int) visualize.ModesOf {
	r := &visualize.ModesResult{Layer: layer}
	for i, m := range modes {
		u := visualize.UnitModes{Unit: i, Dead: m == 0, Modes: visualize.Estimate{Value: float64(m)}}
		if u.Dead {
			u.Modes.Value = math.NaN()
		}
		r.Units = append(r.Units, u)
	}
	return visualize.ModesOf{Network: network, ModesResult: r}
}

// The bars of a network cover as much as its shares add up to, 1 for each panel.
func TestModesHistogram(t *testing.T) {
	results := []visualize.ModesOf{modesWith("trained", 1, 1, 1, 2, 5, 0), modesWith("untrained", 1, 1, 1), modesWith("trained", 2, 3)}
	img, err := ModesHistogram(results)
	if err != nil {
		t.Fatal(err)
	}
	blue, orange := inColour(img, seriesColour(0)), inColour(img, seriesColour(1))
	if orange == 0 || float64(blue) < 1.6*float64(orange) || float64(blue) > 2.4*float64(orange) {
		t.Errorf("%d pixels of two layers of one network, %d of one layer of the other", blue, orange)
	}
	again, err := ModesHistogram(results)
	if err != nil || !bytes.Equal(pngOf(t, img), pngOf(t, again)) {
		t.Errorf("another picture: %v", err)
	}
	if _, err := ModesHistogram([]visualize.ModesOf{modesWith("trained", 1, 0, 0)}); err != nil {
		t.Errorf("all dead: %v", err)
	}
	if _, err := ModesHistogram([]visualize.ModesOf{modesWith("trained", 1, 5000, 39)}); err != nil {
		t.Errorf("thousands of modes: %v", err)
	}
	if _, err := ModesHistogram(nil); err == nil || !strings.Contains(err.Error(), "no layers") {
		t.Errorf("no layers: error %v", err)
	}
}

// methodsOf has two methods, of which the second has nothing for unit 1.
func methodsOf(t testing.TB) *visualize.CompareResult {
	patterns, err := dense.Of([]float32{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}, 2, 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	return &visualize.CompareResult{
		Layer: 1, Units: []int{0, 1}, Methods: []string{"ascent", "combination"}, Examples: 10, Shape: []int{2, 2}, Patterns: patterns,
		Rows: []visualize.Compared{
			{Activation: 4, Percentile: 100}, {Activation: 1, Percentile: 40},
			{Activation: -3, Percentile: 90}, {Missing: true, Activation: nan, Percentile: nan},
		},
	}
}

func TestActivationPlot(t *testing.T) {
	r := &visualize.CompareResult{Units: []int{0, 1, 2, 3}, Methods: []string{"ascent", "combination"}, Examples: 10}
	for u := range r.Units {
		v := float64(u)
		r.Rows = append(r.Rows, visualize.Compared{Activation: 4 - v, Percentile: 100 - v}, visualize.Compared{Activation: v / 2, Percentile: 20 * v, Missing: u == 3})
	}
	img, err := ActivationPlot(r)
	if err != nil {
		t.Fatal(err)
	}
	for m := range 2 {
		if inColour(img, seriesColour(m)) == 0 {
			t.Errorf("no dots of method %d", m)
		}
	}
}

func TestComparison(t *testing.T) {
	img, err := Comparison(methodsOf(t), 5, 4)
	if err != nil {
		t.Fatal(err)
	}
	// The last tile is a cross, which fills its four components.
	last := img.SubImage(image.Rect(0, img.Rect.Max.Y-figureMargin-9, img.Rect.Max.X, img.Rect.Max.Y))
	if n := inColour(last, color.RGBA{deadGrey, deadGrey, deadGrey, 255}); n != 4*16 {
		t.Errorf("%d pixels of crosses", n)
	}
	one, err := Comparison(methodsOf(t), 1, 4)
	if err != nil || one.Rect.Dy() != img.Rect.Dy()-9 {
		t.Errorf("one unit is %v, two are %v, %v", one.Rect, img.Rect, err)
	}
	bad := methodsOf(t)
	bad.Methods = bad.Methods[:1]
	for want, do := range map[string]func() (*image.Gray, error){
		"no patterns": func() (*image.Gray, error) { return Comparison(nil, 1, 1) },
		"at least 1":  func() (*image.Gray, error) { return Comparison(methodsOf(t), 0, 1) },
		"1 names":     func() (*image.Gray, error) { return Comparison(bad, 1, 1) },
	} {
		if _, err := do(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
