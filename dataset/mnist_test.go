package dataset

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const trainImages, trainLabels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"

// The folders in which MNIST and its relatives come.
func TestMNISTFolders(t *testing.T) {
	images, labels := mnistFiles()
	others := idxFile(8, []uint32{1, 2, 3}, 255, 255, 255, 255, 255, 255)
	eight := idxFile(12, []uint32{2, 8}, slices.Concat(
		[]byte{0, 0, 0, 7, 0, 0, 0, 9, 0, 0, 16, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5},
		[]byte{0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 16, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5})...)
	pair := func(dir string, images, labels []byte) map[string][]byte {
		return map[string][]byte{dir + trainImages: images, dir + trainLabels: labels}
	}
	both := pair("MNIST/raw/", images, labels)
	for name, data := range pair("FashionMNIST/raw/", others, labels) {
		both[name] = data
	}
	for _, c := range []struct {
		name    string
		files   map[string][]byte
		remarks []string // DIR stands for the folder
	}{
		{"as named", pair("", images, labels), nil},
		{"raw", pair("raw/", images, labels), []string{"read DIR/raw/" + trainImages + " and DIR/raw/" + trainLabels}},
		{"torchvision", pair("MNIST/raw/", images, labels), []string{"read DIR/MNIST/raw/" + trainImages + " and DIR/MNIST/raw/" + trainLabels}},
		{"Fashion-MNIST", pair("FashionMNIST/raw/", images, labels), []string{"read DIR/FashionMNIST/raw/" + trainImages + " and DIR/FashionMNIST/raw/" + trainLabels}},
		{"two of them", both, []string{"read DIR/MNIST/raw/" + trainImages + " and DIR/MNIST/raw/" + trainLabels, "DIR/FashionMNIST/raw is there too, and was not read"}},
		{"a folder per file", map[string][]byte{trainImages + "/" + trainImages: images, trainLabels + "/" + trainLabels: labels}, nil},
		{
			"QMNIST", map[string][]byte{"QMNIST/raw/qmnist-train-images-idx3-ubyte": images, "QMNIST/raw/qmnist-train-labels-idx2-int.gz": zipped(t, eight)},
			[]string{"read DIR/QMNIST/raw/qmnist-train-images-idx3-ubyte and DIR/QMNIST/raw/qmnist-train-labels-idx2-int.gz", "DIR/QMNIST/raw/qmnist-train-labels-idx2-int.gz: the first of 8 columns is the class"},
		},
	} {
		dir := tree(t, c.files)
		s := open(t, "mnist:"+dir, 1)
		if got := read(t, s, 0); !slices.Equal(got, []float32{0, 0.2, 0.4, 0.6, 0.8, 1}) || s.Len() != 2 {
			t.Errorf("%s: %v of %d", c.name, got, s.Len())
		}
		zero, _ := s.Label(0)
		if one, ok := s.Label(1); zero != 7 || one != 3 || !ok {
			t.Errorf("%s: labels %d, %d, %t", c.name, zero, one, ok)
		}
		remarks := strings.ReplaceAll(strings.Join(s.Info().Remarks, "\n"), dir, "DIR")
		if want := strings.Join(c.remarks, "\n"); filepath.ToSlash(remarks) != want {
			t.Errorf("%s: remarks\n%s\nwant\n%s", c.name, remarks, want)
		}
	}
}

func TestMNISTFolderErrors(t *testing.T) {
	images, labels := mnistFiles()
	for _, c := range []struct {
		name  string
		files map[string][]byte
		spec  string
		want  string
	}{
		{"empty", nil, "mnist:", "it holds nothing"},
		{"two relatives", map[string][]byte{"KMNIST/raw/" + trainImages: images, "KMNIST/raw/" + trainLabels: labels, "FashionMNIST/raw/" + trainImages: images, "FashionMNIST/raw/" + trainLabels: labels}, "mnist:", "holds several data sets: name the folder of one, DIR/FashionMNIST/raw, DIR/KMNIST/raw"},
		{"no labels", map[string][]byte{trainImages: images, "t10k-labels-idx1-ubyte": labels}, "mnist:", "DIR/" + trainImages + " is there, and its labels are not: looked for train-labels-idx1-ubyte and train-labels.idx1-ubyte"},
		{"many files", map[string][]byte{"a": nil, "b": nil, "c": nil, "d": nil, "e": nil, "f": nil, "g": nil, "h": nil, "i": nil}, "mnist:", "it holds a, b, c, d, e, f, g, h, ..."},
		{"EMNIST", map[string][]byte{"emnist-letters-train-images-idx3-ubyte.gz": nil}, "mnist:", "it holds emnist-letters-train-images-idx3-ubyte.gz (those of EMNIST are read by emnist:DIR)"},
		{"QMNIST with MNIST's labels", map[string][]byte{"qmnist-train-images-idx3-ubyte": images, "qmnist-train-labels-idx2-int": labels}, "mnist:", "labels have shape [2], want [n, 8]"},
		{"QMNIST of bytes", map[string][]byte{"qmnist-train-images-idx3-ubyte": images, "qmnist-train-labels-idx2-int": idxFile(8, []uint32{1, 8}, make([]byte, 8)...)}, "mnist:", "labels are uint8, want int32"},
		{"QMNIST of float32", map[string][]byte{"qmnist-train-images-idx3-ubyte": images, "qmnist-train-labels-idx2-int": idxFile(13, []uint32{1, 8}, make([]byte, 32)...)}, "mnist:", "labels are float32, want int32"},
		{"MNIST", map[string][]byte{trainImages: images, trainLabels: labels}, "emnist:", "holds none of emnist-balanced-train-images-idx3-ubyte, emnist-byclass-train-images-idx3-ubyte"},
		{"another set", map[string][]byte{"emnist-letters-train-images-idx3-ubyte": images}, "emnist:,set=digits", "holds none of emnist-digits-train-images-idx3-ubyte, with or without .gz, nor do raw, gzip, EMNIST/raw, EMNIST/raw/gzip in it; it holds emnist-letters-train-images-idx3-ubyte"},
		{"two sets", map[string][]byte{"emnist-letters-train-images-idx3-ubyte": images, "emnist-letters-train-labels-idx1-ubyte": labels, "emnist-digits-train-images-idx3-ubyte": images, "emnist-digits-train-labels-idx1-ubyte": labels}, "emnist:", "holds several sets: say which, set=digits or set=letters"},
	} {
		dir := tree(t, c.files)
		kind, options, _ := strings.Cut(c.spec, ":")
		_, err := Open(kind+":"+dir+options, 1)
		if err == nil || !strings.Contains(filepath.ToSlash(strings.ReplaceAll(err.Error(), dir, "DIR")), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %s", c.name, err, c.want)
		}
	}
}

// Classes of QMNIST are whole numbers beyond those of float32.
func TestQMNISTLabels(t *testing.T) {
	images := idxFile(8, []uint32{1, 1, 2}, 0, 255)
	labels := idxFile(12, []uint32{1, 8}, append([]byte{1, 0, 0, 1}, make([]byte, 28)...)...)
	s := open(t, "mnist:"+tree(t, map[string][]byte{"qmnist-train-images-idx3-ubyte": images, "qmnist-train-labels-idx2-int": labels}), 1)
	if l, ok := s.Label(0); l != 1<<24+1 || !ok {
		t.Errorf("label %d, %t", l, ok)
	}
}

// EMNIST's pictures come out upright, with the labels of the file.
func TestEMNIST(t *testing.T) {
	// An upright L of 3x2 in the first example; the file holds it by columns, 2x3.
	images := idxFile(8, []uint32{2, 2, 3}, 255, 255, 255, 0, 0, 255, 0, 51, 102, 153, 204, 255)
	labels := idxFile(8, []uint32{2}, 12, 26)
	for _, c := range []struct{ folder, options, name string }{
		{"", ",set=letters", ",set=letters,split=train"},
		{"", "", ",set=letters,split=train"},
		{"gzip/", ",split=train", ",set=letters,split=train"},
		{"EMNIST/raw/", ",set=letters", ",set=letters,split=train"},
	} {
		dir := tree(t, map[string][]byte{c.folder + "emnist-letters-train-images-idx3-ubyte.gz": zipped(t, images), c.folder + "emnist-letters-train-labels-idx1-ubyte": labels})
		s := open(t, "emnist:"+dir+c.options, 1)
		if got := read(t, s, 0, 1); !slices.Equal(got, []float32{1, 0, 1, 0, 1, 1, 0, 0.6, 0.2, 0.8, 0.4, 1}) {
			t.Errorf("%v: pictures %v", c, got)
		}
		info := s.Info()
		if !slices.Equal(info.Shape, []int{3, 2}) || info.Name != "emnist:"+dir+c.name || info.Stored != "uint8 from 0 to 255, divided by 255" {
			t.Errorf("%v: %+v", c, info)
		}
		if remark := info.Remarks[len(info.Remarks)-1]; remark != "classes are numbered as in the file, 12 to 26" {
			t.Errorf("%v: remarks %q", c, info.Remarks)
		}
		if l, ok := s.Label(1); l != 26 || !ok {
			t.Errorf("%v: label %d, %t", c, l, ok)
		}
	}
}
