package dense_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"gorgonia.org/tensor"

	_ "github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
)

func openEngine(t testing.TB) *dense.Engine {
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
	return dense.NewEngine(d)
}

// operand builds a float32 matrix with random numbers in some layout, on e.
type operandMaker struct {
	name string
	make func(t *testing.T, e tensor.Engine, rows, cols int) *tensor.Dense
}

func random(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = rand.Float32()*2 - 1
	}
	return out
}

func on(e tensor.Engine, data []float32, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data), tensor.WithEngine(e))
}

var operandMakers = []operandMaker{
	{"plain", func(t *testing.T, e tensor.Engine, rows, cols int) *tensor.Dense {
		return on(e, random(rows*cols), rows, cols)
	}},
	{"transposed", func(t *testing.T, e tensor.Engine, rows, cols int) *tensor.Dense {
		return transposed(t, on(e, random(rows*cols), cols, rows))
	}},
	{"column-major", func(t *testing.T, e tensor.Engine, rows, cols int) *tensor.Dense {
		return tensor.New(tensor.WithShape(rows, cols), tensor.WithEngine(e), tensor.AsFortran(random(rows*cols)))
	}},
	{"rows", func(t *testing.T, e tensor.Engine, rows, cols int) *tensor.Dense {
		return sliced(t, on(e, random((rows+3)*cols), rows+3, cols), tensor.S(2, rows+2))
	}},
	{"block", func(t *testing.T, e tensor.Engine, rows, cols int) *tensor.Dense {
		return sliced(t, on(e, random((rows+3)*(cols+4)), rows+3, cols+4), tensor.S(2, rows+2), tensor.S(1, cols+1))
	}},
	{"block transposed", func(t *testing.T, e tensor.Engine, rows, cols int) *tensor.Dense {
		return transposed(t, sliced(t, on(e, random((rows+3)*(cols+4)), cols+4, rows+3), tensor.S(1, cols+1), tensor.S(2, rows+2)))
	}},
}

// at returns element (i, j) as tensor sees it.
func at(t *testing.T, d *tensor.Dense, coordinates ...int) float64 {
	t.Helper()
	x, err := d.At(coordinates...)
	if err != nil {
		t.Fatal(err)
	}
	return float64(x.(float32))
}

// asMatrix is a vector as a matrix of one column.
func asMatrix(t *testing.T, v *tensor.Dense) *tensor.Dense {
	t.Helper()
	data, err := dense.Data(v)
	if err != nil {
		t.Fatal(err)
	}
	return mustOf(t, append([]float32{}, data...), len(data), 1)
}

func TestVectors(t *testing.T) {
	e := openEngine(t)
	matrix := on(e, random(12), 3, 4)
	wide := on(e, random(15), 3, 5)
	vector := on(e, random(4), 4)
	column := sliced(t, on(e, random(20), 4, 5), nil, tensor.S(2))
	t.Run("matrix by vector", func(t *testing.T) {
		c, err := tensor.MatVecMul(matrix, vector)
		if err != nil {
			t.Fatal(err)
		}
		checkProduct(t, asMatrix(t, c.(*tensor.Dense)), matrix, asMatrix(t, vector))
	})
	t.Run("matrix by column of a matrix", func(t *testing.T) {
		c, err := tensor.MatVecMul(matrix, column)
		if err != nil {
			t.Fatal(err)
		}
		checkProduct(t, asMatrix(t, c.(*tensor.Dense)), matrix, asMatrix(t, column))
	})
	t.Run("block by row vector", func(t *testing.T) {
		block := sliced(t, wide, nil, tensor.S(0, 4))
		row := on(e, vector.Float32s(), 1, 4)
		c, err := tensor.MatVecMul(block, row)
		if err != nil {
			t.Fatal(err)
		}
		checkProduct(t, asMatrix(t, c.(*tensor.Dense)), block, asMatrix(t, vector))
	})
}

func TestDots(t *testing.T) {
	e := openEngine(t)
	vector := on(e, random(4), 4)
	t.Run("dot of vector and matrix", func(t *testing.T) {
		c, err := tensor.Dot(on(e, random(3), 3), on(e, random(12), 3, 4))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.(*tensor.Dense).Float32s()) != 4 {
			t.Errorf("shape %v", c.Shape())
		}
	})
	t.Run("inner", func(t *testing.T) {
		other := on(e, random(4), 4)
		got, err := tensor.Inner(vector, other)
		if err != nil {
			t.Fatal(err)
		}
		want := transposed(t, asMatrix(t, other))
		checkProduct(t, mustOf(t, []float32{got.(float32)}, 1, 1), want, asMatrix(t, vector))
		dot, err := tensor.Dot(vector, other)
		if err != nil {
			t.Fatal(err)
		}
		if dot.ScalarValue() != got {
			t.Errorf("dot is %v, inner is %v", dot.ScalarValue(), got)
		}
		_, err = tensor.Dot(vector, other, tensor.WithIncr(on(e, random(1), 1)))
		checkError(t, err, "dot", "WithIncr")
	})
	t.Run("outer", func(t *testing.T) {
		left := on(e, random(3), 3)
		c, err := tensor.Outer(left, vector)
		if err != nil {
			t.Fatal(err)
		}
		checkProduct(t, c, asMatrix(t, left), transposed(t, asMatrix(t, vector)))
	})
	t.Run("three dimensions", func(t *testing.T) {
		cube := on(e, random(24), 2, 3, 4)
		c, err := tensor.Contract(cube, on(e, random(20), 4, 5), []int{2}, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		if !c.Shape().Eq(tensor.Shape{2, 3, 5}) {
			t.Errorf("shape %v", c.Shape())
		}
	})
}

func TestWrongShapesAndOperands(t *testing.T) {
	e := openEngine(t)
	m := func(shape ...int) *tensor.Dense {
		size := 1
		for _, n := range shape {
			size *= n
		}
		return on(e, random(size), shape...)
	}
	masked := m(2, 2)
	masked.ResetMask(false)
	for _, c := range []struct {
		name string
		call func() error
		say  string
	}{
		{"matmul through tensor", func() error { _, err := tensor.MatMul(m(2, 3), m(4, 5)); return err }, "(2, 3)"},
		{"matmul", func() error { return e.MatMul(m(2, 3), m(4, 5), m(2, 5)) }, "matmul: a is 2x3, b is 4x5, the result has room for 2x5"},
		{"matmul of a vector", func() error { return e.MatMul(m(2, 3), m(3), m(2)) }, "want matrices"},
		{"matmul masked", func() error { return e.MatMul(masked, m(2, 2), m(2, 2)) }, "matmul: operand 1: tensor is masked"},
		{"matvecmul", func() error { return e.MatVecMul(m(2, 3), m(2), m(2)) }, "matvecmul: a is 2x3, b is 2x1"},
		{"matvecmul of matrices", func() error { return e.MatVecMul(m(2, 3), m(3, 3), m(2)) }, "want a matrix and two vectors"},
		{"outer", func() error { return e.Outer(m(2), m(3), m(3, 2)) }, "outer: a is 2x1, b is 1x3, the result has room for 3x2"},
		{"outer of a matrix", func() error { return e.Outer(m(2, 2), m(3), m(4, 3)) }, "want two vectors"},
		{"inner", func() error { _, err := e.Inner(m(2), m(3)); return err }, "inner: a is 1x2, b is 3x1"},
		{"inner of matrices", func() error { _, err := e.Inner(m(2, 2), m(2, 2)); return err }, "want two vectors"},
		{"nil", func() error { return e.MatMul(nil, nil, nil) }, "matmul"},
		{"nil pointer", func() error { return e.MatMul((*tensor.Dense)(nil), m(1, 1), m(1, 1)) }, "matmul"},
		{"dot of nil", func() error { _, err := e.Dot(m(2), nil); return err }, ""},
		{"dot of three dimensions", func() error { _, err := e.Dot(m(2, 3, 4), m(2, 3, 5)); return err }, ""},
		{"mixed types", func() error {
			return e.MatMul(m(2, 2), tensor.New(tensor.WithShape(2, 2), tensor.Of(tensor.Float64)), m(2, 2))
		}, ""},
		{"whole numbers", func() error {
			i := tensor.New(tensor.WithShape(2, 2), tensor.Of(tensor.Int), tensor.WithEngine(e))
			_, err := tensor.MatMul(i, i)
			return err
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) { checkError(t, c.call(), c.say) })
	}
}

// TestOtherTypes checks that float64 products still come out right, whatever
// the layout.
func TestOtherTypes(t *testing.T) {
	e := openEngine(t)
	data := make([]float64, 30)
	for i := range data {
		data[i] = float64(i*i%17) - 5
	}
	wide := func() *tensor.Dense {
		return tensor.New(tensor.WithShape(5, 6), tensor.WithBacking(append([]float64{}, data...)), tensor.WithEngine(e))
	}
	views := map[string]*tensor.Dense{
		"plain":            tensor.New(tensor.WithShape(3, 3), tensor.WithBacking(append([]float64{}, data[:9]...)), tensor.WithEngine(e)),
		"transposed":       transposed(t, tensor.New(tensor.WithShape(3, 3), tensor.WithBacking(append([]float64{}, data[:9]...)), tensor.WithEngine(e))),
		"block":            sliced(t, wide(), tensor.S(1, 4), tensor.S(2, 5)),
		"block transposed": transposed(t, sliced(t, wide(), tensor.S(1, 4), tensor.S(2, 5))),
	}
	value := func(d *tensor.Dense, i, j int) float64 {
		x, err := d.At(i, j)
		if err != nil {
			t.Fatal(err)
		}
		return x.(float64)
	}
	for left, a := range views {
		for right, b := range views {
			t.Run(left+" by "+right, func(t *testing.T) {
				c, err := tensor.MatMul(a, b)
				if err != nil {
					t.Fatal(err)
				}
				for i := range 3 {
					for j := range 3 {
						want := value(a, i, 0)*value(b, 0, j) + value(a, i, 1)*value(b, 1, j) + value(a, i, 2)*value(b, 2, j)
						if got := value(c.(*tensor.Dense), i, j); got != want {
							t.Errorf("element (%d, %d) is %g, want %g", i, j, got, want)
						}
					}
				}
			})
		}
	}
	t.Run("mixed orders", func(t *testing.T) {
		columns := tensor.New(tensor.WithShape(3, 3), tensor.WithEngine(e), tensor.AsFortran(append([]float64{}, data[:9]...)))
		_, err := tensor.MatMul(columns, views["plain"])
		checkError(t, err, "row-major and in column-major")
	})
	t.Run("reuse of a view with gaps", func(t *testing.T) {
		_, err := tensor.MatMul(views["plain"], views["plain"], tensor.WithReuse(sliced(t, wide(), tensor.S(0, 3), tensor.S(0, 3))))
		checkError(t, err, "view with gaps")
	})
}

func TestClosedDevice(t *testing.T) {
	d, err := engine.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	e := dense.NewEngine(d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = tensor.MatMul(on(e, random(4), 2, 2), on(e, random(4), 2, 2))
	checkError(t, err, "matmul")
}

func TestConcurrentUse(t *testing.T) {
	e := openEngine(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				a, b := on(e, random(63), 7, 9), on(e, random(72), 9, 8)
				c, err := tensor.MatMul(a, b)
				if err != nil {
					t.Error(err)
					return
				}
				checkProduct(t, c, a, b)
			}
		})
	}
	all.Wait()
}
