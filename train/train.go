// Package train trains the models of section 2 of the paper greedily, layer by
// layer: Deep Belief Nets, stacks of Restricted Boltzmann Machines trained by
// contrastive divergence (CD-k) or persistent contrastive divergence, and
// Stacked Denoising Auto-Encoders. "The paper" is Erhan, Bengio, Courville and
// Vincent, Visualizing Higher-Layer Features of a Deep Network, Technical Report
// 1341, Université de Montréal, 2009; "Hinton's guide" is A Practical Guide to
// Training Restricted Boltzmann Machines, 2010.
//
// Each layer trains on the mean activations of the layers below, an SDAE's on
// their clean codes, a DBN's on request on samples. Data are read by index in a new random order for every
// epoch and encoded on the device, so a data set of any size goes through.
//
// The result depends on the options, the data, and the device's arithmetic: not
// on threads, on how many batches go to the device at once, or on interruptions.
// Training that is resumed from any [Checkpoint] gives the model that it would
// have given without a break, bit for bit.
//
// Layers are trained without labels. The variance of Gaussian inputs is 1 and not
// learned.
package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

const (
	// chunkExamples is about how many examples go to the device at once:
	// enough to keep it busy, few enough that cancelling takes a moment.
	chunkExamples = 1024
	// statisticExamples is how many examples at most give the mean of a layer's
	// inputs (evenly spaced ones) and the mean norm (the first ones).
	statisticExamples = 10000
)

// trainer is one call of Train.
type trainer struct {
	device    engine.Device
	set, held dataset.Set // held may be nil
	options   Options
	hooks     Hooks
	settings  map[string]string
	network   *network.Network // with the layers finished so far
	chunk     int              // about how many examples go to the device at once
}

// Train trains a network on a set with a device. held are examples kept out of
// it for the monitors; it may be nil. resume is where to go on, or nil to start.
//
// Cancelling ctx ends training at the next chunk: a checkpoint is written and
// the error, which wraps ctx.Err(), says where it stopped. Parameters that are
// no longer finite end training with an error that wraps [engine.ErrNotFinite]
// and without a checkpoint, so the last one is good; and so does, with an error that
// wraps [ErrDiverged], a reconstruction error of Gaussian inputs since the last
// measurement of more than ten times E||x||^2 + D, the energy of the D inputs and of
// their noise: a layer that reconstructs all by 0 does better.
func Train(ctx context.Context, d engine.Device, set, held dataset.Set, o Options, h Hooks, resume *Checkpoint) (*network.Network, error) {
	t, err := newTrainer(d, set, held, o, h)
	if err != nil {
		return nil, err
	}
	if err := t.checkMemory(); err != nil {
		return nil, err
	}
	return t.run(ctx, resume)
}

func newTrainer(d engine.Device, set, held dataset.Set, o Options, h Hooks) (*trainer, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if err := o.CheckData(set, held); err != nil {
		return nil, err
	}
	if held != nil && held.Len() == 0 {
		held = nil
	}
	o.Inputs = set.Info().Size()
	t := &trainer{device: d, set: set, held: held, options: o, hooks: h, chunk: chunkExamples}
	checksum, err := checksum(set)
	if err != nil {
		return nil, err
	}
	t.settings = o.Settings()
	t.settings[settingData] = set.Info().Name
	t.settings[settingExamples] = strconv.Itoa(set.Len())
	t.settings[settingSample] = checksum
	t.network = &network.Network{
		Kind:       o.Kind,
		Visible:    o.Visible,
		InputShape: slices.Clone(set.Info().Shape),
		Training:   maps.Clone(t.settings),
	}
	return t, nil
}

func (t *trainer) run(ctx context.Context, resume *Checkpoint) (*network.Network, error) {
	if resume != nil {
		if err := resume.fits(t); err != nil {
			return nil, err
		}
		t.network.Layers = resume.finished()
	}
	var err error
	if t.network.Radius, err = dataset.MeanNorm(t.set, NormExamples); err != nil {
		return nil, err
	}
	for layer := len(t.network.Layers) + 1; layer <= len(t.options.Units); layer++ {
		l, err := t.trainLayer(ctx, layer, resume)
		if err != nil {
			return nil, err
		}
		t.network.Layers = append(t.network.Layers, l)
		resume = nil
	}
	return t.network, nil
}

// inputs is the number of inputs of a layer.
func (t *trainer) inputs(layer int) int {
	if layer == 1 {
		return t.set.Info().Size()
	}
	return t.options.Units[layer-2]
}

func (t *trainer) schedule(layer int) feed.Schedule {
	o, n := t.options, t.set.Len()
	batch := o.batch(n)
	return feed.Schedule{
		Examples: n, Batch: batch, Epochs: of(o.Epochs, layer),
		Chunk:   max(1, t.chunk/batch),
		Measure: o.MeasureEvery, Checkpoint: o.CheckpointEvery,
	}
}

// plan is what the device trains a layer by.
func (t *trainer) plan(layer int) (engine.Plan, error) {
	if t.options.Kind == network.DBN {
		return t.divergence(layer)
	}
	return t.denoising(layer), nil
}

func (t *trainer) divergence(layer int) (engine.ContrastiveDivergence, error) {
	o := t.options
	limit, err := t.gradientLimit(layer)
	return engine.ContrastiveDivergence{
		VisibleUnits: t.inputs(layer), HiddenUnits: o.Units[layer-1], Visible: o.visible(layer),
		GibbsSteps: o.GibbsSteps, Chains: o.chains(), Batch: o.batch(t.set.Len()), Layer: layer, Seed: o.Seed,
		Sparsity: o.sparsity(layer), Centered: o.Centered, GradientLimit: limit,
	}, err
}

func (t *trainer) denoising(layer int) engine.Denoise {
	o, n := t.options, t.set.Len()
	c := engine.Corruption{Kind: o.Corruption, Level: float32(o.NoiseLevel(layer)), High: 1}
	if layer == 1 {
		c.Low, c.High = t.set.Info().Low, t.set.Info().High
	}
	return engine.Denoise{
		VisibleUnits: t.inputs(layer), HiddenUnits: o.Units[layer-1], Visible: o.visible(layer),
		Corruption: c, Batch: o.batch(n), Seed: o.Seed,
	}
}

func (t *trainer) trainLayer(ctx context.Context, layer int, resume *Checkpoint) (result network.Layer, err error) {
	l, err := t.newLayerRun(layer, resume)
	if err == nil {
		err = l.train(ctx)
	}
	if err == nil {
		result, err = l.parameters()
	}
	err = memory.Explain(t.device, t.work(layer), fewer, err)
	if err = errors.Join(err, l.close()); err != nil {
		return network.Layer{}, fmt.Errorf("train layer %d: %w", layer, err)
	}
	return result, nil
}
