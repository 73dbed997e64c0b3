package train

import (
	"bytes"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/network/safetensors"
	"github.com/unitscope/unitscope/train/internal/settest"
)

// TestFineTuneResult checks what becomes of the network.
func TestFineTuneResult(t *testing.T) {
	set := sorted(settest.Greys(45, 12, 5), 3)
	before := stack(t, network.DBN, 12, 9, 6)
	before.Radius = 2.5
	before.Training = map[string]string{"epochs": "30"}
	bytesBefore := modelBytes(t, before)
	var epochs []FineTuneEpoch
	o := fineTuning()
	n, outcome, err := FineTune(context.Background(), settest.Device(t), before, set, nil, o, FineTuneHooks{Epoch: func(r FineTuneEpoch) { epochs = append(epochs, r) }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(modelBytes(t, before), bytesBefore) {
		t.Error("the network given has changed")
	}
	if n.Kind != network.DBN || n.Radius != 2.5 || n.Training["epochs"] != "30" || n.Training["finetune.lr"] != "0.3" || n.Training["finetune.epoch"] != "3" {
		t.Errorf("kind %s, radius %g, training %v", n.Kind, n.Radius, n.Training)
	}
	for i, l := range n.Layers {
		if l.VisibleBias != nil {
			t.Errorf("layer %d has a visible bias", i+1)
		}
	}
	if outcome != (FineTuneOutcome{Epoch: 3, Epochs: 3}) {
		t.Errorf("outcome %+v", outcome)
	}
	if len(epochs) != 3 || epochs[2].Epoch != 3 || epochs[2].Train.Examples != 45 || epochs[2].Examples != 135 || epochs[0].Rate != 0.3 || math.Abs(epochs[2].Rate-0.1) > 1e-15 {
		t.Errorf("epochs %+v", epochs)
	}
	file := modelBytes(t, n)
	f, err := safetensors.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := network.Read(f); err != nil {
		t.Errorf("its file: %v", err)
	}
}

// TestFineTuneBest checks that the parameters of the best epoch are kept, and
// that patience ends training: with labels held out that are the reverse of
// those learned, the first epoch is the best.
func TestFineTuneBest(t *testing.T) {
	set := sorted(settest.Greys(45, 12, 5), 2)
	held := sorted(settest.Greys(45, 12, 5), 2)
	for i := range held.labels {
		held.labels[i] = 1 - held.labels[i]
	}
	o := fineTuning()
	o.Epochs, o.Patience, o.Rate = 40, 4, 1
	var epochs []FineTuneEpoch
	n, outcome, err := FineTune(context.Background(), settest.Device(t), stack(t, network.SDAE, 12, 9), set, held, o, FineTuneHooks{Epoch: func(r FineTuneEpoch) { epochs = append(epochs, r) }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	best := 0
	for i, r := range epochs {
		if r.Held.better(epochs[best].Held) {
			best = i
		}
	}
	if outcome.Epoch != best+1 || outcome.Epochs != outcome.Epoch+4 || outcome.Epochs != len(epochs) || outcome.Epochs == o.Epochs {
		t.Errorf("outcome %+v after %d epochs, best of them %d", outcome, len(epochs), best+1)
	}
	s, err := Classify(context.Background(), settest.Device(t), n, held)
	if err != nil || s != outcome.Held || s != epochs[best].Held {
		t.Errorf("the result scores %+v (%v), want %+v", s, err, outcome.Held)
	}
}

// fineTuneVariants are the kinds of fine-tuning; each must give the same bits
// however it is cut up.
func fineTuneVariants() map[string]FineTuneOptions {
	change := func(f func(*FineTuneOptions)) FineTuneOptions { o := fineTuning(); f(&o); return o }
	return map[string]FineTuneOptions{
		"plain":    fineTuning(),
		"momentum": change(func(o *FineTuneOptions) { o.Momentum, o.Decay = 0.8, 0.01 }),
		"noise":    change(func(o *FineTuneOptions) { o.Noise, o.Decay = []float64{0.2, 0.5, 0.5}, 0.01 }),
		"patience": change(func(o *FineTuneOptions) { o.Epochs, o.Patience, o.Rate = 30, 2, 2 }),
	}
}

// TestFineTuneResume goes on from every checkpoint, in the middle of epochs
// too: model, outcome and epochs must be those of one run.
func TestFineTuneResume(t *testing.T) {
	set, held := sorted(settest.Greys(45, 12, 5), 3), sorted(settest.Greys(20, 12, 6), 3)
	for name, o := range fineTuneVariants() {
		for _, held := range map[string]dataset.Set{"held": held, "none": nil} {
			t.Run(name, func(t *testing.T) {
				o.CheckpointEvery = 2
				d, n := settest.Device(t), stack(t, network.DBN, 12, 9, 6)
				var all Keep
				var epochs []FineTuneEpoch
				h := FineTuneHooks{Checkpoint: all.Checkpoint, Epoch: func(r FineTuneEpoch) { epochs = append(epochs, r) }}
				result, outcome, err := FineTune(context.Background(), d, n, set, held, o, h, nil)
				if err != nil {
					t.Fatal(err)
				}
				whole := modelBytes(t, result)
				for i, file := range all.Files {
					c := readFineTune(t, file)
					var tail []FineTuneEpoch
					again, other, err := FineTune(context.Background(), d, n, set, held, o, FineTuneHooks{Epoch: func(r FineTuneEpoch) { tail = append(tail, r) }}, c)
					if err != nil {
						t.Fatalf("checkpoint %d: %v", i, err)
					}
					if !bytes.Equal(modelBytes(t, again), whole) || other != outcome {
						t.Errorf("resumed from checkpoint %d (%d updates): another model or outcome", i, c.Updates)
					}
					if want := epochs[len(epochs)-len(tail):]; !slices.Equal(tail, want) {
						t.Errorf("resumed from checkpoint %d: epochs\n%+v\nwant\n%+v", i, tail, want)
					}
				}
			})
		}
	}
}

func readFineTune(t testing.TB, file []byte) *FineTuneCheckpoint {
	t.Helper()
	f, err := safetensors.Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ReadFineTuneCheckpoint(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFineTuneCancelled cancels while the examples held out are scored: the
// checkpoint knows that the epoch's end is still to come.
func TestFineTuneCancelled(t *testing.T) {
	set, held := sorted(settest.Greys(45, 12, 5), 3), sorted(settest.Greys(2*scoreRows, 12, 6), 3)
	d, n, o := settest.Device(t), stack(t, network.DBN, 12, 9, 6), fineTuning()
	whole, outcome, err := FineTune(context.Background(), d, n, set, held, o, FineTuneHooks{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var k Keep
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, _, err = FineTune(ctx, d, n, set, cancelling{held, cancel}, o, FineTuneHooks{Checkpoint: k.Checkpoint}, nil)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "epoch 1 of 3") {
		t.Fatalf("error %v", err)
	}
	c := readFineTune(t, k.Files[len(k.Files)-1])
	if c.Updates != 7 || c.Epochs() != 0 {
		t.Errorf("checkpoint after %d updates and %d epochs, want 7 and 0", c.Updates, c.Epochs())
	}
	again, other, err := FineTune(context.Background(), d, n, set, held, o, FineTuneHooks{}, c)
	if err != nil || !bytes.Equal(modelBytes(t, again), modelBytes(t, whole)) || other != outcome {
		t.Errorf("resumed: another model (%v)", err)
	}
}

// cancelling cancels when its examples are scored.
type cancelling struct {
	labelled
	cancel context.CancelFunc
}

func (c cancelling) Read(dst []float32, indices []int) error {
	if len(indices) == scoreRows {
		c.cancel()
	}
	return c.labelled.Read(dst, indices)
}

// TestFineTuneThreads gives the same model for any number of threads.
func TestFineTuneThreads(t *testing.T) {
	set, held := sorted(settest.Greys(300, 40, 5), 4), sorted(settest.Greys(100, 40, 6), 4)
	o := fineTuning()
	o.Batch, o.Noise = 50, []float64{0.2, 0.5}
	var first []byte
	for _, threads := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(threads)
		n, _, err := FineTune(context.Background(), settest.Device(t), stack(t, network.SDAE, 40, 130, 70), set, held, o, FineTuneHooks{}, nil)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if model := modelBytes(t, n); first == nil {
			first = model
		} else if !bytes.Equal(first, model) {
			t.Errorf("%d threads: another model", threads)
		}
	}
}
