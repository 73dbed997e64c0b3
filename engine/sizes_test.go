package engine_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A function fits on a screen, a file tells one story: so many lines at most.
const (
	functionLines = 80
	fileLines     = 400
)

// TestSizes holds every Go file of the module to these limits, tests and the module
// that writes assembly too. Left out are generated files, which nobody reads, and
// of functions the lines of tables: a hundred cases of one kind are read as easily
// as ten. Kernels of cards are not in Go.
func TestSizes(t *testing.T) {
	files := goFiles(t, "..")
	if len(files) < 100 {
		t.Fatalf("%d Go files found", len(files))
	}
	for _, file := range files {
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.ToSlash(strings.TrimPrefix(file, ".."+string(filepath.Separator)))
		if ast.IsGenerated(parsed) {
			continue
		}
		if n := set.File(parsed.FileStart).LineCount(); n > fileLines {
			t.Errorf("%s has %d lines, want %d at most: it tells more than one story", name, n, fileLines)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if n := lines(set, f) - tables(set, f); n > functionLines {
					t.Errorf("%s: %s has %d lines, want %d at most", name, f.Name.Name, n, functionLines)
				}
			}
		}
	}
}

// goFiles are the Go files below a folder. Links and folders of other people's code
// are passed by.
func goFiles(t *testing.T, root string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && slices.Contains([]string{".git", "node_modules", "build", "runs"}, e.Name()):
			return fs.SkipDir
		case e.Type().IsRegular() && strings.HasSuffix(path, ".go"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func lines(set *token.FileSet, n ast.Node) int {
	return set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1
}

// tables is how many lines of a function are elements of slices and maps.
func tables(set *token.FileSet, f *ast.FuncDecl) (n int) {
	ast.Inspect(f, func(node ast.Node) bool {
		literal, ok := node.(*ast.CompositeLit)
		if !ok {
			return true
		}
		switch literal.Type.(type) {
		case *ast.ArrayType, *ast.MapType:
			n += max(0, set.Position(literal.Rbrace).Line-set.Position(literal.Lbrace).Line-1)
			return false
		}
		return true
	})
	return n
}
