// Package standin builds drivers for tests of situations that are hard to come
// by: an old driver, one without cards, one whose compiler refuses everything,
// a card whose memory is full. They hold memory and answer questions, but launch
// nothing; package kernels has an emulated driver that does.
package standin

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed source/driver.c
var source []byte

// Build compiles a driver with a C compiler ($CC, or cc) and returns the path of
// its library. Settings are those at the top of source/driver.c, as "VERSION=11080".
// Without a compiler the test is skipped.
func Build(t *testing.T, settings ...string) string {
	t.Helper()
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "cc"
	}
	if _, err := exec.LookPath(compiler); err != nil {
		t.Skipf("no C compiler to build a driver with: %v", err)
	}
	folder := t.TempDir()
	file, library := filepath.Join(folder, "driver.c"), filepath.Join(folder, "libcuda_standin.so")
	if err := os.WriteFile(file, source, 0o666); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"-shared", "-fPIC", "-o", library, file}
	for _, s := range settings {
		arguments = append(arguments, "-D"+s)
	}
	if out, err := exec.Command(compiler, arguments...).CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("%s: %w\n%s", compiler, err, out))
	}
	return library
}
