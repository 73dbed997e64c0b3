package train

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
)

// variants are the kinds of training; each must give the same bits however it
// is cut up.
func variants() map[string]struct {
	set dataset.Set
	o   Options
} {
	type variant = struct {
		set dataset.Set
		o   Options
	}
	set := greys(45, 12, 5)
	real := normals(45, 12, func(j int) float64 { return float64(j) / 4 })
	change := func(o Options, f func(*Options)) Options { f(&o); return o }
	return map[string]variant{
		"cd1":           {set, dbn(9, 6)},
		"cd3 decay":     {set, change(dbn(9, 6), func(o *Options) { o.GibbsSteps, o.Decay, o.Epochs = 3, 0.01, []int{2, 3} })},
		"persistent":    {set, change(dbn(9, 6), func(o *Options) { o.Persistent, o.Chains, o.GibbsSteps = true, 5, 2 })},
		"gaussian cd":   {real, change(dbn(9, 6), func(o *Options) { o.Visible = engine.Gaussian })},
		"gaussian pcd":  {real, change(dbn(9, 6), func(o *Options) { o.Visible, o.Persistent = engine.Gaussian, true })},
		"mask":          {set, sdae(9, 6)},
		"salt pepper":   {set, change(sdae(9, 6), func(o *Options) { o.Corruption, o.Noise = engine.CorruptionSaltPepper, []float64{0.1, 0.3} })},
		"gauss":         {set, change(sdae(9, 6), func(o *Options) { o.Corruption = engine.CorruptionGaussian })},
		"gaussian sdae": {real, change(sdae(9, 6), func(o *Options) { o.Visible, o.Corruption = engine.Gaussian, engine.CorruptionSaltPepper })},
		"sparse":        {set, change(dbn(9, 6), func(o *Options) { o.Sparsity, o.SparsityCost = []float64{0, 0.1}, 0.5 })},
		"centered":      {set, change(dbn(9, 6), func(o *Options) { o.Centered, o.Decay = true, 0.01 })},
		"limited":       {set, change(dbn(9, 6), func(o *Options) { o.GradientLimit = 0.01 })},
		"upper samples": {set, change(dbn(9, 6, 4), func(o *Options) { o.UpperSamples, o.Epochs = true, []int{2} })},
		"everything": {real, change(dbn(9, 6), func(o *Options) {
			o.Visible, o.Persistent, o.Centered, o.UpperSamples = engine.Gaussian, true, true, true
		})},
		"one batch": {set, change(dbn(9, 6), func(o *Options) { o.Batch = 1000 })},
	}
}

// TestResume kills training at every checkpoint, in the middle of epochs too,
// and goes on from its file: model and measurements must be those of one run.
func TestResume(t *testing.T) {
	held := greys(20, 12, 6)
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			d := device(t)
			o := v.o
			o.CheckpointEvery, o.MeasureEvery = 2, 3
			var all keep
			var measured []Measurement
			h := Hooks{Checkpoint: all.checkpoint, Measured: func(r Measurement) { measured = append(measured, r) }}
			whole := modelBytes(t, mustTrain(t, d, v.set, held, o, h, 21))
			if len(all.files) < 4 {
				t.Fatalf("only %d checkpoints", len(all.files))
			}
			for i, file := range all.files {
				c := readBack(t, file)
				var tail []Measurement
				n, err := Train(context.Background(), d, v.set, held, o, Hooks{Measured: func(r Measurement) { tail = append(tail, r) }}, c)
				if err != nil {
					t.Fatalf("checkpoint %d: %v", i, err)
				}
				if !bytes.Equal(modelBytes(t, n), whole) {
					t.Errorf("resumed from checkpoint %d (layer %d, %d updates): another model", i, c.Layer, c.Updates)
				}
				if want := measured[len(measured)-len(tail):]; !slices.EqualFunc(tail, want, nearlySame) {
					t.Errorf("resumed from checkpoint %d: measurements\n%+v\nwant\n%+v", i, tail, want)
				}
			}
		})
	}
}

// nearlySame compares measurements; their sums may be cut at other chunks.
func nearlySame(a, b Measurement) bool {
	near := func(x, y float64) bool { return x != x && y != y || abs(x-y) <= 1e-12*abs(y) }
	return a.Progress == b.Progress && near(a.Error, b.Error) &&
		near(a.HeldError, b.HeldError) && near(a.FreeEnergyGap, b.FreeEnergyGap) && near(a.FreeEnergyGapError, b.FreeEnergyGapError) &&
		near(a.PseudoLikelihood, b.PseudoLikelihood) && near(a.PseudoLikelihoodError, b.PseudoLikelihoodError)
}

func abs(x float64) float64 { return max(x, -x) }

// TestResumeAgain stops a run by a failing hook, then by cancelling, again and
// again, each time from the last file that was written.
func TestResumeAgain(t *testing.T) {
	d, set := device(t), greys(45, 12, 5)
	for name, o := range map[string]Options{"dbn": dbn(9, 6), "sdae": sdae(9, 6)} {
		t.Run(name, func(t *testing.T) {
			o.CheckpointEvery = 4
			whole := modelBytes(t, mustTrain(t, d, set, nil, o, Hooks{}, 1024))
			var last *Checkpoint
			for run := 0; ; run++ {
				if run > 100 {
					t.Fatal("never ends")
				}
				k := keep{}
				ctx, cancel := context.WithCancel(context.Background())
				h := Hooks{Checkpoint: k.checkpoint}
				if run%2 == 0 {
					k.stop = 1
				} else {
					h.Progress = func(Progress) { cancel() }
				}
				n, err := Train(ctx, d, set, nil, o, h, last)
				cancel()
				if err == nil {
					if !bytes.Equal(modelBytes(t, n), whole) {
						t.Fatal("another model")
					}
					return
				}
				if run%2 == 0 && !errors.Is(err, errStop) || run%2 == 1 && !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				if run%2 == 1 && !strings.Contains(err.Error(), "train layer ") {
					t.Errorf("error doesn't say where: %v", err)
				}
				last = readBack(t, k.files[len(k.files)-1])
			}
		})
	}
}

// TestCancelledBeforeStart still leaves a checkpoint to go on from.
func TestCancelledBeforeStart(t *testing.T) {
	d, set, o := device(t), greys(45, 12, 5), dbn(5)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var k keep
	_, err := Train(ctx, d, set, nil, o, Hooks{Checkpoint: k.checkpoint}, nil)
	if !errors.Is(err, context.Canceled) || len(k.files) != 1 {
		t.Fatalf("%d checkpoints, error %v", len(k.files), err)
	}
	if want := "train layer 1: stopped at epoch 1 of 3, update 0 of 7: context canceled"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	n, err := Train(context.Background(), d, set, nil, o, Hooks{}, readBack(t, k.files[0]))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(modelBytes(t, n), modelBytes(t, mustTrain(t, d, set, nil, o, Hooks{}, 1024))) {
		t.Error("another model")
	}
}

// TestSameBits trains with other chunks, other threads, with and without hooks.
func TestSameBits(t *testing.T) {
	held := greys(20, 12, 6)
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			train := func(chunk, threads int, h Hooks) []byte {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
				return modelBytes(t, mustTrain(t, device(t), v.set, held, v.o, h, chunk))
			}
			want := train(1024, 1, Hooks{})
			var k keep
			listen := Hooks{Measured: func(Measurement) {}, Progress: func(Progress) {}, Checkpoint: k.checkpoint}
			for _, run := range []struct {
				chunk, threads int
				hooks          Hooks
			}{{1, 1, Hooks{}}, {14, 4, Hooks{}}, {15, 2, listen}, {1024, 3, listen}} {
				if !bytes.Equal(train(run.chunk, run.threads, run.hooks), want) {
					t.Errorf("chunks of %d examples, %d threads: another model", run.chunk, run.threads)
				}
			}
			o := v.o
			o.Seed++
			if bytes.Equal(modelBytes(t, mustTrain(t, device(t), v.set, held, o, Hooks{}, 1024)), want) {
				t.Error("another seed: the same model")
			}
		})
	}
}

// TestResumeRefused changes one option after another.
func TestResumeRefused(t *testing.T) {
	d, set := device(t), greys(45, 12, 5)
	base := dbn(9, 6)
	var k keep
	mustTrain(t, d, set, nil, base, Hooks{Checkpoint: k.checkpoint}, 1024)
	c := readBack(t, k.files[1])
	other := greys(45, 12, 6)
	other.info.Name = set.info.Name
	renamed := greys(45, 12, 5)
	renamed.info.Name = "others"
	for name, test := range map[string]struct {
		set    dataset.Set
		change func(*Options)
		want   string
	}{
		"lr":             {set, func(o *Options) { o.Rates = []float64{0.05, 0.2} }, `resume: lr "0.05,0.2": the checkpoint was made with "0.05,0.05"`},
		"layers":         {set, func(o *Options) { o.Units = []int{9, 7} }, `resume: layers "9,7": the checkpoint was made with "9,6"`},
		"epochs":         {set, func(o *Options) { o.Epochs = []int{3, 4} }, `resume: epochs "3,4": the checkpoint was made with "3,3"`},
		"batch":          {set, func(o *Options) { o.Batch = 8 }, `resume: batch "8": the checkpoint was made with "7"`},
		"momentum":       {set, func(o *Options) { o.Momentum = 0 }, `resume: momentum "0": the checkpoint was made with "0.8"`},
		"decay":          {set, func(o *Options) { o.Decay = 0.5 }, `resume: decay "0.5": the checkpoint was made with "0"`},
		"k":              {set, func(o *Options) { o.GibbsSteps = 2 }, `resume: k "2": the checkpoint was made with "1"`},
		"persistent":     {set, func(o *Options) { o.Persistent = true }, `resume: persistent "true": the checkpoint was made with "false"`},
		"sparsity":       {set, func(o *Options) { o.Sparsity = []float64{0, 0.25} }, `resume: sparsity "0,0.25": the checkpoint was made with "0,0"`},
		"centered":       {set, func(o *Options) { o.Centered = true }, `resume: centered "true": the checkpoint was made with "false"`},
		"gradient limit": {set, func(o *Options) { o.GradientLimit = 0.5 }, `resume: gradient-limit "0.5": the checkpoint was made with "auto"`},
		"upper":          {set, func(o *Options) { o.UpperSamples = true }, `resume: upper "samples": the checkpoint was made with "means"`},
		"seed":           {set, func(o *Options) { o.Seed = 9 }, `resume: seed "9": the checkpoint was made with "1"`},
		"visible":        {set, func(o *Options) { o.Visible = engine.Gaussian }, `resume: visible "gaussian": the checkpoint was made with "bernoulli"`},
		"kind":           {set, func(o *Options) { *o = sdae(9, 6) }, `resume: this is a sdae, the checkpoint is of a dbn`},
		"examples":       {greys(44, 12, 5), func(o *Options) {}, `resume: data "greys:n=44,seed=5": the checkpoint was made with "greys:n=45,seed=5"`},
		"limit":          {&rows{set.info, set.data[:40*12]}, func(o *Options) {}, `resume: data: there are 40 examples, the checkpoint's data had 45`},
		"data":           {other, func(o *Options) {}, `resume: data: its examples are not those of the checkpoint`},
		"data name":      {renamed, func(o *Options) {}, `resume: data "others"`},
	} {
		o := base
		test.change(&o)
		_, err := Train(context.Background(), d, test.set, nil, o, Hooks{}, c)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	o := base
	o.Rates, o.CheckpointEvery, o.MeasureEvery = []float64{0.05, 0.05}, 5, 5
	if _, err := Train(context.Background(), d, set, nil, o, Hooks{}, c); err != nil {
		t.Errorf("the same options in other words: %v", err)
	}
}
