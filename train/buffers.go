package train

import (
	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/checkpoint"
)

// buffers are matrices on a device that live and end together. Methods
// remember the first error, to be checked once.
type buffers struct {
	device   engine.Device
	matrices engine.Matrices
	err      error
}

// matrix returns zeros [rows, cols], or nil after an error.
func (b *buffers) matrix(rows, cols int) engine.Matrix {
	if b.err != nil {
		return nil
	}
	var m engine.Matrix
	m, b.err = b.matrices.New(b.device, rows, cols)
	return m
}

// upload returns a matrix with the numbers of t, which has two dimensions, or
// one that becomes a row.
func (b *buffers) upload(t *tensor.Dense) engine.Matrix {
	if b.err != nil {
		return nil
	}
	data, err := dense.Data(t)
	if err != nil {
		b.err = err
		return nil
	}
	rows := 1
	if t.Dims() == 2 {
		rows = t.Shape()[0]
	}
	m := b.matrix(rows, len(data)/rows)
	if b.err == nil {
		b.err = m.Write(data)
	}
	return m
}

func (b *buffers) uploadLayer(l network.Layer) engine.Parameters {
	return engine.Parameters{Weight: b.upload(l.Weight), Bias: b.upload(l.Bias), VisibleBias: b.upload(l.VisibleBias)}
}

// view is the first rows of a matrix, nil for nil or after an error.
func (b *buffers) view(m engine.Matrix, rows int) (v engine.Matrix) {
	if m != nil && b.err == nil {
		v, b.err = m.Slice(0, rows)
	}
	return v
}

// views are the first rows of some matrices.
func (b *buffers) views(matrices []engine.Matrix, rows int) (views []engine.Matrix) {
	for _, m := range matrices {
		views = append(views, b.view(m, rows))
	}
	return views
}

func (b *buffers) close() error { return b.matrices.Close() }

// download reads a layer from the device; what it does not have is nil. Numbers that
// are not finite are an error that wraps [engine.ErrNotFinite].
func download(p engine.Parameters) (l network.Layer, err error) {
	if l.Weight, err = downloadMatrix(p.Weight); err != nil {
		return l, err
	}
	if l.Bias, err = downloadRow(p.Bias); err != nil {
		return l, err
	}
	l.VisibleBias, err = downloadRow(p.VisibleBias)
	return l, err
}

// downloadMatrix reads a matrix as a tensor of two dimensions, nil for nil.
func downloadMatrix(m engine.Matrix) (*tensor.Dense, error) {
	if m == nil {
		return nil, nil
	}
	return readFinite(m, m.Rows(), m.Cols())
}

// downloadRow reads a matrix of one row as a tensor of one dimension, nil for nil.
func downloadRow(m engine.Matrix) (*tensor.Dense, error) {
	if m == nil {
		return nil, nil
	}
	return readFinite(m, m.Cols())
}

func readFinite(m engine.Matrix, shape ...int) (*tensor.Dense, error) {
	data := make([]float32, m.Rows()*m.Cols())
	if err := m.Read(data); err != nil {
		return nil, err
	}
	if !checkpoint.Finite(data) {
		return nil, engine.ErrNotFinite
	}
	return dense.Of(data, shape...)
}
