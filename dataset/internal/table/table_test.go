package table

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func read(text string, o Options) (*Table, error) {
	return Read(strings.NewReader(text), int64(len(text)), o)
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const unnamed = "its first column has no name and was left out, as the names of rows that pandas and R write"

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, text string
		o          Options
		shape      []int
		numbers    []float32
		labels     []int32
		remarks    []string
	}{
		{"commas", "1,2.5\n-3e2,.5\n", Options{}, []int{2, 2}, []float32{1, 2.5, -300, 0.5}, nil, nil},
		{"no newline at the end", "1,2\n3,4", Options{}, []int{2, 2}, []float32{1, 2, 3, 4}, nil, nil},
		{"carriage returns", "1,2\r\n3,4\r\n", Options{}, []int{2, 2}, []float32{1, 2, 3, 4}, nil, nil},
		{"semicolons", "1;2\n3;4\n", Options{}, []int{2, 2}, []float32{1, 2, 3, 4}, nil, nil},
		{"tabs", "1\t2\n3\t4\n", Options{}, []int{2, 2}, []float32{1, 2, 3, 4}, nil, nil},
		{"spaces", " 1  2\n3 4\n", Options{}, []int{2, 2}, []float32{1, 2, 3, 4}, nil, nil},
		{"spaces behind commas", "1, 2\n 3 , 4\n", Options{}, []int{2, 2}, []float32{1, 2, 3, 4}, nil, nil},
		{"quotes", "\"1\",\"2\"\n3,4\n", Options{}, []int{2, 2}, []float32{1, 2, 3, 4}, nil, nil},
		{"one column", "1\n2\n", Options{}, []int{2, 1}, []float32{1, 2}, nil, nil},
		{"one line", "1,2", Options{}, []int{1, 2}, []float32{1, 2}, nil, nil},
		{"byte order mark", "\ufeffa,b\n1,2\n", Options{}, []int{1, 2}, []float32{1, 2}, nil, nil},
		{"empty lines", "\n\n1,2\n\n3,4\n\n", Options{}, []int{2, 2}, []float32{1, 2, 3, 4}, nil, nil},
		{"header", "a,b\n1,2\n", Options{}, []int{1, 2}, []float32{1, 2}, nil, nil},
		{"header of Kaggle's MNIST", "1x1,1x2,28x28\n1,2,3\n", Options{}, []int{1, 3}, []float32{1, 2, 3}, nil, nil},
		{"header that says so", "1,2\n3,4\n", Options{Header: "yes"}, []int{1, 2}, []float32{3, 4}, nil, nil},
		{"header that counts", "0,1,2,3\n5,6,7,8\n", Options{}, []int{1, 4}, []float32{5, 6, 7, 8}, nil, []string{"its first line counts the columns, 0 to 3, and was taken for their names; header=no takes it for an example"}},
		{"numbers that count", "0,1,2,3\n5,6,7,8\n", Options{Header: "no"}, []int{2, 4}, []float32{0, 1, 2, 3, 5, 6, 7, 8}, nil, nil},
		{"few numbers that count", "0,1,2\n5,6,7\n", Options{}, []int{2, 3}, []float32{0, 1, 2, 5, 6, 7}, nil, nil},
		{"numbers from 2", "2,3,4,5\n5,6,7,8\n", Options{}, []int{2, 4}, []float32{2, 3, 4, 5, 5, 6, 7, 8}, nil, nil},
		{"pandas with an index", ",a,b\n0,1,2\n1,3,4\n", Options{}, []int{2, 2}, []float32{1, 2, 3, 4}, nil, []string{unnamed}},
		{"R with names of rows", "\"a\" \"b\"\n\"one\" 1 2\n\"two\" 3 4\n", Options{}, []int{2, 2}, []float32{1, 2, 3, 4}, nil, []string{unnamed}},
		{"comment that names", "# a,b\n1,2\n", Options{Label: "b"}, []int{1, 1}, []float32{1}, []int32{2}, []string{`labels are those of column 2 ("b")`}},
		{"other comment", "# made by hand\n#\n1,2\n", Options{}, []int{1, 2}, []float32{1, 2}, nil, nil},
		{"labels by name", "label,a,b\n7,1,2\n3,4,5\n", Options{Label: "label"}, []int{2, 2}, []float32{1, 2, 4, 5}, []int32{7, 3}, []string{`labels are those of column 1 ("label")`}},
		{"labels by number", "1,2,7.0\n4,5,-3\n", Options{Label: "3"}, []int{2, 2}, []float32{1, 2, 4, 5}, []int32{7, -3}, []string{"labels are those of column 3"}},
		{"name that counts the columns too", "1,2,x,y\n5,6,7,8\n", Options{Header: "yes", Label: "2"}, []int{1, 3}, []float32{5, 7, 8}, []int32{6}, []string{`labels are those of column 2 ("2")`}},
		{"classes with names", "1,setosa\n2,virginica\n3,setosa\n5,iris\n", Options{Label: "2"}, []int{4, 1}, []float32{1, 2, 3, 5}, []int32{1, 2, 1, 0}, []string{`classes of column 2 in sorted order: 0 is "iris", 1 is "setosa", 2 is "virginica"`}},
		{"index and classes", ",a,kind\n0,1,x\n1,2,\"y, z\"\n", Options{Label: "kind"}, []int{2, 1}, []float32{1, 2}, []int32{0, 1}, []string{unnamed, `classes of column 3 ("kind") in sorted order: 0 is "x", 1 is "y, z"`}},
	} {
		for packed, text := range map[string]string{"plain": c.text, "gzipped": zipped(t, c.text), "padded": zipped(t, c.text) + "\x00\x00"} {
			got, err := read(text, c.o)
			if err != nil {
				t.Errorf("%s, %s: %v", c.name, packed, err)
				continue
			}
			if !slices.Equal(got.Array.Shape, c.shape) || !slices.Equal(got.Array.Floats, c.numbers) || !slices.Equal(got.Labels, c.labels) || !slices.Equal(got.Remarks, c.remarks) || got.Warnings != nil {
				t.Errorf("%s, %s: %+v, %+v", c.name, packed, got.Array, got)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		o          Options
		want       string
	}{
		{"empty", "", Options{}, "no line of cells in it"},
		{"comments only", "# a\n\n# b\n", Options{}, "no line of cells in it"},
		{"names only", "a,b\n", Options{}, "its only line names the columns: no examples"},
		{"missing", "a,b\n1,2\n3,\n", Options{}, `line 3, column 2 ("b"): a number is missing`},
		{"text", "1,2\n3,x\n", Options{}, `line 2, column 2: "x" is no number; if this column is the class, add label=2`},
		{"text in a column with a name", "label,0,1,2,3\nd0,1,2,3,4\n", Options{}, `line 2, column 1 ("label"): "d0" is no number; if this column is the class, add label=label`},
		{"text below a name that others have", "1,b,b,c\n1,2,x,4\n", Options{Header: "yes"}, `"x" is no number; if this column is the class, add label=3`},
		{"text below a name with a comma", "a,\"b, c\"\n1,x\n", Options{}, `"x" is no number; if this column is the class, add label=2`},
		{"text below no name of its own", "a,2,a\nx,1,1\n", Options{Header: "yes"}, `"x" is no number; if this column is the class, add label=1`},
		{"a number of Go's", "1,2\n3,0x1p3\n", Options{}, `line 2, column 2: "0x1p3" is no number`},
		{"digits in groups", "1,2\n3,1_0\n", Options{}, `line 2, column 2: "1_0" is no number`},
		{"text besides classes", "1,2\nx,4\n", Options{Label: "2"}, `line 2, column 1: "x" is no number`},
		{"not a number", "1,2\n3,nan\n", Options{}, `line 2, column 2: "nan" is no finite number`},
		{"too large", "1,2\n3,1e39\n", Options{}, `line 2, column 2: "1e39" is no finite number`},
		{"decimal commas", "0,5;1,5\n1,5;2\n", Options{}, `line 1, column 1: "0,5" is no number, decimals want a point`},
		{"after comments", "# a\n\n# b\n1,2\n3,x\n", Options{}, "line 5, column 2"},
		{"after lines within a cell", "a,\"b\nc\"\n1,x\n", Options{}, `line 3, column 2 ("b\nc"): "x" is no number`},
		{"short line", "1,2\n3\n", Options{}, "line 2 has 1 cells, and those before it have 2"},
		{"long line", "a,b\n1,2\n3,4,5\n", Options{}, "line 3 has 3 cells, and those before it have 2"},
		{"short header", "a,b\n1,2,3,4\n", Options{}, "its first line names 2 columns, and the next has 4 cells"},
		{"open quote", "1,\"2\n", Options{}, "line 1: extraneous or missing \" in quoted-field"},
		{"UTF-16", "\xff\xfe1\x00,\x002\x00", Options{}, "text in UTF-16, want UTF-8"},
		{"UTF-16 without its mark", "1\x00,\x002\x00\n\x00", Options{}, "no text in UTF-8: a byte of its first line is 0"},
		{"a spreadsheet", "PK\x03\x04\x14\x00\x06\x00", Options{}, "a zip archive, as a spreadsheet is: save it as CSV"},
		{"no such label", "a,b\n1,2\n", Options{Label: "c"}, `label=c: it has no such column, want a number from 1 to 2 or one of "a", "b"`},
		{"label beyond", "1,2\n", Options{Label: "3"}, "label=3: it names no columns, want a number from 1 to 2"},
		{"label 0", "1,2\n", Options{Label: "0"}, "label=0: it names no columns"},
		{"label twice", "a,a\n1,2\n", Options{Label: "a"}, "label=a: several columns have that name"},
		{"label missing", "1,2\n3,\n", Options{Label: "2"}, "line 2, column 2: no class is there"},
		{"broken label", "1,2.5\n", Options{Label: "2"}, `column 2: class "2.5" is no whole number`},
		{"large label", "1,3e9\n", Options{Label: "2"}, `column 2: class "3e9" is no whole number`},
		{"labels only", "1\n2\n", Options{Label: "1"}, "it has no columns but that of the classes"},
		{"truncated", zipped(t, strings.Repeat("1,2\n", 1000))[:30], Options{}, "truncated: its last bytes are missing"},
		{"damaged", zipped(t, "1,2\n")[:10] + strings.Repeat("\xff", 30), Options{}, "damaged: flate: corrupt input"},
		{"one endless line", zipped(t, strings.Repeat("1", maxRecord+1)), Options{}, "a line of more than 16 MiB"},
	} {
		got, err := read(c.text, c.o)
		if err == nil || got != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, error %v; want %s", c.name, got, err, c.want)
		}
	}
	broken := errors.New("broken")
	if _, err := Read(io.MultiReader(strings.NewReader(strings.Repeat("1,2\n", peeked)), iotest.ErrReader(broken)), 4*peeked, Options{}); !errors.Is(err, broken) {
		t.Errorf("a reader's own error becomes %v", err)
	}
}

// What may not have been meant is warned of.
func TestWarnings(t *testing.T) {
	wide := strings.TrimSuffix(strings.Repeat("5,", 785), ",") + "\n"
	for _, c := range []struct {
		name, text string
		o          Options
		want       string
		doubt      bool // of a component
	}{
		{"a column called label", "Label,a\n1,2\n", Options{}, `column 1 ("Label") was taken for a component; if it is the class, add label=Label`, true},
		{"785 columns", wide, Options{}, "it has 785 components, one more than 28x28; if one is the class, add label= and the number of its column", true},
		{"785 columns with names", strings.Repeat("a,", 784) + "b\n" + wide, Options{}, "it has 785 components, one more than 28x28; if one is the class, add label= and the name of its column", true},
		{"name before number", "2,1,x,y\n5,6,7,8\n", Options{Header: "yes", Label: "1"}, `label=1 is the name of column 2 ("1"), and a name goes before a number; if column 1 ("2") is meant, add label=2`, true},
		{"pandas' numbers as names", "label,0,1,2,3\n5,6,7,8,9\n", Options{Label: "1"}, `label=1 is the name of column 3 ("1"), and a name goes before a number; if column 1 ("label") is meant, add label=label`, true},
		{"counted from 0", "label,0,1,2,3\n5,6,7,8,9\n", Options{Label: "0"}, `column 1 ("label") was taken for a component; if it is the class, add label=label`, true},
		{"no number for it", ",0,1,2,3\n5,6,7,8,9\n", Options{Label: "1"}, `label=1 is the name of column 3 ("1"), and a name goes before a number; if column 1 is meant, give it a name of its own, and add label= and that name`, true},
		{"785 columns with classes", wide, Options{Label: "1"}, "", false},
		{"a column that counts", "id,a\n5,1\n6,1\n7,1\n8,1\n", Options{}, `column 1 ("id") counts the lines; if it is no component, leave it out of the file`, true},
		{"few lines that count", "id,a\n5,1\n6,1\n7,1\n", Options{}, "", false},
		{"classes that all differ", "1,a\n1,b\n1,c\n1,d\n1,e\n1,f\n1,g\n1,h\n1,i\n1,j\n1,k\n", Options{Label: "2"}, "every class of column 2 is another: is that the column of the classes?", false},
		{"behind gzip", zipped(t, "1,2\n") + "\n", Options{}, "bytes that are no gzip follow the compressed data and were left out", false},
	} {
		got, err := read(c.text, c.o)
		if err != nil || strings.Join(got.Warnings, "; ") != c.want || (got.Doubt != "") != c.doubt {
			t.Errorf("%s: %+v, %v; want %s", c.name, got, err, c.want)
		}
	}
}

// A large file takes little more memory than its numbers, packed or not.
func TestMemory(t *testing.T) {
	const rows, cols = 3000, 100
	random := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for i := range rows * cols {
		separator := ","
		if (i+1)%cols == 0 {
			separator = "\n"
		}
		fmt.Fprintf(&b, "%.3f%s", random.Float64(), separator)
	}
	text := b.String()
	for name, file := range map[string]string{"plain": text, "gzipped": zipped(t, text)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := read(file, Options{})
		runtime.ReadMemStats(&after)
		if err != nil || got.Array.Shape[0] != rows || got.Array.Shape[1] != cols {
			t.Fatalf("%s: %v", name, err)
		}
		// Every line's own text comes on top, and goes again.
		if room := cap(got.Array.Floats); room > rows*cols*5/4 {
			t.Errorf("%s: room for %d numbers, %d are there", name, room, rows*cols)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(2*len(text)+10*rows*cols) {
			t.Errorf("%s: took %d bytes for %d numbers", name, used, rows*cols)
		}
	}
}

// FuzzRead: no panic, errors of one line, finite numbers in the shape that is said.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"a,b\n1,2\n", "1;2;x\n3;4;y\n", ",0,1,2,3\n0,1,2,3,4\n", "# a b\n1 2\n", "\ufeff\"a\"\t\"b\"\n1\t2", "1,2\n3\n", "\"1\n", zipped(f, "1,2\n") + "\n"} {
		f.Add(text, "", "")
		f.Add(text, "1", "yes")
		f.Add(text, "b", "no")
	}
	f.Fuzz(func(t *testing.T, text, label, header string) {
		got, err := read(text, Options{Label: label, Header: header})
		if err != nil {
			if strings.Contains(err.Error(), "\n") && !strings.Contains(label, "\n") {
				t.Errorf("an error of several lines: %v", err)
			}
			return
		}
		n, d := got.Array.Shape[0], got.Array.Shape[1]
		if n < 1 || d < 1 || n*d != len(got.Array.Floats) || label == "" && got.Labels != nil || label != "" && len(got.Labels) != n {
			t.Fatalf("%v, %d numbers, %d labels", got.Array.Shape, len(got.Array.Floats), len(got.Labels))
		}
		for _, v := range got.Array.Floats {
			if v-v != 0 {
				t.Fatalf("%g is there", v)
			}
		}
	})
}
