package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console"
	"github.com/unitscope/unitscope/cmd/unitscope/internal/job"
	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/network"
)

// Ctrl-C while it is looked at what layers have learned ends the run, which --resume
// goes on with: it is no finding about the model.
func TestLearningInterrupted(t *testing.T) {
	out := filepath.Join(t.TempDir(), "model")
	var said bytes.Buffer
	if code := run(t.Context(), []string{"unitscope", "train", "dbn", "--data", "digits:n=60", "--layers", "4", "--epochs", "1", "--out", out}, &said, &said); code != 0 {
		t.Fatal(said.String())
	}
	n, err := network.Load(job.ModelFile(out))
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Open("digits:n=60", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	d, err := cpu.Open(cpu.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	said.Reset()
	c := &console.Console{Err: &said}
	if err := job.KeepLearning(ctx, c, d, nil, n, set, false); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if len(c.Warnings) > 0 || said.Len() > 0 {
		t.Errorf("it said %q", &said)
	}
}
