//go:build cuda

package gpu

import (
	"fmt"
	"math"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
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
	if err := m.Usable("write", "matrix"); err != nil {
		return err
	}
	if err := operand.CheckTransfer("write", m, len(src)); err != nil {
		return err
	}
	m.in.device.send(m.at(), bytesOf(src), &label{operation: "write", operands: [4]named{m.called("matrix")}})
	return nil
}

func (m *matrix) Read(dst []float32) error {
	if err := m.Usable("read", "matrix"); err != nil {
		return err
	}
	if err := operand.CheckTransfer("read", m, len(dst)); err != nil {
		return err
	}
	d := m.in.device
	if err := d.worker.wait(func() error { return d.receive(bytesOf(dst), m.at()) }); err != nil {
		return fmt.Errorf("read: matrix is %dx%d: %w", m.rows, m.cols, err)
	}
	return nil
}

func (m *matrix) Slice(from, to int) (engine.Matrix, error) {
	if err := m.Usable("slice", "matrix"); err != nil {
		return nil, err
	}
	if err := operand.CheckSlice(m, from, to); err != nil {
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

// Place implements [operand.Own].
func (m *matrix) Place() (on engine.Device, memory any, first int) {
	return m.in.device, m.in, m.first
}

// Usable implements [operand.Own].
func (m *matrix) Usable(operation, name string) error {
	if err := m.in.device.open(operation); err != nil {
		return err
	}
	if m.in.closed {
		return fmt.Errorf("%s: %s is closed", operation, name)
	}
	return nil
}
