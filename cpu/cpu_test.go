package cpu_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/enginetest"
)

func open(t testing.TB, o cpu.Options) engine.Device {
	t.Helper()
	d, err := cpu.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestConformance runs the suite for every variant of the hot loops.
func TestConformance(t *testing.T) {
	for _, variant := range cpu.Variants() {
		t.Run(variant, func(t *testing.T) {
			enginetest.Run(t, func(t *testing.T) engine.Device {
				return open(t, cpu.Options{Variant: variant, Workers: 3})
			})
		})
	}
}

// matrix returns a matrix of random numbers that depend on its size alone.
func matrix(t testing.TB, d engine.Device, rows, cols int) engine.Matrix {
	t.Helper()
	m, err := d.New(rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(uint64(rows), uint64(cols)))
	data := make([]float32, rows*cols)
	for i := range data {
		data[i] = float32(random.NormFloat64())
	}
	if err := m.Write(data); err != nil {
		t.Fatal(err)
	}
	return m
}

func read(t testing.TB, m engine.Matrix) []float32 {
	t.Helper()
	data := make([]float32, m.Rows()*m.Cols())
	if err := m.Read(data); err != nil {
		t.Fatal(err)
	}
	return data
}

// everything runs every operation on matrices large enough to be shared among
// workers, and returns all the results.
func everything(t *testing.T, d engine.Device) (results [][]float32) {
	t.Helper()
	const m, n, k = 205, 330, 150
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	at := engine.Stream{Seed: 3, Purpose: engine.PurposeHidden, Keys: make([]uint64, m)}
	for i := range at.Keys {
		at.Keys[i] = uint64(i * i)
	}
	a, b, at2, bt := matrix(t, d, m, k), matrix(t, d, k, n), matrix(t, d, k, m), matrix(t, d, n, k)
	dst, x, y, column, row := matrix(t, d, m, n), matrix(t, d, m, n), matrix(t, d, m, n), matrix(t, d, m, 1), matrix(t, d, 1, n)
	keep := func(matrices ...engine.Matrix) {
		for _, r := range matrices {
			results = append(results, read(t, r))
		}
	}
	for transposes := range 4 {
		p := engine.Product{TransA: transposes&1 != 0, TransB: transposes&2 != 0, Alpha: 0.3, Beta: 0.9}
		left, right := a, b
		if p.TransA {
			left = at2
		}
		if p.TransB {
			right = bt
		}
		for _, e := range []engine.Epilogue{
			{Bias: row},
			{Kind: engine.EpilogueSigmoid},
			{Kind: engine.EpilogueBernoulli, At: at, Probability: y},
			{Kind: engine.EpilogueDerivative, Hidden: x},
			{Kind: engine.EpilogueNorms, Norms: column},
		} {
			p.Epilogue = e
			must(d.Gemm(dst, left, right, p))
			keep(dst, y, column)
		}
	}
	must(d.Sigmoid(y, x))
	must(d.Bernoulli(dst, y, at))
	keep(y, dst)
	must(d.Gaussian(dst, x, 0.5, at))
	must(d.Axpby(y, 2, dst, 0.1))
	must(d.Project(y, 7))
	keep(dst, y)
	must(d.Corrupt(dst, x, engine.Corruption{Kind: engine.CorruptionSaltPepper, Level: 0.3, High: 1}, at))
	must(d.Reduce(column, dst, engine.Reduction{Kind: engine.RowDots, With: x, Alpha: 1}))
	must(d.Reduce(row, dst, engine.Total(engine.ColumnMeans)))
	keep(dst, column, row)
	return results
}

// TestWorkers checks that results are the same bits with any number of workers.
func TestWorkers(t *testing.T) {
	for _, variant := range cpu.Variants() {
		var want [][]float32
		for _, workers := range []int{1, 2, 3, 7} {
			d := open(t, cpu.Options{Variant: variant, Workers: workers})
			got := everything(t, d)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			for r := range want {
				for i := range want[r] {
					if math.Float32bits(got[r][i]) != math.Float32bits(want[r][i]) {
						t.Fatalf("%s, %d workers: element %d of result %d is %g, with one worker it is %g", variant, workers, i, r, got[r][i], want[r][i])
					}
				}
			}
		}
	}
}

// TestPieces checks products so large that a factor is packed in pieces.
func TestPieces(t *testing.T) {
	if testing.Short() {
		t.Skip("large products take long, and -short asks for quick tests")
	}
	d := open(t, cpu.Options{})
	defer d.Close()
	for _, shape := range [][3]int{{12_000, 3, 420}, {3, 12_000, 420}, {37, 3, 310_000}, {3, 37, 310_000}} {
		m, n, k := shape[0], shape[1], shape[2]
		a, b, dst := matrix(t, d, m, k), matrix(t, d, n, k), matrix(t, d, m, n)
		if err := d.Gemm(dst, a, b, engine.Multiply(false, true)); err != nil {
			t.Fatal(err)
		}
		x, y, got := read(t, a), read(t, b), read(t, dst)
		for i := 0; i < m*n; i += 1 + m*n/50 {
			sum := 0.0
			for p := range k {
				sum += float64(x[i/n*k+p]) * float64(y[i%n*k+p])
			}
			// Roundings of a sum of k terms add up like a random walk.
			if e := math.Abs(float64(got[i]) - sum); e > 1e-6*float64(k) {
				t.Errorf("%dx%dx%d: element %d is %g, want %g", m, n, k, i, got[i], sum)
			}
		}
		for _, m := range []engine.Matrix{a, b, dst} {
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestNoAllocations checks that operations take no memory once they have been
// called.
func TestNoAllocations(t *testing.T) {
	for _, variant := range cpu.Variants() {
		d := open(t, cpu.Options{Variant: variant, Workers: 2})
		a, b, dst, column := matrix(t, d, 130, 200), matrix(t, d, 300, 200), matrix(t, d, 130, 300), matrix(t, d, 130, 1)
		squares := matrix(t, d, 130, 130)
		p := engine.Multiply(false, true)
		at := engine.Stream{Purpose: engine.PurposeHidden, Keys: make([]uint64, 130)}
		rows := make([]int, 130)
		for name, call := range map[string]func() error{
			"gemm":      func() error { return d.Gemm(dst, a, b, p) },
			"norms":     func() error { return d.Reduce(column, dst, engine.Total(engine.RowNorms)) },
			"bernoulli": func() error { return d.Bernoulli(dst, dst, at) },
			"gaussian":  func() error { return d.Gaussian(dst, dst, 1, at) },
			"corrupt":   func() error { return d.Corrupt(dst, dst, engine.Corruption{Level: 0.2}, at) },
			"axpby":     func() error { return d.Axpby(dst, 1, dst, 0.5) },
			"activate":  func() error { return d.Activate(dst, nil, dst, engine.Activation{Kind: engine.ELU, Alpha: 1}) },
			"times":     func() error { return d.Times(dst, dst) },
			"columns":   func() error { return d.CopyColumns(a, 3, squares, 0, 130) },
			"project":   func() error { return d.Project(dst, 1) },
			"gather":    func() error { return d.Gather(a, b, rows) },
			"gemm bernoulli": func() error {
				return d.Gemm(dst, a, b, engine.Product{TransB: true, Alpha: 1, Epilogue: engine.Epilogue{Kind: engine.EpilogueBernoulli, At: at}})
			},
		} {
			// Who takes which part is chance: a worker may come to its first
			// part, and to its scratch memory, late. So the best of some rounds counts.
			fewest := math.Inf(1)
			for round := 0; round < 20 && fewest > 0; round++ {
				fewest = min(fewest, testing.AllocsPerRun(5, func() {
					if err := call(); err != nil {
						t.Fatal(err)
					}
				}))
			}
			if fewest != 0 {
				t.Errorf("%s, %s: %g allocations a call", variant, name, fewest)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestShutdown checks that a closed device leaves no thread behind.
func TestShutdown(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		d := open(t, cpu.Options{Workers: 7})
		a, dst := matrix(t, d, 200, 200), matrix(t, d, 200, 200)
		if err := d.Gemm(dst, a, a, engine.Multiply(false, false)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A goroutine is counted for a moment after its last statement.
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before any device", runtime.NumGoroutine(), before)
}

func TestOptions(t *testing.T) {
	if _, err := cpu.Open(cpu.Options{Variant: "abacus"}); err == nil || !strings.Contains(err.Error(), "abacus") || !strings.Contains(err.Error(), "generic") {
		t.Errorf("variant abacus: %v", err)
	}
	if _, err := cpu.Open(cpu.Options{Workers: -1}); err == nil || !strings.Contains(err.Error(), "-1 workers") {
		t.Errorf("-1 workers: %v", err)
	}
	d := open(t, cpu.Options{Variant: "generic", Workers: 3})
	defer d.Close()
	info := d.Info()
	if d.Name() != "cpu" || info.Workers != 3 || fmt.Sprint(info.Features) != "[generic]" || info.Description == "" {
		t.Errorf("name %q, info %+v", d.Name(), info)
	}
	if info.Memory > 0 {
		if _, err := d.New(1<<20, int(info.Memory>>20)); !errors.Is(err, engine.ErrOutOfMemory) || !strings.Contains(err.Error(), "GiB are needed") {
			t.Errorf("four times the machine's memory: %v", err)
		}
	}
}

// TestVariable checks that UNITSCOPE_CPU chooses the variant, and that a name
// which the machine doesn't know makes the device unusable, in words that help.
func TestVariable(t *testing.T) {
	for _, variant := range cpu.Variants() {
		t.Setenv("UNITSCOPE_CPU", variant)
		d, err := engine.Open("cpu")
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Info().Features[0]; got != variant {
			t.Errorf("UNITSCOPE_CPU=%s opens %s", variant, got)
		}
		d.Close()
	}
	t.Setenv("UNITSCOPE_CPU", "abacus")
	_, errOpen := cpu.Open(cpu.Options{})
	_, errEngine := engine.Open("cpu")
	for _, err := range []error{errOpen, errEngine, engine.Devices()[0].Unusable} {
		if err == nil || !strings.Contains(err.Error(), "UNITSCOPE_CPU=abacus") || !strings.Contains(err.Error(), "generic") {
			t.Errorf("UNITSCOPE_CPU=abacus: %v", err)
		}
	}
}

// fused is the device's own version of a plan.
func fused[R engine.Runner](t testing.TB, d engine.Device, p engine.Plan) R {
	t.Helper()
	r, err := d.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return r.(R)
}
