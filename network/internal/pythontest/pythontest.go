// Package pythontest runs Python from tests that compare with numpy and the
// reference implementation of safetensors.
package pythontest

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Run runs a script with arguments and returns what it prints. Where python3,
// numpy or safetensors is missing it skips the test, or fails it if
// UNITSCOPE_REQUIRE lists python.
func Run(t *testing.T, script string, arguments ...string) string {
	t.Helper()
	if out, err := exec.Command("python3", "-c", "import numpy, safetensors.numpy").CombinedOutput(); err != nil {
		missing := "python3 with numpy and safetensors is not here: " + err.Error() + " " + lastLine(string(out))
		if slices.Contains(strings.Split(os.Getenv("UNITSCOPE_REQUIRE"), ","), "python") {
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

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
