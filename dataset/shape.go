package dataset

import (
	"fmt"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/engine"
)

// exampleShape is the shape of one example of an array: components, a picture, or a
// picture of three colours. Pictures of one colour lose that dimension.
func exampleShape(shape []int) ([]int, error) {
	switch {
	case len(shape) == 2, len(shape) == 3:
		return shape[1:], nil
	case len(shape) == 4 && shape[1] == 1:
		return shape[2:], nil
	case len(shape) == 4 && shape[3] == 1:
		return shape[1:3], nil
	case len(shape) == 4 && (shape[1] == 3 || shape[3] == 3):
		return shape[1:], nil
	case len(shape) == 1:
		return nil, fmt.Errorf("shape %v, one number per example: are these labels? (y= is for those)", shape)
	}
	return nil, fmt.Errorf("shape %v, want [examples, components], [examples, rows, cols], or one or three colours before or after rows and cols", shape)
}

// checkExamples checks that an array of this shape is one of examples, of as many as
// there are labels if there are any, and is the shape of one.
func checkExamples(shape []int, labels []int32) ([]int, error) {
	of, err := exampleShape(shape)
	size := Info{Shape: of}.Size()
	switch {
	case err != nil:
		return nil, err
	case shape[0] < 1 || size < 1:
		return nil, fmt.Errorf("shape %v holds no examples", shape)
	case size > engine.MaxColumns:
		return nil, fmt.Errorf("examples of %d numbers, want at most %d", size, engine.MaxColumns)
	case shape[0] > maxExamples:
		return nil, fmt.Errorf("%d examples, want at most %d", shape[0], maxExamples)
	case labels != nil && len(labels) != shape[0]:
		return nil, fmt.Errorf("%d examples and %d labels", shape[0], len(labels))
	}
	return of, nil
}

// grey is the value of the option colour.
const grey = "grey"

// How bright the eye finds the colours (recommendation 601 of the ITU, the grey of
// most programs).
const red, green, blue = 0.299, 0.587, 0.114

// colours turns pictures of three colours to grey where that was asked for, and says
// what they are where not.
func (m *memory) colours(wanted string) error {
	shape := m.info.Shape
	if len(shape) != 3 {
		if wanted != "" {
			return specErrorf("colour=%s: examples have shape %v, want pictures of three colours", wanted, shape)
		}
		return nil
	}
	first, last := shape[0] == 3, shape[2] == 3
	if wanted == "" {
		m.info.Remarks = append(m.info.Remarks, fmt.Sprintf("examples are pictures of three colours, %v; colour=%s turns them to grey", shape, grey))
		return nil
	}
	if first && last {
		return specErrorf("colour=%s: examples have shape %v, and which 3 is that of the colours can't be told", wanted, shape)
	}
	if first {
		m.info.Shape = shape[1:]
		return m.toGrey(1, m.info.Size())
	}
	m.info.Shape = shape[:2]
	return m.toGrey(3, 1)
}

// toGrey makes one number of every three: those of a pixel are across apart, and those
// of one colour along. Shape is that of the grey pictures already.
func (m *memory) toGrey(along, across int) error {
	size := m.info.Size()
	if err := array.CheckRoom(4 * uint64(m.count) * uint64(size)); err != nil {
		return err
	}
	at := func(i int) float64 {
		if m.floats == nil {
			return float64(m.levels[m.bytes[i]])
		}
		return float64(m.floats[i])
	}
	pixels := make([]float32, m.count*size)
	for i := range pixels {
		from := i/size*3*size + i%size*along
		pixels[i] = float32(red*at(from) + green*at(from+across) + blue*at(from+2*across))
	}
	m.bytes, m.floats = nil, pixels
	m.info.Remarks = append(m.info.Remarks, fmt.Sprintf("colours were turned to grey: %g red + %g green + %g blue", red, green, blue))
	return nil
}
