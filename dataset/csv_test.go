package dataset

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/internal/pythontest"
)

func TestOpenCSV(t *testing.T) {
	dir := folder(t, map[string][]byte{
		"iris.csv":   []byte("sepal,petal,species\n5.1,1.5,setosa\n6.25,4.5,virginica\n"),
		"twice.csv":  []byte("kind,kind\n1,2\n"),
		"digits.csv": []byte("7,0,255\n3,51,102\n"),
	})
	for _, c := range []struct {
		spec      string
		shape     []int
		all       []float32
		labels    []int
		low, high float32
		stored    string
	}{
		{"csv:iris.csv,label=species", []int{2}, []float32{5.1, 1.5, 6.25, 4.5}, []int{0, 1}, 1.5, 6.25, "text from 1.5 to 6.25, kept"},
		{"csv:digits.csv,label=1,scale=255", []int{2}, []float32{0, 1, 0.2, 0.4}, []int{7, 3}, 0, 1, "text from 0 to 255, divided by 255"},
		{"csv:digits.csv", []int{3}, []float32{7, 0, 255, 3, 51, 102}, nil, 0, 255, "text from 0 to 255, kept"},
	} {
		spec := strings.Replace(c.spec, ":", ":"+dir+"/", 1)
		s := open(t, spec, 1)
		info := s.Info()
		if got := read(t, s, 0, 1); !slices.Equal(got, c.all) || !slices.Equal(info.Shape, c.shape) || info.Low != c.low || info.High != c.high || info.Stored != c.stored || info.Name != spec {
			t.Errorf("%s: %v, %+v", c.spec, got, info)
		}
		for i := range 2 {
			if got, ok := s.Label(i); ok != (c.labels != nil) || ok && got != c.labels[i] {
				t.Errorf("%s: label %d is %d, %t", c.spec, i, got, ok)
			}
		}
	}
	for spec, want := range map[string]string{
		"csv:iris.csv":             `iris.csv: line 2, column 3 ("species"): "setosa" is no number; if this column is the class, add label=species`,
		"csv:none.csv":             "none.csv: no such file",
		"csv:iris.csv,label=kind":  `label=kind: it has no such column`,
		"csv:digits.csv,label=4":   "label=4: it names no columns",
		"csv:twice.csv,label=kind": "label=kind: several columns have that name",
	} {
		_, err := Open(strings.Replace(spec, ":", ":"+dir+"/", 1), 1)
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, ErrSpecification) != strings.HasPrefix(want, "label=") {
			t.Errorf("%s: error %v, want %s", spec, err, want)
		}
	}
}

// writtenCSV is a line of what writeCSV prints.
type writtenCSV struct {
	File, Options, Wanted string
	Labels                []int
	Remarks               int
}

const writeCSV = `
import json, sys
import numpy as np
import pandas as pd
rng = np.random.default_rng(5)
x = rng.normal(size=(30, 6)).astype("f4") * 10.0 ** rng.integers(-9, 9, (30, 6))
bytes_ = rng.integers(0, 256, (30, 6))
y = rng.integers(0, 3, 30)
words = np.array(["setosa", "versicolor", "virginica"])[y]
count = 0

def path(ending):
    global count
    count += 1
    return f"{sys.argv[1]}/{count}{ending}"

def say(file, wanted, options="", labels=None, remarks=0):
    raw = path(".raw")
    wanted.astype("<f4").tofile(raw)
    print(json.dumps({"file": file, "options": options, "wanted": raw, "remarks": remarks, "labels": None if labels is None else labels.tolist()}))

for ending in (".csv", ".csv.gz"):
    for delimiter in (" ", ",", ";", "\t", ", "):
        for fmt in ("%.18e", "%.17g", "%s"):
            for header in ("", delimiter.join("abcdef"), "made by hand"):
                file = path(ending)
                np.savetxt(file, x.astype("f8"), fmt=fmt, delimiter=delimiter, header=header)
                say(file, x)
    file = path(ending)
    np.savetxt(file, np.column_stack([y, bytes_]), fmt="%d", delimiter=",")
    say(file, bytes_, ",label=1", y, remarks=1)
    say(file, bytes_ / 255, ",label=1,scale=255", y, remarks=1)

    for index in (True, False):
        for names in (None, list("abcdef"), [f"pixel {i}, \"p{i}\"" for i in range(6)]):
            frame = pd.DataFrame(x, columns=names)
            enumerated = names is None
            for arguments in ({}, {"sep": ";"}, {"sep": "\t", "lineterminator": "\r\n"}, {"quoting": 2}, {"encoding": "utf-8-sig"}):
                file = path(ending)
                frame.to_csv(file, index=index, **arguments)
                say(file, x, remarks=index + enumerated)
            file = path(ending)
            frame.assign(kind=words).to_csv(file, index=index)
            say(file, x, ",label=kind", y, remarks=1 + index + enumerated)
            file = path(ending)
            frame.assign(kind=y).sample(frac=1, random_state=1).to_csv(file, index=index)
            order = frame.sample(frac=1, random_state=1).index
            say(file, x[order], ",label=kind", y[order], remarks=1 + index + enumerated)
`

// TestCSVCorpus reads what numpy and pandas write.
func TestCSVCorpus(t *testing.T) {
	count := 0
	for line := range strings.Lines(pythontest.Run(t, "numpy, pandas", writeCSV, t.TempDir())) {
		var c writtenCSV
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		count++
		s, err := Open("csv:"+c.File+c.Options, 1)
		if err != nil {
			t.Error(err)
			continue
		}
		raw, err := os.ReadFile(c.Wanted)
		if err != nil {
			t.Fatal(err)
		}
		compareCSV(t, filepath.Base(c.File)+c.Options, s, raw)
		if r := s.Info().Remarks; len(r) != c.Remarks || s.Info().Warnings != nil {
			t.Errorf("%s%s: remarks %q, want %d; warnings %q", c.File, c.Options, r, c.Remarks, s.Info().Warnings)
		}
		for i := range s.Len() {
			if got, ok := s.Label(i); ok != (c.Labels != nil) || ok && got != c.Labels[i] {
				t.Errorf("%s: label %d is %d, %t", c.File, i, got, ok)
			}
		}
	}
	if count < 150 {
		t.Errorf("%d files are too few for a corpus", count)
	}
}

func compareCSV(t *testing.T, name string, s Set, raw []byte) {
	t.Helper()
	if s.Len() != 30 || !slices.Equal(s.Info().Shape, []int{6}) || len(raw) != 30*6*4 {
		t.Errorf("%s: %d examples of shape %v", name, s.Len(), s.Info().Shape)
		return
	}
	indices := make([]int, s.Len())
	for i := range indices {
		indices[i] = i
	}
	for i, v := range read(t, s, indices...) {
		if want := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])); v != want {
			t.Errorf("%s: number %d is %g, want %g", name, i, v, want)
			return
		}
	}
}
