package array

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestCount(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int
		size  int
		want  int
		err   string
	}{
		{"scalar", nil, 8, 1, ""},
		{"matrix", []int{3, 5}, 4, 15, ""},
		{"empty", []int{0, math.MaxInt}, 4, 0, ""},
		{"largest", []int{math.MaxInt / 8}, 8, math.MaxInt / 8, ""},
		{"one more", []int{math.MaxInt/8 + 1}, 8, 0, "too large for this machine's address space"},
		{"product", []int{1 << 16, 1 << 16, 1 << 16, 1 << 16}, 1, 0, "too large for this machine's address space"},
		{"negative", []int{-1}, 1, 0, "shape [-1] has a negative length"},
		{"dimensions", make([]int, 9), 1, 0, "9 dimensions, want at most 8"},
	} {
		got, err := Count(c.shape, c.size)
		if got != c.want || (c.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %d, %v; want %d, %s", c.name, got, err, c.want, c.err)
		}
	}
}

// Arrays of several steps come out whole from readers that give little at a
// time.
func TestReadSteps(t *testing.T) {
	const count = 3*chunkBytes/8 + 5
	var file []byte
	var want []float32
	for i := range count {
		v := math.Sqrt(float64(i)) - 100
		file = binary.BigEndian.AppendUint64(file, math.Float64bits(v))
		want = append(want, float32(v))
	}
	a, err := Read(iotest.HalfReader(bytes.NewReader(file)), []int{count}, Type{Float, 8, binary.BigEndian})
	if err != nil || !slices.Equal(a.Floats, want) {
		t.Errorf("error %v, or other numbers", err)
	}
	broken := errors.New("broken")
	r := iotest.TimeoutReader(iotest.HalfReader(bytes.NewReader(file)))
	if _, err := Read(r, []int{count}, Type{Float, 8, binary.BigEndian}); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("a reader's own error becomes %v", err)
	}
	f := File{Shape: []int{0}, Type: Type{Float, 8, binary.BigEndian}, Numbers: iotest.ErrReader(broken)}
	if _, err := f.Read(); !errors.Is(err, broken) {
		t.Errorf("a reader's error at the end becomes %v", err)
	}
}

func TestReadLabels(t *testing.T) {
	for _, c := range []struct {
		name string
		file []byte
		t    Type
		want []int32
	}{
		{"uint8", []byte{0, 255}, Type{Unsigned, 1, binary.LittleEndian}, []int32{0, 255}},
		{"int8", []byte{0, 255}, Type{Signed, 1, binary.LittleEndian}, []int32{0, -1}},
		{"uint16", []byte{0, 255, 1, 0}, Type{Unsigned, 2, binary.BigEndian}, []int32{255, 256}},
		{"int32", []byte{0xfe, 0xff, 0xff, 0xff, 1, 0, 0, 0}, Type{Signed, 4, binary.LittleEndian}, []int32{-2, 1}},
		{"uint32 out of range", []byte{0, 0, 0, 0x80, 1, 0, 0, 0}, Type{Unsigned, 4, binary.LittleEndian}, nil},
		{"uint64 out of range", append(bytes.Repeat([]byte{0x80}, 8), make([]byte, 8)...), Type{Unsigned, 8, binary.LittleEndian}, nil},
		{"one short", []byte{1}, Type{Unsigned, 1, binary.LittleEndian}, nil},
	} {
		got, err := ReadLabels(bytes.NewReader(c.file), 2, c.t)
		if !slices.Equal(got, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}
