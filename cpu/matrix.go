package cpu

import (
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/engine/operand"
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
	if err := memory.CheckFloats(rows, cols); err != nil {
		return nil, fmt.Errorf("new matrix: %dx%d: %w", rows, cols, err)
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
	if err := m.Usable("write", "matrix"); err != nil {
		return err
	}
	if err := operand.CheckTransfer("write", m, len(src)); err != nil {
		return err
	}
	copy(m.data(), src)
	return nil
}

func (m *matrix) Read(dst []float32) error {
	if err := m.Usable("read", "matrix"); err != nil {
		return err
	}
	if err := operand.CheckTransfer("read", m, len(dst)); err != nil {
		return err
	}
	copy(dst, m.data())
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
	if !m.view {
		m.in.closed, m.in.data = true, nil
	}
	return nil
}

// Place implements [operand.Own].
func (m *matrix) Place() (on engine.Device, in any, first int) {
	return m.in.device, m.in, m.first
}

// Usable implements [operand.Own].
func (m *matrix) Usable(operation, name string) error {
	if m.in.device.closed {
		return m.in.device.open(operation)
	}
	if m.in.closed {
		return fmt.Errorf("%s: %s is closed", operation, name)
	}
	return nil
}

// numbers is the data of an operand that may be missing.
func numbers(m *matrix) []float32 {
	if m == nil {
		return nil
	}
	return m.data()
}
