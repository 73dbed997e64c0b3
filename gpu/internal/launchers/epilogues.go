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

// Types in package engine whose constants kernels know.
const epilogueType, activationType = "EpilogueKind", "ActivationKind"

// own are the epilogues that only the card's own plans have: their numbers follow
// those of package engine.
var own = []struct{ name, does string }{
	{"EpilogueGaussian", "dst = y + bias + a standard normal number"},
}

// readKinds reads the names of the constants of a type of package engine, which
// count from 0, in order.
func readKinds(folder, kind string) (names []string, err error) {
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
			if found := constantsOf(d, kind); found != nil {
				if names != nil {
					return nil, fmt.Errorf("%s: a second list of constants of %s", file, kind)
				}
				names = found
			}
		}
	}
	if names == nil {
		return nil, errors.New("package engine has no list of constants of " + kind + " = iota")
	}
	return names, nil
}

// constantsOf are the names of a declaration's constants if it counts kinds of a type.
func constantsOf(d ast.Decl, of string) (names []string) {
	list, ok := d.(*ast.GenDecl)
	if !ok || list.Tok != token.CONST {
		return nil
	}
	for i, spec := range list.Specs {
		value := spec.(*ast.ValueSpec)
		if i == 0 {
			kind, ok := value.Type.(*ast.Ident)
			if !ok || kind.Name != of {
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

// cudaActivations is activations.cuh.
func cudaActivations(kinds []string) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, generated, "#pragma once\n\n// Those of engine.ActivationKind.\nenum class Activation {\n")
	for i, name := range kinds {
		fmt.Fprintf(&b, "  %s = %d,\n", strings.ToUpper(name), i)
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
