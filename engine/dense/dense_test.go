package dense_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine/dense"
)

// ramp returns n different numbers.
func ramp(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i) + 0.5
	}
	return out
}

func mustOf(t testing.TB, data []float32, shape ...int) *tensor.Dense {
	t.Helper()
	d, err := dense.Of(data, shape...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sliced returns a view of t.
func sliced(t testing.TB, d *tensor.Dense, slices ...tensor.Slice) *tensor.Dense {
	t.Helper()
	v, err := d.Slice(slices...)
	if err != nil {
		t.Fatal(err)
	}
	return v.(*tensor.Dense)
}

func transposed(t testing.TB, d *tensor.Dense) *tensor.Dense {
	t.Helper()
	if err := d.T(); err != nil {
		t.Fatal(err)
	}
	return d
}

func columnMajor(rowMajor []float32, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.AsFortran(slices.Clone(rowMajor)))
}

func checkError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q has more than one line", err)
	}
}

func TestNew(t *testing.T) {
	for _, shape := range [][]int{{1}, {7}, {1, 1}, {3, 4}, {1, 5}, {5, 1}, {2, 3, 4}} {
		d, err := dense.New(shape...)
		if err != nil {
			t.Fatalf("shape %v: %v", shape, err)
		}
		if !slices.Equal(d.Shape(), shape) || d.Dtype() != tensor.Float32 {
			t.Errorf("shape %v: got %v of %v", shape, d.Shape(), d.Dtype())
		}
		data, err := dense.Data(d)
		if err != nil {
			t.Fatalf("shape %v: %v", shape, err)
		}
		for _, x := range data {
			if x != 0 {
				t.Errorf("shape %v: holds %g", shape, x)
			}
		}
	}
}

func TestShapesThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int
		say   string
	}{
		{"none", nil, "at least one dimension"},
		{"zero", []int{3, 0}, "[3 0]: every dimension must be at least 1"},
		{"negative", []int{-1, 3}, "[-1 3]: every dimension must be at least 1"},
		{"overflow", []int{1 << 31, 1 << 31, 1 << 31}, "more than"},
		{"overflow to a small number", []int{1 << 32, 1 << 32}, "more than"},
		{"huge", []int{math.MaxInt}, "more than"},
		{"many", make([]int, 1000), "[0 0 0 0 0 0 0 0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := dense.New(c.shape...)
			checkError(t, err, c.say)
			_, err = dense.Of(nil, c.shape...)
			checkError(t, err, c.say)
		})
	}
	_, err := dense.Of(ramp(5), 2, 3)
	checkError(t, err, "shape [2 3] has 6 elements, data holds 5")
}

func TestOfUsesDataInPlace(t *testing.T) {
	data := ramp(6)
	d := mustOf(t, data, 2, 3)
	back, err := dense.Data(d)
	if err != nil {
		t.Fatal(err)
	}
	if &back[0] != &data[0] || len(back) != 6 {
		t.Error("Data of Of copied")
	}
	h, err := dense.Host(d)
	if err != nil {
		t.Fatal(err)
	}
	if h.Rows != 2 || h.Cols != 3 || &h.Data[0] != &data[0] {
		t.Errorf("Host is %dx%d or a copy", h.Rows, h.Cols)
	}
}

// TestDataOfLayouts reads tensors of every layout and compares with what
// package tensor itself says is at each coordinate.
func TestDataOfLayouts(t *testing.T) {
	base := func() *tensor.Dense { return mustOf(t, ramp(35), 5, 7) }
	cube := func() *tensor.Dense { return mustOf(t, ramp(60), 3, 4, 5) }
	permuted := cube()
	if err := permuted.T(2, 0, 1); err != nil {
		t.Fatal(err)
	}
	moved := transposed(t, base())
	if err := moved.Transpose(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		d      *tensor.Dense
		shared bool
	}{
		{"plain", base(), true},
		{"transposed", transposed(t, base()), false},
		{"transposed twice", transposed(t, transposed(t, base())), true},
		{"transposed and moved", moved, true},
		{"column-major", columnMajor(ramp(35), 5, 7), false},
		{"column-major transposed", transposed(t, columnMajor(ramp(35), 5, 7)), true},
		{"column-major vector", columnMajor(ramp(7), 7, 1), true},
		{"column-major number", columnMajor(ramp(1), 1, 1), true},
		{"rows", sliced(t, base(), tensor.S(1, 4)), true},
		{"columns", sliced(t, base(), nil, tensor.S(2, 5)), false},
		{"block", sliced(t, base(), tensor.S(1, 4), tensor.S(2, 5)), false},
		{"one row", sliced(t, base(), tensor.S(3)), true},
		{"one column", sliced(t, base(), nil, tensor.S(3)), false},
		{"every other row", sliced(t, base(), tensor.S(0, 5, 2)), false},
		{"every other column", sliced(t, base(), nil, tensor.S(0, 7, 2)), false},
		{"block transposed", transposed(t, sliced(t, base(), tensor.S(1, 4), tensor.S(2, 5))), false},
		{"block of transposed", sliced(t, transposed(t, base()), tensor.S(1, 4), tensor.S(2, 5)), false},
		{"block of column-major", sliced(t, columnMajor(ramp(35), 5, 7), tensor.S(1, 4), tensor.S(2, 5)), false},
		{"row vector transposed", transposed(t, mustOf(t, ramp(5), 1, 5)), true},
		{"three dimensions", cube(), true},
		{"three dimensions permuted", permuted, false},
		{"block of three dimensions", sliced(t, cube(), tensor.S(0, 2), tensor.S(1, 3), tensor.S(2, 4)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := dense.Data(c.d)
			if err != nil {
				t.Fatal(err)
			}
			shape := append([]int{}, c.d.Shape()...)
			at, i := make([]int, len(shape)), 0
			var visit func(dim int)
			visit = func(dim int) {
				if dim == len(shape) {
					want, err := c.d.At(at...)
					if err != nil {
						// tensor can't index its own column-major vectors.
						want = c.d.Float32s()[i]
					}
					if i >= len(got) || got[i] != want {
						t.Fatalf("element %v is %v, want %v", at, got[i], want)
					}
					i++
					return
				}
				for at[dim] = 0; at[dim] < shape[dim]; at[dim]++ {
					visit(dim + 1)
				}
			}
			visit(0)
			if i != len(got) {
				t.Errorf("%d numbers for shape %v", len(got), shape)
			}
			if shared := &got[0] == &c.d.Float32s()[0]; len(got) > 1 && shared != c.shared {
				t.Errorf("shared %t, want %t", shared, c.shared)
			}
		})
	}
}

func TestDataRefuses(t *testing.T) {
	masked := mustOf(t, ramp(4), 2, 2)
	masked.ResetMask(true)
	for _, c := range []struct {
		name string
		d    *tensor.Dense
		say  string
	}{
		{"nil", nil, "missing (nil)"},
		{"zero value", &tensor.Dense{}, "want float32"},
		{"float64", tensor.New(tensor.WithShape(2), tensor.Of(tensor.Float64)), "type float64, want float32"},
		{"int", tensor.New(tensor.WithShape(2), tensor.Of(tensor.Int)), "type int, want float32"},
		{"masked", masked, "masked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := dense.Data(c.d)
			checkError(t, err, c.say)
			_, err = dense.Host(c.d)
			checkError(t, err, c.say)
		})
	}
}

func TestHostWantsTwoDimensions(t *testing.T) {
	for _, shape := range [][]int{{6}, {1, 2, 3}} {
		_, err := dense.Host(mustOf(t, ramp(6), shape...))
		checkError(t, err, "want two dimensions")
	}
	number := tensor.New(tensor.FromScalar(float32(3)))
	_, err := dense.Host(number)
	checkError(t, err, "want two dimensions")
	if data, err := dense.Data(number); err != nil || len(data) != 1 || data[0] != 3 {
		t.Errorf("Data of a number is %v, %v", data, err)
	}
}
