package schema_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/schema"
)

// known are the names that nobody else may spell.
type known struct {
	whole  map[string]bool // tasks, names of files and of fields that can't be any other word
	fields map[string]bool // all names of fields
	files  []string        // with a * for a layer
}

func readKnown() known {
	k := known{whole: map[string]bool{schema.Record: true}, fields: map[string]bool{}}
	for _, kind := range schema.Kinds() {
		k.whole[kind.Task] = true
		for _, f := range kind.Files {
			k.whole[f.Name] = true
			if strings.Contains(f.Name, "*") {
				k.files = append(k.files, f.Name)
			}
			for _, field := range f.Fields {
				k.fields[field.Name] = true
				if strings.Contains(field.Name, "_") {
					k.whole[field.Name] = true
				}
			}
		}
	}
	return k
}

// verb is what fmt puts something in the place of.
var verb = regexp.MustCompile(`%[0-9]*[sdv]`)

// isName is true for a text that is one of the names, or is made to be one by fmt.
func (k known) isName(text string) bool {
	text = verb.ReplaceAllString(text, "*")
	return k.whole[text] || strings.Contains(text, "*") && strings.Contains(text, "layer") && path.Ext(text) != "" && slices.ContainsFunc(k.files, func(pattern string) bool {
		ours, err := path.Match(pattern, text)
		theirs, err2 := path.Match(text, pattern)
		return err == nil && ours || err2 == nil && theirs
	})
}

// Functions that take the name of an array or a column.
var takesField = []string{
	"floats", "ints", "words", "addArray", "readArray", "hasArray", "readVector", "ReadLabels", "atMost", "array",
	"column", "text", "number", "whole", "float", "factOf",
}

type literal struct {
	at   token.Position
	text string
}

// literals are the names that a file spells, with where.
func (k known) literals(files *token.FileSet, file *ast.File) (found []literal) {
	say := func(at ast.Node, text string) { found = append(found, literal{files.Position(at.Pos()), text}) }
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if text, ok := textOf(n); ok && k.isName(text) {
				say(n, text)
			}
		case *ast.CallExpr:
			if slices.Contains(takesField, calledName(n)) {
				for _, argument := range n.Args {
					if text, ok := textOf(argument); ok && k.fields[text] {
						say(argument, text)
					}
				}
			}
			if text, ok := k.command(n.Args); ok {
				say(n, text)
			}
		case *ast.CompositeLit:
			if text, ok := k.header(n.Elts); ok {
				say(n, text)
			}
			if text, ok := k.command(n.Elts); ok {
				say(n, text)
			}
		}
		return true
	})
	return found
}

// header is the first word of a list of five words or more that are all columns.
func (k known) header(list []ast.Expr) (first string, ok bool) {
	for i, e := range list {
		text, ok := textOf(e)
		if !ok || !k.fields[text] {
			return "", false
		}
		if i == 0 {
			first = text
		}
	}
	return first, len(list) >= 5
}

// command is a task that a list begins with, word by word.
func (k known) command(list []ast.Expr) (task string, ok bool) {
	if len(list) < 2 {
		return "", false
	}
	first, ok1 := textOf(list[0])
	second, ok2 := textOf(list[1])
	task = first + " " + second
	return task, ok1 && ok2 && k.whole[task]
}

func textOf(e ast.Expr) (text string, ok bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// calledName is the name of the function or method that is called.
func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// Nobody but this package, and those that it takes names from, spells what is in run
// folders: who writes it and who reads it can't come to mean different things. Sentences
// for people may name files.
func TestNobodyElseSpellsNames(t *testing.T) {
	k := readKnown()
	own := map[string][]string{
		"network/read.go":              {schema.Model},
		"network/keras/activations.go": {"threshold"},         // an argument of Keras
		"train/checkpoint.go":          {"layer", "examples"}, // metadata of checkpoints
		"train/finetune_checkpoint.go": {"examples", "errors"},
	}
	scanned := 0
	for _, folder := range []string{"network", "train", "visualize", "report", "dataset", "bench", "cmd"} {
		err := filepath.WalkDir("../"+folder, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, name, nil, 0)
			if err != nil {
				return err
			}
			scanned++
			for _, l := range k.literals(files, file) {
				if !slices.Contains(own[strings.TrimPrefix(filepath.ToSlash(name), "../")], l.text) {
					t.Errorf("%s: package schema has the name %q", l.at, l.text)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if scanned < 100 {
		t.Errorf("only %d files were read", scanned)
	}
}

// The test above notices names.
func TestLiterals(t *testing.T) {
	for source, want := range map[string]int{
		`"ascent.npz"`: 1, `"visualize ascent"`: 1, `"writes ascent.npz"`: 0, `f("layer%d-samples.npz", 1)`: 1, `"free_mean"`: 1,
		`f("%s-layer%d.npz", a, b)`: 1, `a.floats("mean", x)`: 1, `g("mean", x)`: 0, `[]string{"unit", "restart", "steps", "stop", "tangent"}`: 1,
		`[]string{"layers", "epochs"}`: 0, `[]string{"analyze", "compare", "--out"}`: 1, `[]string{"compare", "analyze"}`: 0, `"run.json"`: 1, `"dbn-restarts.npz"`: 1,
	} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "x.go", "package x\nvar x = "+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := readKnown().literals(files, file); len(got) != want {
			t.Errorf("%s: %v, want %d", source, got, want)
		}
	}
}
