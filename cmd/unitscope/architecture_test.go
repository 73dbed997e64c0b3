package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	slashed "path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What ARCHITECTURE.md and CONTRIBUTING.md name in backquotes is there: paths,
// packages, names of Go and of kernels, targets of make, environment variables.

const root = "../.."

func guides(t *testing.T) []document {
	return []document{readDocument(t, root+"/ARCHITECTURE.md"), readDocument(t, root+"/CONTRIBUTING.md")}
}

// inBackquotes is what a document has in backquotes.
var inBackquotes = regexp.MustCompile("`([^`]+)`")

// tree is the repository's own files and folders, by their paths from its root,
// and what its packages declare.
type tree struct {
	files, folders []string
	declared       map[string]map[string]bool // names by folder of the package
}

func readTree(t *testing.T) *tree {
	t.Helper()
	all := &tree{declared: map[string]map[string]bool{}}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, filepath.Clean(root)+string(filepath.Separator)))
		switch {
		case e.IsDir() && slices.Contains([]string{".git", "node_modules", "build"}, e.Name()):
			return fs.SkipDir
		case e.IsDir():
			all.folders = append(all.folders, name)
		default:
			all.files = append(all.files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all.files {
		// Modules of their own, as _generate, are no packages of this one.
		if strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") && !strings.Contains(file, "/_") {
			folder := file[:max(0, strings.LastIndex(file, "/"))]
			if all.declared[folder] == nil {
				all.declared[folder] = map[string]bool{}
			}
			for name := range declarations(t, file) {
				all.declared[folder][name] = true
			}
		}
	}
	return all
}

// declarations are the names that a Go file declares, whatever it is built for: f, T,
// T.method and T.field.
func declarations(t *testing.T, file string) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return declarationsOf(parsed)
}

func declarationsOf(file *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			names[receiver(d)+d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				addSpec(names, s)
			}
		}
	}
	return names
}

// receiver is the type of a method with a dot behind it, "" for a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	of := d.Recv.List[0].Type
	for {
		switch is := of.(type) {
		case *ast.StarExpr:
			of = is.X
		case *ast.IndexExpr:
			of = is.X
		case *ast.Ident:
			return is.Name + "."
		default:
			return ""
		}
	}
}

func addSpec(names map[string]bool, s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			names[name.Name] = true
		}
	case *ast.TypeSpec:
		names[s.Name.Name] = true
		var members *ast.FieldList
		switch is := s.Type.(type) {
		case *ast.StructType:
			members = is.Fields
		case *ast.InterfaceType:
			members = is.Methods
		default:
			return
		}
		for _, member := range members.List {
			for _, name := range member.Names {
				names[s.Name.Name+"."+name.Name] = true
			}
		}
	}
}

// fromRoot is a path from the repository's root; those of the rooms of the program are
// written without their folder, as job/job.go.
func fromRoot(path string) string {
	first, _, _ := strings.Cut(path, "/")
	if info, err := os.Stat(filepath.Join("internal", first)); first != "" && err == nil && info.IsDir() {
		return "cmd/unitscope/internal/" + path
	}
	return path
}

// exists says whether a path, which may be a pattern, is that of a file or folder.
func (all *tree) exists(pattern string) bool {
	pattern = fromRoot(strings.TrimSuffix(pattern, "/"))
	return slices.ContainsFunc(slices.Concat(all.files, all.folders), func(name string) bool {
		ok, err := slashed.Match(pattern, name)
		return ok && err == nil
	})
}

// isPath is true for what can only be meant as a path of the repository: it has a
// slash, but no other project's address before it, or ends as source files do.
func isPath(text string) bool {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./*") != "" {
		return false
	}
	first, _, slash := strings.Cut(text, "/")
	if slash {
		return !strings.Contains(strings.TrimPrefix(first, "."), ".")
	}
	return slices.Contains([]string{".go", ".cu", ".cuh", ".s", ".ptx", ".md", ".sh", ".js", ".txtar"}, filepath.Ext(text)) && !strings.HasPrefix(text, ".")
}

func TestGuidesPaths(t *testing.T) {
	all, found := readTree(t), 0
	for _, d := range guides(t) {
		for _, m := range inBackquotes.FindAllStringSubmatch(d.text, -1) {
			if isPath(m[1]) {
				found++
				if !all.exists(m[1]) {
					t.Errorf("%s: there is no %s", d.name, m[1])
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d paths were found", found)
	}
	for _, wrong := range []string{"engine/no.go", "no/such/folder", "engine/plane_*.go", "no.go", "job/no.go"} {
		if !isPath(wrong) || all.exists(wrong) {
			t.Errorf("%s passes", wrong)
		}
	}
}

// Every package has its line in ARCHITECTURE.md, and every line its package.
func TestGuidesPackages(t *testing.T) {
	all := readTree(t)
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(guides(t)[0].text, -1)
	var named []string
	for _, m := range rows {
		named = append(named, m[1])
		if all.declared[m[1]] == nil {
			t.Errorf("there is no package %s", m[1])
		}
	}
	for folder := range all.declared {
		if !slices.Contains(named, folder) {
			t.Errorf("package %s has no line in ARCHITECTURE.md", folder)
		}
	}
}

// Names before the file that declares them, as in `newAscent` (`cpu/ascent.go`), and
// names with their package, as engine.Plan, are declared there.
func TestGuidesNames(t *testing.T) {
	all, found := readTree(t), 0
	inFile := regexp.MustCompile("((?:`[A-Za-z_.]+`(?:,| and)?\\s+)+)\\(`([^`]+\\.[a-z]+)`\\)")
	exported := regexp.MustCompile(`^([a-z]+)\.([A-Z]\w*(?:\.\w+)?)$`)
	for _, d := range guides(t) {
		for _, m := range inFile.FindAllStringSubmatch(d.text, -1) {
			for _, name := range inBackquotes.FindAllStringSubmatch(m[1], -1) {
				found++
				if !declares(t, m[2], name[1]) {
					t.Errorf("%s: %s does not declare %s", d.name, m[2], name[1])
				}
			}
		}
		for _, m := range inBackquotes.FindAllStringSubmatch(d.text, -1) {
			if name := exported.FindStringSubmatch(m[1]); name != nil && name[1] != "tensor" { // gorgonia's
				found++
				if !all.hasExported(name[1], name[2]) {
					t.Errorf("%s: there is no %s", d.name, m[1])
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d names were found", found)
	}
	if all.hasExported("engine", "Plans") || !all.hasExported("engine", "Stream.Step") || declares(t, "cpu/ascent.go", "ascent.fly") || declares(t, "kernels/learn.cu", "learn") {
		t.Error("names that are not there pass, or others don't")
	}
}

func (all *tree) hasExported(pkg, name string) bool {
	for folder, names := range all.declared {
		if filepath.Base(folder) == pkg && names[name] {
			return true
		}
	}
	return false
}

// declares says whether a file declares a name; one that is not of Go has it before a
// parenthesis.
func declares(t *testing.T, file, name string) bool {
	t.Helper()
	file = fromRoot(file)
	if _, err := os.Stat(filepath.Join(root, file)); err != nil {
		return false // TestGuidesPaths says so
	}
	if strings.HasSuffix(file, ".go") {
		return declarations(t, file)[name]
	}
	return regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\(`).MatchString(readText(t, file))
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Targets of make, and environment variables, are those of a Makefile and of sources.
func TestGuidesTargetsAndVariables(t *testing.T) {
	var sources strings.Builder
	for _, file := range readTree(t).files {
		if slices.Contains([]string{".go", ".cpp", ".sh"}, filepath.Ext(file)) {
			sources.WriteString(readText(t, file))
		}
	}
	found := 0
	for _, d := range guides(t) {
		for _, m := range inBackquotes.FindAllStringSubmatch(d.text, -1) {
			words := strings.Fields(m[1])
			if strings.HasPrefix(m[1], "UNITSCOPE_") {
				found++
				if !regexp.MustCompile(`\b` + m[1] + `\b`).MatchString(sources.String()) {
					t.Errorf("%s: nothing reads %s", d.name, m[1])
				}
			}
			if words[0] != "make" {
				continue
			}
			makefile, targets := "Makefile", words[1:]
			if len(words) > 2 && words[1] == "-C" {
				makefile, targets = words[2]+"/Makefile", words[3:]
			}
			for _, target := range targets {
				found++
				if !regexp.MustCompile(`(?m)^(?:[a-z-]+ )*` + target + `(?: [a-z-]+)*:`).MatchString(readText(t, makefile)) {
					t.Errorf("%s: %s has no target %s", d.name, makefile, target)
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d targets and variables were found", found)
	}
}
