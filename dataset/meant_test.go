package dataset_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
)

// A path without a kind of data before it is told how it is written.
func TestPathWithoutKind(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"f1.npy", "all.npz", "a,b=2.csv", "x.CSV.gz", "t.tsv", "p.mat", "d.idx.gz", "train-images-idx3-ubyte", "notes.txt",
		"m/train-images-idx3-ubyte", "m/train-labels-idx1-ubyte", "k/KMNIST/raw/t10k-images-idx3-ubyte.gz", "k/KMNIST/raw/t10k-labels-idx1-ubyte.gz",
		"e/emnist-letters-train-images-idx3-ubyte", "e/emnist-letters-train-labels-idx1-ubyte", "photos/1.png"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for text, want := range map[string]string{
		"f1.npy":                  `data "f1.npy": no kind of data stands before "f1.npy": did you mean "npy:f1.npy"?`,
		"f1.npy,y=l.npy":          `before "f1.npy": did you mean "npy:f1.npy,y=l.npy"?`,
		"./all.npz":               `did you mean "npz:./all.npz"?`,
		"a,b=2.csv":               `unknown kind of data "a,b=2.csv": known are digits, `,
		"npyy:none.npy":           `unknown kind of data "npyy": known are digits, `,
		"x.CSV.gz,label=1":        `did you mean "csv:x.CSV.gz,label=1"?`,
		"t.tsv":                   `did you mean "csv:t.tsv"?`,
		"p.mat":                   `did you mean "mat:p.mat"?`,
		"d.idx.gz":                `did you mean "idx:d.idx.gz"?`,
		"train-images-idx3-ubyte": `did you mean "idx:train-images-idx3-ubyte"?`,
		"notes.txt":               `no kind of data stands before "notes.txt": write "KIND:notes.txt", with KIND one of digits, `,
		"m":                       `did you mean "mnist:m"?`,
		"k,split=test":            `did you mean "mnist:k,split=test"?`,
		"e":                       `did you mean "emnist:e"?`,
		"photos":                  `did you mean "images:photos"?`,
		"none.npy":                `images, leaves; write npy:none.npy`,
	} {
		if _, err := dataset.Open(text, 1); !errors.Is(err, dataset.ErrSpecification) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
