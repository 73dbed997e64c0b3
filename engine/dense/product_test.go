package dense_test

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"

	_ "github.com/unitscope/unitscope/cpu"
)

// checkProduct compares c with the product of a and b in float64. With |x| <= 1
// a sum of k products rounded to float32 at every step is off by at most about
// k*k*2^-24.
func checkProduct(t *testing.T, c tensor.Tensor, a, b *tensor.Dense) {
	t.Helper()
	m, k, n := a.Shape()[0], a.Shape()[1], b.Shape()[1]
	got := c.(*tensor.Dense)
	for i := range m {
		for j := range n {
			var want float64
			for l := range k {
				want += at(t, a, i, l) * at(t, b, l, j)
			}
			if diff := math.Abs(at(t, got, i, j) - want); !(diff <= float64(k*(k+1))/(1<<24)) {
				t.Fatalf("element (%d, %d) is %g, want %g", i, j, at(t, got, i, j), want)
			}
		}
	}
}

func TestMatMul(t *testing.T) {
	e := openEngine(t)
	for _, left := range operandMakers {
		for _, right := range operandMakers {
			t.Run(left.name+" by "+right.name, func(t *testing.T) {
				a := left.make(t, e, 5, 9)
				b := right.make(t, tensor.StdEng{}, 9, 6)
				c, err := tensor.MatMul(a, b)
				if err != nil {
					t.Fatal(err)
				}
				checkProduct(t, c, a, b)
			})
		}
	}
}

func TestMatMulShapes(t *testing.T) {
	e := openEngine(t)
	for _, s := range [][3]int{{2, 1, 2}, {2, 3, 1}, {1, 3, 2}, {1, 1, 1}, {17, 31, 13}, {64, 65, 63}} {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			a, b := on(e, random(s[0]*s[1]), s[0], s[1]), on(e, random(s[1]*s[2]), s[1], s[2])
			c, err := tensor.MatMul(a, b)
			if err != nil {
				t.Fatal(err)
			}
			checkProduct(t, c, a, b)
		})
	}
}

func TestMatMulInto(t *testing.T) {
	e := openEngine(t)
	a, b := on(e, random(12), 3, 4), on(e, random(20), 4, 5)
	poisoned := func() []float32 {
		out := make([]float32, 15)
		for i := range out {
			out[i] = float32(math.NaN())
		}
		return out
	}
	t.Run("reuse", func(t *testing.T) {
		into := on(e, poisoned(), 3, 5)
		c, err := tensor.MatMul(a, b, tensor.WithReuse(into))
		if err != nil {
			t.Fatal(err)
		}
		if c != tensor.Tensor(into) {
			t.Error("the result is another tensor")
		}
		checkProduct(t, into, a, b)
	})
	t.Run("reuse column-major", func(t *testing.T) {
		into := tensor.New(tensor.WithShape(3, 5), tensor.WithEngine(e), tensor.AsFortran(poisoned()))
		if _, err := tensor.MatMul(a, b, tensor.WithReuse(into)); err != nil {
			t.Fatal(err)
		}
		checkProduct(t, into, a, b)
	})
	t.Run("reuse rows of a larger one", func(t *testing.T) {
		parent := on(e, random(35), 7, 5)
		before := append([]float32{}, parent.Float32s()...)
		if _, err := tensor.MatMul(a, b, tensor.WithReuse(sliced(t, parent, tensor.S(2, 5)))); err != nil {
			t.Fatal(err)
		}
		checkProduct(t, sliced(t, parent, tensor.S(2, 5)), a, b)
		for i, x := range parent.Float32s() {
			if (i < 10 || i >= 25) && x != before[i] {
				t.Errorf("number %d outside the view changed", i)
			}
		}
	})
	t.Run("reuse of a view with gaps", func(t *testing.T) {
		parent := on(e, random(21), 3, 7)
		before := append([]float32{}, parent.Float32s()...)
		_, err := tensor.MatMul(a, b, tensor.WithReuse(sliced(t, parent, nil, tensor.S(1, 6))))
		checkError(t, err, "matmul", "view with gaps")
		for i, x := range parent.Float32s() {
			if x != before[i] {
				t.Errorf("number %d changed", i)
			}
		}
	})
	t.Run("increment", func(t *testing.T) {
		sum := on(e, make([]float32, 15), 3, 5)
		if _, err := tensor.MatMul(a, b, tensor.WithIncr(sum)); err != nil {
			t.Fatal(err)
		}
		checkProduct(t, sum, a, b)
	})
	t.Run("into an operand", func(t *testing.T) {
		square := random(16)
		x, copied := on(e, square, 4, 4), on(e, append([]float32{}, square...), 4, 4)
		if _, err := tensor.MatMul(x, x, tensor.WithReuse(x)); err != nil {
			t.Fatal(err)
		}
		checkProduct(t, x, copied, copied)
	})
	t.Run("unsafe into a wrong shape", func(t *testing.T) {
		_, err := tensor.MatMul(a, b, tensor.WithReuse(on(e, random(12), 3, 4)), tensor.UseUnsafe())
		checkError(t, err, "matmul: a is 3x4, b is 4x5, the result has room for 3x4")
	})
}

// TestNaN shows what tensor's own engine gets wrong: 0*NaN is NaN.
func TestNaN(t *testing.T) {
	e := openEngine(t)
	nan := float32(math.NaN())
	zeros, nans := on(e, []float32{0, 0}, 1, 2), on(e, []float32{nan, nan}, 2, 1)
	c, err := tensor.MatMul(zeros, nans)
	if err != nil {
		t.Fatal(err)
	}
	if x := c.(*tensor.Dense).Float32s()[0]; x == x {
		t.Errorf("0*NaN is %g", x)
	}
	o, err := tensor.Outer(on(e, []float32{0, 1}, 2), on(e, []float32{nan, 1}, 2))
	if err != nil {
		t.Fatal(err)
	}
	if x := o.(*tensor.Dense).Float32s(); x[0] == x[0] || x[3] != 1 {
		t.Errorf("outer product is %v", x)
	}
}
