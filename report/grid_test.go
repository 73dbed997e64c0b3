package report

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/visualize"
)

func array(t testing.TB, data []float32, shape ...int) *tensor.Dense {
	t.Helper()
	a, err := dense.Of(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// grey is a picture that must have no colours.
func grey(t testing.TB, picture image.Image) *image.Gray {
	t.Helper()
	img, ok := picture.(*image.Gray)
	if !ok {
		t.Fatalf("the picture is a %T, want it grey", picture)
	}
	return img
}

// lines are the pixels of a picture, row by row.
func lines(t testing.TB, picture image.Image) [][]uint8 {
	t.Helper()
	img := grey(t, picture)
	var rows [][]uint8
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		rows = append(rows, img.Pix[img.PixOffset(img.Rect.Min.X, y):img.PixOffset(img.Rect.Max.X, y)])
	}
	return rows
}

func TestGridToThePixel(t *testing.T) {
	for _, c := range []struct {
		name     string
		patterns []float32
		n        int
		shape    []int
		columns  int
		options  GridOptions
		missing  []bool
		want     [][]uint8
	}{
		{"one tile", []float32{0, 1, -1, 0.5}, 1, []int{2, 2}, 1, GridOptions{}, nil,
			[][]uint8{{128, 255}, {1, 192}}},
		{"its own scale", []float32{0, 1e-30, -1e-30, 5e-31}, 1, []int{2, 2}, 1, GridOptions{}, nil,
			[][]uint8{{128, 255}, {1, 192}}},
		{"zero is grey", []float32{0, 0}, 1, []int{1, 2}, 1, GridOptions{Scale: 1}, nil,
			[][]uint8{{128, 128}}},
		{"a gap between tiles", []float32{1, 0, 0, -2}, 2, []int{1, 2}, 2, GridOptions{}, nil,
			[][]uint8{{255, 128, 0, 128, 1}}},
		{"one scale for all", []float32{1, 0, 0, -2}, 2, []int{1, 2}, 2, GridOptions{Global: true}, nil,
			[][]uint8{{192, 128, 0, 128, 1}}},
		{"an incomplete last row", []float32{1, -1, 1}, 3, []int{1, 1}, 2, GridOptions{}, nil,
			[][]uint8{{255, 0, 1}, {0, 0, 0}, {255, 0, 255}}},
		{"nothing but paper after the last tile", []float32{1, -1, 1, 1, 1, 1, 1}, 7, []int{1, 1}, 3, GridOptions{}, nil,
			[][]uint8{{255, 0, 1, 0, 255}, {0, 0, 0, 0, 0}, {255, 0, 255, 0, 255}, {0, 0, 0, 0, 0}, {255, 0, 255, 255, 255}}},
		{"more columns than tiles", []float32{1, -1}, 2, []int{1, 1}, 9, GridOptions{}, nil,
			[][]uint8{{255, 0, 1}}},
		{"twice as large", []float32{1, -1, 0, 1}, 2, []int{2, 1}, 2, GridOptions{Scale: 2}, nil,
			[][]uint8{{255, 255, 0, 128, 128}, {255, 255, 0, 128, 128}, {1, 1, 0, 255, 255}, {1, 1, 0, 255, 255}}},
		{"no layout of its own", []float32{1, 2, -4, 4, 0}, 1, []int{5}, 1, GridOptions{}, nil,
			[][]uint8{{160, 192, 1}, {255, 128, 128}}},
		{"three dimensions", []float32{1, -1, 1, -1}, 1, []int{1, 2, 2}, 1, GridOptions{}, nil,
			[][]uint8{{255, 1}, {255, 1}}},
		{"no shape", []float32{1, -1, 1, -1}, 1, nil, 1, GridOptions{}, nil,
			[][]uint8{{255, 1}, {255, 1}}},
		{"a dead unit", []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, []int{3, 3}, 1, GridOptions{}, []bool{true},
			[][]uint8{{64, 128, 64}, {128, 64, 128}, {64, 128, 64}}},
		{"a dead unit counts not for the scale", []float32{2, 8, 1}, 3, []int{1, 1}, 3, GridOptions{Global: true}, []bool{false, true, false},
			[][]uint8{{255, 0, 64, 0, 192}}},
		{"a wide dead unit", make([]float32, 12), 1, []int{2, 6}, 1, GridOptions{}, []bool{true},
			[][]uint8{{64, 64, 64, 64, 64, 64}, {64, 64, 64, 64, 64, 64}}},
		{"a high dead unit", make([]float32, 15), 1, []int{5, 3}, 1, GridOptions{}, []bool{true},
			[][]uint8{{64, 128, 64}, {64, 128, 64}, {128, 64, 128}, {128, 64, 128}, {64, 128, 64}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			img, err := Grid(visualize.Patterns{Data: array(t, c.patterns, c.n, len(c.patterns)/c.n), Shape: c.shape, Missing: c.missing}, c.columns, c.options)
			if err != nil {
				t.Fatal(err)
			}
			got := lines(t, img)
			if !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// Turning a pattern's sign mirrors its greys around zero's.
func TestScaleIsSymmetric(t *testing.T) {
	var up, down []float32
	for i := range 101 {
		x := float32(math.Sin(float64(i) * 1.7))
		up, down = append(up, x), append(down, -x)
	}
	a, errA := Grid(visualize.Patterns{Data: array(t, up, 1, 101), Shape: []int{1, 101}}, 1, GridOptions{})
	b, errB := Grid(visualize.Patterns{Data: array(t, down, 1, 101), Shape: []int{1, 101}}, 1, GridOptions{})
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	above, below := grey(t, a).Pix, grey(t, b).Pix
	for i := range above {
		if int(above[i])-128 != 128-int(below[i]) {
			t.Errorf("%g is %d, %g is %d", up[i], above[i], down[i], below[i])
		}
	}
}

func TestGridRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	good := array(t, make([]float32, 8), 2, 4)
	for _, c := range []struct {
		name     string
		patterns *tensor.Dense
		shape    []int
		columns  int
		options  GridOptions
		missing  []bool
		want     string
	}{
		{"NaN", array(t, []float32{0, 0, 0, nan}, 2, 2), nil, 1, GridOptions{}, nil, "grid: pattern 1, component 1 is NaN"},
		{"Inf", array(t, []float32{inf, 0}, 1, 2), nil, 1, GridOptions{}, nil, "grid: pattern 0, component 0 is +Inf"},
		{"nil", nil, nil, 1, GridOptions{}, nil, "patterns are missing"},
		{"four dimensions", array(t, make([]float32, 8), 1, 2, 2, 2), nil, 1, GridOptions{}, nil, "patterns are [1 2 2 2]"},
		{"another type", tensor.New(tensor.WithShape(1, 2), tensor.WithBacking([]float64{1, 2})), nil, 1, GridOptions{}, nil, "float64"},
		{"a shape too small", good, []int{1, 3}, 1, GridOptions{}, nil, "shape [1 3] does not hold 4 components"},
		{"a shape too large", good, []int{4, 2}, 1, GridOptions{}, nil, "shape [4 2] does not hold 4 components"},
		{"a shape of zeros", good, []int{0, 4}, 1, GridOptions{}, nil, "shape [0 4]"},
		{"an empty shape", good, []int{}, 1, GridOptions{}, nil, "shape []"},
		{"a negative shape", good, []int{-2, -2}, 1, GridOptions{}, nil, "shape [-2 -2]"},
		{"a shape that overflows", good, []int{1 << 62, 1 << 2}, 1, GridOptions{}, nil, "does not hold"},
		{"no columns", good, []int{2, 2}, 0, GridOptions{}, nil, "0 columns"},
		{"a negative scale", good, []int{2, 2}, 1, GridOptions{Scale: -1}, nil, "scale -1"},
		{"an absurd scale", good, []int{2, 2}, 1, GridOptions{Scale: math.MaxInt}, nil, "larger than"},
		{"a large scale", good, []int{2, 2}, 1, GridOptions{Scale: 10000}, nil, "larger than"},
		{"marks of another number", good, []int{2, 2}, 1, GridOptions{}, []bool{true}, "2 patterns of 2 units, 1 marks"},
	} {
		_, err := Grid(visualize.Patterns{Data: c.patterns, Shape: c.shape, Missing: c.missing}, c.columns, c.options)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q in one line", c.name, err, c.want)
		}
	}
	dead := array(t, []float32{nan, 0, 1, 2}, 2, 2)
	if _, err := Grid(visualize.Patterns{Data: dead, Missing: []bool{true, false}}, 1, GridOptions{Global: true}); err != nil {
		t.Errorf("NaN on a dead unit's tile: %v", err)
	}
}

func TestWritePNG(t *testing.T) {
	img, err := Grid(visualize.Patterns{Data: array(t, []float32{0, 1, -1, 0.5}, 1, 4), Shape: []int{2, 2}}, 1, GridOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var file, again bytes.Buffer
	if err := errors.Join(WritePNG(&file, img), WritePNG(&again, img)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Error("the same picture gave other bytes")
	}
	back, err := png.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(grey(t, back).Pix, grey(t, img).Pix) {
		t.Error("the picture came back different")
	}
	if err := WritePNG(full{}, img); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("on a full disk: error %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }
