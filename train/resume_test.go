package train_test

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
	"github.com/unitscope/unitscope/train"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// variants are the kinds of training; each must give the same bits however it
// is cut up.
func variants() map[string]struct {
	set dataset.Set
	o   train.Options
} {
	type variant = struct {
		set dataset.Set
		o   train.Options
	}
	set := settest.Greys(45, 12, 5)
	real := settest.Normals(45, 12, func(j int) float64 { return float64(j) / 4 })
	change := func(o train.Options, f func(*train.Options)) train.Options { f(&o); return o }
	return map[string]variant{
		"cd1":           {set, train.DBN(9, 6)},
		"cd3 decay":     {set, change(train.DBN(9, 6), func(o *train.Options) { o.GibbsSteps, o.Decay, o.Epochs = 3, 0.01, []int{2, 3} })},
		"persistent":    {set, change(train.DBN(9, 6), func(o *train.Options) { o.Persistent, o.Chains, o.GibbsSteps = true, 5, 2 })},
		"gaussian cd":   {real, change(train.DBN(9, 6), func(o *train.Options) { o.Visible = engine.Gaussian })},
		"gaussian pcd":  {real, change(train.DBN(9, 6), func(o *train.Options) { o.Visible, o.Persistent = engine.Gaussian, true })},
		"mask":          {set, train.SDAE(9, 6)},
		"salt pepper":   {set, change(train.SDAE(9, 6), func(o *train.Options) { o.Corruption, o.Noise = engine.CorruptionSaltPepper, []float64{0.1, 0.3} })},
		"gauss":         {set, change(train.SDAE(9, 6), func(o *train.Options) { o.Corruption = engine.CorruptionGaussian })},
		"gaussian sdae": {real, change(train.SDAE(9, 6), func(o *train.Options) { o.Visible, o.Corruption = engine.Gaussian, engine.CorruptionSaltPepper })},
		"sparse":        {set, change(train.DBN(9, 6), func(o *train.Options) { o.Sparsity, o.SparsityCost = []float64{0, 0.1}, 0.5 })},
		"centered":      {set, change(train.DBN(9, 6), func(o *train.Options) { o.Centered, o.Decay = true, 0.01 })},
		"limited":       {set, change(train.DBN(9, 6), func(o *train.Options) { o.GradientLimit = 0.01 })},
		"upper samples": {set, change(train.DBN(9, 6, 4), func(o *train.Options) { o.UpperSamples, o.Epochs = true, []int{2} })},
		"everything": {real, change(train.DBN(9, 6), func(o *train.Options) {
			o.Visible, o.Persistent, o.Centered, o.UpperSamples = engine.Gaussian, true, true, true
		})},
		"one batch": {set, change(train.DBN(9, 6), func(o *train.Options) { o.Batch = 1000 })},
	}
}

// TestResume kills training at every checkpoint, in the middle of epochs too,
// and goes on from its file: model and measurements must be those of one run.
func TestResume(t *testing.T) {
	held := settest.Greys(20, 12, 6)
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			d := settest.Device(t)
			o := v.o
			o.CheckpointEvery, o.MeasureEvery = 2, 3
			var all train.Keep
			var measured []train.Measurement
			h := train.Hooks{Checkpoint: all.Checkpoint, Measured: func(r train.Measurement) { measured = append(measured, r) }}
			whole := train.ModelBytes(t, train.MustTrain(t, d, v.set, held, o, h, 21))
			if len(all.Files) < 4 {
				t.Fatalf("only %d checkpoints", len(all.Files))
			}
			for i, file := range all.Files {
				c := train.ReadBack(t, file)
				var tail []train.Measurement
				n, err := train.Train(context.Background(), d, v.set, held, o, train.Hooks{Measured: func(r train.Measurement) { tail = append(tail, r) }}, c)
				if err != nil {
					t.Fatalf("checkpoint %d: %v", i, err)
				}
				if !bytes.Equal(train.ModelBytes(t, n), whole) {
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
func nearlySame(a, b train.Measurement) bool {
	near := func(x, y float64) bool { return x != x && y != y || abs(x-y) <= 1e-12*abs(y) }
	return a.Progress == b.Progress && near(a.Error, b.Error) &&
		near(a.HeldError, b.HeldError) && near(a.FreeEnergyGap, b.FreeEnergyGap) && near(a.FreeEnergyGapError, b.FreeEnergyGapError) &&
		near(a.PseudoLikelihood, b.PseudoLikelihood) && near(a.PseudoLikelihoodError, b.PseudoLikelihoodError)
}

func abs(x float64) float64 { return max(x, -x) }

// TestResumeAgain stops a run by a failing hook, then by cancelling, again and
// again, each time from the last file that was written.
func TestResumeAgain(t *testing.T) {
	d, set := settest.Device(t), settest.Greys(45, 12, 5)
	for name, o := range map[string]train.Options{"dbn": train.DBN(9, 6), "sdae": train.SDAE(9, 6)} {
		t.Run(name, func(t *testing.T) {
			o.CheckpointEvery = 4
			whole := train.ModelBytes(t, train.MustTrain(t, d, set, nil, o, train.Hooks{}, 1024))
			var last *train.Checkpoint
			for run := 0; ; run++ {
				if run > 100 {
					t.Fatal("never ends")
				}
				k := train.Keep{}
				ctx, cancel := context.WithCancel(context.Background())
				h := train.Hooks{Checkpoint: k.Checkpoint}
				if run%2 == 0 {
					k.Stop = 1
				} else {
					h.Progress = func(train.Progress) { cancel() }
				}
				n, err := train.Train(ctx, d, set, nil, o, h, last)
				cancel()
				if err == nil {
					if !bytes.Equal(train.ModelBytes(t, n), whole) {
						t.Fatal("another model")
					}
					return
				}
				if run%2 == 0 && !errors.Is(err, train.ErrStop) || run%2 == 1 && !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				if run%2 == 1 && !strings.Contains(err.Error(), "train layer ") {
					t.Errorf("error doesn't say where: %v", err)
				}
				last = train.ReadBack(t, k.Files[len(k.Files)-1])
			}
		})
	}
}

// TestCancelledBeforeStart still leaves a checkpoint to go on from.
func TestCancelledBeforeStart(t *testing.T) {
	d, set, o := settest.Device(t), settest.Greys(45, 12, 5), train.DBN(5)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var k train.Keep
	_, err := train.Train(ctx, d, set, nil, o, train.Hooks{Checkpoint: k.Checkpoint}, nil)
	if !errors.Is(err, context.Canceled) || len(k.Files) != 1 {
		t.Fatalf("%d checkpoints, error %v", len(k.Files), err)
	}
	if want := "train layer 1: stopped at epoch 1 of 3, update 0 of 7: context canceled"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	n, err := train.Train(context.Background(), d, set, nil, o, train.Hooks{}, train.ReadBack(t, k.Files[0]))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(train.ModelBytes(t, n), train.ModelBytes(t, train.MustTrain(t, d, set, nil, o, train.Hooks{}, 1024))) {
		t.Error("another model")
	}
}

// TestSameBits trains with other chunks, other threads, with and without hooks.
func TestSameBits(t *testing.T) {
	held := settest.Greys(20, 12, 6)
	for name, v := range variants() {
		t.Run(name, func(t *testing.T) {
			trained := func(chunk, threads int, h train.Hooks) []byte {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
				return train.ModelBytes(t, train.MustTrain(t, settest.Device(t), v.set, held, v.o, h, chunk))
			}
			want := trained(1024, 1, train.Hooks{})
			var k train.Keep
			listen := train.Hooks{Measured: func(train.Measurement) {}, Progress: func(train.Progress) {}, Checkpoint: k.Checkpoint}
			for _, run := range []struct {
				chunk, threads int
				hooks          train.Hooks
			}{{1, 1, train.Hooks{}}, {14, 4, train.Hooks{}}, {15, 2, listen}, {1024, 3, listen}} {
				if !bytes.Equal(trained(run.chunk, run.threads, run.hooks), want) {
					t.Errorf("chunks of %d examples, %d threads: another model", run.chunk, run.threads)
				}
			}
			o := v.o
			o.Seed++
			if bytes.Equal(train.ModelBytes(t, train.MustTrain(t, settest.Device(t), v.set, held, o, train.Hooks{}, 1024)), want) {
				t.Error("another seed: the same model")
			}
		})
	}
}

// TestResumeRefused changes one option after another.
func TestResumeRefused(t *testing.T) {
	d, set := settest.Device(t), settest.Greys(45, 12, 5)
	base := train.DBN(9, 6)
	var k train.Keep
	train.MustTrain(t, d, set, nil, base, train.Hooks{Checkpoint: k.Checkpoint}, 1024)
	c := train.ReadBack(t, k.Files[1])
	other := settest.Greys(45, 12, 6)
	other.About.Name = set.About.Name
	renamed := settest.Greys(45, 12, 5)
	renamed.About.Name = "others"
	for name, test := range map[string]struct {
		set    dataset.Set
		change func(*train.Options)
		want   string
	}{
		"lr":             {set, func(o *train.Options) { o.Rates = []float64{0.05, 0.2} }, `resume: lr "0.05,0.2": the checkpoint was made with "0.05,0.05"`},
		"layers":         {set, func(o *train.Options) { o.Units = []int{9, 7} }, `resume: layers "9,7": the checkpoint was made with "9,6"`},
		"epochs":         {set, func(o *train.Options) { o.Epochs = []int{3, 4} }, `resume: epochs "3,4": the checkpoint was made with "3,3"`},
		"batch":          {set, func(o *train.Options) { o.Batch = 8 }, `resume: batch "8": the checkpoint was made with "7"`},
		"momentum":       {set, func(o *train.Options) { o.Momentum = 0 }, `resume: momentum "0": the checkpoint was made with "0.8"`},
		"decay":          {set, func(o *train.Options) { o.Decay = 0.5 }, `resume: decay "0.5": the checkpoint was made with "0"`},
		"k":              {set, func(o *train.Options) { o.GibbsSteps = 2 }, `resume: k "2": the checkpoint was made with "1"`},
		"persistent":     {set, func(o *train.Options) { o.Persistent = true }, `resume: persistent "true": the checkpoint was made with "false"`},
		"sparsity":       {set, func(o *train.Options) { o.Sparsity = []float64{0, 0.25} }, `resume: sparsity "0,0.25": the checkpoint was made with "0,0"`},
		"centered":       {set, func(o *train.Options) { o.Centered = true }, `resume: centered "true": the checkpoint was made with "false"`},
		"gradient limit": {set, func(o *train.Options) { o.GradientLimit = 0.5 }, `resume: gradient-limit "0.5": the checkpoint was made with "auto"`},
		"upper":          {set, func(o *train.Options) { o.UpperSamples = true }, `resume: upper "samples": the checkpoint was made with "means"`},
		"seed":           {set, func(o *train.Options) { o.Seed = 9 }, `resume: seed "9": the checkpoint was made with "1"`},
		"visible":        {set, func(o *train.Options) { o.Visible = engine.Gaussian }, `resume: visible "gaussian": the checkpoint was made with "bernoulli"`},
		"kind":           {set, func(o *train.Options) { *o = train.SDAE(9, 6) }, `resume: this is a sdae, the checkpoint is of a dbn`},
		"examples":       {settest.Greys(44, 12, 5), func(o *train.Options) {}, `resume: data "greys:n=44,seed=5": the checkpoint was made with "greys:n=45,seed=5"`},
		"limit":          {&settest.Rows{About: set.About, Data: set.Data[:40*12]}, func(o *train.Options) {}, `resume: data: there are 40 examples, the checkpoint's data had 45`},
		"data":           {other, func(o *train.Options) {}, `resume: data: its examples are not those of the checkpoint`},
		"data name":      {renamed, func(o *train.Options) {}, `resume: data "others"`},
	} {
		o := base
		test.change(&o)
		_, err := train.Train(context.Background(), d, test.set, nil, o, train.Hooks{}, c)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
	o := base
	o.Rates, o.CheckpointEvery, o.MeasureEvery = []float64{0.05, 0.05}, 5, 5
	if _, err := train.Train(context.Background(), d, set, nil, o, train.Hooks{}, c); err != nil {
		t.Errorf("the same options in other words: %v", err)
	}
}
