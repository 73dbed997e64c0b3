package array_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/engine/memory"
)

// zeros is a file of zeros without end.
type zeros struct{ read int64 }

func (z *zeros) Read(p []byte) (int, error) {
	clear(p)
	z.read += int64(len(p))
	return len(p), nil
}

// A large array takes its own length of memory and little more on the way, and a
// header that lies a multiple of what there is.
func TestGrowth(t *testing.T) {
	const count = 8 << 20
	for _, c := range []struct {
		name        string
		t           array.Type
		there       int64 // bytes of the file
		least, most uint64
	}{
		{"whole floats", array.Type{array.Float, 4, binary.LittleEndian}, 4 * count, 4 * count, 4*count + count/2},
		{"whole doubles", array.Type{array.Float, 8, binary.LittleEndian}, 8 * count, 4 * count, 4*count + count/2},
		{"whole bytes", array.Type{array.Unsigned, 1, binary.LittleEndian}, count, count, count + count/4},
		{"a hundredth", array.Type{array.Float, 4, binary.LittleEndian}, 4 * count / 100, 0, 4 * count / 16},
		{"nothing", array.Type{array.Float, 4, binary.LittleEndian}, 0, 0, 1 << 20},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a, err := array.Read(io.LimitReader(&zeros{}, c.there), []int{count}, c.t)
		runtime.ReadMemStats(&after)
		if whole := c.there == count*int64(c.t.Size); (err == nil) != whole || whole && len(a.Bytes)+len(a.Floats) != count {
			t.Errorf("%s: error %v", c.name, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used < c.least || used > c.most {
			t.Errorf("%s: took %d bytes, want %d to %d", c.name, used, c.least, c.most)
		}
	}
}

// Numbers that memory has no room for are refused before any is read.
func TestNoRoom(t *testing.T) {
	available, ok := memory.Available()
	if !ok {
		t.Skip("the system does not say how much memory there is")
	}
	const gib = 1 << 30
	rows := int(available/(4*gib)) + 100
	for _, c := range []struct {
		name string
		use  func(f *array.File) error
		gib  int
	}{
		{"floats", func(f *array.File) error { _, err := f.Read(); return err }, 4 * rows},
		{"labels", func(f *array.File) error { f.Shape = []int{rows * gib}; _, err := f.Labels(); return err }, 4 * rows},
		{"bytes", func(f *array.File) error {
			f.Shape[0], f.Type = 4*rows, array.Type{array.Unsigned, 1, nil}
			_, err := f.Read()
			return err
		}, 4 * rows},
		{"turned", func(f *array.File) error { f.Fortran = true; _, err := f.Read(); return err }, 8 * rows},
	} {
		z := &zeros{}
		err := c.use(&array.File{Shape: []int{rows, gib}, Type: array.Type{array.Float, 2, binary.LittleEndian}, Numbers: z})
		if want := fmt.Sprintf("its numbers take %d.0 GiB of memory, there are ", c.gib); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", c.name, err, want)
		}
		if z.read > 0 {
			t.Errorf("%s: read %d bytes", c.name, z.read)
		}
	}
}
