package engine

import (
	"fmt"
	"math"
)

// The checks below are the door of every device: each operation calls its
// check first, so all devices refuse the same calls with the same words. What only
// a device can see comes after it, by [Operands]: a matrix that is closed or belongs
// to another device, and operands that share memory where that is not allowed.

func shape(m Matrix) string { return fmt.Sprintf("%dx%d", m.Rows(), m.Cols()) }

// operand is a matrix that a caller may have left out.
type operand struct {
	name string
	m    Matrix
}

func present(operation string, operands ...operand) error {
	for _, o := range operands {
		if o.m == nil {
			return fmt.Errorf("%s: %s is missing (nil)", operation, o.name)
		}
	}
	return nil
}

func sameShape(operation string, a, b operand) error {
	if a.m.Rows() != b.m.Rows() || a.m.Cols() != b.m.Cols() {
		return fmt.Errorf("%s: %s is %s, %s is %s", operation, a.name, shape(a.m), b.name, shape(b.m))
	}
	return nil
}

func wantShape(operation string, o operand, rows, cols int) error {
	if o.m.Rows() != rows || o.m.Cols() != cols {
		return fmt.Errorf("%s: %s is %s, want %dx%d", operation, o.name, shape(o.m), rows, cols)
	}
	return nil
}

// CheckNew checks the size of a new matrix: not negative, and its number of
// bytes must fit an int.
func CheckNew(rows, cols int) error {
	if rows < 0 || cols < 0 {
		return fmt.Errorf("new matrix: %dx%d: negative size", rows, cols)
	}
	if cols > 0 && rows > math.MaxInt/4/cols {
		return fmt.Errorf("new matrix: %dx%d: too large for this machine's address space", rows, cols)
	}
	return nil
}

// CheckTransfer checks the length of the host slice that a matrix is read to
// or written from; operation is "read" or "write".
func CheckTransfer(operation string, m Matrix, length int) error {
	if length != m.Rows()*m.Cols() {
		return fmt.Errorf("%s: matrix is %s, slice holds %d numbers, want %d", operation, shape(m), length, m.Rows()*m.Cols())
	}
	return nil
}

// CheckSlice checks the bounds of a view of rows.
func CheckSlice(m Matrix, from, to int) error {
	if from < 0 || to < from || to > m.Rows() {
		return fmt.Errorf("slice: rows %d..%d of a %s matrix", from, to, shape(m))
	}
	return nil
}

func (s Stream) check(operation string, m Matrix) error {
	if len(s.Keys) != m.Rows() {
		return fmt.Errorf("%s: %d rows, %d keys of random numbers", operation, m.Rows(), len(s.Keys))
	}
	if m.Cols() > MaxColumns {
		return fmt.Errorf("%s: %d columns, random numbers have at most %d", operation, m.Cols(), MaxColumns)
	}
	return nil
}

// CheckGemm checks a product and its epilogue.
func CheckGemm(dst, a, b Matrix, p Product) error {
	if err := present("gemm", operand{"dst", dst}, operand{"a", a}, operand{"b", b}); err != nil {
		return err
	}
	m, k := a.Rows(), a.Cols()
	if p.TransA {
		m, k = k, m
	}
	kb, n := b.Rows(), b.Cols()
	if p.TransB {
		kb, n = n, kb
	}
	transposed := func(t bool) string {
		if t {
			return " transposed"
		}
		return ""
	}
	if k != kb {
		return fmt.Errorf("gemm: a is %s%s, b is %s%s", shape(a), transposed(p.TransA), shape(b), transposed(p.TransB))
	}
	if dst.Rows() != m || dst.Cols() != n {
		return fmt.Errorf("gemm: dst is %s, the product of a %s%s and b %s%s is %dx%d", shape(dst), shape(a), transposed(p.TransA), shape(b), transposed(p.TransB), m, n)
	}
	if dst == a || dst == b {
		return fmt.Errorf("gemm: dst is also an operand")
	}
	return checkEpilogue(p.Epilogue, dst)
}

func checkEpilogue(e Epilogue, dst Matrix) error {
	m, n := dst.Rows(), dst.Cols()
	if e.Bias != nil {
		if err := wantShape("gemm", operand{"bias", e.Bias}, 1, n); err != nil {
			return err
		}
	}
	switch e.Kind {
	case EpilogueNone, EpilogueSigmoid:
	case EpilogueBernoulli:
		if e.Probability != nil {
			if err := wantShape("gemm", operand{"probability", e.Probability}, m, n); err != nil {
				return err
			}
			if e.Probability == dst {
				return fmt.Errorf("gemm: probability is also dst")
			}
		}
		return e.At.check("gemm", dst)
	case EpilogueDerivative:
		if err := present("gemm", operand{"hidden", e.Hidden}); err != nil {
			return err
		}
		return wantShape("gemm", operand{"hidden", e.Hidden}, m, n)
	case EpilogueNorms:
		if err := present("gemm", operand{"norms", e.Norms}); err != nil {
			return err
		}
		return wantShape("gemm", operand{"norms", e.Norms}, m, 1)
	default:
		return fmt.Errorf("gemm: unknown epilogue %d", e.Kind)
	}
	return nil
}

// CheckElementwise checks an operation whose operand has the shape of dst;
// operation is its name.
func CheckElementwise(operation string, dst, x Matrix) error {
	if err := present(operation, operand{"dst", dst}, operand{"x", x}); err != nil {
		return err
	}
	return sameShape(operation, operand{"dst", dst}, operand{"x", x})
}

// CheckRandom checks an operation that draws one random number for each
// element of m.
func CheckRandom(operation string, m Matrix, at Stream) error {
	if err := present(operation, operand{"dst", m}); err != nil {
		return err
	}
	return at.check(operation, m)
}

// CheckCorruption checks a corruption's numbers.
func CheckCorruption(c Corruption) error {
	level := float64(c.Level)
	switch c.Kind {
	case CorruptionMask, CorruptionSaltPepper:
		if !(level >= 0 && level <= 1) {
			return fmt.Errorf("corrupt: level %g, want a share between 0 and 1", c.Level)
		}
	case CorruptionGaussian:
		if !(level >= 0 && level <= math.MaxFloat32) {
			return fmt.Errorf("corrupt: level %g, want a standard deviation >= 0", c.Level)
		}
	default:
		return fmt.Errorf("corrupt: unknown corruption %d", c.Kind)
	}
	return nil
}

// CheckReduce checks a reduction.
func CheckReduce(dst, x Matrix, r Reduction) error {
	if err := present("reduce", operand{"dst", dst}, operand{"x", x}); err != nil {
		return err
	}
	if dst == x {
		return fmt.Errorf("reduce: dst is also the operand")
	}
	switch r.Kind {
	case RowDots:
		if err := present("reduce", operand{"with", r.With}); err != nil {
			return err
		}
		if err := sameShape("reduce", operand{"x", x}, operand{"with", r.With}); err != nil {
			return err
		}
		return wantShape("reduce", operand{"dst", dst}, x.Rows(), 1)
	case RowNorms:
		return wantShape("reduce", operand{"dst", dst}, x.Rows(), 1)
	case ColumnMeans:
		return wantShape("reduce", operand{"dst", dst}, 1, x.Cols())
	}
	return fmt.Errorf("reduce: unknown reduction %d", r.Kind)
}

// CheckProject checks the projection of rows to a radius.
func CheckProject(x Matrix, radius float32) error {
	if err := present("project", operand{"x", x}); err != nil {
		return err
	}
	if !(radius > 0 && float64(radius) <= math.MaxFloat32) {
		return fmt.Errorf("project: radius %g, want a finite number above 0", radius)
	}
	return nil
}

// CheckGather checks the copying of rows.
func CheckGather(dst, src Matrix, rows []int) error {
	if err := present("gather", operand{"dst", dst}, operand{"src", src}); err != nil {
		return err
	}
	if dst.Rows() != len(rows) || dst.Cols() != src.Cols() {
		return fmt.Errorf("gather: dst is %s, %d rows of %s were asked for", shape(dst), len(rows), shape(src))
	}
	if dst == src {
		return fmt.Errorf("gather: dst is also src")
	}
	for i, r := range rows {
		if r < 0 || r >= src.Rows() {
			return fmt.Errorf("gather: rows[%d] is %d, src is %s", i, r, shape(src))
		}
	}
	return nil
}

// CheckColumns checks the copying of columns.
func CheckColumns(dst Matrix, to int, src Matrix, from, columns int) error {
	if err := present("copy columns", operand{"dst", dst}, operand{"src", src}); err != nil {
		return err
	}
	switch {
	case dst.Rows() != src.Rows():
		return fmt.Errorf("copy columns: dst is %s, src is %s", shape(dst), shape(src))
	case columns < 0 || to < 0 || to > dst.Cols()-columns || from < 0 || from > src.Cols()-columns:
		return fmt.Errorf("copy columns: %d from %d of src, which is %s, to %d of dst, which is %s", columns, from, shape(src), to, shape(dst))
	case dst == src:
		return fmt.Errorf("copy columns: dst is also src")
	}
	return nil
}

// CheckActivate checks an activation and its operands; slope may be nil.
func CheckActivate(h, slope, y Matrix, a Activation) error {
	if err := present("activate", operand{"h", h}, operand{"y", y}); err != nil {
		return err
	}
	if err := sameShape("activate", operand{"h", h}, operand{"y", y}); err != nil {
		return err
	}
	if slope != nil {
		if err := sameShape("activate", operand{"slope", slope}, operand{"y", y}); err != nil {
			return err
		}
		if slope == h || slope == y {
			return fmt.Errorf("activate: slope is also another operand")
		}
	}
	n := a.Channels()
	if err := a.check(n); err != nil {
		return fmt.Errorf("activate: %w", err)
	}
	if y.Cols()%n != 0 {
		return fmt.Errorf("activate: y is %s, its columns are no equal shares of %d channels", shape(y), n)
	}
	return nil
}

func finite(xs []float32) bool {
	for _, x := range xs {
		if x-x != 0 {
			return false
		}
	}
	return true
}
