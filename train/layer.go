package train

import (
	"context"
	"errors"
	"fmt"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/engine/words"
	"github.com/unitscope/unitscope/network"
	"github.com/unitscope/unitscope/train/internal/feed"
)

// layerRun is the training of one layer: what it keeps on the device, and where
// it is.
type layerRun struct {
	*trainer
	layer    int // from 1
	schedule feed.Schedule
	buffers  buffers
	below    below // the layers below
	runner   engine.TrainingRunner
	state    engine.TrainingState
	examples engine.Matrix // [rows of a chunk, size of an example]
	monitor  *monitor
	tally    tally
	worst    float64 // the reconstruction error that is taken for divergence
}

// newLayerRun prepares a layer from its start or from where a checkpoint left
// it. The caller closes it even after an error.
func (t *trainer) newLayerRun(layer int, resume *Checkpoint) (*layerRun, error) {
	l := &layerRun{trainer: t, layer: layer, schedule: t.schedule(layer), buffers: buffers{device: t.device}}
	rows := min(l.schedule.Chunk*l.schedule.Batch, l.schedule.Examples)
	l.examples = l.buffers.matrix(rows, t.set.Info().Size())
	if l.buffers.err != nil {
		return l, l.buffers.err
	}
	var err error
	if l.below, err = l.newBelow(rows); err != nil {
		return l, err
	}
	if l.worst, err = t.worst(layer); err != nil {
		return l, err
	}
	plan, err := t.plan(layer)
	if err != nil {
		return l, err
	}
	if l.runner, err = engine.CompileTraining(t.device, plan); err != nil {
		return l, err
	}
	if resume == nil {
		if resume, err = l.start(); err != nil {
			return l, err
		}
	}
	if err := l.restore(resume); err != nil {
		return l, err
	}
	l.monitor, err = newMonitor(l)
	return l, err
}

// start is the state before the first update, in the form of a checkpoint.
func (l *layerRun) start() (*Checkpoint, error) {
	inputs, units, seed := l.inputs(l.layer), l.options.Units[l.layer-1], l.options.Seed
	initial, err := network.InitialLayer(l.options.Kind, l.layer, inputs, units, seed)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{Layer: l.layer, layers: append(l.network.Layers[:l.layer-1:l.layer-1], initial)}
	if c.velocity.Weight, err = dense.New(units, inputs); err != nil {
		return nil, err
	}
	if c.velocity.Bias, err = dense.New(units); err != nil {
		return nil, err
	}
	if c.velocity.VisibleBias, err = dense.New(inputs); err != nil {
		return nil, err
	}
	if err := l.startBiases(c); err != nil {
		return nil, err
	}
	if chains := l.options.chains(); chains > 0 {
		c.chains, err = firstChains(seed, l.layer, chains, units)
	}
	return c, err
}

// firstChains draws the hidden states of persistent chains, each 0 or 1 by a
// fair coin.
func firstChains(seed uint64, layer, chains, units int) (*tensor.Dense, error) {
	if err := engine.CheckNew(chains, units); err != nil {
		return nil, words.BadOption("Chains", chains, "%w", err)
	}
	states := make([]float32, chains*units)
	for chain := range chains {
		source := engine.NewSource(seed, engine.PurposeChain, 0, engine.ExampleKey(layer, int64(chain)))
		for unit := range units {
			if source.Uniform() < 0.5 {
				states[chain*units+unit] = 1
			}
		}
	}
	return dense.Of(states, chains, units)
}

// restore brings the state of a checkpoint to the device.
func (l *layerRun) restore(c *Checkpoint) error {
	b := &l.buffers
	l.state.Parameters = b.uploadLayer(c.layers[l.layer-1])
	l.state.Velocity = b.uploadLayer(c.velocity)
	if c.chains != nil {
		l.state.Chains = b.upload(c.chains)
	}
	if c.activity != nil {
		l.state.Activity = b.upload(c.activity)
	}
	if c.center != nil {
		l.state.Center = b.upload(c.center)
	}
	l.state.Updates = uint32(c.Updates)
	l.tally = c.tally
	return b.err
}

// train makes the updates that are left.
func (l *layerRun) train(ctx context.Context) error {
	f := feed.Start(l.set, l.schedule, l.options.Seed, l.layer, int(l.state.Updates))
	defer f.Close()
	for int(l.state.Updates) < l.schedule.Total() {
		if err := ctx.Err(); err != nil {
			return l.progress().stopped(err, l.checkpoint)
		}
		c, err := f.Next()
		if err != nil {
			return err
		}
		if err := l.learn(c); err != nil {
			return err
		}
		f.Done(c)
		if err := l.measure(); err != nil {
			return err
		}
		if l.schedule.Due(int(l.state.Updates), l.schedule.Checkpoint) {
			if err := l.checkpoint(); err != nil {
				return err
			}
		}
	}
	return nil
}

// learn makes the updates of one chunk.
func (l *layerRun) learn(c *feed.Chunk) error {
	epoch, _ := l.schedule.Position(c.From)
	x, err := l.encode(c.Data, c.Keys, uint32(epoch))
	if err != nil {
		return err
	}
	progress, err := l.runner.Run(&l.state, x, c.Keys, engine.Update{
		Rate:     float32(l.schedule.Rate(l.options.Rate(l.layer), l.options.FinalRate(l.layer), epoch)),
		Momentum: float32(l.schedule.Momentum(c.From, l.options.Momentum)),
		Decay:    float32(l.options.Decay),
	})
	if err != nil {
		return err
	}
	if e := progress.SquaredError; e-e != 0 {
		return l.explain(engine.ErrNotFinite)
	}
	l.tally.squaredError += progress.SquaredError
	l.tally.examples += progress.Examples
	return nil
}

// explain says of parameters that are not finite where that was, and why.
func (l *layerRun) explain(err error) error {
	return l.progress().explain(err, "Rates", l.options.Rate(l.layer))
}

func (l *layerRun) progress() Progress {
	p := progressAt(l.schedule, int(l.state.Updates))
	p.Layer, p.Layers = l.layer, len(l.options.Units)
	return p
}

// measure tells the hooks what there is to tell. The tally begins anew whether
// or not somebody listens, so that a checkpoint does not depend on it.
func (l *layerRun) measure() error {
	if l.hooks.Progress != nil {
		l.hooks.Progress(l.progress())
	}
	if !l.schedule.Due(int(l.state.Updates), l.schedule.Measure) {
		return nil
	}
	if err := l.checkDivergence(); err != nil {
		return err
	}
	tally := l.tally
	l.tally.squaredError, l.tally.examples = 0, 0
	if l.hooks.Measured == nil {
		return nil
	}
	r := Measurement{Progress: l.progress(), Error: tally.mean()}
	if err := l.monitor.measure(&r, l.state); err != nil {
		return fmt.Errorf("monitors: %w", err)
	}
	l.hooks.Measured(r)
	return nil
}

// checkpoint has the state written, if it is finite and has not diverged.
func (l *layerRun) checkpoint() error {
	if l.hooks.Checkpoint == nil {
		return nil
	}
	if err := l.checkDivergence(); err != nil {
		return err
	}
	c, err := l.save()
	if err != nil {
		return l.explain(err)
	}
	if err := l.hooks.Checkpoint(c.write); err != nil {
		return fmt.Errorf("checkpoint at %s: %w", l.progress().where(), err)
	}
	return nil
}

// save reads the state from the device.
func (l *layerRun) save() (*Checkpoint, error) {
	c := &Checkpoint{Settings: l.settings, Layer: l.layer, Updates: int(l.state.Updates), tally: l.tally}
	parameters, err := download(l.state.Parameters)
	if err != nil {
		return nil, err
	}
	c.layers = append(l.network.Layers[:l.layer-1:l.layer-1], parameters)
	if c.velocity, err = download(l.state.Velocity); err != nil {
		return nil, err
	}
	if c.chains, err = downloadMatrix(l.state.Chains); err != nil {
		return nil, err
	}
	if c.activity, err = downloadRow(l.state.Activity); err != nil {
		return nil, err
	}
	c.center, err = downloadRow(l.state.Center)
	return c, err
}

// parameters reads the layer from the device.
func (l *layerRun) parameters() (network.Layer, error) {
	parameters, err := download(l.state.Parameters)
	return parameters, l.explain(err)
}

func (l *layerRun) close() error {
	var errs []error
	if l.runner != nil {
		errs = append(errs, l.runner.Close())
	}
	if l.below.encoder != nil {
		errs = append(errs, l.below.encoder.Close())
	}
	return errors.Join(append(errs, l.buffers.close())...)
}
