package dataset

import (
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// bytesOver255 are the grey levels of a picture as PyTorch's ToTensor makes them.
func bytesOver255(img *image.Gray) []float32 {
	greys := make([]float32, len(img.Pix))
	for i, v := range img.Pix {
		greys[i] = float32(v) / 255
	}
	return greys
}

// Whole pictures are examples in the order of their names, upright, bytes divided by
// 255 to the bit, with the classes of their folders; seeds change nothing.
func TestWhole(t *testing.T) {
	first, second, third := noisy(7, 5), noisy(7, 5), image.NewGray(image.Rect(0, 0, 5, 7))
	slices.Reverse(second.Pix)
	for i := range third.Pix {
		third.Pix[i] = uint8(255 * i / 34)
	}
	dir := folder(t, nil)
	for name, img := range map[string]*image.Gray{"b/1.png": first, "a/2.png": second, "a/3.png": third} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, encoded(t, png.Encode, img), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, "images:"+dir+",size=whole", 7)
	info := s.Info()
	if info.Name != "images:"+dir+",size=whole,whiten=none" || !slices.Equal(info.Shape, []int{7, 5}) || info.Low != 0 || info.High != 1 || s.Len() != 3 ||
		info.Stored != "3 pictures of 7x5 pixels as grey levels" || !slices.Equal(info.Classes, []string{"a", "b"}) {
		t.Errorf("%d examples, %+v", s.Len(), info)
	}
	want := slices.Concat(bytesOver255(first), bytesOver255(third), bytesOver255(second))
	if got := read(t, s, 2, 1, 0); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if again := open(t, info.Name, 1); !slices.Equal(read(t, again, 2, 1, 0), want) || again.Info().Name != info.Name {
		t.Error("its own name or another seed opens another set")
	}
	for i, class := range []int{0, 0, 1} {
		if got, ok := s.Label(i); got != class || !ok {
			t.Errorf("example %d has class %d, %t", i, got, ok)
		}
	}
	for _, i := range []int{-1, 3} {
		if _, ok := s.Label(i); ok || s.Read(make([]float32, 35), []int{i}) == nil {
			t.Errorf("there is an example %d", i)
		}
	}
}

// Pictures of several sizes are no examples of one set, and are named.
func TestWholeSizes(t *testing.T) {
	dir := folder(t, map[string][]byte{
		"a.png": encoded(t, png.Encode, noisy(9, 8)), "b.png": encoded(t, png.Encode, noisy(9, 8)), "c.png": encoded(t, png.Encode, noisy(8, 9)),
	})
	want := "size=whole wants pictures of one size: a.png has 9x8 pixels, c.png has 8x9"
	if _, err := Open("images:"+dir+",size=whole", 1); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	flat := folder(t, map[string][]byte{"a.png": encoded(t, png.Encode, image.NewGray(image.Rect(0, 0, 3, 1)))})
	if got := read(t, open(t, "images:"+flat+",size=whole", 1), 0); !slices.Equal(got, []float32{0, 0, 0}) {
		t.Errorf("a black picture is %v", got)
	}
}

// With whiten=none patches of photographs have the grey levels of their places, the
// places that patches of the standard kind have.
func TestGreyPatches(t *testing.T) {
	const n, size = 300, 6
	img := image.NewGray(image.Rect(0, 0, 16, 16)) // every pixel has a grey of its own
	for i := range img.Pix {
		img.SetGray(i%16, i/16, color.Gray{Y: uint8(i)})
	}
	dir := folder(t, map[string][]byte{"a.png": encoded(t, png.Encode, img)})
	s := open(t, "images:"+dir+",size=6,n=300,whiten=none", 3)
	if info := s.Info(); info.Low != 0 || info.High != 1 || info.Name != "images:"+dir+",size=6,n=300,whiten=none" {
		t.Errorf("%+v", info)
	}
	grey := read(t, s, firstExamples(n)...)
	for i := range n {
		x := grey[i*size*size : (i+1)*size*size]
		corner := int(math.Round(float64(255 * x[0])))
		for j, v := range x {
			if want := float32(corner+16*(j/size)+j%size) / 255; v != want {
				t.Fatalf("patch %d at %d: component %d is %g, want %g", i, corner, j, v, want)
			}
		}
	}
	standard := open(t, "images:"+dir+",size=6,n=300,whiten=standard", 3).(*patches)
	for i, v := range read(t, standard, firstExamples(n)...) {
		mean := 0.0
		for _, w := range grey[i/36*36 : i/36*36+36] {
			mean += float64(w) / 36
		}
		if want := (float64(grey[i]) - mean) * float64(standard.scale); math.Abs(float64(v)-want) > 1e-5 {
			t.Fatalf("component %d is %g, want %g", i, v, want)
		}
	}
}

// Arrays of a MATLAB file keep their numbers; unsigned bytes are grey levels.
func TestStoredPatches(t *testing.T) {
	numbers := noise(14, 13)
	bytes := make([]float64, len(numbers))
	for i := range bytes {
		bytes[i] = float64(i % 256)
	}
	few := slices.Repeat([]float64{3, 16}, 91)
	dir := folder(t, map[string][]byte{
		"a.mat": matFile(matArray{"p", numbers, []int{14, 13}}),
		"b.mat": matFileOf(true, matArray{"p", bytes, []int{14, 13}}), "c.mat": matFileOf(true, matArray{"p", few, []int{14, 13}}),
	})
	s := open(t, "patches:"+dir+"/a.mat,size=4,n=50,whiten=none", 1)
	held := make([]float32, len(numbers))
	for i, v := range numbers {
		held[i] = float32(v)
	}
	if info := s.Info(); info.Low != slices.Min(held) || info.High != slices.Max(held) || !strings.HasSuffix(info.Name, ",n=50,whiten=none") {
		t.Errorf("%+v", info)
	}
	for _, v := range read(t, s, firstExamples(50)...) {
		if !slices.Contains(held, v) {
			t.Fatalf("%g is not in the file", v)
		}
	}
	s = open(t, "patches:"+dir+"/b.mat,size=4,n=50,whiten=none", 1)
	if info := s.Info(); info.Low != 0 || info.High != float32(181)/255 || info.Stored != "a picture of 14x13 pixels, uint8 from 0 to 181, divided by 255" {
		t.Errorf("%+v", info)
	}
	want := "uint8 from 3 to 16, and what that is out of can't be told: save pictures for whiten=none as numbers from 0 to 1"
	if _, err := Open("patches:"+dir+"/c.mat,size=4,whiten=none", 1); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	usual, standard := open(t, "patches:"+dir+"/a.mat,size=4,n=50", 1), open(t, "patches:"+dir+"/a.mat,size=4,n=50,whiten=standard", 1)
	if usual.Info().Name != standard.Info().Name || !slices.Equal(read(t, usual, 0, 1), read(t, standard, 0, 1)) {
		t.Errorf("standard is not the usual: %s", standard.Info().Name)
	}
}

// Leaves are greys too, with the edges that whitening sharpens.
func TestGreyLeaves(t *testing.T) {
	s := open(t, "leaves:size=8,n=2000,whiten=none", 1)
	x := read(t, s, firstExamples(2000)...)
	if info := s.Info(); info.Low < 0 || info.High > 1 || slices.Min(x) < info.Low || slices.Max(x) > info.High || info.High-info.Low < 0.9 {
		t.Errorf("range %g to %g, components from %g to %g", info.Low, info.High, slices.Min(x), slices.Max(x))
	}
}
