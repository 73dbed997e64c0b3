package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// npyFile is a file of one row of numbers of this type, as numpy writes it.
func npyFile(descr string, count int, body []byte) []byte {
	dictionary := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (1, %d), }", descr, count)
	dictionary += strings.Repeat(" ", 63-(10+len(dictionary))%64) + "\n"
	data := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(dictionary)))
	return append(append(data, dictionary...), body...)
}

// What stored numbers become, in every kind of file that has them.
func TestStoredScale(t *testing.T) {
	for _, c := range []struct {
		name, descr, options string
		body                 []byte
		want                 []float32 // nil for an error
		low, high            float32
		stored               string // or the error
	}{
		{"pictures", "|u1", "", []byte{0, 51, 128}, []float32{0, 0.2, float32(128) / 255}, 0, 1, "uint8 from 0 to 128, divided by 255"},
		{"whole range", "|u1", "", []byte{7, 255}, []float32{float32(7) / 255, 1}, 0, 1, "uint8 from 7 to 255, divided by 255"},
		{"binary", "|u1", "", []byte{0, 1, 1}, []float32{0, 1, 1}, 0, 1, "uint8 from 0 to 1, kept"},
		{"all zero", "|u1", "", []byte{0, 0}, []float32{0, 0}, 0, 1, "uint8 from 0 to 0, kept"},
		{"sixteen levels", "|u1", "", []byte{0, 16, 3}, nil, 0, 0, "uint8 from 0 to 16, and what that is out of can't be told: add scale=255 for the bytes of pictures, scale=16 to fill 0 to 1, scale=1 to keep them"},
		{"two", "|u1", "", []byte{1, 2}, nil, 0, 0, "uint8 from 1 to 2, and what"},
		{"127", "|u1", "", []byte{0, 127}, nil, 0, 0, "uint8 from 0 to 127, and what"},
		{"sixteen, filled", "|u1", ",scale=16", []byte{4, 16, 0}, []float32{0.25, 1, 0}, 0, 1, "uint8 from 0 to 16, divided by 16"},
		{"sixteen, kept", "|u1", ",scale=1", []byte{4, 16}, []float32{4, 16}, 0, 16, "uint8 from 4 to 16, kept"},
		{"dark pictures", "|u1", ",scale=255", []byte{0, 51}, []float32{0, 0.2}, 0, 1, "uint8 from 0 to 51, divided by 255"},
		{"bytes, kept", "|u1", ",scale=1", []byte{0, 200}, []float32{0, 200}, 0, 200, "uint8 from 0 to 200, kept"},
		{"truth values", "|b1", "", []byte{0, 1, 2}, []float32{0, 1, 1}, 0, 1, "bool, as 0 and 1"},
		{"signed bytes", "|i1", "", []byte{0x80, 16}, []float32{-128, 16}, -128, 16, "int8 from -128 to 16, kept"},
		{"signed bytes, divided", "|i1", ",scale=64", []byte{0x80, 16}, []float32{-2, 0.25}, -2, 0.25, "int8 from -128 to 16, divided by 64"},
		{"floats", "<f4", "", floats32(-3.125, 2.875), []float32{-3.125, 2.875}, -3.125, 2.875, "float32 from -3.125 to 2.875, kept"},
		{"floats, divided", "<f4", ",scale=2.5", floats32(-5, 255), []float32{-2, 102}, -2, 102, "float32 from -5 to 255, divided by 2.5"},
		{"many digits", "<f4", "", floats32(1./3, 1e9), []float32{1. / 3, 1e9}, 1. / 3, 1e9, "float32 from 0.3333 to 1e+09, kept"},
		{"infinite when divided", "<f4", ",scale=1e-39", floats32(0, 2), nil, 0, 0, "scale=1e-39: numbers from 0 to 2 become infinite"},
	} {
		path := filepath.Join(t.TempDir(), "x.npy")
		if err := os.WriteFile(path, npyFile(c.descr, len(c.body)/size(c.descr), c.body), 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := Open("npy:"+path+c.options, 1)
		if c.want == nil {
			if !errors.Is(err, ErrSpecification) || !strings.Contains(err.Error(), c.stored) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: error %v, want %s", c.name, err, c.stored)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := read(t, s, 0); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if i := s.Info(); i.Low != c.low || i.High != c.high || i.Stored != c.stored || i.Name != "npy:"+path+c.options {
			t.Errorf("%s: %+v; want %g to %g, %s", c.name, i, c.low, c.high, c.stored)
		}
	}
}

// size is the number of bytes of a type such as "<f4".
func size(descr string) int { return int(descr[2] - '0') }

func floats32(numbers ...float32) (body []byte) {
	for _, v := range numbers {
		body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
	}
	return body
}

// The other kinds of files have the option too, and MNIST's own bytes are
// pictures' bytes, however dark.
func TestScaleOfKinds(t *testing.T) {
	dark := idxFile(8, []uint32{1, 1, 2}, 0, 51)
	dir := folder(t, map[string][]byte{"train-images-idx3-ubyte": dark, "train-labels-idx1-ubyte": idxFile(8, []uint32{1}, 7)})
	for spec, want := range map[string]string{
		"mnist:" + dir: "uint8 from 0 to 51, divided by 255",
		"idx:" + dir + "/train-images-idx3-ubyte,scale=51": "uint8 from 0 to 51, divided by 51",
		"infmnist:" + folder(t, map[string][]byte{"train-images-idx3-ubyte": idxFile(8, []uint32{1, 2, 2}, 0, 1, 1, 1), "train-labels-idx1-ubyte": idxFile(8, []uint32{1}, 7)}): "uint8 from 0 to 1, divided by 255",
	} {
		if got := open(t, spec, 1).Info().Stored; got != want {
			t.Errorf("%s: %s, want %s", spec, got, want)
		}
	}
	if w := open(t, "mnist:"+dir, 1).Info().Warnings; len(w) != 1 || !strings.Contains(w[0], "its bytes end at 51 and were divided by 255; if they are out of less, idx:FILE,y=FILE,scale=51") {
		t.Errorf("warnings of dark pictures %q", w)
	}
	if _, err := Open("idx:"+dir+"/train-images-idx3-ubyte", 1); err == nil || !strings.Contains(err.Error(), "uint8 from 0 to 51, and what") {
		t.Errorf("error %v", err)
	}
}

// Every byte of a picture is what it was before there was a choice.
func TestPictureBytes(t *testing.T) {
	body := make([]byte, 256)
	for i := range body {
		body[i] = byte(i)
	}
	path := filepath.Join(folder(t, map[string][]byte{"x": npyFile("|u1", 256, body)}), "x")
	for i, v := range read(t, open(t, "npy:"+path, 1), 0) {
		if v != float32(byte(i))/255 {
			t.Errorf("%d becomes %g, want %g", i, v, float32(i)/255)
		}
	}
}
