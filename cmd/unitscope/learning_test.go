package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/visualize"
)

// Ctrl-C while it is looked at what layers have learned ends the run, which --resume
// goes on with: it is no finding about the model.
func TestLearningInterrupted(t *testing.T) {
	out := filepath.Join(t.TempDir(), "model")
	var said bytes.Buffer
	if code := run(t.Context(), []string{"unitscope", "train", "dbn", "--data", "digits:n=60", "--layers", "4", "--epochs", "1", "--out", out}, &said, &said); code != 0 {
		t.Fatal(said.String())
	}
	n, err := network.Load(modelFile(out))
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
	c := &console{err: &said}
	if err := c.keepLearning(ctx, d, nil, n, set, false); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if len(c.warnings) > 0 || said.Len() > 0 {
		t.Errorf("it said %q", &said)
	}
}

// What is said to help depends on what is wrong, and on what was asked for.
func TestRemedies(t *testing.T) {
	good := visualize.Learning{Units: 8, Kinds: 8, Examples: 9, Deviation: 1}
	nothing, saturated, duplicates := good, good, good
	nothing.Still, saturated.Stuck, duplicates.Kinds = 8, 8, 1
	const longer, less, above = "more --epochs or a larger --lr may help", "a smaller --lr may help a layer that is saturated", "a layer on top of one that has learned nothing can't learn either"
	for name, c := range map[string]struct {
		layers     []visualize.Learning
		persistent bool
		want       []string
	}{
		"well":                  {[]visualize.Learning{good, good}, true, nil},
		"nothing":               {[]visualize.Learning{good, nothing}, false, []string{longer}},
		"nothing, persistently": {[]visualize.Learning{good, nothing}, true, []string{"training without --persistent may help, or more --epochs or a larger --lr"}},
		"nothing below":         {[]visualize.Learning{nothing, nothing, nothing}, false, []string{longer, above}},
		"nothing below good":    {[]visualize.Learning{nothing, good}, false, []string{longer}},
		"saturated":             {[]visualize.Learning{saturated}, false, []string{less}},
		"saturated twice":       {[]visualize.Learning{saturated, saturated}, true, []string{less}},
		"saturated below":       {[]visualize.Learning{saturated, nothing}, false, []string{less, longer}},
		"duplicates":            {[]visualize.Learning{duplicates}, false, []string{"another --lr may help a layer of duplicates"}},
	} {
		if got := remedies(c.layers, c.persistent); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What to look at next is the highest layer that has learned, if one has.
func TestClimbTop(t *testing.T) {
	n := &network.Network{InputShape: []int{4}, Layers: make([]network.Layer, 3)}
	for i := range n.Layers {
		n.Layers[i].Weight = tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(5, 4))
	}
	c := &console{}
	for _, want := range []string{"--layer 3", "--layer 2", "--layer 2", ""} {
		got := strings.Join(c.climbTop(n, "out"), " ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q", c.warnings, got, want)
		}
		at := []int{3, 1, 2}[min(len(c.warnings), 2)]
		c.warnings = append(c.warnings, runfolder.Warning{About: aboutLayer("", at)})
	}
}
