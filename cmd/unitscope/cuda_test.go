//go:build cuda

package main

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"maps"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/network/safetensors"
)

// TestCUDAScripts runs testdata/cuda: the same commands with --device cuda and
// --device cpu, and how near their results must be. A card, real or emulated, is
// needed; `make test-emulated` has one.
func TestCUDAScripts(t *testing.T) {
	card, err := engine.Open("cuda")
	if err != nil {
		if strings.Contains(","+os.Getenv("UNITSCOPE_REQUIRE")+",", ",cuda,") {
			t.Fatal(err)
		}
		t.Skipf("no card to test on (%v); make test-emulated runs this on an emulated one", err)
	}
	if err := card.Close(); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/cuda",
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"UNITSCOPE_CUDA_DRIVER", "LD_LIBRARY_PATH"} {
				e.Setenv(name, os.Getenv(name))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"small-digits": smallDigits,
			"near-model":   nearModel,
			"near-array":   nearArray,
			"near-picture": nearPicture,
		},
	})
}

// TestNoCUDALibrary checks that a program with the CUDA device, such as this
// one, does not need the driver to start.
func TestNoCUDALibrary(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("ldd"); err != nil {
		t.Skip("no ldd here")
	}
	out, err := exec.Command("ldd", self).CombinedOutput()
	if err != nil {
		t.Fatalf("ldd: %v\n%s", err, out)
	}
	if strings.Contains(string(out), "libcuda") {
		t.Errorf("the program needs libcuda:\n%s", out)
	}
}

// small-digits FILE N writes N built-in digits, shrunk to 14x14, as an IDX file:
// more columns than a tile has, and a quarter of the work of 28x28.
func smallDigits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: small-digits file n")
	}
	const side, small = 28, 14
	n := number(ts, args[1])
	set, err := dataset.Open(fmt.Sprintf("digits:n=%d", n), 1)
	ts.Check(err)
	defer set.Close()
	file := []byte{0, 0, 8, 3} // unsigned bytes in three dimensions
	for _, size := range []int{n, small, small} {
		file = binary.BigEndian.AppendUint32(file, uint32(size))
	}
	digit := make([]float32, side*side)
	for i := range n {
		ts.Check(set.Read(digit, []int{i}))
		for y := range small {
			for x := range small {
				at := 2*y*side + 2*x
				mean := (digit[at] + digit[at+1] + digit[at+side] + digit[at+side+1]) / 4
				file = append(file, byte(math.Round(255*float64(mean))))
			}
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o644))
}

// near-model A B TOLERANCE [SHARE] checks that the elements of every tensor of two
// model files differ by at most TOLERANCE, but for a SHARE of them.
func nearModel(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 {
		ts.Fatalf("usage: near-model a b tolerance [share]")
	}
	a, b := readTensors(ts, args[0]), readTensors(ts, args[1])
	if len(a) != len(b) || len(a) == 0 {
		ts.Fatalf("%d tensors and %d", len(a), len(b))
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		near(ts, name, a[name], b[name], args[2:])
	}
}

// tensors are those of a model file, by name.
func readTensors(ts *testscript.TestScript, path string) map[string][]float32 {
	f, err := safetensors.Open(ts.MkAbs(path))
	ts.Check(err)
	defer f.Close()
	all := map[string][]float32{}
	for _, name := range f.Names() {
		tensor, err := f.Tensor(name)
		ts.Check(err)
		all[name] = tensor.Data
	}
	return all
}

// near-array A.npz B.npz NAME TOLERANCE [SHARE] checks that the elements of an
// array of two archives differ by at most TOLERANCE, but for a SHARE of them.
func nearArray(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 || len(args) > 5 {
		ts.Fatalf("usage: near-array a b name tolerance [share]")
	}
	near(ts, args[2], array(ts, args[0], args[2]), array(ts, args[1], args[2]), args[3:])
}

// array is an array of an archive, of two dimensions or more.
func array(ts *testscript.TestScript, path, name string) []float32 {
	set, err := dataset.Open(fmt.Sprintf("npz:%s,x=%s", ts.MkAbs(path), name), 1)
	ts.Check(err)
	defer set.Close()
	indices := make([]int, set.Len())
	for i := range indices {
		indices[i] = i
	}
	all := make([]float32, set.Len()*set.Info().Size())
	ts.Check(set.Read(all, indices))
	return all
}

// near checks numbers against a tolerance, and a share that may lie beyond it.
func near(ts *testscript.TestScript, name string, a, b []float32, limits []string) {
	if len(a) != len(b) || len(a) == 0 {
		ts.Fatalf("%s: %d elements and %d", name, len(a), len(b))
	}
	tolerance, share := decimal(ts, limits[0]), 0.0
	if len(limits) > 1 {
		share = decimal(ts, limits[1])
	}
	worst, at, far := 0.0, 0, 0
	for i := range a {
		difference := math.Abs(float64(a[i]) - float64(b[i]))
		if !(difference <= tolerance) {
			far++
		}
		if !(difference <= worst) {
			worst, at = difference, i
		}
	}
	said := fmt.Sprintf("%s: %d of %d elements more than %g apart, at most by %.3g (element %d: %g and %g)", name, far, len(a), tolerance, worst, at, a[at], b[at])
	if float64(far) > share*float64(len(a)) {
		ts.Fatalf("%s", said)
	}
	ts.Logf("%s", said)
}

// near-picture A B LEVELS SHARE checks that of the pixels of two pictures at most
// a SHARE differs by more than LEVELS of 255 levels of grey.
func nearPicture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: near-picture a b levels share")
	}
	a, b := grey(ts, args[0]), grey(ts, args[1])
	if len(a) != len(b) || len(a) == 0 {
		ts.Fatalf("%d pixels and %d", len(a), len(b))
	}
	levels, share := number(ts, args[2]), decimal(ts, args[3])
	far, worst := 0, 0
	for i := range a {
		difference := max(a[i], b[i]) - min(a[i], b[i])
		worst = max(worst, difference)
		if difference > levels {
			far++
		}
	}
	said := fmt.Sprintf("%d of %d pixels more than %d levels apart, at most by %d", far, len(a), levels, worst)
	if float64(far) > share*float64(len(a)) {
		ts.Fatalf("%s", said)
	}
	ts.Logf("%s", said)
}

// grey are the pixels of a picture, row by row, 0 to 255.
func grey(ts *testscript.TestScript, path string) (pixels []int) {
	f, err := os.Open(ts.MkAbs(path))
	ts.Check(err)
	defer f.Close()
	img, err := png.Decode(f)
	ts.Check(err)
	g := image.NewGray(img.Bounds())
	for y := g.Rect.Min.Y; y < g.Rect.Max.Y; y++ {
		for x := g.Rect.Min.X; x < g.Rect.Max.X; x++ {
			g.Set(x, y, img.At(x, y))
			pixels = append(pixels, int(g.GrayAt(x, y).Y))
		}
	}
	return pixels
}

func decimal(ts *testscript.TestScript, text string) float64 {
	x, err := strconv.ParseFloat(text, 64)
	ts.Check(err)
	return x
}

// TestCUDADraws checks what comparing samples of two devices rests on: from equal
// probabilities a card draws the states of the CPU, bit for bit, and the states
// that its product draws are those of the probabilities it reports.
func TestCUDADraws(t *testing.T) {
	card, err := engine.Open("cuda")
	if err != nil {
		t.Skip(err)
	}
	defer card.Close()
	cpu, err := engine.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer cpu.Close()
	const rows, terms, cols = 70, 33, 131
	at := engine.Stream{Seed: 11, Purpose: engine.PurposeHidden, Step: 7, Keys: make([]uint64, rows)}
	for i := range at.Keys {
		at.Keys[i] = engine.ExampleKey(1, int64(3*i))
	}
	uniform := drawn(t, card, rows, cols, func(m engine.Matrix) error { return card.Uniform(m, at) })
	same(t, "uniform", uniform, drawn(t, cpu, rows, cols, func(m engine.Matrix) error { return cpu.Uniform(m, at) }))

	// The card's own product, its probabilities and its states.
	x, w := make([]float32, rows*terms), make([]float32, cols*terms)
	for i := range x {
		x[i] = float32(i*i%37)/18 - 1
	}
	for i := range w {
		w[i] = float32(i*i%41)/20 - 1
	}
	p := drawn(t, card, rows, cols, func(m engine.Matrix) error { return nil })
	states := drawn(t, card, rows, cols, func(m engine.Matrix) error {
		a, b, probability := upload(t, card, rows, terms, x), upload(t, card, cols, terms, w), upload(t, card, rows, cols, p)
		product := engine.Multiply(false, true)
		product.Epilogue = engine.Epilogue{Kind: engine.EpilogueBernoulli, Probability: probability, At: at}
		if err := card.Gemm(m, a, b, product); err != nil {
			return err
		}
		return probability.Read(p)
	})
	p[0], p[1], p[2] = 0, 1, float32(math.NaN())
	draw := func(d engine.Device) []float32 {
		return drawn(t, d, rows, cols, func(m engine.Matrix) error { return d.Bernoulli(m, upload(t, d, rows, cols, p), at) })
	}
	same(t, "states of equal probabilities", draw(card), draw(cpu))
	same(t, "states of a product", states[3:], draw(cpu)[3:])
	if on := slices.Index(states, 1); on < 0 || slices.Index(states, 0) < 0 {
		t.Error("all states are the same")
	}
}

func upload(t *testing.T, d engine.Device, rows, cols int, data []float32) engine.Matrix {
	t.Helper()
	m, err := d.New(rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	if err := m.Write(data); err != nil {
		t.Fatal(err)
	}
	return m
}

// drawn is a matrix that a device has filled.
func drawn(t *testing.T, d engine.Device, rows, cols int, fill func(engine.Matrix) error) []float32 {
	t.Helper()
	m, data := upload(t, d, rows, cols, make([]float32, rows*cols)), make([]float32, rows*cols)
	if err := fill(m); err != nil {
		t.Fatal(err)
	}
	if err := m.Read(data); err != nil {
		t.Fatal(err)
	}
	return data
}

func same(t *testing.T, what string, a, b []float32) {
	t.Helper()
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) && (a[i] == a[i] || b[i] == b[i]) {
			t.Fatalf("%s: element %d is %g and %g", what, i, a[i], b[i])
		}
	}
}
