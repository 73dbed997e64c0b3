// Package operand is for those who write a device: what its operations do before they
// compute. They check their operands, so that all devices refuse the same calls with the
// same words, and take them as the device's own matrices. Who only uses devices has no
// use for it.
//
// The functions with the name of an operation do both, in this order. What plans, their
// runs and models are given has been checked by package engine, and is only taken.
package operand

import (
	"fmt"

	"github.com/unitscope/unitscope/engine"
)

// Own is a matrix as its device knows it: what the device says of it to [Set].
type Own interface {
	comparable
	engine.Matrix
	// Usable returns an error if the matrix, called name in the operation, has been
	// closed, or its device has.
	Usable(operation, name string) error
	// Place is where the matrix is: on which device, in which memory (a pointer,
	// that of a matrix and its views), and at which element there it begins.
	Place() (on engine.Device, memory any, first int)
}

// Set takes the operands of one operation: it checks what shapes don't show, that they
// are on the device, open, and share memory with each other only where that is allowed.
// It remembers the first error. A missing operand is the zero M.
type Set[M Own] struct {
	Device    engine.Device
	Operation string
	Err       error
}

// Take returns an operand of the device, or the zero M if it is nil or wrong.
func (s *Set[M]) Take(name string, m engine.Matrix) (none M) {
	if m == nil || s.Err != nil {
		return none
	}
	own, ok := m.(M)
	if ok {
		on, _, _ := own.Place()
		ok = on == s.Device
	}
	if !ok {
		s.Err = fmt.Errorf("%s: %s belongs to another device", s.Operation, name)
		return none
	}
	if s.Err = own.Usable(s.Operation, name); s.Err != nil {
		return none
	}
	return own
}

// Apart demands that two operands, if they are there, share no memory.
func (s *Set[M]) Apart(a string, x M, b string, y M) {
	if shared, _ := s.shared(x, y); shared {
		s.Err = fmt.Errorf("%s: %s shares memory with %s", s.Operation, a, b)
	}
}

// ApartOrSame demands that two operands of the same shape share no memory, or
// all of it.
func (s *Set[M]) ApartOrSame(a string, x M, b string, y M) {
	if shared, same := s.shared(x, y); shared && !same {
		s.Err = fmt.Errorf("%s: %s shares some of its memory with %s; all or none is allowed", s.Operation, a, b)
	}
}

// shared says whether two operands have an element in common, and whether they
// begin with the same one.
func (s *Set[M]) shared(x, y M) (shared, same bool) {
	var none M
	if s.Err != nil || x == none || y == none {
		return false, false
	}
	_, memory, first := x.Place()
	_, other, start := y.Place()
	size, length := x.Rows()*x.Cols(), y.Rows()*y.Cols()
	shared = memory == other && size > 0 && length > 0 && first < start+length && start < first+size
	return shared, first == start
}

// One takes the only operand of an operation, which has been checked.
func One[M Own](d engine.Device, operation, name string, m engine.Matrix) (own M, err error) {
	s := Set[M]{Device: d, Operation: operation}
	own = s.Take(name, m)
	return own, s.Err
}
