//go:build cuda

package gpu

import (
	"fmt"
	"math"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
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
	piece  piece
	closed bool
}

func (d *device) New(rows, cols int) (engine.Matrix, error) {
	if err := d.open("new matrix"); err != nil {
		return nil, err
	}
	if err := engine.CheckNew(rows, cols); err != nil {
		return nil, err
	}
	if rows > math.MaxInt32 || cols > math.MaxInt32 {
		return nil, fmt.Errorf("new matrix: %dx%d: a card takes at most %d rows and columns", rows, cols, math.MaxInt32)
	}
	p, err := d.memory.get(4 * int64(rows) * int64(cols))
	if err != nil {
		return nil, fmt.Errorf("new matrix: %dx%d: %w", rows, cols, err)
	}
	m := &matrix{in: &storage{device: d, piece: p}, rows: rows, cols: cols}
	if m.size() > 0 {
		d.worker.post(&label{operation: "new matrix", operands: [4]named{m.called("dst")}}, func() error {
			return driver.Failed("cuMemsetD8Async", cu.MemsetD8Async(p.at, 0, 4*int64(rows)*int64(cols), d.stream))
		})
	}
	return m, nil
}

func (m *matrix) Rows() int { return m.rows }
func (m *matrix) Cols() int { return m.cols }

func (m *matrix) size() int { return m.rows * m.cols }

// at is the address of the first element; that of a missing operand is 0.
func (m *matrix) at() cu.DevicePtr {
	if m == nil {
		return 0
	}
	return m.in.piece.at + 4*cu.DevicePtr(m.first)
}

func (m *matrix) called(name string) named {
	if m == nil {
		return named{}
	}
	return named{name, m.rows, m.cols}
}

func (m *matrix) Write(src []float32) error {
	if err := m.usable("write", "matrix"); err != nil {
		return err
	}
	if err := engine.CheckTransfer("write", m, len(src)); err != nil {
		return err
	}
	m.in.device.send(m.at(), bytesOf(src), &label{operation: "write", operands: [4]named{m.called("matrix")}})
	return nil
}

func (m *matrix) Read(dst []float32) error {
	if err := m.usable("read", "matrix"); err != nil {
		return err
	}
	if err := engine.CheckTransfer("read", m, len(dst)); err != nil {
		return err
	}
	d := m.in.device
	if err := d.worker.wait(func() error { return d.receive(bytesOf(dst), m.at()) }); err != nil {
		return fmt.Errorf("read: matrix is %dx%d: %w", m.rows, m.cols, err)
	}
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
	if m.view || m.in.closed || m.in.device.closed {
		return nil
	}
	m.in.closed = true
	return m.in.device.memory.put(m.in.piece)
}

// usable returns an error if the matrix, called name in the operation, has been
// closed, or its device has.
func (m *matrix) usable(operation, name string) error {
	if err := m.in.device.open(operation); err != nil {
		return err
	}
	if m.in.closed {
		return fmt.Errorf("%s: %s is closed", operation, name)
	}
	return nil
}

// overlaps says whether two matrices share an element.
func (m *matrix) overlaps(o *matrix) bool {
	return m.in == o.in && m.size() > 0 && o.size() > 0 && m.first < o.first+o.size() && o.first < m.first+m.size()
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
