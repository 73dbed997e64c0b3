package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

func TestNearest(t *testing.T) {
	known := []string{"demo", "train", "finetune", "visualize", "epochs", "lr", "layers"}
	for _, c := range []struct{ word, want string }{
		{"visualise", "visualize"}, {"epoch", "epochs"}, {"trian", "train"}, {"layer", "layers"},
		{"fine-tune", "finetune"}, {"rl", "lr"}, {"speed", ""}, {"", ""}, {"visualizevisualizevisualizevisualizevisualizevisualizevisualizevisualize", ""},
	} {
		if got := nearest(c.word, known); got != c.want {
			t.Errorf("nearest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}

func TestWhyDevice(t *testing.T) {
	skip := func(name, reason string) engine.Skipped {
		return engine.Skipped{Name: name, Reason: fmt.Errorf("open %s: %w", name, errors.New(reason))}
	}
	for _, c := range []struct {
		asked   string
		skipped []engine.Skipped
		want    string
	}{
		{"auto", nil, "the first that can be used"},
		{"cuda:1", nil, "asked for by --device"},
		{"auto", []engine.Skipped{skip("cuda:0", "this program was built without CUDA; for one with it do this")}, ""},
		{"auto", []engine.Skipped{skip("cuda:0", "no CUDA driver: libcuda.so.1: no such file")}, "no CUDA driver"},
		{"auto", []engine.Skipped{skip("cuda:0", "the CUDA driver is too old: it is for CUDA 11"), skip("cuda:1", "kernels: x; y")}, "cuda:0 can't be used: the CUDA driver is too old: it is for CUDA 11; cuda:1 can't be used: kernels: x"},
	} {
		if got := whyDevice(c.asked, c.skipped); got != c.want {
			t.Errorf("%s, %v: %q, want %q", c.asked, c.skipped, got, c.want)
		}
	}
}

func TestRateText(t *testing.T) {
	for _, c := range []struct {
		done    int64
		seconds float64
		want    string
	}{{0, 0, "0/s"}, {0, 3, "0/s"}, {10, 2, "5/s"}, {2, 2, "1/s"}, {3, 7.5, "2.5 s each"}} {
		if got := rateText(c.done, c.seconds); got != c.want {
			t.Errorf("%d in %g s: %q, want %q", c.done, c.seconds, got, c.want)
		}
	}
}

// stuck are devices that are there and can't be opened.
type stuck struct{}

func (stuck) Devices() []engine.Found { return nil }
func (stuck) Open(string) (engine.Device, error) {
	return nil, errors.New("its kernels don't load")
}

func init() { engine.Register("stuck", -10, stuck{}) }

// A device that fails is a failure; a name of none is a mistake in the command.
func TestDeviceExitCode(t *testing.T) {
	for device, want := range map[string]int{"stuck:0": exitFailure, "abacus": exitUsage, "cpu:7": exitUsage} {
		var messages bytes.Buffer
		call := []string{"unitscope", "train", "dbn", "--data", "digits:n=20", "--layers", "2", "--device", device, "--quiet", "--out", filepath.Join(t.TempDir(), "model")}
		if code := run(t.Context(), call, &messages, &messages); code != want || !strings.HasPrefix(messages.String(), "unitscope: --device: ") {
			t.Errorf("%s: exit code %d, want %d: %s", device, code, want, &messages)
		}
	}
}
