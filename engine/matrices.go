package engine

import "errors"

// Matrices are matrices of a piece of work, which are given back together. The zero value
// has none.
type Matrices struct{ made []Matrix }

// New is Device.New; the matrix is closed with the others.
func (m *Matrices) New(d Device, rows, cols int) (Matrix, error) {
	made, err := d.New(rows, cols)
	if err != nil {
		return nil, err
	}
	m.made = append(m.made, made)
	return made, nil
}

// Upload is New of a matrix with these numbers.
func (m *Matrices) Upload(d Device, h Host) (Matrix, error) {
	made, err := m.New(d, h.Rows, h.Cols)
	if err != nil {
		return nil, err
	}
	return made, made.Write(h.Data)
}

// Close gives back all that were made; others may be made afterwards.
func (m *Matrices) Close() error {
	var errs []error
	for _, made := range m.made {
		errs = append(errs, made.Close())
	}
	m.made = nil
	return errors.Join(errs...)
}
