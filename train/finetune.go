package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// FineTuneHooks are called while [FineTune] runs, from its goroutine. Any may
// be nil.
type FineTuneHooks struct {
	// Progress is called after every chunk of updates, a few times a second.
	// Its Layer and Layers are 0: all layers learn at once.
	Progress func(Progress)
	// Epoch is called at the end of every epoch.
	Epoch func(FineTuneEpoch)
	// Checkpoint is as in [Hooks], every [FineTuneOptions.CheckpointEvery] updates.
	Checkpoint func(write func(io.Writer) error) error
}

// FineTuneEpoch is how an epoch of fine-tuning went.
type FineTuneEpoch struct {
	Epoch, Epochs int     // from 1, and how many there are at most
	Examples      int64   // shown in all epochs so far
	Rate          float64 // learning rate of the epoch
	// Train is over the examples of the epoch as they were trained on, each with
	// the parameters of its moment and with its noise.
	Train Score
	// Held is over the examples held out, at the end of the epoch. Without any it
	// is of 0 examples.
	Held Score
	Best bool // no epoch before was as good on the examples held out
}

// FineTuneOutcome is what came of fine-tuning.
type FineTuneOutcome struct {
	Epoch  int   // whose parameters the result has, from 1
	Epochs int   // that were made
	Held   Score // of the result, on the examples held out; of 0 examples without any
}

// tuner is one call of FineTune: what it keeps on the device, and where it is.
type tuner struct {
	classifier
	network   *network.Network
	set, held dataset.Set // held may be nil
	options   FineTuneOptions
	hooks     FineTuneHooks
	settings  map[string]string
	schedule  feed.Schedule

	velocity   []engine.Parameters // of the momentum, per layer; nil without one
	full, last *room               // for a full batch, and for the last of an epoch
	labels     []int32
	keys       [][]uint64 // per layer, identities of a batch's noise
	updates    int
	judged     int   // epochs whose end has been dealt with
	tally      Score // of the epoch so far
	best       *best // nil before the end of the first epoch, and without examples held out
}

// best is the parameters that did best on the examples held out.
type best struct {
	epoch  int // from 1
	score  Score
	layers []network.Layer // the last one is the classifier
}

// FineTune puts a softmax classifier on a network and trains the whole stack on
// the labels of a set: back-propagation of the cross-entropy through all
// layers, by stochastic gradient descent. It is what the pre-training of section
// 2 of the paper was made for (Hinton, Osindero and Teh, 2006; Vincent et al.,
// 2010). The classifier begins with weights of 0, or with the network's own if
// it has one.
//
// held are examples kept out of training, or nil. With them, the result has the
// parameters of the epoch with the fewest errors on held, and training stops
// early after [FineTuneOptions.Patience] epochs without a better one. Without
// them it has the last epoch's.
//
// The network given stays as it is. The result has its kind, so that its units
// are shown in the same way, and its radius, or where it has none that of the set
// ([NormExamples]), but no visible biases, see [network.Network.Output]. Its Training says how it was fine-tuned, under names
// that begin with "finetune.".
//
// resume, cancelling ctx, and parameters that are no longer finite are as in
// [Train]: fine-tuning that goes on from a checkpoint gives the model of one
// that was never interrupted, bit for bit.
func FineTune(ctx context.Context, d engine.Device, n *network.Network, set, held dataset.Set, o FineTuneOptions, h FineTuneHooks, resume *FineTuneCheckpoint) (*network.Network, FineTuneOutcome, error) {
	t, err := newTuner(n, set, held, o, h)
	if err != nil {
		return nil, FineTuneOutcome{}, fmt.Errorf("fine-tune: %w", err)
	}
	t.device, t.buffers.device = d, d
	if err := t.checkMemory(); err != nil {
		return nil, FineTuneOutcome{}, fmt.Errorf("fine-tune: %w", err)
	}
	err = t.start(resume)
	if err == nil {
		err = t.train(ctx)
	}
	var result *network.Network
	if err == nil {
		result, err = t.result()
	}
	err = memory.Explain(d, "fine-tuning", fewer, err)
	if err = errors.Join(err, t.buffers.close()); err != nil {
		return nil, FineTuneOutcome{}, fmt.Errorf("fine-tune: %w", err)
	}
	return result, t.outcome(), nil
}

// newTuner checks what FineTune is given.
func newTuner(n *network.Network, set, held dataset.Set, o FineTuneOptions, h FineTuneHooks) (*tuner, error) {
	if held != nil && held.Len() == 0 {
		held = nil
	}
	if err := n.Check(); err != nil {
		return nil, err
	}
	if err := n.CheckStack(); err != nil {
		return nil, err
	}
	if err := o.Check(len(n.Layers)); err != nil {
		return nil, err
	}
	if err := o.checkData(n, set, held); err != nil {
		return nil, err
	}
	t := &tuner{network: n, set: set, held: held, options: o, hooks: h}
	t.preprocess = n.Preprocess
	if err := t.countClasses(); err != nil {
		return nil, err
	}
	batch := min(o.Batch, set.Len())
	t.schedule = feed.Schedule{
		Examples: set.Len(), Batch: batch, Epochs: o.Epochs,
		Chunk: max(1, chunkExamples/batch), Checkpoint: o.CheckpointEvery,
	}
	var err error
	t.settings, err = t.identify()
	return t, err
}

// countClasses finds the classes from the labels, and makes sure that the
// examples held out have no others.
func (t *tuner) countClasses() (err error) {
	if t.classes, err = classesOf(t.set); err != nil {
		return err
	}
	if out := t.network.Output; out != nil {
		classes := out.Weight.Shape()[0]
		if t.classes > classes {
			return words.BadOption("set", t.set.Info().Name, "there are %s, the model's classifier has %d", words.Count(t.classes, "class"), classes)
		}
		t.classes = classes
	}
	if t.held == nil {
		return nil
	}
	return checkLabels("held", t.held, t.classes)
}

// start brings parameters to the device: the network's, or a checkpoint's.
func (t *tuner) start(resume *FineTuneCheckpoint) error {
	layers, err := t.firstLayers()
	if err != nil {
		return err
	}
	var velocity []network.Layer
	if resume != nil {
		if err := resume.fits(t); err != nil {
			return err
		}
		layers, velocity = resume.layers, resume.velocity
		t.updates, t.judged, t.tally, t.best = resume.Updates, resume.judged, resume.tally, resume.best
	}
	t.upload(layers)
	for i, l := range t.layers {
		if t.options.Momentum == 0 {
			break
		}
		v := engine.Parameters{Weight: t.buffers.matrix(l.Weight.Rows(), l.Weight.Cols()), Bias: t.buffers.matrix(1, l.Weight.Rows())}
		if velocity != nil {
			v = t.uploadAffine(velocity[i])
		}
		t.velocity = append(t.velocity, v)
	}
	t.full = t.newRoom(t.schedule.Batch, true)
	t.last = t.full
	if rest := t.schedule.Examples % t.schedule.Batch; rest > 0 {
		t.last = t.view(t.full, rest)
	}
	t.labels = make([]int32, t.schedule.Batch)
	for range t.layers {
		t.keys = append(t.keys, make([]uint64, t.schedule.Batch))
	}
	return t.buffers.err
}

// result is the network with the best parameters, or the last.
func (t *tuner) result() (*network.Network, error) {
	layers := []network.Layer(nil)
	if t.best != nil {
		layers = t.best.layers
	} else {
		var err error
		if layers, err = t.download(t.layers); err != nil {
			return nil, err
		}
	}
	n := *t.network
	if n.Radius == 0 {
		var err error
		if n.Radius, err = dataset.MeanNorm(seenBy{t.set, t.network}, NormExamples); err != nil {
			return nil, err
		}
	}
	n.InputShape = slices.Clone(n.InputShape)
	top := len(layers) - 1
	n.Layers, n.Output = layers[:top:top], &layers[top]
	n.Training = maps.Clone(n.Training)
	if n.Training == nil {
		n.Training = map[string]string{}
	}
	for name, value := range t.settings {
		n.Training["finetune."+name] = value
	}
	n.Training["finetune.epoch"] = strconv.Itoa(t.outcome().Epoch)
	return &n, nil
}

func (t *tuner) outcome() FineTuneOutcome {
	if t.best == nil {
		return FineTuneOutcome{Epoch: t.judged, Epochs: t.judged}
	}
	return FineTuneOutcome{Epoch: t.best.epoch, Epochs: t.judged, Held: t.best.score}
}

// firstLayers are the layers that fine-tuning begins with, the classifier's last.
func (t *tuner) firstLayers() ([]network.Layer, error) {
	layers := slices.Clone(t.network.Layers)
	if t.network.Output != nil {
		return append(layers, *t.network.Output), nil
	}
	sizes := t.network.Sizes()
	weight, err := dense.New(t.classes, sizes[len(sizes)-1])
	if err != nil {
		return nil, err
	}
	bias, err := dense.New(t.classes)
	return append(layers, network.Layer{Weight: weight, Bias: bias}), err
}

// train makes the updates that are left.
func (t *tuner) train(ctx context.Context) error {
	// Layer 0, which no layer of the pre-training has, makes the order of the
	// examples this one's own.
	f := feed.Start(t.set, t.schedule, t.options.Seed, 0, t.updates)
	defer f.Close()
	for !t.finished() {
		if err := t.next(ctx, f); err != nil {
			if cause := ctx.Err(); cause != nil {
				return t.progress().stopped(cause, t.checkpoint)
			}
			return err
		}
	}
	return nil
}

// next makes the updates of a chunk and what is due after them.
func (t *tuner) next(ctx context.Context, f *feed.Feed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.epoch() == t.judged {
		if err := t.learnChunk(f); err != nil {
			return err
		}
	}
	if t.epoch() > t.judged {
		if err := t.endEpoch(ctx); err != nil {
			return err
		}
	}
	if t.schedule.Due(t.updates, t.schedule.Checkpoint) || t.finished() {
		return t.checkpoint()
	}
	return nil
}

// epoch is how many epochs are done.
func (t *tuner) epoch() int { return t.updates / t.schedule.PerEpoch() }

// finished says whether there is nothing left to do.
func (t *tuner) finished() bool {
	if t.judged < t.epoch() {
		return false
	}
	patience := t.options.Patience
	return t.updates == t.schedule.Total() ||
		t.best != nil && patience > 0 && t.judged-t.best.epoch >= patience
}

func (t *tuner) learnChunk(f *feed.Feed) error {
	c, err := f.Next()
	if err != nil {
		return err
	}
	if err := t.preprocess(c.Data); err != nil {
		return err
	}
	size := len(c.Data) / len(c.Keys)
	for from := 0; from < len(c.Keys); from += t.schedule.Batch {
		to := min(from+t.schedule.Batch, len(c.Keys))
		if err := t.learn(c.Data[from*size:to*size], c.Keys[from:to]); err != nil {
			return err
		}
	}
	f.Done(c)
	if t.hooks.Progress != nil {
		t.hooks.Progress(t.progress())
	}
	return nil
}

// endEpoch judges the parameters on the examples held out and keeps the best.
func (t *tuner) endEpoch(ctx context.Context) error {
	held := Score{}
	if t.held != nil {
		var err error
		if held, err = t.score(ctx, t.held); err != nil {
			return err
		}
	}
	epoch := t.epoch()
	better := t.held != nil && (t.best == nil || held.better(t.best.score))
	if better {
		layers, err := t.download(t.layers)
		if err != nil {
			return err
		}
		t.best = &best{epoch: epoch, score: held, layers: layers}
	}
	r := FineTuneEpoch{
		Epoch: epoch, Epochs: t.schedule.Epochs, Examples: int64(epoch) * int64(t.schedule.Examples),
		Rate: t.rate(epoch - 1), Train: t.tally, Held: held, Best: better,
	}
	t.judged, t.tally = epoch, Score{}
	if t.hooks.Epoch != nil {
		t.hooks.Epoch(r)
	}
	return nil
}

func (t *tuner) progress() Progress { return progressAt(t.schedule, t.updates) }

// rate is the learning rate of an epoch, counted from 0.
func (t *tuner) rate(epoch int) float64 {
	return t.schedule.Rate(t.options.Rate, cmp.Or(t.options.FinalRate, t.options.Rate), epoch)
}

// explain says of parameters that are not finite where that was, and why.
func (t *tuner) explain(err error) error { return t.progress().explain(err, "Rate", t.options.Rate) }
