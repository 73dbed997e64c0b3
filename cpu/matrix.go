package cpu

import (
	"fmt"

	"github.com/unitscope/unitscope/engine"
)

// matrix is a view of rows of a storage.
type matrix struct {
	in         *storage
	first      int // element of the storage where the view starts
	rows, cols int
	view       bool // made by Slice
}

// storage is the memory that a matrix and its views share.
type storage struct {
	device *device
	data   []float32
	closed bool
}

func (d *device) New(rows, cols int) (engine.Matrix, error) {
	if err := d.open("new matrix"); err != nil {
		return nil, err
	}
	if err := engine.CheckNew(rows, cols); err != nil {
		return nil, err
	}
	if bytes := int64(rows) * int64(cols) * 4; d.memory > 0 && bytes > d.memory {
		return nil, fmt.Errorf("new matrix: %dx%d takes %d bytes, this machine has %d", rows, cols, bytes, d.memory)
	}
	return &matrix{in: &storage{device: d, data: make([]float32, rows*cols)}, rows: rows, cols: cols}, nil
}

func (m *matrix) Rows() int { return m.rows }
func (m *matrix) Cols() int { return m.cols }

// data is the view's numbers, row by row.
func (m *matrix) data() []float32 {
	last := m.first + m.rows*m.cols
	return m.in.data[m.first:last:last]
}

func (m *matrix) Write(src []float32) error {
	if err := m.usable("write", "matrix"); err != nil {
		return err
	}
	if err := engine.CheckTransfer("write", m, len(src)); err != nil {
		return err
	}
	copy(m.data(), src)
	return nil
}

func (m *matrix) Read(dst []float32) error {
	if err := m.usable("read", "matrix"); err != nil {
		return err
	}
	if err := engine.CheckTransfer("read", m, len(dst)); err != nil {
		return err
	}
	copy(dst, m.data())
	return nil
}

func (m *matrix) Slice(from, to int) (engine.Matrix, error) {
	if err := m.usable("slice", "matrix"); err != nil {
		return nil, err
	}
	if err := engine.CheckSlice(m, from, to); err != nil {
		return nil, err
	}
	return &matrix{in: m.in, first: m.first + from*m.cols, rows: to - from, cols: m.cols, view: true}, nil
}

// Close ends the matrix and its views. Closing a view, or closing twice, does
// nothing.
func (m *matrix) Close() error {
	if !m.view {
		m.in.closed, m.in.data = true, nil
	}
	return nil
}

// usable returns an error if the matrix, called name in the operation, has been
// closed, or its device has.
func (m *matrix) usable(operation, name string) error {
	if m.in.device.closed {
		return m.in.device.open(operation)
	}
	if m.in.closed {
		return fmt.Errorf("%s: %s is closed", operation, name)
	}
	return nil
}

// overlaps says whether two matrices share an element.
func (m *matrix) overlaps(o *matrix) bool {
	size, other := m.rows*m.cols, o.rows*o.cols
	return m.in == o.in && size > 0 && other > 0 && m.first < o.first+other && o.first < m.first+size
}

// operands checks what a device alone can see of an operation's operands, and
// remembers the first error.
type operands struct {
	device    *device
	operation string
	err       error
}

// take returns an operand of this device, or nil if it is nil or wrong.
func (o *operands) take(name string, m engine.Matrix) *matrix {
	if m == nil || o.err != nil {
		return nil
	}
	own, ok := m.(*matrix)
	if !ok || own.in.device != o.device {
		o.err = fmt.Errorf("%s: %s belongs to another device", o.operation, name)
		return nil
	}
	if o.err = own.usable(o.operation, name); o.err != nil {
		return nil
	}
	return own
}

// apart demands that two operands, if they are there, share no memory.
func (o *operands) apart(a string, x *matrix, b string, y *matrix) {
	if o.err == nil && x != nil && y != nil && x.overlaps(y) {
		o.err = fmt.Errorf("%s: %s shares memory with %s", o.operation, a, b)
	}
}

// apartOrSame demands that two operands of the same shape share no memory, or
// all of it.
func (o *operands) apartOrSame(a string, x *matrix, b string, y *matrix) {
	if o.err == nil && x.overlaps(y) && x.first != y.first {
		o.err = fmt.Errorf("%s: %s shares some of its memory with %s; all or none is allowed", o.operation, a, b)
	}
}

// numbers is the data of an operand that may be missing.
func numbers(m *matrix) []float32 {
	if m == nil {
		return nil
	}
	return m.data()
}
