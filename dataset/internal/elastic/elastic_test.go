package elastic_test

import (
	"math"
	"testing"

	"github.com/unitscope/unitscope/dataset/internal/elastic"
	"github.com/unitscope/unitscope/engine"
)

// ramps are two pictures whose values are their own coordinates, with room
// around: what Apply makes of them is where each pixel comes from.
func ramps(rows, cols, density int) (x, y *elastic.Picture) {
	margin := 20 * density
	shape := elastic.Picture{Rows: rows*density + 2*margin, Cols: cols*density + 2*margin, Density: density, Margin: margin}
	x, y = new(elastic.Picture), new(elastic.Picture)
	*x, *y = shape, shape
	for row := range shape.Rows {
		for col := range shape.Cols {
			at := func(i int) float32 {
				return float32((float64(i-margin)+0.5)/float64(density) - 0.5)
			}
			x.Data = append(x.Data, at(col))
			y.Data = append(y.Data, at(row))
		}
	}
	return x, y
}

func source(key uint64) *engine.Source {
	return engine.NewSource(1, engine.PurposeDeform, 0, key)
}

func TestNothingIsIdentity(t *testing.T) {
	for _, size := range [][3]int{{28, 28, 1}, {28, 28, 2}, {12, 20, 1}, {3, 2, 3}} {
		rows, cols := size[0], size[1]
		x, y := ramps(rows, cols, size[2])
		g := elastic.New(rows, cols)
		var w elastic.Warp
		g.Draw(&w, elastic.Ranges{}, source(1))
		fromX, fromY := make([]float32, rows*cols), make([]float32, rows*cols)
		g.Apply(fromX, &w, x)
		g.Apply(fromY, &w, y)
		for i := range fromX {
			// A few roundings of coordinates below 64 pixels.
			if dx, dy := fromX[i]-float32(i%cols), fromY[i]-float32(i/cols); math.Abs(float64(dx)) > 2e-5 || math.Abs(float64(dy)) > 2e-5 {
				t.Fatalf("%v: pixel %d comes from %g, %g beside itself", size, i, dx, dy)
			}
		}
	}
}

// An affine deformation is affine, with the extent that its ranges allow.
func TestAffine(t *testing.T) {
	x, y := ramps(28, 28, 1)
	g := elastic.New(28, 28)
	ranges := elastic.Ranges{Rotation: 0.2, Slant: 0.3, Scale: 0.1, Aspect: 0.1, Shift: 2}
	for key := range uint64(50) {
		var w elastic.Warp
		g.Draw(&w, ranges, source(key))
		fromX, fromY := make([]float32, 784), make([]float32, 784)
		g.Apply(fromX, &w, x)
		g.Apply(fromY, &w, y)
		for _, from := range [][]float32{fromX, fromY} {
			across, down := from[1]-from[0], from[28]-from[0]
			for i, v := range from {
				if want := from[0] + float32(i%28)*across + float32(i/28)*down; math.Abs(float64(v-want)) > 1e-3 {
					t.Fatalf("deformation %d: pixel %d comes from %g, affine is %g", key, i, v, want)
				}
			}
		}
		area := float64((fromX[1]-fromX[0])*(fromY[28]-fromY[0]) - (fromX[28]-fromX[0])*(fromY[1]-fromY[0]))
		if area < math.Exp(-0.21) || area > math.Exp(0.21) {
			t.Errorf("deformation %d: areas change by %g", key, area)
		}
	}
}

// The field has the statistics of the one it stands for: uniform noise smoothed
// by a Gaussian of sigma 4, times 34.
func TestFieldIsSimards(t *testing.T) {
	const sigma, fields = 4.0, 2000
	want := 34 * math.Sqrt(1./3) / (2 * math.Sqrt(math.Pi) * sigma)
	x, _ := ramps(28, 28, 1)
	g := elastic.New(28, 28)
	lags := []int{2, 4, 6, 8, 12}
	var mean, square, count float64
	products := make([]float64, len(lags))
	from := make([]float32, 784)
	for key := range uint64(fields) {
		var w elastic.Warp
		g.Draw(&w, elastic.Ranges{Elastic: elastic.Simard}, source(key))
		g.Apply(from, &w, x)
		for row := 0; row < 28; row += 9 {
			for start := range 14 {
				d := func(col int) float64 { return float64(from[28*row+col]) - float64(col) }
				mean += d(start)
				square += d(start) * d(start)
				count++
				for i, lag := range lags {
					products[i] += d(start) * d(start+lag)
				}
			}
		}
	}
	deviation := math.Sqrt(square / count)
	if math.Abs(mean/count) > 0.05 || math.Abs(deviation/want-1) > 0.04 {
		t.Errorf("displacements have mean %.3f and deviation %.3f, want 0 and %.3f", mean/count, deviation, want)
	}
	for i, lag := range lags {
		got, want := products[i]/square, math.Exp(-float64(lag*lag)/(4*sigma*sigma))
		t.Logf("correlation at %d pixels: %.3f, a Gaussian's %.3f", lag, got, want)
		if math.Abs(got-want) > 0.06 {
			t.Errorf("correlation at %d pixels is %.3f, want about %.3f", lag, got, want)
		}
	}
}

// Outside of a picture is its border, and Apply reads nothing beyond its data.
func TestOutside(t *testing.T) {
	p := &elastic.Picture{Rows: 3, Cols: 3, Density: 1, Data: []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}}
	g := elastic.New(3, 3)
	for key := range uint64(200) {
		var w elastic.Warp
		g.Draw(&w, elastic.Ranges{Rotation: 3, Scale: 3, Shift: 200, Elastic: 50}, source(key))
		dst := make([]float32, 9)
		g.Apply(dst, &w, p)
		for _, v := range dst {
			if v < 1 || v > 9.00001 {
				t.Fatalf("deformation %d makes %g of 1..9", key, v)
			}
		}
	}
}
