//go:build cuda

package driver_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/gpu/internal/driver"
	"github.com/unitscope/unitscope/gpu/internal/standin"
)

// TestSymbols checks that the list holds what cu and this package need. Where it
// lacks something the program does not even link, but says so less clearly.
func TestSymbols(t *testing.T) { checkSymbols(t) }

// TestHeader13 checks that with the header of CUDA 13 the need is the same. The
// header is made from that of CUDA 12.
func TestHeader13(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles gorgonia.org/cu anew")
	}
	folder := func(path string) string {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		return "-I" + path + " "
	}
	checkSymbols(t, "CGO_CFLAGS="+folder("../../include")+folder("testdata/cuda13")+os.Getenv("CGO_CFLAGS"))
}

func checkSymbols(t *testing.T, environment ...string) {
	t.Helper()
	made := filepath.Join(t.TempDir(), "symbols.h")
	command := exec.Command("go", "run", "generate.go", made)
	command.Env = append(os.Environ(), environment...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go run generate.go: %v\n%s", err, out)
	}
	want, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("symbols.h")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(want, have) {
		return
	}
	for line := range strings.Lines(string(want)) {
		if !bytes.Contains(have, []byte(line)) {
			t.Errorf("symbols.h lacks %s", line)
		}
	}
	t.Error("symbols.h is not current: run go generate -tags cuda ./gpu/internal/driver")
}

// TestNoLibrary checks that this very program does not depend on a driver.
func TestNoLibrary(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ldd, err := exec.LookPath("ldd")
	if err != nil {
		t.Skip("no ldd here")
	}
	out, err := exec.Command(ldd, self).CombinedOutput()
	if err != nil {
		t.Fatalf("ldd: %v\n%s", err, out)
	}
	if bytes.Contains(out, []byte("libcuda")) {
		t.Errorf("the program needs libcuda:\n%s", out)
	}
}

// TestWithoutDriver checks what cu hears before a driver is loaded.
func TestWithoutDriver(t *testing.T) {
	if n, err := cu.NumDevices(); n != 0 || err != nil {
		t.Errorf("%d devices, %v; want 0 and no error", n, err)
	}
	if _, err := cu.MemAlloc(16); err != cu.NoDevice {
		t.Errorf("memory: %v, want %v", err, cu.NoDevice)
	}
}

func TestLoad(t *testing.T) {
	notCUDA := "libc.so.6"
	for _, c := range []struct {
		name    string
		library string
		err     error
		words   string
	}{
		{"missing", filepath.Join(t.TempDir(), "libcuda.so.1"), driver.ErrNotFound, "No such file"},
		{"another library", notCUDA, driver.ErrNotFound, "libc.so.6 is no CUDA driver: it has no function cuInit"},
		{"too old", standin.Build(t, "VERSION=12020"), driver.ErrTooOld, "it is for CUDA 12.2; needed is 12.4, which comes with driver 550"},
		{"does not start", standin.Build(t, "INIT=100"), driver.ErrNoDevice, "cuInit: no CUDA-capable device is detected (CUDA_ERROR_NO_DEVICE)"},
		{"unknown error", standin.Build(t, "INIT=4711"), driver.ErrNoDevice, "cuInit: CUDA error 4711"},
		{"no cards", standin.Build(t, "DEVICES=0"), driver.ErrNoDevice, "knows of no card"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := driver.Load(c.library)
			if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("error %v, want %q and %q", err, c.err, c.words)
			}
			if n, err := cu.NumDevices(); n != 0 || err != nil {
				t.Errorf("afterwards %d devices, %v; want 0 and no error", n, err)
			}
		})
	}
}

// TestLoadTwice checks that another driver takes the first one's place, and that
// a function it lacks is an error.
func TestLoadTwice(t *testing.T) {
	for _, devices := range []string{"2", "3"} {
		version, err := driver.Load(standin.Build(t, "DEVICES="+devices, "VERSION=12060"))
		if err != nil || version != 12060 {
			t.Fatalf("version %d, %v", version, err)
		}
		if n, err := cu.NumDevices(); string(rune('0'+n)) != devices || err != nil {
			t.Errorf("%d devices, %v; want %s", n, err, devices)
		}
	}
	if _, err := cu.CurrentFlags(); err != cu.NotSupported {
		t.Errorf("a function that the driver lacks: %v, want %v", err, cu.NotSupported)
	}
}

func TestModuleLog(t *testing.T) {
	if _, err := driver.Load(standin.Build(t, "COMPILER=218", `COMPILER_SAYS="line 3;\n  syntax error"`)); err != nil {
		t.Fatal(err)
	}
	_, err := driver.LoadModule(".version 8.4")
	const want = "cuModuleLoadDataEx: a PTX JIT compilation failed (CUDA_ERROR_INVALID_PTX): line 3; syntax error"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestHostMemory(t *testing.T) {
	if _, err := driver.Load(standin.Build(t)); err != nil {
		t.Fatal(err)
	}
	memory, err := driver.AllocHost(1000)
	if err != nil || len(memory) != 1000 {
		t.Fatalf("%d bytes, %v", len(memory), err)
	}
	memory[999] = 1
	if err := driver.FreeHost(memory); err != nil {
		t.Error(err)
	}
}

func TestSharedMemory(t *testing.T) {
	if _, err := driver.Load(standin.Build(t)); err != nil {
		t.Fatal(err)
	}
	if err := driver.AllowSharedMemory(cu.Function{}, 96<<10); err != nil {
		t.Error(err)
	}
	if err := driver.AllowSharedMemory(cu.Function{}, 1<<20); err == nil || !strings.HasPrefix(err.Error(), "cuFuncSetAttribute: ") {
		t.Errorf("1 MiB: error %v", err)
	}
}

func TestFailed(t *testing.T) {
	if _, err := driver.Load(standin.Build(t)); err != nil {
		t.Fatal(err)
	}
	if err := driver.Failed("cuMemAlloc", nil); err != nil {
		t.Errorf("no error became %v", err)
	}
	err := driver.Failed("cuMemAlloc", cu.OutOfMemory)
	var e *driver.Error
	if !errors.As(err, &e) || !errors.Is(err, engine.ErrOutOfMemory) || err.Error() != "cuMemAlloc: out of memory (CUDA_ERROR_OUT_OF_MEMORY)" {
		t.Errorf("%v", err)
	}
}
