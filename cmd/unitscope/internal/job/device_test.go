package job

import (
	"errors"
	"fmt"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

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
