package main

import (
	"archive/zip"
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/schema"
)

// checkSchema makes sure that what the runs in a folder have written is what package
// schema says of their kinds: files, arrays and columns, and returns how many files had
// such. A command may write no folder.
func checkSchema(t *testing.T, folder string) (files int) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != schema.Record {
			return err
		}
		r, err := runfolder.ReadRecord(filepath.Dir(path))
		if err != nil {
			return err
		}
		kind, known := schema.Of(r.Task)
		if !known {
			t.Errorf("%s: a run of %q, which is no kind of run", path, r.Task)
		}
		for _, o := range r.Outputs {
			i := slices.IndexFunc(kind.Files, func(f schema.File) bool { return matches(f.Name, o.Name) })
			if i < 0 {
				t.Errorf("%s: a run of %q writes %s, which is not planned", path, r.Task, o.Name)
			} else if checkFields(t, kind.Files[i], filepath.Join(filepath.Dir(path), o.Name)) {
				files++
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	return files
}

// checkFields compares the names in a file with those that it should have. has is true for
// a file that has any.
func checkFields(t *testing.T, f schema.File, path string) (has bool) {
	t.Helper()
	names := fieldsOf(t, path)
	for _, name := range names {
		if !slices.ContainsFunc(f.Fields, func(field schema.Field) bool { return matches(field.Name, name) }) {
			t.Errorf("%s: %s is nothing that it should have", path, name)
		}
	}
	for _, field := range f.Fields {
		if !field.Sometimes && !slices.ContainsFunc(names, func(name string) bool { return matches(field.Name, name) }) {
			t.Errorf("%s lacks %s", path, field.Name)
		}
	}
	return len(names) > 0
}

// matches is true for a name by a pattern of it.
func matches(pattern, name string) bool {
	ok, err := filepath.Match(pattern, name)
	return ok && err == nil
}

// fieldsOf are the names of arrays or columns in a file, nil where it is neither kind.
func fieldsOf(t *testing.T, path string) (names []string) {
	t.Helper()
	switch filepath.Ext(path) {
	case ".npz":
		file, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for _, f := range file.File {
			names = append(names, strings.TrimSuffix(f.Name, ".npy"))
		}
	case ".csv":
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		line, err := bufio.NewReader(file).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		names = strings.Split(strings.TrimSpace(line), ",")
	}
	return names
}
