package operand

import (
	"fmt"
	"math"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/internal/shape"
)

// CheckTransfer checks the length of the host slice that a matrix is read to
// or written from; operation is "read" or "write".
func CheckTransfer(operation string, m engine.Matrix, length int) error {
	if length != m.Rows()*m.Cols() {
		return fmt.Errorf("%s: matrix is %s, slice holds %d numbers, want %d", operation, shape.String(m), length, m.Rows()*m.Cols())
	}
	return nil
}

// CheckSlice checks the bounds of a view of rows.
func CheckSlice(m engine.Matrix, from, to int) error {
	if from < 0 || to < from || to > m.Rows() {
		return fmt.Errorf("slice: rows %d..%d of a %s matrix", from, to, shape.String(m))
	}
	return nil
}

// checkElementwise checks an operation whose operand has the shape of dst;
// operation is its name.
func checkElementwise(operation string, dst, x engine.Matrix) error {
	if err := shape.Present(operation, shape.Of("dst", dst), shape.Of("x", x)); err != nil {
		return err
	}
	return shape.Same(operation, shape.Of("dst", dst), shape.Of("x", x))
}

// Elementwise checks and takes the operands of an operation, by its name, whose dst may
// be its x itself.
func Elementwise[M Own](d engine.Device, operation string, dst, x engine.Matrix) (mdst, mx M, err error) {
	if err := checkElementwise(operation, dst, x); err != nil {
		return mdst, mx, err
	}
	s := Set[M]{Device: d, Operation: operation}
	mdst, mx = s.Take("dst", dst), s.Take("x", x)
	s.ApartOrSame("dst", mdst, "x", mx)
	return mdst, mx, s.Err
}

// checkStream checks that there is a key for each row of m.
func checkStream(operation string, m engine.Matrix, at engine.Stream) error {
	if len(at.Keys) != m.Rows() {
		return fmt.Errorf("%s: %d rows, %d keys of random numbers", operation, m.Rows(), len(at.Keys))
	}
	if m.Cols() > engine.MaxColumns {
		return fmt.Errorf("%s: %d columns, random numbers have at most %d", operation, m.Cols(), engine.MaxColumns)
	}
	return nil
}

// Random is Elementwise of an operation that draws a random number for each element.
func Random[M Own](d engine.Device, operation string, dst, x engine.Matrix, at engine.Stream) (mdst, mx M, err error) {
	if mdst, mx, err = Elementwise[M](d, operation, dst, x); err == nil {
		err = checkStream(operation, dst, at)
	}
	return mdst, mx, err
}

// Uniform checks and takes the operand of Uniform.
func Uniform[M Own](d engine.Device, dst engine.Matrix, at engine.Stream) (mdst M, err error) {
	if err := shape.Present("uniform", shape.Of("dst", dst)); err != nil {
		return mdst, err
	}
	if err := checkStream("uniform", dst, at); err != nil {
		return mdst, err
	}
	return One[M](d, "uniform", "dst", dst)
}

// Reduce checks and takes the operands of a reduction; with is there for
// [engine.RowDots] only.
func Reduce[M Own](d engine.Device, dst, x engine.Matrix, r engine.Reduction) (mdst, mx, with M, err error) {
	if err := checkReduce(dst, x, r); err != nil {
		return mdst, mx, with, err
	}
	s := Set[M]{Device: d, Operation: "reduce"}
	mdst, mx = s.Take("dst", dst), s.Take("x", x)
	if r.Kind == engine.RowDots {
		with = s.Take("with", r.With)
	}
	s.Apart("dst", mdst, "x", mx)
	s.Apart("dst", mdst, "with", with)
	return mdst, mx, with, s.Err
}

// checkReduce checks a reduction.
func checkReduce(dst, x engine.Matrix, r engine.Reduction) error {
	if err := shape.Present("reduce", shape.Of("dst", dst), shape.Of("x", x)); err != nil {
		return err
	}
	if dst == x {
		return fmt.Errorf("reduce: dst is also the operand")
	}
	switch r.Kind {
	case engine.RowDots:
		if err := shape.Present("reduce", shape.Of("with", r.With)); err != nil {
			return err
		}
		if err := shape.Same("reduce", shape.Of("x", x), shape.Of("with", r.With)); err != nil {
			return err
		}
		return shape.Want("reduce", shape.Of("dst", dst), x.Rows(), 1)
	case engine.RowNorms:
		return shape.Want("reduce", shape.Of("dst", dst), x.Rows(), 1)
	case engine.ColumnMeans:
		return shape.Want("reduce", shape.Of("dst", dst), 1, x.Cols())
	}
	return fmt.Errorf("reduce: unknown reduction %d", r.Kind)
}

// Project checks and takes the operand of Project.
func Project[M Own](d engine.Device, x engine.Matrix, radius float32) (mx M, err error) {
	if err := checkProject(x, radius); err != nil {
		return mx, err
	}
	return One[M](d, "project", "x", x)
}

// checkProject checks the projection of rows to a radius.
func checkProject(x engine.Matrix, radius float32) error {
	if err := shape.Present("project", shape.Of("x", x)); err != nil {
		return err
	}
	if !(radius > 0 && float64(radius) <= math.MaxFloat32) {
		return fmt.Errorf("project: radius %g, want a finite number above 0", radius)
	}
	return nil
}

// Gather checks and takes the operands of Gather.
func Gather[M Own](d engine.Device, dst, src engine.Matrix, rows []int) (mdst, msrc M, err error) {
	if err := checkGather(dst, src, rows); err != nil {
		return mdst, msrc, err
	}
	s := Set[M]{Device: d, Operation: "gather"}
	mdst, msrc = s.Take("dst", dst), s.Take("src", src)
	s.Apart("dst", mdst, "src", msrc)
	return mdst, msrc, s.Err
}

// checkGather checks the copying of rows.
func checkGather(dst, src engine.Matrix, rows []int) error {
	if err := shape.Present("gather", shape.Of("dst", dst), shape.Of("src", src)); err != nil {
		return err
	}
	if dst.Rows() != len(rows) || dst.Cols() != src.Cols() {
		return fmt.Errorf("gather: dst is %s, %d rows of %s were asked for", shape.String(dst), len(rows), shape.String(src))
	}
	if dst == src {
		return fmt.Errorf("gather: dst is also src")
	}
	for i, r := range rows {
		if r < 0 || r >= src.Rows() {
			return fmt.Errorf("gather: rows[%d] is %d, src is %s", i, r, shape.String(src))
		}
	}
	return nil
}

// CopyColumns checks and takes the operands of CopyColumns.
func CopyColumns[M Own](d engine.Device, dst engine.Matrix, to int, src engine.Matrix, from, columns int) (mdst, msrc M, err error) {
	if err := checkColumns(dst, to, src, from, columns); err != nil {
		return mdst, msrc, err
	}
	s := Set[M]{Device: d, Operation: "copy columns"}
	mdst, msrc = s.Take("dst", dst), s.Take("src", src)
	s.Apart("dst", mdst, "src", msrc)
	return mdst, msrc, s.Err
}

// checkColumns checks the copying of columns.
func checkColumns(dst engine.Matrix, to int, src engine.Matrix, from, columns int) error {
	if err := shape.Present("copy columns", shape.Of("dst", dst), shape.Of("src", src)); err != nil {
		return err
	}
	switch {
	case dst.Rows() != src.Rows():
		return fmt.Errorf("copy columns: dst is %s, src is %s", shape.String(dst), shape.String(src))
	case columns < 0 || to < 0 || to > dst.Cols()-columns || from < 0 || from > src.Cols()-columns:
		return fmt.Errorf("copy columns: %d from %d of src, which is %s, to %d of dst, which is %s", columns, from, shape.String(src), to, shape.String(dst))
	case dst == src:
		return fmt.Errorf("copy columns: dst is also src")
	}
	return nil
}

// Activate checks and takes the operands of Activate; slope may be missing.
func Activate[M Own](d engine.Device, h, slope, y engine.Matrix, a engine.Activation) (mh, mslope, my M, err error) {
	if err := checkActivate(h, slope, y, a); err != nil {
		return mh, mslope, my, err
	}
	s := Set[M]{Device: d, Operation: "activate"}
	mh, mslope, my = s.Take("h", h), s.Take("slope", slope), s.Take("y", y)
	s.ApartOrSame("h", mh, "y", my)
	s.Apart("slope", mslope, "h", mh)
	s.Apart("slope", mslope, "y", my)
	return mh, mslope, my, s.Err
}

// checkActivate checks an activation and its operands; slope may be nil.
func checkActivate(h, slope, y engine.Matrix, a engine.Activation) error {
	if err := shape.Present("activate", shape.Of("h", h), shape.Of("y", y)); err != nil {
		return err
	}
	if err := shape.Same("activate", shape.Of("h", h), shape.Of("y", y)); err != nil {
		return err
	}
	if slope != nil {
		if err := shape.Same("activate", shape.Of("slope", slope), shape.Of("y", y)); err != nil {
			return err
		}
		if slope == h || slope == y {
			return fmt.Errorf("activate: slope is also another operand")
		}
	}
	n := a.Channels()
	if err := a.Check(n); err != nil {
		return fmt.Errorf("activate: %w", err)
	}
	if y.Cols()%n != 0 {
		return fmt.Errorf("activate: y is %s, its columns are no equal shares of %d channels", shape.String(y), n)
	}
	return nil
}
