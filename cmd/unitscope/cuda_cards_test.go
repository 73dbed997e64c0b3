//go:build cuda

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
	"github.com/unitscope/unitscope/engine"
)

// emulatedCard skips a test where the card is none that the environment sets up.
func emulatedCard(t *testing.T) {
	t.Helper()
	if found := engine.Devices()[0]; found.Description != "Emulated GPU" || found.Unusable != nil {
		t.Skip("no emulated card; make test-emulated runs this on one")
	}
}

// TestCUDACards runs testdata/cards: several cards, and cards with little memory.
func TestCUDACards(t *testing.T) {
	emulatedCard(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/cards",
		Setup: func(e *testscript.Env) error {
			library := os.Getenv("UNITSCOPE_CUDA_DRIVER")
			e.Setenv("UNITSCOPE_CUDA_DRIVER", library)
			e.Setenv("DRIVER", library)
			return nil
		},
	})
}

// do runs a command and returns its exit code and what it said.
func do(ctx context.Context, words ...string) (code int, said string) {
	var out bytes.Buffer
	code = run(ctx, append([]string{"unitscope"}, words...), &out, &out)
	return code, out.String()
}

// TestCUDAMemory checks what happens where a card has less memory than it seemed.
// The card's memory is set when a process starts, so the test is one of its own.
func TestCUDAMemory(t *testing.T) {
	emulatedCard(t)
	const variable = "UNITSCOPE_TEST_LITTLE_MEMORY"
	if os.Getenv(variable) != "" {
		littleMemory(t)
		return
	}
	card, err := engine.Open("cuda")
	if err != nil {
		t.Fatal(err)
	}
	info := card.Info()
	if err := card.Close(); err != nil {
		t.Fatal(err)
	}
	const left = 2 << 20
	command := exec.Command(os.Args[0], "-test.run=^TestCUDAMemory$")
	command.Env = append(os.Environ(), variable+"=1", fmt.Sprintf("UNITSCOPE_EMULATED_MEMORY=%d", info.Memory-info.FreeMemory+left))
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// crowded is a card that says more of its memory is free than is, as if another
// program had taken the rest in between.
type crowded struct {
	engine.Device
	missed *int // how often something did not fit
}

func (c crowded) Info() engine.Info {
	info := c.Device.Info()
	info.FreeMemory *= 64
	return info
}

func (c crowded) New(rows, cols int) (engine.Matrix, error) {
	m, err := c.Device.New(rows, cols)
	c.count(err)
	return m, err
}

func (c crowded) Compile(p engine.Plan) (engine.Runner, error) {
	r, err := c.Device.Compile(p)
	if r, ok := r.(engine.GibbsRunner); ok {
		return crowdedGibbs{r, c}, err
	}
	return r, err
}

func (c crowded) Load(n engine.Net) (engine.Loaded, error) {
	l, err := c.Device.Load(n)
	if err != nil {
		return nil, err
	}
	return crowdedModel{l, c}, nil
}

func (c crowded) count(err error) {
	if errors.Is(err, engine.ErrOutOfMemory) {
		*c.missed++
	}
}

type crowdedModel struct {
	engine.Loaded
	device crowded
}

func (m crowdedModel) Gradient(dst, x engine.Matrix, aims engine.Aims, values []float32) error {
	err := m.Loaded.Gradient(dst, x, aims, values)
	m.device.count(err)
	return err
}

type crowdedGibbs struct {
	engine.GibbsRunner
	device crowded
}

func (r crowdedGibbs) Run(s *engine.GibbsState, sweeps int) (engine.GibbsProgress, error) {
	p, err := r.GibbsRunner.Run(s, sweeps)
	r.device.count(err)
	return p, err
}

// crowd is the driver of that card.
type crowd struct{ missed *int }

func (crowd) Devices() []engine.Found {
	return []engine.Found{{Info: engine.Info{Name: "crowded"}}}
}

func (c crowd) Open(string) (engine.Device, error) {
	d, err := engine.Open("cuda:0")
	return crowded{d, c.missed}, err
}

// littleMemory is TestCUDAMemory on a card with some megabytes.
func littleMemory(t *testing.T) {
	var missed int
	engine.Register("crowded", -1, crowd{&missed})
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	work := func(words ...string) {
		t.Helper()
		if code, said := do(t.Context(), words...); code != 0 {
			t.Fatalf("%q: exit code %d: %s", words, code, said)
		}
	}
	work("train", "dbn", "--data", "digits:n=100", "--layers", "40,12", "--epochs", "1", "--device", "cpu", "--out", at("small"))
	work("train", "dbn", "--data", "digits:n=100", "--layers", "900", "--epochs", "1", "--device", "cpu", "--out", at("large"))
	for _, c := range []struct {
		results string
		command []string
	}{
		{"ascent.npz", []string{"visualize", "ascent", "--model", at("small"), "--layer", "2", "--restarts", "25", "--steps", "2", "--lr", "0.25"}},
		{"samples.npz", []string{"visualize", "sample", "--model", at("small"), "--layer", "1", "--units", "0-9", "--samples", "40", "--chains", "40", "--burn-in", "1", "--every", "1"}},
	} {
		results := map[string][]byte{}
		for _, device := range []string{"cuda", "crowded"} {
			missed = 0
			out := at(device + c.results)
			work(append(c.command, "--device", device, "--out", out)...)
			var err error
			if results[device], err = os.ReadFile(filepath.Join(out, c.results)); err != nil {
				t.Fatal(err)
			}
		}
		if missed == 0 {
			t.Errorf("%q: everything did fit, so nothing to test with", c.command)
		}
		if !bytes.Equal(results["cuda"], results["crowded"]) {
			t.Errorf("%q: the results differ", c.command)
		}
	}
	for _, command := range [][]string{
		{"visualize", "ascent", "--restarts", "1", "--steps", "1"},
		{"visualize", "sample", "--samples", "1", "--chains", "1"},
	} {
		out := at("none")
		code, said := do(t.Context(), append(command, "--model", at("large"), "--layer", "1", "--units", "3", "--device", "cuda", "--out", out)...)
		if code != usage.ExitFailure {
			t.Errorf("%q: exit code %d", command, code)
		}
		for _, w := range []string{"cuda:0 has not enough memory for the layer", "MiB free", "the device cpu", "bytes are needed"} {
			if !strings.Contains(said, w) {
				t.Errorf("%q: %q lacks %q", command, said, w)
			}
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q: %s is left", command, out)
		}
	}
}

// TestCUDAInterrupt checks that an interrupt ends work on the card soon, that
// training loses nothing by it, and that other work leaves no folder.
func TestCUDAInterrupt(t *testing.T) {
	emulatedCard(t)
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	train := func(ctx context.Context, out string, more ...string) (int, string) {
		return do(ctx, append([]string{"train", "dbn", "--data", "digits:n=60", "--layers", "12,9", "--batch", "20", "--epochs", "6", "--lr", "0.1", "--device", "cuda", "--out", at(out)}, more...)...)
	}
	if code, said := train(t.Context(), "whole"); code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopWhen(cancel, at("cut/checkpoint.safetensors"))
	if code, said := train(ctx, "cut"); code != usage.ExitFailure || !strings.Contains(said, "--resume") {
		t.Fatalf("exit code %d: %s", code, said)
	}
	if code, said := train(t.Context(), "cut", "--resume"); code != 0 {
		t.Fatalf("exit code %d: %s", code, said)
	}
	var models [2][]byte
	for i, run := range []string{"whole", "cut"} {
		var err error
		if models[i], err = os.ReadFile(at(run + "/model.safetensors")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(models[0], models[1]) {
		t.Error("the resumed run wrote another model")
	}

	for _, command := range [][]string{
		{"visualize", "ascent", "--restarts", "3", "--steps", "1000000", "--tol", "0", "--patience", "1000000", "--lr", "0.1"},
		{"visualize", "sample", "--burn-in", "1000000", "--units", "0"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		stopWhen(cancel, at("stopped"))
		began := time.Now()
		code, said := do(ctx, append(command, "--model", at("whole"), "--layer", "2", "--device", "cuda", "--out", at("stopped"))...)
		if code != usage.ExitFailure || !strings.Contains(said, "interrupted") {
			t.Errorf("%q: exit code %d: %s", command, code, said)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("%q: it took %v", command, took)
		}
		if _, err := os.Stat(at("stopped")); err == nil {
			t.Errorf("%q: its folder is left", command)
		}
	}
}

// stopWhen cancels once there is a file, while the work goes on.
func stopWhen(cancel func(), path string) {
	go func() {
		for {
			if _, err := os.Stat(path); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		cancel()
	}()
}
