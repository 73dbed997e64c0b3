//go:build cuda

package gpu

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
	"github.com/unitscope/unitscope/gpu/internal/standin"
)

// with returns the cards of a driver that is built for the test, and puts the
// machine's own back at the end.
func with(t *testing.T, settings ...string) *cards {
	t.Helper()
	library := standin.Build(t, settings...)
	t.Cleanup(func() { driver.Load(os.Getenv(driverVariable)) })
	return &cards{load: func() (int, error) { return driver.Load(library) }}
}

// openWith opens the first card of a driver that is built for the test.
func openWith(t *testing.T, o options, settings ...string) *device {
	t.Helper()
	c := with(t, settings...)
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	k, err := c.look(0)
	if err != nil {
		t.Fatal(err)
	}
	d, err := open(k, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// says checks an error's words, and that it is one line.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q lacks %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q is longer than a line", err)
	}
}

// TestUnusable checks that where no card can be used there is still a device
// that says why, in the list and when it is opened.
func TestUnusable(t *testing.T) {
	for _, c := range []struct {
		name  string
		cards *cards
		words []string
	}{
		{"no driver", &cards{load: func() (int, error) { return driver.Load(filepath.Join(t.TempDir(), "none.so")) }}, []string{"no CUDA driver", "none.so"}},
		{"old driver", with(t, "VERSION=11080"), []string{"too old", "11.8", "12.4", "550"}},
		{"driver without a card", with(t, "INIT=100"), []string{"no CUDA device", "cuInit", "CUDA_ERROR_NO_DEVICE"}},
		{"no cards", with(t, "DEVICES=0"), []string{"no CUDA device"}},
		{"old card", with(t, "CAPABILITY=61"), []string{"compute capability 6.1", "7.0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := c.cards.Devices()
			if len(found) != 1 || found[0].Name != "cuda:0" {
				t.Fatalf("devices: %v, want cuda:0", found)
			}
			says(t, found[0].Unusable, c.words...)
			_, err := c.cards.Open("cuda:0")
			says(t, err, append(c.words, "open cuda:0")...)
		})
	}
}

func TestCards(t *testing.T) {
	c := with(t, "DEVICES=2", "CAPABILITY=90")
	found := c.Devices()
	if len(found) != 3 {
		t.Fatalf("%d devices, want 2 and all of them", len(found))
	}
	for i, f := range found[:2] {
		if f.Unusable != nil || f.Name != []string{"cuda:0", "cuda:1"}[i] || f.Description != "Stand-in" || f.Workers != 4 || f.Memory != 1<<28 {
			t.Errorf("device %d: %+v", i, f)
		}
	}
	for _, name := range []string{"cuda:2", "cuda:7", "cuda:-1", "cuda:", "cuda:x", "cuda:00", "cuda:+0"} {
		if _, err := c.Open(name); !errors.Is(err, engine.ErrUnknownDevice) {
			t.Errorf("open %s: %v, want %v", name, err, engine.ErrUnknownDevice)
		}
	}
	d, err := c.Open("cuda:1")
	if err != nil {
		t.Fatal(err)
	}
	info := d.Info()
	if d.Name() != "cuda:1" || info.FreeMemory <= 0 || info.FreeMemory >= 1<<28 || strings.Join(info.Features, " ") != "compute-9.0 driver-12.4 compute_90a" {
		t.Errorf("%+v", info)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// TestCompilerFails checks that the driver's compiler has the last word.
func TestCompilerFails(t *testing.T) {
	c := with(t, "COMPILER=218", `COMPILER_SAYS="ptxas application ptx input, line 7; error"`)
	_, err := c.Open("cuda:0")
	says(t, err, "open cuda:0", "kernels compute_80", "cuModuleLoadDataEx", "CUDA_ERROR_INVALID_PTX", "line 7; error")
}

func TestOutOfMemory(t *testing.T) {
	d := openWith(t, options{}, "MEMORY=(64<<20)")
	const row = 1 << 18 // numbers; 1 MiB
	m, err := d.New(40, row)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.New(40, row)
	says(t, err, "new matrix: 40x262144", "41943040 bytes are needed", "cuda:0 has", "of 67108864", "out of memory")
	if !errors.Is(err, engine.ErrOutOfMemory) {
		t.Errorf("%v is not %v", err, engine.ErrOutOfMemory)
	}
	// The memory of a matrix that is closed serves one of another size.
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.New(48, row); err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// TestLittleMemory checks that a plan which meets a full card in the middle says
// so, that the device goes on when there is memory again, and that the plan then
// gives what it would have given.
func TestLittleMemory(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	if d.Info().Memory > little {
		t.Skip("there is too much memory to use it up; TestEmulated runs this with little")
	}
	const inputs, units, rows = 4000, 30, 50
	ascent := climb{
		[]engine.Layer{testLayer(units, inputs, 1), testLayer(3, units, 1)}, 1,
		engine.Rule{Rate: 0.5, Radius: 1, Patience: 1, MaxSteps: 3},
	}
	gibbs := engine.Gibbs{Layer: testLayer(units, inputs, 0.1), VisibleBias: make([]float32, inputs), Seed: 1}
	for _, c := range []struct {
		name string
		plan any
		// begin makes a state, and returns how to run it and what it then shows.
		begin func(r engine.Runner) (run func() error, shows engine.Matrix)
	}{
		{"ascent", ascent, func(r engine.Runner) (func() error, engine.Matrix) {
			x := fill(t, d, rows, inputs)
			if err := d.Project(x, 1); err != nil {
				t.Fatal(err)
			}
			s := ascent.state(make([]int, rows), x)
			return func() error { _, err := r.(climber).run(s, 9); return err }, x
		}},
		{"gibbs", gibbs, func(r engine.Runner) (func() error, engine.Matrix) {
			s, err := engine.NewGibbsState(d, gibbs, make([]int, rows), make([]uint64, rows))
			if err != nil {
				t.Fatal(err)
			}
			return func() error { _, err := r.(engine.GibbsRunner).Run(s, 3); return err }, s.Visible
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			runner := func() engine.Runner {
				r, err := own(d, c.plan)
				if errors.Is(err, engine.ErrNotFused) {
					r, err = definition(d, c.plan)
				}
				if err != nil {
					t.Fatal(err)
				}
				return r
			}
			r := runner()
			run, _ := c.begin(r)
			others := fillUp(t, d)
			err := run()
			says(t, err, "bytes are needed, cuda:0 has", "are in use here", "out of memory")
			if !errors.Is(err, engine.ErrOutOfMemory) {
				t.Errorf("%v is not %v", err, engine.ErrOutOfMemory)
			}
			for _, m := range others {
				if err := m.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Sync(); err != nil {
				t.Fatal(err)
			}
			var results [2][]float32
			for i, r := range []engine.Runner{r, runner()} {
				run, shows := c.begin(r)
				results[i] = make([]float32, rows*inputs)
				if err := errors.Join(run(), shows.Read(results[i]), r.Close()); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(results[0], results[1]) {
				t.Error("after an error the plan gives something else")
			}
		})
	}
}

// TestMemoryServesAgain checks that the memory of a closed matrix is used for
// the next of about its size, and counted as free until then.
func TestMemoryServesAgain(t *testing.T) {
	d := openWith(t, options{})
	defer d.Close()
	before := d.Info().FreeMemory
	var at []uintptr
	for _, cols := range []int{1000, 990} {
		m, err := d.New(100, cols)
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, uintptr(m.(*matrix).at()))
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if at[0] != at[1] {
		t.Errorf("the second matrix is at %x, the first was at %x", at[1], at[0])
	}
	if after := d.Info().FreeMemory; after != before {
		t.Errorf("%d bytes free, were %d", after, before)
	}
}

// TestLaunchFails checks that an error that comes up after an operation has
// returned is told by what waits, with the operation, its shapes and the kernel,
// and that the device goes on after Sync.
func TestLaunchFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		options options
		setting string
		words   []string
	}{
		{"at once", options{}, "LAUNCH=700", []string{"sigmoid: dst 3x5, x 3x5: sigmoid, grid 1", "cuLaunchKernel", "CUDA_ERROR_ILLEGAL_ADDRESS"}},
		{"later", options{}, "LATER=700", []string{"gather: dst 3x5, src 3x5: gather, grid 1, or one of 1 launches before it (UNITSCOPE_CUDA_SYNC=1 tells which)", "CUDA_ERROR_ILLEGAL_ADDRESS"}},
		{"later, one by one", options{oneByOne: true, trace: &bytes.Buffer{}}, "LATER=700", []string{"sigmoid: dst 3x5, x 3x5: sigmoid, grid 1", "cuEventSynchronize", "CUDA_ERROR_ILLEGAL_ADDRESS"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openWith(t, c.options, c.setting)
			x, errX := d.New(3, 5)
			y, errY := d.New(3, 5)
			if err := errors.Join(errX, errY, d.Sync()); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(d.Sigmoid(x, x), d.Gather(y, x, []int{0, 1, 2})); err != nil {
				t.Fatal(err)
			}
			says(t, x.Read(make([]float32, 15)), append(c.words, "read: matrix is 3x5")...)
			says(t, d.Sync(), append(c.words, "sync")...)
			if err := d.Sigmoid(x, x); err != nil {
				t.Error(err)
			}
			says(t, d.Close(), "close cuda:0", "sigmoid", "CUDA_ERROR_ILLEGAL_ADDRESS")
		})
	}
}

// TestTrace checks what one launch at a time writes at the end.
func TestTrace(t *testing.T) {
	var trace bytes.Buffer
	d := openWith(t, options{oneByOne: true, trace: &trace})
	x, err := d.New(3, 5)
	if err := errors.Join(err, d.Sigmoid(x, x), d.Sigmoid(x, x), d.Project(x, 1), d.Close()); err != nil {
		t.Fatal(err)
	}
	const want = "" +
		"   cuda:0  launches     ms  us each\n" +
		"  sigmoid         2  2.000   1000.0\n" +
		"  project         1  1.000   1000.0\n"
	if trace.String() != want {
		t.Errorf("written:\n%s\nwant:\n%s", &trace, want)
	}
}

// TestTransfers checks numbers that go to the card and back through the ring, in
// pieces that end within, at and after the end of its segments.
func TestTransfers(t *testing.T) {
	d := openWith(t, options{})
	defer d.Close()
	const segment = segmentBytes / 4 // numbers
	for i, n := range []int{1, 63, segment - 1, segment, segment + 1, 5*segment + 3, 2, 9 * segment} {
		m, err := d.New(1, n)
		if err != nil {
			t.Fatal(err)
		}
		sent, back := make([]float32, n), make([]float32, n)
		for j := range sent {
			sent[j] = float32(i*1000 + j%977)
		}
		if err := m.Write(sent); err != nil {
			t.Fatal(err)
		}
		if err := m.Read(back); err != nil {
			t.Fatal(err)
		}
		for j := range sent {
			if back[j] != sent[j] {
				t.Fatalf("%d numbers: number %d is %g, was %g", n, j, back[j], sent[j])
			}
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	d := openWith(t, options{})
	defer d.Close()
	_, err := d.New(1<<31, 0)
	says(t, err, "new matrix", "2147483648x0", "at most 2147483647")
}
