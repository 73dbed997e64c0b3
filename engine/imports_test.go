package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/unitscope/unitscope/"

// mayImport says which of our own packages the packages of a folder may import,
// besides those of the same folder: imports point downwards only,
//
//	cmd -> report -> visualize, train -> schema -> network, dataset -> engine <- cpu, gpu -> kernels
//
// A folder that is not named here is one that nobody has placed yet.
var mayImport = map[string][]string{
	"internal":  {}, // what tests of several packages need
	"engine":    {},
	"cpu":       {"engine"},
	"kernels":   {},
	"gpu":       {"engine", "kernels"},
	"dataset":   {"engine"},
	"network":   {"engine", "dataset", "internal"},
	"schema":    {"network"},
	"train":     {"engine", "dataset", "network", "schema"},
	"visualize": {"engine", "dataset", "network", "schema"},
	"report":    {"engine", "dataset", "network", "schema", "train", "visualize"},
	"bench":     {"engine", "dataset", "network", "train", "visualize"},
	"cmd":       {"engine", "dataset", "network", "schema", "train", "visualize", "report", "cpu", "gpu", "bench"},
}

// rooms says the same of the packages of the program, below cmd/unitscope/internal:
//
//	reporting -> figures -> measuring -> looking, making, machine -> job, picture -> console -> usage
//
// Commands of one group know those of another only where they are made of them.
var rooms = map[string][]string{
	"usage":     {},
	"console":   {"usage"},
	"help":      {"usage", "console"},
	"picture":   {},
	"job":       {"usage", "console", "picture"},
	"machine":   {"usage", "console", "job"},
	"making":    {"usage", "console", "job", "picture"},
	"looking":   {"usage", "console", "job", "picture"},
	"measuring": {"usage", "console", "job", "picture", "looking"},
	"figures":   {"usage", "console", "job", "picture", "looking", "measuring"},
	"reporting": {"usage", "console", "job", "picture", "making", "figures"},
}

const roomsFolder = module + "cmd/unitscope/internal/"

// room is the package of the program that a path is of, "" for another path.
func room(path string) string {
	rest, ok := strings.CutPrefix(path, roomsFolder)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// listed is what `go list` knows of a package.
type listed struct {
	ImportPath string
	Imports    []string
	CgoFiles   []string
	SFiles     []string
}

// list lists all packages of the module, tests left out: they may import what
// they test with.
func list(t *testing.T) (packages []listed) {
	t.Helper()
	command := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,CgoFiles,SFiles", module+"...")
	// Files with cgo are only listed where it is on.
	command.Env = append(os.Environ(), "CGO_ENABLED=1")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// folder is the top folder of one of our packages.
func folder(path string) string {
	top, _, _ := strings.Cut(strings.TrimPrefix(path, module), "/")
	return top
}

func TestImportsPointDown(t *testing.T) {
	packages := list(t)
	if len(packages) < 4 {
		t.Fatalf("go list found %d packages", len(packages))
	}
	for _, p := range packages {
		from := folder(p.ImportPath)
		allowed, known := mayImport[from]
		if !known {
			t.Errorf("%s: folder %s has no place in the order of imports", p.ImportPath, from)
		}
		for _, path := range p.Imports {
			if own := strings.HasPrefix(path, module); own && folder(path) != from && !slices.Contains(allowed, folder(path)) {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
	}
}

func TestRoomsOfProgram(t *testing.T) {
	found := map[string]bool{}
	for _, p := range list(t) {
		from := room(p.ImportPath)
		if from == "" {
			continue
		}
		found[from] = true
		allowed, known := rooms[from]
		if !known {
			t.Errorf("%s has no place among the rooms of the program; give it one in rooms, and a line in ARCHITECTURE.md", p.ImportPath)
		}
		for _, path := range p.Imports {
			if to := room(path); to != "" && to != from && !slices.Contains(allowed, to) {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
	}
	for name := range rooms {
		if !found[name] {
			t.Errorf("there is no %s%s", roomsFolder, name)
		}
	}
}

// TestForeignImports checks who may know of other people's packages, and that
// the CPU device stays free of C.
func TestForeignImports(t *testing.T) {
	belowTensor := []string{module + "engine", module + "engine/enginetest", module + "cpu"}
	for _, p := range list(t) {
		below := slices.ContainsFunc(belowTensor, func(b string) bool {
			return p.ImportPath == b || b == module+"cpu" && strings.HasPrefix(p.ImportPath, b+"/")
		})
		for _, path := range p.Imports {
			if below && strings.HasPrefix(path, "gorgonia.org/") {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
			if standard := !strings.Contains(strings.Split(path, "/")[0], "."); p.ImportPath == module+"engine" && !standard {
				t.Errorf("%s imports %s, and must import the standard library only", p.ImportPath, path)
			}
		}
		if len(p.CgoFiles) > 0 && below {
			t.Errorf("%s uses cgo in %v", p.ImportPath, p.CgoFiles)
		}
	}
}
