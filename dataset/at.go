package dataset

import "path/filepath"

// At is a specification whose relative paths, those of options too, start from a
// folder: what opens from anywhere the data that specification opens in folder. One
// with absolute paths, or without any, stays what it is. A mistake in it is an error
// that wraps [ErrSpecification].
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
			s.options[o.name] = move(path)
		}
	}
	if !moved {
		return specification, nil
	}
	return s.String(), nil
}
