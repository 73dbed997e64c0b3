package dataset

import (
	"fmt"
	"io"
	"os"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/dataset/internal/idx"
	"github.com/unitscope/unitscope/dataset/numpy"
)

// contents is what was read from the files of a specification.
type contents struct {
	files             []string
	examples          *array.Array
	labels            []int32  // nil if there are none
	classes           []string // their names, nil if they are numbers
	remarks, warnings []string
	doubt             string // see Info.Doubt
}

// note keeps what is to be said of a file that was read.
func (c *contents) note(name string, remarks, warnings []string) {
	for _, remark := range remarks {
		c.remarks = append(c.remarks, name+": "+remark)
	}
	for _, warning := range warnings {
		c.warnings = append(c.warnings, name+": "+warning)
	}
}

// readExamples reads the numbers of a file that can be examples, and have a label each
// if there are labels: nothing is read of one that can't.
func (c *contents) readExamples(name string, f *array.File) (err error) {
	if _, err := checkExamples(f.Shape, c.labels); err != nil {
		return err
	}
	c.examples, err = f.Read()
	c.note(name, f.Remarks, f.Warnings)
	return err
}

func (c *contents) readLabels(name string, f *array.File) (err error) {
	c.labels, err = f.Labels()
	c.note(name, f.Remarks, f.Warnings)
	return err
}

// set makes a set of what was read, as the options of s say.
func (c *contents) set(s spec) (*memory, error) {
	scale, err := s.scale()
	if err != nil {
		return nil, err
	}
	m, err := newMemory(s.String(), c.files, c.examples, c.labels, scale)
	if err == nil {
		err = m.colours(s.options["colour"])
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.files[0], err)
	}
	m.info.Classes = c.classes
	m.info.Remarks = append(m.info.Remarks, c.remarks...)
	m.info.Warnings = append(m.info.Warnings, c.warnings...)
	m.info.Doubt = c.doubt
	return m, nil
}

// checkArrays checks the options that all kinds of arrays have, before a file is read.
func (s spec) checkArrays() error {
	if colour, given := s.options["colour"]; given && colour != grey {
		return specErrorf("colour=%s: want %s", colour, grey)
	}
	_, err := s.scale()
	return err
}

func openIDX(s spec, _ uint64) (Set, error) { return openArrays(s, idx.Open) }

func openNPY(s spec, _ uint64) (Set, error) { return openArrays(s, numpy.Open) }

// openArrays opens a file of examples, and one of labels if there is an option y.
func openArrays(s spec, open func(r io.Reader, size int64) (*array.File, error)) (Set, error) {
	if err := s.checkArrays(); err != nil {
		return nil, err
	}
	c := &contents{files: []string{s.path}}
	with := func(path string, use func(name string, f *array.File) error) error {
		return withFile(path, func(file *os.File, size int64) error {
			f, err := open(file, size)
			if err != nil {
				return err
			}
			return use(path, f)
		})
	}
	if y := s.options["y"]; y != "" {
		c.files = append(c.files, y)
		if err := with(y, c.readLabels); err != nil {
			return nil, err
		}
	}
	if err := with(s.path, c.readExamples); err != nil {
		return nil, err
	}
	return c.set(s)
}

func openNPZ(s spec, _ uint64) (Set, error) {
	if err := s.checkArrays(); err != nil {
		return nil, err
	}
	c := &contents{files: []string{s.path}}
	err := withFile(s.path, func(file *os.File, size int64) error {
		archive, err := numpy.OpenArchive(file, size)
		if err != nil {
			return err
		}
		if s.options["x"] == "" {
			if s.options["x"], err = archive.Only(s.options["y"]); err != nil {
				return err
			}
		}
		return c.readArchive(archive, s)
	})
	if err != nil {
		return nil, err
	}
	return c.set(s)
}

// readArchive reads the arrays x and y of an archive.
func (c *contents) readArchive(archive *numpy.Archive, s spec) error {
	with := func(name string, use func(name string, f *array.File) error) error {
		if n := archive.Count(name); n > 1 {
			c.warnings = append(c.warnings, fmt.Sprintf("%s: it holds %d arrays named %q, and the last was taken", s.path, n, name))
		}
		return archive.With(name, func(f *array.File) error {
			return use(fmt.Sprintf("%s: array %q", s.path, name), f)
		})
	}
	if y := s.options["y"]; y != "" {
		if err := with(y, c.readLabels); err != nil {
			return err
		}
	}
	return with(s.options["x"], c.readExamples)
}
