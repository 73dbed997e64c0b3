package main

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"
)

// largestCircle is how many files of a package may need one another: whoever reads one
// of them has to read all.
const largestCircle = 6

// The files of every package of the program can be read one after the other.
func TestCircles(t *testing.T) {
	packages := 0
	err := filepath.WalkDir(root+"/cmd", func(folder string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		p, err := build.ImportDir(folder, 0)
		if err != nil {
			return nil // it holds no package, as testdata
		}
		packages++
		if circle := circleOf(needs(t, folder, p.GoFiles)); len(circle) > largestCircle {
			t.Errorf("%s: each of %d files needs all others, want %d at most: %v", folder, len(circle), largestCircle, circle)
		}
		return nil
	})
	if err != nil || packages < 12 {
		t.Errorf("%d packages; error %v", packages, err)
	}
	// The counting itself.
	circle := circleOf(map[string][]string{"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": {"d", "d"}})
	if !slices.Equal(circle, []string{"a", "b", "c"}) {
		t.Errorf("the circle is %v", circle)
	}
	if got := needs(t, "internal/console", []string{"console.go", "output.go"}); !slices.Equal(got["console.go"], []string{"output.go"}) || len(got["output.go"]) > 0 {
		t.Errorf("needs are %v", got)
	}
}

// needs are, for each file of a package, the others that declare functions, types,
// variables and constants that it uses.
func needs(t *testing.T, folder string, names []string) map[string][]string {
	t.Helper()
	declaredIn, files := map[string]string{}, map[string]*ast.File{}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = file
		for declared := range declarationsOf(file) {
			declaredIn[declared] = name
		}
	}
	found := map[string][]string{}
	for name, file := range files {
		// Names that this file does not declare, neither at its top nor in a function.
		for _, use := range file.Unresolved {
			if in := declaredIn[use.Name]; in != "" && !slices.Contains(found[name], in) {
				found[name] = append(found[name], in)
			}
		}
	}
	return found
}

// circleOf is the largest set of files each of which leads to all others, sorted.
func circleOf(needs map[string][]string) (largest []string) {
	reached := map[string]map[string]bool{}
	for file := range needs {
		reached[file] = map[string]bool{}
		ways := slices.Clone(needs[file])
		for len(ways) > 0 {
			next := ways[0]
			ways = ways[1:]
			if !reached[file][next] {
				reached[file][next] = true
				ways = append(ways, needs[next]...)
			}
		}
	}
	for file := range needs {
		circle := []string{file}
		for other := range reached[file] {
			if other != file && reached[other][file] {
				circle = append(circle, other)
			}
		}
		if len(circle) > len(largest) {
			largest = circle
		}
	}
	slices.Sort(largest)
	return largest
}
