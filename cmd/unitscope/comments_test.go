package main

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"testing"
)

// What a package of the program gives to others says what it is, and so does the package.
func TestComments(t *testing.T) {
	found := 0
	err := filepath.WalkDir("internal", func(folder string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		p, err := build.ImportDir(folder, 0)
		if err != nil {
			return nil // it holds no package
		}
		if p.Doc == "" {
			t.Errorf("package %s has no comment", p.Name)
		}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, name), nil, parser.ParseComments)
			if err != nil {
				return err
			}
			for name, comment := range exportedOf(file) {
				if found++; comment.Text() == "" {
					t.Errorf("%s.%s has no comment", p.Name, name)
				}
			}
		}
		return nil
	})
	if err != nil || found < 100 {
		t.Errorf("%d names; error %v", found, err)
	}
}

// exportedOf are the exported names that a file declares, with their comments. Names that
// are declared together may have one for all.
func exportedOf(file *ast.File) map[string]*ast.CommentGroup {
	all := map[string]*ast.CommentGroup{}
	add := func(name *ast.Ident, comments ...*ast.CommentGroup) {
		if !name.IsExported() {
			return
		}
		all[name.Name] = nil
		for _, c := range comments {
			if c.Text() != "" {
				all[name.Name] = c
			}
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if of := receiver(d); of == "" || ast.IsExported(of) {
				add(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					add(s.Name, d.Doc, s.Doc)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						add(name, d.Doc, s.Doc, s.Comment)
					}
				}
			}
		}
	}
	return all
}
