package visualize

import "github.com/unitscope/unitscope/engine"

// matrices is what a piece of work holds on a device, to be given back together.
type matrices struct {
	device engine.Device
	owned  []engine.Matrix
}

// matrix returns a matrix of this shape, with its numbers if it has any, else
// zeros.
func (m *matrices) matrix(h engine.Host) (engine.Matrix, error) {
	made, err := m.device.New(h.Rows, h.Cols)
	if err != nil {
		return nil, err
	}
	m.owned = append(m.owned, made)
	if h.Data == nil {
		return made, nil
	}
	return made, made.Write(h.Data)
}

// Close gives the device's memory back.
func (m *matrices) Close() (err error) {
	for _, owned := range m.owned {
		closeInto(&err, owned)
	}
	m.owned = nil
	return err
}

// fittingRows is how many of n rows, each of so many float32, fit half of a
// device's free memory, from 1 to most.
func fittingRows(d engine.Device, n, floats, most int) int {
	free := d.Info().FreeMemory
	if free <= 0 {
		free = unknownMemory
	}
	fitting := free / 2 / int64(4*floats)
	return int(min(int64(n), max(1, min(fitting, int64(most)))))
}
