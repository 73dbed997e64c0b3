package dataset_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/unitscope/unitscope/dataset"
)

func TestAt(t *testing.T) {
	root, err := filepath.Abs("runs")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ spec, folder, want string }{
		{"npy:mine.npy", root, "npy:" + filepath.Join(root, "mine.npy")},
		{"npy:../mine.npy", root, "npy:" + filepath.Join(filepath.Dir(root), "mine.npy")},
		{"npz:mine.npz,y=labels", root, "npz:" + filepath.Join(root, "mine.npz") + ",y=labels"},
		{"npy:" + filepath.Join(root, "mine.npy"), filepath.Dir(root), "npy:" + filepath.Join(root, "mine.npy")},
		{"npy:mine.npy,y=labels.npy", root, "npy:" + filepath.Join(root, "mine.npy") + ",y=" + filepath.Join(root, "labels.npy")},
		{"npy:" + filepath.Join(root, "mine.npy") + ",y=labels.npy", root, "npy:" + filepath.Join(root, "mine.npy") + ",y=" + filepath.Join(root, "labels.npy")},
		{"npy:mine.npy", "", "npy:mine.npy"},
		{"npy:mine.npy,y=labels.npy", root, "npy:" + filepath.Join(root, "mine.npy") + ",y=" + filepath.Join(root, "labels.npy")},
		{"idx:" + filepath.Join(root, "x") + ",y=y", root, "idx:" + filepath.Join(root, "x") + ",y=" + filepath.Join(root, "y")},
		{"csv:mine.csv,label=y", root, "csv:" + filepath.Join(root, "mine.csv") + ",label=y"},
		{"digits:n=20", root, "digits:n=20"},
		{"leaves", root, "leaves"},
	} {
		if got, err := dataset.At(c.spec, c.folder); err != nil || got != c.want {
			t.Errorf("%s at %s: %s, error %v; want %s", c.spec, c.folder, got, err, c.want)
		}
	}
	if _, err := dataset.At("npy:x.npy,y=y.npy", root+",2"); !errors.Is(err, dataset.ErrSpecification) {
		t.Errorf("error %v", err)
	}
	if _, err := dataset.At("mine.npy", root); !errors.Is(err, dataset.ErrSpecification) {
		t.Errorf("error %v", err)
	}
}
