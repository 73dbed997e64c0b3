package train

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gorgonia.org/tensor"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/dense"
	"github.com/unitscope/unitscope/network"
)

// layerRun is the training of one layer: what it keeps on the device, and where
// it is.
type layerRun struct {
	*trainer
	layer    int // from 1
	plan     schedule
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
	l := &layerRun{trainer: t, layer: layer, plan: t.schedule(layer), buffers: buffers{device: t.device}}
	rows := min(l.plan.chunk*l.plan.batch, l.plan.examples)
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
		return nil, fmt.Errorf("--chains: %w", err)
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
	f := startFeed(l.set, l.plan, l.options.Seed, l.layer, int(l.state.Updates))
	defer f.close()
	for int(l.state.Updates) < l.plan.total() {
		if err := ctx.Err(); err != nil {
			return l.cancelled(err)
		}
		c, err := f.next()
		if err != nil {
			return err
		}
		if err := l.learn(c); err != nil {
			return err
		}
		f.done(c)
		if err := l.report(); err != nil {
			return err
		}
		if l.plan.due(int(l.state.Updates), l.plan.checkpoint) {
			if err := l.checkpoint(); err != nil {
				return err
			}
		}
	}
	return nil
}

// cancelled writes a checkpoint and says where training stopped.
func (l *layerRun) cancelled(cause error) error {
	err := fmt.Errorf("stopped at %s: %w", l.where(), cause)
	if failed := l.checkpoint(); failed != nil {
		err = fmt.Errorf("%w; its checkpoint could not be written: %w", err, failed)
	}
	return err
}

// where is the update that was done last, for people.
func (l *layerRun) where() string {
	p := l.progress()
	return fmt.Sprintf("epoch %d of %d, update %d of %d", p.Epoch, p.Epochs, p.Update, p.Updates)
}

// learn makes the updates of one chunk.
func (l *layerRun) learn(c *chunk) error {
	epoch, _ := l.plan.position(c.from)
	x, err := l.encode(c.data, c.keys, uint32(epoch))
	if err != nil {
		return err
	}
	progress, err := l.runner.Run(&l.state, x, c.keys, engine.Update{
		Rate:     float32(l.options.rateAt(l.layer, epoch)),
		Momentum: float32(l.plan.momentum(c.from, l.options.Momentum)),
		Decay:    float32(l.options.Decay),
	})
	if err != nil {
		return err
	}
	if e := progress.SquaredError; e-e != 0 {
		return l.diverged()
	}
	l.tally.squaredError += progress.SquaredError
	l.tally.examples += progress.Examples
	return nil
}

// diverged says that parameters are not finite, and the likely cause.
func (l *layerRun) diverged() error {
	rate := l.options.Rate(l.layer)
	return fmt.Errorf("parameters are no longer finite at %s: %w: the learning rate %g of layer %d is probably too large; try --lr %.1g", l.where(), engine.ErrNotFinite, rate, l.layer, rate/10)
}

func (l *layerRun) progress() Progress {
	done := int(l.state.Updates)
	epoch, within := l.plan.position(done)
	if within == 0 && done > 0 {
		epoch, within = epoch-1, l.plan.perEpoch()
	}
	all := int64(l.plan.examples)
	return Progress{
		Layer: l.layer, Layers: len(l.options.Units),
		Epoch: epoch + 1, Epochs: l.plan.epochs,
		Update: within, Updates: l.plan.perEpoch(),
		Examples:    int64(epoch)*all + min(int64(within)*int64(l.plan.batch), all),
		AllExamples: int64(l.plan.epochs) * all,
	}
}

// report tells the hooks what there is to tell. The tally begins anew whether
// or not somebody listens, so that a checkpoint does not depend on it.
func (l *layerRun) report() error {
	if l.hooks.Progress != nil {
		l.hooks.Progress(l.progress())
	}
	if !l.plan.due(int(l.state.Updates), l.plan.report) {
		return nil
	}
	if err := l.checkDivergence(); err != nil {
		return err
	}
	tally := l.tally
	l.tally.squaredError, l.tally.examples = 0, 0
	if l.hooks.Report == nil {
		return nil
	}
	r := Report{Progress: l.progress(), Error: tally.mean()}
	if err := l.monitor.measure(&r, l.state); err != nil {
		return fmt.Errorf("monitors: %w", err)
	}
	l.hooks.Report(r)
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
	c := &Checkpoint{Settings: l.settings, Layer: l.layer, Updates: int(l.state.Updates), tally: l.tally}
	parameters, err := l.parameters()
	if err != nil {
		return err
	}
	c.layers = append(l.network.Layers[:l.layer-1:l.layer-1], parameters)
	if c.velocity, err = l.download(l.state.Velocity); err != nil {
		return err
	}
	if l.state.Chains != nil {
		states, err := l.readFinite(l.state.Chains)
		if err != nil {
			return err
		}
		if c.chains, err = dense.Of(states, l.state.Chains.Rows(), l.state.Chains.Cols()); err != nil {
			return err
		}
	}
	if c.activity, err = l.readRow(l.state.Activity); err != nil {
		return err
	}
	if c.center, err = l.readRow(l.state.Center); err != nil {
		return err
	}
	if err := l.hooks.Checkpoint(func(w io.Writer) error { return c.write(w) }); err != nil {
		return fmt.Errorf("checkpoint at %s: %w", l.where(), err)
	}
	return nil
}

// parameters reads the layer from the device.
func (l *layerRun) parameters() (network.Layer, error) { return l.download(l.state.Parameters) }

func (l *layerRun) download(p engine.Parameters) (result network.Layer, err error) {
	weight, err := l.readFinite(p.Weight)
	if err != nil {
		return result, err
	}
	if result.Weight, err = dense.Of(weight, p.Weight.Rows(), p.Weight.Cols()); err != nil {
		return result, err
	}
	if result.Bias, err = l.readRow(p.Bias); err != nil {
		return result, err
	}
	result.VisibleBias, err = l.readRow(p.VisibleBias)
	return result, err
}

// readRow returns a matrix of one row with one dimension, nil for nil.
func (l *layerRun) readRow(m engine.Matrix) (*tensor.Dense, error) {
	if m == nil {
		return nil, nil
	}
	data, err := l.readFinite(m)
	if err != nil {
		return nil, err
	}
	return dense.Of(data, len(data))
}

func (l *layerRun) readFinite(m engine.Matrix) ([]float32, error) {
	data := make([]float32, m.Rows()*m.Cols())
	if err := m.Read(data); err != nil {
		return nil, err
	}
	if !allFinite(data) {
		return nil, l.diverged()
	}
	return data, nil
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
