package visualize

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"
	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
)

// handmade is a result of 2 units with 3 restarts and patterns of 2 components.
func handmade(t testing.TB) *AscentResult {
	t.Helper()
	return &AscentResult{
		Layer: 2, Direction: 1, Rate: 0.5, Radius: 1, Units: []int{7, 3}, Restarts: 3, Best: []int{1, 0},
		BestPatterns:    array(t, []float32{1, 2, 3, 4}, 2, 2),
		Average:         array(t, []float32{0, 0, 0, 0}, 2, 2),
		Patterns:        array(t, []float32{0, 1, 1, 2, 5, 6, 3, 4, 7, 8, 9, 10}, 2, 3, 2),
		Dead:            []bool{false, true},
		Activation:      array(t, []float32{0.1, 1.5, 1e-9, 4, 5, 6}, 2, 3),
		StartActivation: array(t, []float32{-0.1, -1, -2, -3, -4, -5}, 2, 3),
		Tangent:         array(t, []float32{0, 0.25, 0.5, 0, 0, 0}, 2, 3),
		Cosine:          array(t, []float32{0.9, 1, -1, 1, 0.5, 0.25}, 2, 3),
		Steps:           []int{1, 2, 3, 0, 0, 0},
		Stop:            []engine.StopReason{engine.StopConverged, engine.StopSteps, engine.StopConverged, engine.StopVanished, engine.StopVanished, engine.StopVanished},
	}
}

func TestWriteArrays(t *testing.T) {
	r := handmade(t)
	var file, again bytes.Buffer
	if err := errors.Join(r.WriteArrays(&file), r.WriteArrays(&again)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Error("the same result gave other bytes")
	}
	archive, err := npz.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range archive.Keys() {
		names = append(names, strings.TrimSuffix(name, ".npy"))
	}
	slices.Sort(names)
	if want := []string{"activation", "best", "cosine", "patterns", "start_activation", "steps", "stop", "tangent", "units"}; !slices.Equal(names, want) {
		t.Errorf("arrays %v, want %v", names, want)
	}
	for name, want := range map[string]*tensor.Dense{
		"best": r.BestPatterns, "patterns": r.Patterns, "activation": r.Activation,
		"start_activation": r.StartActivation, "tangent": r.Tangent, "cosine": r.Cosine,
	} {
		var got []float32
		if err := archive.Read(name+".npy", &got); err != nil || !slices.Equal(got, numbers(t, want)) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if shape := archive.Header(name + ".npy").Descr.Shape; !slices.Equal(shape, want.Shape()) {
			t.Errorf("%s: shape %v, want %v", name, shape, want.Shape())
		}
	}
	for name, want := range map[string][]int64{"units": {7, 3}, "steps": {1, 2, 3, 0, 0, 0}} {
		var got []int64
		if err := archive.Read(name+".npy", &got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// entry is the bytes of one array's file.
func entry(t *testing.T, file []byte, name string) []byte {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := archive.Open(name + ".npy")
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWriteArraysToTheByte(t *testing.T) {
	r := handmade(t)
	r.Patterns = nil
	var file bytes.Buffer
	if err := r.WriteArrays(&file); err != nil {
		t.Fatal(err)
	}
	stop := entry(t, file.Bytes(), "stop")
	const head = "\x93NUMPY\x01\x00\x76\x00{'descr': '<U9', 'fortran_order': False, 'shape': (2, 3,), }"
	if !strings.HasPrefix(string(stop), head) || stop[127] != '\n' || len(stop) != 128+6*9*4 {
		t.Errorf("stop.npy starts with %q and is %d bytes long", stop[:min(128, len(stop))], len(stop))
	}
	if got := string(stop[128+9*4 : 128+9*4+24]); got != "s\x00\x00\x00t\x00\x00\x00e\x00\x00\x00p\x00\x00\x00s\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("the second word is %q", got)
	}
	if units := entry(t, file.Bytes(), "units"); !strings.Contains(string(units), "'shape': (2,), ") {
		t.Errorf("units.npy starts with %q", units)
	}
	archive, err := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.File {
		if f.Name == "patterns.npy" {
			t.Error("patterns were written though none are kept")
		}
		if !f.Modified.Equal(archiveTime) {
			t.Errorf("%s is of %v", f.Name, f.Modified)
		}
	}
}

func TestWriteTable(t *testing.T) {
	r := handmade(t)
	var file bytes.Buffer
	if err := r.WriteTable(&file); err != nil {
		t.Fatal(err)
	}
	const want = `unit,restart,activation,start_activation,steps,stop,tangent,cosine
7,0,0.1,-0.1,1,converged,0,0.9
7,1,1.5,-1,2,steps,0.25,1
7,2,1e-09,-2,3,converged,0.5,-1
3,0,4,-3,0,vanished,0,1
3,1,5,-4,0,vanished,0,0.5
3,2,6,-5,0,vanished,0,0.25
`
	if file.String() != want {
		t.Errorf("got\n%swant\n%s", file.String(), want)
	}
}

// The table of a real ascent gives every float32 back exactly.
func TestTableIsExact(t *testing.T) {
	r := ascend(t, openDevice(t), randomNetwork(t, 3, 3, 1, 9, 8, 7), options(2, 6, 0))
	var file bytes.Buffer
	if err := r.WriteTable(&file); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&file).ReadAll()
	if err != nil || len(lines) != 1+18 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, line := range lines[1:] {
		if a, err := strconv.ParseFloat(line[2], 32); err != nil || float32(a) != numbers(t, r.Activation)[i] {
			t.Errorf("line %d: activation %s, want %g", i, line[2], numbers(t, r.Activation)[i])
		}
	}
}

// full takes so many bytes and then fails.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return 0, errors.New("disk full")
	}
	f.left -= len(p)
	return len(p), nil
}

func TestWriteErrorsAreReported(t *testing.T) {
	r := handmade(t)
	var file bytes.Buffer
	if err := r.WriteArrays(&file); err != nil {
		t.Fatal(err)
	}
	for left := 0; left < file.Len(); left += 97 {
		if err := r.WriteArrays(&full{left}); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Fatalf("arrays, %d bytes fit: error %v", left, err)
		}
	}
	if err := r.WriteTable(&full{10}); err == nil {
		t.Error("table: no error")
	}
	r.BestPatterns = nil
	if err := r.WriteArrays(io.Discard); err == nil {
		t.Error("arrays without patterns: no error")
	}
	for name, spoil := range map[string]func(r *AscentResult){
		"no cosines":       func(r *AscentResult) { r.Cosine = nil },
		"too few tangents": func(r *AscentResult) { r.Tangent = array(t, []float32{1, 2}, 1, 2) },
		"too few steps":    func(r *AscentResult) { r.Steps = r.Steps[:3] },
		"another unit":     func(r *AscentResult) { r.Units = append(r.Units, 1) },
	} {
		r := handmade(t)
		spoil(r)
		if r.WriteArrays(io.Discard) == nil || r.WriteTable(io.Discard) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
