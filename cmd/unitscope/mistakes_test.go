package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
)

// stuck are devices that are there and can't be opened.
type stuck struct{}

func (stuck) Devices() []engine.Found { return nil }
func (stuck) Open(string) (engine.Device, error) {
	return nil, errors.New("its kernels don't load")
}

func init() { engine.Register("stuck", -10, stuck{}) }

// A device that fails is a failure; a name of none is a mistake in the command.
func TestDeviceExitCode(t *testing.T) {
	for device, want := range map[string]int{"stuck:0": usage.ExitFailure, "abacus": usage.ExitUsage, "cpu:7": usage.ExitUsage} {
		var messages bytes.Buffer
		call := []string{"unitscope", "train", "dbn", "--data", "digits:n=20", "--layers", "2", "--device", device, "--quiet", "--out", filepath.Join(t.TempDir(), "model")}
		if code := run(t.Context(), call, &messages, &messages); code != want || !strings.HasPrefix(messages.String(), "unitscope: --device: ") {
			t.Errorf("%s: exit code %d, want %d: %s", device, code, want, &messages)
		}
	}
}
