package dataset

import (
	"fmt"
	"math"
	"slices"

	"github.com/unitscope/unitscope/dataset/internal/array"
)

// memory is a set whose numbers were read from files, kept as compactly as
// they came: bytes stay bytes until they are read.
type memory struct {
	info   Info
	count  int
	bytes  []byte       // [count, size], one of bytes and floats is set
	levels [256]float32 // what bytes stand for
	floats []float32    // [count, size]
	labels []int32      // [count], nil if there are none
}

// newMemory makes a set of an array of shape [examples, ...], which it keeps and
// whose floats it divides by scale; scale 0 stands for [usualScale]. Numbers are
// checked to be finite and their range is measured.
func newMemory(name string, files []string, a *array.Array, labels []int32, scale float64) (*memory, error) {
	shape, err := checkExamples(a.Shape, labels)
	if err != nil {
		return nil, err
	}
	m := &memory{
		info:   Info{Name: name, Shape: shape, Files: files},
		count:  a.Shape[0],
		bytes:  a.Bytes,
		floats: a.Floats,
		labels: labels,
	}
	low, high, err := m.measure()
	if err != nil {
		return nil, err
	}
	if scale == 0 {
		if scale, err = usualScale(a, low, high); err != nil {
			return nil, err
		}
	}
	m.info.Stored = stored(a.Type, low, high, scale)
	return m, m.divide(low, high, scale)
}

// measure finds the range of the numbers as they are stored.
func (m *memory) measure() (low, high float32, err error) {
	if m.floats == nil {
		return float32(slices.Min(m.bytes)), float32(slices.Max(m.bytes)), nil
	}
	low, high = m.floats[0], m.floats[0]
	for i, v := range m.floats {
		if v-v != 0 {
			size := m.info.Size()
			return 0, 0, fmt.Errorf("example %d holds %g at component %d: want finite numbers", i/size, v, i%size)
		}
		low, high = min(low, v), max(high, v)
	}
	return low, high, nil
}

// divide divides numbers from low to high by scale, and says in which range they are
// then. Bytes can be anything from 0 on; those of pictures, and binary ones, up to 1.
func (m *memory) divide(low, high float32, scale float64) error {
	scaled := func(v float32) float32 { return float32(float64(v) / scale) }
	m.info.Low, m.info.High = scaled(low), scaled(high)
	if largest := max(-m.info.Low, m.info.High); largest > math.MaxFloat32 {
		return specErrorf("scale=%g: numbers from %g to %g become infinite", scale, low, high)
	}
	if m.bytes != nil {
		m.info.Low = 0
		if scale == pictureScale || scale == 1 && high <= 1 {
			m.info.High = 1
		}
		for b := range m.levels {
			m.levels[b] = scaled(float32(b))
		}
	} else if scale != 1 {
		for i, v := range m.floats {
			m.floats[i] = scaled(v)
		}
	}
	return nil
}

func (m *memory) Info() Info { return m.info.clone() }

func (m *memory) Len() int { return m.count }

func (m *memory) Read(dst []float32, indices []int) error {
	size := m.info.Size()
	if err := checkRead(dst, indices, m.count, size); err != nil {
		return err
	}
	for i, index := range indices {
		row := dst[i*size : (i+1)*size]
		if m.floats != nil {
			copy(row, m.floats[index*size:])
			continue
		}
		for j, b := range m.bytes[index*size : (index+1)*size] {
			row[j] = m.levels[b]
		}
	}
	return nil
}

func (m *memory) Label(index int) (int, bool) {
	if m.labels == nil || index < 0 || index >= m.count {
		return 0, false
	}
	return int(m.labels[index]), true
}

// Close does nothing: all is memory, which goes with the set.
func (m *memory) Close() error { return nil }

// checkRead is the door of every set's Read.
func checkRead(dst []float32, indices []int, count, size int) error {
	if len(dst) != len(indices)*size {
		return fmt.Errorf("read examples: dst holds %d numbers, %d examples of %d components need %d", len(dst), len(indices), size, len(indices)*size)
	}
	for _, index := range indices {
		if index < 0 || index >= count {
			return fmt.Errorf("read examples: example %d of a set of %d", index, count)
		}
	}
	return nil
}
