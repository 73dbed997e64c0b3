package numpy_test

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset/numpy"
	"github.com/unitscope/unitscope/internal/pythontest"
)

// corpusArray is a line of what testdata/corpus.py prints.
type corpusArray struct {
	File, Name, Type string
	Shape            []int
	Readable         bool
	Wanted           string
}

// TestCorpus reads what numpy writes, and headers that it reads: every type, byte
// order, shape and order of every way to save, to the very values that numpy reads, or
// refuses them in one line that names the type.
func TestCorpus(t *testing.T) {
	script, err := os.ReadFile(filepath.Join("testdata", "corpus.py"))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	lines := bufio.NewScanner(strings.NewReader(pythontest.Run(t, "numpy", string(script), t.TempDir())))
	for lines.Scan() {
		var c corpusArray
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		counts[checkCorpus(t, c)]++
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Log(counts)
	if counts["read"] < 1000 || counts["refused for its type"] < 500 || counts["refused by numpy too"] < 100 {
		t.Errorf("%v: too few for a corpus", counts)
	}
}

// checkCorpus says what became of an array.
func checkCorpus(t *testing.T, c corpusArray) string {
	t.Helper()
	a, err := readCorpus(t, c)
	switch {
	case err != nil && strings.ContainsAny(err.Error(), "\n\r"):
		t.Errorf("%s %s: an error of several lines: %v", c.File, c.Name, err)
	case c.Type == "":
		if err == nil {
			t.Errorf("%s: numpy refuses what was read as %v %v", c.File, a.Type, a.Shape)
		}
		return "refused by numpy too"
	case !c.Readable:
		if err == nil || !strings.Contains(err.Error(), c.Type) {
			t.Errorf("%s %s: %v, error %v; want one that names %q", c.File, c.Name, a, err, c.Type)
		}
		return "refused for its type"
	case err != nil:
		t.Errorf("%s %s, %s %v: %v", c.File, c.Name, c.Type, c.Shape, err)
	case !slices.Equal(a.Shape, c.Shape):
		t.Errorf("%s %s: shape %v, want %v", c.File, c.Name, a.Shape, c.Shape)
	default:
		compareCorpus(t, c, a)
	}
	return "read"
}

func readCorpus(t *testing.T, c corpusArray) (a *numpy.Array, err error) {
	t.Helper()
	file, err := os.Open(c.File)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if c.Name == "" {
		return numpy.Read(file, info.Size())
	}
	archive, err := numpy.OpenArchive(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return archive.Read(c.Name)
}

func compareCorpus(t *testing.T, c corpusArray, a *numpy.Array) {
	t.Helper()
	raw, err := os.ReadFile(c.Wanted)
	if err != nil {
		t.Fatal(err)
	}
	got := slices.Clone(a.Floats)
	for _, b := range a.Bytes {
		got = append(got, float32(b))
	}
	if len(got) != len(raw)/4 {
		t.Errorf("%s %s: %d numbers, want %d", c.File, c.Name, len(got), len(raw)/4)
		return
	}
	for i, v := range got {
		want := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		if v != v && want != want {
			continue
		}
		if math.Float32bits(v) != math.Float32bits(want) {
			t.Errorf("%s %s, %s %v: number %d is %g, numpy's %g", c.File, c.Name, c.Type, c.Shape, i, v, want)
			return
		}
	}
}
