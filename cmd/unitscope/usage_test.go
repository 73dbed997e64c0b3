package main

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A mistake in the command is exit code 2, wherever it is found; a failure is 1.
func TestExitCodes(t *testing.T) {
	folder := t.TempDir()
	out := filepath.Join(folder, "out")
	train := func(data string, more ...string) []string {
		return append([]string{"train", "dbn", "--data", data, "--layers", "4", "--epochs", "1", "--out", out}, more...)
	}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitUsage, "unknown kind of data", train("minst:d")},
		{exitUsage, "no path", train("mnist")},
		{exitUsage, "nothing follows the colon", train("digits:")},
		{exitUsage, "unknown option", train("digits:m=5")},
		{exitUsage, "n=0: want 1 to", train("digits:n=0")},
		{exitUsage, "want a whole number", train("digits:n=x")},
		{exitUsage, "split=half", train("mnist:" + folder + ",split=half")},
		{exitUsage, "size=1: want", train("leaves:size=1")},
		{exitUsage, "whiten=pca", train("images:" + folder + ",whiten=pca")},
		{exitUsage, "epsilon=0", train("images:" + folder + ",epsilon=0")},
		{exitUsage, "size=33", train("images:" + folder + ",size=33")},
		{exitUsage, "--limit", train("digits:n=10", "--limit", "-1")},
		{exitUsage, "n=0: want 1 to", []string{"bench", "--data", "digits:n=0"}},
		{exitUsage, "n=0: want 1 to", []string{"paper", "--digits", "digits:n=0", "--out", out}},
		{exitFailure, "holds neither", train("mnist:" + folder)},
		{exitFailure, "none.npy", train("npy:" + filepath.Join(folder, "none.npy"))},
		{exitFailure, "holds no pictures", train("images:" + folder)},
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
	if err := errors.Join(png.Encode(&photo, testPicture(48, 48)), os.WriteFile(filepath.Join(photos, "photo.png"), photo.Bytes(), 0o600)); err != nil {
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
		call := []string{"unitscope", "paper", "--quick", "--digits", "digits:n=200", "--digit-layers", "12,12,12", "--digit-epochs", "2", "--patches", "images:" + photos + ",whiten=none", "--patch-count", "100", "--quiet", "--out", out}
		code := run(ctx, call, &messages, &messages)
		if hint := "go on with the same command and --resume"; code != exitFailure || strings.Count(messages.String(), hint) != 1 || strings.Contains(messages.String(), "next:") {
			t.Errorf("during %s: exit code %d: %s", during, code, &messages)
		}
	}
}
