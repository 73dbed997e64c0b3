package kernels_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/kernels"
)

// TestImage checks which image a card gets.
func TestImage(t *testing.T) {
	for _, c := range []struct {
		major, minor int
		want         string // "" for none
	}{
		{6, 1, ""}, {7, 0, "compute_70"}, {7, 5, "compute_70"}, {8, 0, "compute_80"}, {8, 9, "compute_80"},
		{9, 0, "compute_90a"}, {9, 1, "compute_80"}, {10, 0, "compute_80"}, {12, 0, "compute_80"},
	} {
		name, ptx, err := kernels.Image(c.major, c.minor)
		if name != c.want || (err != nil) != (c.want == "") {
			t.Errorf("capability %d.%d: image %q, %v; want %q", c.major, c.minor, name, err, c.want)
		}
		if target := strings.Replace(c.want, "compute", ".target sm", 1); c.want != "" && !strings.Contains(ptx, target+"\n") {
			t.Errorf("image %s has no line %q", name, target)
		}
	}
}

// images returns the entries of every image, by name.
func images(t *testing.T) map[string][]kernels.Entry {
	t.Helper()
	all := map[string][]kernels.Entry{}
	for _, capability := range [][2]int{{7, 0}, {8, 0}, {9, 0}} {
		name, ptx, err := kernels.Image(capability[0], capability[1])
		if err != nil {
			t.Fatal(err)
		}
		if all[name], err = kernels.Entries(ptx); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		slices.SortFunc(all[name], func(a, b kernels.Entry) int { return strings.Compare(a.Name, b.Name) })
	}
	return all
}

// TestSameEntries checks that all images have the same entries, and that these are
// those of the sources, with the same parameters.
func TestSameEntries(t *testing.T) {
	all, want := images(t), sourceEntries(t)
	if len(all) != 3 || len(want) < 15 {
		t.Fatalf("%d images, %d entries in the sources", len(all), len(want))
	}
	for image, entries := range all {
		if len(entries) != len(want) {
			t.Errorf("%s has %d entries, the sources have %d", image, len(entries), len(want))
		}
		for _, e := range entries {
			var types []string
			for _, p := range e.Parameters {
				types = append(types, p.Type)
			}
			if !slices.Equal(types, want[e.Name]) {
				t.Errorf("%s: %s takes %v, in the sources %v", image, e.Name, types, want[e.Name])
			}
			if e.MaxThreads != kernels.Threads {
				t.Errorf("%s: %s is for blocks of %d threads, want %d", image, e.Name, e.MaxThreads, kernels.Threads)
			}
		}
	}
}

func sources(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.cu*")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

var (
	kernelLine = regexp.MustCompile(`(?m)^KERNEL (\w+)\(([^)]*)\)`)
	listMacro  = regexp.MustCompile(`(?m)^#define (\w+_PARAMETERS)((?:.*\\\n)+.*)$`)
)

// sourceEntries reads the entries of the sources: PTX's types of their parameters
// by name.
func sourceEntries(t *testing.T) map[string][]string {
	t.Helper()
	text := sources(t)
	lists := map[string]string{}
	for _, m := range listMacro.FindAllStringSubmatch(text, -1) {
		lists[m[1]] = strings.ReplaceAll(m[2], "\\\n", " ")
	}
	entries := map[string][]string{}
	for _, m := range kernelLine.FindAllStringSubmatch(text, -1) {
		list := m[2]
		if named, ok := lists[list]; ok {
			list = named
		}
		var types []string
		for parameter := range strings.SplitSeq(list, ",") {
			words := strings.Fields(strings.ReplaceAll(parameter, "*", " * "))
			kind := strings.Join(words[:len(words)-1], " ")
			switch {
			case strings.HasSuffix(kind, "*"), kind == "long long", kind == "Key":
				types = append(types, "u64")
			case kind == "int", kind == "unsigned int":
				types = append(types, "u32")
			case kind == "float":
				types = append(types, "f32")
			default:
				t.Errorf("%s: a parameter of type %q", m[1], kind)
			}
		}
		entries[m[1]] = types
	}
	return entries
}

// TestDocumented checks that the package's documentation names every entry, in a
// line of its own.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("kernels.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(sourceEntries(t))) {
		if !regexp.MustCompile(`(?m)^//\t` + name + `  `).Match(text) {
			t.Errorf("the documentation of package kernels does not explain %s", name)
		}
	}
}

// TestConstants checks that Go and CUDA agree about the sizes of a launch.
func TestConstants(t *testing.T) {
	text := sources(t)
	for name, want := range map[string]int{"THREADS": kernels.Threads, "TILE_ROWS": kernels.TileRows, "TILE_COLUMNS": kernels.TileColumns} {
		m := regexp.MustCompile(`constexpr int (?:\w+ = \d+, )*` + name + ` = (\d+)`).FindStringSubmatch(text)
		if m == nil || m[1] != strconv.Itoa(want) {
			t.Errorf("%s is %v in CUDA, %d in Go", name, m, want)
		}
	}
}

func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want int64
	}{
		{"nothing", kernels.Blocks(0), 0},
		{"one thread", kernels.Blocks(1), 1},
		{"one block", kernels.Blocks(kernels.Threads), 1},
		{"one thread more", kernels.Blocks(kernels.Threads + 1), 2},
		{"as many as there are", kernels.Blocks(1 << 62), 1<<31 - 1},
		{"a row for each warp", kernels.RowBlocks(8), 1},
		{"a row more", kernels.RowBlocks(9), 2},
		{"all rows there are", kernels.RowBlocks(1 << 40), 1<<31 - 1},
		{"a product of nothing", kernels.ProductBlocks(0, 5), 0},
		{"a tile", kernels.ProductBlocks(kernels.TileRows, kernels.TileColumns), 1},
		{"a row and a column more", kernels.ProductBlocks(kernels.TileRows+1, kernels.TileColumns+1), 4},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d blocks, want %d", c.name, c.got, c.want)
		}
	}
}

func ExampleEntries() {
	entries, err := kernels.Entries(`
		.visible .entry scale(.param .u64 scale_0, .param .f32 scale_1)
		.maxntid 256, 1, 1
		{ ret; }`)
	fmt.Println(entries, err)
	// Output:
	// [{scale [{u64 8} {f32 4}] 256}] <nil>
}

func TestEntriesRefuses(t *testing.T) {
	for _, c := range []struct{ name, ptx, want string }{
		{"nothing", "", "no entries"},
		{"no list", ".entry a {", `"{" instead of a list of parameters`},
		{"no parameter", ".entry a( u64 x )", `"u64" instead of a parameter`},
		{"a structure", ".entry a( .param .align 8 .b8 x[16] )", `parameter 0 has type ".align"`},
		{"cut off", ".entry a( .param .u64 x", `"" after parameter 0`},
		{"no comma", ".entry a( .param .u64 x .param .u64 y )", `".param" after parameter 0`},
		{"no number", ".entry a() .maxntid x", "limit of threads"},
		{"a limit of nothing", ".maxntid 256", "limit of threads"},
	} {
		if _, err := kernels.Entries(c.ptx); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %s", c.name, err, c.want)
		}
	}
}

func FuzzEntries(f *testing.F) {
	_, ptx, err := kernels.Image(8, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(ptx[:4000])
	f.Add(".entry a( .param .u64 x, .param .f32 y ) .maxntid 256, 1, 1 { }")
	f.Add(".entry (")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := kernels.Entries(text)
		if (err == nil) != (len(entries) > 0) {
			t.Errorf("%d entries, error %v", len(entries), err)
		}
		for _, e := range entries {
			for _, p := range e.Parameters {
				if p.Size != 4 && p.Size != 8 {
					t.Errorf("%s: a parameter of %d bytes", e.Name, p.Size)
				}
			}
		}
	})
}
