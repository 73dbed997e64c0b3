package dataset

import (
	"path/filepath"
	"strings"
)

// At is a specification whose relative paths, those of options too, start from a
// folder: what opens from anywhere the data that specification opens in folder. One
// with absolute paths, or without any, stays what it is. A mistake in it is an error
// that wraps [ErrSpecification], and so is a folder with a comma for an option.
func At(specification, folder string) (string, error) {
	s, err := parseSpec(specification)
	if err != nil {
		return "", err
	}
	if folder == "" {
		return specification, nil
	}
	moved := false
	move := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		moved = true
		return filepath.Join(folder, path)
	}
	s.path = move(s.path)
	for _, o := range s.kind.options {
		if path, given := s.options[o.name]; given && o.shown == aFile {
			if s.options[o.name] = move(path); strings.Contains(s.options[o.name], ",") {
				return "", specErrorf("%s=%s: the path of an option has no comma", o.name, s.options[o.name])
			}
		}
	}
	if !moved {
		return specification, nil
	}
	return s.String(), nil
}
