package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/dataset/internal/matlab"
	"github.com/unitscope/unitscope/internal/pythontest"
)

// counted is an array whose numbers are 0, 1, 2, ... in MATLAB's order.
func counted(name string, dims ...int) matArray {
	n := 1
	for _, d := range dims {
		n *= d
	}
	a := matArray{name: name, dims: dims, numbers: make([]float64, n)}
	for i := range a.numbers {
		a.numbers[i] = float64(i)
	}
	return a
}

func matPath(t testing.TB, arrays ...matArray) string {
	return filepath.Join(folder(t, map[string][]byte{"a.mat": matFile(arrays...)}), "a.mat")
}

// Which dimension counts the examples follows from what is said, from the labels, or
// from the lengths, and what was taken is said.
func TestMAT(t *testing.T) {
	tall, wide, square := counted("X", 3, 2), counted("X", 2, 3), counted("X", 2, 2)
	three, two := matArray{name: "y", numbers: []float64{1, 10, 3}, dims: []int{3, 1}}, matArray{name: "y", numbers: []float64{7, 8}, dims: []int{1, 2}}
	pages := counted("X", 2, 2, 3)
	const stay = "the numbers of an example stay in their order; shape=ROWSxCOLUMNS makes pictures of them"
	const byColumn = "the numbers of an example are taken for a picture of 1x2 column by column, MATLAB's order; order=rows takes them row by row"
	for _, c := range []struct {
		name    string
		arrays  []matArray
		options string
		shape   []int
		want    []float32 // examples one after the other
		labels  []int
		remarks []string
		warning string
	}{
		{"rows", []matArray{tall}, "", []int{2}, []float32{0, 3, 1, 4, 2, 5}, nil, []string{"the examples are the 3 rows of the array", stay}, ""},
		{"rows with labels", []matArray{tall, three}, ",y=y", []int{2}, []float32{0, 3, 1, 4, 2, 5}, []int{1, 10, 3}, []string{"the examples are the 3 rows of the array", stay}, ""},
		{"rows beside labels", []matArray{three, tall}, "", []int{2}, []float32{0, 3, 1, 4, 2, 5}, nil, []string{"the examples are the 3 rows of the array", stay, `"y" has a number for each example: y=y takes them for labels`}, ""},
		{"columns by labels", []matArray{tall, two}, ",y=y", []int{3}, []float32{0, 1, 2, 3, 4, 5}, []int{7, 8}, []string{"the examples are the 2 columns of the array", stay}, ""},
		{"columns by labels, wide", []matArray{wide, three}, ",x=X,y=y", []int{2}, []float32{0, 1, 2, 3, 4, 5}, []int{1, 10, 3}, []string{"the examples are the 3 columns of the array", stay}, ""},
		{"said", []matArray{wide}, ",examples=columns", []int{2}, []float32{0, 1, 2, 3, 4, 5}, nil, []string{stay}, ""},
		{"said rows", []matArray{wide}, ",examples=rows", []int{3}, []float32{0, 2, 4, 1, 3, 5}, nil, []string{stay}, ""},
		{"square", []matArray{square}, "", []int{2}, []float32{0, 2, 1, 3}, nil, []string{"the examples are the 2 rows of the array", stay}, "the rows of the array are taken for examples, and another dimension is as long: say examples=rows (2) or examples=columns (2)"},
		{"square with labels", []matArray{square, two}, ",y=y", []int{2}, []float32{0, 2, 1, 3}, []int{7, 8}, []string{"the examples are the 2 rows of the array", stay}, "the rows of the array are taken for examples, and another dimension is as long: say examples=rows (2) or examples=columns (2)"},
		{"pages", []matArray{pages}, "", []int{2, 2}, []float32{0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11}, nil, []string{"the examples are the 3 pages of the array"}, ""},
		{"pages by labels", []matArray{counted("X", 4, 2, 3), three}, ",y=y", []int{4, 2}, []float32{0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15, 16, 20, 17, 21, 18, 22, 19, 23}, []int{1, 10, 3}, []string{"the examples are the 3 pages of the array"}, ""},
		{"numpy's order by labels", []matArray{counted("X", 3, 2, 2), three}, ",y=y", []int{2, 2}, []float32{0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11}, []int{1, 10, 3}, []string{"the examples are the 3 rows of the array"}, ""},
		{"columns of pages", []matArray{pages}, ",examples=columns", []int{2}, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, nil, []string{stay}, ""},
		{"shape by columns", []matArray{counted("X", 4, 4)}, ",examples=rows,shape=2x2,order=columns", []int{2, 2}, []float32{0, 8, 4, 12, 1, 9, 5, 13, 2, 10, 6, 14, 3, 11, 7, 15}, nil, nil, ""},
		{"shape by rows", []matArray{counted("X", 4, 4)}, ",examples=columns,shape=2x2,order=rows", []int{2, 2}, []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, nil, nil, ""},
		{"shape, the usual order", []matArray{tall}, ",shape=1x2", []int{1, 2}, []float32{0, 3, 1, 4, 2, 5}, nil, []string{byColumn, "the examples are the 3 rows of the array"}, ""},
	} {
		path := matPath(t, c.arrays...)
		s, err := Open("mat:"+path+c.options, 1)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		info := s.Info()
		if got := read(t, s, firstExamples(s.Len())...); !slices.Equal(got, c.want) || !slices.Equal(info.Shape, c.shape) {
			t.Errorf("%s: %v of %v, want %v of %v", c.name, got, info.Shape, c.want, c.shape)
		}
		for i, want := range c.labels {
			if got, ok := s.Label(i); !ok || got != want {
				t.Errorf("%s: label %d is %d, %t, want %d", c.name, i, got, ok, want)
			}
		}
		if _, ok := s.Label(0); ok != (c.labels != nil) {
			t.Errorf("%s: labels: %t", c.name, ok)
		}
		if !slices.Equal(info.Remarks, c.remarks) || strings.Join(info.Warnings, ";") != c.warning {
			t.Errorf("%s: remarks %q, warnings %q", c.name, info.Remarks, info.Warnings)
		}
		if !strings.HasPrefix(info.Name, "mat:"+path+",x=X") || !slices.Equal(info.Files, []string{path}) || !strings.HasPrefix(info.Stored, "float64 from 0 to ") {
			t.Errorf("%s: %+v", c.name, info)
		}
	}
}

// Bytes are divided as those of numpy's arrays are, and truth values are not.
func TestMATBytes(t *testing.T) {
	grey, few := counted("X", 4, 2), counted("X", 8, 2)
	grey.numbers[7] = 255
	for _, c := range []struct {
		a       matArray
		options string
		last    float32
		stored  string
	}{
		{grey, "", 1, "uint8 from 0 to 255, divided by 255"}, {grey, ",scale=1", 255, "uint8 from 0 to 255, kept"},
		{few, ",scale=15", 1, "uint8 from 0 to 15, divided by 15"}, {few, "", 0, "uint8 from 0 to 15, and what that is out of can't be told"},
	} {
		path := filepath.Join(folder(t, map[string][]byte{"a.mat": matFileOf(true, c.a)}), "a.mat")
		s, err := Open("mat:"+path+c.options, 1)
		if c.last == 0 {
			if !errors.Is(err, ErrSpecification) || !strings.Contains(err.Error(), c.stored) {
				t.Errorf("error %v, want %s", err, c.stored)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.stored, err)
			continue
		}
		if x := read(t, s, s.Len()-1); s.Info().Stored != c.stored || x[1] != c.last {
			t.Errorf("stored: %q, want %q; the last example is %v", s.Info().Stored, c.stored, x)
		}
	}
}

// What can't be meant is refused, and mistakes of the command are named as such.
func TestMATErrors(t *testing.T) {
	wide, y := counted("X", 2, 30), matArray{name: "y", numbers: []float64{1, 2, 3}, dims: []int{3, 1}}
	nan := counted("X", 3, 2)
	nan.numbers[4] /= nan.numbers[0]
	for _, c := range []struct {
		name    string
		arrays  []matArray
		options string
		want    string
		usage   bool
	}{
		{"wide", []matArray{wide}, "", `array "X" of dimensions [2 30]: which of its dimensions counts the examples? say examples=rows (2) or examples=columns (30)`, true},
		{"pages of few", []matArray{counted("data", 4, 9, 3)}, "", `array "data" of dimensions [4 9 3]: which of its dimensions counts the examples? say examples=pages (3), examples=rows (4) or examples=columns (27)`, true},
		{"other labels", []matArray{wide, y}, ",y=y", `array "X" of dimensions [2 30]: there are 3 labels, and its examples can be examples=rows (2) or examples=columns (30)`, false},
		{"said, other labels", []matArray{wide, y}, ",y=y,examples=rows", "2 examples and 3 labels", false},
		{"several", []matArray{wide, counted("Z", 4, 4)}, "", `several arrays that could be meant: say which, x=NAME; it has "X" (2x30 double), "Z" (4x4 double)`, true},
		{"vectors only", []matArray{y}, "", "no array that could be meant", false},
		{"a vector", []matArray{y}, ",x=y", `array "y" of dimensions [3 1]: want two to four dimensions, of which one counts examples`, false},
		{"five dimensions", []matArray{counted("X", 2, 2, 2, 2, 2)}, "", "want two to four dimensions", false},
		{"no such array", []matArray{y}, ",x=X", `no array "X" in it: it has "y" (3x1 double)`, true},
		{"no such labels", []matArray{wide}, ",y=z", `no array "z" in it`, true},
		{"labels of two", []matArray{wide, counted("Y", 3, 2)}, ",x=X,y=Y", `array "Y": labels have dimensions [3 2], want one number per example`, false},
		{"pages of a matrix", []matArray{wide}, ",examples=pages", "examples=pages: want three or four dimensions", true},
		{"examples", []matArray{wide}, ",examples=2", "examples=2: want rows, columns or pages", true},
		{"shape", []matArray{wide}, ",shape=2", "shape=2: want the rows and columns of a picture, as in 20x20", true},
		{"shape of three", []matArray{wide}, ",shape=2x2x2", "shape=2x2x2: want the rows", true},
		{"overflowing shape", []matArray{wide}, ",shape=4294967296x4294967296", "want the rows", true},
		{"other shape", []matArray{wide}, ",examples=columns,shape=2x2", "shape=2x2: its columns are not examples of 4 numbers", true},
		{"shape of pages", []matArray{counted("X", 2, 2, 3)}, ",shape=2x2", "shape=2x2: its pages are not examples of 4 numbers", true},
		{"order", []matArray{wide}, ",shape=2x1,order=up", "order=up: want rows or columns", true},
		{"order alone", []matArray{wide}, ",order=rows", "order=rows is for pictures whose shape is given", true},
		{"scale", []matArray{wide}, ",scale=0", "scale=0: want a number above 0", true},
		{"not a number", []matArray{nan}, "", "example 1 holds +Inf at component 1: want finite numbers", false},
	} {
		path := matPath(t, c.arrays...)
		_, err := Open("mat:"+path+c.options, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || errors.Is(err, ErrSpecification) != c.usage {
			t.Errorf("%s: error %v (of the command: %t), want %s", c.name, err, errors.Is(err, ErrSpecification), c.want)
		}
	}
}

// Matrices of examples are no pictures to cut patches of, unless that is asked for.
func TestPatchesOfExamples(t *testing.T) {
	vector := matArray{name: "y", numbers: make([]float64, 40), dims: []int{1, 40}}
	long, labelled, pages := matArray{"X", noise(12, 49), []int{12, 49}}, matArray{"X", noise(40, 16), []int{40, 16}}, matArray{"X", noise(12, 12, 40), []int{12, 12, 40}}
	for _, c := range []struct {
		arrays []matArray
		doubt  string
	}{
		{[]matArray{long}, `array "X" of dimensions [12 49] looks like a matrix of examples`},
		{[]matArray{labelled, vector}, `array "X" of dimensions [40 16] looks like examples, of which "y" (40 numbers) are the labels`},
		{[]matArray{pages, vector}, `array "X" of dimensions [12 12 40] looks like examples, of which "y" (40 numbers) are the labels`},
		{[]matArray{labelled}, ""},
		{[]matArray{pages}, ""},
	} {
		spec := "patches:" + matPath(t, c.arrays...) + ",size=4,n=10"
		s, err := Open(spec, 1)
		if c.doubt == "" {
			if err != nil || s.Info().Warnings != nil {
				t.Errorf("%v: %v, or warnings", c.arrays[0].dims, err)
			}
			continue
		}
		if want := c.doubt + ": read it with mat:FILE, or say x=X to cut patches of it"; err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, ErrSpecification) {
			t.Errorf("error %v, want %s", err, want)
		}
		if info := open(t, spec+",x=X", 1).Info(); !slices.Equal(info.Warnings, []string{c.doubt + ", which mat:FILE reads; patches are cut of it"}) {
			t.Errorf("warnings %q", info.Warnings)
		}
	}
	if info := open(t, "patches:"+matPath(t, pages)+",size=4,n=10", 1).Info(); info.Stored != `40 pictures of 12x12 pixels in array "X", float64` {
		t.Errorf("stored: %q", info.Stored)
	}
}

// writeKnown has scipy write small files of the layouts of data sets that people have,
// and prints how to open each and the SHA-256 of its examples, float32, row by row.
const writeKnown = `
import hashlib, os, sys
import numpy as np
import scipy.io
folder = sys.argv[1]
rng = np.random.default_rng(1)

def show(name, options, contents, examples, labels=None):
    path = os.path.join(folder, name)
    scipy.io.savemat(path, contents, do_compression=True)
    sums = "-" if labels is None else ".".join(str(int(l)) for l in np.ravel(labels))
    print(path + options, "x".join(map(str, examples.shape)), hashlib.sha256(examples.astype("<f4").tobytes()).hexdigest(), sums)

# ex3data1: digits of 20x20, column by column, 0 as class 10.
X = rng.random((50, 400)); y = 1 + np.arange(50)[:, None] % 10
show("ex3data1.mat", ",x=X,y=y,shape=20x20", {"X": X, "y": y}, X.reshape(50, 20, 20).transpose(0, 2, 1), y)
# mnist-original: bytes, an example in a column, row by row.
data = rng.integers(0, 256, (784, 60), dtype="u1"); label = np.arange(60.0)[None] % 10
show("mnist-original.mat", ",x=data,y=label,shape=28x28,order=rows", {"data": data, "label": label}, data.T.reshape(60, 28, 28) / np.float32(255), label)
# stlSampledPatches: patches in columns, no labels.
patches = rng.random((192, 300))
show("stl.mat", ",examples=columns", {"patches": patches}, patches.T)
# usps_all: pixels, pictures, classes.
usps = rng.integers(0, 256, (256, 11, 10), dtype="u1")
show("usps_all.mat", ",examples=columns,shape=16x16,order=rows", {"data": usps}, usps.reshape(256, 110, order="F").T.reshape(110, 16, 16) / np.float32(255))
# SVHN: rows, columns, colours, pictures.
svhn = rng.integers(0, 256, (8, 8, 3, 20), dtype="u1"); digit = 1 + np.arange(20, dtype="u1")[:, None] % 10
show("train_32x32.mat", ",x=X,y=y", {"X": svhn, "y": digit}, svhn.transpose(3, 0, 1, 2) / np.float32(255), digit)
# What savemat makes of a numpy array of pictures.
numpys = rng.random((70, 9, 8)).astype("f4")
show("numpy.mat", ",y=t", {"x": numpys, "t": np.arange(70) % 3}, numpys, np.arange(70) % 3)
`

// Data sets that people have in MATLAB files come out as numpy shows them.
func TestKnownMAT(t *testing.T) {
	for line := range strings.Lines(pythontest.Run(t, "numpy, scipy.io", writeKnown, t.TempDir())) {
		part := strings.Fields(line)
		s := open(t, "mat:"+part[0], 1)
		shape := fmt.Sprint(s.Len())
		for _, n := range s.Info().Shape {
			shape += fmt.Sprint("x", n)
		}
		var labels []string
		for i := range s.Len() {
			if label, ok := s.Label(i); ok {
				labels = append(labels, fmt.Sprint(label))
			}
		}
		if labels == nil {
			labels = []string{"-"}
		}
		if got := sha256Of(t, read(t, s, firstExamples(s.Len())...)); shape != part[1] || got != part[2] || strings.Join(labels, ".") != part[3] {
			t.Errorf("%s: shape %s, SHA-256 %s, labels %s, want %s", part[0], shape, got, strings.Join(labels, "."), line)
		}
	}
}

// sha256Of is that of numbers as they lie in memory.
func sha256Of(t testing.TB, numbers []float32) string {
	t.Helper()
	hash := sha256.New()
	if err := binary.Write(hash, binary.LittleEndian, numbers); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}

// FuzzLayout: no panic, memory bounded by what the file's bytes can hold, and examples
// are as many numbers as their shape says, all of them the array's.
func FuzzLayout(f *testing.F) {
	f.Add(matFile(counted("X", 3, 2)), "", "", "", "")
	f.Add(matFile(counted("X", 2, 6)), "", "columns", "2x1", "rows")
	f.Add(matFile(counted("X", 4, 3, 5), counted("y", 5, 1)), "y", "", "", "")
	f.Add(matFileOf(true, counted("X", 4, 3, 3, 2)), "", "pages", "", "")
	f.Add(matFile(counted("X", 0, 3)), "", "rows", "1x3", "columns")
	f.Fuzz(func(t *testing.T, data []byte, y, examples, shape, order string) {
		s := spec{options: map[string]string{"examples": examples, "shape": shape, "order": order}}
		if _, err := s.layout(); err != nil {
			return
		}
		before := allocated()
		file, err := matlab.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		labels, _ := file.ReadLabels(y) // or none
		for _, listed := range file.Arrays() {
			l, err := s.layout()
			if err != nil {
				t.Fatal(err)
			}
			a, err := l.read(file, listed.Name, labels)
			if err != nil {
				continue
			}
			count := 1
			for _, n := range a.Shape {
				count *= n
			}
			if len(a.Bytes)+len(a.Floats) != count {
				t.Errorf("shape %v, %d bytes, %d floats", a.Shape, len(a.Bytes), len(a.Floats))
			}
			l.hintLabels(file, listed.Name, a.Shape[0])
		}
		if used := allocated() - before; used > 4<<20+uint64(len(file.Arrays())+1)<<20+uint64(len(data))*array.MaxInflation*32 {
			t.Errorf("%d bytes took %d", len(data), used)
		}
	})
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
