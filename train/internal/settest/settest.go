// Package settest has small data sets for the tests of package train, and a device.
package settest

import (
	"fmt"
	"math"
	"testing"

	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
)

// Rows is a data set in memory.
type Rows struct {
	About dataset.Info
	Data  []float32
}

func (r *Rows) Info() dataset.Info      { return r.About }
func (r *Rows) Len() int                { return len(r.Data) / r.About.Size() }
func (r *Rows) Label(int) (int, bool)   { return 0, false }
func (r *Rows) Close() error            { return nil }
func (r *Rows) Example(i int) []float32 { return r.Data[i*r.About.Size() : (i+1)*r.About.Size()] }

func (r *Rows) Read(dst []float32, indices []int) error {
	for i, index := range indices {
		if index < 0 || index >= r.Len() {
			return fmt.Errorf("example %d of %d", index, r.Len())
		}
		copy(dst[i*r.About.Size():], r.Example(index))
	}
	return nil
}

// BarsAndStripes is every side x side picture whose rows are all on or off, and
// every one whose columns are, each once.
func BarsAndStripes(side int) *Rows {
	r := &Rows{About: dataset.Info{Name: "bars", Shape: []int{side, side}, High: 1}}
	for direction := range 2 {
		for pattern := range 1 << side {
			if direction == 1 && (pattern == 0 || pattern == 1<<side-1) {
				continue
			}
			for i := range side * side {
				line := i / side
				if direction == 1 {
					line = i % side
				}
				r.Data = append(r.Data, float32(pattern>>line&1))
			}
		}
	}
	return r
}

// Greys is n examples in [0, 1]: a bump of some height somewhere.
func Greys(n, size int, seed uint64) *Rows {
	r := &Rows{About: dataset.Info{Name: fmt.Sprintf("greys:n=%d,seed=%d", n, seed), Shape: []int{size}, High: 1}}
	source := engine.NewSource(seed, engine.PurposeGlyph, 0, 0)
	for range n {
		center := source.IntN(size)
		height := 0.5 + source.Uniform()/2
		for j := range size {
			d := float64(j - center)
			r.Data = append(r.Data, float32(height*math.Exp(-d*d/4)))
		}
	}
	return r
}

// Normals is n examples of Gaussian noise around a mean that differs by
// component: mean(j).
func Normals(n, size int, mean func(j int) float64) *Rows {
	r := &Rows{About: dataset.Info{Name: "normals", Shape: []int{size}, Low: -10, High: 10}}
	source := engine.NewSource(3, engine.PurposeGlyph, 0, 0)
	for range n {
		for j := range size {
			r.Data = append(r.Data, float32(mean(j)+source.Normal()))
		}
	}
	return r
}

// Device is the CPU, closed at the end of the test.
func Device(t testing.TB) engine.Device {
	t.Helper()
	d, err := engine.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}
