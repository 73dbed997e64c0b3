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

// house is every package of the module, and what it may import of the others: imports
// point downwards only,
//
//	cmd -> report -> visualize, train -> schema -> network, dataset -> engine <- cpu, gpu -> kernels
//
// and among the rooms of the program, below cmd/unitscope/internal,
//
//	reporting -> figures -> measuring -> looking, making, machine -> job, picture -> console -> usage
//
// where commands of one group know those of another only if they are made of them.
// x/... is x and all packages below it.
var house = map[string]string{
	"engine":                "engine/internal/shape",
	"engine/internal/shape": "",
	"engine/operand":        "engine engine/internal/shape",
	"engine/half":           "",
	"engine/words":          "",
	"engine/memory":         "engine",
	"engine/dense":          "engine engine/memory",
	"engine/enginetest":     "engine",

	"cpu":                 "engine engine/memory engine/operand cpu/internal/kernel",
	"cpu/internal/kernel": "engine",

	"kernels":                "",
	"kernels/emulatortest":   "",
	"gpu":                    "engine engine/operand kernels gpu/internal/driver",
	"gpu/internal/driver":    "engine kernels",
	"gpu/internal/launchers": "",
	"gpu/internal/standin":   "",

	"dataset":                  "engine engine/memory engine/words dataset/...",
	"dataset/numpy":            "dataset/internal/array dataset/internal/gunzip",
	"dataset/internal/array":   "engine/half engine/memory dataset/internal/gunzip",
	"dataset/internal/elastic": "engine",
	"dataset/internal/glyph":   "dataset/internal/elastic",
	"dataset/internal/gunzip":  "",
	"dataset/internal/idx":     "dataset/internal/array dataset/internal/gunzip",
	"dataset/internal/leaves":  "engine",
	"dataset/internal/matlab":  "dataset/internal/array",
	"dataset/internal/photo":   "dataset/internal/array",
	"dataset/internal/table":   "dataset/internal/array dataset/internal/gunzip",
	"dataset/internal/whiten":  "",

	"network":                       "engine engine/dense engine/memory engine/words network/safetensors network/graph network/keras network/onnx network/torch network/internal/filekind",
	"network/safetensors":           "engine/half engine/memory",
	"network/graph":                 "engine",
	"network/graph/graphtest":       "engine network/graph",
	"network/internal/archive":      "",
	"network/internal/filekind":     "network/internal/archive",
	"network/keras":                 "engine engine/memory network/graph network/internal/... network/keras/internal/hdf5",
	"network/keras/internal/hdf5":   "engine/memory network/safetensors",
	"network/onnx":                  "engine engine/half engine/memory network/graph network/onnx/internal/pb",
	"network/onnx/internal/pb":      "",
	"network/torch":                 "engine engine/memory engine/words network/graph network/safetensors network/internal/... network/torch/internal/pickle",
	"network/torch/internal/pickle": "",
	"network/internal/pythontest":   "internal/pythontest",
	"internal/pythontest":           "", // what tests of several packages need

	"schema":    "network",
	"visualize": bases + " schema",

	"train":                     bases + " schema train/internal/...",
	"train/internal/checkpoint": bases,
	"train/internal/feed":       bases,
	"train/internal/settest":    "cpu dataset engine", // what its tests need

	"report":           "engine/dense engine/words visualize report/chart",
	"report/chart":     "engine/words",
	"report/runfolder": "engine engine/words schema",
	"report/site":      bases + " schema visualize report report/chart report/runfolder",

	"bench":                bases + " visualize",
	"bench/bundle/summary": "bench",

	"cmd/unitscope":                              library + " bench cpu gpu cmd/unitscope/internal/...",
	"cmd/unitscope/internal/usage":               library,
	"cmd/unitscope/internal/console":             library + rooms("usage"),
	"cmd/unitscope/internal/console/consoletest": "",
	"cmd/unitscope/internal/help":                library + rooms("usage console") + " bench",
	"cmd/unitscope/internal/picture":             library,
	"cmd/unitscope/internal/job":                 library + rooms("usage console picture"),
	"cmd/unitscope/internal/machine":             library + rooms("usage console job") + " bench",
	"cmd/unitscope/internal/making":              library + rooms("usage console job picture"),
	"cmd/unitscope/internal/looking":             library + rooms("usage console job picture"),
	"cmd/unitscope/internal/measuring":           library + rooms("usage console job picture looking"),
	"cmd/unitscope/internal/figures":             library + rooms("usage console job picture looking measuring"),
	"cmd/unitscope/internal/reporting":           library + rooms("usage console job picture making looking figures"),
}

const (
	// bases is what methods stand on, none of them a device.
	bases = "engine engine/dense engine/memory engine/words dataset dataset/numpy network network/safetensors"
	// library is what is there for programs, devices and benchmarks apart.
	library = bases + " schema train visualize report report/chart report/runfolder report/site"
)

// rooms are rooms of the program by their full names.
func rooms(names string) (full string) {
	for name := range strings.FieldsSeq(names) {
		full += " cmd/unitscope/internal/" + name
	}
	return full
}

// allowed says whether a list, as in house, has a package.
func allowed(list, path string) bool {
	return slices.ContainsFunc(strings.Fields(list), func(pattern string) bool {
		above, all := strings.CutSuffix(pattern, "/...")
		return path == above || all && strings.HasPrefix(path, above+"/")
	})
}

// listed is what `go list` knows of a package.
type listed struct {
	ImportPath string
	Imports    []string
	CgoFiles   []string
}

// list lists all packages of the module as they are built with the CUDA device and
// without, tests left out: they may import what they test with.
func list(t *testing.T) (packages []listed) {
	t.Helper()
	for _, tags := range []string{"", "cuda"} {
		command := exec.Command("go", "list", "-e", "-tags", tags, "-json=ImportPath,Imports,CgoFiles", module+"...")
		// Files with cgo are only listed where it is on.
		command.Env = append(os.Environ(), "CGO_ENABLED=1", "GOOS=linux")
		out, err := command.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
			var p listed
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(packages, func(q listed) bool { return q.ImportPath == p.ImportPath }); i >= 0 {
				packages[i].Imports, packages[i].CgoFiles = union(packages[i].Imports, p.Imports), union(packages[i].CgoFiles, p.CgoFiles)
			} else {
				packages = append(packages, p)
			}
		}
	}
	return packages
}

// union is what is in either, once.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func TestImportsPointDown(t *testing.T) {
	found := map[string]bool{}
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if may, known := house[name]; !known {
			t.Errorf("%s is a package that nobody has placed: say in house, engine/imports_test.go, what it may import, and in the table of ARCHITECTURE.md what it is", name)
		} else {
			for _, path := range p.Imports {
				if imported, own := strings.CutPrefix(path, module); own && !allowed(may, imported) {
					t.Errorf("%s imports %s: that is not below it, see house in engine/imports_test.go", name, imported)
				}
			}
		}
		found[name] = true
	}
	for name := range house {
		if !found[name] {
			t.Errorf("there is no package %s; house has one", name)
		}
	}
}

// TestForeignImports checks who may know of other people's packages, and that
// the CPU device stays free of C.
func TestForeignImports(t *testing.T) {
	belowTensor := []string{module + "engine", module + "engine/operand", module + "engine/enginetest", module + "cpu"}
	for _, p := range list(t) {
		below := slices.ContainsFunc(belowTensor, func(b string) bool {
			return p.ImportPath == b || b == module+"cpu" && strings.HasPrefix(p.ImportPath, b+"/")
		})
		for _, path := range p.Imports {
			if below && strings.HasPrefix(path, "gorgonia.org/") {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
			own := strings.HasPrefix(path, module)
			if standard := !strings.Contains(strings.Split(path, "/")[0], "."); p.ImportPath == module+"engine" && !standard && !own {
				t.Errorf("%s imports %s, and of other people's packages must import the standard library only", p.ImportPath, path)
			}
		}
		if len(p.CgoFiles) > 0 && below {
			t.Errorf("%s uses cgo in %v", p.ImportPath, p.CgoFiles)
		}
	}
}
