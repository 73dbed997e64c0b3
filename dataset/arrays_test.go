package dataset

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/internal/pythontest"
)

// shapedNPY is a file of bytes in this shape.
func shapedNPY(shape string, body ...byte) []byte {
	return bytes.Replace(npyFile("|u1", 1, body), []byte("(1, 1), }"+strings.Repeat(" ", len(shape)-6)), []byte(shape+", }"), 1)
}

// Pictures of one colour lose that dimension, those of three are taken as they are or
// turned to grey.
func TestShapes(t *testing.T) {
	six, twelve := []byte{0, 51, 102, 153, 204, 255}, []byte{0, 255, 0, 51, 102, 255, 255, 0, 255, 51, 255, 0}
	near := func(levels ...float64) (all []float32) {
		for _, l := range levels {
			all = append(all, float32(l))
		}
		return all
	}
	first := near(0*red+102./255*green+1*blue, 1*red+1*green+51./255*blue, 0*red+1*green+1*blue, 51./255*red+0*green+0*blue)
	last := near(0*red+1*green+0*blue, 51./255*red+102./255*green+1*blue, 1*red+0*green+1*blue, 51./255*red+1*green+0*blue)
	for _, c := range []struct {
		shape, options string
		body           []byte
		want           []int
		values         []float32
		remark         string
		err            string
	}{
		{"(1, 2, 3, 1)", "", six, []int{2, 3}, near(0, 0.2, 0.4, 0.6, 0.8, 1), "", ""},
		{"(1, 1, 2, 3)", "", six, []int{2, 3}, near(0, 0.2, 0.4, 0.6, 0.8, 1), "", ""},
		{"(1, 1, 1, 6)", "", six, []int{1, 6}, near(0, 0.2, 0.4, 0.6, 0.8, 1), "", ""},
		{"(1, 2, 2, 3)", "", twelve, []int{2, 2, 3}, near(0, 1, 0, 0.2, 0.4, 1, 1, 0, 1, 0.2, 1, 0), "examples are pictures of three colours, [2 2 3]; colour=grey turns them to grey", ""},
		{"(1, 3, 2, 2)", "", twelve, []int{3, 2, 2}, near(0, 1, 0, 0.2, 0.4, 1, 1, 0, 1, 0.2, 1, 0), "examples are pictures of three colours, [3 2 2]; colour=grey turns them to grey", ""},
		{"(1, 2, 2, 3)", ",colour=grey", twelve, []int{2, 2}, last, "colours were turned to grey: 0.299 red + 0.587 green + 0.114 blue", ""},
		{"(1, 3, 2, 2)", ",colour=grey", twelve, []int{2, 2}, first, "colours were turned to grey", ""},
		{"(1, 3, 4, 3)", ",colour=grey", slices.Repeat(twelve, 3), nil, nil, "", "examples have shape [3 4 3], and which 3 is that of the colours can't be told"},
		{"(1, 2, 6)", ",colour=grey", twelve, nil, nil, "", "colour=grey: examples have shape [2 6], want pictures of three colours"},
		{"(1, 2, 3, 2)", "", twelve, nil, nil, "", "shape [1 2 3 2], want [examples, components]"},
		{"(1, 2, 2, 3, 1)", "", twelve, nil, nil, "", "shape [1 2 2 3 1], want [examples, components]"},
		{"(12,)   ", "", twelve, nil, nil, "", "shape [12], one number per example: are these labels?"},
	} {
		path := filepath.Join(folder(t, map[string][]byte{"x.npy": shapedNPY(c.shape, c.body...)}), "x.npy")
		s, err := Open("npy:"+path+c.options, 1)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s%s: error %v, want %s", c.shape, c.options, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s%s: %v", c.shape, c.options, err)
			continue
		}
		info := s.Info()
		if !slices.Equal(info.Shape, c.want) || info.Low != 0 || info.High != 1 || !strings.HasPrefix(strings.Join(info.Remarks, "; "), c.remark) {
			t.Errorf("%s%s: %+v", c.shape, c.options, info)
		}
		for i, v := range read(t, s, 0) {
			if d := v - c.values[i]; d > 1e-6 || d < -1e-6 {
				t.Errorf("%s%s: component %d is %g, want %g", c.shape, c.options, i, v, c.values[i])
			}
		}
	}
}

// Examples that are wider than any network's inputs are refused by their header.
func TestTooWide(t *testing.T) {
	for width, want := range map[int]string{engine.MaxColumns: "", engine.MaxColumns + 1: "examples of 67108865 numbers, want at most 67108864"} {
		_, err := checkExamples([]int{1, width}, nil)
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%d numbers: %v", width, err)
		}
	}
}

// Floats are turned to grey as bytes are, example by example.
func TestGreyFloats(t *testing.T) {
	numbers := floats32(1, 10, 2, 20, 3, 30, -1, -10, -2, -20, -3, -30)
	file := bytes.Replace(npyFile("<f4", 12, numbers), []byte("(1, 12), }     "), []byte("(2, 3, 1, 2), }"), 1)
	s := open(t, "npy:"+filepath.Join(folder(t, map[string][]byte{"x": file}), "x")+",colour=grey", 1)
	if got, want := read(t, s, 0, 1), float32(red+2*green+3*blue); len(got) != 4 || got[0] != want || got[2] != -want || got[1] < 9.99*want || got[1] > 10.01*want || got[3] != -got[1] {
		t.Errorf("%v, want %g, its tenfold and the negative of both", got, want)
	}
}

func TestLabelFiles(t *testing.T) {
	dir := folder(t, map[string][]byte{
		"x.npy": shapedNPY("(2, 2)", 0, 1, 1, 0), "y.npy": shapedNPY("(2,)  ", 7, 3), "column.npy": shapedNPY("(2, 1)", 7, 3), "hot.npy": shapedNPY("(2, 3)", 0, 1, 0, 1, 0, 0),
		"three.npy": shapedNPY("(3,)  ", 1, 2, 3), "x.idx": idxFile(8, []uint32{2, 2}, 0, 1, 1, 0), "y.idx": idxFile(12, []uint32{2}, 0, 0, 0, 7, 0, 0, 0, 3),
		"behind.npy": append(shapedNPY("(2,)  ", 7, 3), "more"...),
	})
	for spec, files := range map[string][]string{
		"npy:x.npy,y=y.npy": {"x.npy", "y.npy"}, "npy:x.npy,y=column.npy": {"x.npy", "column.npy"}, "idx:x.idx,y=y.idx": {"x.idx", "y.idx"}, "npy:x.npy,y=behind.npy": {"x.npy", "behind.npy"},
	} {
		spec = strings.NewReplacer(":", ":"+dir+"/", "y=", "y="+dir+"/").Replace(spec)
		s := open(t, spec, 1)
		zero, _ := s.Label(0)
		one, ok := s.Label(1)
		if zero != 7 || one != 3 || !ok {
			t.Errorf("%s: labels %d, %d, %t", spec, zero, one, ok)
		}
		if i := s.Info(); len(i.Files) != 2 || filepath.Base(i.Files[0]) != files[0] || filepath.Base(i.Files[1]) != files[1] || i.Name != spec {
			t.Errorf("%s: %+v", spec, i)
		}
		if i := s.Info(); strings.Contains(spec, "behind") != slices.Equal(i.Remarks, []string{dir + "/behind.npy: 4 bytes follow the numbers that the header promises and were left out"}) {
			t.Errorf("%s: remarks %q", spec, i.Remarks)
		}
	}
	for spec, want := range map[string]string{
		"npy:x.npy,y=hot.npy":   "hot.npy: labels have shape [2 3], want one per example; if each row has a 1",
		"npy:x.npy,y=three.npy": "x.npy: 2 examples and 3 labels",
		"npy:x.npy,y=none.npy":  "none.npy: no such file",
		"npy:x.npy,y=y.idx":     "y.idx: not an npy file",
	} {
		spec = strings.NewReplacer(":", ":"+dir+"/", "y=", "y="+dir+"/").Replace(spec)
		if _, err := Open(spec, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", spec, err, want)
		}
	}
}

// writeZip writes an archive of these files.
func writeZip(t *testing.T, path string, files ...[]byte) {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i+1 < len(files); i += 2 {
		f, err := w.Create(string(files[i]))
		if err == nil {
			_, err = f.Write(files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Of arrays of one name the last is taken, as by numpy, and that is said.
func TestNameTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	x := []byte("x.npy")
	writeZip(t, path, x, shapedNPY("(1, 2)", 1, 1), x, shapedNPY("(1, 2)", 0, 1), []byte("y.npy"), shapedNPY("(1,)  ", 4))
	for _, spec := range []string{"npz:" + path + ",x=x,y=y", "npz:" + path + ",y=y"} {
		s := open(t, spec, 1)
		if got := read(t, s, 0); !slices.Equal(got, []float32{0, 1}) {
			t.Errorf("%s: %v, want the last of the two", spec, got)
		}
		if got := s.Info().Warnings; !slices.Equal(got, []string{path + `: it holds 2 arrays named "x", and the last was taken`}) {
			t.Errorf("%s: warnings %q", spec, got)
		}
	}
}

// What can't be used is told by its header: a small archive of much takes no memory.
func TestArchiveOfMuch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	many := shapedNPY("(1, 1)", make([]byte, 64<<20)...)
	writeZip(t, path,
		[]byte("flat.npy"), bytes.Replace(many, []byte("(1, 1), }      "), []byte("(67108864,), } "), 1),
		[]byte("x.npy"), bytes.Replace(many, []byte("(1, 1), }      "), []byte("(65536, 1024),}"), 1), []byte("y.npy"), shapedNPY("(2,)  ", 1, 2))
	for options, want := range map[string]string{
		",x=flat":    "shape [67108864], one number per example",
		",x=x,y=y":   "65536 examples and 2 labels",
		",x=y,y=x":   "labels have shape [65536 1024], want one per example",
		",x=nothing": `no array "nothing" in it`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Open("npz:"+path+options, 1)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", options, err, want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%s: took %d bytes", options, used)
		}
	}
}

// Labels of every type that numpy has for whole numbers, and of those that have them.
func TestLabelTypes(t *testing.T) {
	dir := t.TempDir()
	out := pythontest.Run(t, "numpy", `
import sys
import numpy as np
x = np.eye(4, dtype="f4")
for letter in "?bBhHiIlLqQefd":
    for order in "<>":
        dtype = np.dtype(letter).newbyteorder(order)
        for shape in ((4,), (4, 1)):
            y = np.array([0, 1, 1, 0] if letter == "?" else [0, 3, 1, 2]).astype(dtype).reshape(shape)
            path = f"{sys.argv[1]}/{ord(letter)}{ord(order)}{len(shape)}.npz"
            np.savez(path, x=x, y=y)
            print(path, *y.astype(int).ravel())
`, dir)
	for line := range strings.Lines(out) {
		parts := strings.Fields(line)
		s := open(t, "npz:"+parts[0]+",x=x,y=y", 1)
		for i, want := range parts[1:] {
			if got, ok := s.Label(i); !ok || fmt.Sprint(got) != want {
				t.Errorf("%s: label %d is %d, %t; want %s", parts[0], i, got, ok, want)
			}
		}
	}
	if errors.Is(os.Remove(filepath.Join(dir, "63602.npz")), os.ErrNotExist) {
		t.Error("no file of truth values")
	}
}
