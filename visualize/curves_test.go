package visualize

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestCurveSteps(t *testing.T) {
	for _, c := range []struct {
		most int
		want string
	}{
		{0, "[0]"}, {1, "[0 1]"}, {2, "[0 1 2]"}, {7, "[0 1 2 3 4 5 6 7]"}, {12, "[0 1 2 3 4 5 6 7 8 9 10 12]"}, {13, "[0 1 2 3 4 5 6 7 8 9 10 12 13]"},
	} {
		if got := fmt.Sprint(curveSteps(c.most)); got != c.want {
			t.Errorf("up to %d: %s, want %s", c.most, got, c.want)
		}
	}
	for _, most := range []int{100, 1000, 1e6, math.MaxInt} {
		steps := curveSteps(most)
		if !slices.IsSorted(steps) || steps[len(steps)-1] != most || len(slices.Compact(slices.Clone(steps))) != len(steps) {
			t.Errorf("up to %d: %v", most, steps)
		}
	}
	if n := len(curveSteps(DefaultAscent().MaxSteps)); n < 30 || n > 50 {
		t.Errorf("%d points by default", n)
	}
}

// What curves record is what ascents of fewer steps find, to the bit; and
// recording changes nothing.
func TestCurves(t *testing.T) {
	n := randomNetwork(t, 60, 4, 0.5, 20, 12, 9)
	d := openDevice(t)
	o := options(2, 5, 0, 8)
	o.MaxSteps, o.Rate, o.Restarts = 60, 0.5, 4
	plain := ascend(t, d, n, o)
	o.Curves = true
	r := ascend(t, d, n, o)
	for _, c := range []struct {
		name string
		a, b []float32
	}{
		{"activations", numbers(t, plain.Activation), numbers(t, r.Activation)},
		{"patterns", numbers(t, plain.Patterns), numbers(t, r.Patterns)},
		{"tangents", numbers(t, plain.Tangent), numbers(t, r.Tangent)},
	} {
		if !slices.Equal(c.a, c.b) {
			t.Errorf("recording changes %s", c.name)
		}
	}
	if plain.Curves != nil || !slices.Equal(plain.Steps, r.Steps) || !slices.Equal(plain.Stop, r.Stop) {
		t.Error("recording changes the steps")
	}
	curve := numbers(t, r.Curves.Activation)
	stopped := slices.Min(r.Steps)
	if stopped >= o.MaxSteps {
		t.Fatalf("no restart stops before %d steps, so nothing is tested", o.MaxSteps)
	}
	points := r.Curves.Steps
	for p, steps := range points {
		o := o
		o.MaxSteps, o.Curves = steps, false
		short := numbers(t, ascend(t, d, n, o).Activation)
		for row, want := range short {
			if got := curve[row*len(points)+p]; got != want {
				t.Errorf("row %d after %d steps: %g, an ascent of so many steps has %g", row, steps, got, want)
			}
		}
	}
	for row, want := range numbers(t, r.Activation) {
		if got := curve[(row+1)*len(points)-1]; got != want {
			t.Errorf("row %d ends at %g, its curve at %g", row, want, got)
		}
	}
	// In chunks, and of other units, they are the same.
	o.ChunkRows = 5
	if chunked := ascend(t, d, n, o); !slices.Equal(numbers(t, chunked.Curves.Activation), curve) {
		t.Error("curves depend on the chunks")
	}
	o.Units = []int{8}
	if alone := ascend(t, d, n, o); !slices.Equal(numbers(t, alone.Curves.Activation), curve[2*o.Restarts*len(points):]) {
		t.Error("curves depend on the other units")
	}
}

// The file holds the names, types and shapes that it says.
func TestCurvesFile(t *testing.T) {
	c := &Curves{Units: []int{3, 1}, Restarts: 2, Steps: []int{0, 1, 5}, Activation: array(t, normals(1, 1, 12), 2, 2, 3)}
	var file, again bytes.Buffer
	if err := c.WriteArrays(&file); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteArrays(&again); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Errorf("the same curves gave other bytes, %v", err)
	}
	for _, want := range []string{
		"units.npy", "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
		"step.npy", "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }",
		"activation.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3,), }",
	} {
		if !bytes.Contains(file.Bytes(), []byte(want)) {
			t.Errorf("the file has no %s", want)
		}
	}
	c.Steps = []int{0, 1, math.MaxInt}
	if err := c.WriteArrays(&file); err == nil || !strings.Contains(err.Error(), "more than int32") {
		t.Errorf("too many steps: error %v", err)
	}
	c.Steps = c.Steps[:2]
	if err := c.WriteArrays(&file); err == nil || !strings.Contains(err.Error(), "12 numbers") {
		t.Errorf("too few steps: error %v", err)
	}
}
