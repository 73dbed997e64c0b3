package train

import (
	"errors"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
)

// buffers are matrices on a device that live and end together. Methods
// remember the first error, to be checked once.
type buffers struct {
	device   engine.Device
	matrices []engine.Matrix
	err      error
}

// matrix returns zeros [rows, cols], or nil after an error.
func (b *buffers) matrix(rows, cols int) engine.Matrix {
	if b.err != nil {
		return nil
	}
	m, err := b.device.New(rows, cols)
	if err != nil {
		b.err = err
		return nil
	}
	b.matrices = append(b.matrices, m)
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

func (b *buffers) close() error {
	var errs []error
	for _, m := range b.matrices {
		errs = append(errs, m.Close())
	}
	b.matrices = nil
	return errors.Join(errs...)
}
