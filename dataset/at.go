package dataset

import "path/filepath"

// At is a specification whose relative path starts from a folder: what opens from
// anywhere the data that specification opens in folder. One with an absolute path,
// or without any, stays what it is. A mistake in it is an error that wraps
// [ErrSpecification].
func At(specification, folder string) (string, error) {
	s, err := parseSpec(specification)
	if err != nil {
		return "", err
	}
	if s.path == "" || filepath.IsAbs(s.path) || folder == "" {
		return specification, nil
	}
	s.path = filepath.Join(folder, s.path)
	return s.String(), nil
}
