package dataset

import (
	"os"

	"github.com/unitscope/unitscope/dataset/internal/matlab"
)

// openMAT opens an array of examples in a MATLAB file.
func openMAT(s spec, _ uint64) (Set, error) {
	if err := s.checkArrays(); err != nil {
		return nil, err
	}
	l, err := s.layout()
	if err != nil {
		return nil, err
	}
	c := &contents{files: []string{s.path}}
	err = withFile(s.path, func(f *os.File, size int64) error {
		file, err := matlab.Open(f, size)
		if err != nil {
			return err
		}
		if s.options["x"] == "" {
			if s.options["x"], err = file.Only(func(a matlab.Listed) bool { return a.Name != s.options["y"] && areExamples(a.Dims) }); err != nil {
				return err
			}
		}
		return c.readMATLAB(file, s.options["x"], s.options["y"], l)
	})
	if err != nil {
		return nil, err
	}
	return c.set(s)
}

// readMATLAB reads the array x of a MATLAB file, as the layout says, and its labels
// y, "" for none.
func (c *contents) readMATLAB(file *matlab.File, x, y string, l *layout) (err error) {
	if y != "" {
		if c.labels, err = file.ReadLabels(y); err != nil {
			return err
		}
	}
	if c.examples, err = l.read(file, x, c.labels); err != nil {
		return err
	}
	if y == "" {
		l.hintLabels(file, x, c.examples.Shape[0])
	}
	c.remarks, c.warnings = l.remarks, l.warnings
	return nil
}

// areExamples says whether dimensions are those of several numbers for several
// examples, and not of a scalar or a vector.
func areExamples(dims []int) bool {
	longer := 0
	for _, n := range dims {
		if n > 1 {
			longer++
		}
	}
	return longer > 1
}
