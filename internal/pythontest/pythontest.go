// Package pythontest runs Python from tests that compare with what Python's own
// readers and writers make of a file.
package pythontest

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Run runs a script with arguments and returns what it prints. modules are those
// that the script imports, "numpy, scipy.io". Where python3 or one of them is
// missing it skips the test, or fails it if UNITSCOPE_REQUIRE lists python, and for
// scripts that import torch, pytorch.
func Run(t testing.TB, modules, script string, arguments ...string) string {
	t.Helper()
	look := exec.Command("python3", "-c", "import "+modules)
	// Python takes a folder called numpy where it is called for a module without
	// anything in it.
	look.Dir = t.TempDir()
	if out, err := look.CombinedOutput(); err != nil {
		missing := "python3 with " + modules + " is not here: " + err.Error() + " " + lastLine(string(out))
		require := "python"
		if strings.Contains(modules, "torch") {
			require = "pytorch"
		}
		if slices.Contains(strings.Split(os.Getenv("UNITSCOPE_REQUIRE"), ","), require) {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	command := exec.Command("python3", append([]string{"-c", script}, arguments...)...)
	var errors strings.Builder
	command.Stderr = &errors
	out, err := command.Output()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, errors.String())
	}
	return string(out)
}

// Files runs the script at a path, which writes files to the folder that is its argument,
// and returns that. Scripts that bring a framework along take seconds to start: tests
// that are to be short skip it.
func Files(t testing.TB, modules, path string) (folder string) {
	t.Helper()
	if testing.Short() {
		t.Skip("Python takes seconds to start")
	}
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	Run(t, modules, string(script), folder)
	return folder
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
