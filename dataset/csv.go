package dataset

import (
	"os"

	"github.com/unitscope/unitscope/dataset/internal/table"
)

func openCSV(s spec, _ uint64) (Set, error) {
	if err := s.checkArrays(); err != nil {
		return nil, err
	}
	o := table.Options{Label: s.options["label"], Header: s.options["header"]}
	if o.Header != "" && o.Header != "yes" && o.Header != "no" {
		return nil, specErrorf("header=%s: want yes or no", o.Header)
	}
	c := &contents{files: []string{s.path}}
	err := withFile(s.path, func(file *os.File, size int64) error {
		t, err := table.Read(file, size, o)
		if err != nil {
			return err
		}
		c.examples, c.labels, c.classes = t.Array, t.Labels, t.Classes
		c.note(s.path, t.Remarks, t.Warnings)
		if t.Doubt != "" {
			c.doubt = s.path + ": " + t.Doubt
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.set(s)
}
