package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// epilogueType is the type in package engine whose constants are the epilogues.
const epilogueType = "EpilogueKind"

// own are the epilogues that only the card's own plans have: their numbers follow
// those of package engine.
var own = []struct{ name, does string }{
	{"EpilogueGaussian", "dst = y + bias + a standard normal number"},
}

// readEpilogues reads the names of the constants of engine.EpilogueKind, which count
// from 0, in order.
func readEpilogues(folder string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return nil, err
		}
		for _, d := range parsed.Decls {
			if found := constantsOf(d); found != nil {
				if names != nil {
					return nil, fmt.Errorf("%s: a second list of constants of %s", file, epilogueType)
				}
				names = found
			}
		}
	}
	if names == nil {
		return nil, errors.New("package engine has no list of constants of " + epilogueType + " = iota")
	}
	return names, nil
}

// constantsOf are the names of a declaration's constants if it counts epilogues.
func constantsOf(d ast.Decl) (names []string) {
	list, ok := d.(*ast.GenDecl)
	if !ok || list.Tok != token.CONST {
		return nil
	}
	for i, spec := range list.Specs {
		value := spec.(*ast.ValueSpec)
		if i == 0 {
			kind, ok := value.Type.(*ast.Ident)
			if !ok || kind.Name != epilogueType {
				return nil
			}
		}
		names = append(names, value.Names[0].Name)
	}
	return names
}

// cudaEpilogues is epilogues.cuh.
func cudaEpilogues(kinds []string) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, generated, "#pragma once\n\n// Those of engine.EpilogueKind, and then those that only plans have.\nenum Epilogue {\n")
	for i, name := range append(kinds, ownNames()...) {
		fmt.Fprintf(&b, "  %s = %d,\n", strings.ToUpper(strings.TrimPrefix(name, "Epilogue")), i)
	}
	fmt.Fprint(&b, "};\n")
	return b.Bytes()
}

// goEpilogues is epilogues.go of package kernels.
func goEpilogues(kinds []string) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, generated, "\npackage kernels\n\n// The epilogues of products beyond those of engine.EpilogueKind.\nconst (\n")
	for i, e := range own {
		fmt.Fprintf(&b, "\t%s = %d // %s\n", e.name, len(kinds)+i, e.does)
	}
	fmt.Fprint(&b, ")\n")
	return b.Bytes()
}

func ownNames() (names []string) {
	for _, e := range own {
		names = append(names, e.name)
	}
	return names
}
