// Package pythontest runs Python from tests that compare with numpy and the
// reference implementation of safetensors.
package pythontest

import (
	"testing"

	"github.com/unitscope/unitscope/internal/pythontest"
)

// Run runs a script with arguments and returns what it prints. Where python3,
// numpy or safetensors is missing it skips the test, or fails it if
// UNITSCOPE_REQUIRE lists python.
func Run(t *testing.T, script string, arguments ...string) string {
	t.Helper()
	return pythontest.Run(t, "numpy, safetensors.numpy", script, arguments...)
}
