package dataset

import (
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio"
)

// A file alone is one example or several, by its shape; a picture is one.
func TestOpenFile(t *testing.T) {
	dir := t.TempDir()
	array := func(name string, x any) string {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(npyio.Write(f, x), f.Close()); err != nil {
			t.Fatal(err)
		}
		return path
	}
	img := noisy(2, 3)
	picture := filepath.Join(dir, "p.PNG")
	if err := os.WriteFile(picture, encoded(t, png.Encode, img), 0o666); err != nil {
		t.Fatal(err)
	}
	six := []float32{1, -2, 3, 0, 5, 6}
	for _, c := range []struct {
		path       string
		size, rows int
		want       []float32
	}{
		{array("one.npy", six), 6, 1, six},
		{array("square.npy", [2][3]float32{{1, -2, 3}, {0, 5, 6}}), 6, 1, six},
		{array("rows.npy", [2][3]float32{{1, -2, 3}, {0, 5, 6}}), 3, 2, six},
		{array("row.npy", [1][6]float32{{1, -2, 3, 0, 5, 6}}), 6, 1, six},
		{array("bytes.npy", []uint8{0, 51, 255}), 3, 1, []float32{0, 0.2, 1}},
		{picture, 6, 1, bytesOver255(img)},
	} {
		set, err := OpenFile(c.path, c.size)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		indices := make([]int, c.rows)
		for i := range indices {
			indices[i] = i
		}
		got := make([]float32, c.rows*c.size)
		if err := set.Read(got, indices); err != nil || set.Len() != c.rows || !slices.Equal(got, c.want) {
			t.Errorf("%s: %d examples, %v: %v, want %v", c.path, set.Len(), err, got, c.want)
		}
	}
	for path, want := range map[string]string{
		picture:                               "are 6 numbers, want 4",
		array("four.npy", make([]float32, 8)): "8",
		filepath.Join(dir, "none.png"):        "no such file",
		dir:                                   "is a folder",
		array("text.png", []float32{1, 2, 3}): "",
	} {
		if _, err := OpenFile(path, 4); err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: %v, want %q and the path once", path, err, want)
		}
	}
}
