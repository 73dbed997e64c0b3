package enginetest

import (
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/engine"
)

// scene is one call under test: its operands, each a view inside a larger
// matrix, and what must not change.
type scene struct {
	*subject
	name   string
	guards []guard
}

// guard is a matrix around an operand.
type guard struct {
	name    string
	parent  engine.Matrix
	content []float32 // of the parent before the call
	from    int       // first element of the operand
	to      int       // element after its last
	written bool      // the operand is written, only its guards must stay
}

func (s *subject) scene(format string, args ...any) *scene {
	return &scene{subject: s, name: fmt.Sprintf(format, args...)}
}

// margin is the number of rows around an operand.
const margin = 2

// place makes an operand with these numbers in the middle of others.
func (c *scene) place(name string, rows, cols int, data []float32, around float32, written bool) engine.Matrix {
	c.Helper()
	from := margin * cols
	content := make([]float32, (rows+2*margin)*cols)
	for i := range content {
		content[i] = around
	}
	copy(content[from:], data)
	parent, err := c.device.New(rows+2*margin, cols)
	c.must(err)
	c.must(parent.Write(content))
	view, err := parent.Slice(margin, margin+rows)
	c.must(err)
	c.guards = append(c.guards, guard{name, parent, content, from, from + rows*cols, written})
	return view
}

var nan = float32(math.NaN())

// input is an operand that is only read.
func (c *scene) input(name string, rows, cols int, data []float32) engine.Matrix {
	c.Helper()
	return c.place(name, rows, cols, data, nan, false)
}

// output is an operand that is only written.
func (c *scene) output(name string, rows, cols int) engine.Matrix {
	c.Helper()
	poison := make([]float32, rows*cols)
	for i := range poison {
		poison[i] = nan
	}
	return c.place(name, rows, cols, poison, -123.25, true)
}

// updated is an operand that is read and written.
func (c *scene) updated(name string, rows, cols int, data []float32) engine.Matrix {
	c.Helper()
	return c.place(name, rows, cols, data, -123.25, true)
}

// read returns a matrix's numbers.
func (s *subject) read(m engine.Matrix) []float32 {
	s.Helper()
	data := make([]float32, m.Rows()*m.Cols())
	s.must(m.Read(data))
	return data
}

// end checks that nothing has changed but what was to be written, and gives the
// operands back.
func (c *scene) end() {
	c.Helper()
	for _, g := range c.guards {
		after := c.read(g.parent)
		if g.written {
			copy(after[g.from:g.to], g.content[g.from:g.to])
		}
		if i := differs(after, g.content); i >= 0 {
			c.Errorf("%s: %s: element %d was %g and must stay, is %g", c.name, g.name, i-g.from, g.content[i], after[i])
		}
		c.must(g.parent.Close())
	}
}

// differs returns the first place where two slices differ by a bit, or -1. All
// NaN count as equal: which one an operation returns is the processor's choice.
func differs(a, b []float32) int {
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && (a[i] == a[i] || b[i] == b[i]) {
			return i
		}
	}
	return -1
}

// same checks that two results are the same to the bit.
func (s *subject) same(what string, got, want []float32) {
	s.Helper()
	if i := differs(got, want); i >= 0 {
		if len(got) != len(want) {
			s.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
			return
		}
		s.Errorf("%s: element %d is %g (%08x), want %g (%08x)", what, i, got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
	}
}

// near checks got against want: NaN where NaN is wanted, the same infinity where
// one is, and otherwise within tolerance(i). what names the tolerance.
func (s *subject) near(what, where string, got []float32, want []float64, tolerance func(i int) float64) {
	s.Helper()
	if len(got) != len(want) {
		s.Errorf("%s: %s: %d numbers, want %d", what, where, len(got), len(want))
		return
	}
	for i, w := range want {
		g := float64(got[i])
		switch {
		case math.IsNaN(w) || math.IsInf(w, 0):
			if g != w && !(math.IsNaN(w) && math.IsNaN(g)) {
				s.Errorf("%s: %s: element %d is %g, want %g", what, where, i, g, w)
				return
			}
			continue
		case g == w:
			continue
		}
		used := math.Abs(g-w) / tolerance(i)
		if !(used <= 1) {
			s.Errorf("%s: %s: element %d is %g, want %g; the difference is %.3g of the tolerance", what, where, i, g, w, used)
			return
		}
		s.used[what] = max(s.used[what], used)
	}
}

// ulp is the distance between neighbouring float32 numbers at x.
func ulp(x float64) float64 {
	_, exponent := math.Frexp(x)
	return math.Ldexp(1, max(exponent-24, -149))
}

// half is half a unit in the last place relative to the number: what one
// rounding to float32 costs at most.
const half = 1.0 / (1 << 24)

func doubles(x []float32) []float64 {
	d := make([]float64, len(x))
	for i, v := range x {
		d[i] = float64(v)
	}
	return d
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func norm(x []float64) float64 { return math.Sqrt(inner(x, x)) }

func inner(x, y []float64) (sum float64) {
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

// rowsOf returns some rows of a matrix with so many columns.
func rowsOf(x []float32, cols int, rows []int) []float32 {
	out := make([]float32, 0, len(rows)*cols)
	for _, r := range rows {
		out = append(out, x[r*cols:(r+1)*cols]...)
	}
	return out
}

// transposed returns x [rows, cols] as [cols, rows].
func transposed(x []float32, rows, cols int) []float32 {
	out := make([]float32, len(x))
	for i := range rows {
		for j := range cols {
			out[j*rows+i] = x[i*cols+j]
		}
	}
	return out
}

// upTo returns 0..n-1.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// some returns a random order of a few of 0..n-1.
func (s *subject) some(n int) []int {
	return slices.Clone(s.random.Perm(n)[:1+s.random.IntN(n)])
}
