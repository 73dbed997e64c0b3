package dataset

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree writes files into folders of a new folder.
func tree(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// striped is a picture of two greys, so that its patches tell it by their spread.
func striped(t testing.TB, dark, light uint8) []byte {
	img := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range img.Pix {
		img.SetGray(i%16, i/16, color.Gray{Y: []uint8{dark, light}[i%2]})
	}
	return encoded(t, png.Encode, img)
}

// The folders in a folder are classes, and the label of a patch is that of the
// picture it was cut from.
func TestClassFolders(t *testing.T) {
	dir := tree(t, map[string][]byte{
		"dog/2.png": striped(t, 0, 255), "dog/more/1.PNG": striped(t, 0, 255), "cat/1.png": striped(t, 100, 110),
		"empty/notes.txt": nil, ".hidden/1.png": nil, "dog/.DS_Store": nil, "list.csv": nil, "dog/raw.CR2": nil, "readme": nil,
	})
	s := open(t, "images:"+dir+",size=4,n=3000,whiten=standard", 1).(*patches)
	perClass := [2]int{}
	for i := range 3000 {
		label, ok := s.Label(i)
		if !ok {
			t.Fatal("no label")
		}
		perClass[label]++
		x := read(t, s, i)
		if strong := slices.Max(x) > 0.5; strong != (label == 1) {
			t.Fatalf("patch %d is of class %d, and its largest component is %g", i, label, slices.Max(x))
		}
	}
	if perClass[0] < 900 || perClass[0] > 1100 {
		t.Errorf("%d patches per class, want one and two thirds", perClass)
	}
	for _, index := range []int{-1, 3000} {
		if _, ok := s.Label(index); ok {
			t.Errorf("example %d has a label", index)
		}
	}
	info := s.Info()
	if want := []string{"cat", "dog"}; !slices.Equal(info.Classes, want) {
		t.Errorf("classes %q, want %q", info.Classes, want)
	}
	if want := []string{
		"labels are the folders that the pictures lie in: 0 cat (1), 1 dog (2)",
		"left out as no pictures by their names: hidden (2), .csv (1), .txt (1), no ending (1)",
	}; !slices.Equal(info.Remarks, want) {
		t.Errorf("remarks %q, want %q", info.Remarks, want)
	}
	if want := []string{"pictures of formats that can't be read, which are left out: .cr2 (1)"}; !slices.Equal(info.Warnings, want) {
		t.Errorf("warnings %q, want %q", info.Warnings, want)
	}
	if want := []string{"cat/1.png", "dog/2.png", "dog/more/1.PNG"}; len(info.Files) != 3 || filepath.ToSlash(strings.TrimPrefix(info.Files[2], dir+string(filepath.Separator))) != want[2] {
		t.Errorf("files %q, want %q", info.Files, want)
	}
}

// Folders that are no classes, or probably none, are said to be so.
func TestFoldersWithoutClasses(t *testing.T) {
	one := striped(t, 3, 200)
	for _, c := range []struct {
		name     string
		files    []string
		labels   bool
		remark   string
		warnings string
	}{
		{"flat", []string{"a.png"}, false, "", ""},
		{"beside", []string{"a.png", "b/c.png", "c/c.png"}, false, "pictures lie beside the folders b, c too, so that they have no labels", ""},
		{"one", []string{"b/c.png", "b/d/c.png"}, false, "pictures lie in the folder b too, which alone gives no labels", ""},
		{"split", []string{"train/b/c.png", "Test/c/c.png"}, true, "labels are the folders that the pictures lie in: 0 Test (1), 1 train (1)",
			"Test and train are taken for classes: name one of these folders to have the classes in it"},
	} {
		files := map[string][]byte{}
		for _, name := range c.files {
			files[name] = one
		}
		s := open(t, "images:"+tree(t, files)+",size=4,n=10,whiten=standard", 1)
		info := s.Info()
		if _, ok := s.Label(0); ok != c.labels || strings.Join(info.Remarks, "; ") != c.remark || strings.Join(info.Warnings, "; ") != c.warnings {
			t.Errorf("%s: labels %t, remarks %q, warnings %q", c.name, ok, info.Remarks, info.Warnings)
		}
	}
}

// Links to folders are followed, and none is read twice, whatever they loop.
func TestLinkedFolders(t *testing.T) {
	one := striped(t, 3, 200)
	dir := tree(t, map[string][]byte{"a/1.png": one, "b/1.png": one, "b/c/2.png": one})
	elsewhere := tree(t, map[string][]byte{"1.png": one})
	for link, to := range map[string]string{
		filepath.Join("a", "root"): dir, filepath.Join("b", "c", "up"): filepath.Join(dir, "b"), "z": elsewhere,
		filepath.Join("b", "file.png"): filepath.Join(elsewhere, "1.png"), filepath.Join("a", "gone.png"): filepath.Join(dir, "gone"),
	} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	s := open(t, "images:"+dir+",size=4,n=10,whiten=standard", 1).(*patches)
	info := s.Info()
	if len(info.Files) != 5 || !slices.Equal(s.labels, []int{0, 1, 1, 1, 2}) {
		t.Errorf("files %q, labels %d", info.Files, s.labels)
	}
	if len(info.Remarks) != 2 || !strings.HasPrefix(info.Remarks[1], "left out as links to folders that were read already: ") || strings.Count(info.Remarks[1], ",") != 1 {
		t.Errorf("remarks %q", info.Remarks)
	}
	if len(info.Warnings) != 1 || !strings.Contains(info.Warnings[0], "1 of 6: "+filepath.Join("a", "gone.png")+": no such file") {
		t.Errorf("warnings %q", info.Warnings)
	}
}
