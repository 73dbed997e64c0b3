package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npy"
	"github.com/sbinet/npyio/npz"
)

// realMNIST is the folder of MNIST's own files, or skips the test.
func realMNIST(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("UNITSCOPE_MNIST")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data", "mnist")
	}
	if _, err := os.Stat(dir); err != nil {
		if strings.Contains(os.Getenv("UNITSCOPE_REQUIRE"), "mnist") {
			t.Fatalf("MNIST is required: %v", err)
		}
		t.Skipf("no MNIST here (set UNITSCOPE_MNIST to its folder): %v", err)
	}
	return dir
}

func idxFile(code byte, dims []uint32, body ...byte) []byte {
	data := []byte{0, 0, code, byte(len(dims))}
	for _, d := range dims {
		data = binary.BigEndian.AppendUint32(data, d)
	}
	return append(data, body...)
}

func zipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// folder writes files to a new folder.
func folder(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The figures of the files that everyone has.
func TestRealMNIST(t *testing.T) {
	dir := realMNIST(t)
	for _, c := range []struct {
		split           string
		count           int
		labels          []int
		perDigit        []int
		mean, deviation float64 // of the grey levels
		norm            float64
	}{
		{"train", 60000, []int{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}, []int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}, 33.3184, 78.5675, 9.2147},
		{"test", 10000, []int{7, 2, 1, 0, 4, 1, 4, 9, 5, 9}, []int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}, 33.7912, 79.1725, 9.2957},
	} {
		t.Run(c.split, func(t *testing.T) {
			s := open(t, "mnist:"+dir+",split="+c.split, 1)
			info := s.Info()
			if s.Len() != c.count || !slices.Equal(info.Shape, []int{28, 28}) || info.Low != 0 || info.High != 1 || len(info.Files) != 2 {
				t.Errorf("%d examples, %+v", s.Len(), info)
			}
			perDigit := make([]int, 10)
			for i := range s.Len() {
				label, ok := s.Label(i)
				if !ok || i < 10 && label != c.labels[i] {
					t.Errorf("label %d is %d, %t", i, label, ok)
				}
				perDigit[label]++
			}
			if !slices.Equal(perDigit, c.perDigit) {
				t.Errorf("images per digit %v, want %v", perDigit, c.perDigit)
			}
			if norm, err := MeanNorm(s, 0); err != nil || math.Abs(norm-c.norm) > 0.005 {
				t.Errorf("mean norm %.4f, %v; want %g", norm, err, c.norm)
			}
			mean, deviation := moments(t, s)
			if math.Abs(255*mean-c.mean) > 1e-4 || math.Abs(255*deviation-c.deviation) > 1e-4 {
				t.Errorf("mean %.5f, deviation %.5f; want %g, %g", 255*mean, 255*deviation, c.mean, c.deviation)
			}
		})
	}
}

// moments are the mean and standard deviation of all components.
func moments(t *testing.T, s Set) (mean, deviation float64) {
	t.Helper()
	var sum, squares, count float64
	const batch = 1000
	for from := 0; from < s.Len(); from += batch {
		indices := make([]int, min(batch, s.Len()-from))
		for i := range indices {
			indices[i] = from + i
		}
		for _, v := range read(t, s, indices...) {
			sum += float64(v)
			squares += float64(v) * float64(v)
			count++
		}
	}
	mean = sum / count
	return mean, math.Sqrt(squares/count - mean*mean)
}

// The paper's extended MNIST, and rho of MNIST's digits.
func TestRealExtendedMNIST(t *testing.T) {
	dir := realMNIST(t)
	s, originals := open(t, "infmnist:"+dir+",n=200000,split=test", 1), open(t, "mnist:"+dir+",split=test", 1)
	if want := "infmnist:" + dir + ",n=200000,split=test"; s.Info().Name != want || len(s.Info().Files) != 2 || s.Len() != 200000 {
		t.Errorf("%d examples, %+v; want %s", s.Len(), s.Info(), want)
	}
	want, _ := originals.Label(123)
	if got, ok := s.Label(150123); !ok || got != want {
		t.Errorf("label %d, %t, want %d", got, ok, want)
	}
	before, err := MeanNorm(originals, 2000)
	if err != nil {
		t.Fatal(err)
	}
	after, err := MeanNorm(s, 2000)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("mean norm %.3f, deformed %.3f", before, after)
	if after < 0.9*before || after > 1.05*before {
		t.Errorf("mean norm %.3f, deformed %.3f; want a little less", before, after)
	}
}

func mnistFiles() (images, labels []byte) {
	return idxFile(8, []uint32{2, 2, 3}, 0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6), idxFile(8, []uint32{2}, 7, 3)
}

func TestMNISTNames(t *testing.T) {
	images, labels := mnistFiles()
	for name, files := range map[string]map[string][]byte{
		"hyphens":            {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels},
		"dots":               {"train-images.idx3-ubyte": images, "train-labels.idx1-ubyte": labels},
		"gzipped":            {"train-images-idx3-ubyte.gz": zipped(t, images), "train-labels-idx1-ubyte.gz": zipped(t, labels)},
		"dots and gzipped":   {"train-images.idx3-ubyte.gz": zipped(t, images), "train-labels.idx1-ubyte": labels},
		"named .gz, but not": {"train-images-idx3-ubyte.gz": images, "train-labels-idx1-ubyte": zipped(t, labels)},
	} {
		s := open(t, "mnist:"+folder(t, files), 1)
		want := []float32{0, 0.2, 0.4, 0.6, 0.8, 1}
		if got := read(t, s, 0); !slices.Equal(got, want) || s.Len() != 2 || !slices.Equal(s.Info().Shape, []int{2, 3}) {
			t.Errorf("%s: %v of %d, shape %v", name, got, s.Len(), s.Info().Shape)
		}
		if l, ok := s.Label(1); l != 3 || !ok {
			t.Errorf("%s: label %d, %t", name, l, ok)
		}
		for _, i := range []int{-1, 2} {
			if _, ok := s.Label(i); ok {
				t.Errorf("%s: label %d of 2", name, i)
			}
		}
	}
}

func TestFileErrors(t *testing.T) {
	images, labels := mnistFiles()
	dir := folder(t, map[string][]byte{"a file": images, "labels": labels, "nothing": nil, "archive": []byte("PK\x03\x04\x14\x00\x00\x00\x08\x00"), "floats": idxFile(13, []uint32{1, 1, 2}, 0, 0, 0, 0, 0x7f, 0xc0, 0, 0), "none": idxFile(8, []uint32{0, 2, 2}), "flat": idxFile(8, []uint32{5, 0}), "deep": idxFile(8, []uint32{1, 2, 2, 2}, make([]byte, 8)...)})
	mnist := func(images, labels []byte) string {
		return "mnist:" + folder(t, map[string][]byte{"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels})
	}
	for _, c := range []struct{ name, spec, want string }{
		{"missing", "idx:" + dir + "/b", "b: no such file"},
		{"missing npy", "npy:" + dir + "/b", "b: no such file"},
		{"missing npz", "npz:" + dir + "/b", "b: no such file"},
		{"folder", "idx:" + dir, "is a folder, want a file"},
		{"folder npz", "npz:" + dir + ",x=a", "is a folder, want a file"},
		{"no folder", "mnist:" + dir + "/a file", "is a file, want the folder of MNIST's IDX files"},
		{"missing folder", "infmnist:" + dir + "/b", "b: no such file"},
		{"other files", "mnist:" + dir, "holds none of train-images-idx3-ubyte, train-images.idx3-ubyte, qmnist-train-images-idx3-ubyte, with or without .gz, nor do raw, MNIST/raw, FashionMNIST/raw, KMNIST/raw, QMNIST/raw in it; it holds a file, archive, deep, flat, floats, labels, none, nothing"},
		{"other split", mnist(images, labels) + ",split=test", "holds none of t10k-images-idx3-ubyte, t10k-images.idx3-ubyte, qmnist-test-images-idx3-ubyte, with or without .gz"},
		{"labels alone", "idx:" + dir + "/labels", "labels: shape [2], one number per example: are these labels?"},
		{"not a number", "idx:" + dir + "/floats", "floats: example 0 holds NaN at component 1: want finite numbers"},
		{"no examples", "idx:" + dir + "/none", "none: shape [0 2 2] holds no examples"},
		{"no components", "idx:" + dir + "/flat", "flat: shape [5 0] holds no examples"},
		{"four dimensions", "idx:" + dir + "/deep", "deep: shape [1 2 2 2], want [examples, components], [examples, rows, cols], or one or three colours before or after rows and cols"},
		{"counts differ", mnist(images, idxFile(8, []uint32{3}, 1, 2, 3)), "has 2 images and"},
		{"labels for images", mnist(labels, labels), "train-images-idx3-ubyte: shape [2] of uint8, want unsigned bytes in 3 dimensions"},
		{"images for labels", mnist(images, images), "train-labels-idx1-ubyte: shape [2 2 3] of uint8, want unsigned bytes in 1 dimensions"},
		{"damaged", mnist(images[:20], labels), "train-images-idx3-ubyte: truncated"},
		{"npy of idx", "npy:" + dir + "/a file", "a file: not an npy file"},
		{"empty npy", "npy:" + dir + "/nothing", "nothing: not an npy file: it is empty"},
		{"npy of npz", "npy:" + dir + "/archive", "archive: not an npy file: it is a zip archive, which npz reads"},
		{"folder of the user", "npy:~/none.npy", "(shells leave a ~ behind a colon as it is: write $HOME)"},
		{"npz of idx", "npz:" + dir + "/a file", "a file: not an npz file"},
	} {
		s, err := Open(c.spec, 1)
		if err == nil || s != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
	}
}

func TestOpenFiles(t *testing.T) {
	dir := t.TempDir()
	floats := filepath.Join(dir, "floats, 2.npy")
	writeNPY(t, floats, []float64{-1, 0.5, 2, 0})
	images, _ := mnistFiles()
	bytesFile := filepath.Join(dir, "pictures: all")
	if err := os.WriteFile(bytesFile, zipped(t, images), 0o666); err != nil {
		t.Fatal(err)
	}
	shorts := filepath.Join(dir, "shorts")
	if err := os.WriteFile(shorts, idxFile(11, []uint32{2, 2}, 0, 7, 0xff, 0xff, 1, 0, 0, 0), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec      string
		shape     []int
		low, high float32
		last      []float32
	}{
		{"npy:" + floats, []int{1}, -1, 2, []float32{0}},
		{"idx:" + bytesFile, []int{2, 3}, 0, 1, []float32{1 / 255., 2 / 255., 3 / 255., 4 / 255., 5 / 255., 6 / 255.}},
		{"idx:" + shorts, []int{2}, -1, 256, []float32{256, 0}},
	} {
		s := open(t, c.spec, 1)
		info := s.Info()
		if info.Name != c.spec || !slices.Equal(info.Shape, c.shape) || info.Low != c.low || info.High != c.high || !slices.Equal(info.Files, []string{strings.SplitN(c.spec, ":", 2)[1]}) {
			t.Errorf("%s: %+v", c.spec, info)
		}
		if got := read(t, s, s.Len()-1); !slices.Equal(got, c.last) {
			t.Errorf("%s: last example %v, want %v", c.spec, got, c.last)
		}
		if _, ok := s.Label(0); ok {
			t.Errorf("%s has labels", c.spec)
		}
	}
}

// writeNPY writes numbers as examples of one component. npyio can't write more
// than one dimension of slices, so the shape is patched in its header.
func writeNPY(t *testing.T, path string, numbers []float64) {
	t.Helper()
	var b bytes.Buffer
	if err := npy.Write(&b, numbers); err != nil {
		t.Fatal(err)
	}
	data := b.Bytes()
	i := bytes.Index(data, []byte("(4,), } "))
	copy(data[i:], "(4, 1), }")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestOpenArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.npz")
	err := npz.Write(path, map[string]any{"x.npy": [2][2]float32{{0, 1}, {0.25, -3}}, "y.npy": []int64{4, -1}, "z.npy": []int64{1}})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, "npz:"+path+",x=x,y=y", 1)
	if got := read(t, s, 1, 0); !slices.Equal(got, []float32{0.25, -3, 0, 1}) {
		t.Errorf("examples %v", got)
	}
	if l, ok := s.Label(1); l != -1 || !ok {
		t.Errorf("label %d, %t", l, ok)
	}
	if i := s.Info(); i.Low != -3 || i.High != 1 || !slices.Equal(i.Shape, []int{2}) {
		t.Errorf("%+v", i)
	}
	for _, c := range []struct {
		options, want string
		usage         bool
	}{
		{",x=x,y=z", "2 examples and 1 label", false},
		{",x=images", `no array "images" in it`, true},
		{",x=x,y=images", `no array "images" in it`, true},
		{",y=y", "several arrays", true},
		{"", "say which are the examples, x=NAME, and which the labels", true},
		{",x=x,y=x", `array "x": labels have shape [2 2]`, false},
	} {
		if _, err := Open("npz:"+path+c.options, 1); err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrSpecification) != c.usage {
			t.Errorf("%s: error %v (of the command: %t), want %s", c.options, err, errors.Is(err, ErrSpecification), c.want)
		}
	}
}
