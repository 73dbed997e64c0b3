// Package shape says what is wrong with the shapes of matrices, in the same words
// whoever asks: package engine of what plans and models are given, package operand of
// what a device's operations are.
package shape

import "fmt"

// Matrix is what this package knows of an engine.Matrix.
type Matrix interface {
	Rows() int
	Cols() int
}

// Named is a matrix that a caller may have left out, by its name in an operation.
type Named struct {
	Name string
	Matrix
}

// Of gives a matrix, or nil, its name.
func Of(name string, m Matrix) Named { return Named{name, m} }

// String returns the shape of a matrix, as 2x3.
func String(m Matrix) string { return fmt.Sprintf("%dx%d", m.Rows(), m.Cols()) }

// Present refuses matrices that are missing.
func Present(operation string, all ...Named) error {
	for _, m := range all {
		if m.Matrix == nil {
			return fmt.Errorf("%s: %s is missing (nil)", operation, m.Name)
		}
	}
	return nil
}

// Same refuses two matrices of different shapes.
func Same(operation string, a, b Named) error {
	if a.Rows() != b.Rows() || a.Cols() != b.Cols() {
		return fmt.Errorf("%s: %s is %s, %s is %s", operation, a.Name, String(a), b.Name, String(b))
	}
	return nil
}

// Want refuses a matrix of another shape than [rows, cols].
func Want(operation string, m Named, rows, cols int) error {
	if m.Rows() != rows || m.Cols() != cols {
		return fmt.Errorf("%s: %s is %s, want %dx%d", operation, m.Name, String(m), rows, cols)
	}
	return nil
}
