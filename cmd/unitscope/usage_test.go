package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console/consoletest"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
)

// A mistake in the command is exit code 2, wherever it is found; a failure is 1.
func TestExitCodes(t *testing.T) {
	folder := t.TempDir()
	out, table := filepath.Join(folder, "out"), filepath.Join(folder, "table.csv")
	if err := os.WriteFile(table, []byte("a,b\n1,x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	train := func(data string, more ...string) []string {
		return append([]string{"train", "dbn", "--data", data, "--layers", "4", "--epochs", "1", "--out", out}, more...)
	}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{usage.ExitUsage, "unknown kind of data", train("minst:d")},
		{usage.ExitUsage, "no path", train("mnist")},
		{usage.ExitUsage, "nothing follows the colon", train("digits:")},
		{usage.ExitUsage, "unknown option", train("digits:m=5")},
		{usage.ExitUsage, "n=0: want 1 to", train("digits:n=0")},
		{usage.ExitUsage, "want a whole number", train("digits:n=x")},
		{usage.ExitUsage, "split=half", train("mnist:" + folder + ",split=half")},
		{usage.ExitUsage, "size=1: want", train("leaves:size=1")},
		{usage.ExitUsage, "whiten=pca", train("images:" + folder + ",whiten=pca")},
		{usage.ExitUsage, "epsilon=0", train("images:" + folder + ",epsilon=0")},
		{usage.ExitUsage, "size=33", train("images:" + folder + ",size=33")},
		{usage.ExitUsage, "--limit", train("digits:n=10", "--limit", "-1")},
		{usage.ExitUsage, "n=0: want 1 to", []string{"bench", "--data", "digits:n=0"}},
		{usage.ExitUsage, "n=0: want 1 to", []string{"paper", "--digits", "digits:n=0", "--out", out}},
		{usage.ExitUsage, "label=z: it has no such column", train("csv:" + table + ",label=z")},
		{usage.ExitUsage, `did you mean "csv:` + table, train(table)},
		{usage.ExitFailure, "add label=b", train("csv:" + table)},
		{usage.ExitFailure, "holds none of", train("mnist:" + folder)},
		{usage.ExitFailure, "none.npy", train("npy:" + filepath.Join(folder, "none.npy"))},
		{usage.ExitFailure, "holds no pictures", train("images:" + folder)},
	} {
		var messages bytes.Buffer
		if code := run(t.Context(), append([]string{"unitscope"}, c.args...), &messages, &messages); code != c.code || !strings.Contains(messages.String(), c.says) {
			t.Errorf("%v: exit code %d, want %d with %q: %s", c.args, code, c.code, c.says, &messages)
		}
	}
}

// A limit that leaves nothing out is said.
func TestLimitBeyondData(t *testing.T) {
	for _, c := range []struct {
		limit string
		says  bool
	}{{"10", false}, {"20", false}, {"21", true}, {"0", false}} {
		var messages bytes.Buffer
		call := []string{"unitscope", "train", "dbn", "--data", "digits:n=20", "--limit", c.limit, "--validation", "5", "--layers", "4", "--epochs", "1", "--out", filepath.Join(t.TempDir(), "out")}
		if code := run(t.Context(), call, &messages, &messages); code != 0 {
			t.Fatalf("exit code %d: %s", code, &messages)
		}
		if said := strings.Contains(messages.String(), "--limit "+c.limit+": digits:n=20 has only 20 examples; all are used"); said != c.says {
			t.Errorf("--limit %s: said %v: %s", c.limit, said, &messages)
		}
	}
}

// An interrupt of a paper says how to go on with the paper, once, in whatever stage
// it comes.
func TestInterruptedPaper(t *testing.T) {
	// Built-in pictures take a second to draw.
	photos := t.TempDir()
	var photo bytes.Buffer
	if err := errors.Join(png.Encode(&photo, consoletest.Picture(48, 48)), os.WriteFile(filepath.Join(photos, "photo.png"), photo.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, during := range []string{"dbn", "figure1"} {
		out := filepath.Join(t.TempDir(), "paper")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			for ctx.Err() == nil {
				if _, err := os.Stat(filepath.Join(out, "digits", during, "run.json")); err == nil {
					cancel()
				}
				time.Sleep(time.Millisecond)
			}
		}()
		var messages bytes.Buffer
		call := []string{"unitscope", "paper", "--quick", "--digits", "digits:n=200", "--digit-layers", "12,12,12", "--digit-epochs", "2", "--patches", "images:" + photos + ",whiten=standard", "--patch-count", "100", "--quiet", "--out", out}
		code := run(ctx, call, &messages, &messages)
		if hint := "go on with the same command and --resume"; code != usage.ExitFailure || strings.Count(messages.String(), hint) != 1 || strings.Contains(messages.String(), "next:") {
			t.Errorf("during %s: exit code %d: %s", during, code, &messages)
		}
	}
}

// An interrupt of a demo says how to go on, and leaves no folder locked.
func TestInterruptedDemo(t *testing.T) {
	out := filepath.Join(t.TempDir(), "demo")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(out, "dbn", "checkpoint.safetensors")); err == nil {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var stderr bytes.Buffer
	if code := run(ctx, []string{"unitscope", "demo", "--quick", "--out", out, "--device", "cpu"}, &stderr, &stderr); code != usage.ExitFailure {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	if said := stderr.String(); !strings.Contains(said, "interrupted; start it anew with --force") || strings.Contains(said, "context canceled") {
		t.Errorf("the demo said: %s", said)
	}
	locks, err := filepath.Glob(filepath.Join(out, "*", ".lock"))
	if _, top := os.Stat(filepath.Join(out, ".lock")); err != nil || len(locks) > 0 || top == nil {
		t.Errorf("locks are left: %v, %v, and the demo's own: %v", locks, err, top == nil)
	}
}

// Bytes of pictures are no data for Gaussian inputs of unit variance.
func TestWildData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bytes.npy")
	header := "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 3), }\n"
	file := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
	file = append(file, header...)
	for i := range 120 {
		file = binary.LittleEndian.AppendUint32(file, math.Float32bits(float32(i*2)))
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "model")
	var messages bytes.Buffer
	code := run(t.Context(), []string{"unitscope", "train", "dbn", "--data", "npy:" + path, "--visible", "gaussian", "--layers", "4", "--out", out}, &messages, &messages)
	if code != usage.ExitUsage || !strings.Contains(messages.String(), "have mean 119 and variance 4.8e+03, and are taken to have 0 and 1; divide them by") {
		t.Errorf("exit code %d: %s", code, &messages)
	}
	if _, err := os.Stat(out); err == nil {
		t.Errorf("%s was made", out)
	}
}
